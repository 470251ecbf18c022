"""What an error that is given to a program holds on to."""

from __future__ import annotations

import http.client

import pytest
import requests
import urllib3

from keyyo_cti._net.failures import describe_failure, drop_secrets

CANARY = "CANARY-of-a-session"

pytestmark = pytest.mark.fault(30)


def raised(error: BaseException, behind: BaseException) -> BaseException:
    """An error that was raised from another, in a frame that knows a secret."""
    session_id = CANARY
    try:
        try:
            raise behind
        except BaseException as caught:
            raise error from caught
    except BaseException as caught:
        assert session_id
        return caught


def test_dropped_secrets_leave_the_words() -> None:
    request = requests.Request("POST", "http://server.test/", data=CANARY).prepare()
    cut = http.client.IncompleteRead(CANARY.encode(), 100)
    broken = urllib3.exceptions.ProtocolError("broken", cut)
    error = raised(requests.ConnectionError(broken, request=request), broken)
    words = describe_failure(error)
    drop_secrets(error)
    assert describe_failure(error) == words == "the server closed the connection"
    assert isinstance(error, requests.ConnectionError) and error.request is None
    assert cut.partial == b"" and repr(cut) and CANARY not in repr(cut.args)
    for each in (error, broken, cut):
        assert each.__traceback__ is None


def test_errors_in_a_ring_are_freed_too() -> None:
    one, other = ValueError("one"), OSError("other")
    raised(one, other)
    other.__cause__ = one
    drop_secrets(one)
    assert one.__traceback__ is None and other.__traceback__ is None


@pytest.mark.parametrize("error", [None, KeyError("x"), urllib3.exceptions.HTTPError()])
def test_nothing_to_drop(error: "BaseException | None") -> None:
    drop_secrets(error)
