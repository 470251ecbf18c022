"""The service around one exchange, with connections in memory."""

from __future__ import annotations

import itertools
import json
from typing import Any, Dict, List, Optional, Tuple

from keyyo_cti.simulator.actions import Actions
from keyyo_cti.simulator.callpark import CallPark
from keyyo_cti.simulator.clients import Client, Clients
from keyyo_cti.simulator.clock import ManualClock
from keyyo_cti.simulator.commands import Command
from keyyo_cti.simulator.exchange import Exchange
from keyyo_cti.simulator.sessions import Sessions, Tokens

from ..helpers.raw_client import outcome

NOW = 1_700_000_000
ALICE = "33199000001"
CAROL = "33199000002"
BOB = "33199020000"
DAVE = "33199020001"

MALFORMED = (400, "Malformed request (missing required parameters)")
INVALID_TOKEN = (400, "Invalid token")
EXPIRED_TOKEN = (400, "Invalid token (expired)")
INVALID_PARAMS = (400, "RPC invalid params")
UNKNOWN_SESSION = (401, "Unknown session_id")
CANNOT_TREAT = (400, "Cannot treat action")
INTERNAL_ERROR = (500, "Internal error")


class MemoryWire:
    """A connection that records sent messages."""

    transport = "memory"

    def __init__(self) -> None:
        self.messages: List[Dict[str, Any]] = []
        self.closed: Optional[Tuple[int, str]] = None

    def send(self, text: str) -> bool:
        self.messages.append(json.loads(text))
        return True

    def send_many(self, texts: List[str], *, packed: bool = True) -> bool:
        raise AssertionError("an action sends one message at a time")

    def send_frame(self, frame: bytes) -> bool:
        raise AssertionError("an action sends messages that can be read")

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)


class Desk:
    """The service around one exchange, with two lines."""

    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock(NOW)
        self.clients = Clients()
        self.exchange = Exchange(self.clock, self.clock, on_call=self.clients.notify)
        self.tokens = Tokens(self.clock)
        self.sessions = Sessions(self.clock, 300, self.clients.dismiss)
        self.actions = Actions(
            self.exchange, CallPark(self.exchange, 2), self.sessions, self.tokens, self.clock,
            **settings)
        self.alice, self.carol = map(self.exchange.add_line, (ALICE, CAROL))
        self.bob, self.dave = map(self.exchange.get_subscriber, (BOB, DAVE))
        self._ids = itertools.count(1)

    def connect(self) -> Client:
        wire = MemoryWire()
        self.clients.add(wire)
        return self.clients[wire]

    def signed_in(self, number: str = ALICE, **fields: Any) -> Client:
        client = self.connect()
        self.ask(client, "create_session", token=self.token(number), **fields)
        return client

    def token(self, number: str = ALICE) -> str:
        return self.tokens.mint(number, 3600)

    def perform(self, client: Client, action: str, **fields: Any) -> int:
        number = next(self._ids)
        self.actions.perform(client, Command(number, {"action": action, **fields}))
        return number

    def ask(self, client: Client, action: str, **fields: Any) -> Any:
        """Perform an action and give its outcome."""
        number = self.perform(client, action, **fields)
        replies = [message for message in sent(client) if message.get("id") == number]
        assert len(replies) == 1
        return outcome(replies[0])

    def incoming(self) -> str:
        """Let Bob call Alice; return the callref."""
        return self.exchange.call_by_hand(self.bob, ALICE).record.callref

    def talking(self) -> str:
        """Let Bob call Alice and Alice pick up; return the callref."""
        callref = self.incoming()
        self.exchange.pick_up(self.alice)
        return callref


def sent(client: Client) -> List[Dict[str, Any]]:
    assert isinstance(client.wire, MemoryWire)
    return client.wire.messages


def states(client: Client) -> List[str]:
    """Return the notified calls of a client, in short form."""
    calls = [message["call"] for message in sent(client) if "call" in message]
    return [f"{call['caller']}>{call['callee']} {call['state']}" for call in calls]
