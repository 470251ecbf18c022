"""The responses of the Manager API. Pure."""

from dataclasses import dataclass, field
from typing import Dict, Optional, Tuple, cast

from .._net import hal
from .._net.javascript import as_number
from ..results import LineInfo, PluginInfo, wrap

WEBSOCKET = "websocket"

#: The type of service that is a telephone line.
LINE = "UCaaSVoIPAccount"

#: Lifetime of a CSI token in seconds, if Keyyo does not send it.
_TOKEN_LIFE = 3600.0

#: Fields that are None if Keyyo left them out.
_FIELDS: Dict[str, None] = {"csi": None, "name": None, "short_number": None}


@dataclass(frozen=True)
class CSIToken:
    """A token for a CTI session on one line. Its ``repr`` hides the token.

    :ivar csi: of the line.
    :ivar token: for ``CTI.create_session``.
    :ivar expires_at: Unix seconds.
    :ivar domain_masks: the web pages that may use it; empty for all programs.
    """

    csi: str
    token: str = field(repr=False)
    expires_at: float
    domain_masks: Tuple[str, ...] = ()


def read_csi_token(
    csi: str, fields: hal.Document, masks: Tuple[str, ...], asked_at: float
) -> Optional[CSIToken]:
    """Return the token of a response, or None if it has none."""
    token = fields.get("token")
    if fields.get("result", "success") != "success" or not (isinstance(token, str) and token):
        return None
    expires_at = as_number(fields.get("timestamp"))
    if expires_at is None:
        seconds = as_number(fields.get("expires_in"))
        expires_at = asked_at + (_TOKEN_LIFE if seconds is None else seconds)
    granted = fields.get("domain_masks")
    if isinstance(granted, list):
        masks = tuple(str(mask) for mask in granted)
    return CSIToken(csi, token, expires_at, masks)


def read_line(service: hal.Document) -> LineInfo:
    """Return a service as a line."""
    csi = service.get("csi")
    # This API also accepts a JSON number.
    fields = {**_FIELDS, **service, "csi": str(csi) if type(csi) is int else csi}
    return cast(LineInfo, wrap(fields))


def read_plugin(fields: hal.Document) -> PluginInfo:
    """Return the fields of a plugin, with ``enabled`` as True or False."""
    enabled = read_flag(fields.get("enabled"))
    return cast(PluginInfo, wrap({"name": None, **fields, "enabled": enabled}))


def read_flag(value: object) -> bool:
    """Return True for a flag that is set."""
    # PHP may send a bool as a number or a text.
    return str(value).lower() in ("1", "true")
