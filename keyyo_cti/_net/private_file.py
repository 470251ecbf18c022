"""A file of secrets: an SQLite database that only its owner can read.

SQLite makes each change atomic, also between processes.
"""

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Iterator

from . import process
from .private_folder import check_private, make_private_folder, open_private, reason
from .reentrant import new_lock

#: Suffixes of the files that SQLite creates beside a database.
_SIBLINGS = ("-journal", "-wal", "-shm")

#: Held from the creation of a file to its closing. Closing would release SQLite's locks of other
#: threads. Reentrant, because a signal handler may open the file too.
_creating = new_lock()


def _after_fork() -> None:
    """Replace the lock, which another thread of the parent may have held at the fork."""
    global _creating
    _creating = new_lock()


process.run_in_child(_after_fork)


@contextlib.contextmanager
def open_database(
    path: Path, what: str, table: str, timeout: float
) -> Iterator[sqlite3.Connection]:
    """Open the database, and close it after the block.

    The caller begins transactions. The last one is committed, or rolled back on an exception.

    :param what: the kind of the file, for errors.
    :param table: the statement that creates a missing table.
    :param timeout: seconds to wait for a lock of another process.
    :raises OSError: it cannot be opened. The message names the file, never its contents.
    """
    try:
        path = _make_private(path, what)
        made = path.lstat()
        # Without implicit transactions, which begin only after the first read.
        connection = sqlite3.connect(path, timeout=timeout, isolation_level=None)
        with contextlib.closing(connection) as database:
            # Otherwise sqlite3's error would repeat a malformed text, which may be a secret.
            database.text_factory = bytes.decode
            # Overwrites deleted secrets with zeros.
            database.execute("PRAGMA secure_delete = ON")
            database.execute(table)
            # SQLite opens by name: check that it has opened the checked file. A freed inode may be
            # used again, but only in this user's folder.
            _check_private(path, what)
            if not os.path.samestat(made, path.lstat()):
                raise OSError(f"{what} {path}: it was replaced while it was opened")
            with database:
                yield database
    except (sqlite3.Error, UnicodeError) as error:
        raise OSError(f"{what} {path}: {error}") from error


def _make_private(path: Path, what: str) -> Path:
    """Create an empty file that only its owner can read, and return its real path.

    An existing file is not opened: closing a descriptor would release the locks that SQLite holds
    on this file for other threads. It cannot be replaced after the check, because no other user
    can write to its folder.
    """
    try:
        folder = make_private_folder(path.parent)
    except OSError as error:
        raise type(error)(f"{what} {path}: {reason(error)}") from None
    path = folder / path.name
    with _creating:
        _check_siblings(path, what)
        try:
            os.close(open_private(path, os.O_RDWR | os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            _check_private(path, what)
    return path


def _check_siblings(path: Path, what: str) -> None:
    """Check the files beside the database.

    SQLite would write another user's journal into the database.
    """
    for suffix in _SIBLINGS:
        with contextlib.suppress(FileNotFoundError):
            _check_private(path.with_name(path.name + suffix), what)


def _check_private(path: Path, what: str) -> None:
    try:
        check_private(path.lstat(), path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise OSError(f"{what} {path}: {reason(error)}") from None
