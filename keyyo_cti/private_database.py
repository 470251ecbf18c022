"""A file of secrets: an SQLite database that only its owner can read.

SQLite makes each change whole or not at all, and keeps two processes that use the file at the
same moment from undoing each other's.
"""

import contextlib
import os
import sqlite3
import stat
import threading
from pathlib import Path
from typing import Iterator

#: Held from the making of a file to its closing, before which nobody else can lock it.
_creating = threading.Lock()


def _after_fork() -> None:
    """Another thread of the parent's may have held the lock; in the child there is none."""
    global _creating
    _creating = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextlib.contextmanager
def opened(path: Path, what: str, table: str, patience: float) -> Iterator[sqlite3.Connection]:
    """The database, whose transactions are for the caller to begin; the last one is committed,
    or, on an exception, undone.

    :param what: the file is, in errors.
    :param table: the statement that makes the table if there is none.
    :param patience: seconds that another process may keep us waiting.
    :raises OSError: it cannot be had; the message names the file, never what is in it.
    """
    try:
        _make_private(path, what)
        # No transaction begins by itself: that would be after the first look.
        connection = sqlite3.connect(path, timeout=patience, isolation_level=None)
        with contextlib.closing(connection) as database:
            # sqlite3's own error repeats a text that is none, which may be a secret.
            database.text_factory = bytes.decode
            # What is replaced is overwritten, too.
            database.execute("PRAGMA secure_delete = ON")
            database.execute(table)
            with database:
                yield database
    except (sqlite3.Error, UnicodeError) as error:
        raise OSError(f"{what} {path}: {error}") from error


def _make_private(path: Path, what: str) -> None:
    """Makes the file, readable by its owner only, before there is anything in it.

    A file that is there is not opened: to close any descriptor of it would take away the locks
    that other threads of this process hold, through SQLite, on the same file.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A link that somebody else put there could make us write into a file of their choice.
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    with _creating:
        try:
            os.close(os.open(path, flags, 0o600))
        except FileExistsError:
            _check_private(path, what)


def _check_private(path: Path, what: str) -> None:
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(f"{what} {path}: not a regular file")
    if hasattr(os, "geteuid"):
        if found.st_uid != os.geteuid():
            raise OSError(f"{what} {path}: belongs to somebody else")
        if stat.S_IMODE(found.st_mode) != 0o600:
            path.chmod(0o600)
