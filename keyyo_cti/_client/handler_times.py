"""The slowest calls of user code, hour by hour, for ``CTI.health()``."""

from typing import Any, Callable, NamedTuple, Optional, Tuple

from .._net.clock import DAY, NEVER, Monotonic, monotonic_with_sleep
from .._net.user_code import name_of

_HOUR = 3600.0


class Timed(NamedTuple):
    """A call of user code.

    :ivar function: its name.
    :ivar ended_at: monotonic seconds, including the time that the machine was suspended.
    :ivar hour: any number, the same for all calls of an hour.
    :ivar running: True if it has not ended yet; then ``ended_at`` is now.
    """

    event: str
    function: str
    seconds: float
    ended_at: float
    hour: float = 0.0
    running: bool = False


class HandlerTimes:
    """The slowest call of user code of each hour of the last day.

    One thread at a time records, as user code runs. Any thread reads, without a lock: the tuple is
    replaced as a whole. Names are kept, not functions, which may hold all of a program's objects.

    :param clock: monotonic seconds, including the time that the machine was suspended.
    :ivar longest: seconds of the slowest call of this hour. The dispatcher compares each call
        with it, which costs next to nothing, and records the few that are slower.
    :ivar hour_ends_at: the end of this hour on the dispatcher's clock.
    """

    def __init__(self, clock: Monotonic = monotonic_with_sleep) -> None:
        self._clock = clock
        self._hours: Tuple[Timed, ...] = ()
        self.longest = -NEVER
        self.hour_ends_at = -NEVER

    def record(
        self, event: str, function: Callable[..., Any], began: float, ended: float
    ) -> None:
        """Record the first call of an hour, or one that is slower than those before.

        :param began: monotonic seconds, as the dispatcher measures them.
        """
        if ended >= self.hour_ends_at:
            self.hour_ends_at = ended + _HOUR
        now, hour, self.longest = self._clock(), self.hour_ends_at, ended - began
        timed = Timed(event, name_of(function), self.longest, now, hour)
        self._hours = (
            *(each for each in self._hours if each.hour != hour and now - each.ended_at < DAY),
            timed,
        )

    def slowest(self, now: float) -> Optional[Timed]:
        """Return the slowest call of the last day, or None.

        :param now: the time on the clock of this object.
        """
        recent = [each for each in self._hours if now - each.ended_at < DAY]
        return max(recent, key=lambda each: each.seconds, default=None)
