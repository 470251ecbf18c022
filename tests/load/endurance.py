"""A line whose connection is lost ten thousand times: each time it is restored, calls go on and
end meanwhile, and nothing stays behind. By hand, against a simulator in another process::

    python -m tests.load.endurance --drops 10000 --transport websocket
"""

from __future__ import annotations

import argparse
import gc
import itertools
import sys
import threading
import time
import tracemalloc
from array import array
from collections import Counter
from operator import attrgetter
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple
from unittest import mock

from keyyo_cti import CTI, Backoff, Call, Restored, Transport
from keyyo_cti._client import registry
from keyyo_cti._sockjs import TRANSPORTS

from ..helpers.footprint import Footprint, footprint
from ..helpers.simulator_process import SimulatorApart, Step, line_number, phone_number, step
from .trend import Trend

#: Seconds that anything may take.
PATIENCE = 30.0

#: Calls that a CTI keeps, of those that have ended, and of those whose end was in a gap.
KEPT = 20

LINE = line_number(0)

#: The telephones that call the line.
FIRST, SECOND, THIRD = (phone_number(index) for index in range(3))

#: How the simulator is told to refuse a transport.
_REFUSED = {"websocket": "websocket", "xhr-streaming": "xhr_streaming", "xhr-polling": "xhr"}


def blows(transport: Transport) -> Dict[str, List[Step]]:
    """Ways to lose a connection, some of them also in the middle of the next opening."""
    drop, reset = step("faults.drop", LINE), step("faults.reset", LINE)
    refuse = step("faults.refuse", _REFUSED[transport], times=1, reset=True)
    return {
        "dropped": [drop],
        "reset": [reset],
        "closed": [step("faults.close", 3000, "Go away!", LINE)],
        "dropped, and again at info": [step("faults.refuse", "info", times=1, reset=True), drop],
        "reset, and again while opening": [refuse, reset],
        "dropped, and again when restoring": [step("faults.reset", on="restore_session"), drop],
    }


class Supervised:
    """A CTI that stays up, and what its handlers were told.

    :param by_hand: whether its ``disconnected`` handler restores, and not the SDK.
    """

    def __init__(self, sim: SimulatorApart, transport: Transport, by_hand: bool) -> None:
        (self._token,) = sim.do("tokens", LINE)
        own: Dict[str, Any] = {} if by_hand else {
            "token_provider": lambda: self._token,
            "backoff": Backoff(first=0.001, longest=0.01),
        }
        self.cti = CTI(
            endpoint=sim.endpoint,
            transports=[transport],
            cookie_auto=False,
            max_ended_calls=KEPT,
            **own,
        )
        self._changed = threading.Condition()
        # Guarded by it: the state of each call that goes on, as it was told; how often the
        # session was restored; and what should never come.
        self.states: Dict[str, str] = {}
        self.restored = 0
        self._problem: Optional[object] = None
        self.cti.onNewCall = self._on_call
        self.cti.onError = self._on_problem
        if by_hand:
            self.cti.onDisconnected = self._restore
        else:
            self.cti.onRestored = self._on_restored
            self.cti.onLost = self._on_problem

    def wait(self, until: Callable[[], bool], what: str) -> None:
        """Waits until handlers have been told something."""
        with self._changed:
            self._changed.wait_for(lambda: until() or self._problem, PATIENCE)
            assert self._problem is None, f"{self._problem!r} instead of {what}"
            assert until(), f"waited in vain for {what}: {self.restored}, {self.states}"

    def open(self) -> None:
        """Opens the session."""
        self.cti.create_session(self._token).result(PATIENCE)

    def _on_call(self, call: Call) -> None:
        with self._changed:
            if call.ended:
                self.states.pop(call.callref, None)
            else:
                self.states[call.callref] = str(call.state)
            self._changed.notify_all()

    def _restore(self) -> None:
        session_id = self.cti.session_id
        self.cti.restore_session(self._token, session_id, self._on_answer)

    def _on_answer(self, error: Any, result: Any) -> None:
        if error is None:
            self._on_restored(Restored(0.0, False))

    def _on_restored(self, info: Restored) -> None:
        with self._changed:
            self.restored += 1
            if info.recreated:
                self._problem = info
            self._changed.notify_all()

    def _on_problem(self, problem: object) -> None:
        with self._changed:
            self._problem = problem
            self._changed.notify_all()


class Ordeal:
    """Loses the connection of a `Supervised` again and again, in each way in turn.

    :ivar losses: how often it was lost, by the way.
    :ivar untold: how many calls ended without being told, because that was in a gap.
    """

    def __init__(self, sim: SimulatorApart, supervised: Supervised, transport: Transport) -> None:
        self._sim = sim
        self._supervised = supervised
        self._blows = itertools.cycle(blows(transport).items())
        self.losses: "Counter[str]" = Counter()
        self.untold = 0

    def lose_once(self) -> None:
        """One call is picked up while the connection is lost, one ends, and one begins; after it
        is restored, those that go on are told, and so are their ends.

        :raises AssertionError: something is not told, or the session is not restored.
        """
        supervised, states = self._supervised, self._supervised.states
        picked_up, ended = self._sim.do_all(step("call", FIRST, LINE), step("call", SECOND, LINE))
        supervised.wait(lambda: states == {picked_up: "SETUP", ended: "SETUP"}, "two calls")
        way, blow = next(self._blows)
        restored = supervised.restored
        begun = self._sim.do_all(
            *blow,
            step("pick_up", LINE),
            step("hang_up", SECOND),
            step("call", THIRD, LINE),
        )[-1]
        self.losses[way] += 1
        supervised.wait(lambda: supervised.restored > restored, f"a restoration: {way}")
        now = {picked_up: "CONNECT", begun: "SETUP"}
        supervised.wait(lambda: states in (now, {**now, ended: "SETUP"}), f"{now}: {way}")
        # Whether it ended in the gap, or just after, is the simulator's secret until here.
        self.untold += states.pop(ended, None) is not None
        self._sim.do("hang_up", FIRST, THIRD)
        supervised.wait(lambda: not states, "the end of each call")


class Sample(NamedTuple):
    """What was held after so many losses.

    :ivar calls: how many calls the CTI knows.
    :ivar traced: KiB that Python had allocated.
    :ivar peak: KiB that it had at most since the sample before.
    :ivar collected: KiB that it had once garbage was collected, which is done for one sample in
        ten; else 0.
    """

    losses: int
    held: Footprint
    calls: int
    traced: float
    peak: float
    collected: float

    def __str__(self) -> str:
        held = self.held
        return (
            f"{self.losses:8}{held.threads:9}{held.descriptors or 0:13}{self.calls:7}"
            f"{held.resident or 0:11}{self.traced:13.1f}{self.peak:13.1f}"
            f"{self.collected:16.1f}"
        )


class Book:
    """Samples, in memory that is taken before the first one: it must not be measured itself.

    :param most: how many there will be.
    """

    _WIDTH = 8

    def __init__(self, most: int) -> None:
        self._numbers = array("d", bytes(8 * self._WIDTH * most))
        self._count = 0

    def add(self, sample: Sample) -> None:
        at = self._count * self._WIDTH
        held = (each or 0 for each in sample.held)
        for number in (sample.losses, *held, sample.calls, *sample[3:]):
            self._numbers[at] = number
            at += 1
        self._count += 1

    def all(self) -> List[Sample]:
        rows = range(0, self._count * self._WIDTH, self._WIDTH)
        return [self._read(*self._numbers[at : at + self._WIDTH]) for at in rows]

    @staticmethod
    def _read(
        losses: float, threads: float, descriptors: float, resident: float, *rest: float
    ) -> Sample:
        held = Footprint(int(threads), int(descriptors), int(resident))
        calls, traced, peak, collected = rest
        return Sample(int(losses), held, int(calls), traced, peak, collected)


HEAD = (
    f"{'drops':>8}{'threads':>9}{'descriptors':>13}{'calls':>7}"
    f"{'RSS, KiB':>11}{'traced, KiB':>13}{'peak, KiB':>13}"
    f"{'collected, KiB':>16}"
)


class Outcome(NamedTuple):
    """What came of it.

    :ivar samples: the first one before any loss.
    :ivar losses: how often the connection was lost, by the way.
    :ivar untold: how many calls ended without being told, because that was in a gap.
    """

    samples: List[Sample]
    losses: "Counter[str]"
    untold: int


def endure(
    sim: SimulatorApart,
    transport: Transport,
    losses: int,
    *,
    every: int,
    by_hand: bool = False,
    told: Callable[[Sample], None] = lambda sample: None,
) -> Outcome:
    """Loses and restores a connection so many times.

    :param every: how many losses lie between two samples.
    :raises AssertionError: something is lost, told wrongly, or left behind.
    """
    # Imports what a CTI needs, which is there for good and is not left behind.
    CTI(cookie_auto=False).close()
    before, ours = footprint(), _ours()
    # As many as of the ended ones, so that what is bounded is at its bound soon.
    with mock.patch.object(registry, "_MAX_SILENT_CALLS", KEPT):
        outcome = _endure(sim, transport, losses, every, by_hand, told)
    after, left = footprint(), _ours() - ours
    assert after[:2] == before[:2], f"left behind: {after}, before: {before}"
    assert not left, f"left behind: {left}"
    return outcome


def _endure(
    sim: SimulatorApart,
    transport: Transport,
    losses: int,
    every: int,
    by_hand: bool,
    told: Callable[[Sample], None],
) -> Outcome:
    supervised = Supervised(sim, transport, by_hand)
    ordeal = Ordeal(sim, supervised, transport)
    book = Book(losses // every + 1)
    with supervised.cti as cti:
        supervised.open()
        opened = footprint()
        for number in range(losses + 1):
            if number:
                ordeal.lose_once()
            if number % every == 0:
                sample = _sample(number, cti, opened, number % (10 * every) == 0)
                book.add(sample)
                told(sample)
        assert supervised.restored == losses, f"restored {supervised.restored} times"
    return Outcome(book.all(), ordeal.losses, ordeal.untold)


def _ours() -> "Counter[str]":
    """The objects of the SDK's classes that are there, by class, once garbage is collected."""
    gc.collect()
    kinds = (type(each) for each in gc.get_objects())
    return Counter(
        kind.__qualname__ for kind in kinds if str(kind.__module__).startswith("keyyo_cti")
    )


def _sample(losses: int, cti: CTI, opened: Footprint, collect: bool) -> Sample:
    traced, peak = _allocated()
    collected = 0.0
    if tracemalloc.is_tracing():
        if collect:
            gc.collect()
            collected, _ = _allocated()
        tracemalloc.reset_peak()
    return Sample(
        losses, _settled(opened), len(cti.get_calls()), traced, peak, collected
    )


def _allocated() -> Tuple[float, float]:
    traced, peak = tracemalloc.get_traced_memory()
    return traced / 1024, peak / 1024


def _settled(opened: Footprint) -> Footprint:
    """What is held once the threads of the last connection are done with their last steps: no
    more than at first. It may be less, because a connection that idles may be closed."""
    pause = threading.Event()
    until = time.monotonic() + PATIENCE
    while True:
        held = footprint()
        descriptors, at_first = held.descriptors or 0, opened.descriptors or 0
        if held.threads <= opened.threads and descriptors <= at_first:
            return held
        names = [thread.name for thread in threading.enumerate()]
        assert time.monotonic() < until, f"{held} instead of {opened}: {names}"
        pause.wait(0.001)


#: Bytes that each loss may leave behind of what Python has allocated: one of its smallest
#: objects, left behind by one way of losing in six, is more.
LEFT = 2.5

#: The same of all that the process holds: what the system's libraries keep for a thread, or for
#: TLS, is more.
LEFT_RESIDENT = 200.0


def main(arguments: Sequence[str]) -> int:
    """Runs it, and prints samples and a verdict. The exit code is 1 when something is lost, told
    wrongly, or left behind."""
    asked = _parser().parse_args(arguments)
    every = asked.every or max(1, asked.drops // 200)
    shown = itertools.count()

    def show(sample: Sample) -> None:
        if next(shown) % 10 == 0:
            print(sample, flush=True)

    print(
        f"{asked.drops} drops, {asked.transport}, restored by "
        f"{'the handler' if asked.by_hand else 'the SDK'}, Python {sys.version.split()[0]}"
    )
    print(HEAD)
    if asked.trace:
        tracemalloc.start()
    began = time.monotonic()
    with SimulatorApart(token_lifetime=1e6) as sim:
        try:
            outcome = endure(
                sim,
                asked.transport,
                asked.drops,
                every=every,
                by_hand=asked.by_hand,
                told=show,
            )
        except AssertionError as error:
            print(f"FAILED: {error}")
            return 1
        theirs = Footprint(*sim.do("footprint"))
    for way, count in outcome.losses.items():
        print(f"{count:8} {way}")
    print(f"{outcome.untold:8} calls ended in a gap, untold; of each other one, every state came")
    print(f"in {time.monotonic() - began:.0f} s; threads and descriptors: as before")
    print(f"the simulator holds, in the end: {theirs}")
    return _judge(asked, outcome)


def _judge(asked: argparse.Namespace, outcome: Outcome) -> int:
    late = outcome.samples[len(outcome.samples) // 2 :]
    if len(late) < 30:
        print("too few samples to judge the memory")
        return 0
    if not asked.trace:
        return _judge_resident(late)
    for name in ("traced", "peak"):
        trend = _trend(late, attrgetter(name))
        print(f"{name:9} second half: {_shown(trend)}, with the collector's ups and downs")
    collected = _trend([sample for sample in late if sample.collected], attrgetter("collected"))
    grows = collected.exceeds(LEFT)
    print(f"collected second half: {_shown(collected)}: {'GROWS' if grows else 'steady'}")
    return int(grows)


def _judge_resident(late: List[Sample]) -> int:
    """An allocator takes what it needs at the worst moment, and keeps it: the worst so far is
    surpassed ever more rarely. What leaks goes on at the same pace."""
    middle = len(late) // 2
    quarters = [_resident(late[:middle]), _resident(late[middle:])]
    before, last = (trend.slope for trend in quarters)
    levels_off = last < before / 2
    grows = quarters[1].exceeds(LEFT_RESIDENT) and not levels_off
    print(f"RSS      third quarter: {_shown(quarters[0])}")
    print(f"RSS       last quarter: {_shown(quarters[1])}: "
          f"{'GROWS' if grows else 'levels off' if levels_off else 'steady'}")
    return int(grows)


def _resident(samples: List[Sample]) -> Trend:
    return _trend(samples, lambda sample: sample.held.resident or 0)


def _trend(samples: List[Sample], measure: Callable[[Sample], float]) -> Trend:
    """In bytes for each loss."""
    return Trend.of(
        [sample.losses for sample in samples], [1024 * measure(sample) for sample in samples]
    )


def _shown(trend: Trend) -> str:
    return f"{trend.slope:+9.2f} bytes a drop, +-{2 * trend.error:.2f}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.load.endurance", description=__doc__)
    parser.add_argument("--drops", type=int, default=10_000)
    parser.add_argument("--every", type=int, help="drops from one sample to the next")
    parser.add_argument("--transport", default="websocket", choices=TRANSPORTS)
    parser.add_argument(
        "--by-hand",
        action="store_true",
        help="the handler of disconnected restores, and not the SDK",
    )
    parser.add_argument(
        "--trace",
        action="store_true",
        help="measure what Python allocates, by tracemalloc, and not RSS, which that changes",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
