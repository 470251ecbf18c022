"""Requests to the Manager API: with an access token, repeated after failures, page by page."""

import logging
import threading
from typing import (
    Callable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Protocol,
    Tuple,
)
from urllib.parse import urldefrag, urljoin

from .._net import hal, urls
from .._net.http_request import Bearer, HttpClient, Reply
from .._oauth2.scopes import CTI_ADMIN, FULL_ACCESS_READ_ONLY
from .._oauth2.tokens import Tokens
from ..backoff import Backoff
from ..errors import ManagerError
from .refusals import may_pass, refusal, refuses_token, unreadable

_log = logging.getLogger("keyyo_cti")

#: What one collection may have: pages, items, and bytes of all its pages. Each page is bounded
#: too, but not their sum, and a server may always link to one more.
_MAX_PAGES = 1000
_MAX_ITEMS = 100_000
_MAX_COLLECTION_BYTES = 32 * 1024 * 1024

#: The pauses before what only reads is asked again.
QUERIES = Backoff(attempts=4, first=0.5, longest=30.0, spread=0.5)


class AccessTokens(Protocol):
    """Who has access tokens: an ``AccountClient``."""

    def tokens(self) -> Tokens:
        """Good ones."""

    def renewed(self, refused: Tokens) -> Tokens:
        """Others than these."""


class _Request(NamedTuple):
    """What is asked.

    :ivar scope: that the access token needs.
    """

    method: str
    url: str
    scope: str
    form: Optional[Mapping[str, str]] = None

    @property
    def repeatable(self) -> bool:
        """Whether asking twice is the same as asking once."""
        return self.method == "GET"


class Api:
    """The Manager API of one account. Thread-safe.

    :param account: gives access tokens.
    :param base_url: without trailing slashes.
    :param http: sends the requests.
    :param backoff: the pauses before a request that only reads is repeated.
    :param wait: waits for some seconds; None for a wait that ``close`` ends.
    :param wall: the clock, in Unix seconds.
    """

    def __init__(
        self,
        account: AccessTokens,
        base_url: str,
        http: HttpClient,
        backoff: Backoff,
        wait: Optional[Callable[[float], object]],
        wall: Callable[[], float],
    ) -> None:
        self._account = account
        self._base_url = base_url
        self._http = http
        self._backoff = backoff
        self._closed = threading.Event()
        self._wait = wait or self._closed.wait
        self._wall = wall

    def tokens(self) -> Tokens:
        """Return the tokens of the account."""
        self._check_open()
        return self._account.tokens()

    def get(self, path: str) -> hal.Document:
        """Return the JSON object at a path."""
        return read_document(self._send(self._get(path)))

    def get_all(self, path: str) -> List[hal.Document]:
        """Return the items of the collection at a path, of all its pages."""
        return [item for page in self._pages(self._get(path)) for item in page]

    def post(self, path: str, form: Mapping[str, str]) -> Reply:
        """Send a form to a path, and return the answer, whose status is a success."""
        return self._send(_Request("POST", f"{self._base_url}/{path}", CTI_ADMIN, form))

    def close(self) -> None:
        """End every pause and every request at once, and send no other."""
        self._closed.set()
        self._http.close()

    def _get(self, path: str) -> _Request:
        return _Request("GET", f"{self._base_url}/{path}", FULL_ACCESS_READ_ONLY)

    def _pages(self, request: _Request) -> Iterator[List[hal.Document]]:
        """The items of a collection, page by page."""
        seen, count, size = set(), 0, 0
        for _ in range(_MAX_PAGES):
            # What comes after "#" is not sent.
            page = urldefrag(request.url).url
            if page in seen:
                raise unreadable("its pages go in a circle")
            seen.add(page)
            reply = self._send(request)
            size += len(reply.body)
            if size > _MAX_COLLECTION_BYTES:
                most = f"{_MAX_COLLECTION_BYTES} bytes"
                raise unreadable(f"it has more than {most} in all its pages")
            document = read_document(reply)
            items = hal.read_items(document)
            if items is None:
                raise unreadable("it is no collection")
            count += len(items)
            if count > _MAX_ITEMS:
                raise unreadable(f"it has more than {_MAX_ITEMS} items")
            yield items
            href = hal.read_next_href(document)
            if href is None:
                return
            request = request._replace(url=_same_origin(request.url, href))
        raise unreadable(f"it has more than {_MAX_PAGES} pages")

    def _send(self, request: _Request) -> Reply:
        """The good answer to a request, however often it was asked."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._send_once(request)
            except ManagerError as error:
                pause = self._backoff.pause(attempt, error.retry_after)
                if not (request.repeatable and may_pass(error)) or pause is None:
                    raise
                _log.debug("%s %s: %s; again in %.1f s", request.method, request.url, error, pause)
            self._wait(pause)

    def _send_once(self, request: _Request) -> Reply:
        """The good answer to a request that is asked once; twice, if its access token could be
        replaced."""
        tokens = self.tokens()
        reply, credentials = self._exchange(request, tokens)
        if refuses_token(reply):
            # Nothing was done: whatever it is, it can be asked again.
            reply, credentials = self._exchange(request, self._account.renewed(tokens))
        if not reply.ok:
            raise refusal(reply, credentials, request.scope, self._wall())
        return reply

    def _exchange(self, request: _Request, tokens: Tokens) -> Tuple[Reply, Bearer]:
        credentials = Bearer(tokens.access_token)
        if credentials.contains_secret(request.url):
            raise unreadable("the address of its next page shows the access token")
        reply = self._http.send(request.method, request.url, credentials, request.form)
        return reply, credentials

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise ManagerError(400, "The manager is closed", "closed")


def read_document(reply: Reply) -> hal.Document:
    """Return the JSON object in an answer."""
    document = reply.fields()
    if not document:
        raise unreadable("it is no JSON object")
    return document


def _same_origin(url: str, href: str) -> str:
    """Where a link on a page leads, if that is the same server: another must not be shown the
    access token."""
    try:
        target = urljoin(url, href)
        if urls.parse_origin(target) == urls.parse_origin(url):
            return target
    except ValueError:
        pass
    raise unreadable("its next page would be on another server")
