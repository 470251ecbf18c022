"""Faults of OAuth2 and the Manager API."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, Mapping, Optional

from .arguments import require_integer, require_seconds, require_text, require_times
from .http_faults import HttpEffect, HttpFaults, cut_response, handle_late, respond
from .serving import ServerThread


class WebFaults:
    """The part of `Faults` for HTTP requests, selected by their path."""

    _thread: ServerThread
    _http: HttpFaults

    def http(
        self,
        path_prefix: str,
        status: int,
        *,
        headers: Optional[Mapping[str, str]] = None,
        body: Any = None,
        times: Optional[int] = None,
    ) -> None:
        """Send another response instead of handling requests.

        :param path_prefix: selects requests whose path starts with it.
        :param status: the HTTP status, 200 to 599.
        :param headers: for example ``{"Retry-After": "5"}``.
        :param body: a string is sent unchanged, None is no body, anything else is sent as JSON.
        :param times: number of requests; None for all until `clear`.
        """
        require_integer(status, "status", 200, 599)
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        self._arm_http(path_prefix, times, partial(respond, status, dict(headers or {}), text))

    def http_garbage(
        self, path_prefix: str, body: str = '{"broken', *, times: Optional[int] = None
    ) -> None:
        """Respond with status 200 and invalid JSON instead of handling requests.

        :param path_prefix: selects requests whose path starts with it.
        :param body: sent unchanged.
        :param times: number of requests; None for all until `clear`.
        """
        self.http(path_prefix, 200, body=body, times=times)

    def http_slow(self, path_prefix: str, *, times: Optional[int] = None) -> None:
        """Hold requests, and handle them only after `clear`.

        :param path_prefix: selects requests whose path starts with it.
        :param times: number of requests; None for all.
        """
        self._arm_http(path_prefix, times, self._http.hold)

    def http_late(self, path_prefix: str, seconds: float, *, times: Optional[int] = None) -> None:
        """Handle requests after some seconds, as Keyyo needs three or four.

        :param path_prefix: selects requests whose path starts with it.
        :param seconds: of the computer's clock.
        :param times: number of requests; None for all until `clear`.
        """
        self._arm_http(
            path_prefix, times, partial(handle_late, require_seconds(seconds, "seconds")))

    def http_cut(self, path_prefix: str, *, times: Optional[int] = None) -> None:
        """Handle requests, and close TCP in the middle of the response.

        :param path_prefix: selects requests whose path starts with it.
        :param times: number of requests; None for all until `clear`.
        """
        self._arm_http(path_prefix, times, cut_response)

    def foreign_next(self, origin: str = "http://elsewhere.invalid") -> None:
        """Let the Manager's links to a next page name another origin, until `clear`.

        :param origin: scheme, host and port, without a trailing slash.
        """
        require_text(origin, "origin")

        def set_origin() -> None:
            self._http.next_origin = origin

        self._thread.call(set_origin)

    # Private

    def _arm_http(self, path_prefix: str, times: Optional[int], effect: HttpEffect) -> None:
        if not require_text(path_prefix, "path_prefix").startswith("/"):
            raise ValueError(f"path_prefix: expected a path that begins with /; "
                             f"got {path_prefix!r}")
        self._thread.call(self._http.add, path_prefix, require_times(times), effect)
