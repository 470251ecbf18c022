"""When a silent server is asked for a sign of life, and when it is given up. Pure."""

from ..clock import NEVER


class Liveness:
    """Watches the time since the last bytes came.

    :param limit: seconds of silence after which the server is dead; half-way it is probed.
    :param now: monotonic seconds.
    """

    def __init__(self, limit: float, now: float) -> None:
        self.limit = limit
        self._excused_at = now
        self._probed_at = -NEVER

    def due(self, heard_at: float) -> float:
        """The monotonic time of the next check, if nothing comes before."""
        since = max(heard_at, self._excused_at)
        return since + (self.limit if self._probed_at >= since else self.limit / 2)

    def dead(self, now: float, heard_at: float) -> bool:
        """Whether the silence has lasted too long."""
        return now - max(heard_at, self._excused_at) >= self.limit

    def wants_probe(self, now: float, heard_at: float) -> bool:
        """Whether it is time to ask, which is said once in a silence."""
        since = max(heard_at, self._excused_at)
        if self._probed_at >= since or now - since < self.limit / 2:
            return False
        self._probed_at = now
        return True

    def excuse(self, now: float) -> None:
        """The silence up to now was ours: nobody read."""
        self._excused_at = now
