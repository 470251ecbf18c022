"""The suite's cases about websockets (RFC 6455)."""

from __future__ import annotations

import base64
import hashlib
from typing import Callable, Dict, Iterator, List

import pytest

from ...helpers.raw_client import RawClient
from . import checks
from .conftest import Ask
from .services import GO_AWAY, Services, new_session

pytestmark = pytest.mark.fault(75)

Open = Callable[[str], RawClient]

#: The GUID of RFC 6455 for Sec-WebSocket-Accept.
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@pytest.fixture
def open_websocket() -> Iterator[Open]:
    """Return a function that opens websockets, all with the same session id."""
    clients: List[RawClient] = []

    def open_one(base_url: str) -> RawClient:
        clients.append(RawClient(base_url))
        return clients[-1]

    yield open_one
    for client in clients:
        client.close()


def test_plain_get_is_refused(services: Services, ask: Ask) -> None:
    assert ask(services.echo, "GET", "/0/0/websocket").status == 400


def test_upgrade_with_another_connection_header_is_refused(services: Services, ask: Ask) -> None:
    answer = ask(
        services.echo, "GET", "/0/0/websocket", Upgrade="WebSocket", Connection="close"
    )
    assert answer.status == 400


@pytest.mark.parametrize("headers", [{}, {"Upgrade": "WebSocket", "Connection": "Upgrade"}])
def test_post_is_refused_without_a_body(
    services: Services, ask: Ask, headers: Dict[str, str]
) -> None:
    answer = ask(services.echo, "POST", "/0/0/websocket", **headers)
    checks.check_not_allowed(answer)


def test_echo(services: Services, open_websocket: Open) -> None:
    client = open_websocket(services.echo)
    client.send_text('["a"]')
    assert client.frame() == 'a["a"]'


def test_close_frame_then_end(services: Services, open_websocket: Open) -> None:
    client = open_websocket(services.closing)
    assert client.frame() == GO_AWAY
    assert client.frame_or_end() == ""


def test_handshake_headers(services: Services, ask: Ask) -> None:
    key = base64.b64encode(b"sixteen bytes...").decode()
    answer = ask(
        services.echo, "GET", new_session() + "websocket",
        Upgrade="websocket", Connection="Upgrade",
        Sec_WebSocket_Version="13", Sec_WebSocket_Key=key,
    )
    digest = hashlib.sha1((key + GUID).encode()).digest()
    assert answer.status == 101
    assert answer.headers["Sec-WebSocket-Accept"] == base64.b64encode(digest).decode()
    assert answer.headers["Connection"].lower() == "upgrade"
    assert answer.headers["Upgrade"].lower() == "websocket"
    assert not answer.headers.get("Content-Length")


def test_empty_frames_are_ignored(services: Services, open_websocket: Open) -> None:
    client = open_websocket(services.echo)
    client.send_text("")
    client.send_text("[]")
    client.send_text('["a"]')
    assert client.frame() == 'a["a"]'


def test_session_id_can_be_shared_and_used_again(
    services: Services, open_websocket: Open
) -> None:
    first, second = open_websocket(services.echo), open_websocket(services.echo)
    first.send_text('["a"]')
    assert first.frame() == 'a["a"]'
    second.send_text('["b"]')
    assert second.frame() == 'a["b"]'
    first.close()
    second.close()
    third = open_websocket(services.echo)
    third.send_text('["c"]')
    assert third.frame() == 'a["c"]'


def test_broken_json_ends_the_connection(services: Services, open_websocket: Open) -> None:
    client = open_websocket(services.echo)
    client.send_text('["a')
    assert client.frame_or_end() == ""
