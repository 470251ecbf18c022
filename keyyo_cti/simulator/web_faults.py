"""Faults of the web beside the CTI service: OAuth2 and the Manager."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, Mapping, Optional

from .arguments import require_integer, require_text, require_times
from .http_faults import HttpEffect, HttpFaults, answer, cut
from .serving import ServerThread


class WebFaults:
    """The part of `Faults` that is about HTTP requests by their path."""

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
        """Answer requests with something else, and do not perform them.

        :param path_prefix: how their paths begin.
        :param status: the HTTP status, 200 to 599.
        :param headers: for example ``{"Retry-After": "5"}``.
        :param body: a string is sent as it is, anything else as JSON, None not at all.
        :param times: so many times; None until `clear`.
        """
        require_integer(status, "status", 200, 599)
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        self._arm_http(path_prefix, times, partial(answer, status, dict(headers or {}), text))

    def http_garbage(
        self, path_prefix: str, body: str = '{"broken', *, times: Optional[int] = None
    ) -> None:
        """Answer requests with 200 and a body that is no JSON, and do not perform them.

        :param path_prefix: how their paths begin.
        :param body: what is sent, just as it is.
        :param times: so many times; None until `clear`.
        """
        self.http(path_prefix, 200, body=body, times=times)

    def http_slow(self, path_prefix: str, *, times: Optional[int] = None) -> None:
        """Let requests wait; they are performed and answered on `clear`, and not before.

        :param path_prefix: how their paths begin.
        :param times: for so many requests; None for all.
        """
        self._arm_http(path_prefix, times, self._http.wait)

    def http_cut(self, path_prefix: str, *, times: Optional[int] = None) -> None:
        """Perform requests, and close TCP in the middle of the answer's body.

        :param path_prefix: how their paths begin.
        :param times: so many times; None until `clear`.
        """
        self._arm_http(path_prefix, times, cut)

    def foreign_next(self, origin: str = "http://elsewhere.invalid") -> None:
        """Let the Manager's links to a next page lead to another origin, until `clear`.

        :param origin: scheme, host and port, without a trailing slash.
        """
        require_text(origin, "origin")

        def lead() -> None:
            self._http.next_origin = origin

        self._thread.call(lead)

    # Inside

    def _arm_http(self, path_prefix: str, times: Optional[int], effect: HttpEffect) -> None:
        if not require_text(path_prefix, "path_prefix").startswith("/"):
            raise ValueError(f"path_prefix: expected a path, which begins with /; "
                             f"got {path_prefix!r}")
        self._thread.call(self._http.arm, path_prefix, require_times(times), effect)
