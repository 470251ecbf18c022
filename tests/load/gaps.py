"""A town whose lines lose their connections all the time: is each of its calls told, by an event
or by the history, once?

::

    python -m tests.load.gaps --minutes 10 --lines 9

Each line has a CTI with a CatchUp, on one of the transports. The exit code is 1 if a call was told
by nobody or twice, or if something was told that never was.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from collections import Counter
from functools import partial
from typing import Any, Callable, List, NamedTuple, Optional, Tuple, cast

from keyyo_cti import CTI, Backoff, Call, Transport
from keyyo_cti._display.dates import ENDED
from keyyo_cti._sockjs import TRANSPORTS
from keyyo_cti.catch_up import CatchUp, CaughtUp
from keyyo_cti.manager import ManagerClient
from keyyo_cti.simulator import Line, NotPossible, Simulator

from ..helpers.accounts import client_of
from .soaking.findings import LOST, REPEATED, WRONG, Findings
from .soaking.patience import PATIENCE, patiently
from .soaking.tally import Tally
from .soaking.town import Town
from .soaking.truth import Truth

#: Seconds after which the history knows of a change; without one after which records have
#: settled; and until the event in any case.
_DELAY, _QUIET, _LIMIT = 0.3, 1.5, 8.0

#: The history and the events have the same whole seconds here.
_TOLERANCE = 0.5

#: What two calls have in common that the history cannot tell apart.
Key = Tuple[Any, Any, Any]


class Watched:
    """A line that is watched, and how the ends of its calls were told."""

    def __init__(self, sim: Simulator, line: Line, manager: ManagerClient, number: int) -> None:
        self.line = line
        self.live: List[Call] = []
        self.caught: List[CaughtUp] = []
        self.restored = 0
        catch_up = CatchUp(
            manager, line.number, quiet=_QUIET, limit=_LIMIT, tolerance=_TOLERANCE
        )
        transport = cast(Transport, TRANSPORTS[number % 3])
        self.cti = CTI(
            endpoint=sim.endpoint, cookie_auto=False, catch_up=catch_up,
            token_provider=lambda: patiently(lambda: sim.token(line)),
            transports=[transport], backoff=Backoff(first=0.05, longest=0.5),
        )
        self.cti.onNewCall = self._on_new_call
        self.cti.onCaughtUp = self.caught.append
        self.cti.onRestored = self._on_restored
        self.cti.create_session(sim.token(line)).result(PATIENCE)

    def _on_new_call(self, call: Call) -> None:
        call.onRelease = call.onMissed = partial(self.live.append, call)

    def _on_restored(self, info: Any) -> None:
        self.restored += 1


class Figures(NamedTuple):
    """What came of it."""

    calls: int
    live: int
    came_and_went: int
    settled: int
    gaps: int
    events: int
    errors: int
    findings: Findings


def key_of(call: Any) -> Key:
    """Return the key of the fields of a call."""
    return call["caller"], call["callee"], call["setup_date"]


def judge(watched: Watched, truth: Truth, findings: Findings) -> Tuple[int, int, int]:
    """Compare what a line was told with what has happened.

    An event with an error is made up for by the next one.

    :returns: how many calls there were; that came and went in gaps; and that ended in one.
    """
    who = watched.line.number
    ends = {change.call["callref"]: change.call for change in truth.of(who)}
    happened = Counter(key_of(call) for call in ends.values() if call["state"] in ENDED)
    live = Counter(key_of(call) for call in watched.live)
    for callref, times in Counter(call.callref for call in watched.live).items():
        if times > 1:
            findings.add(REPEATED, who, f"{callref} ended {times} times")
    reported: "Counter[Key]" = Counter()
    settled = 0
    for caught in watched.caught:
        settled += len(caught.calls)
        for record in caught:
            reported[record.caller, record.callee, int(record.start_time)] += 1
    for key in {*happened, *live, *reported}:
        told = live[key] + reported[key]
        if told != happened[key]:
            kind = LOST if told < happened[key] else (REPEATED if happened[key] else WRONG)
            findings.add(
                kind, who, f"{key}: happened {happened[key]} times, live {live[key]}, "
                f"by the history {reported[key]}"
            )
    return sum(happened.values()), sum(reported.values()) - settled, settled


class Chaos:
    """Cuts connections, for a while each, and sometimes again at once."""

    def __init__(
        self, sim: Simulator, lines: List[Line], seed: int, over: threading.Event
    ) -> None:
        self._sim, self._lines, self._over = sim, lines, over
        self._dice = random.Random(f"{seed} gaps")
        self.tally = Tally()
        self.thread = threading.Thread(target=self._run, name="gaps-chaos", daemon=True)

    def _run(self) -> None:
        faults, dice = self._sim.faults, self._dice
        while not self._over.wait(dice.choice((0.3, 2.0, 5.0))):
            lines = dice.sample(self._lines, dice.randint(1, len(self._lines)))
            name, cut = dice.choice(
                (("drop", faults.drop), ("reset", faults.reset),
                 ("close", lambda line: faults.close(line=line))))
            patiently(lambda: faults.refuse("connect"))
            for line in lines:
                patiently(partial(cut, line))
            if dice.random() < 0.1:
                name = "forget sessions"
                patiently(lambda: faults.forget_sessions(dice.choice(lines)))
            self.tally.add(name)
            self._over.wait(dice.uniform(0.0, 3.0))
            patiently(lambda: faults.let_through("connect"))


def play(seconds: float, count: int, seed: int, say: Callable[[str], object]) -> Figures:
    """Let a town go, and compare."""
    findings, over = Findings(say), threading.Event()
    with Simulator(heartbeat=0.5, disconnect_delay=1.0, ring_timeout=4.0) as sim:
        lines = [sim.line(f"33199000{number:03d}") for number in range(1, count + 1)]
        sim.history.set(delay=_DELAY)
        truth = Truth([line.number for line in lines])
        sim.on_call_change(truth)
        manager = client_of(sim)
        watched = [Watched(sim, line, manager, number) for number, line in enumerate(lines)]
        chaos = Chaos(sim, lines, seed, over)
        town = Town(sim, lines, 3, 3.0, seed, over, findings)
        town.start()
        chaos.thread.start()
        over.wait(seconds)
        over.set()
        town.join()
        chaos.thread.join()
        _hang_up_all(sim)
        # One more gap for each.
        ends = [len(each.caught) for each in watched]
        patiently(sim.faults.drop)
        time.sleep(2 * _LIMIT)
        for each, before in zip(watched, ends):
            if len(each.caught) == before:
                findings.add(WRONG, each.line.number, "there was no event after the last gap")
        figures = [judge(each, truth, findings) for each in watched]
        for each in watched:
            each.cti.close()
        manager.close()
    say(f"faults: {chaos.tally.counts()}")
    say(f"people: {town.tally.counts()}")
    calls, came_and_went, settled = (sum(column) for column in zip(*figures))
    return Figures(
        calls, sum(len(each.live) for each in watched), came_and_went, settled,
        sum(each.restored for each in watched), sum(len(each.caught) for each in watched),
        sum(caught.error is not None for each in watched for caught in each.caught), findings,
    )


def _hang_up_all(sim: Simulator) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        going_on = [call for call in patiently(sim.calls) if call.state not in ENDED]
        if not going_on:
            return
        for call in going_on:
            try:
                sim.phone(call.caller).hang_up()
            except (NotPossible, TimeoutError):
                continue


def main(arguments: Optional[List[str]] = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.gaps", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--lines", type=int, default=6)
    parser.add_argument("--seed", type=int, help="a number; by default one that nobody chose")
    given = parser.parse_args(arguments)
    seed = random.randrange(10**6) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    figures = play(given.minutes * 60, given.lines, seed, lambda line: print(line, flush=True))
    counts = figures.findings.counts()
    print(
        f"{figures.calls} calls ended: {figures.live} told live, {figures.came_and_went} that "
        f"came and went in gaps and {figures.settled} ends by the history, in "
        f"{figures.gaps} gaps with {figures.events} events, {figures.errors} with an error\n"
        f"told by nobody: {counts[LOST]}, twice: {counts[REPEATED]}, "
        f"invented or wrong: {counts[WRONG]}", flush=True,
    )
    return 1 if any(counts.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
