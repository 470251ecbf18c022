"""The account of ``keyyo-cti login``, for the commands that need one."""

from typing import List, Optional

from .._display.telephone_number import parse_number
from ..account import AccountClient
from ..manager import ManagerClient
from ..results import LineInfo
from ..token_file import TokenFile
from .exit_codes import CommandFailed, NotSignedIn, UsageError
from .invocation import format_command
from .login_file import Login, LoginFile
from .terminal import escape

_MAX_LISTED_LINES = 20


class LoginAccount:
    """An account.

    :ivar login: the stored login.
    :ivar account: the source of its access tokens.
    :ivar client: the blocking client of its Manager API.
    :ivar endpoint: URL of its CTI service.
    :raises UsageError: ``ca_certs`` is wrong.
    """

    def __init__(self, login: Login, ca_certs: Optional[str]) -> None:
        try:
            oauth2 = login.make_oauth2_client(ca_certs)
            self.account = AccountClient(oauth2, TokenFile(oauth2))
            self.client = ManagerClient(
                self.account, login.manager_url, ca_certs=ca_certs, allow_http=login.allow_http
            )
        except ValueError as error:
            raise UsageError(error) from error
        self.login = login
        self.ca_certs = ca_certs
        self.endpoint = login.endpoint

    def select_line(self, csi: Optional[str]) -> str:
        """Return the line that the user named, or the account's only line.

        :raises UsageError: there are several lines, and the user named none.
        :raises CommandFailed: there are no lines.
        :raises KeyyoError: the lines cannot be read.
        """
        number = parse_number(csi, None) if csi else ""
        if number and not number.startswith("0"):
            return number
        lines = self.client.lines()
        if number:
            # A national number: of which country, only the account's lines can tell.
            mine = (str(line.csi) for line in lines)
            return next((each for each in mine if parse_number(number, each) == each), number)
        if not lines:
            raise CommandFailed("the account has no line")
        if len(lines) > 1:
            raise UsageError(f"which line? The account has {list_lines(lines)}")
        return str(lines[0].csi)


def load_account(ca_certs: Optional[str], allow_http: bool = False) -> Optional[LoginAccount]:
    """Return the account, or None if you are not signed in."""
    login = LoginFile().load(allow_http)
    return None if login is None else LoginAccount(login, ca_certs)


def require_account(ca_certs: Optional[str], allow_http: bool = False) -> LoginAccount:
    """Return the account.

    :raises NotSignedIn: you are not signed in.
    """
    account = load_account(ca_certs, allow_http)
    if account is None:
        raise NotSignedIn("you are not signed in")
    return account


def list_lines(lines: List[LineInfo]) -> str:
    """Return the lines of an account as text for a person."""
    listed = [
        escape(f"{line.csi} ({line.name})" if line.name else line.csi)
        for line in lines[:_MAX_LISTED_LINES]
    ]
    if len(lines) > len(listed):
        listed.append(f"{len(lines) - len(listed)} more, see {format_command('lines')}")
    return ", ".join(listed)
