"""A telephone call, live."""

from concurrent.futures import Future
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Union,
    cast,
    overload,
)

from ._client import wire
from ._client.call_views import CallViews, Line, add_dates, receive, show
from ._client.callback import Callback, split_callback
from ._client.emitter import EventAttribute
from ._client.literals import CallEvent, Side
from ._client.wire import Command
from ._display.dates import ENDED, dates_of
from ._net.clock import NEVER
from .errors import invalid_params, plain, shorten

#: Attributes that are None while the server has not sent them.
_DOCUMENTED = frozenset(wire.CALL_FIELDS)


class Call(CallViews):
    """One call, the same object for as long as it is known.

    Its attributes are those of a notification: ``callref``, ``caller``, ``callee``, ``state``
    (also ``type``), ``setup_date``, ``connect_date``, ``release_date`` (Unix seconds on the
    server's clock), ``callpark_slot``, and any further field that the server sends; also by key,
    ``call["caller"]``. A program may set attributes of its own. Type checkers know the documented
    fields only: use the key for another field, ``setattr`` and ``getattr`` for your own.

    Inside a handler or callback they are those of the event that is handled, and everywhere else
    those of the last notification that was received: after ``call.answer().result()`` the state
    is what the server said before it answered.

    Its methods take ``callback(error, result)`` last, which may be left out, and return a
    Future; a wrong value goes there as KeyyoError 400 ``invalid_params``. On success the result
    is 1. Source: section CALL of Keyyo's page.
    """

    __slots__ = (
        "_onSetup", "_onConnect", "_onRelease", "_onMissed", "callref", "__dict__", "__weakref__",
    )

    EVENTS = ("setup", "connect", "release", "missed")

    onSetup: EventAttribute[Callable[[], object]] = EventAttribute(
        "handler()", "The callee's phone rings."
    )
    onConnect: EventAttribute[Callable[[], object]] = EventAttribute(
        "handler()", "The callee has picked up."
    )
    onRelease: EventAttribute[Callable[[], object]] = EventAttribute(
        "handler()", "The call has ended."
    )
    onMissed: EventAttribute[Callable[[], object]] = EventAttribute(
        "handler()", "The call has ended and the callee never picked up."
    )

    if TYPE_CHECKING:
        # Type checkers do not see __getattr__, so that they find a misspelt field.

        @property
        def caller(self) -> Optional[str]:
            """The caller's number, in international format."""

        @property
        def callee(self) -> Optional[str]:
            """The callee's number, in international format."""

        @property
        def state(self) -> Optional[str]:
            """Where the call stands: SETUP, CONNECT, RELEASE or MISSED."""

        @property
        def setup_date(self) -> Optional[float]:
            """When the callee's phone rang, in Unix seconds on the server's clock."""

        @property
        def connect_date(self) -> Optional[float]:
            """When the callee picked up, in Unix seconds on the server's clock."""

        @property
        def release_date(self) -> Optional[float]:
            """When the call ended, in Unix seconds on the server's clock."""

        @property
        def callpark_slot(self) -> Optional[str]:
            """The slot in which the call is parked."""

    if TYPE_CHECKING:
        # Every event of a call carries nothing, so that one handler suits any list of them.
        def on(self, names: Union[CallEvent, str], handler: Callable[[], object]) -> None:
            """Add a handler for one event, or for several with commas between their names."""

        def off(
            self, names: Union[CallEvent, str], handler: Optional[Callable[[], object]] = None
        ) -> None:
            """Remove a handler that ``on`` added, once, or without a handler all of them."""

        addEventListener = on
        removeEventListener = off

    callref: str

    def __init__(
        self, line: Line, callref: str, handling: Callable[[], bool] = lambda: False
    ) -> None:
        super().__init__(line, handling)
        self.callref = callref

    def update(self, fields: Mapping[str, Any]) -> None:
        """Replace what is known of the call, for handlers and everywhere else. As in the
        JavaScript SDK, a field that is not sent any more is gone."""
        fields = add_dates(self, fields)
        receive(self, fields)
        show(self, fields)

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

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            # A Call that is being copied or unpickled has no slots yet.
            fields = {} if name in _OWN else self._fields
            if name in fields:
                return fields[name]
            if name in _DOCUMENTED:
                return None
            raise AttributeError(f"no attribute {name!r} of this call: it has {sorted(fields)}")

    def __dir__(self) -> Iterable[str]:
        sent = (name for name in self._fields if name.isidentifier())
        return sorted({*super().__dir__(), *_DOCUMENTED, *sent})

    def __getitem__(self, name: str) -> Any:
        return self._fields[name]

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __repr__(self) -> str:
        fields = self._fields
        caller, callee = fields.get("caller") or "?", fields.get("callee") or "?"
        state = fields.get("state") or "unknown"
        return shorten(plain(f"<Call {self.callref} {caller} -> {callee} {state}>"))

    def _repr_html_(self) -> str:
        from ._display import html

        return html.call(self)

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

    def answer(self, callback: Optional[Callback[int]] = None) -> "Future[int]":
        """Answers the call. Source: section Answer."""
        return self._ask(wire.answer, callback)

    def hang_up(self, callback: Optional[Callback[int]] = None) -> "Future[int]":
        """Ends the call. Source: section Hang up."""
        return self._ask(wire.hang_up, callback)

    def reject(self, callback: Optional[Callback[int]] = None) -> "Future[int]":
        """Sends an incoming call that nobody has answered to voicemail. Source: section Reject."""
        return self._ask(wire.reject, callback)

    def transfer(
        self, side: Side, to: str, callback: Optional[Callback[int]] = None
    ) -> "Future[int]":
        """Transfers one side of the call. Source: section Transfer.

        :param side: ``"caller"`` or ``"callee"``: who is transferred.
        :param to: number of the new recipient, in international format.
        """
        return self._ask(wire.transfer, callback, side, to)

    @overload
    def supervised_transfer(
        self, side: Side, to: str, callback: Optional[Callback[int]] = None, /
    ) -> "Future[int]": ...

    @overload
    def supervised_transfer(
        self,
        side: Side,
        to: str,
        invite_timer: Optional[int] = None,
        callback: Optional[Callback[int]] = None,
    ) -> "Future[int]": ...

    def supervised_transfer(
        self, side: Side, to: str, invite_timer: Any = None, callback: Any = None
    ) -> "Future[int]":
        """Calls the new recipient first, and transfers if he answers. Source: section Make a
        supervised transfer.

        :param side: ``"caller"`` or ``"callee"``: who is transferred.
        :param to: number of the new recipient, in international format.
        :param invite_timer: seconds before it is cancelled when he does not answer; the
            server's default of 0 is never.
        """
        invite_timer, callback = split_callback(invite_timer, callback)
        return self._ask(wire.supervised_transfer, callback, side, to, invite_timer)

    def merge(
        self,
        side: Side,
        second_call: "Call",
        second_call_side: Side,
        callback: Optional[Callback[int]] = None,
    ) -> "Future[int]":
        """Connects a side of this call with a side of another. Source: section Merge.

        :param side: ``"caller"`` or ``"callee"`` of this call.
        :param second_call: another Call of the same CTI.
        :param second_call_side: ``"caller"`` or ``"callee"`` of that call.
        """
        return self._ask(self._merge, callback, side, second_call, second_call_side)

    def pause(self, callback: Optional[Callback[int]] = None) -> "Future[int]":
        """Parks the call in the slot of the session's number; ``unpark`` takes it back. Source:
        section Pause."""
        return self._ask(wire.pause, callback)

    @overload
    def park(self, side: Side, callback: Optional[Callback[int]] = None, /) -> "Future[int]": ...

    @overload
    def park(
        self, side: Side, slot: Optional[int] = None, callback: Optional[Callback[int]] = None
    ) -> "Future[int]": ...

    def park(self, side: Side, slot: Any = None, callback: Any = None) -> "Future[int]":
        """Parks one side of the call. Source: section Park.

        :param side: ``"caller"`` or ``"callee"``: who is parked.
        :param slot: where; the server's default of -1 is a free one.
        """
        slot, callback = split_callback(slot, callback)
        return self._ask(wire.park, callback, side, slot)

    def unpark(self, callback: Optional[Callback[int]] = None) -> "Future[int]":
        """Takes a parked call back. Source: section Unpark."""
        return self._ask(wire.unpark, callback)

    def _check_process(self) -> None:
        self._line.check_process()

    def _ask(
        self, make: Callable[..., Command], callback: Optional[Callback], *arguments: Any
    ) -> "Future[int]":
        return self._line.ask(make, (self.callref, *arguments), callback)

    def _merge(self, callref: str, side: Any, second_call: Any, side2: Any) -> Command:
        if not isinstance(second_call, Call):
            kind = type(second_call).__name__
            raise invalid_params("second_call", f"expected a Call, got {kind}")
        if second_call._line is not self._line:
            raise invalid_params("second_call", "expected a Call of the same CTI")
        return wire.merge(callref, side, second_call.callref, side2)

    def _between(self, start: Optional[float], end: Optional[float]) -> int:
        if start is None:
            return 0
        seconds = (self._line.server_time() if end is None else end) - start
        return int(seconds) if 0 < seconds < NEVER else 0


#: Its own attributes that are no fields of the server.
_OWN = frozenset((*CallViews.__slots__, *Call.__slots__, "_fields"))


class Calls(List[Call]):
    """A list of calls that shows itself as a table in a notebook."""

    __slots__ = ()

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return Calls(found) if isinstance(index, slice) else found

    def _repr_html_(self) -> str:
        from ._display import html

        return html.calls(self)
