"""A SockJS client that knows nothing of Keyyo.

``Connection`` is all that the rest of the package uses: it opens, reads and reports in one
thread, and sends from any.
"""

from .._net.proxy import ProxyFailed
from .connection import Connection, Listener
from .errors import Closed, NotOpen, SendFailed, SockJSError, Unreadable
from .opening import TRANSPORTS, Limits
from .transport import Departure

__all__ = [
    "TRANSPORTS",
    "Closed",
    "Connection",
    "Departure",
    "Limits",
    "Listener",
    "NotOpen",
    "ProxyFailed",
    "SendFailed",
    "SockJSError",
    "Unreadable",
]
