"""The frames that wait for a receiver; used on the loop's thread only."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Deque

from .frames import HEARTBEAT, Frame, join_frames


class Outbox:
    """A queue of frames that never removes the last frame of a connection."""

    def __init__(self) -> None:
        self._frames: Deque[Frame] = deque()
        self._filled = asyncio.Event()

    def put(self, frame: Frame) -> None:
        self._frames.append(frame)
        self._filled.set()

    def join(self) -> None:
        """Join the waiting messages for a new receiver and discard heartbeats, which are outdated.
        """
        self._frames = deque(join_frames(each for each in self._frames if each is not HEARTBEAT))

    async def next(self) -> Frame:
        """Wait for the next frame and return it."""
        while not self._frames:
            self._filled.clear()
            await self._filled.wait()
        return self._frames[0] if self._frames[0].last else self._frames.popleft()
