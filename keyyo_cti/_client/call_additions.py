"""The attributes of a call that JavaScript lacks. They are computed when a program asks."""

from concurrent.futures import Future
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Generic,
    Optional,
    Protocol,
    TypeVar,
    Union,
    cast,
    overload,
)

from .._display.dates import ENDED
from .call_parties import Parties, find_parties, is_answered
from .call_views import CallViews, Line
from .line_numbers import LineNumbers
from .literals import CallEvent, Direction, Side

T = TypeVar("T")

#: The class of a call.
Self = TypeVar("Self", bound="CallAdditions")
OfNothing = TypeVar("OfNothing", bound=Callable[[], object])


class OnCall(Protocol):
    """``Call.on``. Its events carry no arguments, so one handler fits any list of them.

    Without a handler it is a decorator.
    """

    @overload
    def __call__(self, names: Union[CallEvent, str], handler: Callable[[], object]) -> None: ...

    @overload
    def __call__(self, names: Union[CallEvent, str]) -> Callable[[OfNothing], OfNothing]: ...

    def __call__(self, names: str, handler: Any = None) -> Any:
        """Add a handler for one event, or for several separated by commas."""


class Owner(Line, Protocol):
    """The part of the client that these attributes use."""

    @property
    def lines(self) -> LineNumbers:
        """The lines whose calls the client sees."""

    @property
    def waits(self) -> Any:
        """The Futures that wait for events."""

    def conversation_of(self, call: Any) -> Any:
        """Return the conversation of a call."""


class Computed(Generic[T]):
    """A property that a program may replace on one call by an attribute of its own.

    With ``property``, the port of a page that sets ``call.answered = true`` would raise.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.__doc__ = compute.__doc__
        self._compute = compute

    def __get__(self, call: Optional[CallViews], owner: Any) -> Any:
        return self if call is None else self._compute(call)


if TYPE_CHECKING:
    computed = property
else:
    computed = Computed


class CallAdditions(CallViews):
    """Python's own attributes of a call."""

    __slots__ = ()

    if TYPE_CHECKING:
        on: OnCall
        addEventListener: OnCall

        def off(
            self, names: Union[CallEvent, str], handler: Optional[Callable[[], object]] = None
        ) -> None:
            """Remove a handler that ``on`` added, once; without a handler, remove all of them."""

        removeEventListener = off

    @computed
    def direction(self) -> Optional[Direction]:
        """``"in"``, ``"out"``, ``"internal"`` between two of the lines, or None.

        It is from the point of view of ``line``, and None if none of the lines is a party.
        """
        return self._parties.direction

    @computed
    def line(self) -> Optional[str]:
        """The number of the line that the call concerns: the own one or a subscribed one.

        The own line goes before a subscribed one, then the caller before the callee. It is None
        if neither party is such a line.
        """
        return self._parties.line

    @computed
    def other(self) -> Optional[str]:
        """The number of the other party, in international format.

        It is None for a hidden caller, and if no line is a party.
        """
        return self._parties.other

    @computed
    def other_side(self) -> Optional[Side]:
        """The side of the other party, ``"caller"`` or ``"callee"``, as transfers take it.

        It is None if no line is a party.
        """
        sides = {"caller": "callee", "callee": "caller", None: None}
        return cast(Optional[Side], sides[self._parties.side])

    @computed
    def hidden(self) -> bool:
        """True if the caller's number is hidden: it is missing, or no number."""
        return self._parties.hidden

    @computed
    def active(self) -> bool:
        """True if the call has not ended."""
        return self._fields.get("state") not in ENDED

    @computed
    def answered(self) -> bool:
        """True if the callee has picked up, also after the end of the call."""
        return is_answered(self._fields)

    def wait_for(
        self: Self, event: Union[CallEvent, str], timeout: Optional[float] = None
    ) -> "Future[Self]":
        """Return a Future that completes with this call when it comes to an event.

        If it has come to it already, the Future is complete at once: ``connect`` of a call that
        was answered, ``release`` of one that has ended. It fails with CallEnded when the call ends
        without the event, EventTimeout after the timeout, and SessionEnded when the session ends.
        It lives on while a lost session is restored.

        :param event: ``setup``, ``connect``, ``release`` or ``missed``; several separated by
            commas wait for the first of them.
        :param timeout: seconds; None for no limit.
        """
        self._check_process()
        waits = cast(Owner, self._line).waits
        future: "Future[Self]" = waits.begin(self._split(event), None, timeout, self)
        return future

    @property
    def _parties(self) -> Parties:
        return find_parties(self._fields, cast(Owner, self._line).lines)
