"""How long frames may have waited because the reader thread was busy. Pure."""

from typing import Optional

#: If work on frames takes so many seconds, the reader thread counts as paused.
_MIN_PAUSE = 0.05

#: Seconds of a wait which prove that no frame was left to read.
_MIN_WAIT = 0.02


class Backlog:
    """The time since which frames may have been waiting in the system's buffers.

    After a pause for slow handlers, the reader thread reads old frames. The buffers may have been
    too full for newer frames, which are lost with the connection and belong to the gap.
    """

    def __init__(self) -> None:
        self._since: Optional[float] = None

    def record_pause(self, seconds: float, last_frame_at: float) -> None:
        """Record how long the reader thread was busy with frames.

        :param last_frame_at: monotonic time at which the last of them arrived.
        """
        if seconds >= _MIN_PAUSE and self._since is None:
            self._since = last_frame_at

    def record_wait(self, seconds: float) -> None:
        """Record how long the reader thread waited for a frame."""
        if seconds >= _MIN_WAIT:
            self._since = None

    def age(self, last_frame_at: float) -> float:
        """Return the seconds that the last frame may have waited before it was read."""
        return 0.0 if self._since is None else max(0.0, last_frame_at - self._since)
