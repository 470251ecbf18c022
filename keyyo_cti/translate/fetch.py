"""``fetch``, on requests."""

from __future__ import annotations

import json
import threading
from typing import Any, Callable, Dict, ItemsView, Optional
from urllib.parse import parse_qsl, urlencode

from .helpers.values import js_text
from .page_loop import page
from .promise import Promise

_text: Callable[[Any], str] = js_text


class Response:
    """What a server answered."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self.ok = response.status_code < 400
        self.status = response.status_code
        self.headers = Headers(response.headers)
        self.url = response.url

    def json(self) -> Promise:
        """Return a promise of the body as JSON."""
        return Promise(lambda resolve, reject: resolve(json.loads(self._response.text)))

    def text(self) -> Promise:
        """Return a promise of the body as text."""
        return Promise.resolve(self._response.text)


class URLSearchParams:
    """Names and values, as in the query of a URL.

    :param given: a text such as ``a=1&b=2``, pairs, or an object.
    """

    def __init__(self, given: Any = "") -> None:
        if isinstance(given, str):
            given = parse_qsl(given.lstrip("?"), keep_blank_values=True)
        pairs = given.items() if isinstance(given, dict) else given
        self._pairs = [(str(name), _text(value)) for name, value in pairs]

    def get(self, name: str) -> Optional[str]:
        """Return the first value of a name, or None."""
        return next((value for each, value in self._pairs if each == name), None)

    def has(self, name: str) -> bool:
        """True if a name has a value."""
        return self.get(name) is not None

    def append(self, name: str, value: Any) -> None:
        """Add a value."""
        self._pairs.append((name, _text(value)))

    def set(self, name: str, value: Any) -> None:
        """Set the only value of a name, at the place of its first one."""
        names = [each for each, _ in self._pairs]
        place = names.index(name) if name in names else len(names)
        after = [pair for pair in self._pairs[place + 1:] if pair[0] != name]
        self._pairs[place:] = [(name, _text(value)), *after]

    def delete(self, name: str) -> None:
        """Remove a name."""
        self._pairs = [pair for pair in self._pairs if pair[0] != name]

    def __str__(self) -> str:
        return urlencode(self._pairs)

    toString = __str__


class Headers:
    """Headers of a request, whose names are the same in capitals.

    :param given: an object.
    """

    def __init__(self, given: Any = None) -> None:
        self._kept: Dict[str, str] = {}
        for name, value in (given or {}).items():
            self.set(name, value)

    def get(self, name: str) -> Optional[str]:
        """Return a header, or None."""
        return self._kept.get(name.lower())

    def has(self, name: str) -> bool:
        """True if there is such a header."""
        return name.lower() in self._kept

    def set(self, name: str, value: Any) -> None:
        """Set a header."""
        self._kept[name.lower()] = _text(value)

    append = set

    def delete(self, name: str) -> None:
        """Remove a header."""
        self._kept.pop(name.lower(), None)

    def items(self) -> ItemsView[str, str]:
        """Return the names and the values."""
        return self._kept.items()


_FORM = "application/x-www-form-urlencoded;charset=UTF-8"

#: Seconds that a request may take.
_FETCH_TIMEOUT = 30


def fetch(url: str, options: Any = None) -> Promise:
    """Send a request with ``requests`` in a thread of its own; return a promise of a Response."""
    options = options or {}
    promise = Promise()

    def work() -> None:
        import requests

        try:
            headers, body = Headers(options.get("headers")), options.get("body")
            if isinstance(body, URLSearchParams):
                body = str(body)
                headers.set("Content-Type", headers.get("Content-Type") or _FORM)
            response = requests.request(
                options.get("method", "GET"), str(url), headers=dict(headers.items()), data=body,
                timeout=_FETCH_TIMEOUT,
            )
            answer = Response(response)
        except Exception as error:
            # JavaScript's class, so that `instanceof TypeError` is true.
            failure = TypeError("fetch failed")
            failure.__cause__ = error
            page.end(lambda: promise._reject(failure))
        else:
            page.end(lambda: promise._resolve(answer))

    page.begin()
    threading.Thread(target=work, name="keyyo-cti-fetch", daemon=True).start()
    return promise
