"""Why a connection could not be opened, and what to do about it."""

import socket
import ssl

import requests
import websocket

from .errors import ConnectionFailed, plain
from .sockjs import Closed, ProxyFailed
from .sockjs.errors import ALL_FAILED
from .sockjs.route import NoAuthorities

_CERTIFICATE = (
    "if the server is one of your own, give the file of its certificate authority in the option "
    "ca_certs; if a proxy of your company replaces certificates, give its authority; else "
    "somebody listens"
)

_PROXY = (
    "check the proxy, with its user name and password: the option proxies, or HTTPS_PROXY, "
    "HTTP_PROXY and ALL_PROXY in the environment; NO_PROXY names hosts that need none"
)


def connection_failed(closed: Closed, endpoint: str) -> ConnectionFailed:
    """The error for whoever asked for a connection that could not be had."""
    return ConnectionFailed(plain(closed.reason), _hint(closed, endpoint))


def _hint(closed: Closed, endpoint: str) -> str:
    cause = closed.cause
    if isinstance(cause, ProxyFailed):
        return _PROXY
    if isinstance(cause, NoAuthorities):
        return "check the option ca_certs, and REQUESTS_CA_BUNDLE and SSL_CERT_FILE"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _CERTIFICATE
    if isinstance(cause, ssl.SSLError):
        return f"the server speaks no TLS that we know: check the endpoint {endpoint}"
    if isinstance(cause, socket.gaierror):
        return f"check that this machine is on line, and the endpoint {endpoint}"
    if isinstance(cause, websocket.WebSocketBadStatusException):
        return "something on the way, such as a proxy, may refuse websockets"
    if isinstance(cause, (ConnectionRefusedError, socket.timeout, requests.Timeout)):
        return f"check the endpoint {endpoint}, that it runs, and that no firewall is in the way"
    if closed.code == ALL_FAILED:
        return "something on the way, such as a proxy or a firewall, may let no transport through"
    return f"check the endpoint {endpoint}: it must be the URL of a SockJS service"
