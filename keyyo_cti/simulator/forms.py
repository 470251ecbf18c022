"""What a request carries: a form in its body, credentials in its Authorization header."""

from __future__ import annotations

import base64
from typing import Dict, Optional, Tuple
from urllib.parse import parse_qsl

from aiohttp import web

FORM = "application/x-www-form-urlencoded"


async def form_of(request: web.Request) -> Dict[str, str]:
    """The fields of a form-encoded body; none when it is anything else."""
    if request.content_type != FORM:
        return {}
    body = await request.read()
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def credentials_of(request: web.Request, scheme: str) -> Optional[str]:
    """What the Authorization header says for `scheme`; None when it is missing or another's."""
    found, _, credentials = request.headers.get("Authorization", "").partition(" ")
    return credentials.strip() if found.lower() == scheme.lower() else None


def basic_credentials_of(request: web.Request) -> Optional[Tuple[str, str]]:
    """Name and password of HTTP Basic; empty ones when they cannot be read."""
    encoded = credentials_of(request, "Basic")
    if encoded is None:
        return None
    try:
        decoded = base64.b64decode(encoded, validate=True).decode("utf-8")
    except ValueError:
        decoded = ""
    name, _, password = decoded.partition(":")
    return name, password
