"""Targets: the simulator's side, without a wire."""

import json
from random import Random
from typing import Any, Dict, List

from keyyo_cti.simulator.actions import ACTIONS
from keyyo_cti.simulator.clock import ManualClock
from keyyo_cti.simulator.commands import is_id
from keyyo_cti.simulator.service import Service
from keyyo_cti.simulator.sockjs import BrokenFrame, decode_messages
from keyyo_cti.simulator.sockjs.frames import decode_posted

from . import mutation
from .calm import Calm
from .target import Target, head, text

ALICE, CAROL, BOB = "33199000001", "33199000002", "33199020000"

#: Attempts after which there is another Keyyo, with no calls.
_RENEWED_AFTER = 300

_JSON = (
    b"[", b"]", b"{", b"}", b'"', b",", b":", b"\\u", b"\\ud800", b"null", b"NaN", b"9" * 30,
    b"9" * 4400, b"1e999", b"-1", b"true", b"[[[[", b"\xff",
)

#: Stands, in an input, for a token that is good.
TOKEN = "<token>"

_FIELDS: Dict[str, List[Any]] = {
    "number": [ALICE, CAROL, BOB, "12", "callpark", "0199000001", ""],
    "to": [ALICE, CAROL, BOB, "33199020001"],
    "call_ref": [f"call-{count}" for count in range(1, 9)],
    "call_ref2": [f"call-{count}" for count in range(1, 9)],
    "side": ["caller", "callee"],
    "side2": ["caller", "callee"],
    "slot": [-1, 1, 2, 3, 10 ** 30],
    "invite_timer": [0, 1, 86_400, 86_401],
    "message": ["hello", "", "\ud800"],
    "auto_answer": [True, False],
    "protocol_version": [1, 2],
    "session_id": ["s-1", "\ud800"],
    "token": [TOKEN, TOKEN, "no token"],
}


class Wire:
    """A connection that keeps what is sent on it, as text."""

    transport = "memory"

    def __init__(self) -> None:
        self.sent: List[str] = []

    def send(self, text: str) -> None:
        self.sent.append(text)

    def send_many(self, texts: List[str], *, packed: bool = True) -> None:
        self.sent += texts

    def close(self, code: int, reason: str) -> None:
        self.sent.append(f"closed {code}")


def command(random: Random) -> Dict[str, Any]:
    """A command that has mostly what it should have."""
    draw = random.random
    actions = list(ACTIONS)
    action = actions[int(draw() * len(actions))]
    wanted = [*ACTIONS[action].required, *ACTIONS[action].optional]
    fields = {name: _field(random, name) for name in wanted if draw() < 0.95}
    if draw() < 0.1:
        fields.update(mutation.fields(random))
    if draw() < 0.02:
        return {"id": mutation.value(random), **fields}
    return {"id": 1 + int(draw() * 1000), "action": action, **fields}


def _field(random: Random, name: str) -> Any:
    if random.random() < 0.1:
        return mutation.value(random)
    return _FIELDS[name][int(random.random() * len(_FIELDS[name]))]


class SimulatedSide(Target):
    """What a client may send to the simulator. The first byte says how: as a frame of a
    websocket, as the body of a post, or as a command of a client that has a session."""

    name = "simulator"
    share = 3.0
    seeds = (
        b'\x00["{\\"id\\":1,\\"action\\":\\"ping\\"}"]', b'\x00"x"', b"\x00", b'\x01["x","y"]',
        b'\x00["x",1]', b'\x01[{}]', b'\x01"x"',
        b'\x02{"id":2,"action":"park_call","call_ref":"call-1","side":"caller","slot":[]}',
        b'\x02{"id":1,"action":"call","number":"33199020000"}',
        b'\x02{"id":2,"action":"park_call","call_ref":"call-1","side":"caller","slot":-1}',
        b'\x02{"id":3,"action":"create_session","token":"t","protocol_version":1}',
    )
    tokens = (b'"id"', b'"action"', b'"number"', b'"call_ref"', b'"call-1"', *_JSON)

    def __init__(self) -> None:
        super().__init__()
        self._random = Random(0)
        self._calm = Calm("keyyo_cti.simulator")
        self._calm.__enter__()
        self._attempts = 0
        self._renew()

    def close(self) -> None:
        self._calm.__exit__()

    def draw_from(self, random: Random) -> None:
        super().draw_from(random)
        self._random = random

    def make(self) -> bytes:
        if self._random.random() < 0.4:
            return super().make()
        return b"\x02" + json.dumps(command(self._random)).encode()

    def attempt(self, data: bytes) -> None:
        kind, rest = head(data) % 3, data[1:]
        if kind == 2:
            self._perform(text(rest).replace(TOKEN, self._token))
        else:
            try:
                found = decode_posted(rest) if kind else decode_messages(text(rest))
            except BrokenFrame as error:
                assert str(error)
            else:
                assert all(isinstance(each, str) for each in found)
        self._calm.check()

    def _perform(self, message: str) -> None:
        """A command that can be answered is answered once, and what is sent is JSON."""
        self._attempts += 1
        if self._attempts % _RENEWED_AFTER == 0:
            self._renew()
        wire = self._wire
        wire.sent.clear()
        self._service.message(wire, message)  # type: ignore[arg-type]
        if "closed 3000" in wire.sent:
            self._sign_in()
            return
        sent = [json.loads(each) for each in wire.sent]
        asked = _id(message)
        assert sum(is_id(each.get("id")) for each in sent) == (asked is not None), sent
        assert all(each.get("id") in (None, asked) for each in sent)
        assert not any(each.get("error", {}).get("status_code") == 500 for each in sent)

    def _renew(self) -> None:
        self._clock = ManualClock()
        self._service = Service(
            self._clock, self._clock, lambda client, command: False,
            session_timer=300, ring_timeout=None, park_slots=2, replay_on_restore=True,
        )
        self._alice = self._service.exchange.add_line(ALICE)
        self._service.exchange.add_line(CAROL)
        self._token = self._service.tokens.mint(ALICE, 3600)
        self._sign_in()
        bob = self._service.exchange.get_subscriber(BOB)
        self._service.exchange.call_by_hand(bob, ALICE)
        self._service.exchange.pick_up(self._alice)

    def _sign_in(self) -> None:
        self._wire = Wire()
        self._service.opened(self._wire)  # type: ignore[arg-type]
        asked = {"id": 1, "action": "create_session", "token": self._token}
        self._service.message(self._wire, json.dumps(asked))  # type: ignore[arg-type]
        assert '"error"' not in self._wire.sent[0], self._wire.sent


def _id(message: str) -> Any:
    try:
        fields = json.loads(message)
    except (ValueError, RecursionError):
        return None
    number = fields.get("id") if isinstance(fields, dict) else None
    return number if is_id(number) else None
