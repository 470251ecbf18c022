"""Storage of the session id between two runs: JavaScript's cookie, in a jar or in a file."""

import contextlib
import json
import os
import sys
import threading
import time
from http.cookiejar import Cookie, CookieJar
from pathlib import Path
from typing import (
    Callable,
    Dict,
    Iterator,
    Mapping,
    NamedTuple,
    Optional,
    Protocol,
    Tuple,
    Union,
)

from requests.cookies import create_cookie

from .._net.clock import monotonic, wall_clock
from .._net.private_folder import file_path, make_private_folder, open_private, reason
from .._net.state_folder import state_folder

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_DAY = 86400

#: A host that cannot exist (RFC 2606). A cookie without a domain would be sent to every server.
_NO_HOST = "keyyo-cti.invalid"

#: Maximum seconds to wait for other threads and processes. It is less than ``close()`` has: the
#: reader thread may be the waiter.
_LOCK_TIMEOUT = 1.0

#: Seconds between two attempts to lock the file.
_POLL_INTERVAL = 0.002

#: Maximum size of the file that is read. A session takes about 100 bytes.
_MAX_FILE_BYTES = 10_000_000

_Key = Tuple[str, str]


class _StoredSession(NamedTuple):
    """A session id and its expiry, a Unix time: the last two columns of a row of the file."""

    session_id: str
    expires: float


class _PendingChanges(NamedTuple):
    """The pending changes to a file, and the lock of the thread that writes them.

    The thread with the lock writes all of them. Otherwise a hundred threads that each replace the
    file would exceed their timeouts.
    """

    changes: Dict[_Key, Optional[_StoredSession]]
    lock: threading.Lock


#: By process and file. Otherwise a forked child would wait for a thread that it does not have.
_pending_changes: Dict[Tuple[int, Path], _PendingChanges] = {}

Wall = Callable[[], float]


class SessionCookie(Protocol):
    """One cookie, whose value is secret."""

    def load(self) -> Optional[str]:
        """Return the session id, or None if there is none or it has expired."""

    def save(self, session_id: str) -> None:
        """Save a session id in place of any other.

        :raises OSError: it could not be saved.
        """

    def delete(self) -> None:
        """Delete the session id.

        :raises OSError: it could not be deleted.
        """


class JarCookie:
    """The cookie in a jar of the program.

    Its host cannot exist. The JavaScript SDK never sends the page's cookie to Keyyo, and a jar
    that also serves HTTP requests must not send this one.

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
        cookie: Cookie = create_cookie(  # type: ignore[no-untyped-call]
            self._name,
            session_id,
            domain=_NO_HOST,
            secure=True,
            expires=int(self._wall() + self._expires * _DAY),
            discard=False,
            rest={"HttpOnly": ""},
        )
        self._jar.set_cookie(cookie)

    def delete(self) -> None:
        for cookie in list(self._jar):
            if self._is_ours(cookie):
                self._jar.clear(cookie.domain, cookie.path, cookie.name)

    def _is_ours(self, cookie: Cookie) -> bool:
        # A cookie without a domain was added by hand, as by jar.set(name, value).
        return cookie.name == self._name and cookie.domain in (_NO_HOST, "")


class FileCookie:
    """The cookie in a JSON file that only its owner can read.

    The file is a list of rows ``[endpoint, name, session_id, expires]``, and ``expires`` is a Unix
    time. A file with a row of another length is refused, so a new column needs a reader for the
    rows of earlier versions.

    The file keeps the cookies of different endpoints apart, so that no server receives the
    session id of another. Threads and processes may use it at the same time. Each change replaces
    the whole file, so a reader needs no lock, and a killed process leaves no partial file.

    :param expires: life in days.
    """

    def __init__(
        self, path: Path, endpoint: str, name: str, expires: float, wall: Wall = wall_clock
    ) -> None:
        self._path = path
        self._key = (endpoint, name)
        self._expires = expires
        self._wall = wall

    def load(self) -> Optional[str]:
        if not self._path.exists():
            return None
        with self._private_path() as path:
            # Windows cannot replace a file while another process reads it.
            until = monotonic() + _LOCK_TIMEOUT
            with _locked(path, until) if sys.platform == "win32" else contextlib.nullcontext():
                kept = _read(path).get(self._key)
        return kept.session_id if kept is not None and kept.expires > self._wall() else None

    def save(self, session_id: str) -> None:
        self._change(_StoredSession(session_id, self._wall() + self._expires * _DAY))

    def delete(self) -> None:
        if self._path.exists():
            self._change(None)

    def _change(self, change: Optional[_StoredSession]) -> None:
        key = (os.getpid(), self._path)
        changes, lock = _pending_changes.setdefault(key, _PendingChanges({}, threading.Lock()))
        changes[self._key] = change
        until = monotonic() + _LOCK_TIMEOUT
        if lock.acquire(timeout=_LOCK_TIMEOUT):
            try:
                self._make(changes, until)
            finally:
                lock.release()
        elif changes.pop(self._key, self) is not self:
            raise OSError(f"cookie file {self._path}: other threads' changes take too long")

    def _make(self, changes: Dict[_Key, Optional[_StoredSession]], until: float) -> None:
        """Write the changes. After a failure, the other threads' changes are left to them."""
        making: Dict[_Key, Optional[_StoredSession]] = {}
        try:
            while changes:  # Other threads add more.
                key, change = changes.popitem()
                making[key] = change
            if making:
                with self._private_path() as path, _locked(path, until):
                    _write(path, {**_read(path), **making}, self._wall())
        except BaseException:
            making.pop(self._key, None)
            for key, change in making.items():
                changes.setdefault(key, change)
            raise

    @contextlib.contextmanager
    def _private_path(self) -> Iterator[Path]:
        """Yield the path in its private folder; errors name the file, never its content."""
        try:
            yield make_private_folder(self._path.parent) / self._path.name
        except OSError as error:
            raise OSError(f"cookie file {self._path}: {reason(error)}") from None


@contextlib.contextmanager
def _locked(path: Path, until: float) -> Iterator[None]:
    """Hold a lock against other processes, which ends with the process.

    :param until: deadline in monotonic seconds.
    """
    file = open_private(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT)
    try:
        while not _try_lock(file):
            if monotonic() > until:
                raise OSError("another process holds the lock for too long")
            time.sleep(_POLL_INTERVAL)
        yield
    finally:
        if sys.platform != "win32":
            # Closing is not enough: a child forked in between has the descriptor too.
            fcntl.flock(file, fcntl.LOCK_UN)
        os.close(file)


def _try_lock(file: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _read(path: Path) -> Dict[_Key, _StoredSession]:
    """Return the content of the file, or an empty dict if there is no file.

    :raises OSError: it is not a cookie file.
    """
    try:
        with open(open_private(path, os.O_RDONLY), "rb") as file:
            content = file.read(_MAX_FILE_BYTES)
    except FileNotFoundError:
        return {}
    # A database of an earlier version is replaced: its sessions ended with their programs. One
    # that also holds tokens must not be lost.
    old = content.startswith(b"SQLite format 3\0") and b"CREATE TABLE cookie" in content
    if not content or (old and b"CREATE TABLE tokens" not in content):
        return {}
    try:
        return {
            (str(endpoint), str(name)): _StoredSession(str(session_id), float(expires))
            for endpoint, name, session_id, expires in json.loads(content)
        }
    except (ValueError, TypeError, OverflowError, RecursionError):
        message = "not a cookie file, or damaged: remove it, or choose another cookie_file"
        raise OSError(message) from None


def _write(path: Path, kept: Mapping[_Key, Optional[_StoredSession]], now: float) -> None:
    """Replace the file, without deleted and expired sessions."""
    rows = [(*key, *each) for key, each in kept.items() if each is not None and each.expires > now]
    # The lock makes one temporary name enough. A killed process may have left the file behind.
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    with open(open_private(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
        file.write(json.dumps(rows).encode())
    os.replace(temporary, path)


def cookie_path(path: Union[str, "os.PathLike[str]"]) -> Path:
    """Return the current meaning of the option ``cookie_file``.

    :raises TypeError: it is not a path.
    :raises ValueError: it does not name a file.
    """
    return file_path("cookie_file", path, "cookie_jar=CookieJar() keeps the cookie in memory")


def default_file() -> Path:
    """Return the user's cookie file in the platform's state directory.

    :raises OSError: the user has no home.
    """
    return state_folder() / "sessions.json"
