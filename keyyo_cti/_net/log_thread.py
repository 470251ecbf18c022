"""Loggers whose handlers run on a thread of their own.

A logging handler belongs to the program: it may block, raise, or wait for a reply. On a thread
that reads from a connection, or that holds a lock, it would wait for itself.
"""

import contextlib
import itertools
import logging
import sys
import threading
import traceback
from queue import Empty, SimpleQueue
from typing import Any, Dict, List, Optional

from . import process
from .clock import system_time
from .reentrant import Flag, Section, interrupts_itself

#: Records that wait for a handler that blocks. Further ones are only counted.
_MAX_QUEUED = 10_000

#: Seconds that a record may delay the thread that logs it.
_MAX_DELAY = 1.0


class ThreadedLogger:
    """Logs like ``logging.Logger``, but runs no handler on the caller's thread.

    Usually a record is written when its method returns, so that records are in the order of the
    events. While a handler blocks, records wait, and the methods do not.
    """

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, message: str, *arguments: object, **extra: object) -> None:
        """Log at DEBUG.

        :param extra: attributes of the record.
        """
        self._log(logging.DEBUG, message, arguments, extra=extra)

    def info(self, message: str, *arguments: object) -> None:
        """Log at INFO."""
        self._log(logging.INFO, message, arguments)

    def warning(self, message: str, *arguments: object) -> None:
        """Log at WARNING."""
        self._log(logging.WARNING, message, arguments)

    def exception(self, message: str, *arguments: object) -> None:
        """Log at ERROR with the exception that is being handled."""
        self._log(logging.ERROR, message, arguments, sys.exc_info())

    def _log(
        self,
        level: int,
        message: str,
        arguments: Any,
        exc_info: Any = None,
        extra: Optional[Dict[str, object]] = None,
    ) -> None:
        if self._logger.isEnabledFor(level):
            code = sys._getframe(2)
            where = code.f_code.co_filename, code.f_lineno, message, arguments, exc_info
            _writer.write(_Entry(self._logger, (level, *where, code.f_code.co_name), extra or {}))


class _Entry:
    """A record to be.

    The record is made on the other thread too: the program may have a factory of its own.
    """

    def __init__(self, logger: logging.Logger, fields: Any, extra: Dict[str, object]) -> None:
        self.logger = logger
        self.written = Flag()
        self._fields = fields
        self._extra = extra
        self._time = system_time()
        self._thread = threading.current_thread()

    def handle(self) -> None:
        """Make the record and pass it to the handlers."""
        record = self.logger.makeRecord(self.logger.name, *self._fields)
        # When and where it happened, not when and where it is written.
        record.created, record.msecs = self._time, self._time % 1 * 1000
        record.thread, record.threadName = self._thread.ident, self._thread.name
        vars(record).update(self._extra)
        self.logger.handle(record)


class _Writer:
    """Passes records to the handlers, on a thread that lives while there are any."""

    def __init__(self) -> None:
        self._process = process.current()
        self._queue: "SimpleQueue[_Entry]" = SimpleQueue()
        # Guards the start and the end of the thread.
        self._life = Section()
        self._thread: Optional[threading.Thread] = None
        self._local = threading.local()
        # The record that took too long.
        self._stuck: Optional[_Entry] = None
        # Numbers the records that are left out, in atomic steps.
        self._numbers = itertools.count(1)
        self._left_out = 0
        self._told_left_out = 0

    def write(self, entry: _Entry) -> None:
        """Write a record."""
        if self._queue.qsize() >= _MAX_QUEUED:
            self._left_out = next(self._numbers)
            return
        # Append, then check the thread. A thread that ends does the reverse.
        self._queue.put(entry)
        if self._thread is None:
            self._start()
        stuck = self._stuck is not None and not self._stuck.written.is_set()
        # Not in a logging handler, and not while this thread holds a lock that one may need.
        if stuck or getattr(self._local, "writes", False) or interrupts_itself():
            return
        if not entry.written.wait(_MAX_DELAY):
            self._stuck = entry

    def _start(self) -> None:
        failed: List[RuntimeError] = []

        def start() -> None:
            if self._thread is None and not self._queue.empty():
                thread = threading.Thread(target=self._run, name="keyyo-cti-log", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:
                    failed.append(error)
                else:
                    self._thread = thread

        # Without a thread, as at the end of the program, this one does it.
        self._life.run(start, lambda: self._write_all() if failed else None)

    def _run(self) -> None:
        ends = False
        # A handler that forks leaves the rest to the parent.
        while not ends and self._process == process.current():
            self._write_all()
            with contextlib.suppress(process.OtherProcess):
                ends = self._life.call(self._ends)

    def _ends(self) -> bool:
        thread, self._thread = self._thread, None
        if not self._queue.empty():
            self._thread = thread
        return self._thread is None

    def _write_all(self) -> None:
        outer, self._local.writes = getattr(self._local, "writes", False), True
        try:
            while self._process == process.current():
                self._write(self._queue.get_nowait())
        except Empty:
            pass
        finally:
            self._local.writes = outer

    def _write(self, entry: _Entry) -> None:
        try:
            entry.handle()
            left_out = self._left_out
            if left_out > self._told_left_out:
                words = "%d lines of the log were left out: a logging handler is too slow"
                entry.logger.warning(words, left_out - self._told_left_out)
                self._told_left_out = left_out
        except BaseException:
            if threading.current_thread() is threading.main_thread():
                raise  # Ctrl-C, where no thread could be started.
            # It cannot be logged: the same handler would get it.
            _print_failure()
        finally:
            entry.written.set()


def _print_failure() -> None:
    """Print the exception of a logging handler, as logging itself does."""
    try:
        if logging.raiseExceptions:
            sys.stderr.write(f"--- Logging error ---\n{traceback.format_exc()}")
    except Exception:
        pass  # There may be no stderr, or a closed one.


_writer = _Writer()


def _after_fork() -> None:
    # The parent's thread does not run in the child.
    global _writer
    _writer = _Writer()


process.run_in_child(_after_fork)
