"""When a silent server is asked for a sign of life, and when it is given up. Pure."""

from .._net.clock import NEVER


class Liveness:
    """Watches the time since the last bytes came.

    :param limit: seconds of silence after which the server is dead; half-way it is probed. One
        that is in doubt is probed at once, and has a quarter of them.
    :param now: monotonic seconds.
    """

    def __init__(self, limit: float, now: float) -> None:
        self._limit = limit
        self._excused_at = now
        self._probed_at = -NEVER
        self._doubted_at = -NEVER

    def limit(self, heard_at: float) -> float:
        """How long a silence may be now, in seconds."""
        return self._limit / 4 if self._in_doubt(heard_at) else self._limit

    def due(self, heard_at: float) -> float:
        """The monotonic time of the next check, if nothing comes before."""
        since = max(heard_at, self._excused_at)
        return since + (
            self.limit(heard_at) if self._probed_at >= since else self._unprobed(heard_at)
        )

    def dead(self, now: float, heard_at: float) -> bool:
        """Whether the silence has lasted too long."""
        return now - max(heard_at, self._excused_at) >= self.limit(heard_at)

    def wants_probe(self, now: float, heard_at: float) -> bool:
        """Whether it is time to ask, which is said once in a silence."""
        since = max(heard_at, self._excused_at)
        if self._probed_at >= since or now - since < self._unprobed(heard_at):
            return False
        self._probed_at = now
        return True

    def excuse(self, now: float) -> None:
        """The silence up to now was ours: nobody read."""
        self._excused_at = now

    def doubt(self, now: float) -> None:
        """The machine has slept: the silence up to now says nothing, but neither does a
        connection that looks open, so the server is to show itself soon."""
        self._excused_at = self._doubted_at = now

    def _in_doubt(self, heard_at: float) -> bool:
        return self._doubted_at > heard_at

    def _unprobed(self, heard_at: float) -> float:
        """Seconds of silence until a probe."""
        return 0.0 if self._in_doubt(heard_at) else self._limit / 2
