"""Names beside numbers, from the account of ``keyyo-cti login``."""

import argparse
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Callable, Iterator, List, Optional

from ..results import LineInfo
from .exit_codes import NotSignedIn
from .invocation import name_program
from .session_config import SessionConfig
from .terminal import Terminal, escape

if TYPE_CHECKING:
    from ..directory import Contact
    from ..manager import ManagerClient

#: Seconds, so that the command ends within a second of Ctrl-C.
_CLOSE_TIMEOUT = 0.3

#: Seconds that a command which prints once waits for the names.
_READ_TIMEOUT = 30.0


def add_names(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for names."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--names",
        action="store_true",
        default=None,
        help="show names beside numbers, from the lines and the directory of the account; on if "
        "you are signed in",
    )
    group.add_argument(
        "--no-names", dest="names", action="store_false", help="show numbers without names"
    )


def make_names(arguments: argparse.Namespace, config: SessionConfig) -> "Optional[AccountNames]":
    """Return the names of the account; None if none are to be shown.

    By default they are shown if the account is at the server of the session. Otherwise a session
    at a simulator would cause requests to Keyyo.

    :raises NotSignedIn: ``--names`` was given, and you are not signed in.
    """
    if arguments.names is False:
        return None
    # Imported late, because OAuth2 loads slowly.
    from .login_file import LoginFile

    try:
        login = LoginFile().load(arguments.allow_http)
    except OSError:
        if arguments.names:
            raise
        return None
    if login is None and arguments.names:
        raise NotSignedIn("--names needs an account, and you are not signed in")
    if login is None or not (arguments.names or login.endpoint == config.endpoint):
        return None
    return AccountNames(arguments.ca_certs, arguments.allow_http)


@contextmanager
def open_names(
    arguments: argparse.Namespace, err: Terminal
) -> "Iterator[Optional[AccountNames]]":
    """Return the names of the account within the block, for a command that needs the account.

    Their ``wait`` is to be called before the first of them is shown.

    :param err: receives the message if they cannot be read.
    :returns: a context manager; it gives None if ``--no-names`` was given.
    """
    if arguments.names is False:
        yield None
        return
    with AccountNames(arguments.ca_certs, arguments.allow_http) as names:
        names.on_failure = err.print_line
        yield names


class AccountNames:
    """The names of an account, read in the background while it is entered.

    :ivar on_failure: called once with a message if they cannot be read.
    """

    def __init__(self, ca_certs: Optional[str], allow_http: bool) -> None:
        from ..directory import Directory

        self.on_failure: Callable[[str], object] = _ignore
        self._ca_certs = ca_certs
        self._allow_http = allow_http
        self._client: "Optional[ManagerClient]" = None
        self._closed = False
        self._failed = False
        self._directory = Directory(self)

    def __enter__(self) -> "AccountNames":
        self._directory.refresh()
        return self

    def __exit__(self, *_: Any) -> None:
        self._closed = True
        if self._client is not None:
            # Otherwise the end of the command would wait for a request.
            self._client.close()
        self._directory.close(_CLOSE_TIMEOUT)

    def name_of(self, number: Any) -> Optional[str]:
        """Return the name for a number, or None."""
        return self._directory.name_of(number)

    def wait(self) -> None:
        """Wait until the names have been read, or cannot be read."""
        if not self._directory.wait(_READ_TIMEOUT) and not self._failed:
            self._failed = True
            self.on_failure(f"names are not shown: no answer within {_READ_TIMEOUT:g} s")

    # The source of the directory, on its thread.

    def lines(self) -> List[LineInfo]:
        """Return the lines of the account."""
        return self._read(lambda client: client.lines())

    def contacts(self) -> "List[Contact]":
        """Return the contacts of the account."""
        return self._read(lambda client: client.contacts())

    def _read(self, ask: "Callable[[ManagerClient], List[Any]]") -> List[Any]:
        try:
            if self._client is None:
                from .login_account import require_account

                self._client = require_account(self._ca_certs, self._allow_http).client
            if self._closed:
                self._client.close()
            return ask(self._client)
        except Exception as error:
            if not (self._failed or self._closed):
                self._failed = True
                self.on_failure(f"names cannot be read: {name_program(escape(error))}")
            raise


def _ignore(message: str) -> None:
    """Do nothing with a message."""
