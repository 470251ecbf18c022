"""Supervise and control Keyyo telephone lines from Python.

The names are those of Keyyo's JavaScript SDK, so that its examples translate line by line::

    from keyyo_cti import Keyyo

    cti = Keyyo.CTI()
    cti.create_session("<Your CSI token>", lambda err, res: print(err or res))
    cti.wait()
"""

import logging
from typing import TYPE_CHECKING, Any

from ._client.callback import Callback
from ._client.literals import Side, Transport
from ._version import __version__
from .backoff import Backoff
from .call import Call
from .cti import CTI, Keyyo
from .errors import (
    CommandTimeout,
    ConnectionClosed,
    ConnectionFailed,
    KeyyoError,
    UnreadableMessage,
)
from .results import (
    AutoAnswer,
    ConvertedNumber,
    Restored,
    Result,
    SessionInfo,
    Subscriptions,
)

if TYPE_CHECKING:
    from .options import CTIOptions as CTIOptions  # noqa: F401

__all__ = [
    "AutoAnswer",
    "Backoff",
    "CTI",
    "Call",
    "Callback",
    "CommandTimeout",
    "ConnectionClosed",
    "ConnectionFailed",
    "ConvertedNumber",
    "Keyyo",
    "KeyyoError",
    "Restored",
    "Result",
    "SessionInfo",
    "Side",
    "Subscriptions",
    "Transport",
    "UnreadableMessage",
    "__version__",
]

logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    # Only when it is used: with the options comes all that speaks to the network.
    if name != "CTIOptions":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import options

    return options.CTIOptions
