"""A telephone call."""

from concurrent.futures import Future
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Iterable,
    Iterator,
    KeysView,
    Mapping,
    Optional,
    cast,
    overload,
)

from ._client import wire
from ._client.call_additions import CallAdditions, Owner, computed
from ._client.call_views import CallViews, Line, add_dates, receive, show
from ._client.callback import Callback, split_callback
from ._client.conversation_views import ConversationViews
from ._client.emitter import EventAttribute
from ._client.literals import Side
from ._client.wire import Command
from ._display.dates import ENDED, dates_of
from ._display.spelling import members, no_attribute
from ._net.clock import NEVER
from .errors import invalid_params, plain, shorten
from .results import Fields

#: Attributes that are None until the server sends them.
_DOCUMENTED = frozenset(wire.CALL_FIELDS)


class Call(CallAdditions):
    """A telephone call. The same object stands for it as long as it is known.

    Its attributes are the fields of the notifications: ``callref``, ``caller``, ``callee``,
    ``state`` (also ``type``), ``setup_date``, ``connect_date``, ``release_date`` (Unix seconds on
    the server's clock), ``callpark_slot``, and any further field. Each is there by key too:
    ``call["caller"]``, ``call.get("caller")``, ``dict(call)``. A program may set attributes of its
    own. Type checkers know only the documented fields: use the key for another field, ``setattr``
    and ``getattr`` for your own.

    Inside a handler or callback, the fields are those of the current event. Everywhere else they
    are those of the last notification received: after ``call.answer().result()``, the state is
    the one that the server sent before its reply.

    Its methods take an optional ``callback(error, result)`` last and return a Future; on success
    the result is 1. A wrong value is reported there as KeyyoError 400 ``invalid_params``.

    Source: section CALL of Keyyo's page.
    """

    __slots__ = (
        "_onSetup", "_onConnect", "_onRelease", "_onMissed", "callref", "__dict__", "__weakref__",
    )

    EVENTS = ("setup", "connect", "release", "missed")

    _COPY_ADVICE = (
        "there is one object per call, and it changes with each notification. Take its fields "
        "instead: dict(call) or call.fields"
    )

    onSetup: EventAttribute[Callable[[], object]] = EventAttribute(
        "handler()", "The callee's telephone rings."
    )
    onConnect: EventAttribute[Callable[[], object]] = EventAttribute(
        "handler()", "The callee has picked up."
    )
    onRelease: EventAttribute[Callable[[], object]] = EventAttribute(
        "handler()", "The call has ended."
    )
    onMissed: EventAttribute[Callable[[], object]] = EventAttribute(
        "handler()", "The call has ended without an answer."
    )

    if TYPE_CHECKING:
        # Without __getattr__, type checkers find a misspelt field.

        @property
        def caller(self) -> Optional[str]:
            """The caller's number, in international format."""

        @property
        def callee(self) -> Optional[str]:
            """The callee's number, in international format."""

        @property
        def state(self) -> Optional[str]:
            """The state of the call: SETUP, CONNECT, RELEASE or MISSED."""

        @property
        def setup_date(self) -> Optional[float]:
            """When the callee's telephone rang, in Unix seconds on the server's clock."""

        @property
        def connect_date(self) -> Optional[float]:
            """When the callee picked up, in Unix seconds on the server's clock."""

        @property
        def release_date(self) -> Optional[float]:
            """When the call ended, in Unix seconds on the server's clock."""

        @property
        def callpark_slot(self) -> Optional[str]:
            """The slot in which the call is parked."""

    callref: str

    def __init__(
        self, line: Line, callref: str, handling: Callable[[], bool] = lambda: False
    ) -> None:
        super().__init__(line, handling)
        self.callref = callref

    def update(self, fields: Mapping[str, Any]) -> None:
        """Replace the fields of the call, for handlers and everywhere else.

        A field that is no longer sent is removed, as in the JavaScript SDK.

        :param fields: all fields of the call.
        """
        fields = add_dates(self, fields)
        receive(self, fields)
        show(self, fields)

    @property
    def fields(self) -> Mapping[str, Any]:
        """All fields that the server sent last, read-only: a dict that does not change."""
        return Fields(self._fields)

    @property
    def ended(self) -> bool:
        """True if the call has ended."""
        return self._fields.get("state") in ENDED

    @computed
    def conversation(self) -> "Conversation":
        """The conversation that the call is a part of. Python's own.

        It is followed from the first use on, so ask for it when a call is notified.
        """
        return cast(Conversation, cast(Owner, self._line).conversation_of(self))

    @property
    def type(self) -> Optional[str]:
        """The same as ``state``: an example of Keyyo's page uses ``call.type``."""
        return cast(Optional[str], self._fields.get("state"))

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            # A Call that is being made has no slots yet. Names with two underscores are Python's.
            fields = {} if name in _OWN or name.startswith("__") else self._fields
            if name in fields:
                return fields[name]
            if name in _DOCUMENTED:
                return None
            text = f"no attribute {name!r} of this call: it has {sorted(fields)}"
            if name in ("items", "values", "copy"):
                text += f"; use call.fields.{name}()"
            raise no_attribute(text, name, (*members(type(self)), *wire.CALL_FIELDS, *fields))

    def __dir__(self) -> Iterable[str]:
        sent = (name for name in self._fields if name.isidentifier())
        return sorted({*super().__dir__(), *_DOCUMENTED, *sent})

    def __getitem__(self, name: str) -> Any:
        return self._fields[name]

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def get(self, name: str, default: Any = None) -> Any:
        """Return a field of the server, or the default if it was not sent."""
        return self._fields.get(name, default)

    def keys(self) -> KeysView[str]:
        """Return the names of the fields, so that ``dict(call)`` and ``{**call}`` work.

        Outside handlers, a notification may come while a dict is made: take ``dict(call.fields)``,
        which is of one moment.
        """
        return self.fields.keys()

    def __repr__(self) -> str:
        fields = self._fields
        caller, callee = fields.get("caller") or "?", fields.get("callee") or "?"
        state = fields.get("state") or "unknown"
        return shorten(plain(f"<Call {self.callref} {caller} -> {callee} {state}>"))

    def _repr_html_(self) -> str:
        from ._display import html

        return html.render_call(self)

    def get_duration(self) -> int:
        """Return the seconds from the answer to the end of the call, or to now.

        They are whole seconds, and 0 if the call was not answered. A date that the server no
        longer sends still counts. Without a date, the end is the moment when it was received.

        Source: section Get duration.
        """
        fields = self._fields
        if fields.get("state") == "MISSED":
            return 0
        dates = dates_of(fields)
        return self._between(dates.connect, dates.release)

    def get_ringing_duration(self) -> int:
        """Return the whole seconds of ringing, up to the answer or the end of the call.

        Source: section Get ringing duration.
        """
        dates = dates_of(self._fields)
        end = dates.release if dates.connect is None else dates.connect
        return self._between(dates.setup, end)

    def answer(self, callback: Optional[Callback[int]] = None) -> "Future[int]":
        """Answer the call. Source: section Answer."""
        return self._ask(wire.answer, callback)

    def hang_up(self, callback: Optional[Callback[int]] = None) -> "Future[int]":
        """End the call. Source: section Hang up."""
        return self._ask(wire.hang_up, callback)

    def reject(self, callback: Optional[Callback[int]] = None) -> "Future[int]":
        """Send an unanswered incoming call to voicemail. Source: section Reject."""
        return self._ask(wire.reject, callback)

    def transfer(
        self, side: Side, to: str, callback: Optional[Callback[int]] = None
    ) -> "Future[int]":
        """Transfer one side of the call. Source: section Transfer.

        :param side: ``"caller"`` or ``"callee"``: the party to transfer.
        :param to: the new recipient's number in international format, a string.
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
        """Call the new recipient first, and transfer when the recipient answers.

        Source: section Make a supervised transfer.

        :param side: ``"caller"`` or ``"callee"``: the party to transfer.
        :param to: the new recipient's number in international format, a string.
        :param invite_timer: seconds until the transfer is cancelled without an answer, an integer.
            The server's default of 0 means no limit.
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
        """Connect a side of this call with a side of another call. Source: section Merge.

        :param side: ``"caller"`` or ``"callee"`` of this call.
        :param second_call: another Call of the same CTI.
        :param second_call_side: ``"caller"`` or ``"callee"`` of that call.
        """
        return self._ask(self._merge, callback, side, second_call, second_call_side)

    def pause(self, callback: Optional[Callback[int]] = None) -> "Future[int]":
        """Park the call in the slot of the session's number; ``unpark`` resumes it.

        Source: section Pause.
        """
        return self._ask(wire.pause, callback)

    @overload
    def park(self, side: Side, callback: Optional[Callback[int]] = None, /) -> "Future[int]": ...

    @overload
    def park(
        self, side: Side, slot: Optional[int] = None, callback: Optional[Callback[int]] = None
    ) -> "Future[int]": ...

    def park(self, side: Side, slot: Any = None, callback: Any = None) -> "Future[int]":
        """Park one side of the call. Source: section Park.

        :param side: ``"caller"`` or ``"callee"``: the party to park.
        :param slot: the slot, an integer; the server's default of -1 means any free slot.
        """
        slot, callback = split_callback(slot, callback)
        return self._ask(wire.park, callback, side, slot)

    def unpark(self, callback: Optional[Callback[int]] = None) -> "Future[int]":
        """Resume a parked call. Source: section Unpark."""
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


#: Attributes of a Call that are not fields of the server.
_OWN = frozenset((*CallViews.__slots__, *Call.__slots__, "_fields"))


class Conversation(ConversationViews[Call]):
    """The calls that people feel as one call: transfers, merges and parking do not end it.

    Its attributes ``calls``, ``first``, ``parties``, ``ended`` and ``certain`` change with the
    notifications, and in handlers they are those of the current event, as a call's fields are.
    If two conversations become one, both objects show it. Python's own: JavaScript has none.
    """

    __slots__ = ()
