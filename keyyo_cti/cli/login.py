"""``keyyo-cti login``: from a person's consent to tokens in a file of theirs."""

import argparse
import getpass
import os
import sys
from typing import Optional

from ..account import AccountClient
from ..backoff import Backoff
from ..errors import KeyyoError
from ..loopback import Loopback
from ..manager import ManagerClient
from ..oauth2 import CredentialsRefused, is_redirected_url
from ..token_file import TokenFile
from .exit_codes import OK, Failed, Misused
from .login_account import list_lines
from .login_file import Login, LoginFile
from .parser import CLIENT_ID_VARIABLE, CLIENT_SECRET_VARIABLE, KEYYO, TOKEN_VARIABLE
from .terminal import Terminal, Warnings, printable, somebody_types, typed_line

_REDIRECT_URI = "http://127.0.0.1:8080/callback"


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Runs the command."""
    file = LoginFile()
    # Nothing is sent to the server of before, unless it is that of now, which is checked.
    before = file.load(allow_http=True)
    try:
        login = _program(arguments, before, err)
        oauth2 = login.oauth2(arguments.ca_certs)
    except ValueError as error:
        raise Misused(error) from error
    tokens = TokenFile(oauth2, file.path)
    # That they can be kept is seen now: later, the user's consent would be in vain.
    with tokens.held():
        pass
    url, state = oauth2.authorization_url(arguments.scope)
    if arguments.paste or not Loopback.serves(login.redirect_uri):
        brought = _pasted(url, login, err)
    else:
        brought = _received(url, state, login, arguments, err)
    account = AccountClient(oauth2, tokens)
    try:
        with Warnings(err):
            account.sign_in(brought, state)
    except CredentialsRefused as error:
        if error.error_code == "invalid_client" and before is not None:
            err.line("for another client secret than the one that is kept: keyyo-cti logout first")
        raise
    file.save(login)
    if before is not None and before.program != login.program:
        before.tokens(file.path).delete()
    err.line(f"signed in; the tokens are in {file.path}")
    err.line(_whose_account(account, login, arguments.ca_certs))
    return OK


def _whose_account(account: AccountClient, login: Login, ca_certs: Optional[str]) -> str:
    """The lines of the account, by which a person sees whose account it is."""
    once = Backoff(attempts=1)
    try:
        client = ManagerClient(
            account,
            login.manager_url,
            ca_certs=ca_certs,
            allow_http=login.allow_http,
            backoff=once,
        )
        lines = client.lines()
    except KeyyoError as error:
        return f"the lines of the account cannot be read: {printable(error)}"
    return f"the account has {list_lines(lines)}" if lines else "the account has no line"


def _program(arguments: argparse.Namespace, before: Optional[Login], err: Terminal) -> Login:
    """Who signs in where: as it is asked for, or else as before."""
    client_id = arguments.client_id or os.environ.get(CLIENT_ID_VARIABLE, "").strip()
    if not client_id:
        client_id = before.client_id if before else _asked_id(err)
    # Another program may be known elsewhere: its secret does not go where that of before went.
    server = before.server if before and before.client_id == client_id else None
    if arguments.server:
        server = None if arguments.server == KEYYO else arguments.server.rstrip("/")
    kept = before if before and before.program == (client_id, server) else None
    secret = os.environ.get(CLIENT_SECRET_VARIABLE, "").strip()
    if not secret:
        secret = kept.client_secret if kept else _asked_secret(client_id)
    redirect_uri = arguments.redirect_uri or (kept.redirect_uri if kept else _REDIRECT_URI)
    return Login(client_id, secret, redirect_uri, server, arguments.allow_http)


def _asked_id(err: Terminal) -> str:
    if not somebody_types():
        raise Misused(f"a client id is needed: --client-id, or {CLIENT_ID_VARIABLE}")
    err.line("client id, as Keyyo gave it to your program:")
    client_id = typed_line()
    if not client_id:
        raise Misused("no client id was given")
    return client_id


def _asked_secret(client_id: str) -> str:
    if not somebody_types():
        raise Misused(
            f"the client secret is needed: put it into the environment as {CLIENT_SECRET_VARIABLE}"
        )
    try:
        return getpass.getpass(f"client secret of {client_id} (it is not shown): ").strip()
    except EOFError:
        raise Misused("no client secret was given") from None


def _received(
    url: str, state: str, login: Login, arguments: argparse.Namespace, err: Terminal
) -> str:
    """What the browser brings back by itself."""
    try:
        loopback = Loopback(login.redirect_uri, state)
    except OSError as error:
        # Not --paste: the browser would bring the code to the program that has the port.
        raise Failed(
            f"cannot listen at {login.redirect_uri}: {error}; find out which program uses the "
            "port and end it, or give another redirect URI that Keyyo knows, with --redirect-uri"
        ) from error
    with loopback:
        err.line(f"let keyyo-cti into your account at {login.where}, in a browser here:")
        err.line(f"  {url}")
        if not arguments.no_browser and _graphical():
            _forget_secrets()
            loopback.open_browser(url)
        brought = loopback.wait(arguments.patience)
    if brought is None:
        raise Failed(
            f"the browser did not come back within {arguments.patience:g} s; "
            "for a browser on another machine: keyyo-cti login --paste"
        )
    return brought


def _pasted(url: str, login: Login, err: Terminal) -> str:
    """What a person brings back."""
    err.line(f"let keyyo-cti into your account at {login.where}, in any browser:")
    err.line(f"  {url}")
    err.line(
        f"it is sent to {printable(login.redirect_uri)}, where there may be nothing to see; "
        "copy the whole address that it shows then, paste it here, and press Enter:"
    )
    brought = typed_line()
    if not brought:
        raise Misused("nothing was pasted")
    if not is_redirected_url(brought):
        # A bare code may be one that somebody else has sent: only the state shows that it is not.
        raise Misused("that is not an address: paste the whole address, with its code and state")
    return brought


def _forget_secrets() -> None:
    """Take the secrets out of the environment, which the browser inherits."""
    for name in (CLIENT_SECRET_VARIABLE, TOKEN_VARIABLE):
        os.environ.pop(name, None)


def _graphical() -> bool:
    """True if there is a browser that does not take over the terminal."""
    if os.environ.get("BROWSER") or sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
