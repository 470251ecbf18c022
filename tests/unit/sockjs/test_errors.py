"""How a connection ends or fails, in codes and words."""

from __future__ import annotations

import pytest

from keyyo_cti._sockjs import errors
from keyyo_cti._sockjs.errors import Closed, SendFailed, SockJSError


def test_codes() -> None:
    """The codes are those of SockJS clients and of websockets."""
    assert (errors.NORMAL, errors.CANNOT_CONNECT, errors.LOST) == (1000, 1002, 1006)
    assert (errors.TOO_BIG, errors.ALL_FAILED, errors.TOO_LATE) == (1009, 2000, 2007)


@pytest.mark.parametrize(
    "code, clean",
    [(1000, True), (3000, True), (4999, True), (999, False), (1001, False), (2999, False)]
    + [(5000, False)],
)
def test_clean(code: int, clean: bool) -> None:
    """An end is clean when one of the two sides meant it."""
    assert Closed(code, "r").clean is clean


def test_same_end() -> None:
    """Two ends with the same code and reason are the same, whatever caused them."""
    assert Closed(1006, "r", OSError()) == Closed(1006, "r")
    assert Closed(1006, "r") != Closed(1006, "s")
    assert Closed(1006, "r").cause is None


def test_error() -> None:
    """An error tells the end that it means, in its words and as such."""
    cause = OSError("why")
    error = SockJSError(1006, "lost", cause)
    assert error.closed == Closed(1006, "lost") and error.closed.cause is cause
    assert str(error) == "1006 lost" and error.args == (1006, "lost")
    assert SockJSError(1006, "lost").closed.cause is None


@pytest.mark.parametrize("begun", [False, True])
def test_send_failed(begun: bool) -> None:
    """A failed sending is a lost connection, and tells whether any of the message went out."""
    cause = OSError("why")
    error = SendFailed("full", begun, cause)
    assert error.closed == Closed(1006, "full") and error.closed.cause is cause
    assert error.begun is begun
    assert SendFailed("full", begun).closed.cause is None
