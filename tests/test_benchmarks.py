"""The benchmarks run, with figures that say nothing: they are no tests of speed."""

from __future__ import annotations

import re

import pytest

from .benchmarks.__main__ import main
from .benchmarks.arrivals import Arrivals, spread
from .benchmarks.pairs import pairs


# Some forty processes, one after the other: half a minute where nothing else runs.
@pytest.mark.watchdog(600.0)
def test_all(capsys: pytest.CaptureFixture[str]) -> None:
    """Each benchmark prints a ratio or a figure, and what it is to be."""
    main(["--quick", "--pairs", "1"])
    out = capsys.readouterr().out
    for what in (
        "notifications a second, websocket", "notifications a second, xhr-streaming",
        "notifications a second, xhr-polling", "1,000 calls", "sockjs-client",
        "round trip, median, beside a bare loop",
        "at 1,000 a second, p99", "more than idle", "a first CTI",
        "to a handler, median, websocket", "to a handler, p99, xhr-polling", "opening a session",
        "a call that is kept", "a CTI, memory", "a CTI, threads", "5 idle CTIs",
        "import keyyo_cti, beside websocket", "import keyyo_cti, beside requests",
    ):
        assert what in out
    assert len(re.findall(r"\d\.\d\d \(\d", out)) >= 15
    assert re.search(r"a CTI, threads +2 ", out)


def test_unknown_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    """A benchmark that does not exist is refused, with those that do."""
    with pytest.raises(SystemExit):
        main(["--only", "speed"])
    assert "expected one of notifications, calls," in capsys.readouterr().err


def test_pairs() -> None:
    """Two things are measured in turn, who is first changes, and each ratio is that of a pair."""
    turns = []

    def take(name: str, figure: float) -> float:
        turns.append(name)
        return figure * len(turns)

    taken = pairs(3, lambda: {"x": take("ours", 1)}, lambda: {"x": take("theirs", 1)})
    assert turns == ["theirs", "ours", "ours", "theirs", "theirs", "ours"]
    assert taken.ratios("x") == [2 / 1, 3 / 4, 6 / 5]


def test_spread() -> None:
    """The median is the middle, and the 99th percentile is nearly the greatest."""
    assert spread(range(1000, 0, -1)) == {"median": 500.5, "p99": 991}


def test_arrivals() -> None:
    """What has arrived is complete when all has, and how fast that was counts from the first."""
    arrivals = Arrivals(3)
    arrivals.add()
    arrivals.add()
    assert not arrivals.complete
    arrivals.add()
    assert arrivals.complete and arrivals.rate() > 0
    arrivals.wait()
