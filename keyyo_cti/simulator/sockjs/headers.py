"""What sockjs-node says in its headers, to browsers, caches and balancers of load."""

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

# As it came: decoded, it could hold what no header may.
_JSESSIONID = re.compile(r"(?:^|;)\s*JSESSIONID=([^;]+)")
_A_YEAR = 365 * 24 * 60 * 60


def cors(request: web.Request) -> Dict[str, str]:
    """Let the page that asks read the answer, with cookies if it says where it is from."""
    origin = request.headers.get("Origin")
    headers = {"Access-Control-Allow-Origin": origin or "*", "Vary": "Origin"}
    if origin:
        headers["Access-Control-Allow-Credentials"] = "true"
    asked = request.headers.get("Access-Control-Request-Headers")
    if asked:
        headers["Access-Control-Allow-Headers"] = asked
    return headers


def sticky(request: web.Request) -> Dict[str, str]:
    """The cookie by which a balancer finds the server again: the one that came, or a dummy."""
    came = _JSESSIONID.search(request.headers.get("Cookie", ""))
    return {"Set-Cookie": f"JSESSIONID={came.group(1) if came else 'dummy'}; path=/"}


def preflight(
    request: web.Request, methods: Sequence[str], more: Mapping[str, str]
) -> web.Response:
    """The answer to a browser that asks whether it may ask."""
    return web.Response(status=204, headers={
        **more,
        **cors(request),
        "Cache-Control": f"public, max-age={_A_YEAR}",
        "Expires": formatdate(time() + _A_YEAR, usegmt=True),
        "Access-Control-Allow-Methods": ", ".join(methods),
        "Access-Control-Max-Age": str(_A_YEAR),
    })
