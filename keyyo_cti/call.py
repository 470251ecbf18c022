"""A telephone call, live."""

from concurrent.futures import Future
from types import MappingProxyType
from typing import Any, Callable, Iterator, List, Mapping, Optional, Protocol, cast, overload

from . import commands
from .callback import Callback, callback_last
from .clock import NEVER
from .commands import Command
from .dates import ENDED as ENDED
from .dates import dates_of, follow
from .errors import invalid_params, plain
from .events import Emitter, event_attribute

#: Attributes that are None while the server has not sent them.
_DOCUMENTED = frozenset(commands.CALL_FIELDS)


class Line(Protocol):
    """What a call needs of the line that it belongs to."""

    def ask(
        self, make: Callable[..., Command], arguments: Any, callback: Optional[Callback]
    ) -> "Future[Any]":
        """Asks the server for something."""

    def server_time(self) -> float:
        """The server's Unix time in seconds."""


class Call(Emitter):
    """One call, the same object for as long as it is known.

    Its attributes are those of the last notification: ``callref``, ``caller``, ``callee``,
    ``state`` (also ``type``), ``setup_date``, ``connect_date``, ``release_date`` (Unix seconds
    on the server's clock), ``callpark_slot``, and any further field that the server sends; also
    by key, ``call["caller"]``. A program may set attributes of its own.

    ``stale`` is True when the connection was lost while the call went on, and nobody has told of
    it since: it may have ended.

    Its methods take ``callback(error, result)`` last, which may be left out, and return a
    Future; a wrong value goes there as KeyyoError 400 ``invalid_params``. On success the result
    is 1. Source: section CALL of Keyyo's page.
    """

    __slots__ = ("_line", "_fields", "callref", "stale", "__dict__", "__weakref__")

    EVENTS = ("setup", "connect", "release", "missed")

    onSetup = event_attribute("setup", "handler()", "The callee's phone rings.")
    onConnect = event_attribute("connect", "handler()", "The callee has picked up.")
    onRelease = event_attribute("release", "handler()", "The call has ended.")
    onMissed = event_attribute(
        "missed", "handler()", "The call has ended and the callee never picked up."
    )

    callref: str
    stale: bool
    _line: Line
    _fields: Mapping[str, Any]

    def __init__(self, line: Line, callref: str) -> None:
        super().__init__()
        self._line = line
        self._fields = {}
        self.callref = callref
        self.stale = False

    def update(self, fields: Mapping[str, Any]) -> None:
        """Replaces what is known of the call, as the JavaScript SDK does: a field that is not
        sent any more is gone. For the registry."""
        fields = self._with_dates(fields)
        # Past the look at each name that a program sets: it would take longer than all the rest.
        object.__setattr__(self, "_fields", fields)
        if self.stale:
            self.stale = False

    def _with_dates(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the fields of the next notification with the dates that durations need."""
        return follow(self._fields, fields, self._line.server_time)

    @property
    def fields(self) -> Mapping[str, Any]:
        """All that the server sent last, read-only."""
        return MappingProxyType(dict(self._fields))

    @property
    def ended(self) -> bool:
        """Whether the call is over."""
        return self._fields.get("state") in ENDED

    @property
    def type(self) -> Optional[str]:
        """The same as ``state``; the page's own example says ``call.type``."""
        return cast(Optional[str], self._fields.get("state"))

    def __getattr__(self, name: str) -> Any:
        fields = self._fields if name != "_fields" else {}
        if name in fields:
            return fields[name]
        if name in _DOCUMENTED:
            return None
        raise AttributeError(f"no attribute {name!r} of this call: it has {sorted(fields)}")

    def __getitem__(self, name: str) -> Any:
        return self._fields[name]

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __repr__(self) -> str:
        return plain(
            f"<Call {self.callref} {self.caller or '?'} -> {self.callee or '?'} "
            f"{self.state or 'unknown'}>"
        )

    def _repr_html_(self) -> str:
        from . import showing

        return showing.call(self)

    def get_duration(self) -> int:
        """Return the whole seconds of talking, up to now or to the end; 0 if nobody picked up.

        A date that the server does not send any more still counts. A call that ended without a
        date ended when that was received. Source: section Get duration.
        """
        fields = self._fields
        if fields.get("state") == "MISSED":
            return 0
        dates = dates_of(fields)
        return self._between(dates.connect, dates.release)

    def get_ringing_duration(self) -> int:
        """Return the whole seconds of ringing, up to now, to the pick-up, or to the end.

        Source: section Get ringing duration.
        """
        dates = dates_of(self._fields)
        end = dates.release if dates.connect is None else dates.connect
        return self._between(dates.setup, end)

    def answer(self, callback: Optional[Callback] = None) -> "Future[Any]":
        """Answers the call. Source: section Answer."""
        return self._ask(commands.answer, callback)

    def hang_up(self, callback: Optional[Callback] = None) -> "Future[Any]":
        """Ends the call. Source: section Hang up."""
        return self._ask(commands.hang_up, callback)

    def reject(self, callback: Optional[Callback] = None) -> "Future[Any]":
        """Sends an incoming call that nobody has answered to voicemail. Source: section Reject."""
        return self._ask(commands.reject, callback)

    def transfer(
        self, side: str, to: str, callback: Optional[Callback] = None
    ) -> "Future[Any]":
        """Transfers one side of the call. Source: section Transfer.

        :param side: ``"caller"`` or ``"callee"``: who is transferred.
        :param to: number of the new recipient, in international format.
        """
        return self._ask(commands.transfer, callback, side, to)

    @overload
    def supervised_transfer(
        self, side: str, to: str, callback: Optional[Callback] = None, /
    ) -> "Future[Any]": ...

    @overload
    def supervised_transfer(
        self,
        side: str,
        to: str,
        invite_timer: Optional[int] = None,
        callback: Optional[Callback] = None,
    ) -> "Future[Any]": ...

    def supervised_transfer(
        self, side: str, to: str, invite_timer: Any = None, callback: Any = None
    ) -> "Future[Any]":
        """Calls the new recipient first, and transfers if he answers. Source: section Make a
        supervised transfer.

        :param side: ``"caller"`` or ``"callee"``: who is transferred.
        :param to: number of the new recipient, in international format.
        :param invite_timer: seconds before it is cancelled when he does not answer; the
            server's default of 0 is never.
        """
        invite_timer, callback = callback_last(invite_timer, callback)
        return self._ask(commands.supervised_transfer, callback, side, to, invite_timer)

    def merge(
        self,
        side: str,
        second_call: "Call",
        second_call_side: str,
        callback: Optional[Callback] = None,
    ) -> "Future[Any]":
        """Connects a side of this call with a side of another. Source: section Merge.

        :param side: ``"caller"`` or ``"callee"`` of this call.
        :param second_call: another Call of the same CTI.
        :param second_call_side: ``"caller"`` or ``"callee"`` of that call.
        """
        return self._ask(self._merge, callback, side, second_call, second_call_side)

    def pause(self, callback: Optional[Callback] = None) -> "Future[Any]":
        """Parks the call in the slot of the session's number; ``unpark`` takes it back. Source:
        section Pause."""
        return self._ask(commands.pause, callback)

    @overload
    def park(self, side: str, callback: Optional[Callback] = None, /) -> "Future[Any]": ...

    @overload
    def park(
        self, side: str, slot: Optional[int] = None, callback: Optional[Callback] = None
    ) -> "Future[Any]": ...

    def park(self, side: str, slot: Any = None, callback: Any = None) -> "Future[Any]":
        """Parks one side of the call. Source: section Park.

        :param side: ``"caller"`` or ``"callee"``: who is parked.
        :param slot: where; the server's default of -1 is a free one.
        """
        slot, callback = callback_last(slot, callback)
        return self._ask(commands.park, callback, side, slot)

    def unpark(self, callback: Optional[Callback] = None) -> "Future[Any]":
        """Takes a parked call back. Source: section Unpark."""
        return self._ask(commands.unpark, callback)

    def _ask(
        self, make: Callable[..., Command], callback: Optional[Callback], *arguments: Any
    ) -> "Future[Any]":
        return self._line.ask(make, (self.callref, *arguments), callback)

    def _merge(self, callref: str, side: Any, second_call: Any, side2: Any) -> Command:
        if not isinstance(second_call, Call):
            kind = type(second_call).__name__
            raise invalid_params("second_call", f"expected a Call, got {kind}")
        if second_call._line is not self._line:
            raise invalid_params("second_call", "expected a Call of the same CTI")
        return commands.merge(callref, side, second_call.callref, side2)

    def _between(self, start: Optional[float], end: Optional[float]) -> int:
        if start is None:
            return 0
        seconds = (self._line.server_time() if end is None else end) - start
        return int(seconds) if 0 < seconds < NEVER else 0


class Calls(List[Call]):
    """A list of calls that shows itself as a table in a notebook."""

    __slots__ = ()

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return Calls(found) if isinstance(index, slice) else found

    def _repr_html_(self) -> str:
        from . import showing

        return showing.calls(self)
