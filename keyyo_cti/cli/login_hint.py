"""What to do when the simulator of the login has ended, or has forgotten the login."""

import socket
from typing import Optional

from .._net.urls import parse_origin
from ..errors import CredentialsRefused, RequestFailed
from .exit_codes import CommandFailed
from .invocation import format_command
from .login_file import Login, LoginFile

#: Seconds for a connection on this machine.
_CONNECT_TIMEOUT = 2.0


def explain_login(error: BaseException) -> Optional[str]:
    """Return what the login of a simulator has to do with an error; None for other errors."""
    if not isinstance(error, RequestFailed):
        # Only OAuth2 and the Manager API are asked with the login.
        return None
    try:
        login = LoginFile().load(allow_http=True)
    except OSError:
        return None
    if login is None or not login.is_simulator:
        return None
    if isinstance(error, CredentialsRefused):
        return f"you are signed in to {login.where}, and a simulator forgets its logins at its end"
    return describe_missing_server(login)


def describe_missing_server(login: Login) -> Optional[str]:
    """Return what to do if the simulator of a login has ended; None if its server answers."""
    if not login.is_simulator or _connect(login) is None:
        return None
    return (
        f"you are signed in to {login.where}, which has ended: start it again with "
        f"{_format_simulator_command(login)} and sign in again with {format_command('login')}, "
        f"or log out with {format_command('logout')}"
    )


def require_server(login: Login) -> None:
    """Check that the simulator of a login runs. Otherwise its user would wait for a browser.

    :raises CommandFailed: nothing listens at its port.
    """
    failure = _connect(login) if login.is_simulator else None
    if failure is not None:
        raise CommandFailed(
            f"{login.where} does not answer: {failure.strerror or failure}; start it with "
            f"{_format_simulator_command(login)}, or sign in to Keyyo with "
            f"{format_command('login', '--server', 'keyyo')}"
        ) from failure


def _connect(login: Login) -> Optional[OSError]:
    """Return why no program listens at the port of the login's server, or None if one does."""
    assert login.server is not None
    origin = parse_origin(login.server)
    try:
        socket.create_connection((origin.host, origin.port), _CONNECT_TIMEOUT).close()
    except OSError as error:
        return error
    return None


def _format_simulator_command(login: Login) -> str:
    assert login.server is not None
    host, port, _ = parse_origin(login.server)
    other = () if host in ("127.0.0.1", "localhost") else ("--host", host)
    return format_command("simulator", *other, "--port", str(port))
