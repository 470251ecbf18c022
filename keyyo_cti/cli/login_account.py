"""The account that ``keyyo-cti login`` was let into, for the commands that need one."""

from typing import List, Optional

from ..account import AccountClient
from ..manager import ManagerClient
from ..results import LineInfo
from ..token_file import TokenFile
from .exit_codes import Failed, Misused, SignedOut
from .login_file import Login, LoginFile
from .terminal import printable

_MAX_SHOWN_LINES = 20


class SignedIn:
    """An account.

    :ivar client: asks it.
    :ivar endpoint: of the CTI service that belongs to it.
    :raises Misused: ``ca_certs`` is wrong.
    """

    def __init__(self, login: Login, ca_certs: Optional[str]) -> None:
        try:
            oauth2 = login.oauth2(ca_certs)
            account = AccountClient(oauth2, TokenFile(oauth2))
            self.client = ManagerClient(
                account, login.manager_url, ca_certs=ca_certs, allow_http=login.allow_http
            )
        except ValueError as error:
            raise Misused(error) from error
        self.endpoint = login.endpoint

    def csi(self, wanted: Optional[str]) -> str:
        """The line that is wanted, or the only one.

        :raises Misused: which one, is not clear.
        :raises Failed: there is none.
        :raises KeyyoError: the lines cannot be had.
        """
        if wanted:
            return wanted
        lines = self.client.lines()
        if not lines:
            raise Failed("the account has no line")
        if len(lines) > 1:
            raise Misused(f"which line? The account has {list_lines(lines)}")
        return str(lines[0].csi)


def signed_in(ca_certs: Optional[str], allow_http: bool = False) -> Optional[SignedIn]:
    """The account, or None when nobody has signed in."""
    login = LoginFile().load(allow_http)
    return None if login is None else SignedIn(login, ca_certs)


def required(ca_certs: Optional[str], allow_http: bool = False) -> SignedIn:
    """The account.

    :raises SignedOut: nobody has signed in.
    """
    account = signed_in(ca_certs, allow_http)
    if account is None:
        raise SignedOut("nobody has signed in")
    return account


def list_lines(lines: List[LineInfo]) -> str:
    """Return the lines of an account, for a person."""
    shown = [
        printable(f"{line.csi} ({line.name})" if line.name else line.csi)
        for line in lines[:_MAX_SHOWN_LINES]
    ]
    if len(lines) > len(shown):
        shown.append(f"{len(lines) - len(shown)} more, see keyyo-cti lines")
    return ", ".join(shown)
