"""A server that agrees to everything, and a CTI on it."""

from __future__ import annotations

import json
import threading
from concurrent.futures import Future
from typing import Any, Callable, Dict, Tuple

from keyyo_cti import CTI
from keyyo_cti.simulator.sockjs import Connection

from ..helpers.probe import PATIENCE
from ..helpers.scripted_server import ScriptedServer, session

#: Where the server's clock stands, when a session is opened.
NOW = 1_700_000_000


def notification(state: str, callref: str = "c1", **fields: Any) -> Dict[str, Any]:
    """Return a notification of a call."""
    call = {"callref": callref, "caller": "33199020000", "callee": "33199000001", "state": state}
    return {"notify": "call", "call": {**call, **fields}}


def call_then_reply(connection: Connection, command: Dict[str, Any]) -> None:
    """Send a notification before the answer to a dial, as the service does."""
    if command["action"] == "call":
        connection.send_many([json.dumps(notification("SETUP", "dialled"))])
    session(connection, command)


def connect(server: ScriptedServer, **options: Any) -> CTI:
    """Return a CTI with a session."""
    options.setdefault("cookie_auto", False)
    connected = CTI(endpoint=server.endpoint, transports=["websocket"], **options)
    connected.create_session("token").result(PATIENCE)
    return connected


def settle(cti: CTI) -> None:
    """Wait until the handlers of everything received so far have run."""
    done = threading.Event()
    cti.ping(lambda err, res: done.set())
    assert done.wait(PATIENCE)


def push(server: ScriptedServer, cti: CTI, *messages: Dict[str, Any]) -> None:
    """Send notifications, and wait until they are handled."""
    server.push(*messages)
    settle(cti)


def answered(act: Callable[..., object]) -> Tuple[Any, Any]:
    """Return what a method gives to its callback."""
    given: "Future[Tuple[Any, Any]]" = Future()
    act(lambda err, res: given.set_result((err, res)))
    return given.result(PATIENCE)
