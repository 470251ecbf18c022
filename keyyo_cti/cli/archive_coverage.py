"""What an archive of calls has read already, so that a later run reads what is missing."""

from typing import Any, List, NamedTuple, Optional, Tuple

from ..call_history import HistoryDirection

#: Periods that were read to their end. An empty line is the whole account.
TABLE = """
CREATE TABLE IF NOT EXISTS coverage (
    line TEXT NOT NULL,
    direction TEXT NOT NULL,
    kind INTEGER NOT NULL,
    since REAL NOT NULL,
    until REAL NOT NULL
)
"""

#: Missed calls, all calls, and also messages: each kind has those before it.
_MISSED, _CALLS, _ALL_UNITS = range(3)

_FIND = """
SELECT since, until FROM coverage
WHERE line IN ('', ?) AND direction = ? AND kind >= ? ORDER BY since
"""

_SAME = "line = ? AND direction = ? AND kind = ? AND since <= ? AND until >= ?"


class Selection(NamedTuple):
    """The calls that a run reads.

    :ivar csi: the line; None for all lines of the account.
    :ivar direction: "in" or "out"; None for both.
    :ivar missed: True for missed calls only.
    :ivar all_units: True for messages and data too.
    """

    csi: Optional[str] = None
    direction: Optional[HistoryDirection] = None
    missed: bool = False
    all_units: bool = False

    def parts(self) -> List[Tuple[str, str, int]]:
        """Return the line, the direction and the kind of each part of it."""
        kind = _MISSED if self.missed else _ALL_UNITS if self.all_units else _CALLS
        directions = ("in", "out") if self.direction is None else (self.direction,)
        return [(self.csi or "", direction, kind) for direction in directions]


def find_end(database: Any, selection: Selection, beginning: float) -> float:
    """Return until when everything of a selection has been read, without a gap.

    :param beginning: in Unix seconds. It is returned if nothing has been read from there on.
    """
    return min(_find_part_end(database, part, beginning) for part in selection.parts())


def _find_part_end(database: Any, part: Tuple[str, str, int], beginning: float) -> float:
    end = beginning
    for since, until in database.execute(_FIND, part):
        if since > end:
            break
        end = max(end, until)
    return end


def add_period(database: Any, selection: Selection, since: float, until: float) -> None:
    """Note that a selection has been read from ``since`` up to ``until``.

    :param database: within a transaction.
    """
    if not since < until:
        return
    for part in selection.parts():
        where = (*part, until, since)
        # Joined with those that it touches. Otherwise each run would add a row for ever.
        joined = database.execute(f"SELECT since, until FROM coverage WHERE {_SAME}", where)
        bounds = [*joined.fetchall(), (since, until)]
        database.execute(f"DELETE FROM coverage WHERE {_SAME}", where)
        whole = (min(each[0] for each in bounds), max(each[1] for each in bounds))
        database.execute("INSERT INTO coverage VALUES (?, ?, ?, ?, ?)", (*part, *whole))
