"""Work that several threads want at the same moment."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterator, List

import pytest

from keyyo_cti._net.single_flight import SingleFlight, WaitsForItself

from ...helpers.in_full import in_full
from ...helpers.running import Running
from ...helpers.signals import Signals

SOON = 20.0


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


class Work:
    """Says when it is under way, and goes on when it is told."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.go_on = threading.Event()
        self.done: List[str] = []

    def __call__(self) -> str:
        self.started.set()
        assert self.go_on.wait(SOON)
        self.done.append("done")
        return "outcome"


def wait_for_passengers(flights: SingleFlight[str], number: int) -> None:
    """Until so many threads wait for the flight."""
    wakeup = flights._flights[None].landed._wakeup
    waiting = threading.Event()
    while len(wakeup.waiters) < number:
        waiting.wait(0.001)


def test_one_for_all(pool: ThreadPoolExecutor) -> None:
    """Those who ask while it is done get its outcome; who asks later has it done again."""
    flights: SingleFlight[str] = SingleFlight("keyyo-cti-flight")
    work = Work()
    first = pool.submit(flights.do, work)
    assert work.started.wait(SOON)
    others = [pool.submit(flights.do, work) for _ in range(5)]
    # The first one too: otherwise the last of the others may come too late.
    wait_for_passengers(flights, 6)
    work.go_on.set()
    assert {future.result(SOON) for future in [first, *others]} == {"outcome"}
    assert work.done == ["done"]
    assert flights.do(work) == "outcome"
    assert work.done == ["done", "done"]


def test_system_without_another_thread_works_on_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    flights: SingleFlight[int] = SingleFlight("keyyo-cti-flight")
    assert flights.do(threading.get_ident) == threading.get_ident()


def test_failure_for_all(pool: ThreadPoolExecutor) -> None:
    """An exception is everybody's too, and ends with the flight."""
    flights: SingleFlight[str] = SingleFlight("keyyo-cti-flight")
    work = Work()

    def fail() -> str:
        work()
        raise ValueError("no")

    first = pool.submit(flights.do, fail)
    assert work.started.wait(SOON)
    other = pool.submit(flights.do, fail)
    wait_for_passengers(flights, 2)
    work.go_on.set()
    for future in (first, other):
        with pytest.raises(ValueError, match="no"):
            future.result(SOON)
    assert work.done == ["done"]
    assert flights.do(lambda: "again") == "again"


def test_signal_handler_may_call_while_its_thread_is_inside(signals: Signals) -> None:
    flights: SingleFlight[str] = SingleFlight("keyyo-cti-flight")
    outcomes: List[str] = []
    inside: List[None] = []
    refused: List[None] = []

    def handle() -> None:
        # A thread takes longer to start than the next signal to come.
        if not inside:
            inside.append(None)
            try:
                outcomes.append(flights.do(lambda: "of a handler"))
            except WaitsForItself:
                refused.append(None)
            inside.pop()

    signals.start(handle)
    for _ in range(in_full(10_000, 200)):
        outcomes.append(flights.do(lambda: "of the thread"))
    signals.stop()
    assert set(outcomes) == {"of a handler", "of the thread"}


def test_signal_handler_may_call_at_each_line_of_its_thread() -> None:
    """Also between a look at the outcome and the wait for it, where a wake-up could be missed."""
    lines = itertools.count(1)
    for line in lines:
        flights: SingleFlight[str] = SingleFlight("keyyo-cti-flight")
        interruption = Interruption(flights, line)
        # A daemon: if it hangs, the run ends all the same.
        thread = threading.Thread(target=interruption.run, daemon=True)
        thread.start()
        thread.join(SOON)
        assert not thread.is_alive(), f"hangs after an interruption at line {line}"
        assert set(interruption.outcomes) <= {"of a handler", "of the thread"}
        if not interruption.interrupted:
            break
    assert next(lines) > 20


class Interruption:
    """A thread that calls, and that a handler interrupts at the given line of what it runs."""

    def __init__(self, flights: SingleFlight[str], line: int) -> None:
        self.flights = flights
        self.left = line
        self.interrupted = False
        self.outcomes: List[str] = []
        self.go_on = threading.Event()

    def run(self) -> None:
        sys.settrace(self.trace)
        try:
            self.outcomes.append(self.flights.do(self.work))
        finally:
            sys.settrace(None)

    def work(self) -> str:
        # Only the interruption ends it; without one, the caller is waiting by then.
        self.go_on.wait(0.1)
        return "of the thread"

    def trace(self, frame: object, event: str, argument: object) -> Any:
        if event == "line" and not self.interrupted:
            self.left -= 1
            if not self.left:
                self.interrupted = True
                self.go_on.set()
                with contextlib.suppress(WaitsForItself):
                    self.outcomes.append(self.flights.do(lambda: "of a handler"))
        return self.trace


def test_work_of_a_caller_that_ended_before_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    flights: SingleFlight[str] = SingleFlight("keyyo-cti-flight")

    def interrupt(flight: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(flights, "_start", interrupt)
        with pytest.raises(KeyboardInterrupt):
            flights.do(lambda: "first")
    assert flights.do(lambda: "second") == "first"
    assert flights.do(lambda: "second") == "second"


INTERRUPTED = """
import sys
from keyyo_cti._net.single_flight import SingleFlight

flights = SingleFlight("flight", to_its_end=sys.argv[1] == "to its end")

def work():
    print("under way", flush=True)
    sys.stdin.readline()
    print("done", flush=True)

try:
    flights.do(work)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
@pytest.mark.parametrize("way", ["to its end", "left half done"])
def test_interrupted(way: str) -> None:
    """Ctrl-C ends the waiting at once. What must not be left half done goes on, and the end of
    the program waits for it; the rest does not hold the end up."""
    with Running("-c", INTERRUPTED, way) as running:
        running.until("under way")
        running.interrupt()
        running.until("interrupted")
        if way == "to its end":
            running.type("go on")
            running.until("done")
        assert running.end() == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_off() -> None:
    """A child does its own work, though its parent was at it, in a thread that the child lacks,
    when it was forked off."""
    program = """
import os, sys, threading
from keyyo_cti._net.single_flight import SingleFlight

flights, begun, go_on = SingleFlight("flight"), threading.Event(), threading.Event()
threading.Thread(
    target=flights.do, args=(lambda: (begun.set(), go_on.wait(20)),), daemon=True
).start()
begun.wait(20)
child = os.fork()
if not child:
    print(flights.do(lambda: "the child's"), flush=True)
    os._exit(0)
os.waitpid(child, 0)
go_on.set()
"""
    with Running("-W", "ignore", "-c", program) as running:
        running.until("the child's")
        assert running.end() == 0


def test_alone(pool: ThreadPoolExecutor) -> None:
    """Work of which nobody else's will do waits for what is under way, and is done then."""
    flights: SingleFlight[str] = SingleFlight("keyyo-cti-flight")
    work = Work()
    first = pool.submit(flights.do, work)
    assert work.started.wait(SOON)
    alone = pool.submit(flights.do, lambda: "mine", alone=True)
    # Besides the first one.
    wait_for_passengers(flights, 2)
    work.go_on.set()
    assert (first.result(SOON), alone.result(SOON)) == ("outcome", "mine")


@pytest.mark.parametrize("alone", [False, True])
def test_waiting_for_oneself(alone: bool) -> None:
    """Work that asks for itself is told so, and does not hang."""
    flights: SingleFlight[str] = SingleFlight("keyyo-cti-flight")
    with pytest.raises(RuntimeError, match="called by the work"):
        flights.do(lambda: flights.do(lambda: "never", alone=alone))
    assert flights.do(lambda: "fine") == "fine"
