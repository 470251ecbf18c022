"""Manager: the Manager API by callbacks and Futures. What a program sees; the client does it."""

import os
from concurrent.futures import Future
from functools import partial
from typing import Any, Iterable, List, Optional, Union, overload

from ._manager.api import BASE_URL, WEBSOCKET, AccessTokens, CSIToken, ManagerClient, ManagerError
from .account import Account
from .background import BackgroundClient
from .callback import Callback, callback_last
from .diagnosis import Diagnosis, Finding, diagnose
from .literals import Dispatch
from .options import ENDPOINT
from .results import LineInfo, PluginInfo, Result

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
        domain_masks, callback = callback_last(domain_masks, callback)
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
        name, callback = callback_last(name, callback)
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
        endpoint, callback = callback_last(endpoint, callback)
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
