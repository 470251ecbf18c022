"""``keyyo-cti login``: obtains the user's consent, and stores the tokens."""

import argparse
import getpass
import math
import os
import socket
import sys
from dataclasses import replace
from typing import Optional
from urllib.parse import urlsplit

from ..account import AccountClient
from ..backoff import Backoff
from ..errors import KeyyoError
from ..loopback import Loopback
from ..manager import ManagerClient
from ..oauth2 import CredentialsRefused, is_redirected_url
from ..token_file import TokenFile
from .exit_codes import OK, CommandFailed, UsageError
from .invocation import format_command
from .login_account import list_lines
from .login_file import Login, LoginFile
from .login_hint import require_server
from .parser import (
    CLIENT_ID_VARIABLE,
    CLIENT_SECRET_VARIABLE,
    TOKEN_VARIABLE,
    WHY_NO_ARGUMENT,
    add_trust,
)
from .terminal import Terminal, WarningPrinter, escape, read_line, stdin_is_terminal

_REDIRECT_URI = "http://127.0.0.1:8080/callback"

#: Value of --server for Keyyo itself.
_KEYYO = "keyyo"

#: Seconds for the user to sign in.
_SIGN_IN_TIMEOUT = 300.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = (
        "Keyyo identifies a program by a client id, a client secret and a redirect URI. The "
        f"secret comes from the environment variable {CLIENT_SECRET_VARIABLE}; otherwise you are "
        f"asked for it. There is no argument for it, {WHY_NO_ARGUMENT}. Secret and tokens are "
        "stored in a file that only you can read."
    )
    parser.add_argument(
        "--client-id",
        metavar="ID",
        help=f"by default {CLIENT_ID_VARIABLE}, or the id of the last login",
    )
    parser.add_argument(
        "--redirect-uri",
        metavar="URI",
        help="redirect URI that Keyyo knows; by default that of the last login, or "
        + _REDIRECT_URI,
    )
    parser.add_argument(
        "--scope",
        default="cti_admin full_access_read_only",
        help='scopes to ask for (default: "%(default)s")',
    )
    parser.add_argument(
        "--paste",
        action="store_true",
        help="paste the address that the browser was sent to, for a browser on another machine",
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="print the address, and open no browser"
    )
    parser.add_argument(
        "--patience",
        type=_parse_seconds,
        default=_SIGN_IN_TIMEOUT,
        metavar="SECONDS",
        help="timeout for the browser (default: %(default)g)",
    )
    parser.add_argument(
        "--server",
        metavar="URL",
        help=(
            "address of a simulator or a gateway, or "
            f'"{_KEYYO}"; by default the server of the last login, or Keyyo'
        ),
    )
    add_trust(parser)


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Run the command."""
    file = LoginFile()
    # allow_http: nothing is sent to the last server, unless it is used again, and checked then.
    last = file.load(allow_http=True)
    try:
        login = _make_login(arguments, last, err)
        require_server(login)
        if not (arguments.paste or arguments.redirect_uri):
            login = _move_to_free_port(login, err)
        oauth2 = login.make_oauth2_client(arguments.ca_certs)
    except ValueError as error:
        raise UsageError(error) from error
    tokens = TokenFile(oauth2, file.path)
    # Fails now if the file cannot be written. Otherwise the user's consent would be lost.
    with tokens.locked():
        pass
    url, state = oauth2.authorization_url(arguments.scope)
    if arguments.paste or not Loopback.serves(login.redirect_uri):
        redirected_url = _ask_for_redirected_url(url, login, err)
    else:
        redirected_url = _wait_for_browser(url, state, login, arguments, err)
    account = AccountClient(oauth2, tokens)
    try:
        with WarningPrinter(err):
            account.sign_in(redirected_url, state)
    except CredentialsRefused as error:
        if error.error_code == "invalid_client" and last is not None:
            err.print_line(
                f"to give another client secret, run first: {format_command('logout')}"
            )
        raise
    file.save(login)
    if last is not None and last.program != login.program:
        last.make_token_file(file.path).delete()
    err.print_line(f"signed in; the tokens are in {file.path}")
    err.print_line(_describe_account(account, login, arguments.ca_certs))
    return OK


def _describe_account(account: AccountClient, login: Login, ca_certs: Optional[str]) -> str:
    """Return the lines of the account, so that the user sees whose account it is."""
    try:
        client = ManagerClient(
            account,
            login.manager_url,
            ca_certs=ca_certs,
            allow_http=login.allow_http,
            backoff=Backoff(attempts=1),
        )
        lines = client.lines()
    except KeyyoError as error:
        return f"the lines of the account cannot be read: {escape(error)}"
    return f"the account has {list_lines(lines)}" if lines else "the account has no line"


def _make_login(arguments: argparse.Namespace, last: Optional[Login], err: Terminal) -> Login:
    """Return the login from the arguments and the environment, or else from the last one."""
    client_id = arguments.client_id or os.environ.get(CLIENT_ID_VARIABLE, "").strip()
    if not client_id:
        client_id = last.client_id if last else _ask_client_id(err)
    # The last server is only for the last program. Otherwise another program's secret could go
    # to a simulator.
    server = last.server if last and last.client_id == client_id else None
    if arguments.server:
        server = None if arguments.server == _KEYYO else arguments.server.rstrip("/")
    same = last if last and last.program == (client_id, server) else None
    secret = os.environ.get(CLIENT_SECRET_VARIABLE, "").strip()
    if not secret:
        secret = same.client_secret if same else _ask_client_secret(client_id)
    redirect_uri = arguments.redirect_uri or (same.redirect_uri if same else _REDIRECT_URI)
    return Login(client_id, secret, redirect_uri, server, arguments.allow_http)


def _move_to_free_port(login: Login, err: Terminal) -> Login:
    """Return the login with another port in its redirect URI, if a simulator lets it choose.

    Keyyo would refuse a redirect URI that it does not know.
    """
    uri = login.redirect_uri
    if not login.is_simulator or not Loopback.serves(uri) or _can_listen(uri):
        return login
    parts = urlsplit(uri)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    host = parts.netloc.rpartition(":")[0] or parts.netloc
    moved = parts._replace(netloc=f"{host}:{port}").geturl()
    err.print_line(f"another program listens at {uri}: the browser comes back to {moved} instead")
    return replace(login, redirect_uri=moved)


def _can_listen(redirect_uri: str) -> bool:
    try:
        with Loopback(redirect_uri, state=""):
            return True
    except OSError:
        return False


def _ask_client_id(err: Terminal) -> str:
    if not stdin_is_terminal():
        raise UsageError(f"a client id is needed: give --client-id, or set {CLIENT_ID_VARIABLE}")
    err.print_line("client id of your program, from Keyyo:")
    client_id = read_line()
    if not client_id:
        raise UsageError("no client id was typed: run the command again")
    return client_id


def _ask_client_secret(client_id: str) -> str:
    if not stdin_is_terminal():
        raise UsageError(
            f"the client secret is needed: set the environment variable {CLIENT_SECRET_VARIABLE}"
        )
    try:
        return getpass.getpass(f"client secret of {client_id} (it is not shown): ").strip()
    except EOFError:
        raise UsageError("no client secret was typed: run the command again") from None


def _wait_for_browser(
    url: str, state: str, login: Login, arguments: argparse.Namespace, err: Terminal
) -> str:
    """Return the URL that the browser requests on this machine."""
    try:
        loopback = Loopback(login.redirect_uri, state)
    except OSError as error:
        # Not --paste: the browser would send the code to the program that uses the port.
        raise CommandFailed(
            f"cannot listen at {login.redirect_uri}: {error}; end the program that uses the port, "
            "or pass another redirect URI that Keyyo knows with --redirect-uri"
        ) from error
    with loopback:
        err.print_line(
            f"in a browser on this machine, let keyyo-cti into your account at {login.where}:"
        )
        err.print_line(f"  {url}")
        if not arguments.no_browser and _has_graphical_browser():
            _remove_secrets()
            loopback.open_browser(url)
        redirected_url = loopback.wait(arguments.patience)
    if redirected_url is None:
        raise CommandFailed(
            f"the browser did not come back within {arguments.patience:g} s; "
            f"for a browser on another machine, use: {format_command('login', '--paste')}"
        )
    return redirected_url


def _ask_for_redirected_url(url: str, login: Login, err: Terminal) -> str:
    """Return the URL that the user pastes."""
    err.print_line(f"in any browser, let keyyo-cti into your account at {login.where}:")
    err.print_line(f"  {url}")
    err.print_line(
        f"the browser then goes to {escape(login.redirect_uri)}, and may show an error; copy the "
        "whole address from its address bar, paste it here, and press Enter:"
    )
    redirected_url = read_line()
    if not redirected_url:
        raise UsageError("nothing was pasted: run the command again, and paste the address")
    if not is_redirected_url(redirected_url):
        # A bare code may come from an attacker. Only the state shows that it does not.
        raise UsageError("not an address: paste the whole address, with its code and state")
    return redirected_url


def _remove_secrets() -> None:
    """Remove the secrets from the environment, which the browser inherits."""
    for name in (CLIENT_SECRET_VARIABLE, TOKEN_VARIABLE):
        os.environ.pop(name, None)


def _has_graphical_browser() -> bool:
    """True if a browser can be opened that does not take over the terminal."""
    if os.environ.get("BROWSER") or sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _parse_seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 86_400 or math.isnan(seconds):
        raise ValueError
    return seconds
