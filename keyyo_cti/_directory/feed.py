"""One source of a directory: its contacts, their age, and when to read it again."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Callable, Iterator, Optional

from .._net.clock import Monotonic
from .._net.redaction import redact
from .._net.text import plain, shorten
from ..backoff import Backoff
from ..errors import KeyyoError
from .contact import Contact
from .contact_file import ContactFile, Stamp
from .index import ContactIndex

_log = logging.getLogger("keyyo_cti")

#: Seconds between two checks whether a file has changed.
_FILE_CHECK_INTERVAL = 5.0

#: Contacts of one source. Otherwise a source without an end would fill the memory.
_MAX_CONTACTS = 1_000_000

#: Returns contacts, or names by number.
ReadContacts = Callable[[], Any]


class Feed:
    """One source. Only the thread that refreshes calls ``refresh``.

    :param name: of the source, for the log.
    :param read: returns the contacts, or names by number.
    :param file: the file that ``read`` reads; None if it reads no file.
    :param max_age: seconds between two successful reads, unless it is a file.
    :param home: a number of the country that national numbers are of.
    :param backoff: the pauses after failures.
    :ivar index: the contacts of the last successful read.
    :ivar read_at: the time of the last successful read; None before it.
    :ivar due: the time of the next read.
    :ivar wanted: True to read it at once, even if it is not due.
    :ivar tried: True after the first read, whether it succeeded or not.
    :ivar error: the error of the last read; None if it succeeded.
    """

    def __init__(
        self,
        name: str,
        read: ReadContacts,
        file: Optional[ContactFile],
        max_age: float,
        home: str,
        backoff: Backoff,
        monotonic: Monotonic,
    ) -> None:
        self.name = name
        self.index = ContactIndex()
        self.read_at: Optional[float] = None
        self.due = monotonic()
        self.wanted = False
        self.tried = False
        self.error: Optional[BaseException] = None
        self._read = read
        self._file = file
        self._interval = max_age if file is None else min(_FILE_CHECK_INTERVAL, max_age)
        self._max_age = max_age
        self._home = home
        self._backoff = backoff
        self._monotonic = monotonic
        self._failures = 0
        self._stamp: Optional[Stamp] = None
        self._retry_at = self.due

    def refresh(self) -> None:
        """Read the source, unless it is a file that has not changed."""
        # First, so that a wish during the read is not lost.
        wanted, self.wanted = self.wanted, False
        # From before the read. Otherwise a change during the read would be missed.
        stamp = None if self._file is None else self._file.stamp()
        unchanged = stamp is not None and stamp == self._stamp
        if unchanged and self.error is None:
            self._succeed()
        elif unchanged and not wanted and self._monotonic() < self._retry_at:
            self.due = self._monotonic() + self._interval
        else:
            self._stamp = stamp
            try:
                index = ContactIndex(_check(self._read()), self._home)
            except BaseException as error:
                # Also SystemExit of the program's function, which would end the thread silently.
                self._fail(error)
            else:
                self.index = index
                self._succeed()
        self.tried = True

    def _succeed(self) -> None:
        if self.error is not None:
            _log.info("names from %s are back: %d contacts", self.name, len(self.index.contacts))
        self.error = None
        self._failures = 0
        self.read_at = self._monotonic()
        self.due = self.read_at + self._interval

    def _fail(self, error: BaseException) -> None:
        self._failures += 1
        is_first = self.error is None
        expected = isinstance(error, (KeyyoError, OSError, ValueError))
        self._retry_at = self._monotonic() + self._select_pause(error)
        # A file that changes before is read at once.
        is_file = self._file is not None
        self.due = self._monotonic() + self._interval if is_file else self._retry_at
        if is_first:
            kept = len(self.index.contacts)
            _log.warning(
                "cannot read names from %s: %s; %s; trying again with growing pauses",
                self.name,
                describe(error),
                f"{kept} older contacts stay" if kept else "numbers are shown without names",
                # Of a mistake in the program's own function.
                exc_info=None if expected else error,
            )
        # Its traceback leads to the frames of this thread, and to the contacts in them.
        self.error = error.with_traceback(None)

    def _select_pause(self, error: BaseException) -> float:
        if isinstance(error, KeyyoError):
            # Another attempt soon would only use up the quota of requests.
            pause = None if error.final else self._backoff.pause(
                self._failures, getattr(error, "retry_after", None)
            )
            return self._max_age if pause is None else min(pause, self._max_age)
        return min(self._backoff.length(self._failures), self._max_age)


def describe(error: BaseException) -> str:
    """Return an error as one line of text, without secrets."""
    text = str(error)
    named = text if isinstance(error, (KeyyoError, OSError, ValueError)) and text else (
        f"{type(error).__name__}: {text}"
    )
    return shorten(plain(redact(named)))


def _check(found: Any) -> Iterator[Contact]:
    """Yield the contacts that a source returned.

    :raises TypeError: it returned something else.
    """
    contacts = _name_numbers(found) if isinstance(found, Mapping) else found
    if isinstance(contacts, (str, bytes)) or not isinstance(contacts, Iterable):
        raise TypeError(f"expected contacts, or names by number; got {type(found).__name__}")
    for count, contact in enumerate(contacts):
        if not isinstance(contact, Contact):
            raise TypeError(f"expected Contact objects, got {type(contact).__name__}")
        if count >= _MAX_CONTACTS:
            raise ValueError(f"there are more than {_MAX_CONTACTS} contacts")
        yield contact


def _name_numbers(names: Mapping[Any, Any]) -> Iterator[Contact]:
    for number, name in names.items():
        yield Contact(name, numbers=(number,))
