"""Supervise and control Keyyo telephone lines from Python.

The names are those of Keyyo's JavaScript SDK, so that its examples translate line by line::

    from keyyo_cti import Keyyo

    cti = Keyyo.CTI()
    cti.create_session("<Your CSI token>", lambda err, res: print(err or res))
    cti.wait()
"""

import sys

# First, and in a syntax that any Python 3 reads: otherwise an old one would show a SyntaxError
# somewhere in the package.
if sys.version_info < (3, 9):
    _refusal = "keyyo-cti needs Python 3.9 or newer; this is Python %d.%d" % sys.version_info[:2]
    # With "python -m keyyo_cti", one line and no traceback.
    raise (SystemExit if sys.argv[:1] == ["-m"] else ImportError)(_refusal)

import logging
import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, List

from ._client.callback import Callback
from ._client.literals import Side, Transport
from ._version import __version__
from .backoff import Backoff
from .call import Call, Conversation
from .cti import CTI, Keyyo
from .errors import (
    CallEnded,
    CommandTimeout,
    ConnectionClosed,
    ConnectionFailed,
    EventTimeout,
    KeyyoError,
    SessionEnded,
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
    from .account import Account as Account  # noqa: F401
    from .call_history import CallRecord as CallRecord  # noqa: F401
    from .catch_up import CatchUp as CatchUp  # noqa: F401
    from .catch_up import CaughtUp as CaughtUp  # noqa: F401
    from .directory import Contact as Contact  # noqa: F401
    from .directory import Directory as Directory  # noqa: F401
    from .health import Health as Health  # noqa: F401
    from .health import SlowHandler as SlowHandler  # noqa: F401
    from .loopback import Loopback as Loopback  # noqa: F401
    from .manager import Manager as Manager  # noqa: F401
    from .oauth2 import OAuth2 as OAuth2  # noqa: F401
    from .options import CTIOptions as CTIOptions  # noqa: F401
    from .token_file import TokenFile as TokenFile  # noqa: F401
    from .token_provider import TokenProvider as TokenProvider  # noqa: F401

#: Name -> its module. Nearly all load the network libraries, which take ten times as long as the
#: rest.
#: They are imported on first use and left out of ``__all__``.
_LATER = {
    "Account": "account",
    "CTIOptions": "options",
    "CatchUp": "catch_up",
    "CaughtUp": "catch_up",
    "CallRecord": "call_history",
    "Contact": "directory",
    "Directory": "directory",
    "Health": "health",
    "Loopback": "loopback",
    "Manager": "manager",
    "OAuth2": "oauth2",
    "SlowHandler": "health",
    "TokenFile": "token_file",
    "TokenProvider": "token_provider",
}

__all__ = [
    "AutoAnswer",
    "Backoff",
    "CTI",
    "Call",
    "CallEnded",
    "Callback",
    "CommandTimeout",
    "ConnectionClosed",
    "ConnectionFailed",
    "Conversation",
    "ConvertedNumber",
    "EventTimeout",
    "Keyyo",
    "KeyyoError",
    "Restored",
    "Result",
    "SessionEnded",
    "SessionInfo",
    "Side",
    "Subscriptions",
    "Transport",
    "UnreadableMessage",
    "__version__",
]

logging.getLogger(__name__).addHandler(logging.NullHandler())
if os.environ.get("KEYYO_CTI_DEBUG"):
    from ._client.stderr_log import print_wire_log_if_asked

    print_wire_log_if_asked()


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError("module %r has no attribute %r" % (__name__, name))
    return getattr(import_module("." + _LATER[name], __name__), name)


def __dir__() -> List[str]:
    return sorted({*globals(), *_LATER})
