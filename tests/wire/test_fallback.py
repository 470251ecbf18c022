"""Networks that let no websocket through: the session opens all the same, on another transport."""

from __future__ import annotations

import threading
import time
from typing import Callable, List

import pytest

from keyyo_cti import CTI, ConnectionFailed, Transport
from keyyo_cti._sockjs.handshake import share
from keyyo_cti.simulator import Line, Simulator

from ..helpers.probe import PATIENCE, Seen

BOB = "33199020000"

Obstruct = Callable[[Simulator], object]


def two_refused(sim: Simulator) -> None:
    sim.faults.refuse("websocket")
    sim.faults.refuse("xhr_streaming", 500)


def all_refused(sim: Simulator) -> None:
    two_refused(sim)
    sim.faults.refuse("xhr")


def all_stalled(sim: Simulator) -> None:
    for phase in ("handshake", "xhr_streaming", "xhr"):
        sim.faults.stall(phase)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("obstruct", "transport"),
    [
        (lambda sim: None, "websocket"),
        (lambda sim: sim.faults.refuse("websocket", 403), "xhr-streaming"),
        (lambda sim: sim.faults.refuse("websocket", reset=True), "xhr-streaming"),
        (lambda sim: sim.faults.stall("handshake"), "xhr-streaming"),
        (lambda sim: sim.faults.stall("open", times=1), "xhr-streaming"),
        (lambda sim: sim.faults.info({"websocket": False}), "xhr-streaming"),
        (two_refused, "xhr-polling"),
    ],
    ids=["nothing", "403", "reset", "black hole", "no first frame", "info says no", "two refused"],
)
def test_the_next_one_is_taken(
    sim: Simulator, alice: Line, obstruct: Obstruct, transport: str
) -> None:
    """Whatever is done to websockets, a session opens within the time-out on the next transport,
    a call goes its way, and only ``cti.transport`` tells the difference."""
    obstruct(sim)
    bob = sim.phone(BOB)
    with CTI(endpoint=sim.endpoint, cookie_auto=False, connect_timeout=6.0) as cti:
        seen = Seen(cti)
        before = cti.transport
        assert before is None
        session = cti.create_session(sim.token(alice)).result(PATIENCE)
        assert (session.number, cti.transport) == (alice.number, transport)
        assert [each.transport for each in sim.connections()] == [transport]
        cti.dial(BOB).result(PATIENCE)
        bob.wait_until("ringing")
        bob.pick_up()
        bob.hang_up()
        seen.wait_for("release")
        assert [item[1] for item in seen.of("newCall")] == ["SETUP", "CONNECT", "RELEASE"]
    assert cti.transport is None


@pytest.mark.parametrize(
    ("obstruct", "words", "seconds"),
    [
        (all_refused, "All transports failed: The server answers with status 403", 1.0),
        (all_stalled, "All transports failed: Transport timeouted", 2.0),
    ],
    ids=["refused", "stalled"],
)
def test_nothing_gets_through(
    sim: Simulator, alice: Line, obstruct: Obstruct, words: str, seconds: float
) -> None:
    """When no transport can be had, the error says so within the time-out, with the last cause
    and what may be the matter; no thread is left."""
    obstruct(sim)
    began = time.monotonic()
    with CTI(endpoint=sim.endpoint, cookie_auto=False, connect_timeout=1.0) as cti:
        error = cti.create_session(sim.token(alice)).exception(PATIENCE)
        assert time.monotonic() - began < seconds
    assert isinstance(error, ConnectionFailed) and not error.sent
    assert words in error.message
    assert error.hint and "firewall" in error.hint


@pytest.mark.parametrize("transports", [["xhr-polling"], ("xhr-polling", "websocket")])
def test_wanted(sim: Simulator, alice: Line, transports: List[Transport]) -> None:
    """The option ``transports`` says which, and in which order."""
    with CTI(endpoint=sim.endpoint, cookie_auto=False, transports=transports) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        assert cti.transport == "xhr-polling"
    assert not [each for each in sim.requested("/cti") if each.endswith("/websocket")]


@pytest.mark.parametrize("transport", ["xhr-streaming", "xhr-polling"])
def test_closed_while_it_falls_back(sim: Simulator, alice: Line, transport: Transport) -> None:
    """close() ends an opening in the middle of the fallback, at once."""
    all_stalled(sim)
    with CTI(endpoint=sim.endpoint, cookie_auto=False, transports=[transport]) as cti:
        answer = cti.create_session(sim.token(alice))
        sim.wait_for_request("/cti", count=2)
        began = time.monotonic()
        cti.close()
        assert time.monotonic() - began < 8.0
        assert isinstance(answer.exception(PATIENCE), ConnectionFailed) or answer.exception(0)
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("keyyo-cti")]


@pytest.mark.parametrize(
    ("remaining", "left", "seconds"),
    [(10.0, 2, 6.0), (5.0, 1, 3.0), (5.0, 0, 5.0), (1.0, 2, 0.5), (3.0, 1, 1.5)],
)
def test_share(remaining: float, left: int, seconds: float) -> None:
    """A transport leaves time for those after it, and takes half of what there is at least."""
    assert share(remaining, left) == seconds
