"""What the error says when no connection can be had."""

from __future__ import annotations

import http.client
import socket
import ssl
from typing import Optional

import pytest
import requests
import urllib3
import websocket

from keyyo_cti._client import failure_hints
from keyyo_cti._client.failure_hints import connection_failed
from keyyo_cti._net.stream import EarlyBytes
from keyyo_cti._sockjs import Closed
from keyyo_cti._sockjs.errors import BadStatus, NotSockJS
from keyyo_cti.errors import ConnectionFailed

ENDPOINT = "https://host.test/cti"


@pytest.mark.parametrize(
    "cause, hint",
    [
        (ssl.SSLCertVerificationError("self-signed"), "ca_certs"),
        (ssl.SSLError("wrong version number"), "TLS"),
        (socket.gaierror(socket.EAI_NONAME, "unknown"), "on line"),
        (
            websocket.WebSocketBadStatusException("%s %s", 403, "no"),
            "refuse websockets",
        ),
        (EarlyBytes("too early"), "check the proxy"),
        (ConnectionRefusedError(), "that it runs"),
        (socket.timeout(), "firewall"),
        (requests.ReadTimeout(), "firewall"),
        (OSError("something else"), ENDPOINT),
        (None, "SockJS"),
    ],
)
def test_hint(cause: Optional[BaseException], hint: str) -> None:
    """Each cause has a hint of its own about what to do."""
    error = connection_failed(Closed(1002, "the reason", cause), ENDPOINT)
    assert type(error) is ConnectionFailed
    assert (error.status_code, error.sent) == (400, False)
    assert error.message == "Connexion closed: the reason"
    assert error.hint is not None
    assert hint in error.hint
    assert "the reason" in str(error) and error.hint in str(error)


@pytest.mark.fault(60)
@pytest.mark.parametrize(
    "cause, hint, retry_after",
    [
        (BadStatus(503), "down or busy: try again later", None),
        (BadStatus(429, 12.4), "try again in 12 s", 12.4),
        (BadStatus(404, 5.0), "must be the URL of a SockJS service", 5.0),
    ],
)
def test_service_that_is_down(
    cause: BadStatus, hint: str, retry_after: Optional[float]
) -> None:
    error = connection_failed(Closed(1002, "the reason", cause), ENDPOINT)
    assert error.hint is not None and hint in error.hint
    assert error.retry_after == retry_after
    assert (ENDPOINT in error.hint) != cause.may_pass
    assert (error.final is False) == cause.may_pass


@pytest.mark.fault(85)
@pytest.mark.parametrize("status", [302, 401, 403, 407, 451, 511])
def test_status_of_something_between_is_transient(status: int) -> None:
    """Also where it answers a transport, and not the info request."""
    error = connection_failed(Closed(2000, "the reason", BadStatus(status)), ENDPOINT)
    assert error.hint and "firewall" in error.hint and "try again later" in error.hint
    assert "must be the URL" not in error.hint and error.final is False


@pytest.mark.fault(57)
def test_page_in_place_of_the_service() -> None:
    error = connection_failed(Closed(2000, "the reason", NotSockJS("a page")), ENDPOINT)
    assert error.hint and "login page" in error.hint and "sign in" in error.hint
    assert error.final is False


@pytest.mark.parametrize("code", [1000, 1002, 1006, 2000, 2007, 2010, 3000, 4000, 4410, 4999])
def test_close_code_is_not_final_unless_the_table_has_it(
    code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = Closed(code, "Not any more")
    assert connection_failed(closed, ENDPOINT).final is None
    monkeypatch.setattr(failure_hints, "_FINAL_CODES", {code})
    assert connection_failed(closed, ENDPOINT).final is True


def test_cause_is_chained() -> None:
    cause = ConnectionResetError("reset")
    error = connection_failed(Closed(1002, "the reason", cause), ENDPOINT)
    assert error.__cause__ is cause


def test_fault_of_the_sdk_is_called_so() -> None:
    """A mistake in the SDK does not send people to look for one in their endpoint."""
    bug = KeyError("bug")
    error = connection_failed(Closed(1006, "The reader failed", bug, fault=True), ENDPOINT)
    assert error.hint and "bug in keyyo-cti" in error.hint and ENDPOINT not in error.hint
    assert error.__cause__ is bug


def test_words_of_the_library_are_told() -> None:
    gone = http.client.RemoteDisconnected("gone")
    cut = urllib3.exceptions.ProtocolError("broken", http.client.IncompleteRead(b"{}", 7))
    for cause in (requests.ConnectionError(gone), cut):
        error = connection_failed(Closed(1002, "no proper answer", cause), ENDPOINT)
        assert error.hint and error.hint.startswith("the server closed the connection; check")


def test_each_hint_is_another() -> None:
    """An untrusted certificate is not mistaken for a TLS that nobody speaks."""
    hints = {
        connection_failed(Closed(1002, "r", cause), ENDPOINT).hint
        for cause in (ssl.SSLCertVerificationError(), ssl.SSLError(), socket.timeout(), None)
    }
    assert len(hints) == 4
