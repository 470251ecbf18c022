"""What goes wrong with HTTP requests, when a test wants it. All of it is on the loop's thread."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Awaitable, Callable, List, Mapping, Optional

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HttpEffect = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]


@dataclass(eq=False)
class _HttpFault:
    path_prefix: str
    times: Optional[int]
    effect: HttpEffect


class HttpFaults:
    """Faults by the path of the request; the first that fits and is not used up happens."""

    def __init__(self) -> None:
        self._faults: List[_HttpFault] = []
        self._waiting: List[asyncio.Event] = []
        self.next_origin: Optional[str] = None

    def arm(self, path_prefix: str, times: Optional[int], effect: HttpEffect) -> None:
        """Do something else with requests than to handle them.

        :param path_prefix: how the path of such a request begins.
        :param times: so many times; None lasts until `clear`.
        :param effect: gets the request and what would have handled it.
        """
        self._faults.append(_HttpFault(path_prefix, times, effect))

    def clear(self) -> None:
        """Take every fault away; what waits goes on."""
        self._faults.clear()
        self.next_origin = None
        for event in self._waiting:
            event.set()
        self._waiting.clear()

    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Handle a request, or do to it what has been armed."""
        for fault in self._faults:
            if request.path.startswith(fault.path_prefix):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self._faults.remove(fault)
                return await fault.effect(request, handler)
        return await handler(request)

    async def wait(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """An effect: handle the request only once everything is cleared."""
        event = asyncio.Event()
        self._waiting.append(event)
        await event.wait()
        return await handler(request)


async def answer(
    status: int,
    headers: Mapping[str, str],
    text: Optional[str],
    request: web.Request,
    handler: Handler,
) -> web.StreamResponse:
    """An effect, once the first three are given: do not handle the request, answer this."""
    response = web.Response(status=status, headers=headers)
    if text is not None:
        response.headers.setdefault("Content-Type", "application/json")
        response.body = text.encode("utf-8", "surrogatepass")
    return response


async def cut(request: web.Request, handler: Handler) -> web.StreamResponse:
    """An effect: handle the request, and close TCP in the middle of the answer's body."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        response = error
    body = response.body if isinstance(response, web.Response) else None
    if not isinstance(body, bytes):
        return response
    half = web.StreamResponse(status=response.status, headers=response.headers)
    half.content_length = max(len(body), 1)
    await half.prepare(request)
    await half.write(body[:len(body) // 2])
    assert request.transport is not None  # it has just been written to
    request.transport.close()
    return half
