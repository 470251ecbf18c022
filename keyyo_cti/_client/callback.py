"""The callback of a command: as in JavaScript, always the last argument."""

from typing import TYPE_CHECKING, Any, Callable, Optional

from ..errors import KeyyoError

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    #: The default makes a bare ``Callback`` accept any result.
    T = TypeVar("T", default=Any)
else:
    from typing import TypeVar

    T = TypeVar("T")

#: ``callback(error, result)``: exactly one of the two is not None. The type of the result leaves
#: out None, because a callback uses it only after checking the error.
Callback = Callable[[Optional[KeyyoError], T], object]


def split_callback(argument: Any, callback: Any) -> Any:
    """Return the optional argument and the callback, which may stand in its place."""
    if callback is None and callable(argument):
        return None, argument
    return argument, callback
