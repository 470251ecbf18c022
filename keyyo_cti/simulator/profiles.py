"""The profiles of the account's lines: where their calls go."""

from __future__ import annotations

from typing import Dict, List, Mapping

from .exchange import DO_NOT_DISTURB, Exchange, Subscriber
from .hal import Resource
from .manager import ManagerError, read_flag

DEFAULT = "default"

_NAMES = {DEFAULT: "Default", DO_NOT_DISTURB: "Do not disturb", "mobile": "Mobile"}
"""The profiles of every line."""

_FORWARDING: Dict[str, Mapping[str, str]] = {
    "mobile": {"forward_unconditionally_number": "33199000099"},
    DO_NOT_DISTURB: {"forward_to_voicemail": "1"},
}


class Profiles:
    """The profiles of the lines.

    :param exchange: holds the lines.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def get_all(self, csi: str) -> List[Resource]:
        """Return the profiles of a line.

        :raises ManagerError: there is no such line.
        """
        line = self._find_line(csi)
        return [_make_profile(line, identifier) for identifier in _NAMES]

    def get(self, csi: str, identifier: str) -> Resource:
        """Return one profile of a line.

        :raises ManagerError: there is no such line or profile.
        """
        line = self._find_line(csi)
        if identifier not in _NAMES:
            raise ManagerError(404, "No such profile")
        return _make_profile(line, identifier)

    def force(self, csi: str, identifier: str, form: Mapping[str, str]) -> Resource:
        """Put a profile in force, or end it, and return its new state.

        :param form: with ``forced``, 1 or 0.
        :raises ManagerError: there is no such line or profile, or the value is wrong.
        """
        self.get(csi, identifier)
        forced = read_flag(form, "forced")
        line = self._find_line(csi)
        if forced:
            line.forced_profile = identifier
        elif line.forced_profile == identifier:
            line.forced_profile = None
        return self.get(csi, identifier)

    def _find_line(self, csi: str) -> Subscriber:
        line = self._exchange.find_line(csi)
        if line is None or line.number != csi:
            raise ManagerError(404, "No such line")
        return line


def _make_profile(line: Subscriber, identifier: str) -> Resource:
    return Resource("Profile", f"/services/{line.number}/profiles/{identifier}", {
        "identifier": identifier,
        "name": _NAMES[identifier],
        "forced": "1" if line.forced_profile == identifier else "0",
        "backup_number": None,
        "forward_unconditionally_number": None,
        "forward_on_no_answer_number": None,
        "forward_delay": "20",
        "forward_to_voicemail": "0",
        **_FORWARDING.get(identifier, {}),
    })
