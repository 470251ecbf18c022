"""The benchmarks run, with figures that say nothing: they are no tests of speed."""

from __future__ import annotations

import re

import pytest

from .__main__ import main


# Some forty processes, one after the other: half a minute where nothing else runs.
@pytest.mark.slow
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
    assert "expected one of notifications, page, calls," in capsys.readouterr().err
