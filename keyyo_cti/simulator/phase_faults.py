"""What is in the way of new connections, when a test wants it. All of it is on the loop's thread.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Callable, Dict, List, Optional

from aiohttp import web

from .sockjs import tcp

Answer = Callable[[web.Request], web.Response]


@dataclass(eq=False)
class _Obstacle:
    times: Optional[int]
    answer: Optional[Answer]
    hold: Optional[float]


class Obstacles:
    """Obstacles by the phase that they are in: one at a time in each."""

    def __init__(self) -> None:
        self._obstacles: Dict[str, _Obstacle] = {}
        self._waiting: Dict[str, List[asyncio.Event]] = {}

    def arm(
        self,
        phase: str,
        times: Optional[int],
        answer: Optional[Answer],
        hold: Optional[float] = None,
    ) -> None:
        """Put something in the way.

        :param phase: where.
        :param times: for so many requests; None lasts until `clear`.
        :param answer: what is done with a request instead; None lets it wait.
        :param hold: seconds to wait before `answer`; `clear` lets the request go on meanwhile.
        """
        self._obstacles[phase] = _Obstacle(times, answer, hold)

    def clear(self, phase: str) -> None:
        """Take the obstacle of a phase away; what waits there goes on."""
        self._obstacles.pop(phase, None)
        for event in self._waiting.pop(phase, []):
            event.set()

    def clear_all(self) -> None:
        """Take every obstacle away; what waits goes on."""
        for phase in {*self._obstacles, *self._waiting}:
            self.clear(phase)

    async def pass_through(
        self, phase: str, request: web.Request
    ) -> Optional[web.StreamResponse]:
        """What is in the way of `request` in `phase`: a response, or a wait, or nothing."""
        obstacle = self._obstacles.get(phase)
        if obstacle is None:
            return None
        if obstacle.times is not None:
            obstacle.times -= 1
            if obstacle.times == 0:
                del self._obstacles[phase]
        if obstacle.answer is not None and obstacle.hold is None:
            return obstacle.answer(request)
        event = asyncio.Event()
        self._waiting.setdefault(phase, []).append(event)
        try:
            await asyncio.wait_for(event.wait(), obstacle.hold)
        except asyncio.TimeoutError:
            if not event.is_set():
                self._waiting[phase].remove(event)
                assert obstacle.answer is not None
                return obstacle.answer(request)
        return None


def reset_tcp(request: web.Request) -> web.Response:
    """An answer: reset TCP. The response is for aiohttp, which cannot send it any more."""
    if request.transport is not None:
        tcp.reset(request.transport)
    return web.Response(status=503)
