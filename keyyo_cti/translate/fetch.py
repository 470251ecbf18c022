"""``fetch``, on requests."""

from __future__ import annotations

import json
import threading
from typing import Any

from .page_loop import page
from .promise import Promise


class Response:
    """What a server answered."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self.ok = response.status_code < 400
        self.status = response.status_code
        self.headers = response.headers
        self.url = response.url

    def json(self) -> Promise:
        """Return a promise of the body as JSON."""
        return Promise(lambda resolve, reject: resolve(json.loads(self._response.text)))

    def text(self) -> Promise:
        """Return a promise of the body as text."""
        return Promise.resolve(self._response.text)


#: Seconds that a request may take.
_FETCH_TIMEOUT = 30


def fetch(url: str, options: Any = None) -> Promise:
    """Send a request with ``requests`` in a thread of its own; return a promise of a Response."""
    options = options or {}
    promise = Promise()

    def work() -> None:
        import requests

        try:
            response = requests.request(
                options.get("method", "GET"), url, headers=options.get("headers"),
                data=options.get("body"), timeout=_FETCH_TIMEOUT,
            )
            answer = Response(response)
        except Exception as error:
            failure = error
            page.end(lambda: promise._reject(failure))
        else:
            page.end(lambda: promise._resolve(answer))

    page.begin()
    threading.Thread(target=work, name="keyyo-cti-fetch", daemon=True).start()
    return promise
