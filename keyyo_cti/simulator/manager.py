"""The resources of the Manager API: services, CSI tokens, plugins and telephones.

This module knows neither HTTP nor access rights.
"""

from __future__ import annotations

import re
from typing import Dict, List, Mapping, Set, Tuple

from .clock import Clock
from .exchange import Exchange, Subscriber
from .hal import Resource
from .numbers import to_local
from .sessions import Tokens

LINE = "UCaaSVoIPAccount"
WEBSOCKET = "websocket"
PLUGINS = ("custom", WEBSOCKET)
"""The CTI plugins of every line; sessions need the last one."""

EXPIRES_IN = "expires_in"
TIMESTAMP = "timestamp"
EXPIRIES = (EXPIRES_IN, TIMESTAMP)
"""The fields that can carry a CSI token's expiry."""

_FLAGS = {"1": True, "0": False}

_DOMAIN_MASK = re.compile(r"domain_masks\[([0-9]{1,4})\]")

_MAILBOX = Resource(
    "EmailAccount",
    "/services/office%40example.org",
    {"csi": "office@example.org", "name": "Office"},
)
_FAX = Resource(
    "VirtualFaxAccount",
    "/services/33199099999",
    {"csi": "33199099999", "formatted_csi": "0199099999", "name": "Fax"},
)
_TELEPHONE = Resource("SIPRecord", None, {
    "user_agent": "Simulated telephone",
    "private_ip": "192.168.0.10",
    "public_ip": "192.0.2.10",
})


class ManagerError(Exception):
    """A refused request.

    :param status: of the HTTP response.
    :param reason: the reason, without secrets.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def read_flag(form: Mapping[str, str], name: str) -> bool:
    """Return a flag of a form.

    :raises ManagerError: it is not there, or neither 1 nor 0.
    """
    flag = _FLAGS.get(form.get(name, ""))
    if flag is None:
        raise ManagerError(400, f"{name}: expected 1 or 0")
    return flag


class Manager:
    """The account as the Manager API shows it.

    :param exchange: holds the lines.
    :param tokens: holds every CSI token.
    :param clock: returns the time in Unix seconds.
    :param token_lifetime: seconds until a CSI token expires.
    :param token_expiry: one of `EXPIRIES`.
    """

    def __init__(
        self,
        exchange: Exchange,
        tokens: Tokens,
        clock: Clock,
        *,
        token_lifetime: float,
        token_expiry: str,
    ) -> None:
        self._exchange = exchange
        self._tokens = tokens
        self._clock = clock
        self._token_lifetime = token_lifetime
        self._token_expiry = token_expiry
        self._other_plugins: Set[Tuple[str, str]] = set()

    def get_services(self) -> List[Resource]:
        """Return every service of the account: lines and other services."""
        return [_MAILBOX, *map(_make_service, self._exchange.get_lines()), _FAX]

    def get_service(self, csi: str) -> Resource:
        """Return the service with this CSI.

        :raises ManagerError: there is none.
        """
        found = (each for each in self.get_services() if each.fields["csi"] == csi)
        service = next(found, None)
        if service is None:
            raise ManagerError(404, "No such service")
        return service

    def mint_token(self, csi: str, form: Mapping[str, str]) -> Resource:
        """Return a new CSI token for a line.

        :param csi: the line's.
        :param form: optionally with ``domain_masks[0]`` and so on.
        :raises ManagerError: there is no such line.
        """
        line = self._find_line(csi)
        lifetime = self._token_lifetime
        expiry = {EXPIRES_IN: int(lifetime), TIMESTAMP: int(self._clock() + lifetime)}
        return Resource("CSIToken", f"/services/{csi}/csi_token", {
            "result": "success",
            "token": self._tokens.mint(line.number, lifetime),
            self._token_expiry: expiry[self._token_expiry],
            "domain_masks": _read_domain_masks(form),
        })

    def get_plugins(self, csi: str) -> List[Resource]:
        """Return the CTI plugins of a line.

        :raises ManagerError: there is no such line.
        """
        line = self._find_line(csi)
        return [self._make_plugin(line, name) for name in PLUGINS]

    def get_plugin(self, csi: str, name: str) -> Resource:
        """Return one CTI plugin of a line.

        :raises ManagerError: there is no such line or plugin.
        """
        line = self._find_line(csi)
        if name not in PLUGINS:
            raise ManagerError(404, "No such CTI plugin")
        return self._make_plugin(line, name)

    def change_plugin(self, csi: str, name: str, form: Mapping[str, str]) -> Resource:
        """Enable or disable a CTI plugin of a line, and return its new state.

        :param csi: the line's.
        :param name: the plugin's.
        :param form: with ``enabled``, 1 or 0.
        :raises ManagerError: there is no such line or plugin, or the value is wrong.
        """
        self.get_plugin(csi, name)
        enabled = read_flag(form, "enabled")
        if name == WEBSOCKET:
            self._find_line(csi).plugin_enabled = enabled
        elif enabled:
            self._other_plugins.add((csi, name))
        else:
            self._other_plugins.discard((csi, name))
        return self.get_plugin(csi, name)

    def get_sip_records(self, csi: str) -> List[Resource]:
        """Return the registered telephones of a line.

        :raises ManagerError: there is no such line.
        """
        registered = self._find_line(csi).phone_registered
        return [_TELEPHONE] if registered else []

    def _find_line(self, csi: str) -> Subscriber:
        line = self._exchange.find_line(csi)
        # The exchange also accepts a short number, which is not a CSI.
        if line is None or line.number != csi:
            raise ManagerError(404, "No such line")
        return line

    def _make_plugin(self, line: Subscriber, name: str) -> Resource:
        if name == WEBSOCKET:
            enabled = line.plugin_enabled
        else:
            enabled = (line.number, name) in self._other_plugins
        return Resource(
            "CTIPlugin",
            f"/services/{line.number}/cti_plugins/{name}",
            {"name": name, "enabled": enabled},
        )


def _make_service(line: Subscriber) -> Resource:
    return Resource(LINE, f"/services/{line.number}", {
        "csi": line.number,
        "formatted_csi": to_local(line.number),
        "name": line.name,
        "short_number": line.short_number,
    })


def _read_domain_masks(form: Mapping[str, str]) -> List[str]:
    masks: Dict[int, str] = {}
    for name, value in form.items():
        match = _DOMAIN_MASK.fullmatch(name)
        if match:
            masks[int(match[1])] = value
    return [masks[index] for index in sorted(masks)]
