"""A service with threads of its own, which writes each call that has ended to SQLite.

On the simulator, with a file that is thrown away::

    python samples/worker_pool.py

On Keyyo, until Ctrl-C or SIGTERM. get_token.py has let your program in before::

    KEYYO_CLIENT_ID=... KEYYO_CLIENT_SECRET=... python samples/worker_pool.py calls.sqlite3

The handlers only queue, and return at once; workers write. A call is written under its callref
and its setup date, so that it does not matter if it is written twice.

What is known when the connection was lost, and is back:

- A call that the service knew and that goes on is written at its end, as ever.
- A call that the service knew and that is not told again has most likely ended meanwhile. It is
  written as UNKNOWN, without a release date, until its end is told, or the history knows it.
- A call that came and went meanwhile is told by the history, some minutes later. It is written
  under the history's id. Each such time is in the table ``gaps``, and in ``asked`` once the
  history was asked: with an error, calls may be missing there.

With an account, the same goes for the time in which the service did not run. With a CSI token
alone, there is no history: UNKNOWN stays. When the service stops, the calls that go on are written
as UNKNOWN, and what is queued is written first. A service that is killed loses what is queued,
which is next to nothing unless the disk is full.
"""

import logging
import os
import signal
import sqlite3
import sys
import time
from contextlib import closing
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Callable, Iterable, List, NamedTuple, Optional, Tuple

from keyyo_cti import CTI, Call, KeyyoError, Restored

if TYPE_CHECKING:
    from keyyo_cti import CallRecord, CaughtUp
    from keyyo_cti.simulator import Phone, Simulator

UNKNOWN = "UNKNOWN"

TABLES = """
CREATE TABLE IF NOT EXISTS calls (
    callref TEXT NOT NULL, setup_date INTEGER NOT NULL, caller TEXT, callee TEXT, state TEXT,
    connect_date INTEGER, release_date INTEGER, PRIMARY KEY (callref, setup_date)
);
CREATE TABLE IF NOT EXISTS gaps (ended REAL PRIMARY KEY, seconds REAL);
CREATE TABLE IF NOT EXISTS asked (until REAL PRIMARY KEY, since REAL, calls INTEGER, error TEXT);
"""

# Workers may overtake each other: what is known is never replaced by what is not.
WRITE_CALL = """
INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (callref, setup_date) DO UPDATE SET
    state = excluded.state, connect_date = excluded.connect_date,
    release_date = excluded.release_date
WHERE calls.state = 'UNKNOWN'
"""

# By the history: a call that an earlier run has given up is completed, any other one is added.
WRITE_RECORD = """
INSERT INTO calls
SELECT coalesce(known.callref, ?1), coalesce(known.setup_date, ?2), ?3, ?4, ?5, NULL, NULL
FROM (SELECT 1) LEFT JOIN (
    SELECT callref, setup_date FROM calls
    WHERE state = 'UNKNOWN' AND abs(setup_date - ?2) <= 5
    AND same_number(caller, ?3) AND same_number(callee, ?4)
    ORDER BY abs(setup_date - ?2) LIMIT 1
) AS known WHERE true
ON CONFLICT (callref, setup_date) DO UPDATE SET
    state = CASE WHEN calls.connect_date IS NULL THEN excluded.state ELSE 'RELEASE' END
WHERE calls.state = 'UNKNOWN'
"""

WRITE_ASKED = "INSERT OR REPLACE INTO asked VALUES (?, ?, ?, ?)"

WRITE_GAP = "INSERT OR IGNORE INTO gaps VALUES (?, ?)"

#: Seconds between two attempts to write, and for which an attempt waits for others who write.
RETRY = 1.0

log = logging.getLogger("worker_pool")


class Row(NamedTuple):
    """Something to be written."""

    statement: str
    values: Tuple[Any, ...]


class Service:
    """Writes the calls of a line, from when it is made until it is stopped.

    :param path: of the SQLite file.
    :param new_token: gives a CSI token.
    :param written: is told of each row that is written, by the worker.
    :param options: of the CTI.
    """

    def __init__(
        self,
        path: str,
        new_token: Callable[[], str],
        written: Callable[[Row], object] = log.info,
        workers: int = 2,
        **options: Any,
    ) -> None:
        self.path = path
        self.new_token = new_token
        self.written = written
        self.lost: Optional[KeyyoError] = None
        # Without a bound: a call takes some hundred bytes, and a disk that is full for a day is
        # no reason to hold up the line.
        self.rows: "SimpleQueue[Optional[Row]]" = SimpleQueue()
        self.unwritten: List[Row] = []
        self.giving_up = Event()
        with closing(sqlite3.connect(path)) as database:
            database.executescript(TABLES)
        self.cti = CTI(options, token_provider=new_token)
        self.cti.onNewCall = self.on_new_call
        self.cti.onRestored = self.on_restored
        self.cti.onCaughtUp = self.on_caught_up
        self.cti.onLost = self.on_lost
        # Daemons, so that a second Ctrl-C ends a service that is still writing.
        self.workers = [Thread(target=self.work, daemon=True) for _ in range(workers)]
        for worker in self.workers:
            worker.start()

    def run(self) -> None:
        """Lasts until the session is lost or closed; Ctrl-C ends it too."""
        self.cti.create_session(self.new_token()).result()
        self.cti.wait()

    def stop(self, patience: float = 10.0) -> List[Row]:
        """Hears no more, and writes what is queued, for so many seconds.

        :returns: what could not be written.
        """
        self.cti.close()
        self.give_up_on(call for call in self.cti.get_calls() if not call.ended)
        for _ in self.workers:
            self.rows.put(None)
        until = time.monotonic() + patience
        for worker in self.workers:
            worker.join(max(0.0, until - time.monotonic()))
        self.giving_up.set()
        for worker in self.workers:
            # It is at its last attempt, if its disk answers at all.
            worker.join(10 * RETRY)
        return self.unwritten

    # Handlers, on the CTI's event thread.

    def on_new_call(self, call: Call) -> None:
        if call.ended:
            self.rows.put(row_of(call, str(call.state)))

    def on_restored(self, info: Restored) -> None:
        self.rows.put(Row(WRITE_GAP, (time.time(), info.gap)))
        # Which calls go on is told first, and then this is answered.
        self.cti.ping(self.on_told_again)

    def on_told_again(self, err: Optional[KeyyoError], res: Any) -> None:
        # If the connection is lost again, there will be another gap.
        if not err:
            self.give_up_on(call for call in self.cti.get_calls() if call.stale)

    def on_caught_up(self, records: "CaughtUp") -> None:
        for call in records.calls.values():
            self.rows.put(row_of(call, str(call.state)))
        for record in records:
            if record not in records.calls:
                self.rows.put(row_of_record(record))
        error = None if records.error is None else str(records.error)
        asked = (records.until, records.since, len(records), error)
        self.rows.put(Row(WRITE_ASKED, asked))

    def on_lost(self, err: KeyyoError) -> None:
        self.lost = err

    def give_up_on(self, calls: Iterable[Call]) -> None:
        for call in calls:
            self.rows.put(row_of(call, UNKNOWN))

    # Workers, each in a thread of its own.

    def work(self) -> None:
        for row in iter(self.rows.get, None):
            while not self.write(row):
                self.giving_up.wait(RETRY)

    def write(self, row: Row) -> bool:
        """Writes, if that is possible.

        :returns: whether this row is done with.
        """
        if self.giving_up.is_set():
            self.unwritten.append(row)
            return True
        try:
            # Opened each time: calls are rare, and who moves the file away gets a new one.
            with closing(sqlite3.connect(self.path, timeout=RETRY)) as database, database:
                database.create_function("same_number", 2, same_number)
                database.executescript(TABLES)
                database.execute(*row)
        except sqlite3.OperationalError as error:
            # Locked, full, or not there: that may pass.
            log.warning("cannot write yet: %s", error)
            return False
        except Exception:
            log.exception("cannot be written: %s", row.values)
            self.unwritten.append(row)
            return True
        self.written(row)
        return True


def row_of(call: Call, state: str) -> Row:
    return Row(
        WRITE_CALL,
        (
            call.callref,
            # A key, which needs a value.
            call.setup_date or 0,
            call.caller,
            call.callee,
            state,
            call.connect_date,
            call.release_date,
        ),
    )


def row_of_record(record: "CallRecord") -> Row:
    """A call that the CTI has not told: the history does not know when it was answered."""
    state = "MISSED" if record.missed else "RELEASE"
    start = int(record.start_time)
    return Row(WRITE_RECORD, (record.call_id, start, record.caller, record.callee, state))


def same_number(told: Optional[str], recorded: Optional[str]) -> bool:
    """True if the history may have one number where the CTI has told the other.

    The CTI may tell a national number, a short one, or a word for a hidden one.
    """
    digits = "".join(filter(str.isdigit, told or ""))
    if not digits or recorded is None:
        return not digits and recorded is None
    return digits[-9:] == recorded[-9:] or len(digits) <= 6


def serve(service: Service) -> Optional[str]:
    """Runs a service until it is told to stop.

    :returns: what went wrong, for ``sys.exit``.
    """
    # Whoever stops a service sends this; it is then stopped as by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    failure = None
    try:
        service.run()
    except KeyyoError as error:
        failure = str(error)
    except KeyboardInterrupt:
        log.info("stopping")
    finally:
        unwritten = service.stop()
    for row in unwritten:
        print("not written:", row.values, file=sys.stderr)
    if unwritten:
        return f"{len(unwritten)} rows could not be written"
    return failure or (str(service.lost) if service.lost else None)


def people(sim: "Simulator", alice: "Phone", bob: "Phone") -> None:
    """Four calls: one ends as it should, one in a gap, one is missed in the gap, one after it."""
    bob.call(alice)
    alice.pick_up()
    bob.hang_up()
    bob.call(alice)
    alice.pick_up()
    sim.faults.refuse("connect")
    sim.faults.close()
    sim.wait_for_session(alice, counter=0)
    bob.hang_up()
    carol = sim.phone("33199020001")
    carol.call(alice)
    carol.hang_up()
    sim.faults.let_through("connect")
    # The service asks for this when it is back.
    sim.wait_for_action("ping", 60)
    bob.call(alice)
    bob.hang_up()


def on_the_simulator(path: str, new_token: Callable[[], str], **options: Any) -> Optional[str]:
    """The same, until the history has told the rest."""

    def written(row: Row) -> None:
        if row.statement == WRITE_GAP:
            print("a gap")
        elif row.statement == WRITE_ASKED:
            service.cti.close()
        else:
            callref, _, caller, callee, state, *_ = row.values
            print(f"{callref}: {caller} called {callee}: {state}")

    # One worker, so that what is printed is in order.
    service = Service(path, new_token, written, workers=1, **options)
    return serve(service)


if __name__ == "__main__":
    from whose_line import mine, whose_line

    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s")
    with whose_line(people) as line:
        options = {**line.options, "catch_up": line.catch_up}
        if len(sys.argv) == 2:
            logging.getLogger().setLevel(logging.INFO)
            sys.exit(serve(Service(sys.argv[1], line.new_token, **options)))
        if mine():
            sys.exit("where to? Give a file: python samples/worker_pool.py calls.sqlite3")
        with TemporaryDirectory() as directory:
            file = os.path.join(directory, "calls.sqlite3")
            sys.exit(on_the_simulator(file, line.new_token, **options))
