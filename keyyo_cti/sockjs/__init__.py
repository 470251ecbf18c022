"""A SockJS client that knows nothing of Keyyo.

``Connection`` is all that the rest of the package uses: it opens, reads and reports in one
thread, and sends from any.
"""

from .connection import Connection, Limits, Listener
from .errors import Closed, NotOpen, SendFailed, SockJSError, Unreadable

__all__ = [
    "Closed",
    "Connection",
    "Limits",
    "Listener",
    "NotOpen",
    "SendFailed",
    "SockJSError",
    "Unreadable",
]
