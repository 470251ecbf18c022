"""Names for telephone numbers, from Keyyo's directory, from files, and from your own program.

A ``Directory`` answers from memory, and reads its sources again in the background.
"""

import itertools
from typing import Any, List, Optional, Tuple

from ._directory.contact import Contact
from ._directory.csv_file import CSVFile
from ._directory.feed import Feed, describe
from ._directory.refresh import Refresher
from ._directory.sources import Source, open_sources
from ._directory.vcard_file import VCardFile
from ._display.names import Names
from ._display.telephone_number import FRANCE, to_international
from ._net.clock import Monotonic, monotonic_with_sleep
from .backoff import Backoff

__all__ = ["CSVFile", "Contact", "Directory", "Names", "VCardFile"]
#: The pauses after a source could not be read.
_RETRIES = Backoff(first=5.0, longest=600.0, spread=0.5)

#: Characters of a number. A longer text is no number, and would take long to parse.
_MAX_NUMBER_LENGTH = 100


class Directory:
    """Names for telephone numbers, in memory.

    The first use starts a thread that reads the sources, and reads them again when they are older
    than ``max_age``; a file, when it has changed. If a source cannot be read, its old contacts
    stay, the reason is logged once, and further attempts follow with growing pauses. The thread
    ends with ``close()``, with a ``with`` statement, or when the directory is dropped.

    All forms of a number are the same: 33199000001, +33 1 99 00 00 01, 0033199000001, 0199000001.
    Short numbers of lines and speed numbers of contacts are known too.

    :param sources: each a ``Manager`` or ``ManagerClient`` (the account's lines, with their short
        numbers, and its directory), a ``CSVFile``, a ``VCardFile``, a mapping of names by number,
        or a function that returns one or returns Contacts. For a number that several sources
        know, the first one has the name.
    :param max_age: seconds after which contacts are read again.
    :param line: the number of a line, which has the country of numbers such as 01 99 00 00 01; by
        default they are French.
    :param backoff: the pauses after failures.
    :param clock: returns monotonic seconds, for the age of the contacts.
    :raises TypeError: a source or an argument is of a wrong type.
    :raises ValueError: ``max_age`` is not above 0.
    """

    def __init__(
        self,
        *sources: Source,
        max_age: float = 3600.0,
        line: Optional[str] = None,
        backoff: Backoff = _RETRIES,
        clock: Monotonic = monotonic_with_sleep,
    ) -> None:
        if not isinstance(max_age, (int, float)) or isinstance(max_age, bool):
            raise TypeError(f"max_age: expected seconds, got {type(max_age).__name__}")
        if not max_age > 0:
            raise ValueError(f"max_age: expected more than 0 seconds, got {max_age}")
        if not isinstance(line, (str, type(None))):
            raise TypeError(f"line: expected text, got {type(line).__name__}")
        if not isinstance(backoff, Backoff):
            raise TypeError(f"backoff: expected a Backoff, got {type(backoff).__name__}")
        home = FRANCE if line is None else to_international(line, FRANCE)
        if home is None:
            raise ValueError(f"line: expected a telephone number, got {line!r}")
        self._home = home
        self._clock = clock
        self._feeds: Tuple[Feed, ...] = tuple(
            Feed(*opened, float(max_age), home, backoff, clock) for opened in open_sources(sources)
        )
        self._refresher = Refresher(self._feeds, clock)

    def name_of(self, number: Any) -> Optional[str]:
        """Return the name for a number, with the company: "Alice Example (Example Ltd)".

        It never waits, and never raises. Until the first read has ended, it returns None.

        :param number: in any form, such as ``call.caller``; anything else has no name.
        :returns: the name, which is text from others: escape it where you show it. For a number
            of several contacts, "Alice or Bob", or "Alice or 2 others". None if it is unknown.
        """
        self._refresher.start()
        key = _make_key(number, self._home)
        if key is not None:
            for feed in self._feeds:
                label = feed.index.find_label(key)
                if label is not None:
                    return label
        return None

    def matches(self, number: Any) -> Tuple[Contact, ...]:
        """Return all contacts with a number, those of the first source first.

        As ``name_of``, it never waits and never raises.
        """
        self._refresher.start()
        key = _make_key(number, self._home)
        if key is None:
            return ()
        found = list(filter(None, (feed.index.find(key) for feed in self._feeds)))
        if len(found) == 1:
            # Thousands of contacts may share a number. Those of one source are distinct already.
            return tuple(found[0])
        return tuple(dict.fromkeys(itertools.chain(*found)))

    def contacts(self) -> Tuple[Contact, ...]:
        """Return all contacts in memory, in the order of their sources. It never waits."""
        self._refresher.start()
        return tuple(contact for feed in self._feeds for contact in feed.index.contacts)

    def __len__(self) -> int:
        return sum(len(feed.index.contacts) for feed in self._feeds)

    def __bool__(self) -> bool:
        # Otherwise an empty directory would be taken for none.
        return True

    @property
    def age(self) -> Optional[float]:
        """The seconds since the oldest contacts were read; None before the first read."""
        times = [feed.read_at for feed in self._feeds if feed.read_at is not None]
        return max(0.0, self._clock() - min(times)) if times else None

    @property
    def failures(self) -> List[str]:
        """What could not be read at the last attempt, and why, in one line each."""
        errors = ((feed.name, feed.error) for feed in self._feeds)
        return [f"{name}: {describe(error)}" for name, error in errors if error is not None]

    def refresh(self) -> None:
        """Read every source again soon, on the thread of the directory. It never waits."""
        self._refresher.refresh_soon()

    def wait(self, timeout: float = 10.0) -> bool:
        """Wait until each source has been read, or could not be read, once.

        A script calls it before the first ``name_of``. A program that goes on needs no wait.

        :param timeout: maximum seconds.
        :returns: True if every source has been read; else see ``failures``.
        """
        self._refresher.wait(timeout)
        return all(feed.read_at is not None for feed in self._feeds)

    def close(self, timeout: float = 2.0) -> None:
        """End the thread. The names in memory stay.

        A request that is under way ends with its own timeout, or with the ``close()`` of its
        Manager.

        :param timeout: maximum seconds to wait for the thread.
        """
        self._refresher.close(timeout)

    def __enter__(self) -> "Directory":
        self._refresher.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Directory of {len(self)} contacts>"


def _make_key(number: Any, home: str) -> Optional[str]:
    """Return a number in international format, or None if it is none."""
    try:
        if type(number) is int and 0 < number < 10**15:
            number = str(number)
        if not isinstance(number, str) or len(number) > _MAX_NUMBER_LENGTH:
            return None
        found = to_international(number, home)
        return None if found is None else str.__str__(found)
    except Exception:
        # A subclass of str may do anything.
        return None
