"""What ``keyyo-cti login`` leaves behind for the other commands, beside the tokens."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional, Tuple
from urllib.parse import urlsplit

from .._net import private_database
from .._net.http_request import checked_url
from ..manager import BASE_URL
from ..oauth2 import AUTHORIZE_URL, TOKEN_URL, OAuth2Client
from ..options import ENDPOINT
from ..token_file import TokenFile, default_file

_TABLE = (
    "CREATE TABLE IF NOT EXISTS login (only INTEGER PRIMARY KEY CHECK (only = 1), "
    "client_id TEXT, client_secret TEXT, redirect_uri TEXT, server TEXT)"
)

#: Seconds that another process may hold the file, which it does for a moment only.
_PATIENCE = 5.0


@dataclass(frozen=True)
class Login:
    """A program that Keyyo knows, and which Keyyo that is. Its ``repr`` shows no secret.

    :ivar server: the address that serves everything; None for Keyyo's own addresses.
    :ivar allow_http: True if the server may be http on another machine. It is not kept.
    :raises ValueError: ``server`` is no address that secrets may be sent to.
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
            checked_url("server", self.server, self.allow_http)

    @property
    def program(self) -> Tuple[str, Optional[str]]:
        """Which program at which Keyyo; another one has a secret and tokens of its own."""
        return self.client_id, self.server

    def tokens(self, path: Path) -> TokenFile:
        """Its tokens."""
        return TokenFile(self.oauth2(None), path)

    @property
    def where(self) -> str:
        """Which Keyyo, for people."""
        return "Keyyo" if self.server is None else self.server

    @property
    def manager_url(self) -> str:
        return self._at_server(BASE_URL)

    @property
    def endpoint(self) -> str:
        return self._at_server(ENDPOINT)

    def oauth2(self, ca_certs: Optional[str]) -> OAuth2Client:
        """The program's OAuth2.

        :raises ValueError: something is wrong; the message says what.
        """
        return OAuth2Client(
            self.client_id,
            self.client_secret,
            self.redirect_uri,
            authorize_url=self._at_server(AUTHORIZE_URL),
            token_url=self._at_server(TOKEN_URL),
            ca_certs=ca_certs,
            allow_http=self.allow_http,
        )

    def _at_server(self, url: str) -> str:
        """One of Keyyo's addresses, or the same at the server, as a simulator has it."""
        return url if self.server is None else self.server.rstrip("/") + urlsplit(url).path


class LoginFile:
    """Keeps a login, in the file of the tokens.

    :param path: of the file; by default one in the user's state directory.
    """

    def __init__(self, path: Optional[Path] = None) -> None:
        self.path = default_file() if path is None else Path(os.path.abspath(path))

    def load(self, allow_http: bool = False) -> Optional[Login]:
        """The login, or None when there is none.

        :param allow_http: True if its server may be http on another machine.
        :raises OSError: it cannot be read.
        """
        if not self.path.exists():
            return None
        with private_database.opened(self.path, "token file", _TABLE, _PATIENCE) as database:
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
        """Keeps a login in place of what there is.

        :raises OSError: it could not be kept.
        """
        row = (login.client_id, login.client_secret, login.redirect_uri, login.server)
        with private_database.opened(self.path, "token file", _TABLE, _PATIENCE) as database:
            database.execute("INSERT OR REPLACE INTO login VALUES (1, ?, ?, ?, ?)", row)

    def delete(self) -> None:
        """Forgets it.

        :raises OSError: that could not be done.
        """
        if self.path.exists():
            with private_database.opened(self.path, "token file", _TABLE, _PATIENCE) as database:
                database.execute("DELETE FROM login")
