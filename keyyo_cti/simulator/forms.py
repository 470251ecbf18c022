"""Parts of a request: the form in its body and the credentials in its headers."""

from __future__ import annotations

import base64
from typing import Dict, Optional, Tuple
from urllib.parse import parse_qsl

from aiohttp import web

FORM = "application/x-www-form-urlencoded"


async def read_form(request: web.Request) -> Dict[str, str]:
    """Return the fields of a form-encoded body; none for another content type."""
    if request.content_type != FORM:
        return {}
    body = await request.read()
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def read_credentials(request: web.Request, scheme: str) -> Optional[str]:
    """Return the credentials of an Authorization header with this scheme, or None."""
    found, _, credentials = request.headers.get("Authorization", "").partition(" ")
    return credentials.strip() if found.lower() == scheme.lower() else None


def read_basic_credentials(request: web.Request) -> Optional[Tuple[str, str]]:
    """Return the name and password of HTTP Basic; empty strings if they are malformed."""
    encoded = read_credentials(request, "Basic")
    if encoded is None:
        return None
    try:
        decoded = base64.b64decode(encoded, validate=True).decode("utf-8")
    except ValueError:
        decoded = ""
    name, _, password = decoded.partition(":")
    return name, password
