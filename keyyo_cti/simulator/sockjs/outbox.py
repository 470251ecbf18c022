"""The frames that wait for somebody to carry them. It belongs to the loop's thread."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Deque

from .frames import HEARTBEAT, Frame, joined


class Outbox:
    """A queue of frames. The last one stays, and is had again and again."""

    def __init__(self) -> None:
        self._frames: Deque[Frame] = deque()
        self._filled = asyncio.Event()

    def put(self, frame: Frame) -> None:
        self._frames.append(frame)
        self._filled.set()

    def join(self) -> None:
        """Join the messages that wait for a new receiver; a heartbeat is of no use to it."""
        self._frames = deque(joined(each for each in self._frames if each is not HEARTBEAT))

    async def next(self) -> Frame:
        """The next frame, once there is one."""
        while not self._frames:
            self._filled.clear()
            await self._filled.wait()
        return self._frames[0] if self._frames[0].last else self._frames.popleft()
