"""The past of one client's connections, for ``CTI.health()``. Bounded in memory over months."""

from typing import NamedTuple, Optional, Protocol, Tuple

from .._net.clock import DAY, Monotonic, monotonic_with_sleep, wall_clock
from .outage import Outage, Silence

#: Entries of a day that are kept one by one. Beyond it, those of the same minute share an entry:
#: a server that accepts and drops could otherwise fill the memory.
MAX_ENTRIES = 1440
_SHARED_PERIOD = DAY / MAX_ENTRIES


class EndedConnection(Protocol):
    """The part of a connection that this module uses."""

    in_session: bool

    @property
    def last_silence(self) -> Silence: ...

    @property
    def vitals(self) -> Tuple[Optional[float], Optional[float]]: ...


class Entry(NamedTuple):
    """Something that happened, perhaps several times.

    :ivar at: its end on the clock of the history; of the first, if there are several.
    :ivar times: how often it happened.
    :ivar seconds: how long it lasted, all times together.
    """

    at: float
    times: int
    seconds: float


class LastDay(NamedTuple):
    """What happened within the last day. Immutable."""

    entries: Tuple[Entry, ...] = ()

    def add(self, at: float, seconds: float = 0.0) -> "LastDay":
        """Return the same with one more.

        :param at: its end, which is now.
        :param seconds: how long it lasted.
        """
        entries = self._recent(at)
        if len(entries) < MAX_ENTRIES or at - entries[-1].at >= _SHARED_PERIOD:
            return LastDay((*entries, Entry(at, 1, seconds)))
        last = entries[-1]
        last = last._replace(times=last.times + 1, seconds=last.seconds + seconds)
        return LastDay((*entries[:-1], last))

    def times(self, now: float) -> int:
        """Return how often it happened."""
        return sum(entry.times for entry in self._recent(now))

    def seconds(self, now: float) -> float:
        """Return how long it lasted, without the part before the last day."""
        return sum(min(each.seconds, each.at - now + DAY) for each in self._recent(now))

    def _recent(self, now: float) -> Tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if now - entry.at < DAY)


class _Losses(NamedTuple):
    """The losses of the last day.

    :ivar outage: the outage whose gap still lasts.
    """

    drops: LastDay = LastDay()
    gaps: LastDay = LastDay()
    outage: Optional[Outage] = None


class Watcher(Protocol):
    """Follows when a client hears its line. Called inside ``Sessions.section``: do not block."""

    def on_open(self, gap: Optional[float]) -> None:
        """Note that a session is open, after a gap of so many seconds or after none."""

    def on_end(self, silence: float) -> None:
        """Note that the connection has ended, after so many seconds of silence."""

    def on_close(self) -> None:
        """Note that the program closes."""


class History:
    """Since when the client is connected, and its drops and gaps of the last day.

    It changes only inside ``Sessions.section``. Any thread reads it, and needs no lock: what
    belongs together is replaced as a whole.

    :param clock: monotonic seconds, including the time that the machine was suspended.
    :param wall: returns the time in Unix seconds.
    :ivar opened_at: the last time at which a session was opened or restored, on the clock.
    :ivar last_frame_at: the time of the last frame of the last connection that has ended.
    :ivar round_trip: seconds, as measured last on that connection.
    :ivar watcher: follows the same, or None.
    """

    def __init__(
        self, clock: Monotonic = monotonic_with_sleep, wall: Monotonic = wall_clock
    ) -> None:
        self.clock = clock
        self.wall = wall
        self.opened_at: Optional[float] = None
        self.last_frame_at: Optional[float] = None
        self.round_trip: Optional[float] = None
        self.watcher: Optional[Watcher] = None
        self._losses = _Losses()

    def on_open(self, gap: Optional[float] = None) -> None:
        """Note that a session is open on a new connection.

        :param gap: the gap that ``restored`` tells; by default the one since the drop.
        """
        self.opened_at = self.clock()
        seconds = self._end_gap(gap)
        if self.watcher is not None:
            self.watcher.on_open(seconds)

    def on_end(
        self, connection: EndedConnection, outage: Optional[Outage], destroying: bool
    ) -> None:
        """Note the end of a connection.

        :param outage: the outage that begins; None if no session was open, or if it is closed.
        :param destroying: True if the program is about to end the session: it misses nothing.
        """
        if connection.in_session:
            self.last_frame_at = self.clock() - connection.last_silence.seconds
            _, self.round_trip = connection.vitals
        if outage is not None:
            drops = self._losses.drops.add(self.clock())
            lasting = None if destroying else outage
            self._losses = self._losses._replace(drops=drops, outage=lasting)
        if connection.in_session and self.watcher is not None:
            self.watcher.on_end(connection.last_silence.seconds)

    def on_close(self) -> None:
        """Note that the program closes. From then on it misses nothing."""
        self._end_gap(None)
        if self.watcher is not None:
            self.watcher.on_close()

    def summary(self, now: float) -> Tuple[int, int, float]:
        """Return the drops, the gaps, and the seconds in gaps; a gap that still lasts counts."""
        drops, gaps, outage = self._losses
        lasting = 0.0 if outage is None else _clip(outage.summary().gap, now, gaps)
        seconds = min(DAY, gaps.seconds(now) + lasting)
        return drops.times(now), gaps.times(now) + (outage is not None), seconds

    def _end_gap(self, gap: Optional[float]) -> Optional[float]:
        """Note the end of a gap, if there is one, and return its seconds."""
        losses = self._losses
        if losses.outage is None:
            return None
        seconds = losses.outage.summary().gap if gap is None else gap
        now = self.clock()
        gaps = losses.gaps.add(now, _clip(seconds, now, losses.gaps))
        self._losses = losses._replace(gaps=gaps, outage=None)
        return seconds


def _clip(seconds: float, now: float, gaps: LastDay) -> float:
    """Return the part of a gap that was not in the one before.

    A gap begins a round trip before the last frame, which may be before the last restore.
    """
    return max(0.0, min(seconds, now - gaps.entries[-1].at)) if gaps.entries else seconds
