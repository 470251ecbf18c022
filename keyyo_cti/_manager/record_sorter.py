"""Sorts records of calls in bounded memory."""

import contextlib
import json
from typing import Any, Iterator, Mapping, Tuple

from ..call_history import CallRecord, HistoryDirection
from ..errors import ManagerError

#: Negative: kilobytes that SQLite keeps in memory. The rest is in a file without a name.
_CACHE = -2048

_TABLE = """
CREATE TABLE records (
    call TEXT PRIMARY KEY, start REAL, quantity INTEGER, direction TEXT, fields TEXT
)
"""

#: The order of records that begin at the same time is the one in which they came.
_SORTED = "SELECT direction, fields FROM records ORDER BY start, rowid"

#: Without UPSERT, which SQLite has only since 3.24.
_ADD = "INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?)"
_REPLACE = """
UPDATE records SET start = ?, quantity = ?, fields = ? WHERE call = ? AND quantity <= ?
"""


class RecordSorter:
    """Records in the order of their start, each call once.

    Keyyo may list a running call with a part of its seconds, and again as a whole under the same
    ``call_id``. The whole one replaces the part, however far apart they are.
    """

    def __init__(self) -> None:
        # Imported here only: it takes long, and most programs never read the history.
        import sqlite3

        # An empty name is a temporary database, on disk if it is larger than the cache. Another
        # thread than the one that began may continue an iteration.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute(f"PRAGMA cache_size = {_CACHE}")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(_TABLE)

    def add(self, record: CallRecord) -> None:
        """Add a record, unless its call is there already with more seconds."""
        # As JSON, because SQLite refuses text that is not valid Unicode. With the line, because a
        # call that rings several lines of the account is in the history of each.
        call = json.dumps([record.direction, record.call_id, record.line])
        fields = json.dumps(record.fields)
        quantity = -1 if record.seconds is None else record.seconds
        row = (call, record.start_time, quantity, record.direction, fields)
        with _disk_errors():
            if self._database.execute(_ADD, row).rowcount == 0:
                again = (record.start_time, quantity, fields, call, quantity)
                self._database.execute(_REPLACE, again)

    def sorted(self) -> Iterator[Tuple[HistoryDirection, Mapping[str, Any]]]:
        """Yield the direction and the fields of each record, the earliest first."""
        with _disk_errors(), contextlib.closing(self._database.execute(_SORTED)) as rows:
            for direction, fields in rows:
                yield direction, json.loads(fields)

    def close(self) -> None:
        """Remove the records."""
        self._database.close()


@contextlib.contextmanager
def _disk_errors() -> Iterator[None]:
    """Raise a ManagerError for an error of SQLite."""
    import sqlite3

    try:
        yield
    except sqlite3.Error as error:
        raise ManagerError(
            500, f"The records cannot be sorted: {error}", "internal",
            "free space in the folder of temporary files, or ask for a shorter period",
        ) from error
