"""Refused requests, in the form of sockjs-node."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from .headers import TEXT


def make_refusal_middleware(base: str) -> Middleware:
    """Return a middleware that sends refusals below `base` in the form of sockjs-node.

    Status 405 has no body. Any other refusal is UTF-8 text.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPMethodNotAllowed as refusal:
            if not _is_below(base, request.path):
                raise
            return web.Response(status=refusal.status, headers={"Allow": refusal.headers["Allow"]})
        except web.HTTPException as refusal:
            if not _is_below(base, request.path):
                raise
            return web.Response(status=refusal.status, text=refusal.text, headers=TEXT)

    return middleware


def _is_below(base: str, path: str) -> bool:
    return path == base or path.startswith(base + "/")
