"""The resources of the Manager API: the account's services, and what each line has.

Pure: it knows neither HTTP nor who asks.
"""

from __future__ import annotations

import re
from typing import Dict, List, Mapping, Set, Tuple

from .clock import Clock
from .exchange import Exchange, Station
from .hal import Resource
from .numbers import to_local
from .sessions import Tokens

LINE = "UCaaSVoIPAccount"
WEBSOCKET = "websocket"
PLUGINS = ("custom", WEBSOCKET)
"""The CTI plugins of every line; the last one is what sessions need."""

EXPIRES_IN = "expires_in"
TIMESTAMP = "timestamp"
EXPIRIES = (EXPIRES_IN, TIMESTAMP)
"""How a CSI token says how long it is good for."""

FLAGS = {"1": True, "0": False}

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
    """A request is refused.

    :param status: of the HTTP answer.
    :param reason: what is wrong; it never repeats a secret.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Manager:
    """The account as the Manager API shows it.

    :param exchange: where the lines are.
    :param tokens: every CSI token.
    :param clock: tells the time in Unix seconds.
    :param token_lifetime: seconds that a CSI token is good for.
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

    def services(self) -> List[Resource]:
        """Everything that the account has: lines, and services that are none."""
        return [_MAILBOX, *map(_service, self._exchange.lines()), _FAX]

    def service(self, csi: str) -> Resource:
        """One service.

        :raises ManagerError: there is none of that CSI.
        """
        found = (each for each in self.services() if each.fields["csi"] == csi)
        service = next(found, None)
        if service is None:
            raise ManagerError(404, "No such service")
        return service

    def mint(self, csi: str, form: Mapping[str, str]) -> Resource:
        """A new CSI token for a line.

        :param csi: the line's.
        :param form: with ``domain_masks[0]`` and so on, or without.
        :raises ManagerError: there is no such line.
        """
        line = self._line(csi)
        lifetime = self._token_lifetime
        expiry = {EXPIRES_IN: int(lifetime), TIMESTAMP: int(self._clock() + lifetime)}
        return Resource("CSIToken", f"/services/{csi}/csi_token", {
            "result": "success",
            "token": self._tokens.mint(line.number, lifetime),
            self._token_expiry: expiry[self._token_expiry],
            "domain_masks": _domain_masks(form),
        })

    def plugins(self, csi: str) -> List[Resource]:
        """The CTI plugins of a line.

        :raises ManagerError: there is no such line.
        """
        line = self._line(csi)
        return [self._plugin(line, name) for name in PLUGINS]

    def plugin(self, csi: str, name: str) -> Resource:
        """One CTI plugin of a line.

        :raises ManagerError: there is no such line, or no such plugin.
        """
        line = self._line(csi)
        if name not in PLUGINS:
            raise ManagerError(404, "No such CTI plugin")
        return self._plugin(line, name)

    def change_plugin(self, csi: str, name: str, form: Mapping[str, str]) -> Resource:
        """Enable or disable a CTI plugin of a line, and give it as it is then.

        :param csi: the line's.
        :param name: the plugin's.
        :param form: with ``enabled``, 1 or 0.
        :raises ManagerError: there is no such line or plugin, or another value.
        """
        self.plugin(csi, name)
        enabled = FLAGS.get(form.get("enabled", ""))
        if enabled is None:
            raise ManagerError(400, "enabled: expected 1 or 0")
        if name == WEBSOCKET:
            self._line(csi).plugin_enabled = enabled
        elif enabled:
            self._other_plugins.add((csi, name))
        else:
            self._other_plugins.discard((csi, name))
        return self.plugin(csi, name)

    def sip_records(self, csi: str) -> List[Resource]:
        """The telephones that are registered on a line.

        :raises ManagerError: there is no such line.
        """
        registered = self._line(csi).phone_registered
        return [_TELEPHONE] if registered else []

    def _line(self, csi: str) -> Station:
        line = self._exchange.line(csi)
        # The exchange would also take a short number, which is no CSI.
        if line is None or line.number != csi:
            raise ManagerError(404, "No such line")
        return line

    def _plugin(self, line: Station, name: str) -> Resource:
        if name == WEBSOCKET:
            enabled = line.plugin_enabled
        else:
            enabled = (line.number, name) in self._other_plugins
        return Resource(
            "CTIPlugin",
            f"/services/{line.number}/cti_plugins/{name}",
            {"name": name, "enabled": enabled},
        )


def _service(line: Station) -> Resource:
    return Resource(LINE, f"/services/{line.number}", {
        "csi": line.number,
        "formatted_csi": to_local(line.number),
        "name": line.name,
        "short_number": line.short_number,
    })


def _domain_masks(form: Mapping[str, str]) -> List[str]:
    masks: Dict[int, str] = {}
    for name, value in form.items():
        match = _DOMAIN_MASK.fullmatch(name)
        if match:
            masks[int(match[1])] = value
    return [masks[index] for index in sorted(masks)]
