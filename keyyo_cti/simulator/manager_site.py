"""The Manager API on aiohttp: access control, and the resources as HAL documents."""

from __future__ import annotations

from typing import Callable, Dict, Optional, Sequence

from aiohttp import web

from .forms import read_credentials, read_form
from .hal import Resource, Slice, embed, make_document, make_page
from .http_faults import Handler
from .manager import Manager, ManagerError
from .oauth2 import (
    CTI_ADMIN,
    FULL_ACCESS,
    FULL_ACCESS_READ_ONLY,
    Authority,
    BadAccessToken,
    Scopes,
)

PATH = "/manager/1.0"

BARE = "bare"
EMBEDDED = "embedded"
TOKEN_SHAPES = (BARE, EMBEDDED)
"""The forms of a CSI token in a response: a bare object, or a collection of one."""

REASON = "X-Status-Reason"

REQUIRED_SCOPES: Dict[str, str] = {
    "GET": FULL_ACCESS_READ_ONLY,
    "HEAD": FULL_ACCESS_READ_ONLY,
    "POST": CTI_ADMIN,
}
"""The scope that each method needs."""


def _is_sufficient(scopes: Scopes, needed: str) -> bool:
    return needed in scopes or (needed == FULL_ACCESS_READ_ONLY and FULL_ACCESS in scopes)


class ManagerSite:
    """The routes of the Manager API.

    :param manager: the account.
    :param authority: checks access tokens.
    :param page_size: maximum number of items on a page.
    :param token_shape: one of `TOKEN_SHAPES`.
    :param next_origin: returns the origin of links to a next page; None is this server's.
    """

    def __init__(
        self,
        manager: Manager,
        authority: Authority,
        *,
        page_size: int,
        token_shape: str,
        next_origin: Callable[[], Optional[str]],
    ) -> None:
        self._manager = manager
        self._authority = authority
        self._page_size = page_size
        self._token_shape = token_shape
        self._next_origin = next_origin

    def application(self) -> web.Application:
        """Return the aiohttp application to mount at `PATH`."""
        application = web.Application(middlewares=[self._guard])
        service = "/services/{csi}"
        application.add_routes([
            web.get("/services", self._services),
            web.get(service, self._service),
            web.post(service + "/csi_token", self._csi_token),
            web.get(service + "/cti_plugins", self._plugins),
            web.get(service + "/cti_plugins/{name}", self._plugin),
            web.post(service + "/cti_plugins/{name}", self._change_plugin),
            web.get(service + "/sip_records", self._sip_records),
        ])
        return application

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
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
        needed = REQUIRED_SCOPES.get(request.method)
        if needed is not None and not _is_sufficient(scopes, needed):
            raise ManagerError(403, f"The scope {needed} is needed")

    async def _services(self, request: web.Request) -> web.StreamResponse:
        return self._page(request, self._manager.get_services())

    async def _service(self, request: web.Request) -> web.StreamResponse:
        return _respond_with(request, self._manager.get_service(request.match_info["csi"]))

    async def _csi_token(self, request: web.Request) -> web.StreamResponse:
        token = self._manager.mint_token(request.match_info["csi"], await read_form(request))
        if self._token_shape == EMBEDDED:
            return web.json_response({"_embedded": embed([token], _get_base(request))})
        return _respond_with(request, token)

    async def _plugins(self, request: web.Request) -> web.StreamResponse:
        return self._page(request, self._manager.get_plugins(request.match_info["csi"]))

    async def _plugin(self, request: web.Request) -> web.StreamResponse:
        return _respond_with(request, self._manager.get_plugin(**request.match_info))

    async def _change_plugin(self, request: web.Request) -> web.StreamResponse:
        form = await read_form(request)
        return _respond_with(request, self._manager.change_plugin(**request.match_info, form=form))

    async def _sip_records(self, request: web.Request) -> web.StreamResponse:
        return self._page(request, self._manager.get_sip_records(request.match_info["csi"]))

    def _page(self, request: web.Request, resources: Sequence[Resource]) -> web.Response:
        try:
            part = Slice.parse(request.query, self._page_size)
        except ValueError:
            raise ManagerError(400, "limit and offset: expected whole numbers") from None
        base = _get_base(request)
        origin = self._next_origin()
        next_base = base if origin is None else origin + PATH
        # Not decoded. Otherwise a CSI with a slash would become two segments.
        path = request.rel_url.raw_path[len(PATH):]
        return web.json_response(make_page(resources, part, base, path, next_base))


def _get_base(request: web.Request) -> str:
    return f"{request.url.origin()}{PATH}"


def _respond_with(request: web.Request, resource: Resource) -> web.Response:
    return web.json_response(make_document(resource, _get_base(request)))


def _refuse(status: int, reason: str, headers: Optional[Dict[str, str]] = None) -> web.Response:
    return web.json_response(
        {"message": reason}, status=status, headers={**(headers or {}), REASON: reason})
