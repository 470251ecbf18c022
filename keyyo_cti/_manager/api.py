"""Keyyo's Manager API: the lines of an account, and what CTI needs of them. Blocking."""

import logging
import os
import threading
from dataclasses import dataclass, field
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Protocol,
    Tuple,
    Union,
    cast,
)
from urllib.parse import quote, urldefrag, urljoin

from .._net import hal, urls
from .._net.clock import as_seconds, wall_clock
from .._net.http_request import Bearer, Reply, Web, checked_url
from .._oauth2.answers import CTI_ADMIN, FULL_ACCESS_READ_ONLY, SCOPES
from .._oauth2.tokens import Tokens
from ..backoff import Backoff
from ..errors import invalid_params
from ..results import LineInfo, PluginInfo, Result, wrap
from .refusals import ManagerError as ManagerError
from .refusals import hint, may_pass, refusal, unreadable

_log = logging.getLogger("keyyo_cti")

BASE_URL = "https://api.keyyo.com/manager/1.0"

WEBSOCKET = "websocket"

#: The type of service that is a telephone line.
_LINE = "UCaaSVoIPAccount"

#: Seconds that a CSI token lives, where Keyyo does not say.
_TOKEN_LIFE = 3600.0

#: What one collection may have: pages, items, and bytes of all its pages. Each page is bounded
#: too, but not their sum, and a server may always link to one more.
_MOST_PAGES = 1000
_MAX_ITEMS = 100_000
_MAX_COLLECTION_BYTES = 32 * 1024 * 1024

#: Fields that are None where Keyyo left them out.
_FIELDS: Dict[str, None] = {"csi": None, "name": None, "short_number": None}

#: The pauses before what only reads is asked again.
QUERIES = Backoff(attempts=4, first=0.5, longest=30.0, spread=0.5)


class AccessTokens(Protocol):
    """Who has access tokens: an ``AccountClient``."""

    def tokens(self) -> Tokens:
        """Good ones."""

    def renewed(self, refused: Tokens) -> Tokens:
        """Others than these."""


@dataclass(frozen=True)
class CSIToken:
    """What opens a CTI session on one line. Its ``repr`` does not show it.

    :ivar csi: the line's.
    :ivar token: for ``CTI.create_session``.
    :ivar expires_at: Unix seconds.
    :ivar domain_masks: the web pages that may use it; empty for all programs.
    """

    csi: str
    token: str = field(repr=False)
    expires_at: float
    domain_masks: Tuple[str, ...] = ()


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


class ManagerClient:
    """Asks the Manager API, and waits for the answer. Thread-safe.

    What only reads is repeated, with pauses, on 429, 5xx, and failures of the network; a
    request is also repeated, once, when its access token was refused and another could be had.

    Source: Manager API 1.0.

    :param account: gives access tokens: an ``AccountClient``.
    :param base_url: of the API: https, or http on this very machine.
    :param timeout: seconds that a request may take.
    :param ca_certs: file or folder of the trusted certificate authorities.
    :param allow_http: True if ``base_url`` may be http on another machine, where secrets are
        sent in clear: for laboratories.
    :param backoff: the pauses.
    :param wait: waits so many seconds, but no longer than until the client is closed.
    :param wall: the clock, in Unix seconds.
    :raises TypeError: an argument is of a wrong kind.
    :raises ValueError: an argument has an impossible value.
    """

    def __init__(
        self,
        account: AccessTokens,
        base_url: str = BASE_URL,
        timeout: float = 20.0,
        *,
        ca_certs: Union[str, "os.PathLike[str]", None] = None,
        allow_http: bool = False,
        backoff: Backoff = QUERIES,
        wait: Optional[Callable[[float], object]] = None,
        wall: Callable[[], float] = wall_clock,
    ) -> None:
        if not callable(getattr(account, "renewed", None)):
            raise TypeError("account: expected an AccountClient, such as Account(...).client")
        self._account = account
        self.base_url = checked_url("base_url", base_url, allow_http)
        self.ca_certs = ca_certs
        self.allow_http = allow_http
        self._web = Web(ManagerError, timeout, ca_certs)
        if backoff.attempts is None:
            raise ValueError("backoff: expected a number of attempts, so that requests end")
        self._backoff = backoff
        self._closed = threading.Event()
        self._wait = wait or self._closed.wait
        self._wall = wall

    def check_access(self) -> Tuple[str, ...]:
        """Check that there is an access token, by refreshing it if needed.

        :returns: the scopes that CTI needs and that Keyyo, as far as it said, has not granted.
        :raises OAuth2Error: there is none.
        """
        self._check_open()
        return self._account.tokens().missing_scopes(SCOPES)

    def lines(self) -> List[LineInfo]:
        """The telephone lines of the account. Source: ``GET /services``.

        :returns: for each ``csi``, ``name``, ``short_number`` and what else Keyyo sends; a field
            that it left out is None.
        :raises ManagerError: see there.
        :raises OAuth2Error: there is no access token.
        """
        services = self._all("services")
        return [_line(each) for each in services if each.get("_resource_type") == _LINE]

    def line(self, csi: str) -> LineInfo:
        """One line. Source: ``GET /services/<csi>``.

        :param csi: the line's: its number in international format.
        :returns: as in ``lines``.
        :raises KeyyoError: as for ``lines``; 404 when the account has no such line.
        """
        reply = self._send(self._get(f"services/{_segment('csi', csi)}"))
        service = hal.one(_document(reply), "csi")
        if service.get("_resource_type", _LINE) != _LINE:
            raise ManagerError(404, "It is no telephone line", "not_found", hint(404))
        return _line(service)

    def csi_token(self, csi: str, domain_masks: Iterable[str] = ()) -> CSIToken:
        """A new CSI token, good for an hour. Source: ``POST /services/<csi>/csi_token``.

        :param csi: the line's.
        :param domain_masks: the web pages that may use it, such as ``*.example.com``; none for
            a token that a program uses.
        :raises KeyyoError: as for ``lines``; 403 without the scope ``cti_admin``.
        """
        masks = _masks(domain_masks)
        form = {f"domain_masks[{number}]": mask for number, mask in enumerate(masks)}
        path = f"services/{_segment('csi', csi)}/csi_token"
        asked_at = self._wall()
        reply = self._send(self._post(path, form))
        token = _csi_token(csi, hal.one(_document(reply), "token"), masks, asked_at)
        if token is None:
            raise unreadable("there is no token in it")
        return token

    def cti_plugins(self, csi: str) -> List[PluginInfo]:
        """The CTI plugins of a line. Source: ``GET /services/<csi>/cti_plugins``.

        :param csi: the line's.
        :returns: for each ``name``, ``enabled`` (True or False), and what else Keyyo sends.
        :raises KeyyoError: as for ``lines``.
        """
        path = f"services/{_segment('csi', csi)}/cti_plugins"
        return [_plugin(plugin) for plugin in self._all(path)]

    def enable_plugin(self, csi: str, name: str = WEBSOCKET) -> PluginInfo:
        """Enables a CTI plugin of a line, for sessions that are opened afterwards. Source:
        ``POST /services/<csi>/cti_plugins/<name>``.

        :param csi: the line's.
        :param name: the plugin's; commands of a CTI session need ``websocket``.
        :returns: the plugin, as in ``cti_plugins``.
        :raises KeyyoError: as for ``lines``; 403 without the scope ``cti_admin``.
        """
        path = f"services/{_segment('csi', csi)}/cti_plugins/{_segment('name', name)}"
        reply = self._send(self._post(path, {"enabled": "1"}))
        # That it was done is all that is to be said; an answer may also be empty.
        return _plugin({"name": name, "enabled": True, **hal.one(reply.fields(), "name")})

    def sip_records(self, csi: str) -> List[Result]:
        """The telephones that are registered on a line now; without one, it can dial nobody.
        Source: ``GET /services/<csi>/sip_records``.

        :param csi: the line's.
        :returns: what Keyyo sends for each.
        :raises KeyyoError: as for ``lines``.
        """
        path = f"services/{_segment('csi', csi)}/sip_records"
        return [wrap(record) for record in self._all(path)]

    def close(self) -> None:
        """Ends every pause and every request at once, and sends no other."""
        self._closed.set()
        self._web.close()

    def _get(self, path: str) -> _Request:
        return _Request("GET", f"{self.base_url}/{path}", FULL_ACCESS_READ_ONLY)

    def _post(self, path: str, form: Mapping[str, str]) -> _Request:
        return _Request("POST", f"{self.base_url}/{path}", CTI_ADMIN, form)

    def _all(self, path: str) -> List[hal.Document]:
        return [item for page in self._pages(self._get(path)) for item in page]

    def _pages(self, request: _Request) -> Iterator[List[hal.Document]]:
        """The items of a collection, page by page."""
        seen, count, size = set(), 0, 0
        for _ in range(_MOST_PAGES):
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
            document = _document(reply)
            items = hal.items(document)
            if items is None:
                raise unreadable("it is no collection")
            count += len(items)
            if count > _MAX_ITEMS:
                raise unreadable(f"it has more than {_MAX_ITEMS} items")
            yield items
            href = hal.next_href(document)
            if href is None:
                return
            request = request._replace(url=_same_origin(request.url, href))
        raise unreadable(f"it has more than {_MOST_PAGES} pages")

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
        self._check_open()
        tokens = self._account.tokens()
        reply, credentials = self._exchange(request, tokens)
        if reply.status == 401:
            # Nothing was done: whatever it is, it can be asked again.
            reply, credentials = self._exchange(request, self._account.renewed(tokens))
        if not reply.good:
            raise refusal(reply, credentials, request.scope, self._wall())
        return reply

    def _exchange(self, request: _Request, tokens: Tokens) -> Tuple[Reply, Bearer]:
        credentials = Bearer(tokens.access_token)
        if credentials.shows(request.url):
            raise unreadable("the address of its next page shows the access token")
        reply = self._web.send(request.method, request.url, credentials, request.form)
        return reply, credentials

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise ManagerError(400, "The manager is closed", "closed")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.base_url}>"


def _segment(name: str, value: Any) -> str:
    """Return a value as one segment of a path. A CSI is not always digits: that of a mailbox is
    its address."""
    if not isinstance(value, str) or not value.strip(". "):
        raise invalid_params(name, "expected a string that is not empty")
    try:
        return quote(value, safe="")
    except UnicodeError:
        raise invalid_params(name, "expected text") from None


def _masks(domain_masks: Any) -> Tuple[str, ...]:
    # A string is iterable too, but its letters are no masks.
    masks = () if isinstance(domain_masks, str) else tuple(domain_masks)
    if isinstance(domain_masks, str) or not all(isinstance(mask, str) and mask for mask in masks):
        raise invalid_params("domain_masks", "expected a list of strings that are not empty")
    return masks


def _csi_token(
    csi: str, fields: hal.Document, masks: Tuple[str, ...], asked_at: float
) -> Optional[CSIToken]:
    """The token of an answer, or None when there is none in it."""
    token = fields.get("token")
    if fields.get("result", "success") != "success" or not (isinstance(token, str) and token):
        return None
    expires_at = as_seconds(fields.get("timestamp"))
    if expires_at is None:
        seconds = as_seconds(fields.get("expires_in"))
        expires_at = asked_at + (_TOKEN_LIFE if seconds is None else seconds)
    granted = fields.get("domain_masks")
    if isinstance(granted, list):
        masks = tuple(str(mask) for mask in granted)
    return CSIToken(csi, token, expires_at, masks)


def _line(service: hal.Document) -> LineInfo:
    csi = service.get("csi")
    # A number of JSON is one to this API as well.
    fields = {**_FIELDS, **service, "csi": str(csi) if type(csi) is int else csi}
    return cast(LineInfo, wrap(fields))


def _plugin(fields: hal.Document) -> PluginInfo:
    # PHP is not particular about what is true.
    enabled = str(fields.get("enabled")).lower() in ("1", "true")
    return cast(PluginInfo, wrap({"name": None, **fields, "enabled": enabled}))


def _document(reply: Reply) -> hal.Document:
    document = reply.fields()
    if not document:
        raise unreadable("it is no JSON object")
    return document


def _same_origin(url: str, href: str) -> str:
    """Where a link on a page leads, if that is the same server: another must not be shown the
    access token."""
    try:
        target = urljoin(url, href)
        if urls.origin(target) == urls.origin(url):
            return target
    except ValueError:
        pass
    raise unreadable("its next page would be on another server")
