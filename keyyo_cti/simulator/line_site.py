"""The history and the profiles of lines on aiohttp: a part of the Manager API."""

from __future__ import annotations

from typing import Any, Callable, List, Mapping, Optional, Sequence

from aiohttp import web

from .call_details import IN, OUT, CallDetail, find_month, parse_date
from .call_history import CallHistory
from .clock import Clock
from .forms import read_form
from .hal import Resource
from .manager import Manager, ManagerError
from .profiles import Profiles

Page = Callable[[web.Request, Sequence[Resource], Optional[Mapping[str, str]]], web.Response]
"""Responds with the requested page of a collection; the last argument is the query of links."""

Respond = Callable[[web.Request, Resource], web.Response]

_DATES = ("date_start", "date_end")


class LineSite:
    """The routes of the history and of profiles.

    :param manager: the account.
    :param calls: its history.
    :param profiles: those of its lines.
    :param clock: returns the time in Unix seconds.
    """

    def __init__(
        self, manager: Manager, calls: CallHistory, profiles: Profiles, clock: Clock
    ) -> None:
        self._manager = manager
        self._calls = calls
        self._profiles = profiles
        self._clock = clock

    def make_routes(self, page: Page, respond: Respond) -> List[web.RouteDef]:
        """Return the routes below the path of the Manager API."""
        service = "/services/{csi}"

        def list_calls(direction: str, request: web.Request) -> web.Response:
            found = self._find_calls(request, direction)
            dates = {name: request.query[name] for name in _DATES if name in request.query}
            return page(request, _Resources(found), dates)

        async def incoming(request: web.Request) -> web.StreamResponse:
            return list_calls(IN, request)

        async def outgoing(request: web.Request) -> web.StreamResponse:
            return list_calls(OUT, request)

        async def profiles(request: web.Request) -> web.StreamResponse:
            return page(request, self._profiles.get_all(request.match_info["csi"]), None)

        async def profile(request: web.Request) -> web.StreamResponse:
            return respond(request, self._profiles.get(**request.match_info))

        async def force(request: web.Request) -> web.StreamResponse:
            form = await read_form(request)
            return respond(request, self._profiles.force(**request.match_info, form=form))

        return [
            web.get(service + "/incoming_call_detail", incoming),
            web.get(service + "/outgoing_call_detail", outgoing),
            web.get("/incoming_call_detail", incoming),
            web.get("/outgoing_call_detail", outgoing),
            web.get(service + "/profiles", profiles),
            web.get(service + "/profiles/{identifier}", profile),
            web.post(service + "/profiles/{identifier}", force),
        ]

    def _find_calls(self, request: web.Request, direction: str) -> Sequence[CallDetail]:
        csi: Optional[str] = request.match_info.get("csi")
        if csi is not None:
            self._manager.get_service(csi)
        now = self._clock()
        default = {"date_start": find_month(now), "date_end": now + 1}
        begin, end = (_read_date(request, name, default[name]) for name in _DATES)
        return self._calls.find(csi, direction, begin, end)


def _read_date(request: web.Request, name: str, default: float) -> float:
    if name not in request.query:
        return default
    try:
        # Keyyo reads a plus sign as one.
        if "+" in request.rel_url.raw_query_string:
            raise ValueError("a blank has to be %20")
        return parse_date(request.query[name])
    except ValueError:
        raise ManagerError(400, f"{name}: expected YYYY-MM-DD HH:MM") from None


class _Resources(Sequence[Resource]):
    """Records as resources, made only for the page that is sent."""

    def __init__(self, details: Sequence[CallDetail]) -> None:
        self._details = details

    def __len__(self) -> int:
        return len(self._details)

    def __getitem__(self, place: Any) -> Any:
        return [
            Resource("CallDetailRecord", None, detail.as_fields())
            for detail in self._details[place]
        ]
