"""The quota of the Manager API, on aiohttp."""

from __future__ import annotations

from aiohttp import web

from .access_guard import REASON
from .http_faults import Handler

RETRY_AFTER = "1"
"""Seconds."""


class Quota:
    """Refuses requests beyond a number at the same time.

    :param path_prefix: counts only requests whose path starts with it.
    :param most: the number.
    """

    def __init__(self, path_prefix: str, most: int) -> None:
        self._path_prefix = path_prefix
        self._most = most
        self._inside = 0

    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Handle a request, or refuse it with status 429."""
        if not request.path.startswith(self._path_prefix):
            return await handler(request)
        if self._inside >= self._most:
            reason = "Too many requests at the same time"
            headers = {REASON: reason, "Retry-After": RETRY_AFTER}
            return web.json_response({"message": reason}, status=429, headers=headers)
        self._inside += 1
        try:
            return await handler(request)
        finally:
            self._inside -= 1
