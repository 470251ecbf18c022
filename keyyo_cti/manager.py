"""The Manager API: the lines of an account, and their settings for CTI.

``Manager`` uses callbacks and Futures, ``ManagerClient`` blocks.
"""

import os
from concurrent.futures import Future
from functools import partial
from typing import Any, Callable, Iterable, List, Optional, Tuple, Union, overload

from ._client.callback import Callback, split_callback
from ._client.literals import Dispatch
from ._client.manager_additions import ManagerAdditions
from ._manager.api import QUERIES, AccessTokens, Api, read_document
from ._manager.contacts_client import ContactsClient
from ._manager.history_client import HistoryClient
from ._manager.paths import check_masks, quote_segment
from ._manager.profiles_client import ProfilesClient
from ._manager.refusals import get_hint, make_unreadable_error
from ._manager.responses import (
    LINE,
    WEBSOCKET,
    CSIToken,
    read_csi_token,
    read_line,
    read_plugin,
)
from ._net import hal
from ._net.cancellation import CancelToken
from ._net.clock import wall_clock
from ._net.http_request import HttpClient, check_url
from ._oauth2.scopes import SCOPES
from .account import Account
from .backoff import Backoff
from .diagnosis import Diagnosis, Finding, Ring, RingTest, diagnose
from .errors import ManagerError
from .options import ENDPOINT
from .results import LineInfo, PluginInfo, Result, wrap

__all__ = [
    "BASE_URL",
    "WEBSOCKET",
    "CSIToken",
    "Diagnosis",
    "Finding",
    "Manager",
    "ManagerClient",
    "ManagerError",
    "RingTest",
    "diagnose",
]

BASE_URL = "https://api.keyyo.com/manager/1.0"


class ManagerClient(HistoryClient, ProfilesClient, ContactsClient):
    """The Manager API, by blocking methods. Thread-safe.

    A request that only reads is retried, with pauses, on 429, on 5xx and on network failures. Any
    request is retried once if Keyyo refused its access token and another one is available.

    Source: Manager API 1.0.

    :param account: the source of access tokens: an ``AccountClient``.
    :param base_url: the URL of the API: https, or http on this machine.
    :param timeout: seconds that a request may take.
    :param ca_certs: file or folder of the trusted certificate authorities.
    :param allow_http: True if ``base_url`` may be http on another machine, where secrets are sent
        in clear text: for laboratories.
    :param backoff: the pauses between retries.
    :param wait: waits this many seconds, or until the client is closed.
    :param wall: returns the time in Unix seconds.
    :raises TypeError: an argument is of a wrong type.
    :raises ValueError: an argument has an invalid value.
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
        self.base_url = check_url("base_url", base_url, allow_http)
        self.ca_certs = ca_certs
        self.allow_http = allow_http
        http = HttpClient(ManagerError, timeout, ca_certs)
        if backoff.attempts is None:
            raise ValueError("backoff: expected a number of attempts, so that requests end")
        self._wall = wall
        self._api = Api(account, self.base_url, http, backoff, wait, wall)
        #: Cancelled by ``close``.
        self.closing = CancelToken()

    def check_access(self) -> Tuple[str, ...]:
        """Check the access token, and refresh it if needed.

        :returns: scopes that CTI needs and Keyyo has not granted, as far as Keyyo said.
        :raises OAuth2Error: there is no access token.
        """
        return self._api.tokens().missing_scopes(SCOPES)

    def lines(self) -> List[LineInfo]:
        """Return the telephone lines of the account. Source: ``GET /services``.

        :returns: a LineInfo for each, with ``csi``, ``name``, ``short_number`` and any other field
            of Keyyo; a missing field is None.
        :raises ManagerError: Keyyo refused, or sent no response.
        :raises OAuth2Error: there is no access token.
        """
        services = self._api.get_all("services")
        return [read_line(each) for each in services if each.get("_resource_type") == LINE]

    def line(self, csi: str) -> LineInfo:
        """Return one line. Source: ``GET /services/<csi>``.

        :param csi: the line's CSI, its number in international format.
        :returns: a LineInfo, as in ``lines``.
        :raises KeyyoError: as for ``lines``; 404 if the account has no such line.
        """
        service = hal.unwrap(self._api.get(f"services/{quote_segment('csi', csi)}"), "csi")
        if service.get("_resource_type", LINE) != LINE:
            raise ManagerError(404, "It is no telephone line", "not_found", get_hint(404))
        return read_line(service)

    def csi_token(self, csi: str, domain_masks: Iterable[str] = ()) -> CSIToken:
        """Create a CSI token, valid for an hour. Source: ``POST /services/<csi>/csi_token``.

        :param csi: the line's CSI.
        :param domain_masks: the web sites that may use the token, such as ``*.example.com``; none
            for a token that a program uses.
        :raises KeyyoError: as for ``lines``; 403 without the scope ``cti_admin``.
        """
        masks = check_masks(domain_masks)
        form = {f"domain_masks[{number}]": mask for number, mask in enumerate(masks)}
        path = f"services/{quote_segment('csi', csi)}/csi_token"
        asked_at = self._wall()
        reply = self._api.post(path, form)
        # No variable holds the fields of the reply. Otherwise a traceback could show the token.
        token = read_csi_token(csi, hal.unwrap(read_document(reply), "token"), masks, asked_at)
        if token is None:
            raise make_unreadable_error("there is no token in it")
        return token

    def cti_plugins(self, csi: str) -> List[PluginInfo]:
        """Return the CTI plugins of a line. Source: ``GET /services/<csi>/cti_plugins``.

        :param csi: the line's CSI.
        :returns: a PluginInfo for each, with ``name``, ``enabled`` and any other field of Keyyo.
        :raises KeyyoError: as for ``lines``.
        """
        path = f"services/{quote_segment('csi', csi)}/cti_plugins"
        return [read_plugin(plugin) for plugin in self._api.get_all(path)]

    def enable_plugin(self, csi: str, name: str = WEBSOCKET) -> PluginInfo:
        """Enable a CTI plugin of a line, for sessions that are opened later.

        Source: ``POST /services/<csi>/cti_plugins/<name>``.

        :param csi: the line's CSI.
        :param name: the plugin's name; commands of a CTI session need ``websocket``.
        :returns: a PluginInfo, as in ``cti_plugins``.
        :raises KeyyoError: as for ``lines``; 403 without the scope ``cti_admin``.
        """
        path = f"services/{quote_segment('csi', csi)}/cti_plugins/{quote_segment('name', name)}"
        reply = self._api.post(path, {"enabled": "1"})
        # The status alone reports success; the body may be empty.
        return read_plugin({"name": name, "enabled": True, **hal.unwrap(reply.fields(), "name")})

    def sip_records(self, csi: str) -> List[Result]:
        """Return the telephones registered on a line now. Without one, the line cannot dial.

        Source: ``GET /services/<csi>/sip_records``.

        :param csi: the line's CSI.
        :returns: Keyyo's record of each, a Result.
        :raises KeyyoError: as for ``lines``.
        """
        path = f"services/{quote_segment('csi', csi)}/sip_records"
        return [wrap(record) for record in self._api.get_all(path)]

    def close(self) -> None:
        """Interrupt every pause, request and ring test, and refuse further requests."""
        self._api.close()
        self.closing.cancel()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.base_url}>"


class Manager(ManagerAdditions):
    """The lines of an account, and their settings for CTI.

    Every method that sends a request takes an optional ``callback(error, result)`` last and
    returns a ``concurrent.futures.Future``. ``error`` is a KeyyoError or None: a ManagerError, an
    OAuth2Error without an access token, or 400 ``invalid_params`` for a wrong value. ``client`` is
    the blocking equivalent.

    Source: Manager API 1.0.

    :param account: the source of access tokens: an ``Account`` or an ``AccountClient``.
    :param base_url: the URL of the API: https, or http on this machine.
    :param timeout: seconds that a request may take.
    :param dispatch: where callbacks run: None, ``"manual"``, or a function that receives each
        piece of work, as for CTI.
    :param ca_certs: file or folder of the trusted certificate authorities.
    :param allow_http: True if ``base_url``, and the endpoint of ``diagnose``, may be http on
        another machine, where secrets are sent in clear text: for laboratories.
    :raises TypeError: an argument is of a wrong type.
    :raises ValueError: an argument has an invalid value.
    """

    def __init__(
        self,
        account: Union[Account, AccessTokens],
        base_url: str = BASE_URL,
        timeout: float = 20.0,
        dispatch: Dispatch = None,
        *,
        ca_certs: Union[str, "os.PathLike[str]", None] = None,
        allow_http: bool = False,
    ) -> None:
        tokens = account.client if isinstance(account, Account) else account
        self.client = ManagerClient(
            tokens, base_url, timeout, ca_certs=ca_certs, allow_http=allow_http
        )
        super().__init__("manager", dispatch)

    def lines(
        self, callback: Optional[Callback[List[LineInfo]]] = None
    ) -> "Future[List[LineInfo]]":
        """Request the telephone lines of the account. See ``ManagerClient.lines``."""
        return self._background.ask(self.client.lines, callback)

    def line(self, csi: str, callback: Optional[Callback[LineInfo]] = None) -> "Future[LineInfo]":
        """Request one line. See ``ManagerClient.line``.

        :param csi: the line's CSI, its number in international format.
        """
        return self._background.ask(partial(self.client.line, csi), callback)

    @overload
    def csi_token(
        self, csi: str, callback: Optional[Callback[CSIToken]] = None, /
    ) -> "Future[CSIToken]": ...

    @overload
    def csi_token(
        self,
        csi: str,
        domain_masks: Iterable[str] = (),
        callback: Optional[Callback[CSIToken]] = None,
    ) -> "Future[CSIToken]": ...

    def csi_token(
        self, csi: str, domain_masks: Any = (), callback: Any = None
    ) -> "Future[CSIToken]":
        """Create a CSI token, valid for an hour. See ``ManagerClient.csi_token``.

        :param csi: the line's CSI.
        :param domain_masks: the web sites that may use the token, such as ``*.example.com``; none
            for a token that a program uses.
        """
        domain_masks, callback = split_callback(domain_masks, callback)
        masks = () if domain_masks is None else domain_masks
        return self._background.ask(partial(self.client.csi_token, csi, masks), callback)

    def cti_plugins(
        self, csi: str, callback: Optional[Callback[List[PluginInfo]]] = None
    ) -> "Future[List[PluginInfo]]":
        """Request the CTI plugins of a line. See ``ManagerClient.cti_plugins``.

        :param csi: the line's CSI.
        """
        return self._background.ask(partial(self.client.cti_plugins, csi), callback)

    @overload
    def enable_plugin(
        self, csi: str, callback: Optional[Callback[PluginInfo]] = None, /
    ) -> "Future[PluginInfo]": ...

    @overload
    def enable_plugin(
        self, csi: str, name: str = WEBSOCKET, callback: Optional[Callback[PluginInfo]] = None
    ) -> "Future[PluginInfo]": ...

    def enable_plugin(
        self, csi: str, name: Any = WEBSOCKET, callback: Any = None
    ) -> "Future[PluginInfo]":
        """Enable a CTI plugin of a line, for sessions that are opened later.

        See ``ManagerClient.enable_plugin``.

        :param csi: the line's CSI.
        :param name: the plugin's name; commands of a CTI session need ``websocket``.
        """
        name, callback = split_callback(name, callback)
        name = WEBSOCKET if name is None else name
        return self._background.ask(partial(self.client.enable_plugin, csi, name), callback)

    def sip_records(
        self, csi: str, callback: Optional[Callback[List[Result]]] = None
    ) -> "Future[List[Result]]":
        """Request the telephones registered on a line now. See ``ManagerClient.sip_records``.

        :param csi: the line's CSI.
        """
        return self._background.ask(partial(self.client.sip_records, csi), callback)

    @overload
    def diagnose(
        self, csi: str, callback: Optional[Callback[Diagnosis]] = None, /, *, ring: Ring = None
    ) -> "Future[Diagnosis]": ...

    @overload
    def diagnose(
        self,
        csi: str,
        endpoint: str = ENDPOINT,
        callback: Optional[Callback[Diagnosis]] = None,
        *,
        ring: Ring = None,
    ) -> "Future[Diagnosis]": ...

    def diagnose(
        self, csi: str, endpoint: Any = ENDPOINT, callback: Any = None, *, ring: Ring = None
    ) -> "Future[Diagnosis]":
        """Find out why a line answers "Cannot treat action", or does not answer.

        It checks everything that a command needs, up to a session of its own. With ``ring``, it
        goes on to the handler of a call; other requests of this Manager wait meanwhile.

        :param csi: the line's CSI.
        :param endpoint: the SockJS URL of the CTI service.
        :param ring: a RingTest, or seconds to wait for a call of the line; True for 60 seconds.
        :returns: a Future of a Diagnosis, with the faults and what to do; ``print`` it.
        """
        endpoint, callback = split_callback(endpoint, callback)
        endpoint = ENDPOINT if endpoint is None else endpoint
        return self._background.ask(partial(diagnose, self.client, csi, endpoint, ring), callback)

    def close(self) -> None:
        """Interrupt what is under way and send no more requests.

        Waiting requests fail with 400 ``closed``. It returns within two seconds. A refresh of the
        access token is completed in the background.
        """
        self.client.close()
        super().close()

    def __repr__(self) -> str:
        return f"<Manager {self.client.base_url}>"
