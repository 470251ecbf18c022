"""The SDK beside the bare libraries. By hand, on a machine that has nothing else to do::

    python -m tests.benchmarks
    python -m tests.benchmarks --pairs 9 --only notifications

The two sides are measured in turn, each in a process of its own, against a server in another
process; a ratio is the median over the pairs, with the least and the greatest. The server sends
what was made beforehand, as fast as it is read.
"""

from __future__ import annotations

import argparse
import statistics
from functools import partial
from typing import Callable, Dict, Optional, Sequence

from ..helpers import node_programs
from . import table
from .pairs import Pairs, Sample, median, node_sample, pairs, sample
from .peer import PeerApart

#: Notifications in a sample; with `--quick`, so that it can be tested, a few.
_MANY, _FEW = 200_000, 2_000

_TRANSPORTS = ("websocket", "xhr-streaming", "xhr-polling")


class Benchmarks:
    """All of them.

    :param count: of pairs.
    :param quick: whether to do little, for figures that say nothing.
    """

    def __init__(self, endpoint: str, count: int, quick: bool) -> None:
        self._count = count
        self._quick = quick
        self._number = _FEW if quick else _MANY
        self._sample: Callable[..., Sample] = partial(sample, endpoint=endpoint)
        self._endpoint = endpoint
        self.all: Dict[str, Callable[[], None]] = {
            "notifications": self._notifications,
            "page": self._page,
            "calls": self._calls,
            "node": self._node,
            "round-trips": self._round_trips,
            "arrival": self._arrival,
            "opening": self._opening,
            "memory": self._memory,
            "imports": self._imports,
        }

    def _notifications(self) -> None:
        for transport in _TRANSPORTS:
            wanted = {"transport": transport, "number": self._number, "calls": 20}
            taken = pairs(
                self._count,
                self._sample("notifications", **wanted),
                self._sample("bare notifications", **wanted),
            )
            _compare(
                f"notifications a second, {transport}", taken, "a second", _rate,
                "at least 0.8 of a bare loop" if transport == "websocket" else None,
            )

    def _page(self) -> None:
        """The same with the handlers of Keyyo's page, which sets four at each notification."""
        wanted = {"transport": "websocket", "number": self._number}
        for calls in (20, self._number // 10):
            taken = pairs(
                self._count,
                self._sample("notifications", calls=calls, page=True, **wanted),
                self._sample("bare notifications", calls=calls, **wanted),
            )
            _compare(
                f"notifications a second, as on the page, {calls:,} calls", taken, "a second",
                _rate, "at least 0.8 of a bare loop",
            )
        taken = pairs(
            self._count,
            self._sample("notifications", calls=20, page=True, **wanted),
            self._sample("bare notifications, two threads", calls=20, **wanted),
        )
        _compare("the same, beside a bare loop and a thread", taken, "a second", _rate)

    def _calls(self) -> None:
        """The same with many calls in the list, beside that with few."""
        wanted = {"transport": "websocket", "number": self._number}
        few = self._sample("notifications", calls=20, **wanted)
        for calls in (1_000, self._number // 2):
            taken = pairs(self._count, self._sample("notifications", calls=calls, **wanted), few)
            _compare(
                f"notifications a second, {calls:,} calls", taken, "a second", _rate,
                "at least 0.9 of that with 20 calls",
            )

    def _node(self) -> None:
        why_not = node_programs.missing()
        if why_not is not None or node_programs.NODE is None:
            table.note(f"no comparison with sockjs-client: {why_not}")
            return
        for transport in _TRANSPORTS:
            taken = pairs(
                self._count,
                self._sample("notifications", transport=transport, number=self._number, calls=20),
                node_sample(
                    node_programs.NODE, "notifications.js",
                    self._endpoint, transport, str(self._number), "20",
                ),
            )
            _compare(f"the same, sockjs-client, {transport}", taken, "a second", _rate)

    def _round_trips(self) -> None:
        number = 100 if self._quick else 3_000
        ours = self._sample("round trips", number=number)
        bare = pairs(self._count, ours, self._sample("bare round trips", number=number))
        thread = pairs(self._count, ours, self._sample("bare thread", number=number))
        busy = self._sample("round trips", number=number, rate=1_000)
        loaded = pairs(
            self._count, busy, self._sample("bare round trips", number=number, rate=1_000)
        )
        idle = pairs(self._count, busy, ours)
        for what, taken in (("a bare loop", bare), ("a thread and a Future", thread)):
            for figure in ("median", "p99"):
                _compare(
                    f"round trip, {figure}, beside {what}", taken, figure, _micro,
                    "at most 1.3" if taken is bare and figure == "median" else None,
                )
        for figure in ("median", "p99"):
            _compare(f"the same at 1,000 a second, {figure}", loaded, figure, _micro)
        more = statistics.median(
            one["p99"] - other["p99"] for one, other in zip(idle.ours, idle.theirs)
        )
        table.figure("p99, so much more than idle", _micro(more), "at most 5,000 us")

    def _arrival(self) -> None:
        wanted = {"number": self._number // 50, "calls": 20, "rate": 1_000}
        for transport in _TRANSPORTS:
            taken = pairs(
                self._count,
                self._sample("notifications", transport=transport, **wanted),
                self._sample("bare notifications", transport=transport, **wanted),
            )
            for figure in ("median", "p99"):
                _compare(
                    f"from the server to a handler, {figure}, {transport}", taken, figure, _micro,
                )

    def _opening(self) -> None:
        number = 5 if self._quick else 100
        taken = pairs(
            self._count,
            self._sample("opening", number=number),
            self._sample("bare opening", number=number),
        )
        _compare("opening a session, median", taken, "median", _micro)

    def _memory(self) -> None:
        calls = self._sample("calls", number=self._number // 10)()
        table.figure("a call that is kept", f"{calls['bytes']:.0f} bytes", "at most 1,024")
        wanted = {"number": 5, "seconds": 1} if self._quick else {"number": 100, "seconds": 60}
        many = self._sample("ctis", **wanted)()
        table.figure("a CTI, memory", f"{many['bytes'] / 1024:.0f} KiB", "at most 150")
        table.figure("a CTI, threads", f"{many['threads']:g}", "2")
        table.figure(
            f"{wanted['number']} idle CTIs", f"{many['core']:.2%} of a core", "less than 1 %"
        )

    def _imports(self) -> None:
        number = 2 if self._quick else 10
        for name in ("websocket", "requests"):
            taken = pairs(
                self._count,
                sample("import", statement="import keyyo_cti", number=number),
                sample("import", statement=f"import {name}", number=number),
            )
            _compare(
                f"import keyyo_cti, beside {name}", taken, "least", _micro,
                "at most 1.1" if name == "websocket" else None,
            )
        first = "import keyyo_cti; keyyo_cti.CTI(cookie_auto=False)"
        took = sample("import", statement=first, number=number)()
        table.figure("import keyyo_cti, and a first CTI", _micro(took["least"]))


def _compare(
    what: str,
    taken: Pairs,
    figure: str,
    shown: Callable[[float], str],
    goal: Optional[str] = None,
) -> None:
    """Shows one figure of both sides, and their ratios."""
    ours, theirs = median(taken.ours, figure), median(taken.theirs, figure)
    table.ratio(what, shown(ours), shown(theirs), taken.ratios(figure), goal)


def _rate(a_second: float) -> str:
    return f"{a_second:,.0f}"


def _micro(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f} us"


def main(arguments: Optional[Sequence[str]] = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--pairs", type=int, default=5, help="by default %(default)s")
    parser.add_argument("--only", action="append", help="one of them; can be given again")
    parser.add_argument("--quick", action="store_true", help="little, to see that it runs")
    options = parser.parse_args(arguments)
    with PeerApart() as peer:
        benchmarks = Benchmarks(peer.endpoint, options.pairs, options.quick).all
        unknown = set(options.only or ()) - set(benchmarks)
        if unknown:
            parser.error(f"--only: expected one of {', '.join(benchmarks)}")
        table.heading()
        for name, run in benchmarks.items():
            if not options.only or name in options.only:
                run()


if __name__ == "__main__":
    main()
