"""Faults of HTTP requests; all of them run on the loop's thread."""

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
    """Faults by the path of a request; the first that matches applies."""

    def __init__(self) -> None:
        self._faults: List[_HttpFault] = []
        self._waiting: List[asyncio.Event] = []
        self.next_origin: Optional[str] = None

    def add(self, path_prefix: str, times: Optional[int], effect: HttpEffect) -> None:
        """Add an effect that replaces the handling of requests.

        :param path_prefix: selects requests whose path starts with it.
        :param times: number of requests; None for all until `clear`.
        :param effect: receives the request and its original handler.
        """
        self._faults.append(_HttpFault(path_prefix, times, effect))

    def clear(self) -> None:
        """Remove every fault; held requests continue."""
        self._faults.clear()
        self.next_origin = None
        for event in self._waiting:
            event.set()
        self._waiting.clear()

    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Handle a request, or apply the first fault that matches it."""
        for fault in self._faults:
            if request.path.startswith(fault.path_prefix):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self._faults.remove(fault)
                return await fault.effect(request, handler)
        return await handler(request)

    async def hold(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Handle the request after the next `clear` (an effect)."""
        event = asyncio.Event()
        self._waiting.append(event)
        await event.wait()
        return await handler(request)


async def respond(
    status: int,
    headers: Mapping[str, str],
    text: Optional[str],
    request: web.Request,
    handler: Handler,
) -> web.StreamResponse:
    """Send this response instead of handling the request (an effect with `partial`)."""
    response = web.Response(status=status, headers=headers)
    if text is not None:
        response.headers.setdefault("Content-Type", "application/json")
        response.body = text.encode("utf-8", "surrogatepass")
    return response


async def handle_late(
    seconds: float, request: web.Request, handler: Handler
) -> web.StreamResponse:
    """Handle the request after some seconds (an effect with `partial`)."""
    await asyncio.sleep(seconds)
    return await handler(request)


async def cut_response(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Handle the request, and close TCP in the middle of the response (an effect)."""
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
    assert request.transport is not None  # the response has just been written to it
    request.transport.close()
    return half
