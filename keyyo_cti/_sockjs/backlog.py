"""How long frames may have waited to be read, because the reader was busy. Pure."""

from typing import Optional

#: Seconds that telling of a frame may take before the reader counts as paused.
_PAUSE = 0.05

#: Seconds of a wait that show that nothing was left to be read.
_WAIT = 0.02


class Backlog:
    """Knows since when frames may have been waiting in the buffers of the system.

    A reader that pauses for slow handlers reads old frames when it goes on. The server may have
    had no room for newer ones, which are lost with the connection. They belong to the gap.
    """

    def __init__(self) -> None:
        self._since: Optional[float] = None

    def paused(self, seconds: float, last_frame_at: float) -> None:
        """Note how long the reader was busy with frames.

        :param last_frame_at: monotonic time at which the last of them came.
        """
        if seconds >= _PAUSE and self._since is None:
            self._since = last_frame_at

    def waited(self, seconds: float) -> None:
        """Note how long the reader waited for a frame."""
        if seconds >= _WAIT:
            self._since = None

    def age(self, last_frame_at: float) -> float:
        """Return the seconds by which the last frame may be older than the time it was read."""
        return 0.0 if self._since is None else max(0.0, last_frame_at - self._since)
