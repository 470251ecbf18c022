"""The Manager API on aiohttp: access control, and the resources as HAL documents."""

from __future__ import annotations

from typing import Callable, Mapping, Optional, Sequence

from aiohttp import web

from .access_guard import AccessGuard
from .contacts import ContactBook
from .forms import read_form
from .hal import Resource, Slice, embed, make_document, make_page
from .line_site import LineSite
from .manager import Manager, ManagerError
from .oauth2 import Authority

PATH = "/manager/1.0"

BARE = "bare"
EMBEDDED = "embedded"
TOKEN_SHAPES = (BARE, EMBEDDED)
"""The forms of a CSI token in a response: a bare object, or a collection of one."""


class ManagerSite:
    """The routes of the Manager API.

    :param manager: the account.
    :param lines: the routes of the history and of profiles.
    :param contact_book: its directory.
    :param authority: checks access tokens.
    :param page_size: maximum number of items on a page.
    :param token_shape: one of `TOKEN_SHAPES`.
    :param next_origin: returns the origin of links to a next page; None is this server's.
    """

    def __init__(
        self,
        manager: Manager,
        lines: LineSite,
        contact_book: ContactBook,
        authority: Authority,
        *,
        page_size: int,
        token_shape: str,
        next_origin: Callable[[], Optional[str]],
    ) -> None:
        self._manager = manager
        self._lines = lines
        self._contact_book = contact_book
        self._guard = AccessGuard(authority)
        self._page_size = page_size
        self._token_shape = token_shape
        self._next_origin = next_origin

    def application(self) -> web.Application:
        """Return the aiohttp application to mount at `PATH`."""
        application = web.Application(middlewares=[self._guard.check])
        service = "/services/{csi}"
        application.add_routes([
            web.get("/services", self._services),
            web.get("/directory_contacts", self._contacts),
            web.get("/directory_branches", self._branches),
            web.get(service, self._service),
            web.post(service + "/csi_token", self._csi_token),
            web.get(service + "/cti_plugins", self._plugins),
            web.get(service + "/cti_plugins/{name}", self._plugin),
            web.post(service + "/cti_plugins/{name}", self._change_plugin),
            web.get(service + "/sip_records", self._sip_records),
            *self._lines.make_routes(self._page, _respond_with),
        ])
        return application

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

    async def _contacts(self, request: web.Request) -> web.StreamResponse:
        return self._page(request, self._contact_book.get_contacts())

    async def _branches(self, request: web.Request) -> web.StreamResponse:
        return self._page(request, self._contact_book.get_branches())

    def _page(
        self,
        request: web.Request,
        resources: Sequence[Resource],
        query: Optional[Mapping[str, str]] = None,
    ) -> web.Response:
        try:
            part = Slice.parse(request.query, self._page_size)
        except ValueError:
            raise ManagerError(400, "limit and offset: expected whole numbers") from None
        base = _get_base(request)
        origin = self._next_origin()
        next_base = base if origin is None else origin + PATH
        # Not decoded. Otherwise a CSI with a slash would become two segments.
        path = request.rel_url.raw_path[len(PATH):]
        return web.json_response(make_page(resources, part, base, path, next_base, query))


def _get_base(request: web.Request) -> str:
    return f"{request.url.origin()}{PATH}"


def _respond_with(request: web.Request, resource: Resource) -> web.Response:
    return web.json_response(make_document(resource, _get_base(request)))
