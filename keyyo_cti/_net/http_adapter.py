"""``requests`` over streams, whose deadlines and cancellation it then obeys."""

from functools import partial
from typing import Any, Callable, List, Optional

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from urllib3 import connectionpool
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from .failures import Encoded
from .stream import Stream


def make_session(open_stream: Callable[[], Stream]) -> requests.Session:
    """Return a session for one server, whose connections are streams.

    A timeout of ``requests`` limits each read, not the request. A server that trickles could hold
    the request for hours, without a way to interrupt it.

    :param open_stream: returns a new stream to the server. Its exceptions pass through unchanged,
        except OSError.
    """
    make_session = NoRedirects()
    # Otherwise the user's .netrc would add an Authorization header.
    make_session.trust_env = False
    make_session.headers["Accept-Encoding"] = "identity"
    adapter = _StreamAdapter(open_stream)
    make_session.mount("http://", adapter)
    make_session.mount("https://", adapter)
    return make_session


def make_cookie_header(cookies: RequestsCookieJar, url: str) -> Optional[str]:
    """Return the ``Cookie`` header for a URL, or None."""
    return requests.Request("GET", url, cookies=cookies).prepare().headers.get("Cookie")


class NoRedirects(requests.Session):
    """A session that ignores redirects."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None. Otherwise requests would read the body of a redirect that it ignores."""


class _StreamAdapter(HTTPAdapter):
    def __init__(self, open_stream: Callable[[], Stream]) -> None:
        self._open_stream = open_stream
        self._streams: List[Stream] = []
        super().__init__(max_retries=0)

    def close(self) -> None:
        """Close the pools and the streams.

        urllib3 leaves a stream whose response was not read to the garbage collector. Its pools
        keep their connections, one of which may refer, through an error's traceback, to the pool.
        """
        pools = self.poolmanager.pools
        for key in pools.keys():
            pools[key].close()
        super().close()
        while self._streams:
            self._streams.pop().close()

    def send(self, *arguments: Any, **named: Any) -> requests.Response:
        """Send a request, and check the head of the response.

        :raises Encoded: the response is compressed.
        :raises requests.RequestException: any other error.
        """
        try:
            response = super().send(*arguments, **named)
        except requests.RequestException:
            raise
        except (TypeError, ValueError, LookupError, AttributeError, UserWarning) as error:
            # Python's header parser, made for mail, fails on some headers. Its cookie jar reports
            # its own bugs as a warning, which a program may turn into an error.
            raise requests.exceptions.InvalidHeader(type(error).__name__) from error
        try:
            _refuse_encodings(response)
        except Encoded:
            response.close()
            raise
        return response

    def build_response(self, req: Any, resp: Any) -> requests.Response:
        try:
            return super().build_response(req, resp)
        except BaseException:
            # Otherwise its stream would stay open until garbage collection.
            resp.close()
            raise

    def _open(self) -> Stream:
        stream = self._open_stream()
        self._streams.append(stream)
        return stream

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_PlainPool, open_stream=self._open),
            "https": partial(_SecurePool, open_stream=self._open),
        }


def _refuse_encodings(response: requests.Response) -> None:
    """Check that the body is not encoded, before any of it is read.

    Otherwise two kilobytes of nested gzip would keep the decoder busy for minutes, or expand to
    gigabytes, past every limit of the stream.

    :raises Encoded: it is encoded.
    """
    headers = response.headers
    content = _codings(headers.get("Content-Encoding"))
    transfer = _codings(headers.get("Transfer-Encoding"))
    if content:
        raise Encoded(f"the answer is compressed ({_bounded(content)}), which was declined")
    if transfer not in ([], ["chunked"]):
        raise Encoded(f"the answer has the transfer encoding {_bounded(transfer)}")


def _codings(header: Optional[str]) -> List[str]:
    """Return the codings of a header, except identity."""
    names = [name.strip().lower() for name in (header or "").split(",")]
    return [name for name in names if name not in ("", "identity")]


def _bounded(codings: List[str]) -> str:
    return repr(", ".join(codings)[:40])


# Classes at module level: a class for each session would take more memory than the session.
# The base classes are those of the pools, because vcrpy replaces the ones in urllib3.connection.
# Otherwise a cassette in which this module is imported would record every token.


class _OnStream:
    """A connection that speaks on a stream of ours."""

    # Otherwise a program that sets http.client's own prints every request, tokens included.
    debuglevel = 0

    def __init__(self, open_stream: Callable[[], Stream], **named: Any) -> None:
        super().__init__(**named)
        self._open_stream = open_stream

    def connect(self) -> None:
        self.sock = self._open_stream()


class _Plain(_OnStream, connectionpool.HTTPConnection):  # type: ignore[name-defined,misc]
    pass


class _Secure(_OnStream, connectionpool.HTTPSConnection):  # type: ignore[name-defined,misc]
    def connect(self) -> None:
        super().connect()
        self.is_verified = True


# Real classes, because tools that record HTTP, such as vcrpy, call isinstance() with them. Each
# pool passes its keyword arguments to its connections.


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure
