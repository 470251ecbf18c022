"""The telephones of the simulator, operated over HTTP. Keyyo has nothing like it."""

from __future__ import annotations

from typing import Mapping

from aiohttp import web

from .access_guard import AccessGuard
from .errors import NotPossible
from .exchange import Exchange
from .forms import read_form
from .manager import ManagerError
from .numbers import is_number
from .oauth2 import Authority

PATH = "/simulator"


class TelephoneSite:
    """The routes for programs in other processes, such as the command line.

    They need an access token. Otherwise any web page could let telephones ring.

    :param exchange: the telephones.
    :param authority: checks access tokens.
    """

    def __init__(self, exchange: Exchange, authority: Authority) -> None:
        self._exchange = exchange
        self._guard = AccessGuard(authority)

    def application(self) -> web.Application:
        """Return the aiohttp application to mount at `PATH`."""
        application = web.Application(middlewares=[self._guard.check])
        application.add_routes([
            web.post("/call", self._call),
            web.post("/hang_up", self._hang_up),
        ])
        return application

    async def _call(self, request: web.Request) -> web.StreamResponse:
        form = await read_form(request)
        caller, callee = _read_number(form, "caller"), _read_number(form, "callee")
        try:
            call = self._exchange.call_by_hand(self._exchange.get_subscriber(caller), callee)
        except NotPossible as error:
            raise ManagerError(409, str(error)) from None
        return web.json_response({"callref": call.record.callref})

    async def _hang_up(self, request: web.Request) -> web.StreamResponse:
        caller = _read_number(await read_form(request), "caller")
        try:
            self._exchange.hang_up(self._exchange.get_subscriber(caller))
        except NotPossible as error:
            raise ManagerError(409, str(error)) from None
        return web.json_response({})


def _read_number(form: Mapping[str, str], name: str) -> str:
    number = form.get(name, "")
    if not is_number(number):
        raise ManagerError(400, f"{name}: expected 2 to 15 digits")
    return number
