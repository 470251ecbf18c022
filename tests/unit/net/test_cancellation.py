"""The handle that ends every wait."""

from __future__ import annotations

import threading
from typing import List

import pytest

from keyyo_cti._net.cancellation import CancelToken

from ...helpers.background import SOON, Background


def test_not_pulled() -> None:
    """As long as nobody pulls, no hook runs."""
    cancel_token, ran = CancelToken(), []  # type: CancelToken, List[int]
    with cancel_token.on_cancel(lambda: ran.append(1)):
        assert not cancel_token.cancelled
    assert ran == []


def test_pulled() -> None:
    """A pull runs every hook that is there, once, in order, however often one pulls."""
    cancel_token, ran = CancelToken(), []  # type: CancelToken, List[int]
    cancel_token.add(lambda: ran.append(1))
    with cancel_token.on_cancel(lambda: ran.append(2)):
        cancel_token.cancel()
        cancel_token.cancel()
    cancel_token.cancel()
    assert cancel_token.cancelled
    assert ran == [1, 2]


def test_too_late() -> None:
    """Who comes to wait after the pull is woken at once."""
    cancel_token, ran = CancelToken(), []  # type: CancelToken, List[int]
    cancel_token.cancel()
    with cancel_token.on_cancel(lambda: ran.append(1)):
        assert ran == [1]
    cancel_token.add(lambda: ran.append(2))
    assert ran == [1, 2]


def test_removed() -> None:
    """A hook that is removed does not run."""
    cancel_token, ran = CancelToken(), []  # type: CancelToken, List[int]
    with cancel_token.on_cancel(lambda: ran.append(1)):
        pass

    def hook() -> None:
        ran.append(2)

    cancel_token.add(hook)
    cancel_token.remove(hook)
    cancel_token.cancel()
    assert ran == []


def test_removed_twice() -> None:
    """To remove a hook that is not there raises ValueError."""
    with pytest.raises(ValueError):
        CancelToken().remove(print)


def test_removed_on_an_exception() -> None:
    """A wait that ends with an exception leaves no hook behind."""
    cancel_token, ran = CancelToken(), []  # type: CancelToken, List[int]
    with pytest.raises(KeyError):
        with cancel_token.on_cancel(lambda: ran.append(1)):
            raise KeyError
    cancel_token.cancel()
    assert ran == []


def test_left_behind() -> None:
    """Once a wait is left, its hook is not running and will not run."""
    cancel_token = CancelToken()
    in_hook, go_on, left = threading.Event(), threading.Event(), threading.Event()
    order: List[str] = []

    def hook() -> None:
        in_hook.set()
        assert go_on.wait(SOON)
        order.append("hook ends")

    def wait() -> None:
        with cancel_token.on_cancel(hook):
            assert in_hook.wait(SOON)
            go_on.set()
        order.append("left")
        left.set()

    waiter = threading.Thread(target=wait)
    waiter.start()
    cancel_token.cancel()
    assert left.wait(SOON)
    waiter.join(SOON)
    assert order == ["hook ends", "left"]


def test_added_during_a_pull() -> None:
    """A hook that comes while another one runs waits for it, and runs once."""
    cancel_token, adding = CancelToken(), threading.Event()
    ran: List[int] = []
    adders: List[Background] = []

    def hook() -> None:
        adders.append(Background(cancel_token.add, lambda: ran.append(1)))
        assert adders[0].waits()
        adding.set()

    cancel_token.add(hook)
    cancel_token.cancel()
    assert adding.is_set()
    adders[0].result()
    assert ran == [1]


def test_race() -> None:
    """Many waits and one pull at the same moment: each wait is woken exactly once."""
    for _ in range(20):
        cancel_token, barrier = CancelToken(), threading.Barrier(5)
        woken: List[int] = []

        def wait() -> None:
            event = threading.Event()

            def hook() -> None:
                woken.append(1)
                event.set()

            barrier.wait(SOON)
            with cancel_token.on_cancel(hook):
                assert event.wait(SOON)

        threads = [threading.Thread(target=wait) for _ in range(4)]
        for thread in threads:
            thread.start()
        barrier.wait(SOON)
        cancel_token.cancel()
        for thread in threads:
            thread.join(SOON)
        assert woken == [1] * 4
