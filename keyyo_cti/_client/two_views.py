"""A value in two views: the latest one, and the one that handlers see."""

from typing import Any, Callable


class TwoViews:
    """A value that the reader thread changes, and the handlers' thread after it.

    :param value: the first value, in both views.
    :param handling: returns True if this thread runs a handler.
    """

    __slots__ = ("_handling", "_latest", "_handled", "_shown")

    def __init__(self, value: Any, handling: Callable[[], bool]) -> None:
        self._handling = handling
        self._latest = self._handled = value
        # The number of the change that handlers see; 0 if they have seen none.
        self._shown = 0

    def receive(self, value: Any) -> None:
        """Change the latest view. For the registry's lock."""
        self._latest = value

    def show(self, value: Any, number: int) -> None:
        """Change the handlers' view, unless it shows a later change already.

        With the program's own ``dispatch``, changes may be handled out of order.
        """
        if number >= self._shown:
            self._handled, self._shown = value, number

    def read(self) -> Any:
        """Return the value in the view of this thread."""
        latest = self._latest
        if self._handled is latest or not self._shown or not self._handling():
            return latest
        return self._handled
