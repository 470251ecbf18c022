"""The two views of a call: what was received last, and what handlers see."""

from concurrent.futures import Future
from typing import Any, Callable, Mapping, Optional, Protocol

from .._display.dates import follow
from .callback import Callback
from .emitter import Emitter
from .wire import Command

_set = object.__setattr__


class Line(Protocol):
    """What a call needs of the line that it belongs to."""

    def ask(
        self, make: Callable[..., Command], arguments: Any, callback: Optional[Callback]
    ) -> "Future[Any]":
        """Asks the server for something."""

    def check_process(self) -> None:
        """Refuse a forked child, where nothing calls handlers."""

    def server_time(self) -> float:
        """The server's Unix time in seconds."""


class CallViews(Emitter):
    """What is known of a call, in two views.

    :param line: the line that the call belongs to.
    :param handling: True if this thread runs a handler.
    """

    __slots__ = ("_line", "_handling", "_latest", "_latest_stale", "_handled", "_handled_stale")

    _line: Line
    _handling: Callable[[], bool]
    # What was received last, and what handlers see. Once the last event is handled, both are the
    # same object, which costs no memory and is told apart without a look at the thread.
    _latest: Mapping[str, Any]
    _handled: Mapping[str, Any]
    _latest_stale: bool
    _handled_stale: bool

    def __init__(self, line: Line, handling: Callable[[], bool]) -> None:
        super().__init__()
        self._line = line
        self._handling = handling
        self._latest = self._handled = {}
        self._latest_stale = self._handled_stale = False

    @property
    def stale(self) -> bool:
        """True if the connection was lost while the call went on and no notification has come
        since: the call may have ended."""
        stale = self._latest_stale
        if self._handled_stale is stale or not self._handling():
            return stale
        return self._handled_stale

    @stale.setter
    def stale(self, stale: bool) -> None:
        set_stale(self, stale)
        show_stale(self, stale)

    @property
    def _fields(self) -> Mapping[str, Any]:
        latest = self._latest
        if self._handled is latest or not self._handling():
            return latest
        # Only this very thread changes it, so that it cannot be another one by now.
        return self._handled


def latest_fields(call: CallViews) -> Mapping[str, Any]:
    """What was received last of a call, also inside a handler. For the registry."""
    return call._latest


def handled_fields(call: CallViews) -> Mapping[str, Any]:
    """What handlers see of a call, also outside of them. For the registry."""
    return call._handled


def is_stale(call: CallViews) -> bool:
    """True if what was received last of a call is stale, also inside a handler."""
    return call._latest_stale


def with_dates(call: CallViews, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields of a notification with the dates that durations need and these lack. For
    the registry, when they are received: a slow handler must not put off the end of a call."""
    return follow(call._latest, fields, call._line.server_time)


def receive(call: CallViews, fields: Mapping[str, Any]) -> None:
    """Replace what was received last of a call. For the registry, in the reader thread."""
    # Bypasses __setattr__, which would dominate the cost of a notification.
    _set(call, "_latest", fields)
    if call._latest_stale:
        _set(call, "_latest_stale", False)


def set_stale(call: CallViews, stale: bool) -> None:
    """Mark what was received last of a call as stale, or not. For the registry."""
    _set(call, "_latest_stale", stale)


def show(call: CallViews, fields: Mapping[str, Any]) -> None:
    """Replace what handlers see of a call. For the registry, in the thread of the handlers."""
    _set(call, "_handled", fields)
    if call._handled_stale:
        _set(call, "_handled_stale", False)


def trim(call: CallViews, fields: Mapping[str, Any]) -> None:
    """Keep less of what handlers see of a call. For the registry; a gap may lie in between, so
    that the call stays as stale as it is."""
    _set(call, "_handled", fields)


def show_stale(call: CallViews, stale: bool) -> None:
    """Show a call to handlers as stale, or not. For the registry."""
    _set(call, "_handled_stale", stale)
