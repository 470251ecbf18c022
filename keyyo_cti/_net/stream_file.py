"""A file on a stream."""

import io
from typing import Any, Callable


class StreamFile(io.RawIOBase):
    """A file that reads from a stream.

    :param recv: returns at most so many bytes, none at EOF.
    :param when_closed: called once, when the file is closed.
    """

    def __init__(self, recv: Callable[[int], bytes], when_closed: Callable[[], object]) -> None:
        self._recv = recv
        self._when_closed = when_closed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._when_closed()
