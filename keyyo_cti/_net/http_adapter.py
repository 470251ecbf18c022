"""``requests`` over our own streams, so that its waits have our ends."""

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
    """A session for one server, each connection of which is a stream.

    A ``requests`` time-out bounds each read, not the whole: a server that trickles could hold
    it for hours, and nothing could interrupt it.

    :param open_stream: gives a new stream to the server; what it raises comes out unchanged
        unless it is an OSError.
    """
    make_session = NoRedirects()
    # The environment's .netrc would add an Authorization header of the user's.
    make_session.trust_env = False
    make_session.headers["Accept-Encoding"] = "identity"
    adapter = _StreamAdapter(open_stream)
    make_session.mount("http://", adapter)
    make_session.mount("https://", adapter)
    return make_session


def make_cookie_header(cookies: RequestsCookieJar, url: str) -> Optional[str]:
    """The ``Cookie`` header for this URL; None without one."""
    return requests.Request("GET", url, cookies=cookies).prepare().headers.get("Cookie")


class NoRedirects(requests.Session):
    """A session that follows no redirect, even where it is only to be looked at."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: a redirect that is not followed would be read to its end all the same."""


class _StreamAdapter(HTTPAdapter):
    def __init__(self, open_stream: Callable[[], Stream]) -> None:
        self._open_stream = open_stream
        self._streams: List[Stream] = []
        super().__init__(max_retries=0)

    def close(self) -> None:
        """Closes the streams too: urllib3 leaves one whose answer was not read to the collector
        of garbage. And empties the pools: urllib3 keeps what is in one until the pool is garbage,
        which it never is if a connection in it leads, by way of us, to an error whose traceback
        leads to the pool."""
        pools = self.poolmanager.pools
        for key in pools.keys():
            pools[key].close()
        super().close()
        while self._streams:
            self._streams.pop().close()

    def send(self, *arguments: Any, **named: Any) -> requests.Response:
        """:raises Encoded: the answer is compressed.
        :raises requests.RequestException: whatever else is wrong with the head of the answer.
        """
        try:
            response = super().send(*arguments, **named)
        except requests.RequestException:
            raise
        except (TypeError, ValueError, LookupError, AttributeError, UserWarning) as error:
            # Python's parser of headers was made for mail, and trips over some of them; its jar of
            # cookies tells of its own faults by a warning, which may be made an error.
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
            # Its stream would stay open until the collector of garbage comes.
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
    """Check that the body is sent as it is, before any of it is read.

    Otherwise two kilobytes of nested gzip would keep the decoder busy for minutes, or fill the
    memory with gigabytes, past every limit of the stream.

    :raises Encoded: it is not.
    """
    headers = response.headers
    content = _codings(headers.get("Content-Encoding"))
    transfer = _codings(headers.get("Transfer-Encoding"))
    if content:
        raise Encoded(f"the answer is compressed ({_bounded(content)}), which was declined")
    if transfer not in ([], ["chunked"]):
        raise Encoded(f"the answer has the transfer encoding {_bounded(transfer)}")


def _codings(header: Optional[str]) -> List[str]:
    """The codings that a header names, without those that change nothing."""
    names = [name.strip().lower() for name in (header or "").split(",")]
    return [name for name in names if name not in ("", "identity")]


def _bounded(codings: List[str]) -> str:
    return repr(", ".join(codings)[:40])


# Classes of the module's own: a class takes more memory than all else that a session holds.
# Their base classes are those of the pools. vcrpy replaces the ones in urllib3.connection: if
# this module were imported inside a cassette, that would record every token.


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


# The class of a pool's connections is a class, because tools that record HTTP, such as vcrpy, ask
# isinstance() of it. Each pool hands its keyword arguments on to its connections.


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure
