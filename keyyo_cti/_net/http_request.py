"""HTTP requests to Keyyo, with a timeout, over TLS, and with hidden secrets.

Secrets enter a request only as its credentials. No URL, log or error of ``requests`` contains
them, and they are redacted in the server's words.
"""

import json
import os
import re
import socket
import ssl
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Mapping, Optional, Union
from urllib.parse import quote, quote_plus

import requests
import urllib3
from requests.auth import AuthBase

from . import http_adapter, urls
from .cancellation import CancelToken
from .clock import monotonic
from .connect import ConnectFailed, Connector
from .failures import Encoded, describe_failure, network_error
from .json_text import parse_json
from .stream import EarlyBytes, Stream, TooLarge
from .text import plain
from .tls import NoAuthorities

_HIDDEN = "<hidden>"

#: Minimum length of a secret. A shorter one was typed by mistake, and would match in every word.
_MIN_SECRET_LENGTH = 6

#: Maximum length of the server's words in an error.
_MAX_REDACTED_LENGTH = 300

#: Seconds.
_MAX_TIMEOUT = 1_000_000

#: Bytes of a response, and of one read.
_MAX_BODY_BYTES = 8 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_MAX_HEADER_BYTES = 64 * 1024

#: The ``error_code`` of a server that could not prove its identity. This error is permanent.
UNTRUSTED = "untrusted"

#: RFC 6750 allows fewer characters. A line break would start another header, and ``http.client``
#: shows a header that it refuses.
_TOKEN = re.compile(r"[\x21-\x7e]+")


class Credentials(AuthBase):
    """The credentials of a request.

    Every request has an instance. Otherwise ``requests`` would take a password from ``.netrc``,
    and send another service's to Keyyo.

    :param secrets: to be redacted.
    """

    def __init__(self, *secrets: str) -> None:
        # Also as encoded in a form or a URL, of which a server may repeat a part.
        looks = {
            look for secret in secrets for look in (secret, quote(secret, ""), quote_plus(secret))
        }
        longest_first = sorted(looks, key=len, reverse=True)
        patterns = [re.escape(look) for look in longest_first if len(look) >= _MIN_SECRET_LENGTH]
        self._pattern = re.compile("|".join(patterns) or "(?!)", re.IGNORECASE)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request

    def redact(self, text: str) -> str:
        """Return a text without the secrets, printable, shortened, on one line."""
        return plain(" ".join(self._pattern.sub(_HIDDEN, text).split())[:_MAX_REDACTED_LENGTH])

    def contains_secret(self, text: str) -> bool:
        """Return True if a text contains one of the secrets."""
        return self._pattern.search(text) is not None


class Bearer(Credentials):
    """An access token, in the ``Authorization`` header.

    :param access_token: visible ASCII characters.
    """

    def __init__(self, access_token: str) -> None:
        super().__init__(access_token)
        self._access_token = access_token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._access_token}"
        return request


class SecretForm(Credentials):
    """A form that is secret as a whole.

    :param form: form-encoded.
    :param secrets: the secrets of the form, not encoded.
    """

    def __init__(self, form: str, *secrets: str) -> None:
        super().__init__(*secrets)
        self._form = form

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Content-Type"] = "application/x-www-form-urlencoded"
        request.body = self._form
        return request


@dataclass(frozen=True)
class Reply:
    """A response, of any status.

    :ivar status: the HTTP status.
    :ivar reason: the HTTP reason phrase.
    :ivar headers: by name, in any case.
    :ivar body: may contain secrets.
    """

    status: int
    reason: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        """True if the status is 2xx."""
        return 200 <= self.status < 300

    def fields(self) -> Dict[str, Any]:
        """Return the JSON object of the body; an empty one if there is none."""
        try:
            encoding = json.detect_encoding(self.body)
            document = parse_json(self.body.decode(encoding, "surrogatepass"))
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}


class HttpClient:
    """A thread-safe HTTP client, whose requests share no connection and no cookie.

    :param error: makes the exception for a request without a response, from a status, a message,
        an error code, and an optional hint.
    :param timeout: seconds for one request.
    :param ca_certs: file or folder of the trusted certificate authorities; None for those of the
        environment, else certifi's.
    :param reads_body: False to leave the body of a reply empty. A body that is long or slow then
        does no harm.
    """

    def __init__(
        self,
        error: Callable[..., Exception],
        timeout: float,
        ca_certs: Union[str, "os.PathLike[str]", None],
        reads_body: bool = True,
    ) -> None:
        number = isinstance(timeout, (int, float)) and not isinstance(timeout, bool)
        if not (number and 0 < timeout <= _MAX_TIMEOUT):
            raise TypeError(f"timeout: expected a number above 0, at most {_MAX_TIMEOUT}")
        self._error = error
        self._timeout = timeout
        if ca_certs is not None and not os.path.exists(ca_certs):
            raise ValueError(f"ca_certs: there is no file or folder {os.fspath(ca_certs)!r}")
        self._ca_certs = None if ca_certs is None else os.fspath(ca_certs)
        self._reads_body = reads_body
        self._cancel_token = CancelToken()

    def close(self) -> None:
        """Cancel the pending requests, and refuse others."""
        self._cancel_token.cancel()

    def send(
        self,
        method: str,
        url: str,
        credentials: Credentials,
        form: Optional[Mapping[str, str]] = None,
    ) -> Reply:
        """Send a request, without following redirects, which could lead to another server.

        :raises Exception: there is no response; ``error`` makes it.
        """
        until = monotonic() + self._timeout
        connectors: List[Connector] = []
        streams: List[Stream] = []

        def open_stream() -> Stream:
            connectors.append(self._make_connector(url))
            # ``requests`` itself limits each wait, but not their sum.
            streams.append(connectors[-1].open(until, _MAX_BODY_BYTES + _MAX_HEADER_BYTES))
            return streams[-1]

        try:
            with http_adapter.make_session(open_stream) as session:
                response = session.request(
                    method,
                    url,
                    data=form,
                    headers={"Accept": "application/json"},
                    auth=credentials,
                    allow_redirects=False,
                    stream=True,
                )
                body = _body(response) if self._reads_body else b""
            reason = response.reason or "Unknown"
            return Reply(response.status_code, reason, response.headers, body)
        except (requests.RequestException, urllib3.exceptions.HTTPError, ConnectFailed, TooLarge,
                OSError) as error:
            for connector in connectors:
                connector.distrust()
            failure = self._no_answer(error, url, streams)
        # Outside the except clause: the error of requests refers to the request and its secrets.
        raise failure

    def _make_connector(self, url: str) -> Connector:
        origin = urls.parse_origin(url)
        return Connector(origin, self._ca_certs, self._cancel_token, self._timeout, monotonic)

    def _no_answer(
        self, error: BaseException, url: str, streams: List[Stream]
    ) -> Exception:
        where = urls.parse_origin(url).host
        if self._cancel_token.cancelled:
            return self._error(400, "Closed meanwhile", "closed")
        if isinstance(error, TooLarge):
            return self._error(
                502,
                f"The answer of {where} is larger than {_MAX_BODY_BYTES} bytes",
                "unreadable",
                "check the URL",
            )
        cause = _cause(error)
        if isinstance(cause, Encoded):
            unreadable = f"The answer of {where} cannot be read: {cause}"
            return self._error(502, unreadable, "unreadable", "check the URL")
        connected = not isinstance(error, (requests.ConnectTimeout, ConnectFailed))
        if connected and isinstance(cause, (requests.ReadTimeout, socket.timeout)):
            return self._error(
                408,
                f"No answer from {where} within {self._timeout:g} s",
                "timeout",
                "the server may have handled the request: check before you repeat it",
            )
        why = describe_failure(cause, ended=bool(streams) and streams[-1].ended)
        untrusted = isinstance(cause, (ssl.SSLError, NoAuthorities, EarlyBytes))
        code = UNTRUSTED if untrusted else "unreachable"
        return self._error(503, f"{where} cannot be reached: {why}", code, _hint(cause))


def _body(response: requests.Response) -> bytes:
    body = bytearray()
    for piece in response.iter_content(_CHUNK_BYTES):
        body += piece
        if len(body) > _MAX_BODY_BYTES:
            raise TooLarge
    return bytes(body)


def check_url(name: str, url: str, allow_http: bool = False) -> str:
    """Return a URL that secrets may be sent to, without trailing slashes.

    :param name: of the argument, for errors.
    :param allow_http: True if http to another machine is allowed.
    :raises ValueError: it is not a URL, or http to another machine.
    """
    try:
        return urls.check_secure(url, allow_http)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def is_token(token: Any) -> bool:
    """Return True if a value can be sent as a token in a header."""
    return isinstance(token, str) and _TOKEN.fullmatch(token) is not None


def _cause(error: BaseException) -> BaseException:
    """Return the network's error behind this one, else this one."""
    if isinstance(error, ConnectFailed):
        return error.cause
    return network_error(error) or error


def _hint(cause: BaseException) -> str:
    if isinstance(cause, EarlyBytes):
        return "check the proxy and the network: one of them responded in place of the server"
    if isinstance(cause, NoAuthorities):
        return "check ca_certs, REQUESTS_CA_BUNDLE and SSL_CERT_FILE"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            "if a company proxy replaces certificates, pass its CA in ca_certs; otherwise the "
            "connection may be intercepted"
        )
    return "check the network, the URL, and the proxy if there is one"
