"""Whether the machine has slept, or this process was stopped. Pure."""

from .clock import Monotonic

#: Seconds between two looks.
_POLL_INTERVAL = 5.0

#: Seconds that are no sleep: clocks differ, and a busy machine is late.
_MIN_SLEEP = 2.0

#: Seconds by which a look may be late before the process is taken to have been stopped, or to
#: have slept on a machine whose monotonic clock goes on meanwhile.
_MAX_LATENESS = 10.0


class SleepWatch:
    """Notices a sleep soon after it.

    A wall clock is no help: people and programs set it.

    :param now: monotonic seconds.
    :param slept: seconds that the machine has slept, see ``clock.slept``.
    """

    def __init__(self, now: float, time_asleep: Monotonic) -> None:
        self._slept = time_asleep
        self._asleep = time_asleep()
        self._due = now + _POLL_INTERVAL
        self._last_received_at = now
        self._asleep_when_heard = self._asleep

    def due(self) -> float:
        """The monotonic time of the next look."""
        return self._due

    def detect_sleep(self, now: float, began: float, last_received_at: float) -> bool:
        """Whether there was a sleep since the last look. Nothing before ``due``.

        :param began: monotonic time at which the wait for this look began; what kept the thread
            busy before that was no sleep.
        :param heard_at: monotonic time of the last sign of life of the server.
        """
        if now < self._due:
            return False
        late, before = now - max(self._due, began), self._asleep
        self._due, self._asleep = now + _POLL_INTERVAL, self._slept()
        if last_received_at != self._last_received_at:
            # That may have been before this sleep or after it: rather too long a silence is
            # told than too short a one.
            self._last_received_at, self._asleep_when_heard = last_received_at, before
        return self._asleep - before > _MIN_SLEEP or late > _MAX_LATENESS

    def silence(self, now: float, last_received_at: float) -> float:
        """Seconds since the last sign of life, those asleep included."""
        heard = last_received_at == self._last_received_at
        before = self._asleep_when_heard if heard else self._asleep
        return max(0.0, now - last_received_at) + max(0.0, self._slept() - before)
