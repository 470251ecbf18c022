"""Storage of tokens in a file that several processes share."""

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Iterator, Optional, Protocol, Tuple, Union

from ._net import private_file
from ._net.private_folder import file_path
from ._net.state_folder import state_folder
from ._oauth2.token_store import LockedTokens
from ._oauth2.tokens import Tokens

_TABLE = (
    "CREATE TABLE IF NOT EXISTS tokens (token_url TEXT, client_id TEXT, access_token TEXT, "
    "refresh_token TEXT, expires_at REAL, PRIMARY KEY (token_url, client_id))"
)

#: The granted scopes. A table of its own, so that files of older versions stay valid.
_SCOPES = (
    "CREATE TABLE IF NOT EXISTS scopes (token_url TEXT, client_id TEXT, scope TEXT, "
    "PRIMARY KEY (token_url, client_id))"
)

_INSTEAD = "TokenMemory keeps tokens in memory"

#: Maximum seconds to wait for another process's refresh: several times a request's timeout.
_LOCK_TIMEOUT = 60.0


class Program(Protocol):
    """The owner of tokens: an ``OAuth2`` or an ``OAuth2Client``."""

    client_id: str
    token_url: str


class TokenFile:
    """The tokens of an application, in a file that only its owner can read.

    One process at a time locks the tokens to refresh them; the others can still read them. The
    file keeps the tokens of different applications and servers apart, so that no server receives
    the tokens of another.

    :param oauth2: the owner of the tokens.
    :param path: the file, resolved now; a later ``chdir`` does not change it. The default is a
        file in the user's state directory. Other users must not be able to write to its folder.
    :param patience: maximum seconds to wait while another process locks the tokens.
    :raises TypeError: ``path`` is not a path.
    :raises ValueError: ``path`` does not name a file.
    :raises OSError: there is no default path, because the user has no home.
    """

    def __init__(
        self,
        oauth2: Program,
        path: Union[str, "os.PathLike[str]", None] = None,
        *,
        patience: float = _LOCK_TIMEOUT,
    ) -> None:
        self.path = default_file() if path is None else file_path("path", path, _INSTEAD)
        self._key = (oauth2.token_url, oauth2.client_id)
        self._patience = patience

    def load(self) -> Optional[Tokens]:
        """Return the tokens, or None if there are none.

        :raises OSError: they cannot be read.
        """
        if not self.path.exists():
            return None
        with self._open() as database:
            return _Row(database, self._key).load()

    def save(self, tokens: Tokens) -> None:
        """Save tokens in place of the old ones.

        :raises OSError: they could not be saved.
        """
        with self.locked() as locked:
            locked.save(tokens)

    def delete(self) -> None:
        """Delete the tokens.

        :raises OSError: they could not be deleted.
        """
        if self.path.exists():
            with self._open() as database:
                for table in ("tokens", "scopes"):
                    database.execute(
                        f"DELETE FROM {table} WHERE token_url = ? AND client_id = ?", self._key
                    )

    @contextlib.contextmanager
    def locked(self) -> Iterator[LockedTokens]:
        """Lock the tokens against other threads and processes, and yield them.

        :raises OSError: they cannot be read, or another process locks them for too long.
        """
        with self._open() as database:
            # Lock now, not with the first change. Otherwise the tokens read could be out of date.
            database.execute("BEGIN IMMEDIATE")
            yield _Row(database, self._key)

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with private_file.open_database(
            self.path, "token file", _TABLE, self._patience
        ) as database:
            database.execute(_SCOPES)
            yield database

    def __repr__(self) -> str:
        return f"<TokenFile {self.path}>"


class _Row:
    """The row of one application in an open file."""

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
        # A change makes SQLite write its journal, so a full disk or a read-only folder shows here.
        # ``save`` overwrites the change, or the transaction is rolled back.
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
    """Return the user's token file in the platform's state directory.

    :raises OSError: the user has no home.
    """
    try:
        return state_folder() / "tokens.sqlite3"
    except OSError as error:
        raise OSError(f"tokens cannot be saved: {error}") from None
