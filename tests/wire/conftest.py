"""What the tests of the promises have in common: they hold on each transport."""

from __future__ import annotations

from typing import Iterator, List, Sequence, Type

import pytest

from keyyo_cti import CTI
from keyyo_cti._sockjs import TRANSPORTS, handshake
from keyyo_cti._sockjs.info import Info
from keyyo_cti._sockjs.transport import Transport

from ..helpers.scripted_server import ScriptedServer
from .agreeing import call_then_reply, connect


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Has every connection of the test go by one transport, each in its turn."""
    name: str = request.param
    choose = handshake.choose

    def only(info: Info, wanted: Sequence[str]) -> List[Type[Transport]]:
        return choose(info, [name])

    monkeypatch.setattr(handshake, "choose", only)
    return name


#: For a test whose server is scripted to speak that transport and no other.
websocket_only = pytest.mark.parametrize("transport", ["websocket"], indirect=True)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server that agrees to everything."""
    with ScriptedServer(call_then_reply) as running:
        yield running


@pytest.fixture
def cti(server: ScriptedServer) -> Iterator[CTI]:
    """A CTI with a session."""
    with connect(server) as connected:
        yield connected
