"""The Manager API: the lines of an account, and what CTI needs of them.

``Manager`` works by callbacks and Futures, ``ManagerClient`` by blocking.
"""

import os
from concurrent.futures import Future
from functools import partial
from typing import Any, Callable, Iterable, List, Optional, Tuple, Union, overload
from urllib.parse import quote

from ._client.background import BackgroundClient
from ._client.callback import Callback, split_callback
from ._client.literals import Dispatch
from ._manager.answers import (
    LINE,
    WEBSOCKET,
    CSIToken,
    read_csi_token,
    read_line,
    read_plugin,
)
from ._manager.api import QUERIES, AccessTokens, Api, read_document
from ._manager.refusals import hint, unreadable
from ._net import hal
from ._net.clock import wall_clock
from ._net.http_request import HttpClient, checked_url
from ._oauth2.scopes import SCOPES
from .account import Account
from .backoff import Backoff
from .diagnosis import Diagnosis, Finding, diagnose
from .errors import ManagerError, invalid_params
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
    "diagnose",
]

BASE_URL = "https://api.keyyo.com/manager/1.0"


class ManagerClient:
    """Asks the Manager API, and waits for the answer. Thread-safe.

    What only reads is repeated, with pauses, on 429, 5xx, and failures of the network; a
    request is also repeated, once, when Keyyo has refused its access token and another could be
    had.

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
        self.base_url = checked_url("base_url", base_url, allow_http)
        self.ca_certs = ca_certs
        self.allow_http = allow_http
        http = HttpClient(ManagerError, timeout, ca_certs)
        if backoff.attempts is None:
            raise ValueError("backoff: expected a number of attempts, so that requests end")
        self._wall = wall
        self._api = Api(account, self.base_url, http, backoff, wait, wall)

    def check_access(self) -> Tuple[str, ...]:
        """Check that there is an access token, by refreshing it if needed.

        :returns: the scopes that CTI needs and that Keyyo, as far as it said, has not granted.
        :raises OAuth2Error: there is none.
        """
        return self._api.tokens().missing_scopes(SCOPES)

    def lines(self) -> List[LineInfo]:
        """The telephone lines of the account. Source: ``GET /services``.

        :returns: for each ``csi``, ``name``, ``short_number`` and what else Keyyo sends; a field
            that it left out is None.
        :raises ManagerError: see there.
        :raises OAuth2Error: there is no access token.
        """
        services = self._api.get_all("services")
        return [read_line(each) for each in services if each.get("_resource_type") == LINE]

    def line(self, csi: str) -> LineInfo:
        """One line. Source: ``GET /services/<csi>``.

        :param csi: the line's: its number in international format.
        :returns: as in ``lines``.
        :raises KeyyoError: as for ``lines``; 404 when the account has no such line.
        """
        service = hal.one(self._api.get(f"services/{_segment('csi', csi)}"), "csi")
        if service.get("_resource_type", LINE) != LINE:
            raise ManagerError(404, "It is no telephone line", "not_found", hint(404))
        return read_line(service)

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
        reply = self._api.post(path, form)
        # No variable has the fields of the reply: a traceback would show the token.
        token = read_csi_token(csi, hal.one(read_document(reply), "token"), masks, asked_at)
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
        return [read_plugin(plugin) for plugin in self._api.get_all(path)]

    def enable_plugin(self, csi: str, name: str = WEBSOCKET) -> PluginInfo:
        """Enables a CTI plugin of a line, for sessions that are opened afterwards. Source:
        ``POST /services/<csi>/cti_plugins/<name>``.

        :param csi: the line's.
        :param name: the plugin's; commands of a CTI session need ``websocket``.
        :returns: the plugin, as in ``cti_plugins``.
        :raises KeyyoError: as for ``lines``; 403 without the scope ``cti_admin``.
        """
        path = f"services/{_segment('csi', csi)}/cti_plugins/{_segment('name', name)}"
        reply = self._api.post(path, {"enabled": "1"})
        # That it was done is all that is to be said; an answer may also be empty.
        return read_plugin({"name": name, "enabled": True, **hal.one(reply.fields(), "name")})

    def sip_records(self, csi: str) -> List[Result]:
        """The telephones that are registered on a line now; without one, it can dial nobody.
        Source: ``GET /services/<csi>/sip_records``.

        :param csi: the line's.
        :returns: what Keyyo sends for each.
        :raises KeyyoError: as for ``lines``.
        """
        path = f"services/{_segment('csi', csi)}/sip_records"
        return [wrap(record) for record in self._api.get_all(path)]

    def close(self) -> None:
        """Ends every pause and every request at once, and sends no other."""
        self._api.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.base_url}>"


class Manager(BackgroundClient):
    """The lines of an account, and what CTI needs of them.

    Every method that asks Keyyo takes ``callback(error, result)`` last, which may be left out,
    and returns a ``concurrent.futures.Future``; none waits for the network. ``error`` is a
    KeyyoError or None: a ManagerError, an OAuth2Error when there is no access token, or 400
    ``invalid_params`` for a wrong value. ``client`` does the same by blocking.

    Source: Manager API 1.0.

    :param account: gives access tokens: an ``Account``, or an ``AccountClient``.
    :param base_url: of the API: https, or http on this very machine.
    :param timeout: seconds that a request may take.
    :param dispatch: where callbacks run: None, ``"manual"``, or a function that is handed each
        piece of work, as for CTI.
    :param ca_certs: file or folder of the trusted certificate authorities.
    :param allow_http: True if ``base_url``, and the endpoint of ``diagnose``, may be http on
        another machine, where secrets are sent in clear: for laboratories.
    :raises TypeError: an argument is of a wrong kind.
    :raises ValueError: an argument has an impossible value.
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
        """The telephone lines of the account. See ``ManagerClient.lines``."""
        return self._background.ask(self.client.lines, callback)

    def line(self, csi: str, callback: Optional[Callback[LineInfo]] = None) -> "Future[LineInfo]":
        """One line. See ``ManagerClient.line``.

        :param csi: the line's: its number in international format.
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
        """A new CSI token, good for an hour. See ``ManagerClient.csi_token``.

        :param csi: the line's.
        :param domain_masks: the web pages that may use it, such as ``*.example.com``; none for
            a token that a program uses.
        """
        domain_masks, callback = split_callback(domain_masks, callback)
        masks = () if domain_masks is None else domain_masks
        return self._background.ask(partial(self.client.csi_token, csi, masks), callback)

    def cti_plugins(
        self, csi: str, callback: Optional[Callback[List[PluginInfo]]] = None
    ) -> "Future[List[PluginInfo]]":
        """The CTI plugins of a line. See ``ManagerClient.cti_plugins``.

        :param csi: the line's.
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
        """Enables a CTI plugin of a line, for sessions that are opened afterwards. See
        ``ManagerClient.enable_plugin``.

        :param csi: the line's.
        :param name: the plugin's; commands of a CTI session need ``websocket``.
        """
        name, callback = split_callback(name, callback)
        name = WEBSOCKET if name is None else name
        return self._background.ask(partial(self.client.enable_plugin, csi, name), callback)

    def sip_records(
        self, csi: str, callback: Optional[Callback[List[Result]]] = None
    ) -> "Future[List[Result]]":
        """The telephones that are registered on a line now. See ``ManagerClient.sip_records``.

        :param csi: the line's.
        """
        return self._background.ask(partial(self.client.sip_records, csi), callback)

    @overload
    def diagnose(
        self, csi: str, callback: Optional[Callback[Diagnosis]] = None, /
    ) -> "Future[Diagnosis]": ...

    @overload
    def diagnose(
        self, csi: str, endpoint: str = ENDPOINT, callback: Optional[Callback[Diagnosis]] = None
    ) -> "Future[Diagnosis]": ...

    def diagnose(
        self, csi: str, endpoint: Any = ENDPOINT, callback: Any = None
    ) -> "Future[Diagnosis]":
        """Why a line answers "Cannot treat action", or nothing: everything that a command needs
        is looked at, up to a session, which is opened and destroyed again.

        :param csi: the line's.
        :param endpoint: the SockJS URL of the CTI service.
        :returns: a Diagnosis: faults are in it, and what to do; ``print`` it.
        """
        endpoint, callback = split_callback(endpoint, callback)
        endpoint = ENDPOINT if endpoint is None else endpoint
        return self._background.ask(partial(diagnose, self.client, csi, endpoint), callback)

    def close(self) -> None:
        """Ends what is under way and asks no more: what waits is answered with 400 ``closed``.

        Returns within two seconds. A refresh of the access token goes on to its end.
        """
        self.client.close()
        super().close()

    def __repr__(self) -> str:
        return f"<Manager {self.client.base_url}>"


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
