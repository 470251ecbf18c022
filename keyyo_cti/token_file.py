"""Tokens in a file that several processes share."""

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Iterator, Optional, Protocol, Tuple, Union

from ._net import private_database
from ._net.private_folder import file_path
from ._net.state_folder import state_folder
from ._oauth2.token_store import HeldTokens
from ._oauth2.tokens import Tokens

_TABLE = (
    "CREATE TABLE IF NOT EXISTS tokens (token_url TEXT, client_id TEXT, access_token TEXT, "
    "refresh_token TEXT, expires_at REAL, PRIMARY KEY (token_url, client_id))"
)

#: What Keyyo granted. A table of its own, so that files of older versions stay as they are.
_SCOPES = (
    "CREATE TABLE IF NOT EXISTS scopes (token_url TEXT, client_id TEXT, scope TEXT, "
    "PRIMARY KEY (token_url, client_id))"
)

_INSTEAD = "TokenMemory keeps tokens in memory"

#: Seconds that another process may take to refresh: several times what a request may.
PATIENCE = 60.0


class Program(Protocol):
    """Whose tokens they are: an ``OAuth2``, or an ``OAuth2Client``."""

    client_id: str
    token_url: str


class TokenFile:
    """The tokens of an application in a file that only its owner can read.

    One process at a time can hold them, to refresh them; the others can go on reading those
    that there are. The file holds the tokens of all applications and servers apart, so that no
    server is sent another's.

    :param oauth2: whose tokens they are.
    :param path: of the file, as it is meant now: a later ``chdir`` does not change it. By default
        one in the user's state directory. Nobody else may be able to write to its folder.
    :param patience: seconds that another process may hold them.
    :raises TypeError: ``path`` is no path.
    :raises ValueError: ``path`` is not the name of a file.
    :raises OSError: there is no default, for the user has no home.
    """

    def __init__(
        self,
        oauth2: Program,
        path: Union[str, "os.PathLike[str]", None] = None,
        *,
        patience: float = PATIENCE,
    ) -> None:
        self.path = default_file() if path is None else file_path("path", path, _INSTEAD)
        self._key = (oauth2.token_url, oauth2.client_id)
        self._patience = patience

    def load(self) -> Optional[Tokens]:
        """The tokens, or None when there are none.

        :raises OSError: they cannot be read.
        """
        if not self.path.exists():
            return None
        with self._open() as database:
            return _Row(database, self._key).load()

    def save(self, tokens: Tokens) -> None:
        """Keeps tokens in place of those that there are.

        :raises OSError: they could not be kept.
        """
        with self.held() as held:
            held.save(tokens)

    def delete(self) -> None:
        """Forgets the tokens.

        :raises OSError: that could not be done.
        """
        if self.path.exists():
            with self._open() as database:
                for table in ("tokens", "scopes"):
                    database.execute(
                        f"DELETE FROM {table} WHERE token_url = ? AND client_id = ?", self._key
                    )

    @contextlib.contextmanager
    def held(self) -> Iterator[HeldTokens]:
        """The tokens, while no other thread or process can change them.

        :raises OSError: they cannot be had, or are held too long by another.
        """
        with self._open() as database:
            # At once, and not with the first change: what was read before would be out of date.
            database.execute("BEGIN IMMEDIATE")
            yield _Row(database, self._key)

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with private_database.opened(self.path, "token file", _TABLE, self._patience) as database:
            database.execute(_SCOPES)
            yield database

    def __repr__(self) -> str:
        return f"<TokenFile {self.path}>"


class _Row:
    """One application's row in an open file."""

    def __init__(self, database: sqlite3.Connection, key: Tuple[str, str]) -> None:
        self._database = database
        self._key = key

    def load(self) -> Optional[Tokens]:
        rows = self._database.execute(
            "SELECT access_token, refresh_token, expires_at, scope "
            "FROM tokens LEFT JOIN scopes USING (token_url, client_id) "
            "WHERE token_url = ? AND client_id = ?",
            self._key,
        )
        try:
            return next((Tokens(*row) for row in rows.fetchall()), None)
        except ValueError as error:
            raise OSError(f"the token file is damaged: {error}") from None

    def reserve(self) -> None:
        # A change makes SQLite write its journal: a full disk, or a folder that cannot be written
        # to, shows here. It is undone by the saving, or with the transaction.
        self._database.execute(
            "UPDATE tokens SET access_token = access_token || '-' "
            "WHERE token_url = ? AND client_id = ?",
            self._key,
        )

    def save(self, tokens: Tokens) -> None:
        self._database.execute(
            "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, ?)",
            (*self._key, tokens.access_token, tokens.refresh_token, tokens.expires_at),
        )
        self._database.execute(
            "INSERT OR REPLACE INTO scopes VALUES (?, ?, ?)", (*self._key, tokens.scope)
        )


def default_file() -> Path:
    """The token file of this user: in the state directory of the platform.

    :raises OSError: the user has no home.
    """
    try:
        return state_folder() / "tokens.sqlite3"
    except OSError as error:
        raise OSError(f"tokens cannot be kept: {error}") from None
