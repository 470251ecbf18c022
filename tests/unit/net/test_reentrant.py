"""Sections and wake-ups that bear signal handlers."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, List

import pytest

from keyyo_cti._net import process
from keyyo_cti._net.reentrant import Flag, Section, Turn, Wakeup, interrupts_itself

from ...helpers.in_full import in_full
from ...helpers.probe import PATIENCE
from ...helpers.signals import Signals

SIGNALS = in_full(10_000, always=2_000)

needs_timer = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")


def test_work_inside_work_is_deferred() -> None:
    section, order = Section(), []

    def outer() -> None:
        assert section.run(lambda: order.append("inner")) is False
        order.append("outer")

    assert section.run(outer) is True
    assert order == ["outer", "inner"]


def test_work_that_raises_leaves_the_section_usable() -> None:
    section, order = Section(), []

    def outer() -> None:
        section.run(lambda: order.append("inner"))
        raise ValueError

    with pytest.raises(ValueError):
        section.run(outer)
    assert section.run(lambda: order.append("next")) is True
    assert order == ["inner", "next"]


def test_other_threads_wait() -> None:
    section, inside, leave = Section(), threading.Event(), threading.Event()
    order: List[str] = []

    def slow() -> None:
        inside.set()
        leave.wait(PATIENCE)
        order.append("slow")

    threads = [
        threading.Thread(target=section.run, args=(slow,)),
        threading.Thread(target=lambda: inside.wait(PATIENCE) and section.run(order.clear)),
    ]
    for thread in threads:
        thread.start()
    inside.wait(PATIENCE)
    leave.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert order == []


@needs_timer
def test_section_with_many_signals_loses_nothing(signals: Signals) -> None:
    """Each piece of work runs once and alone, though signal handlers interrupt it anywhere."""
    section = Section()
    state = {"inside": False, "outer": 0, "inner": 0}
    # A list, because a signal handler may interrupt another one in the middle of "+= 1".
    signalled: List[None] = []

    def work(name: str) -> None:
        assert not state["inside"]
        state["inside"] = True
        state[name] += 1
        state["inside"] = False

    def on_signal() -> None:
        signalled.append(None)
        section.run(lambda: work("inner"))

    signals.start(on_signal)
    rounds, until = 0, time.monotonic() + 3 * PATIENCE
    while len(signalled) < SIGNALS and time.monotonic() < until:
        section.run(lambda: work("outer"))
        rounds += 1
    signals.stop()
    section.run(lambda: None)
    assert len(signalled) >= SIGNALS
    assert (state["outer"], state["inner"]) == (rounds, len(signalled))


def test_wakeup_returns_once_the_predicate_holds() -> None:
    wakeup, there = Wakeup(), threading.Event()

    def notify() -> None:
        there.set()
        wakeup.notify_all()

    thread = threading.Thread(target=notify)
    thread.start()
    assert wakeup.wait_for(there.is_set, PATIENCE) is True
    thread.join(PATIENCE)
    assert wakeup.wait_for(lambda: False, 0) is False


@needs_timer
def test_wakeup_by_a_signal_handler_of_the_waiting_thread(signals: Signals) -> None:
    wakeup, count = Wakeup(), [0]

    def on_signal() -> None:
        count[0] += 1
        wakeup.notify_all()

    signals.start(on_signal)
    for wanted in range(100, SIGNALS + 1, 100):
        assert wakeup.wait_for(lambda: count[0] >= wanted, PATIENCE)


def test_section_entered_by_its_own_thread_defers_work_and_what_follows() -> None:
    """A signal handler or ``__del__`` inside of it is as a call from within."""
    section, order = Section(), []  # type: Section, List[str]

    def outer() -> str:
        assert section.is_inside() and interrupts_itself()
        ran = section.run(lambda: order.append("deferred"), lambda: order.append("then"))
        assert not ran and section.call(lambda: "nested") == "nested" and order == []
        return "result"

    assert section.call(outer) == "result"
    assert order == ["deferred", "then"] and not section.is_inside() and not interrupts_itself()


def test_section_whose_work_raises_runs_deferred_work() -> None:
    section, order = Section(), []  # type: Section, List[str]

    def outer() -> None:
        section.run(lambda: order.append("deferred"))
        raise ValueError("oops")

    with pytest.raises(ValueError, match="oops"):
        section.run(outer, lambda: order.append("never"))
    assert order == ["deferred"]


def test_deferred_work_that_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """It is no fault of the work that was interrupted."""
    section = Section()
    section.run(lambda: section.run(lambda: 1 / 0))
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("use", [Section().run, Section().call, Turn().take])
def test_use_in_a_forked_child_is_refused(
    use: Callable[[Any], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_forks", process.current() + 1)
    with pytest.raises(process.OtherProcess, match="parent process"):
        use(lambda: None)


def test_turn_is_of_one_ticket_until_it_is_given_back() -> None:
    turn, first, second = Turn(), object(), object()
    assert turn.take(first) and turn.take(first) and not turn.take(second)
    assert turn.is_of(first) and interrupts_itself()
    turn.give_back(second)
    assert turn.is_of(first)
    waiter = ThreadPoolExecutor(1)
    waiting = waiter.submit(turn.take, second, PATIENCE)
    turn.give_back(first)
    assert waiting.result(PATIENCE) and turn.is_of(second) and not interrupts_itself()
    waiter.shutdown()


def test_flag_wakes_those_that_wait() -> None:
    flag = Flag()
    assert not flag.is_set() and not flag.wait(0)
    with ThreadPoolExecutor(1) as waiter:
        waiting = waiter.submit(flag.wait, PATIENCE)
        flag.set()
        assert waiting.result(PATIENCE) and flag.wait() and flag.is_set()
