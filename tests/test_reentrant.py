"""Sections and wake-ups that bear signal handlers."""

import signal
import threading
import time
from typing import List

import pytest

from keyyo_cti.reentrant import Section, Wakeup

from .in_full import in_full
from .signals import Signals
from .wire.probe import PATIENCE

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
    state = {"inside": False, "outer": 0, "inner": 0, "signals": 0}

    def work(name: str) -> None:
        assert not state["inside"]
        state["inside"] = True
        state[name] += 1
        state["inside"] = False

    def on_signal() -> None:
        state["signals"] += 1
        section.run(lambda: work("inner"))

    signals.start(on_signal)
    rounds, until = 0, time.monotonic() + 3 * PATIENCE
    while state["signals"] < SIGNALS and time.monotonic() < until:
        section.run(lambda: work("outer"))
        rounds += 1
    signals.stop()
    section.run(lambda: None)
    assert state["signals"] >= SIGNALS
    assert (state["outer"], state["inner"]) == (rounds, state["signals"])


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
