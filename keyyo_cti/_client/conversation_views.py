"""What programs see of a conversation, in two views."""

from typing import Any, Callable, Generic, List, NamedTuple, Optional, Tuple, TypeVar

from ..errors import plain, shorten
from .two_views import TwoViews

C = TypeVar("C")


class State(NamedTuple):
    """A conversation at one moment.

    :ivar into: the conversation that has taken this one in, or None.
    """

    calls: Tuple[Any, ...] = ()
    first: Any = None
    parties: Tuple[str, ...] = ()
    ended: bool = False
    certain: bool = False
    into: "Optional[ConversationViews[Any]]" = None


class ConversationViews(Generic[C]):
    """The calls that people feel as one call, in two views.

    :param handling: returns True if this thread runs a handler.
    """

    __slots__ = ("_state", "__weakref__")

    def __init__(self, handling: Callable[[], bool] = lambda: False) -> None:
        self._state = TwoViews(State(), handling)

    @property
    def calls(self) -> List[C]:
        """Its calls, the oldest first. Of a very long conversation, the first and the last."""
        return list(self._read().calls)

    @property
    def first(self) -> C:
        """The call with which it began.

        A call in which a colleague announces another party is not the first, if there is a call
        with that party: so its ``caller`` is the customer, not the colleague.
        """
        first: C = self._read().first
        return first

    @property
    def parties(self) -> Tuple[str, ...]:
        """The numbers that have taken part, in the order in which they came, without hidden ones.
        """
        return self._read().parties

    @property
    def ended(self) -> bool:
        """True if all its calls have ended and none has followed for two seconds.

        A call that has left the session's lines counts as ended: its end is not notified.
        """
        return self._read().ended

    @property
    def certain(self) -> bool:
        """True if the program's own commands, or the service, say that its calls belong together.

        False if some were only matched by their parties and their time, or if events may be
        missing. A conversation of one call is certain, unless it may belong to another one.
        """
        return self._read().certain

    def __repr__(self) -> str:
        state = self._read()
        count = len(state.calls)
        words = f"{count} call" + ("" if count == 1 else "s")
        words += " of " + " and ".join(state.parties) if state.parties else ""
        words += ", ended" * state.ended + ", not certain" * (not state.certain)
        return shorten(plain(f"<Conversation: {words}>"))

    def _read(self) -> State:
        return read_root(self)[1]


def read_root(views: ConversationViews[Any]) -> "Tuple[ConversationViews[Any], State]":
    """Return the conversation that stands for this one, and its state."""
    state: State = views._state.read()
    while state.into is not None:
        views = state.into
        state = views._state.read()
    return views, state


def state_of(views: ConversationViews[Any]) -> TwoViews:
    """Return the state of a conversation in both views. For ``Conversations``."""
    return views._state
