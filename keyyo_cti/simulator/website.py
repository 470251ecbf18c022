"""The HTTP services on the port of the CTI: OAuth2, the Manager API and the telephones."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import Deque, List, Optional

from aiohttp import web

from .contacts import ContactBook
from .exchange import Exchange
from .host_filter import HostFilter
from .http_faults import Handler, HttpFaults
from .line_site import LineSite
from .manager import Manager
from .manager_site import PATH as MANAGER_PATH
from .manager_site import ManagerSite
from .oauth2 import Authority
from .oauth2_site import PATH as OAUTH2_PATH
from .oauth2_site import OAuth2Site
from .quota import Quota
from .telephone_site import PATH as TELEPHONE_PATH
from .telephone_site import TelephoneSite
from .watchers import Watchers

MAX_RECORDED_REQUESTS = 10_000


class Website:
    """The HTTP services, their faults and a record of their requests.

    All of it runs on the loop's thread.

    :param watchers: notified of each request.
    :param authority: grants and checks access.
    :param manager: the account.
    :param exchange: the telephones.
    :param lines: the routes of the history and of profiles.
    :param max_requests: requests of the Manager API at the same time; further ones get 429.
    :param page_size: maximum number of items on a page of the Manager API.
    :param token_shape: one of `manager_site.TOKEN_SHAPES`.
    :param host_filter: filters hosts and origins.
    """

    def __init__(
        self,
        watchers: Watchers,
        authority: Authority,
        manager: Manager,
        exchange: Exchange,
        lines: LineSite,
        *,
        page_size: int,
        token_shape: str,
        host_filter: HostFilter,
        max_requests: int,
    ) -> None:
        self.authority = authority
        self.faults = HttpFaults()
        self.contact_book = ContactBook()
        self._watchers = watchers
        self._host_filter = host_filter
        self._quota = Quota(MANAGER_PATH, max_requests)
        self._requested: Deque[str] = deque(maxlen=MAX_RECORDED_REQUESTS)
        self.oauth2 = OAuth2Site(authority)
        self._manager = ManagerSite(
            manager,
            lines,
            self.contact_book,
            authority,
            page_size=page_size,
            token_shape=token_shape,
            next_origin=lambda: self.faults.next_origin,
        )
        self._telephones = TelephoneSite(exchange, authority)

    def extend(self, application: web.Application) -> None:
        """Add the HTTP services to the application of the CTI."""
        application.middlewares.append(self._receive)
        # A signal, because a streamed response is sent before its handler returns.
        application.on_response_prepare.append(self._host_filter.restrict)
        application.add_subapp(OAUTH2_PATH, self.oauth2.application())
        application.add_subapp(MANAGER_PATH, self._manager.application())
        application.add_subapp(TELEPHONE_PATH, self._telephones.application())

    def get_requests(self, path_prefix: str) -> List[str]:
        """Return the requests by the start of their path, as method and path, oldest first."""
        return [each for each in self._requested if each.partition(" ")[2].startswith(path_prefix)]

    def find_request(self, path_prefix: str, count: int) -> Optional[str]:
        """Return request number `count` of these; None if there are fewer."""
        requests = self.get_requests(path_prefix)
        return requests[count - 1] if len(requests) >= count else None

    @web.middleware
    async def _receive(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = self._host_filter.refuse(request)
        if refusal is not None:
            return refusal
        self._requested.append(f"{request.method} {request.path}")
        self._watchers.notify()
        return await self._quota.handle(request, partial(self.faults.handle, handler=handler))
