"""An archive of recorded calls, beyond the time for which Keyyo keeps them."""

import itertools
import json
import sqlite3
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Iterable, Iterator, NamedTuple, Optional

from .._net.private_file import open_database
from .._net.private_folder import file_path
from ..call_history import CallRecord
from .archive_coverage import TABLE, Selection, add_period, find_end

#: People query it. The line in the key is the one that the record names, which is the same in the
#: history of a line and in that of the account; ``line`` may be one of a group with that number.
_TABLE = """
CREATE TABLE IF NOT EXISTS calls (
    direction TEXT NOT NULL,
    call_id TEXT NOT NULL,
    named_line TEXT NOT NULL,
    line TEXT NOT NULL,
    start_time REAL NOT NULL,
    start TEXT NOT NULL,
    caller TEXT,
    callee TEXT,
    unit TEXT NOT NULL,
    seconds INTEGER,
    answered INTEGER,
    missed INTEGER NOT NULL,
    fields TEXT NOT NULL,
    PRIMARY KEY (direction, call_id, named_line)
)
"""

#: By which the table is told from that of another program.
_OWN_COLUMNS = {"call_id", "named_line", "start_time"}

_ADD = "INSERT OR IGNORE INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

#: A record with more seconds is the whole of one that was read while the call went on.
_REPLACE = """
UPDATE calls
SET start_time = ?, start = ?, caller = ?, callee = ?, unit = ?, seconds = ?, answered = ?,
    missed = ?, fields = ?
WHERE direction = ? AND call_id = ? AND named_line = ? AND coalesce(seconds, -1) < ?
"""

#: The history of a line knows the line, where that of the account knows the number of its group.
_SET_LINE = """
UPDATE calls SET line = ?
WHERE direction = ? AND call_id = ? AND named_line = ? AND line = named_line
"""

#: Seconds to wait for another run, which holds the lock for one batch at a time.
_LOCK_TIMEOUT = 60.0

#: Records of one transaction.
_BATCH = 500

_INSTEAD = "leave out --into to print the calls"


class Added(NamedTuple):
    """The numbers of records that were added, and that replaced a part of the same call."""

    new: int
    completed: int


class HistoryArchive:
    """An SQLite file with each call once. Several processes may add to it at once.

    :param path: the file, which only its owner can read.
    :raises ValueError: ``path`` does not name a file.
    """

    def __init__(self, path: str) -> None:
        self._path = file_path("--into", path, _INSTEAD)
        self._is_checked = False

    @property
    def path(self) -> Path:
        """The absolute path."""
        return self._path

    def find_latest(self, csi: Optional[str]) -> Optional[float]:
        """Return the latest start of a call in Unix seconds, or None without any.

        :param csi: of this line only.
        :raises OSError: the file cannot be read.
        """
        if not self._path.exists():
            return None
        with self._open() as database:
            [latest] = database.execute(
                "SELECT max(start_time) FROM calls WHERE ? IN (line, '')", (csi or "",)
            ).fetchone()
        return None if latest is None else float(latest)

    def find_end(self, selection: Selection, beginning: float) -> float:
        """Return until when all calls of a selection are in the archive, in Unix seconds.

        :param beginning: is returned if they are not from there on.
        :raises OSError: the file cannot be read.
        """
        if not self._path.exists():
            return beginning
        with self._open() as database:
            return find_end(database, selection, beginning)

    def set_read(self, selection: Selection, since: float, until: float) -> None:
        """Note that all calls of a selection have been added from ``since`` up to ``until``.

        :raises OSError: the file cannot be written.
        """
        with self._open() as database:
            database.execute("BEGIN IMMEDIATE")
            add_period(database, selection, since, until)

    def add(self, records: Iterable[CallRecord]) -> Added:
        """Add records, each call once.

        :raises OSError: the file cannot be written.
        """
        new = completed = 0
        left = iter(records)
        # At least once, so that the file is there even without a call.
        while True:
            # Read before the lock is taken: the records come over the network.
            batch = list(itertools.islice(left, _BATCH))
            with self._open() as database:
                database.execute("BEGIN IMMEDIATE")
                for record in batch:
                    is_new = database.execute(_ADD, _make_row(record)).rowcount > 0
                    new += is_new
                    if not is_new:
                        completed += database.execute(_REPLACE, _make_change(record)).rowcount
                        database.execute(_SET_LINE, (record.line or "", *_make_key(record)))
            if len(batch) < _BATCH:
                return Added(new, completed)

    @contextmanager
    def _open(self) -> Iterator[Any]:
        self._check()
        with open_database(self._path, "archive", _TABLE, _LOCK_TIMEOUT) as database:
            database.execute(TABLE)
            yield database

    def _check(self) -> None:
        """Check that the file is no other program's, before it is changed.

        :raises OSError: it is.
        """
        if self._is_checked:
            return
        self._is_checked = True
        with suppress(sqlite3.Error):  # Of no database. Who opens it tells why.
            url = f"{self._path.as_uri()}?mode=ro"
            with closing(sqlite3.connect(url, _LOCK_TIMEOUT, uri=True)) as database:
                tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
                columns = {row[1] for row in database.execute("PRAGMA table_info(calls)")}
                if tables and not _OWN_COLUMNS <= columns:
                    raise OSError(
                        f"archive {self._path}: another program keeps its data there: name "
                        "another file"
                    )


def _make_row(record: CallRecord) -> Any:
    return (*_make_key(record), record.line or "", *_make_values(record))


def _make_change(record: CallRecord) -> Any:
    seconds = -1 if record.seconds is None else record.seconds
    return (*_make_values(record), *_make_key(record), seconds)


def _make_key(record: CallRecord) -> Any:
    # As JSON writes it: SQLite refuses text that is not valid Unicode.
    call_id = json.dumps(record.call_id)[1:-1]
    named = record.callee if record.direction == "in" else record.caller
    return record.direction, call_id, named or ""


def _make_values(record: CallRecord) -> Any:
    return (
        record.start_time, f"{record.start:%Y-%m-%d %H:%M:%S}", record.caller, record.callee,
        json.dumps(record.unit)[1:-1], record.seconds, record.answered, record.missed,
        json.dumps(dict(record.fields)),
    )
