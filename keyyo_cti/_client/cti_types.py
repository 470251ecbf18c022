"""The types of the handlers of a CTI, for type checkers."""

from typing import TYPE_CHECKING, Any, Callable, Literal, Protocol, TypeVar, overload

from ..call import Call, Conversation
from ..errors import KeyyoError
from ..results import Restored
from .emitter import AnyHandler

if TYPE_CHECKING:
    from ..catch_up import CaughtUp
else:
    CaughtUp = Any

OfCall = TypeVar("OfCall", bound=Callable[[Call], object])
OfNothing = TypeVar("OfNothing", bound=Callable[[], object])
OfRestored = TypeVar("OfRestored", bound=Callable[[Restored], object])
OfLost = TypeVar("OfLost", bound=Callable[[KeyyoError], object])
OfError = TypeVar("OfError", bound=Callable[[Exception], object])
OfConversation = TypeVar("OfConversation", bound=Callable[[Conversation], object])
OfCaughtUp = TypeVar("OfCaughtUp", bound="Callable[[CaughtUp], object]")
OfAny = TypeVar("OfAny", bound=AnyHandler)

#: The names of events whose handlers fit an exception.
Errors = Literal["error", "lost,error", "lost, error", "error,lost", "error, lost"]


class OnCTI(Protocol):
    """``CTI.on``. A handler for several names must accept the arguments of each.

    Without a handler it is a decorator.
    """

    @overload
    def __call__(self, names: Literal["newCall"], handler: Callable[[Call], object]) -> None: ...

    @overload
    def __call__(self, names: Literal["newCall"]) -> Callable[[OfCall], OfCall]: ...

    @overload
    def __call__(self, names: Literal["disconnected"], handler: Callable[[], object]) -> None: ...

    @overload
    def __call__(self, names: Literal["disconnected"]) -> Callable[[OfNothing], OfNothing]: ...

    @overload
    def __call__(
        self, names: Literal["restored"], handler: Callable[[Restored], object]
    ) -> None: ...

    @overload
    def __call__(self, names: Literal["restored"]) -> Callable[[OfRestored], OfRestored]: ...

    @overload
    def __call__(
        self, names: Literal["lost"], handler: Callable[[KeyyoError], object]
    ) -> None: ...

    @overload
    def __call__(self, names: Literal["lost"]) -> Callable[[OfLost], OfLost]: ...

    @overload
    def __call__(self, names: Errors, handler: Callable[[Exception], object]) -> None: ...

    @overload
    def __call__(self, names: Errors) -> Callable[[OfError], OfError]: ...

    @overload
    def __call__(
        self, names: Literal["conversationEnded"], handler: Callable[[Conversation], object]
    ) -> None: ...

    @overload
    def __call__(
        self, names: Literal["conversationEnded"]
    ) -> Callable[[OfConversation], OfConversation]: ...

    @overload
    def __call__(
        self, names: Literal["caughtUp"], handler: Callable[[CaughtUp], object]
    ) -> None: ...

    @overload
    def __call__(self, names: Literal["caughtUp"]) -> Callable[[OfCaughtUp], OfCaughtUp]: ...

    @overload
    def __call__(self, names: str, handler: AnyHandler) -> None: ...

    @overload
    def __call__(self, names: str) -> Callable[[OfAny], OfAny]: ...

    def __call__(self, names: str, handler: Any = None) -> Any:
        """Add a handler for one event, or for several separated by commas."""
