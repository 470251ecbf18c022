"""What the simulator sent and heard on each connection, in order."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Set, Tuple, Union

from keyyo_cti.simulator import Passage

from .findings import REPEATED, Findings
from .tags import tag_of
from .truth import Change

#: The actions that open a session.
_OPENING = ("create_session", "restore_session")


class Heard(NamedTuple):
    """A command came in."""

    at: float
    id: int
    action: str
    tag: Optional[int]


class Told(NamedTuple):
    """A call was notified."""

    at: float
    call: Mapping[str, Any]


class Answered(NamedTuple):
    """A command was answered; `error` is what the server said against it, or None."""

    at: float
    id: int
    action: str
    tag: Optional[int]
    error: Optional[str]
    result: Any


Item = Union[Told, Answered]


@dataclass
class Wire:
    """One connection.

    :ivar number: no two have the same, and a later one has a greater.
    :ivar line: whose session was opened on it.
    :ivar opened_by: "create_session" or "restore_session"; None while there is no session.
    :ivar session_at: when that was answered.
    :ivar closed_at: when it ended; None while it goes on.
    :ivar items: what was sent from the answer that opened the session on, in order.
    :ivar early: the tags of the commands that were answered before that.
    """

    number: int
    transport: str
    line: Optional[str] = None
    opened_by: Optional[str] = None
    session_at: float = 0.0
    closed_at: Optional[float] = None
    items: List[Item] = field(default_factory=list)
    early: Set[int] = field(default_factory=set)
    asked: Dict[int, Heard] = field(default_factory=dict)


class Wiretap:
    """A witness of the simulator's. Told on its thread, read on any.

    :ivar refused: the errors with which the opening of a session was ever refused.
    :ivar heard: tag -> the numbers of the connections on which it came in.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._lock = threading.Lock()
        self._passed = threading.Condition(self._lock)
        self._open: Dict[int, Wire] = {}
        self._by_line: Dict[str, List[Wire]] = {}
        self._actions: Dict[Tuple[Optional[str], str], int] = {}
        self._connections: "Counter[str]" = Counter()
        self.refused: Set[str] = set()
        self.heard: Dict[int, List[int]] = {}
        self._answered: Dict[int, float] = {}
        self._garbled: Dict[str, List[Change]] = {}

    def __call__(self, passage: Passage) -> None:
        with self._lock:
            now = time.monotonic()
            if passage.kind == "opened":
                self._open[passage.connection] = Wire(passage.connection, passage.transport)
            elif passage.kind == "closed":
                wire = self._open.pop(passage.connection)
                wire.closed_at = now
                self._connections[f"{wire.transport}, {wire.opened_by or 'no session'}"] += 1
            elif passage.kind == "received":
                self._received(self._open[passage.connection], now, passage.content)
            elif passage.kind == "garbled":
                change = Change(now, passage.content["call"])
                self._garbled.setdefault(str(passage.line), []).append(change)
            else:
                self._sent(self._open[passage.connection], now, passage)
            self._passed.notify_all()

    def wait_for_a_passage(self, timeout: float) -> None:
        """Waits until something more passes, or so many seconds."""
        with self._lock:
            self._passed.wait(timeout)

    def wires(self, line: str, after: int) -> List[Wire]:
        """The connections with sessions of a line, oldest first.

        :param after: only later ones than that of this number; earlier ones are forgotten.
        """
        with self._lock:
            kept = [wire for wire in self._by_line.get(line, []) if wire.number > after]
            self._by_line[line] = kept
            return list(kept)

    def told(self, line: str) -> List[Mapping[str, Any]]:
        """The calls that were notified last on the line's last connections."""
        with self._lock:
            wires = self._by_line.get(line, [])[-2:]
            return [item.call for wire in wires for item in wire.items[-60:]
                    if isinstance(item, Told)]

    def answered_at(self, tag: int) -> Optional[float]:
        """When the command of a tag was answered, if it was."""
        with self._lock:
            return self._answered.get(tag)

    def garbled(self, line: str) -> List[Change]:
        """The calls that were notified on a line's connections so that nobody can read it."""
        with self._lock:
            return list(self._garbled.get(line, ()))

    def connections(self) -> Dict[str, int]:
        """How many there were, by what was opened on which transport."""
        with self._lock:
            return dict(self._connections.most_common())

    def wires_of(self, tag: int) -> List[int]:
        """The connections on which a tag was heard."""
        with self._lock:
            return list(self.heard.get(tag, ()))

    def heard_of(self, line: Optional[str]) -> Dict[str, int]:
        """How many commands of each action came in on connections of a line's sessions."""
        with self._lock:
            return {action: n for (of, action), n in self._actions.items() if of == line}

    def _received(self, wire: Wire, now: float, fields: Mapping[str, Any]) -> None:
        action, number, tag = str(fields.get("action")), fields["id"], tag_of(fields)
        if number in wire.asked:
            self._findings.add(
                REPEATED, str(wire.line), f"{action} {number} came in twice on one connection")
        wire.asked[number] = Heard(now, number, action, tag)
        self._actions[wire.line, action] = self._actions.get((wire.line, action), 0) + 1
        if tag is not None:
            earlier = self.heard.setdefault(tag, [])
            earlier.append(wire.number)
            if len(earlier) > 1:
                self._findings.add(
                    REPEATED, str(wire.line), f"{action} with tag {tag} came in {earlier}")

    def _sent(self, wire: Wire, now: float, passage: Passage) -> None:
        message = passage.content
        if "id" in message:
            heard = wire.asked.get(message["id"])
            if heard is None:
                return
            if heard.tag is not None:
                self._answered[heard.tag] = now
            error = message["error"]["message"] if "error" in message else None
            wire.items.append(Answered(
                now, heard.id, heard.action, heard.tag, error, message.get("result")))
            if heard.action in _OPENING:
                self._opening(wire, now, heard.action, passage.line, error)
        elif message.get("notify") == "call":
            wire.items.append(Told(now, message["call"]))

    def _opening(
        self, wire: Wire, now: float, action: str, line: Optional[str], error: Optional[str]
    ) -> None:
        if error is not None:
            self.refused.add(error)
        elif wire.line is None and line is not None:
            # A command that another thread asks too soon is refused, while the program restores,
            # and perhaps falls back to a new session. The model would find it lost if it read of
            # the callback before, and of the session afterwards.
            wire.early = {item.tag for item in wire.items[:-1]
                          if isinstance(item, Answered) and item.tag is not None}
            del wire.items[:-1]
            wire.line, wire.opened_by, wire.session_at = line, action, now
            self._by_line.setdefault(line, []).append(wire)
