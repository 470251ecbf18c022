"""How many connections of one process are being opened at the same moment."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Iterator, List

import pytest

from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._net.throttle import ConnectThrottle

SOON = 20.0


class Guest:
    """Goes in, and stays until it is told to leave; in a thread of its own."""

    def __init__(
        self, pool: ThreadPoolExecutor, admission: ConnectThrottle, timeout: float = SOON
    ):
        self.cancel_token = CancelToken()
        self.inside = threading.Event()
        self._leave = threading.Event()
        self._over = pool.submit(self._visit, admission, timeout)

    def leave(self) -> None:
        self._leave.set()
        self._over.result(SOON)

    def _visit(self, admission: ConnectThrottle, timeout: float) -> None:
        with admission.admit(timeout, self.cancel_token):
            self.inside.set()
            assert self._leave.wait(SOON)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(10) as pool:
        yield pool


def wait_for_queue(admission: ConnectThrottle, length: int) -> None:
    """Until so many wait."""
    pause = threading.Event()
    for _ in range(int(SOON * 1000)):
        if len(admission._queue) == length:
            return
        pause.wait(0.001)
    raise AssertionError(f"waited in vain for {length}: {admission._queue}")


def queue(pool: ThreadPoolExecutor, admission: ConnectThrottle, count: int) -> List[Guest]:
    """So many guests who wait, in this order."""
    guests = []
    for number in range(1, count + 1):
        guests.append(Guest(pool, admission))
        wait_for_queue(admission, number)
    return guests


def test_in_turn(pool: ThreadPoolExecutor) -> None:
    """So many are inside at once; the others come in as these leave, in the order they came."""
    admission = ConnectThrottle(2)
    first, second = Guest(pool, admission), Guest(pool, admission)
    assert first.inside.wait(SOON) and second.inside.wait(SOON)
    third, fourth, fifth = queue(pool, admission, 3)
    first.leave()
    assert third.inside.wait(SOON)
    assert not fourth.inside.is_set() and not fifth.inside.is_set()
    third.leave()
    assert fourth.inside.wait(SOON) and not fifth.inside.is_set()
    second.leave()
    assert fifth.inside.wait(SOON)
    fourth.leave()
    fifth.leave()
    with admission.admit(SOON, CancelToken()):
        assert (admission._inside, len(admission._queue)) == (1, 0)
    assert admission._inside == 0


def test_who_has_waited_goes_in(pool: ThreadPoolExecutor) -> None:
    """Patience ends: whoever is inside may stay for ever. Until they are few again, nobody comes
    in because one of them leaves."""
    admission = ConnectThrottle(1)
    first = Guest(pool, admission)
    assert first.inside.wait(SOON)
    impatient = Guest(pool, admission, 0.01)
    assert impatient.inside.wait(SOON)
    (patient,) = queue(pool, admission, 1)
    impatient.leave()
    assert not patient.inside.is_set() and len(admission._queue) == 1
    first.leave()
    assert patient.inside.wait(SOON)
    patient.leave()
    assert admission._inside == 0


def test_aborted(pool: ThreadPoolExecutor) -> None:
    """Who is given up waits no longer, and takes nobody's turn."""
    admission = ConnectThrottle(1)
    first = Guest(pool, admission)
    assert first.inside.wait(SOON)
    given_up, last = queue(pool, admission, 2)
    given_up.cancel_token.cancel()
    assert given_up.inside.wait(SOON)
    given_up.leave()
    first.leave()
    assert last.inside.wait(SOON)
    last.leave()
    assert (admission._inside, len(admission._queue)) == (0, 0)


def test_failure_inside() -> None:
    """Who leaves by an exception makes room too."""
    admission = ConnectThrottle(1)
    for _ in range(3):
        with pytest.raises(OSError), admission.admit(SOON, CancelToken()):
            raise OSError
    assert admission._inside == 0


def test_forgotten(pool: ThreadPoolExecutor) -> None:
    """Those who were inside when a process forked are in nobody's way in the child."""
    admission = ConnectThrottle(1)
    first = Guest(pool, admission)
    assert first.inside.wait(SOON)
    admission.forget()
    second = Guest(pool, admission, 0)
    assert second.inside.wait(SOON) and admission._inside == 1
    second.leave()
    first.leave()


def test_wait_that_is_interrupted_loses_no_place(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    admission = ConnectThrottle(1)
    first = Guest(pool, admission)
    assert first.inside.wait(SOON)

    def interrupt(flag: object, timeout: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("keyyo_cti._net.throttle.Flag.wait", interrupt)
        with pytest.raises(KeyboardInterrupt), admission.admit(SOON, CancelToken()):
            raise AssertionError("it has not waited")
    first.leave()
    second = Guest(pool, admission)
    assert second.inside.wait(SOON)
    assert admission._inside == 1
    second.leave()
