"""What the error says when no connection can be had."""

from __future__ import annotations

import socket
import ssl
from typing import Optional

import pytest
import requests
import websocket

from keyyo_cti.connection_failed import connection_failed
from keyyo_cti.errors import ConnectionFailed
from keyyo_cti.sockjs import Closed

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


def test_each_hint_is_another() -> None:
    """An untrusted certificate is not mistaken for a TLS that nobody speaks."""
    hints = {
        connection_failed(Closed(1002, "r", cause), ENDPOINT).hint
        for cause in (ssl.SSLCertVerificationError(), ssl.SSLError(), socket.timeout(), None)
    }
    assert len(hints) == 4
