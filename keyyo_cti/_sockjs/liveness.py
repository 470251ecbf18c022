"""When a silent server is probed, and when it counts as dead. Pure."""

from .._net.clock import NEVER


class Liveness:
    """The silence of a server.

    :param limit: seconds of silence after which the server counts as dead. Half-way, it is
        probed. A suspect server is probed at once, and must respond within a quarter of the time.
    :param now: monotonic seconds.
    """

    def __init__(self, limit: float, now: float) -> None:
        self._limit = limit
        self._reset_at = now
        self._probed_at = -NEVER
        self._suspected_at = -NEVER

    def limit(self, last_received_at: float) -> float:
        """Return the seconds of silence allowed now."""
        return self._limit / 4 if self._is_suspected(last_received_at) else self._limit

    def due(self, last_received_at: float) -> float:
        """Return the monotonic time of the next check, if no bytes arrive before."""
        since = max(last_received_at, self._reset_at)
        probed = self._probed_at >= since
        return since + (self.limit if probed else self._unprobed)(last_received_at)

    def is_dead(self, now: float, last_received_at: float) -> bool:
        """Return True if the silence has lasted too long."""
        return now - max(last_received_at, self._reset_at) >= self.limit(last_received_at)

    def should_probe(self, now: float, last_received_at: float) -> bool:
        """Return True if it is time to probe, once in a silence."""
        since = max(last_received_at, self._reset_at)
        if self._probed_at >= since or now - since < self._unprobed(last_received_at):
            return False
        self._probed_at = now
        return True

    def reset(self, now: float) -> None:
        """Ignore the silence up to now, in which the reader thread did not read."""
        self._reset_at = now

    def suspect(self, now: float) -> None:
        """Probe now, with a shorter timeout, because the machine has slept.

        After a suspend, silence proves nothing and neither does an open socket.
        """
        self._reset_at = self._suspected_at = now

    def _is_suspected(self, last_received_at: float) -> bool:
        return self._suspected_at > last_received_at

    def _unprobed(self, last_received_at: float) -> float:
        """Return the seconds of silence until a probe."""
        return 0.0 if self._is_suspected(last_received_at) else self._limit / 2
