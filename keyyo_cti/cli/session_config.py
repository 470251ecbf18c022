"""What ``dial`` and ``watch`` open a session with: a CSI token of the user, or the account."""

import argparse
import os
import shlex
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Callable, Optional, Tuple

from .._net.private_folder import has_modes, others_can_write
from ..catch_up import CatchUp
from ..cti import CTI
from ..options import ENDPOINT
from .exit_codes import NotSignedIn, UsageError
from .parser import TOKEN_VARIABLE
from .terminal import escape, read_line

if TYPE_CHECKING:
    from .login_account import LoginAccount


@dataclass(frozen=True)
class SessionConfig:
    """Token and options of a session.

    :ivar new_token: returns a new token; None if the user gave the token.
    :ivar warning: a message about the permissions of the token file.
    :ivar may_dial: returns a true value for the numbers that may be called; None for all.
    :ivar account: the account that gives tokens; None if the user gave the token.
    :ivar csi: the line of the account; None if the user gave the token.
    :ivar catch_up: asks what happened in gaps; None to ask nothing.
    """

    token: str = field(repr=False)
    endpoint: str
    ca_certs: Optional[str]
    allow_http: bool = False
    auto_answer: Optional[bool] = None
    new_token: Optional[Callable[[], str]] = field(default=None, repr=False)
    warning: Optional[str] = None
    may_dial: Optional[Callable[[str], object]] = None
    account: "Optional[LoginAccount]" = field(default=None, repr=False)
    csi: Optional[str] = None
    catch_up: Optional[CatchUp] = None

    def make_cti(self, restore: bool = False) -> CTI:
        """Return a CTI with these options.

        :param restore: True to restore a lost session, if there is ``new_token``.
        :raises UsageError: an option is wrong.
        """
        try:
            return CTI(
                endpoint=self.endpoint,
                ca_certs=self.ca_certs,
                allow_http=self.allow_http,
                # Another program of this user may use the session in the cookie.
                cookie_auto=False,
                token_provider=self.new_token if restore else None,
                may_dial=self.may_dial,
                catch_up=self.catch_up,
            )
        except ValueError as error:
            raise UsageError(error) from error


def make_session_config(
    arguments: argparse.Namespace, auto_answer: Optional[bool] = None
) -> SessionConfig:
    """Return the config for the user's token, or else for a token of the account.

    :raises NotSignedIn: there is neither.
    :raises UsageError: the token file has no token, or arguments contradict each other.
    :raises KeyyoError: the account gives no token.
    """
    token, warning = _read_token(arguments)
    if token:
        endpoint = _select_endpoint(arguments, ENDPOINT)
        return SessionConfig(
            token, endpoint, arguments.ca_certs, arguments.allow_http, auto_answer, warning=warning
        )
    # Imported late, because OAuth2 loads slowly.
    from ..token_provider import TokenProvider
    from .login_account import load_account

    account = load_account(arguments.ca_certs, arguments.allow_http)
    if arguments.token_file is not None:
        raise UsageError(f"there is no CSI token in {arguments.token_file}")
    if account is None:
        no_token = f", and neither {TOKEN_VARIABLE} nor --token-file gives a CSI token"
        raise NotSignedIn(f"you are not signed in{'' if arguments.csi else no_token}")
    csi = account.select_line(arguments.csi)
    new_token = TokenProvider(account.client, csi)
    endpoint = _select_endpoint(arguments, account.endpoint)
    return SessionConfig(
        new_token(), endpoint, arguments.ca_certs, arguments.allow_http, auto_answer, new_token,
        account=account, csi=csi,
    )


def _select_endpoint(arguments: argparse.Namespace, default: str) -> str:
    # An empty endpoint, as from an unset shell variable, must not send the token to the default.
    return default if arguments.endpoint is None else str(arguments.endpoint)


def _read_token(arguments: argparse.Namespace) -> Tuple[str, Optional[str]]:
    """Return the user's token, empty if there is none, and a warning about its file."""
    name: Optional[str] = arguments.token_file
    if name is not None and arguments.csi:
        raise UsageError("--csi needs a token of the account, not --token-file: give only one")
    if name is None:
        # --csi names a line of the account, and excludes the token in the environment.
        return "" if arguments.csi else os.environ.get(TOKEN_VARIABLE, "").strip(), None
    if name == "-":
        return read_line(), None
    try:
        with open(name, encoding="utf-8") as file:
            # The descriptor, because the name may soon point to another file.
            return file.readline().strip(), check_permissions(name, file.fileno())
    except (OSError, UnicodeError) as error:
        raise UsageError(error) from error


def check_permissions(name: str, file: int, what: str = "token file") -> Optional[str]:
    """Return a warning if other users can access an open file with a secret."""
    status = os.fstat(file)
    # The mode of a pipe, as of a shell's <(command), does not matter.
    if not (has_modes() and stat.S_ISREG(status.st_mode)):
        return None
    mode = stat.S_IMODE(status.st_mode)
    if others_can_write(status, file):
        access = "write to"
    elif mode & 0o077:
        access = "read"
    else:
        return None
    return escape(
        f"other users can {access} the {what} {name} (mode {mode:04o}): "
        f"chmod 600 {shlex.quote(name)}"
    )
