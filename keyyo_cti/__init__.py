"""Supervise and control Keyyo telephone lines from Python.

The names are those of Keyyo's JavaScript SDK, so that its examples translate line by line::

    from keyyo_cti import Keyyo

    cti = Keyyo.CTI()
    cti.create_session("<Your CSI token>", lambda err, res: print(err or res))
    cti.wait()
"""

import logging

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
from .restorer import Restored
from .results import Result
from .version import __version__

__all__ = [
    "Backoff",
    "CTI",
    "Call",
    "CommandTimeout",
    "ConnectionClosed",
    "ConnectionFailed",
    "Keyyo",
    "KeyyoError",
    "Restored",
    "Result",
    "UnreadableMessage",
    "__version__",
]

logging.getLogger(__name__).addHandler(logging.NullHandler())
