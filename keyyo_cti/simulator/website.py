"""The web beside the CTI service, on the same port: OAuth2 and the Manager API."""

from __future__ import annotations

from collections import deque
from typing import Deque, List, Optional

from aiohttp import web

from . import manager_site, oauth2_site
from .host_filter import Visitors
from .http_faults import Handler, HttpFaults
from .manager import Manager
from .oauth2 import Authority
from .watchers import Watchers

REQUESTS_KEPT = 10_000


class Website:
    """The sites, the faults in front of them, and a record of the requests.

    Everything here belongs to the loop's thread.

    :param watchers: told of each request.
    :param authority: grants and checks access.
    :param manager: the account.
    :param page_size: how many items a page of the Manager has at most.
    :param token_shape: one of `manager_site.TOKEN_SHAPES`.
    :param visitors: decides which hosts and origins are served.
    """

    def __init__(
        self,
        watchers: Watchers,
        authority: Authority,
        manager: Manager,
        *,
        page_size: int,
        token_shape: str,
        visitors: Visitors,
    ) -> None:
        self.authority = authority
        self.faults = HttpFaults()
        self._watchers = watchers
        self._visitors = visitors
        self._requested: Deque[str] = deque(maxlen=REQUESTS_KEPT)
        self.oauth2 = oauth2_site.OAuth2Site(authority)
        self._manager = manager_site.ManagerSite(
            manager,
            authority,
            page_size=page_size,
            token_shape=token_shape,
            next_origin=lambda: self.faults.next_origin,
        )

    def extend(self, application: web.Application) -> None:
        """Add the sites to the application that serves the CTI."""
        application.middlewares.append(self._receive)
        # At the last moment: an answer that streams is sent before its handler returns.
        application.on_response_prepare.append(self._visitors.restrict)
        application.add_subapp(oauth2_site.PATH, self.oauth2.application())
        application.add_subapp(manager_site.PATH, self._manager.application())

    def requested(self, path_prefix: str) -> List[str]:
        """The requests whose path begins so, oldest first: method and path, without a query."""
        return [each for each in self._requested if each.partition(" ")[2].startswith(path_prefix)]

    def nth_requested(self, path_prefix: str, count: int) -> Optional[str]:
        """The request number `count` of these; None when there are fewer."""
        come = self.requested(path_prefix)
        return come[count - 1] if len(come) >= count else None

    @web.middleware
    async def _receive(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = self._visitors.refuse(request)
        if refusal is not None:
            return refusal
        self._requested.append(f"{request.method} {request.path}")
        self._watchers.changed()
        return await self.faults.handle(request, handler)
