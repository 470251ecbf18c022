"""An archive of recorded calls, beyond the time for which Keyyo keeps them."""

import itertools
import json
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterable, Iterator, NamedTuple, Optional

from .._net.private_file import open_database
from .._net.private_folder import file_path
from ..call_history import CallRecord

#: Its columns are documented, because people query it.
_TABLE = """
CREATE TABLE IF NOT EXISTS calls (
    direction TEXT NOT NULL,
    call_id TEXT NOT NULL,
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
    PRIMARY KEY (direction, call_id, line)
)
"""

_ADD = "INSERT OR IGNORE INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

#: A record with more seconds is the whole of one that was read while the call went on.
_REPLACE = """
UPDATE calls
SET start_time = ?, start = ?, caller = ?, callee = ?, unit = ?, seconds = ?, answered = ?,
    missed = ?, fields = ?
WHERE direction = ? AND call_id = ? AND line = ? AND coalesce(seconds, -1) < ?
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
            if len(batch) < _BATCH:
                return Added(new, completed)

    @contextmanager
    def _open(self) -> Iterator[Any]:
        with open_database(self._path, "archive", _TABLE, _LOCK_TIMEOUT) as database:
            yield database


def _make_row(record: CallRecord) -> Any:
    return (*_make_key(record), *_make_values(record))


def _make_change(record: CallRecord) -> Any:
    seconds = -1 if record.seconds is None else record.seconds
    return (*_make_values(record), *_make_key(record), seconds)


def _make_key(record: CallRecord) -> Any:
    # As JSON writes it: SQLite refuses text that is not valid Unicode.
    call_id = json.dumps(record.call_id)[1:-1]
    return record.direction, call_id, record.line or ""


def _make_values(record: CallRecord) -> Any:
    return (
        record.start_time, f"{record.start:%Y-%m-%d %H:%M:%S}", record.caller, record.callee,
        json.dumps(record.unit)[1:-1], record.seconds, record.answered, record.missed,
        json.dumps(dict(record.fields)),
    )
