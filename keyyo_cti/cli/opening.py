"""Where the command line takes a session from: a CSI token at hand, or the account."""

import argparse
import os
from dataclasses import dataclass, field
from typing import Callable, Optional

from ..cti import CTI
from ..options import ENDPOINT
from .exit_codes import Misused, SignedOut
from .parser import TOKEN_VARIABLE
from .terminal import typed_line

_NO_TOKEN = (
    f"nobody has signed in, and there is no CSI token: put one into the environment as "
    f"{TOKEN_VARIABLE}, or into a file and give its name with --token-file; or"
)


@dataclass(frozen=True)
class Opening:
    """What opens a session.

    :ivar new_token: gives another token when this one is old; None when there is no other.
    """

    token: str = field(repr=False)
    endpoint: str
    ca_certs: Optional[str]
    allow_http: bool = False
    auto_answer: Optional[bool] = None
    new_token: Optional[Callable[[], str]] = field(default=None, repr=False)

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
            )
        except ValueError as error:
            raise Misused(error) from error


def opened(arguments: argparse.Namespace, auto_answer: Optional[bool] = None) -> Opening:
    """The token that is at hand, else one of the account.

    :raises SignedOut: there is none.
    :raises Misused: there is none where it is said to be.
    :raises KeyyoError: the account gives none.
    """
    token = _at_hand(arguments)
    if token:
        endpoint = _endpoint(arguments, ENDPOINT)
        return Opening(
            token, endpoint, arguments.ca_certs, arguments.allow_http, auto_answer
        )
    # Only now: it loads OAuth2.
    from ..token_provider import TokenProvider
    from .signed_in import signed_in

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


def _at_hand(arguments: argparse.Namespace) -> str:
    """The token, or nothing when there is none."""
    name: Optional[str] = arguments.token_file
    if name is not None and arguments.csi:
        raise Misused("--csi is for a token of the account, not for --token-file: give one")
    if name is None:
        # Who says which line of the account it is to be means the account.
        return "" if arguments.csi else os.environ.get(TOKEN_VARIABLE, "").strip()
    if name == "-":
        return typed_line()
    try:
        with open(name, encoding="utf-8") as file:
            return file.readline().strip()
    except (OSError, UnicodeError) as error:
        raise Misused(error) from error
