"""Detects that the machine has slept, or that this process was stopped. Pure."""

from .clock import Monotonic

#: Seconds between two checks.
_POLL_INTERVAL = 5.0

#: Seconds that do not count as sleep: clocks differ, and a busy machine is late.
_MIN_SLEEP = 2.0

#: Seconds that a check may be late. After that, the process was stopped, or has slept on a machine
#: whose monotonic clock includes sleep.
_MAX_LATENESS = 10.0


class SleepWatch:
    """A detector of sleep, soon after its end.

    The wall clock is useless for this, because people and programs set it.

    :param now: monotonic seconds.
    :param time_asleep: returns the seconds that the machine has slept, see ``clock``.
    """

    def __init__(self, now: float, time_asleep: Monotonic) -> None:
        self._time_asleep = time_asleep
        self._asleep = time_asleep()
        self._due = now + _POLL_INTERVAL
        self._last_received_at = now
        self._asleep_when_heard = self._asleep

    def due(self) -> float:
        """Return the monotonic time of the next check."""
        return self._due

    def detect_sleep(self, now: float, began: float, last_received_at: float) -> bool:
        """Return True if the machine has slept since the last check. Does nothing before ``due``.

        :param began: monotonic time at which the wait for this check began. Before that, the
            thread was busy, which is not sleep.
        :param last_received_at: monotonic time of the last frame of the server.
        """
        if now < self._due:
            return False
        late, before = now - max(self._due, began), self._asleep
        self._due, self._asleep = now + _POLL_INTERVAL, self._time_asleep()
        if last_received_at != self._last_received_at:
            # It may have arrived before this sleep or after it. A silence that is too long is
            # safer than one that is too short.
            self._last_received_at, self._asleep_when_heard = last_received_at, before
        return self._asleep - before > _MIN_SLEEP or late > _MAX_LATENESS

    def silence(self, now: float, last_received_at: float) -> float:
        """Return the seconds since the last frame, sleep included."""
        heard = last_received_at == self._last_received_at
        before = self._asleep_when_heard if heard else self._asleep
        return max(0.0, now - last_received_at) + max(0.0, self._time_asleep() - before)
