"""Why a connection failed or does not exist, and what to do about it."""

import socket
import ssl
from typing import FrozenSet, Optional

import requests
import urllib3
import websocket

from .._net.failures import describe_failure
from .._net.stream import EarlyBytes
from .._net.tls import NoAuthorities
from .._sockjs import Closed, ProxyFailed
from .._sockjs.errors import ALL_FAILED, BadStatus, NotSockJS
from ..errors import ConnectionClosed, ConnectionFailed, plain

_CERTIFICATE = (
    "if the server is one of your own, pass the file of its certificate authority in the option "
    "ca_certs; if a company proxy replaces certificates, pass its authority; otherwise the "
    "connection may be intercepted"
)

_EARLY = (
    "check the proxy and the network before it: they sent data in the server's name, which was "
    "rejected"
)

_PROXY = (
    "check the proxy, with its user name and password: the option proxies, or HTTPS_PROXY, "
    "HTTP_PROXY and ALL_PROXY in the environment; NO_PROXY names hosts that need none"
)

_PAGE = (
    "a firewall, a proxy, a maintenance page, a login page or a captive portal may answer in "
    "place of the service: try again later, or sign in there; if that does not help, check the "
    "endpoint {endpoint}"
)

_NOWHERE = "check the endpoint {endpoint}, that it runs, and that no firewall is in the way"

#: Advice by cause; the first that matches counts.
_HINTS = (
    (EarlyBytes, _EARLY),
    (NotSockJS, _PAGE),
    (ProxyFailed, _PROXY),
    (NoAuthorities, "check the option ca_certs, and REQUESTS_CA_BUNDLE and SSL_CERT_FILE"),
    (ssl.SSLCertVerificationError, _CERTIFICATE),
    (ssl.SSLError, "the server has no TLS in common with this SDK: check the endpoint {endpoint}"),
    (socket.gaierror, "check that this machine is on line, and the endpoint {endpoint}"),
    (
        websocket.WebSocketBadStatusException,
        "something on the way, such as a proxy, may refuse websockets",
    ),
    (ConnectionRefusedError, _NOWHERE),
    (socket.timeout, _NOWHERE),
    (requests.Timeout, _NOWHERE),
    (RuntimeError, "end some threads, and try again"),
)

#: Close codes with which the server refuses for good. An attempt to restore that ends with one of
#: them is the last, and the session is lost. Keyyo documents no such code, so the set is empty.
_FINAL_CODES: FrozenSet[int] = frozenset()

_FAULT = "this is a bug in keyyo-cti, and the log has its traceback: please report it"


def connection_failed(closed: Closed, endpoint: str) -> ConnectionFailed:
    """Return the error for a session command whose connection could not be opened."""
    cause = closed.cause
    retry_after = cause.retry_after if isinstance(cause, BadStatus) else None
    error = ConnectionFailed(plain(closed.reason), _choose_hint(closed, endpoint), retry_after)
    error.__cause__ = cause
    if closed.code in _FINAL_CODES:
        error.final = True
    elif isinstance(cause, NotSockJS) or (
        isinstance(cause, BadStatus) and (cause.is_foreign or cause.may_pass)
    ):
        # A server that answers in place of the service decides nothing for it.
        error.final = False
    return error


def not_connected(restoring: bool = False) -> ConnectionClosed:
    """Return the error for a command without a connection.

    :param restoring: True if a lost session is being restored.
    """
    todo = (
        "the lost connection is being restored: wait for the event restored"
        if restoring
        else "call create_session or restore_session, and wait for its callback"
    )
    return ConnectionClosed(sent=False, hint=f"not connected: {todo}")


def closed_while_opening() -> ConnectionClosed:
    """Return the error for a command that ``close()`` overtook before the connection was open."""
    return ConnectionClosed(sent=False, hint="closed before the connection was open")


def lost_while_destroying() -> ConnectionClosed:
    """Return the error for a connection that was lost after destroy_session was sent."""
    hint = (
        "the connection was lost while the session was being destroyed; its state is unknown: "
        "create a new session if you need one"
    )
    return ConnectionClosed(sent=True, hint=hint)


def _choose_hint(closed: Closed, endpoint: str) -> str:
    cause = closed.cause
    if closed.fault:
        return _FAULT
    if isinstance(cause, BadStatus) and cause.is_foreign:
        return _PAGE.format(endpoint=endpoint)
    if isinstance(cause, BadStatus) and cause.may_pass:
        return _advise_wait(cause.retry_after)
    for kind, hint in _HINTS:
        if isinstance(cause, kind):
            return hint.format(endpoint=endpoint)
    if closed.code == ALL_FAILED:
        return "something on the way, such as a proxy or a firewall, may let no transport through"
    where = f"check the endpoint {endpoint}: it must be the URL of a SockJS service"
    if isinstance(cause, (requests.RequestException, urllib3.exceptions.HTTPError)):
        # The reason alone would name only the request.
        return f"{describe_failure(cause)}; {where}"
    return where


def _advise_wait(seconds: Optional[float]) -> str:
    when = "later" if seconds is None else f"in {seconds:.0f} s, as it asks"
    return f"the service, or a proxy before it, is down or busy: try again {when}"
