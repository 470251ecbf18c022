"""Where the command line takes a session from: a CSI token at hand, or the account."""

import argparse
import os
import shlex
import stat
from dataclasses import dataclass, field
from typing import Callable, Optional, Tuple

from .._net.private_folder import has_modes, others_can_write
from ..cti import CTI
from ..options import ENDPOINT
from .exit_codes import Misused, SignedOut
from .parser import TOKEN_VARIABLE
from .terminal import printable, typed_line

_NO_TOKEN = (
    f"nobody has signed in, and there is no CSI token: put one into the environment as "
    f"{TOKEN_VARIABLE}, or into a file and give its name with --token-file; or"
)


@dataclass(frozen=True)
class Opening:
    """What opens a session.

    :ivar new_token: gives another token when this one is old; None when there is no other.
    :ivar may_dial: which numbers are called; None for all.
    :ivar warning: what a person should know of the place where the token was.
    """

    token: str = field(repr=False)
    endpoint: str
    ca_certs: Optional[str]
    allow_http: bool = False
    auto_answer: Optional[bool] = None
    new_token: Optional[Callable[[], str]] = field(default=None, repr=False)
    warning: Optional[str] = None
    may_dial: Optional[Callable[[str], object]] = None

    def cti(self, restores: bool = False) -> CTI:
        """A CTI for it.

        :param restores: whether a lost session is restored, if there can be a token for that.
        :raises Misused: an option is wrong.
        """
        try:
            return CTI(
                endpoint=self.endpoint,
                ca_certs=self.ca_certs,
                allow_http=self.allow_http,
                # Another program of this user may live on the session in the cookie.
                cookie_auto=False,
                token_provider=self.new_token if restores else None,
                may_dial=self.may_dial,
            )
        except ValueError as error:
            raise Misused(error) from error


def opened(arguments: argparse.Namespace, auto_answer: Optional[bool] = None) -> Opening:
    """The token that is at hand, else one of the account.

    :raises SignedOut: there is none.
    :raises Misused: there is none where it is said to be.
    :raises KeyyoError: the account gives none.
    """
    token, warning = _at_hand(arguments)
    if token:
        endpoint = _endpoint(arguments, ENDPOINT)
        return Opening(
            token, endpoint, arguments.ca_certs, arguments.allow_http, auto_answer, warning=warning
        )
    # Only now: it loads OAuth2.
    from ..token_provider import TokenProvider
    from .login_account import signed_in

    account = signed_in(arguments.ca_certs, arguments.allow_http)
    if arguments.token_file is not None:
        raise Misused(f"there is no CSI token in {arguments.token_file}")
    if account is None:
        raise SignedOut("nobody has signed in" if arguments.csi else _NO_TOKEN)
    new_token = TokenProvider(account.client, account.csi(arguments.csi))
    endpoint = _endpoint(arguments, account.endpoint)
    return Opening(
        new_token(), endpoint, arguments.ca_certs, arguments.allow_http, auto_answer, new_token
    )


def _endpoint(arguments: argparse.Namespace, default: str) -> str:
    # An empty one is a mistake, as of a variable that is not set: the token must not go elsewhere.
    return default if arguments.endpoint is None else str(arguments.endpoint)


def _at_hand(arguments: argparse.Namespace) -> Tuple[str, Optional[str]]:
    """The token, or nothing when there is none, and a warning about its file."""
    name: Optional[str] = arguments.token_file
    if name is not None and arguments.csi:
        raise Misused("--csi is for a token of the account, not for --token-file: give one")
    if name is None:
        # Who says which line of the account it is to be means the account.
        return "" if arguments.csi else os.environ.get(TOKEN_VARIABLE, "").strip(), None
    if name == "-":
        return typed_line(), None
    try:
        with open(name, encoding="utf-8") as file:
            # Of what was opened: the name may soon lead elsewhere.
            return file.readline().strip(), _warning(name, file.fileno())
    except (OSError, UnicodeError) as error:
        raise Misused(error) from error


def _warning(name: str, file: int) -> Optional[str]:
    """What is wrong with the mode of an open token file, and what to do."""
    found = os.fstat(file)
    # A pipe, as of a shell's <(command), is not for others whatever its mode.
    if not (has_modes() and stat.S_ISREG(found.st_mode)):
        return None
    if others_can_write(found, file):
        what = "write to"
    elif stat.S_IMODE(found.st_mode) & 0o077:
        what = "read"
    else:
        return None
    mode = stat.S_IMODE(found.st_mode)
    path = shlex.quote(name)
    return printable(
        f"other users can {what} the token file {name} (mode {mode:04o}): chmod 600 {path}"
    )
