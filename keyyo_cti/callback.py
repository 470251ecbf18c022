"""The callback of a command, as in JavaScript: the last argument, whatever comes before it."""

from typing import Any, Callable, Optional

from .errors import KeyyoError

#: ``callback(error, result)``: exactly one of the two is not None.
Callback = Callable[[Optional[KeyyoError], Any], object]


def callback_last(argument: Any, callback: Any) -> Any:
    """An optional argument that was left out before the callback, as JavaScript allows."""
    if callback is None and callable(argument):
        return None, argument
    return argument, callback
