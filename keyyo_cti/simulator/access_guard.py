"""Access control by access tokens, on aiohttp."""

from __future__ import annotations

from typing import Dict, Optional

from aiohttp import web

from .forms import read_credentials
from .http_faults import Handler
from .manager import ManagerError
from .oauth2 import (
    CTI_ADMIN,
    FULL_ACCESS,
    FULL_ACCESS_READ_ONLY,
    VOIP_PROFILES_ADMIN,
    Authority,
    BadAccessToken,
    Scopes,
)

REASON = "X-Status-Reason"

REQUIRED_SCOPES: Dict[str, str] = {
    "GET": FULL_ACCESS_READ_ONLY,
    "HEAD": FULL_ACCESS_READ_ONLY,
    "POST": CTI_ADMIN,
}
"""The scope that each method needs."""


def _find_needed(request: web.Request) -> Optional[str]:
    """Return the scope that a request needs, or None for a method without resources."""
    if request.method == "POST" and "/profiles/" in request.path:
        return VOIP_PROFILES_ADMIN
    return REQUIRED_SCOPES.get(request.method)


def _is_sufficient(scopes: Scopes, needed: str) -> bool:
    return needed in scopes or (needed == FULL_ACCESS_READ_ONLY and FULL_ACCESS in scopes)


class AccessGuard:
    """Lets in requests whose access token has the scope that their method needs.

    :param authority: checks access tokens.
    """

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Handle a request with sufficient access, and refuse any other."""
        try:
            self._check_access(request)
            return await handler(request)
        except BadAccessToken as error:
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return _refuse(401, str(error), challenge)
        except ManagerError as error:
            return _refuse(error.status, error.reason)
        except web.HTTPException as error:
            # No route matches: 404, or 405 with the methods that do.
            allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
            return _refuse(error.status, error.reason, allowed)

    def _check_access(self, request: web.Request) -> None:
        token = read_credentials(request, "Bearer")
        if token is None:
            raise BadAccessToken("An access token is needed")
        scopes = self._authority.get_scopes(token)
        needed = _find_needed(request)
        if needed is not None and not _is_sufficient(scopes, needed):
            raise ManagerError(403, f"The scope {needed} is needed")


def _refuse(status: int, reason: str, headers: Optional[Dict[str, str]] = None) -> web.Response:
    return web.json_response(
        {"message": reason}, status=status, headers={**(headers or {}), REASON: reason})
