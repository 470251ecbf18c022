"""A board without a front end: what it sends is kept."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List

import pytest
from comm.base_comm import BaseComm

from keyyo_cti import CTI
from keyyo_cti.notebook import board
from keyyo_cti.notebook.board_widget import Board
from keyyo_cti.simulator import Line, Simulator

#: Seconds until something that is expected counts as not coming.
PATIENCE = 15.0


class Kernel:
    """In the kernel's place: keeps which objects the notebook has, and tells of each message."""

    def __init__(self) -> None:
        self._sent = threading.Condition()
        self.open: Dict[str, str] = {}
        self.messages: List[Dict[str, Any]] = []
        self.on_message: Callable[[], object] = int

    def take(self, comm_id: str, kind: str, data: Any) -> None:
        self.on_message()
        with self._sent:
            if kind == "comm_open":
                self.open[comm_id] = data["state"]["_model_name"]
            elif kind == "comm_close":
                del self.open[comm_id]
            else:
                assert comm_id in self.open, "a message of what is closed"
            self.messages.append({"kind": kind, "comm_id": comm_id, "data": data})
            self._sent.notify_all()

    def until(self, seen: Callable[[], object], what: str) -> None:
        """Waits until something is seen, looking after each message."""
        with self._sent:
            assert self._sent.wait_for(seen, PATIENCE), f"waited in vain for {what}"


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """Where the messages of widgets go."""
    there = Kernel()

    class Comm(BaseComm):
        def publish_msg(self, msg_type: str, data: Any = None, *_: Any, **__: Any) -> None:
            there.take(self.comm_id, msg_type, data)

    monkeypatch.setattr("comm.create_comm", Comm)
    return there


@pytest.fixture
def cti(sim: Simulator, alice: Line) -> Iterator[CTI]:
    """A session of Alice's line."""
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as connected:
        connected.create_session(sim.token(alice)).result(PATIENCE)
        yield connected


@contextmanager
def shown(cti: CTI, rows: int = 8) -> Iterator[Board]:
    """A board, closed in the end."""
    made = board(cti, rows)
    try:
        yield made
    finally:
        made.close()
