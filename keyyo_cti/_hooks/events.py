"""The events of calls that commands and webhooks are about."""

import time
from typing import Any, Collection, Dict, FrozenSet, Iterator, NamedTuple, Optional

from .._display.dates import as_date, dates_of
from .._display.names import Names
from .._net.clock import system_time
from .._net.text import plain
from ..call import Call
from ..call_history import CallRecord
from ..catch_up import CaughtUp

RING, ANSWER, END, MISSED = "ring", "answer", "end", "missed"

#: By the state that the server sends.
_BY_STATE = {"SETUP": RING, "CONNECT": ANSWER, "RELEASE": END, "MISSED": MISSED}

EVENTS = tuple(_BY_STATE.values())

#: Characters of a value. A system refuses to start a command with a variable that is too long.
_MAX_LENGTH = 1000

#: The attribute of a call with the events that it came to.
_MARK = "hooked"


class HookEvent(NamedTuple):
    """An event of a call, as it was when it was handled.

    :ivar time: Unix seconds on this machine; of the history, the service's.
    :ivar callref: of a call that only the history knows, its ``call_id``.
    :ivar incoming: True if the call is for the line, from the view of ``call.line``.
    :ivar name: the name of the other party; None if unknown.
    :ivar line_name: the name of the line; None if unknown.
    :ivar duration: seconds of talk, ``ringing_duration`` seconds of ringing; None if unknown.
    :ivar is_first: True if it is the first wanted event of its call.
    :ivar from_history: True if it was in a gap, and only the history tells it.
    """

    event: str
    time: float
    callref: str
    state: Optional[str]
    caller: Optional[str]
    callee: Optional[str]
    direction: Optional[str]
    incoming: bool
    line: Optional[str]
    other: Optional[str]
    hidden: bool
    name: Optional[str]
    line_name: Optional[str]
    ringing_duration: Optional[int]
    duration: Optional[int]
    setup_date: Optional[float]
    connect_date: Optional[float]
    release_date: Optional[float]
    is_first: bool
    from_history: bool = False


class EventReader:
    """Reads the wanted events from the notifications of calls, each event of a call once.

    :param wanted: events to read.
    :param names: a directory, or None.
    """

    def __init__(self, wanted: Collection[str], names: Optional[Names] = None) -> None:
        self._wanted = frozenset(wanted)
        self._names = names

    def read(self, call: Call) -> Optional[HookEvent]:
        """Return the event of a notification; None if it is no new one, or not wanted."""
        state = call.state
        event = _BY_STATE.get(state) if isinstance(state, str) else None
        seen: FrozenSet[str] = getattr(call, _MARK, frozenset())
        if event == RING and seen & {END, MISSED}:
            # The server uses the callref again, for another call.
            seen = frozenset()
        if event is None or event in seen:
            return None
        setattr(call, _MARK, seen | {event})
        if event not in self._wanted:
            return None
        return self._make_event(event, call, not seen & self._wanted)

    def read_history(self, caught_up: CaughtUp) -> Iterator[HookEvent]:
        """Return the wanted events of a gap, one of each call that ended in it."""
        for record in caught_up:
            call = caught_up.calls.get(record)
            event = self._read_record(record) if call is None else self.read(call)
            if event is None:
                continue
            if call is not None:
                event = _forget_guesses(event, call, record)
            yield event._replace(
                time=record.start_time + (record.seconds or 0), from_history=True
            )

    def _read_record(self, record: CallRecord) -> Optional[HookEvent]:
        """Return the event of a call that came and went in a gap."""
        event = MISSED if record.missed else END
        if event not in self._wanted:
            return None
        return HookEvent(
            event=event,
            time=record.start_time,
            callref=_text(record.call_id) or "",
            state=None,
            caller=_text(record.caller),
            callee=_text(record.callee),
            direction=record.direction,
            incoming=record.direction == "in",
            line=_text(record.line),
            other=_text(record.other),
            hidden=record.caller is None,
            name=self._find_name(record.other),
            line_name=self._find_name(record.line),
            ringing_duration=None,
            duration=record.seconds,
            setup_date=record.start_time,
            connect_date=None,
            release_date=None,
            is_first=True,
        )

    def _make_event(self, event: str, call: Call, is_first: bool) -> HookEvent:
        dates = dates_of(call.fields)
        other, line = call.other, call.line
        caller = _text(call.caller)
        return HookEvent(
            event=event,
            time=system_time(),
            callref=_text(call.callref) or "",
            state=_text(call.state),
            caller=caller,
            callee=_text(call.callee),
            direction=call.direction,
            incoming=call.other_side != "callee",
            line=_text(line),
            other=_text(other),
            hidden=call.hidden,
            name=self._find_name(other if line is not None else call.caller),
            line_name=self._find_name(line),
            ringing_duration=call.get_ringing_duration(),
            duration=call.get_duration(),
            setup_date=dates.setup,
            connect_date=dates.connect,
            release_date=dates.release,
            is_first=is_first,
        )

    def _find_name(self, number: Any) -> Optional[str]:
        if self._names is None or number is None:
            return None
        return _text(self._names.name_of(number))


def _forget_guesses(event: HookEvent, call: Call, record: CallRecord) -> HookEvent:
    """Return the end of a call in a gap, without the dates that the history cannot know."""
    connect = as_date(call.fields.get("connect_date"))
    return event._replace(
        connect_date=connect,
        release_date=as_date(call.fields.get("release_date")),
        duration=record.seconds,
        ringing_duration=None if connect is None else event.ringing_duration,
    )


def make_environment(event: HookEvent) -> Dict[str, str]:
    """Return the variables of a command.

    Values come from callers. Unprintable characters are escaped, because a NUL cannot be passed,
    and a line break or an escape sequence could deceive a script or its terminal.
    """
    values = {
        "EVENT": event.event,
        "CALLREF": event.callref,
        "STATE": event.state,
        "CALLER": event.caller,
        "CALLEE": event.callee,
        "LINE": event.line,
        "OTHER": event.other,
        "DIRECTION": event.direction,
        "HIDDEN": "1" if event.hidden else "0",
        "NAME": event.name,
        "RINGING_DURATION": event.ringing_duration,
        "DURATION": event.duration,
        "TIME": int(event.time),
        "FROM_HISTORY": "1" if event.from_history else "0",
    }
    return {
        f"KEYYO_{name}": "" if value is None else plain(str(value))
        for name, value in values.items()
    }


def make_fields(event: HookEvent) -> Dict[str, Any]:
    """Return the event as the data of a webhook: documented fields only, without any secret."""
    fields = event._asdict()
    for name in ("time", "incoming", "is_first"):
        del fields[name]
    return fields


def format_time(seconds: float) -> str:
    """Return Unix seconds as UTC in ISO 8601."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03}Z"


def _text(value: Any) -> Optional[str]:
    return None if value is None else str(value)[:_MAX_LENGTH]
