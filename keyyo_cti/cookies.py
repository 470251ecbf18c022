"""Where the session id is kept between two runs: JavaScript's cookie, in a jar or in a file."""

import os
import sqlite3
import threading
from functools import partial
from http.cookiejar import Cookie, CookieJar
from pathlib import Path
from typing import (
    Any,
    Callable,
    ContextManager,
    List,
    NamedTuple,
    Optional,
    Protocol,
    Tuple,
    Union,
)
from weakref import WeakValueDictionary

from .clock import wall_clock
from .group_commit import GroupCommit
from .private_database import opened
from .private_folder import file_path
from .state_folder import state_folder

_DAY = 86400

#: A host that cannot exist (RFC 2606): a jar sends a cookie without a domain to everybody.
_NOBODY = "keyyo-cti.invalid"

#: Seconds that another process may hold the file. Less than ``close()`` has, because the reader
#: may be the one who waits.
_PATIENCE = 1.0

_TABLE = (
    "CREATE TABLE IF NOT EXISTS cookie (endpoint TEXT, name TEXT, session_id TEXT, "
    "expires REAL, PRIMARY KEY (endpoint, name))"
)

Wall = Callable[[], float]


class _Statement(NamedTuple):
    """One statement of SQL."""

    sql: str
    values: Tuple[Any, ...]


_Change = Tuple[_Statement, ...]

# By file, and for as long as a cookie of it is there.
_changes: "WeakValueDictionary[Path, GroupCommit[_Change]]" = WeakValueDictionary()
_looking_up = threading.Lock()


def _after_fork() -> None:
    """Another thread of the parent's may have been busy here; the child has no such thread."""
    global _looking_up
    _looking_up = threading.Lock()
    _changes.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class SessionCookie(Protocol):
    """One cookie. Its value is a secret."""

    def load(self) -> Optional[str]:
        """The session id, or None when there is none or it has expired."""

    def save(self, session_id: str) -> None:
        """Keeps a session id from now on, in place of any other.

        :raises OSError: it could not be kept.
        """

    def delete(self) -> None:
        """Forgets the session id.

        :raises OSError: that could not be done.
        """


class JarCookie:
    """The cookie in a jar of the user's.

    It belongs to a host that cannot exist: the page's cookie of the JavaScript SDK is never sent
    to Keyyo, and a jar that also serves HTTP requests must not send this one.

    :param expires: life in days.
    """

    def __init__(self, jar: CookieJar, name: str, expires: float, wall: Wall = wall_clock) -> None:
        self._jar = jar
        self._name = name
        self._expires = expires
        self._wall = wall

    def load(self) -> Optional[str]:
        now = self._wall()
        for cookie in self._jar:
            if self._is_ours(cookie) and not cookie.is_expired(int(now)):
                return cookie.value
        return None

    def save(self, session_id: str) -> None:
        self.delete()
        self._jar.set_cookie(
            Cookie(
                version=0,
                name=self._name,
                value=session_id,
                port=None,
                port_specified=False,
                domain=_NOBODY,
                domain_specified=False,
                domain_initial_dot=False,
                path="/",
                path_specified=True,
                secure=True,
                expires=int(self._wall() + self._expires * _DAY),
                discard=False,
                comment=None,
                comment_url=None,
                rest={"HttpOnly": ""},
            )
        )

    def delete(self) -> None:
        for cookie in list(self._jar):
            if self._is_ours(cookie):
                self._jar.clear(cookie.domain, cookie.path, cookie.name)

    def _is_ours(self, cookie: Cookie) -> bool:
        # One without a domain was put there by hand, as jar.set(name, value) does.
        return cookie.name == self._name and cookie.domain in (_NOBODY, "")


class FileCookie:
    """The cookie in a file that only its owner can read.

    It holds the cookies of all endpoints apart, so that no server is sent the session id of
    another. Threads and processes may use it at the same moment.

    :param expires: life in days.
    """

    def __init__(
        self, path: Path, endpoint: str, name: str, expires: float, wall: Wall = wall_clock
    ) -> None:
        self._path = path
        self._key = (endpoint, name)
        self._expires = expires
        self._wall = wall
        self._changes = _changes_of(path)

    def load(self) -> Optional[str]:
        if not self._path.exists():
            return None
        with _opened(self._path, _PATIENCE) as table:
            row = table.execute(
                "SELECT session_id FROM cookie WHERE endpoint = ? AND name = ? AND expires > ?",
                (*self._key, self._wall()),
            ).fetchone()
        return str(row[0]) if row else None

    def save(self, session_id: str) -> None:
        now = self._wall()
        self._change(
            _Statement("DELETE FROM cookie WHERE expires <= ?", (now,)),
            _Statement(
                "INSERT OR REPLACE INTO cookie VALUES (?, ?, ?, ?)",
                (*self._key, session_id, now + self._expires * _DAY),
            ),
        )

    def delete(self) -> None:
        if self._path.exists():
            self._change(
                _Statement("DELETE FROM cookie WHERE endpoint = ? AND name = ?", self._key)
            )

    def _change(self, *statements: _Statement) -> None:
        """Changes the table.

        :raises OSError: it cannot be changed; the message names the file, never what is in it.
        """
        texts = [value for _, values in statements for value in values if isinstance(value, str)]
        if not all(map(_is_utf8, texts)):
            # It is to cost nobody else's change.
            raise OSError(f"cookie file {self._path}: it cannot keep what UTF-8 cannot carry")
        self._changes.make(statements, _PATIENCE)


def _changes_of(path: Path) -> "GroupCommit[_Change]":
    """What makes the changes to a file, the same for all threads of this process."""
    with _looking_up:
        return _changes.setdefault(path, GroupCommit(partial(_commit, path)))


def _commit(path: Path, changes: List[_Change], timeout: float) -> None:
    with _opened(path, timeout) as table:
        table.execute("BEGIN IMMEDIATE")
        for change in changes:
            for sql, values in change:
                table.execute(sql, values)


def _opened(path: Path, patience: float) -> ContextManager[sqlite3.Connection]:
    """The table.

    :raises OSError: it cannot be had; the message names the file, never what is in it.
    """
    return opened(path, "cookie file", _TABLE, patience)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeError:
        return False
    return True


def cookie_path(path: Union[str, "os.PathLike[str]"]) -> Path:
    """Return the path that the option ``cookie_file`` means now.

    :raises TypeError: it is no path.
    :raises ValueError: it is not the name of a file.
    """
    return file_path("cookie_file", path, "cookie_jar=CookieJar() keeps the cookie in memory")


def default_file() -> Path:
    """The cookie file of this user: in the state directory of the platform.

    :raises OSError: the user has no home.
    """
    return state_folder() / "sessions.sqlite3"
