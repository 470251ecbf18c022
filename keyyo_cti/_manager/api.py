"""Requests to the Manager API, with an access token, retries and pages."""

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
from urllib.parse import quote, urldefrag, urljoin

from .._net import hal, urls
from .._net.cancellation import CancelToken
from .._net.http_request import Bearer, HttpClient, Reply
from .._oauth2.scopes import CTI_ADMIN, FULL_ACCESS_READ_ONLY
from .._oauth2.tokens import Tokens
from ..backoff import Backoff
from ..errors import ManagerError
from .refusals import make_refusal, make_unreadable_error, may_pass, refuses_token
from .request_limit import MAX_WAIT, limit_of

_log = logging.getLogger("keyyo_cti")

#: Limits of one collection: pages, items, and bytes of all pages. Each page is limited too, but a
#: server may always link to another one.
_MAX_PAGES = 1000
_MAX_ITEMS = 100_000
_MAX_COLLECTION_BYTES = 32 * 1024 * 1024

#: An empty collection, as PHP may write it; with status 204, there is no body.
_BARE = (b"[]", b"{}", b"")

#: The pauses before the retries of a request that only reads.
QUERIES = Backoff(attempts=4, first=0.5, longest=30.0, spread=0.5)


class AccessTokens(Protocol):
    """A source of access tokens, such as an ``AccountClient``."""

    def tokens(self) -> Tokens:
        """Return valid tokens."""

    def renewed(self, refused: Tokens) -> Tokens:
        """Return other tokens than the refused ones."""


class _Request(NamedTuple):
    """One request.

    :ivar scope: of the access token that it needs.
    """

    method: str
    url: str
    scope: str
    form: Optional[Mapping[str, str]] = None

    @property
    def repeatable(self) -> bool:
        """True if the request is idempotent."""
        return self.method == "GET"


class _Page(NamedTuple):
    """The items of a page, and the bytes of its response."""

    items: List[hal.Document]
    size: int


class Api:
    """The Manager API of one account. Thread-safe.

    :param account: the source of access tokens.
    :param base_url: without trailing slashes.
    :param http: sends the requests.
    :param backoff: the pauses before the retries of a request that only reads.
    :param wait: called with the seconds of a pause; None for a wait that ``close`` ends.
    :param wall: returns Unix seconds.
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
        self._limit = limit_of(account, base_url)
        self._closed = threading.Event()
        self._closing = CancelToken()
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
        """Return the items of all pages of the collection at a path."""
        found: List[hal.Document] = []
        size = 0
        for page in self._pages(self._get(path), _MAX_PAGES):
            size += page.size
            if size > _MAX_COLLECTION_BYTES:
                most = f"{_MAX_COLLECTION_BYTES} bytes"
                raise make_unreadable_error(f"it has more than {most} in all its pages")
            found.extend(page.items)
            if len(found) > _MAX_ITEMS:
                raise make_unreadable_error(f"it has more than {_MAX_ITEMS} items")
        return found

    def stream(
        self, path: str, parameters: Mapping[str, str], max_pages: int
    ) -> Iterator[List[hal.Document]]:
        """Yield the items of each page of the collection at a path, however large it is."""
        # Not urlencode: the Manager API reads a plus sign as one, not as a blank.
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
        request = self._get(f"{path}?{query}")
        return (page.items for page in self._pages(request, max_pages, may_be_bare=True))

    def post(self, path: str, form: Mapping[str, str], scope: str = CTI_ADMIN) -> Reply:
        """Send a form to a path, and return the successful response.

        :param scope: of the access token that the request needs.
        """
        return self._send(_Request("POST", f"{self._base_url}/{path}", scope, form))

    def close(self) -> None:
        """Cancel the pauses and the pending requests, and refuse others."""
        self._closed.set()
        self._closing.cancel()
        self._http.close()

    def _get(self, path: str) -> _Request:
        return _Request("GET", f"{self._base_url}/{path}", FULL_ACCESS_READ_ONLY)

    def _pages(
        self, request: _Request, max_pages: int, *, may_be_bare: bool = False
    ) -> Iterator[_Page]:
        """Yield each page of a collection.

        :param may_be_bare: True if an empty page may have neither items nor links.
        """
        seen = set()
        for _ in range(max_pages):
            # The fragment is not sent.
            page = urldefrag(request.url).url
            if page in seen:
                raise make_unreadable_error("its pages form a cycle")
            seen.add(page)
            reply = self._send(request)
            if may_be_bare and reply.body.strip() in _BARE:
                return
            document = read_document(reply)
            items = hal.read_items(document)
            if items is None:
                raise make_unreadable_error("it is not a collection")
            yield _Page(items, len(reply.body))
            href = hal.read_next_href(document)
            if href is None:
                return
            request = request._replace(url=_same_origin(request.url, href))
        raise make_unreadable_error(f"it has more than {max_pages} pages")

    def _send(self, request: _Request) -> Reply:
        """Send a request, with retries, and return the successful response."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._send_once(request)
            except ManagerError as error:
                pause = self._backoff.pause(attempt, error.retry_after)
                if not (request.repeatable and may_pass(error)) or pause is None:
                    raise
                _log.debug("%s %s: %s; retry in %.1f s", request.method, request.url, error, pause)
            self._wait(pause)

    def _send_once(self, request: _Request) -> Reply:
        """Send a request once, or twice with a renewed access token, and return the response."""
        tokens = self.tokens()
        reply, credentials = self._exchange(request, tokens)
        if refuses_token(reply):
            # Keyyo did nothing: even a request that is not idempotent can be repeated.
            reply, credentials = self._exchange(request, self._account.renewed(tokens))
        if not reply.ok:
            raise make_refusal(reply, credentials, request.scope, self._wall())
        return reply

    def _exchange(self, request: _Request, tokens: Tokens) -> Tuple[Reply, Bearer]:
        credentials = Bearer(tokens.access_token)
        if credentials.contains_secret(request.url):
            raise make_unreadable_error("the address of its next page shows the access token")
        with self._limit.admit(MAX_WAIT, self._closing):
            reply = self._http.send(request.method, request.url, credentials, request.form)
        return reply, credentials

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise ManagerError(400, "The manager is closed", "closed")


def read_document(reply: Reply) -> hal.Document:
    """Return the JSON object of a response."""
    document = reply.fields()
    if not document:
        raise make_unreadable_error("it is not a JSON object")
    return document


def _same_origin(url: str, href: str) -> str:
    """Return the target of a link, which must be on the same server.

    Otherwise another server would get the access token.
    """
    try:
        target = urljoin(url, href)
        if urls.parse_origin(target) == urls.parse_origin(url):
            return target
    except ValueError:
        pass
    raise make_unreadable_error("its next page would be on another server")
