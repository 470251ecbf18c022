"""The socket below TLS."""

import socket
import ssl
from functools import partial
from typing import Callable


def plain_shutdown(sock: socket.socket) -> Callable[[int], object]:
    """Return the ``shutdown`` of the socket below TLS.

    SSLSocket's own takes the TLS state away from under the reader. Which class the plain one is
    on depends on the host: eventlet's sockets have it on the instance alone.
    """
    if not isinstance(sock, ssl.SSLSocket):
        return sock.shutdown
    lowest = next(each for each in reversed(type(sock).__mro__) if hasattr(each, "shutdown"))
    return partial(lowest.shutdown, sock)
