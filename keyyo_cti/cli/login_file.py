"""The login that ``keyyo-cti login`` stores for the other commands, beside the tokens."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional, Tuple
from urllib.parse import urlsplit

from .._net import private_file
from .._net.http_request import check_url
from .._net.urls import is_loopback, parse_origin
from ..manager import BASE_URL
from ..oauth2 import AUTHORIZE_URL, TOKEN_URL, OAuth2Client
from ..options import ENDPOINT
from ..token_file import TokenFile, default_file

_TABLE = (
    "CREATE TABLE IF NOT EXISTS login (only INTEGER PRIMARY KEY CHECK (only = 1), "
    "client_id TEXT, client_secret TEXT, redirect_uri TEXT, server TEXT)"
)

#: Seconds. Other processes lock the file for a moment only.
_LOCK_TIMEOUT = 5.0


@dataclass(frozen=True)
class Login:
    """A program registered at Keyyo or at another server. Its ``repr`` shows no secret.

    :ivar server: address that serves every API; None for Keyyo's own addresses.
    :ivar allow_http: True if the server may use http on another machine. It is not stored.
    :raises ValueError: a field is empty, or secrets must not be sent to ``server``.
    """

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    server: Optional[str] = None
    allow_http: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("client_id", "client_secret", "redirect_uri"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value.strip():
                raise ValueError(f"{name}: expected a string that is not empty")
        if self.server is not None:
            check_url("server", self.server, self.allow_http)

    @property
    def program(self) -> Tuple[str, Optional[str]]:
        """Identity of the program. Each one has its own secret and tokens."""
        return self.client_id, self.server

    @property
    def where(self) -> str:
        """Name of the server, for a person."""
        if self.server is None:
            return "Keyyo"
        kind = "simulator" if self.is_simulator else "server"
        return f"the {kind} at {self.server}"

    @property
    def is_simulator(self) -> bool:
        """True if the server is on this machine, as only a simulator is."""
        return self.server is not None and is_loopback(parse_origin(self.server).host)

    @property
    def manager_url(self) -> str:
        return self._move_to_server(BASE_URL)

    @property
    def endpoint(self) -> str:
        return self._move_to_server(ENDPOINT)

    @property
    def simulator_url(self) -> str:
        """Address where the telephones of a simulator are operated."""
        return f"{(self.server or '').rstrip('/')}/simulator"

    def make_token_file(self, path: Path) -> TokenFile:
        """Return the file with the tokens of the program."""
        return TokenFile(self.make_oauth2_client(None), path)

    def make_oauth2_client(self, ca_certs: Optional[str]) -> OAuth2Client:
        """Return the program's OAuth2 client.

        :raises ValueError: a field or ``ca_certs`` is wrong.
        """
        return OAuth2Client(
            self.client_id,
            self.client_secret,
            self.redirect_uri,
            authorize_url=self._move_to_server(AUTHORIZE_URL),
            token_url=self._move_to_server(TOKEN_URL),
            ca_certs=ca_certs,
            allow_http=self.allow_http,
        )

    def _move_to_server(self, url: str) -> str:
        """Return the address on the server that corresponds to one of Keyyo's."""
        return url if self.server is None else self.server.rstrip("/") + urlsplit(url).path


class LoginFile:
    """Stores a login, in the file of the tokens.

    :param path: path of the file; by default in the user's state directory.
    """

    def __init__(self, path: Optional[Path] = None) -> None:
        self.path = default_file() if path is None else Path(os.path.abspath(path))

    def load(self, allow_http: bool = False) -> Optional[Login]:
        """Return the login, or None if there is none.

        :param allow_http: True if its server may use http on another machine.
        :raises OSError: the file cannot be read.
        """
        if not self.path.exists():
            return None
        with private_file.open_database(
            self.path, "token file", _TABLE, _LOCK_TIMEOUT
        ) as database:
            row = database.execute(
                "SELECT client_id, client_secret, redirect_uri, server FROM login"
            ).fetchone()
        try:
            if row is None:
                return None
            client_id, client_secret, redirect_uri, server = row
            return Login(client_id, client_secret, redirect_uri, server, allow_http)
        except (TypeError, ValueError) as error:
            raise OSError(f"token file {self.path}: it is damaged: {error}") from None

    def save(self, login: Login) -> None:
        """Store a login, in place of the last one.

        :raises OSError: the file cannot be written.
        """
        row = (login.client_id, login.client_secret, login.redirect_uri, login.server)
        with private_file.open_database(
            self.path, "token file", _TABLE, _LOCK_TIMEOUT
        ) as database:
            database.execute("INSERT OR REPLACE INTO login VALUES (1, ?, ?, ?, ?)", row)

    def delete(self) -> None:
        """Delete the login.

        :raises OSError: the file cannot be written.
        """
        if self.path.exists():
            with private_file.open_database(
                self.path, "token file", _TABLE, _LOCK_TIMEOUT
            ) as database:
                database.execute("DELETE FROM login")
