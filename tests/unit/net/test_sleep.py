"""Whether the machine has slept, by clocks that are set by hand."""

from __future__ import annotations

import pytest

from keyyo_cti._net.sleep import SleepWatch


class Machine:
    """A machine with a monotonic clock that stands still while it sleeps, and one that tells how
    long it has slept."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept = 7.0

    def watch(self) -> SleepWatch:
        return SleepWatch(self.now, lambda: self.slept)


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_awake(machine: Machine) -> None:
    """On a machine that is awake, a look every five seconds sees nothing."""
    watch = machine.watch()
    for _ in range(100):
        assert watch.due() == machine.now + 5
        assert not watch.detect_sleep(machine.now + 4.9, machine.now, 100.0)
        assert watch.due() == machine.now + 5
        machine.now += 5
        assert not watch.detect_sleep(machine.now, 100.0, 100.0)


@pytest.mark.fault(8)
def test_slept(machine: Machine) -> None:
    """A sleep is seen at the next look, once."""
    watch = machine.watch()
    machine.now += 5
    machine.slept += 120
    assert watch.detect_sleep(machine.now, 100.0, 100.0)
    machine.now += 5
    assert not watch.detect_sleep(machine.now, 100.0, 100.0)


def test_clock_that_goes_on(machine: Machine) -> None:
    """Where the monotonic clock goes on while the machine sleeps, or when the process was
    stopped, the look comes far too late, and that tells."""
    watch = machine.watch()
    machine.now += 5 + 120
    assert watch.detect_sleep(machine.now, 100.0, 100.0)
    assert watch.due() == machine.now + 5
    machine.now += 5
    assert not watch.detect_sleep(machine.now, 100.0, 100.0)


def test_busy_machine(machine: Machine) -> None:
    """A look that is late by a few seconds, or clocks that differ by one or two, are no sleep."""
    watch = machine.watch()
    machine.now += 5 + 9.9
    machine.slept += 1.9
    assert not watch.detect_sleep(machine.now, 100.0, 100.0)
    machine.now += 5
    machine.slept -= 3600
    assert not watch.detect_sleep(machine.now, 100.0, 100.0)


def test_busy_thread(machine: Machine) -> None:
    """A thread that was kept busy, and so begins to wait after its look was due, has not slept;
    how long it then waits counts."""
    watch = machine.watch()
    machine.now += 60
    assert not watch.detect_sleep(machine.now, machine.now - 9.9, 100.0)
    machine.now += 60
    assert watch.detect_sleep(machine.now, machine.now - 10.1, 100.0)


def test_silence(machine: Machine) -> None:
    """A silence is as long as both clocks say: awake and asleep."""
    watch = machine.watch()
    machine.now, machine.slept = 105.0, 127.0
    assert watch.silence(105.0, 100.0) == 5 + 120
    for machine.now in (105.0, 110.0):
        watch.detect_sleep(machine.now, 100.0, 100.0)
    machine.now, machine.slept = 113.0, 130.0
    assert watch.silence(113.0, 100.0) == 13 + 123
    assert watch.silence(113.0, 112.0) == 1 + 3


def test_silence_after_a_sleep(machine: Machine) -> None:
    """What was heard after a sleep ends the silence: the sleep is no part of it."""
    watch = machine.watch()
    machine.now, machine.slept = 105.0, 127.0
    watch.detect_sleep(105.0, 100.0, 100.0)
    machine.now = 110.0
    watch.detect_sleep(110.0, 100.0, 106.0)
    assert watch.silence(110.0, 106.0) == 4
    assert watch.silence(111.0, 110.5) == 0.5


def test_silence_that_nobody_can_tell(machine: Machine) -> None:
    """What was heard between two looks may have been heard before the sleep that lies between
    them: then rather too long a silence is told than too short a one."""
    watch = machine.watch()
    machine.now, machine.slept = 105.0, 127.0
    watch.detect_sleep(105.0, 100.0, 103.0)
    assert watch.silence(105.0, 103.0) == 2 + 120


def test_silence_is_never_negative(machine: Machine) -> None:
    """Clocks that differ by a little make no negative silence."""
    watch = machine.watch()
    machine.slept -= 0.1
    assert watch.silence(100.0, 100.1) == 0
