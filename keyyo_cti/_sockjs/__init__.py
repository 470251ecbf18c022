"""A SockJS client that knows nothing of Keyyo.

``Connection`` opens, reads and reports on one thread, and sends from any thread.
"""

from .._net.proxy import ProxyFailed
from .connection import Connection, Listener
from .errors import Closed, NotOpen, SendFailed, SockJSError, Unreadable
from .handshake import TRANSPORTS, Timeouts
from .transport import SendProgress

__all__ = [
    "TRANSPORTS",
    "Closed",
    "Connection",
    "SendProgress",
    "Timeouts",
    "Listener",
    "NotOpen",
    "ProxyFailed",
    "SendFailed",
    "SockJSError",
    "Unreadable",
]
