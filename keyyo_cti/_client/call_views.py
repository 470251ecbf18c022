"""The two views of a call: the latest received, and the one that handlers see."""

from concurrent.futures import Future
from typing import Any, Callable, Mapping, Optional, Protocol

from .._display.dates import follow
from .callback import Callback
from .emitter import Emitter
from .legs import Leg
from .wire import Command

_set = object.__setattr__


class Line(Protocol):
    """The part of the client that a call uses."""

    def ask(
        self, make: Callable[..., Command], arguments: Any, callback: Optional[Callback]
    ) -> "Future[Any]":
        """Send a command."""

    def check_process(self) -> None:
        """Refuse a forked child, where no handler would be called."""

    def server_time(self) -> float:
        """Return the server's time as a Unix time in seconds."""


class CallViews(Emitter):
    """The fields of a call, in two views.

    :param line: the client that the call belongs to.
    :param handling: returns True if this thread runs a handler.
    """

    __slots__ = (
        "_line", "_handling", "_latest", "_latest_stale", "_handled", "_handled_stale", "_leg",
    )

    _line: Line
    _handling: Callable[[], bool]
    # The latest view and the handlers' view. After the last event is handled both are the same
    # object: that saves memory, and a read need not check the thread.
    _latest: Mapping[str, Any]
    _handled: Mapping[str, Any]
    _latest_stale: bool
    _handled_stale: bool
    # Unset until conversations are followed.
    _leg: Leg

    def __init__(self, line: Line, handling: Callable[[], bool]) -> None:
        super().__init__()
        self._line = line
        self._handling = handling
        self._latest = self._handled = {}
        self._latest_stale = self._handled_stale = False

    @property
    def stale(self) -> bool:
        """True if the call was active when the connection was lost and has no notification since.

        It may have ended in between.
        """
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
        # Only this thread changes it, so it is still the one compared above.
        return self._handled


# The slot itself: a call without a leg must not pay for the text of an AttributeError.
_read_leg = CallViews.__dict__["_leg"].__get__

# The setters of the slots: __setattr__ would dominate the cost of a notification.
_write_latest = CallViews.__dict__["_latest"].__set__
_write_handled = CallViews.__dict__["_handled"].__set__


def get_leg(call: CallViews) -> Optional[Leg]:
    """Return the part that a call has in its conversation, or None. For ``Conversations``."""
    try:
        leg: Leg = _read_leg(call)
    except AttributeError:
        return None
    return leg


def set_leg(call: CallViews, leg: Leg) -> None:
    """Set the part that a call has in its conversation. For ``Conversations``."""
    _set(call, "_leg", leg)


def latest_fields(call: CallViews) -> Mapping[str, Any]:
    """Return the latest fields of a call, even inside a handler. For the registry."""
    return call._latest


def handled_fields(call: CallViews) -> Mapping[str, Any]:
    """Return the fields that handlers see, even outside a handler. For the registry."""
    return call._handled


def is_stale(call: CallViews) -> bool:
    """Return True if the latest view of a call is stale, even inside a handler."""
    return call._latest_stale


def is_shown_stale(call: CallViews) -> bool:
    """Return True if handlers see a call as stale, even outside a handler."""
    return call._handled_stale


def add_dates(call: CallViews, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields with any missing dates that durations need. For the registry.

    The reader thread calls it on receipt. Otherwise a slow handler would delay the call's end.
    """
    return follow(call._latest, fields, call._line.server_time)


def receive(call: CallViews, fields: Mapping[str, Any]) -> None:
    """Replace the latest fields of a call. For the registry, on the reader thread."""
    _write_latest(call, fields)
    if call._latest_stale:
        _set(call, "_latest_stale", False)


def set_stale(call: CallViews, stale: bool) -> None:
    """Set whether the latest view of a call is stale. For the registry."""
    _set(call, "_latest_stale", stale)


def show(call: CallViews, fields: Mapping[str, Any]) -> None:
    """Replace the fields that handlers see. For the registry, on the handlers' thread."""
    _write_handled(call, fields)
    if call._handled_stale:
        _set(call, "_handled_stale", False)


def trim(call: CallViews, fields: Mapping[str, Any]) -> None:
    """Reduce the fields that handlers see, after they have run. For the registry.

    The call keeps its staleness: a gap may have come in between.
    """
    _set(call, "_handled", fields)


def show_stale(call: CallViews, stale: bool) -> None:
    """Set whether handlers see a call as stale. For the registry."""
    _set(call, "_handled_stale", stale)
