"""The HTTP headers of sockjs-node for browsers, caches and load balancers."""

from __future__ import annotations

import re
from email.utils import formatdate
from time import time
from typing import Dict, Mapping, Sequence

from aiohttp import web

GET_METHODS = ("OPTIONS", "GET")
POST_METHODS = ("OPTIONS", "POST")

UNCACHED = {"Cache-Control": "no-store, no-cache, no-transform, must-revalidate, max-age=0"}
SCRIPT = {"Content-Type": "application/javascript; charset=UTF-8"}
JSON = {"Content-Type": "application/json; charset=UTF-8"}
TEXT = {"Content-Type": "text/plain; charset=UTF-8"}

# Not decoded. Otherwise the cookie could contain characters that a header must not have.
_JSESSIONID = re.compile(r"(?:^|;)\s*JSESSIONID=([^;]+)")
_YEAR_SECONDS = 365 * 24 * 60 * 60


def make_cors_headers(request: web.Request) -> Dict[str, str]:
    """Return headers that let any page read the response, with cookies if it sends ``Origin``."""
    origin = request.headers.get("Origin")
    headers = {"Access-Control-Allow-Origin": origin or "*", "Vary": "Origin"}
    if origin:
        headers["Access-Control-Allow-Credentials"] = "true"
    asked = request.headers.get("Access-Control-Request-Headers")
    if asked:
        headers["Access-Control-Allow-Headers"] = asked
    return headers


def make_sticky_cookie(request: web.Request) -> Dict[str, str]:
    """Return the cookie of a load balancer: the client's own, or a dummy."""
    match = _JSESSIONID.search(request.headers.get("Cookie", ""))
    return {"Set-Cookie": f"JSESSIONID={match.group(1) if match else 'dummy'}; path=/"}


def make_preflight_response(
    request: web.Request, methods: Sequence[str], more: Mapping[str, str]
) -> web.Response:
    """Return the response to a CORS preflight request."""
    return web.Response(status=204, headers={
        **more,
        **make_cors_headers(request),
        "Cache-Control": f"public, max-age={_YEAR_SECONDS}",
        "Expires": formatdate(time() + _YEAR_SECONDS, usegmt=True),
        "Access-Control-Allow-Methods": ", ".join(methods),
        "Access-Control-Max-Age": str(_YEAR_SECONDS),
    })
