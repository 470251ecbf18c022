"""The callback of a command, as in JavaScript: the last argument, whatever comes before it."""

from typing import TYPE_CHECKING, Any, Callable, Optional

from ..errors import KeyyoError

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    #: The default lets a bare ``Callback`` stand for one that takes any result.
    T = TypeVar("T", default=Any)
else:
    from typing import TypeVar

    T = TypeVar("T")

#: ``callback(error, result)``: exactly one of the two is not None. The result is typed without
#: None, because a callback looks at it only after it has looked at the error.
Callback = Callable[[Optional[KeyyoError], T], object]


def callback_last(argument: Any, callback: Any) -> Any:
    """An optional argument that was left out before the callback, as JavaScript allows."""
    if callback is None and callable(argument):
        return None, argument
    return argument, callback
