"""How SockJS says that it refuses a request."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from .headers import TEXT


def say_refusals_like_sockjs(base: str) -> Middleware:
    """Return a middleware that puts aiohttp's refusals below `base` into SockJS's form.

    A method that is not allowed gets no body. Any other refusal is text in UTF-8.
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
