"""A file of secrets: an SQLite database that only its owner can read.

SQLite makes each change whole or not at all, and keeps two processes that use the file at the
same moment from undoing each other's.
"""

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Iterator

from .private_folder import check_private, make_private_folder, open_private, reason
from .reentrant import new_lock

#: What SQLite adds to the name of a database for the files beside it.
_SIBLINGS = ("-journal", "-wal", "-shm")

#: Held from the making of a file to its closing, before which nobody else can lock it.
#: Reentrant, because a signal handler may open the file too.
_creating = new_lock()


def _after_fork() -> None:
    """Another thread of the parent's may have held the lock; in the child there is none."""
    global _creating
    _creating = new_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextlib.contextmanager
def open_database(
    path: Path, what: str, table: str, patience: float
) -> Iterator[sqlite3.Connection]:
    """The database, whose transactions are for the caller to begin; the last one is committed,
    or, on an exception, undone.

    :param what: the file is, in errors.
    :param table: the statement that makes the table if there is none.
    :param patience: seconds that another process may keep us waiting.
    :raises OSError: it cannot be had; the message names the file, never what is in it.
    """
    try:
        path = _make_private(path, what)
        made = path.lstat()
        # No transaction begins by itself: that would be after the first look.
        connection = sqlite3.connect(path, timeout=patience, isolation_level=None)
        with contextlib.closing(connection) as database:
            # sqlite3's own error repeats a text that is none, which may be a secret.
            database.text_factory = bytes.decode
            # What is replaced is overwritten, too.
            database.execute("PRAGMA secure_delete = ON")
            database.execute(table)
            # SQLite opens by name: what it has opened is what was looked at. The number of a file
            # that was removed may be given again, but not to another user's.
            _check_private(path, what)
            if not os.path.samestat(made, path.lstat()):
                raise OSError(f"{what} {path}: it was replaced while it was opened")
            with database:
                yield database
    except (sqlite3.Error, UnicodeError) as error:
        raise OSError(f"{what} {path}: {error}") from error


def _make_private(path: Path, what: str) -> Path:
    """Make the file, readable by its owner only, before there is anything in it.

    A file that is there is not opened: to close any descriptor of it would take away the locks
    that other threads of this process hold, through SQLite, on the same file. It cannot be
    replaced after it was looked at, because nobody else can write to its folder.

    :returns: its real path.
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
    """Check the files that SQLite reads beside the database, without being asked.

    A journal that another user has put there would be written into the database.
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
