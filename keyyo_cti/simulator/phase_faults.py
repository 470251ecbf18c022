"""Faults of new connections, by phase; all of them run on the loop's thread."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Callable, Dict, List, Optional

from aiohttp import web

from .sockjs import tcp

Responder = Callable[[web.Request], web.Response]


@dataclass(eq=False)
class _PhaseFault:
    times: Optional[int]
    answer: Optional[Responder]
    hold: Optional[float]


class PhaseFaults:
    """At most one fault for each phase of a new connection."""

    def __init__(self) -> None:
        self._faults: Dict[str, _PhaseFault] = {}
        self._waiting: Dict[str, List[asyncio.Event]] = {}

    def add(
        self,
        phase: str,
        times: Optional[int],
        answer: Optional[Responder],
        hold: Optional[float] = None,
    ) -> None:
        """Set the fault of a phase.

        :param phase: the phase.
        :param times: number of requests; None for all until `clear`.
        :param answer: ends the TCP connection of a request, or makes the response to it, which
            phase "open" ignores; None makes the request wait until `clear`.
        :param hold: delay in seconds before `answer`; `clear` lets the request continue earlier.
        """
        self._faults[phase] = _PhaseFault(times, answer, hold)

    def clear(self, phase: str) -> None:
        """Remove the fault of a phase; waiting requests continue."""
        self._faults.pop(phase, None)
        for event in self._waiting.pop(phase, []):
            event.set()

    def clear_all(self) -> None:
        """Remove every fault; waiting requests continue."""
        for phase in {*self._faults, *self._waiting}:
            self.clear(phase)

    async def apply(
        self, phase: str, request: web.Request
    ) -> Optional[web.StreamResponse]:
        """Apply the fault of a phase; return a response to send instead, or None."""
        fault = self._faults.get(phase)
        if fault is None:
            return None
        if fault.times is not None:
            fault.times -= 1
            if fault.times == 0:
                del self._faults[phase]
        if fault.answer is not None and fault.hold is None:
            return fault.answer(request)
        event = asyncio.Event()
        self._waiting.setdefault(phase, []).append(event)
        try:
            await asyncio.wait_for(event.wait(), fault.hold)
        except asyncio.TimeoutError:
            if not event.is_set():
                self._waiting[phase].remove(event)
                assert fault.answer is not None
                return fault.answer(request)
        return None


def reset_tcp(request: web.Request) -> web.Response:
    """Reset TCP, in any phase, and return a response that aiohttp can no longer send."""
    if request.transport is not None:
        tcp.reset(request.transport)
    return web.Response(status=503)
