"""The socket below TLS."""

import socket
import ssl
from functools import partial
from typing import Callable


def plain_shutdown(sock: socket.socket) -> Callable[[int], object]:
    """Return the ``shutdown`` of the socket below TLS.

    The one of SSLSocket discards the TLS state that the reader thread uses. The class with the
    plain one varies: eventlet's sockets have it on the instance only.
    """
    if not isinstance(sock, ssl.SSLSocket):
        return sock.shutdown
    lowest = next(each for each in reversed(type(sock).__mro__) if hasattr(each, "shutdown"))
    return partial(lowest.shutdown, sock)
