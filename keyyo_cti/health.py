"""The health of a CTI: its connection, what it may have missed, and what holds it up."""

import time
from dataclasses import asdict, dataclass
from typing import Any, Dict, List, Literal, Optional, Tuple

from ._display.readable_time import local_time
from ._net.text import plain, shorten

#: Subscriptions that the line of text names.
_MAX_NUMBERS = 5

#: Characters of a name in the line of text.
_MAX_NAME = 200


@dataclass(frozen=True)
class SlowHandler:
    """The handler or callback that has run longest.

    :ivar event: such as ``newCall`` or ``setup``; ``callback`` for the callback of a command.
    :ivar function: its name, with its file and line if they are known.
    :ivar seconds: how long it ran, or has run so far.
    :ivar began: its start in Unix seconds.
    :ivar running: True if it has not returned yet, and so keeps all others waiting.
    """

    event: str
    function: str
    seconds: float
    began: float
    running: bool = False


@dataclass(frozen=True)
class Health:
    """The health of a CTI. ``str()`` of it is one line for people, ``to_dict()`` is for programs.

    Times are in Unix seconds by the local clock as it is at ``at``: if the clock is set, they move
    with it. For an age, subtract from ``at``. Numbers "of the last day" are of the 24 hours before
    ``at``, and of this CTI only. There is no token and no session id in it.

    :ivar at: the time of this report.
    :ivar state: ``connected`` if a session is open; ``connecting`` if one is being opened;
        ``restoring`` after a drop, with ``token_provider``; otherwise ``disconnected``.
    :ivar number: the line's number in international format; None before the first session.
    :ivar connected_since: the time at which the session was opened or restored on the present
        connection; None unless ``connected``.
    :ivar transport: ``websocket``, ``xhr-streaming`` or ``xhr-polling``; None without a
        connection.
    :ivar last_frame: the time of the last whole frame from the server, heartbeats included, also
        after the end of the connection; None before the first one.
    :ivar round_trip: seconds from the last command that was answered to its reply, pings included;
        None before the first one.
    :ivar drops: open sessions whose connection was lost, in the last day.
    :ivar gaps: gaps of the last day. A gap is the time in which events may have been lost, as in
        ``Restored.gap``: from a drop until the session is restored or another is opened, or the
        program closes. A gap that still lasts is counted too.
    :ivar gap_seconds: the seconds of the last day that were in gaps.
    :ivar token_until: the time until which the CSI token for the next restore is good, as far as
        the ``token_provider`` or the last restore tells; None if that is not known, or if the next
        restore needs a new token.
    :ivar backlog: events and callbacks that wait for the handlers.
    :ivar slowest_handler: the slowest handler or callback of the last day; None before the first.
    :ivar subscriptions: the numbers of which the session gets calls; None if they are not known,
        or without a session.
    """

    at: float
    state: Literal["connected", "connecting", "restoring", "disconnected"]
    number: Optional[str] = None
    connected_since: Optional[float] = None
    transport: Optional[str] = None
    last_frame: Optional[float] = None
    round_trip: Optional[float] = None
    drops: int = 0
    gaps: int = 0
    gap_seconds: float = 0.0
    token_until: Optional[float] = None
    backlog: int = 0
    slowest_handler: Optional[SlowHandler] = None
    subscriptions: Optional[Tuple[str, ...]] = None

    def to_dict(self) -> Dict[str, Any]:
        """Return the health as a dict of JSON values."""
        numbers = self.subscriptions
        return {**asdict(self), "subscriptions": None if numbers is None else list(numbers)}

    def __str__(self) -> str:
        line = "without a line yet" if not self.number else _show(self.number)
        parts = [f"{line}: {self._describe_state()}"]
        if self.last_frame is not None:
            parts.append(f"last frame {_round(self.at - self.last_frame)} ago")
        if self.round_trip is not None:
            parts.append(f"round trip {_round(self.round_trip)}")
        parts.append(self._describe_gaps())
        if self.token_until is not None:
            parts.append(f"token good until {_format_time(self.token_until, self.at)}")
        parts.append(f"backlog {self.backlog}")
        if self.slowest_handler is not None:
            parts.append(self._describe_slowest(self.slowest_handler))
        if self.subscriptions is not None:
            parts.append(f"subscribed to {_list_numbers(self.subscriptions)}")
        return ", ".join(parts)

    def _describe_state(self) -> str:
        if self.connected_since is None:
            return self.state
        since = f"connected since {_format_time(self.connected_since, self.at)}"
        return f"{since} by {self.transport}" if self.transport else since

    def _describe_gaps(self) -> str:
        if not self.drops and not self.gaps:
            return "no drop in the last day"
        gaps = "no gap"
        if self.gaps:
            gaps = f"{_count(self.gaps, 'gap')} of {_round(self.gap_seconds)}"
        return f"{_count(self.drops, 'drop')} and {gaps} in the last day"

    def _describe_slowest(self, slowest: SlowHandler) -> str:
        kind = "callback" if slowest.event == "callback" else f"handler of {_show(slowest.event)}"
        took = f"{'has run' if slowest.running else 'ran'} for {_round(slowest.seconds)}"
        began = _format_time(slowest.began, self.at)
        return f"slowest {kind}: {_show(slowest.function)} {took} at {began}"


def _show(text: object) -> str:
    return shorten(plain(str(text)), _MAX_NAME)


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _round(seconds: float) -> str:
    """Return a duration with its unit, such as 35 ms, 4.2 s, 12 min or 3.5 h."""
    seconds = max(0.0, seconds)
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 99.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5970 else f"{seconds / 3600:.1f} h"


def _format_time(date: float, now: float) -> str:
    """Return a time of the local clock, without the day if it is that of ``now``."""
    then, today = local_time(date), local_time(now)
    if then is None:
        return "an unknown time"
    is_today = today is not None and then[:3] == today[:3]
    return time.strftime("%H:%M:%S" if is_today else "%Y-%m-%d %H:%M:%S", then)


def _list_numbers(numbers: Tuple[str, ...]) -> str:
    shown: List[str] = [_show(each) for each in numbers[:_MAX_NUMBERS]]
    left = len(numbers) - len(shown)
    return " and ".join([" ".join(shown), *([f"{left} more"] if left else [])]) or "no line"
