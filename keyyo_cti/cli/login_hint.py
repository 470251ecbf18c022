"""What to do when the simulator of the login has ended, or has forgotten the login."""

import socket
from typing import List

from .._net.urls import parse_origin
from ..errors import CredentialsRefused, KeyyoError, RequestFailed
from .exit_codes import CommandFailed
from .invocation import format_command
from .login_file import Login, LoginFile

#: Error codes of a server that has ended, or whose port another program has.
_MISSING_SERVER = ("unreachable", "untrusted", "timeout", "unreadable")

#: Seconds for a connection on this machine.
_CONNECT_TIMEOUT = 2.0


def explain_login(error: BaseException) -> List[str]:
    """Return lines that explain an error by the login of a simulator; none for other errors."""
    if not isinstance(error, RequestFailed):
        # Only OAuth2 and the Manager API are asked with the login.
        return []
    try:
        login = LoginFile().load(allow_http=True)
    except (OSError, KeyyoError):
        return []
    if login is None or not login.is_simulator:
        return []
    if error.error_code in _MISSING_SERVER:
        return describe_missing_server(login)
    if isinstance(error, CredentialsRefused):
        return [
            f"you are signed in to {login.where}: a simulator forgets its logins when it ends"
        ]
    return []


def describe_missing_server(login: Login) -> List[str]:
    """Return what to do when the server of a login does not answer; nothing for Keyyo."""
    if not login.is_simulator:
        return []
    return [
        f"you are signed in to {login.where}, which does not answer: it may have ended",
        f"  start it again:     {_format_simulator_command(login)}",
        f"  then sign in again: {format_command('login')}",
        f"  or log out:         {format_command('logout')}",
    ]


def require_server(login: Login) -> None:
    """Check that the simulator of a login runs. Otherwise its user would wait for a browser.

    :raises CommandFailed: nothing listens at its port.
    """
    if not login.is_simulator:
        return
    assert login.server is not None
    origin = parse_origin(login.server)
    try:
        socket.create_connection((origin.host, origin.port), _CONNECT_TIMEOUT).close()
    except OSError as error:
        raise CommandFailed(
            f"{login.where} does not answer: {error.strerror or error}; start it with "
            f"{_format_simulator_command(login)}, or sign in to Keyyo with "
            f"{format_command('login', '--server', 'keyyo')}"
        ) from error


def _format_simulator_command(login: Login) -> str:
    assert login.server is not None
    host, port, _ = parse_origin(login.server)
    other = () if host in ("127.0.0.1", "localhost") else ("--host", host)
    return format_command("simulator", *other, "--port", str(port))
