"""Many CTI objects in one process: what each of them costs, and that nothing of it stays.

By hand, against a simulator in another process::

    python -m tests.load.scale --ctis 500 --transport websocket
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
import tracemalloc
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import islice
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from keyyo_cti import CTI, Call, KeyyoError
from keyyo_cti._sockjs import TRANSPORTS

from ..helpers.footprint import Footprint, footprint
from ..helpers.simulator_process import SimulatorApart, line_number

#: Seconds that anything may take that a crowd does at once.
PATIENCE = 120.0

#: Bytes that an object may leave behind: less than its smallest part that could.
LEFT = 100

#: The callref, and the state that ``newCall`` showed or the event of the call that came.
Told = Tuple[str, str]


class Witness:
    """What the handlers of one CTI are told of calls, in order."""

    def __init__(self, cti: CTI) -> None:
        self.cti = cti
        self._due = 0
        self._caught_up = Event()
        self.told: List[Told] = []
        self.restored = Event()
        cti.onNewCall = self._new_call
        cti.onRestored = lambda info: self.restored.set()

    def expect(self, more: int) -> None:
        """So many more are on their way."""
        self._due += more
        self._caught_up.clear()
        self._look()

    def wait(self) -> None:
        """Waits until as many have been told as are expected."""
        if not self._caught_up.wait(PATIENCE):
            raise AssertionError(f"{self.cti} was told {self.told}, and no more")

    def ask(self) -> Callable[[], None]:
        """Asks the server for a sign of life, whose callback comes after all that the server
        has said by now.

        :returns: what waits for it.
        """
        answered = Event()
        answer = self.cti.ping(lambda error, result: answered.set())

        def wait() -> None:
            answer.result(PATIENCE)
            if not answered.wait(PATIENCE):
                raise AssertionError(f"{self.cti}: a callback does not come")

        return wait

    def _new_call(self, call: Call) -> None:
        self._tell(call.callref, str(call.state))
        if call.onSetup is None:
            for event in ("setup", "connect", "release", "missed"):
                tell = partial(self._tell, call.callref, event)
                setattr(call, f"on{event.capitalize()}", tell)

    def _tell(self, callref: str, what: str) -> None:
        self.told.append((callref, what))
        self._look()

    def _look(self) -> None:
        if len(self.told) >= self._due:
            self._caught_up.set()


class Crowd:
    """CTI objects that are opened, told of calls and closed together.

    :param sim: where their lines are.
    :param count: how many they are.
    :param lines: how many lines they are on, in turn.
    :param at_once: how many may be opening at the same time.
    :param options: of each of them; ``cookie_name`` is a line's own.
    """

    def __init__(
        self,
        sim: SimulatorApart,
        count: int,
        lines: Optional[int] = None,
        at_once: Optional[int] = None,
        **options: Any,
    ) -> None:
        self._sim = sim
        self._lines = [line_number(index) for index in range(lines or count)]
        self._numbers = [self._lines[index % len(self._lines)] for index in range(count)]
        self._at_once = at_once or count
        self._options = {"endpoint": sim.endpoint, "ca_certs": sim.ca_certs, **options}
        self._due: Dict[str, List[Told]] = {line: [] for line in self._lines}
        self._witnesses: List[Witness] = []
        self.ctis: List[CTI] = []

    def open(self) -> None:
        """Opens a session for each.

        :raises KeyyoError: one cannot be had.
        """
        tokens = dict(zip(self._lines, self._sim.do("tokens", *self._lines)))
        self.ctis = [
            CTI(
                cookie_name=f"{number}-{index}",
                token_provider=partial(tokens.__getitem__, number),
                **self._options,
            )
            for index, number in enumerate(self._numbers)
        ]
        waiting = iter(zip(self.ctis, self._numbers))
        under_way: List[Future[Any]] = []
        while True:
            room = self._at_once - len(under_way)
            under_way += [
                cti.create_session(tokens[number]) for cti, number in islice(waiting, room)
            ]
            if not under_way:
                return
            under_way.pop(0).result(PATIENCE)

    def watch(self) -> None:
        """Has each of them take down what it is told from here on."""
        self._witnesses = [Witness(cti) for cti in self.ctis]

    def play(self, calls: int) -> None:
        """So many calls one after the other on each line, and on all lines together."""
        for _ in range(calls):
            callrefs = self._change("ring")
            for step, state in (("", "SETUP"), ("pick_up", "CONNECT"), ("hang_up", "RELEASE")):
                if step:
                    self._change(step)
                for line, callref in zip(self._lines, callrefs):
                    self._due[line] += [(callref, state), (callref, state.lower())]
                for witness in self._witnesses:
                    witness.wait()

    def _change(self, step: str) -> Any:
        """Every line's call goes one step on."""
        for witness in self._witnesses:
            # The call itself, and what has become of it.
            witness.expect(2)
        return self._sim.do(step, *self._lines)

    def drop(self) -> None:
        """Every connection is lost at once, and restored."""
        assert self._sim.do("faults.drop") == len(self.ctis)
        for witness in self._witnesses:
            assert witness.restored.wait(PATIENCE), f"{witness.cti} is not restored"

    def check(self) -> None:
        """Each of them has the session of its own line, and was told each event of that line
        once, in order."""
        for wait in [witness.ask() for witness in self._witnesses]:
            wait()
        for cti, number in zip(self.ctis, self._numbers):
            assert cti.connected and cti.number == number, cti
        if self._options.get("cookie_auto", True):
            assert self._kept() == len(self.ctis), "the id of a session is not kept"
        for witness, number in zip(self._witnesses, self._numbers):
            told, due = witness.told, self._due[number]
            assert told == due, f"{number} was told {told} instead of {due}"

    def _kept(self) -> int:
        """How many of them have the id of their session in the cookie."""
        again = [
            CTI(cookie_name=f"{number}-{index}", **self._options)
            for index, number in enumerate(self._numbers)
        ]
        return sum(cti.session_exists() for cti in again)

    def close(self, threads: int = 1) -> None:
        """Closes each, from so many threads."""
        if threads == 1:
            for cti in self.ctis:
                cti.close()
            return
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(CTI.close, self.ctis))

    def forget(self) -> None:
        """Lets go of them, and of what they were told."""
        self.ctis, self._witnesses = [], []
        self._due = {line: [] for line in self._lines}


class Moment(NamedTuple):
    """How things stand after one step of a round.

    :ivar name: ``before``, ``open``, ``called``, ``restored``, ``closed``, ``forgotten``.
    :ivar held: what the process holds.
    :ivar traced: bytes that Python has allocated, while tracemalloc traces; else 0.
    :ivar seconds: that the step took.
    :ivar processor: seconds that it took of the processors.
    """

    name: str
    held: Footprint
    traced: int
    seconds: float
    processor: float


Course = Dict[str, Moment]


def once(crowd: Crowd, calls: int, closers: int = 1) -> Course:
    """A whole round: opened, told of calls, dropped and restored, told of one more call, closed,
    forgotten.

    :raises AssertionError: something was not told as it should be, or is left behind.
    """
    course: Course = {}

    def step(name: str, do: Callable[[], object]) -> None:
        began, busy = time.monotonic(), time.process_time()
        do()
        seconds, processor = time.monotonic() - began, time.process_time() - busy
        traced = tracemalloc.get_traced_memory()[0]
        course[name] = Moment(name, footprint(), traced, seconds, processor)

    step("before", gc.collect)
    step("open", crowd.open)
    crowd.watch()
    step("called", lambda: crowd.play(calls))
    step("restored", crowd.drop)
    crowd.play(1)
    crowd.check()
    step("closed", lambda: crowd.close(closers))
    before, closed = course["before"].held, course["closed"].held
    assert closed.threads == before.threads, f"{closed} closed, {before} before"
    assert closed.descriptors == before.descriptors, f"{closed} closed, {before} before"
    crowd.forget()
    step("forgotten", gc.collect)
    return course


def allow_descriptors() -> None:
    """As many as the system lets this process have."""
    try:
        import resource
    except ImportError:  # As on Windows, which has no such limit.
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main(arguments: Sequence[str]) -> int:
    """Runs the rounds, and prints how they went. The exit code is 1 when something is lost,
    told twice, or left behind."""
    asked = _parser().parse_args(arguments)
    allow_descriptors()
    with ExitStack() as ending:
        sim = ending.enter_context(SimulatorApart(tls=asked.tls))
        options: Dict[str, Any] = {"transports": [asked.transport], "cookie_auto": False}
        if asked.cookies:
            folder = ending.enter_context(TemporaryDirectory())
            options.update(cookie_auto=True, cookie_file=f"{folder}/sessions")
        # What is imported, cached and allocated by the first one of all is no object's own.
        once(Crowd(sim, 1, **options), 1)
        options["connect_timeout"] = asked.connect_timeout
        crowd = Crowd(sim, asked.ctis, asked.lines, asked.at_once, **options)
        try:
            return _run(asked, crowd)
        except (AssertionError, KeyyoError) as error:
            print(f"FAILED: {error}")
            return 1


def _run(asked: argparse.Namespace, crowd: Crowd) -> int:
    print(
        f"{asked.ctis} CTI objects on {asked.lines or asked.ctis} lines, {asked.transport}"
        f"{' over TLS' if asked.tls else ''}, {asked.calls} calls on each line; "
        f"{os.cpu_count()} processors, Python {sys.version.split()[0]}"
    )
    print(f"{'':22}threads  descriptors  RSS, KiB  traced, KiB  seconds  of processor")
    courses: List[Course] = []
    for number in range(1, asked.rounds + asked.traced + 1):
        if number == asked.rounds + 1:
            tracemalloc.start()
        courses.append(once(crowd, asked.calls, asked.closers))
        _show(number, courses[-1])
    tracemalloc.stop()
    return _sum_up(asked, courses[: asked.rounds], courses[asked.rounds :])


def _show(number: int, course: Course) -> None:
    for moment in course.values():
        held = moment.held
        print(
            f"round {number:<3} {moment.name:12}{held.threads:8}{held.descriptors or 0:13}"
            f"{held.resident or 0:10}{moment.traced // 1024:13}{moment.seconds:9.2f}"
            f"{moment.processor:14.2f}"
        )


def _sum_up(asked: argparse.Namespace, plain: List[Course], traced: List[Course]) -> int:
    before, opened = plain[0]["before"].held, plain[0]["open"].held
    each = [((b or 0) - (a or 0)) / asked.ctis for a, b in zip(before, opened)]
    print(f"each: {each[0]:g} threads, {each[1]:g} descriptors, {each[2]:.0f} KiB (RSS)")
    events = 3 * asked.calls * asked.ctis
    called = min((course["called"] for course in plain), key=lambda moment: moment.seconds)
    opening = min(course["open"].processor for course in plain) / asked.ctis
    print(
        f"at best {events / called.seconds:.0f} events a second, "
        f"{1000 * called.processor / events:.2f} ms of processor for each event, "
        f"{1000 * opening:.1f} ms for each opening"
    )
    if not traced:
        return 0
    first, last = traced[0], traced[-1]
    objects = first["open"].traced - first["before"].traced
    left = (last["forgotten"].traced - first["forgotten"].traced) / asked.ctis
    left /= max(1, len(traced) - 1)
    print(f"each: {objects / asked.ctis / 1024:.0f} KiB of Python's own objects (tracemalloc)")
    print(f"each leaves behind, from one round to the next: {left:.0f} bytes")
    return 0 if left < LEFT else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.load.scale", description=__doc__)
    whole = partial(parser.add_argument, type=int)
    whole("--ctis", default=500, help="how many CTI objects")
    whole("--lines", help="how many lines they are on; by default one each")
    whole("--calls", default=4, help="how many calls on each line, one after the other")
    whole("--at-once", help="how many may be opening at the same time; by default all")
    whole("--closers", default=1, help="threads that close them")
    whole("--rounds", default=3, help="how often all of it")
    whole("--traced", default=3, help="rounds after that, under tracemalloc")
    parser.add_argument("--transport", default="websocket", choices=TRANSPORTS)
    parser.add_argument("--connect-timeout", type=float, default=60.0)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument(
        "--cookies", action="store_true", help="each keeps its session id, in one file for all"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
