"""Where the session id is kept between two runs: JavaScript's cookie, in a jar or in a file."""

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

#: A host that cannot exist (RFC 2606): a jar sends a cookie without a domain to everybody.
_NOBODY = "keyyo-cti.invalid"

#: Seconds that other threads and processes may hold the file. Less than ``close()`` has, because
#: the reader thread may be the one that waits.
_LOCK_TIMEOUT = 1.0

#: Seconds between two attempts to lock the file.
_POLL_INTERVAL = 0.002

#: Of which a file is read. A session takes about 100.
_MAX_FILE_BYTES = 10_000_000

_Key = Tuple[str, str]


class _Kept(NamedTuple):
    """A session id, and when it expires."""

    session_id: str
    expires: float


class _Waiting(NamedTuple):
    """The changes to a file that threads wait for, and the lock of the thread that makes them.

    A thread that gets the lock makes all of them: a hundred that each replaced the file would
    make each other wait for too long.
    """

    changes: Dict[_Key, Optional[_Kept]]
    lock: threading.Lock


#: By process and file: a forked child does not wait for a thread that it does not have.
_waiting: Dict[Tuple[int, Path], _Waiting] = {}

Wall = Callable[[], float]


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
        cookie: Cookie = create_cookie(  # type: ignore[no-untyped-call]
            self._name,
            session_id,
            domain=_NOBODY,
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
        # One without a domain was put there by hand, as jar.set(name, value) does.
        return cookie.name == self._name and cookie.domain in (_NOBODY, "")


class FileCookie:
    """The cookie in a JSON file that only its owner can read.

    It holds the cookies of all endpoints apart, so that no server is sent the session id of
    another. Threads and processes may use it at the same moment. A change replaces the file as a
    whole, so that a reader needs no lock and a killed process leaves no half of it.

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
            # Windows refuses to replace a file while another process reads it.
            until = monotonic() + _LOCK_TIMEOUT
            with _locked(path, until) if sys.platform == "win32" else contextlib.nullcontext():
                kept = _read(path).get(self._key)
        return kept.session_id if kept is not None and kept.expires > self._wall() else None

    def save(self, session_id: str) -> None:
        self._change(_Kept(session_id, self._wall() + self._expires * _DAY))

    def delete(self) -> None:
        if self._path.exists():
            self._change(None)

    def _change(self, change: Optional[_Kept]) -> None:
        key = (os.getpid(), self._path)
        changes, lock = _waiting.setdefault(key, _Waiting({}, threading.Lock()))
        changes[self._key] = change
        until = monotonic() + _LOCK_TIMEOUT
        if lock.acquire(timeout=_LOCK_TIMEOUT):
            try:
                self._make(changes, until)
            finally:
                lock.release()
        elif changes.pop(self._key, self) is not self:
            raise OSError(f"cookie file {self._path}: other threads' changes take too long")

    def _make(self, changes: Dict[_Key, Optional[_Kept]], until: float) -> None:
        """Make the changes. If that fails, those of other threads are left to them."""
        making: Dict[_Key, Optional[_Kept]] = {}
        try:
            while changes:  # Other threads add to them.
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
        """Give the path in its private folder; errors name the file, never what is in it."""
        try:
            yield make_private_folder(self._path.parent) / self._path.name
        except OSError as error:
            raise OSError(f"cookie file {self._path}: {reason(error)}") from None


@contextlib.contextmanager
def _locked(path: Path, until: float) -> Iterator[None]:
    """Keep other processes from changing the file, by a lock that ends with its process.

    :param until: monotonic time at which another process has held it for too long.
    """
    file = open_private(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT)
    try:
        while not _try_lock(file):
            if monotonic() > until:
                raise OSError("another process holds it for too long")
            time.sleep(_POLL_INTERVAL)
        yield
    finally:
        if sys.platform != "win32":
            # Closing is not enough: a child that was forked meanwhile has the descriptor too.
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


def _read(path: Path) -> Dict[_Key, _Kept]:
    """Return what the file holds, which is nothing if there is none.

    :raises OSError: it is not a cookie file.
    """
    try:
        with open(open_private(path, os.O_RDONLY), "rb") as file:
            content = file.read(_MAX_FILE_BYTES)
    except FileNotFoundError:
        return {}
    # An earlier version's database is replaced: its sessions ended with its programs. But if it
    # also holds tokens, they must not be lost.
    old = content.startswith(b"SQLite format 3\0") and b"CREATE TABLE cookie" in content
    if not content or (old and b"CREATE TABLE tokens" not in content):
        return {}
    try:
        return {
            (str(endpoint), str(name)): _Kept(str(session_id), float(expires))
            for endpoint, name, session_id, expires in json.loads(content)
        }
    except (ValueError, TypeError, OverflowError, RecursionError):
        message = "not a cookie file, or damaged: remove it, or choose another cookie_file"
        raise OSError(message) from None


def _write(path: Path, kept: Mapping[_Key, Optional[_Kept]], now: float) -> None:
    """Replace the file by one without what is deleted or has expired."""
    rows = [(*key, *each) for key, each in kept.items() if each is not None and each.expires > now]
    # One name is enough, under the lock. What a killed process has left there is removed.
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    with open(open_private(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
        file.write(json.dumps(rows).encode())
    os.replace(temporary, path)


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
    return state_folder() / "sessions.json"
