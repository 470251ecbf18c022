"""Contacts by their numbers."""

import re
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

from .._display.telephone_number import to_international
from .contact import Contact, clean, make_label

#: An extension behind a number, and parameters of a tel: URI.
_EXTENSION = re.compile(r"\s*(?:;|,|x|ext|poste|extension)", re.IGNORECASE)

#: The shortest number that is taken from the beginning of a text. Otherwise "5 rue ..." would be
#: the number 5.
_MIN_DIGITS = 6

#: Characters of a number. A longer text is none, and would stay in a cache of numbers.
_MAX_LENGTH = 100


class _Shared(NamedTuple):
    """The contacts that share a number, and their label.

    It is made once: all calls of a company may have the number of its switchboard.
    """

    contacts: Tuple[Contact, ...]
    label: Optional[str]


#: A contact alone for a number of one. With 50,000 contacts, tuples of one take several MiB.
_Found = Union[Contact, _Shared]


class ContactIndex:
    """Contacts by their numbers in international format, and by their short numbers.

    It never changes, so that any thread reads it without a lock.

    :param contacts: the contacts.
    :param home: a number of the country that national numbers are of.
    :ivar contacts: all contacts, also those without a number.
    """

    def __init__(self, contacts: Iterable[Contact] = (), home: str = "") -> None:
        self.contacts: Tuple[Contact, ...] = tuple(map(clean, contacts))
        self._found: Dict[str, _Found] = {}
        shared: Dict[str, List[Contact]] = {}
        for contact in self.contacts:
            for key in _make_keys(contact, home):
                found = self._found.setdefault(key, contact)
                if found is not contact:
                    shared.setdefault(key, [contact]).append(contact)
        for key, others in shared.items():
            first = self._found[key]
            assert isinstance(first, Contact)
            distinct = tuple(dict.fromkeys([first, *others]))
            self._found[key] = _Shared(distinct, make_label(distinct))

    def find(self, key: str) -> Sequence[Contact]:
        """Return the contacts with a number, each once, in the order of their source.

        :param key: the number in international format, or a short number.
        """
        found = self._found.get(key)
        # A Contact is a tuple itself.
        return () if found is None else (found,) if isinstance(found, Contact) else found.contacts

    def find_label(self, key: str) -> Optional[str]:
        """Return the label of the contacts with a number, or None."""
        found = self._found.get(key)
        return None if found is None else found.label


def _make_keys(contact: Contact, home: str) -> Iterator[str]:
    """Yield the keys of a contact, each once."""
    written = (*contact.numbers, *contact.short_numbers)
    keys = (_make_key(number, home) for number in written)
    yield from dict.fromkeys(filter(None, keys))


def _make_key(written: str, home: str) -> str:
    number = written.strip()
    if len(number) > _MAX_LENGTH:
        return ""
    found = to_international(number, home)
    if found is None:
        head = _EXTENSION.split(number)[0]
        found = to_international(head, home) if head != number else None
        if found is None or len(found) < _MIN_DIGITS:
            return ""
    # One string instead of two equal ones.
    return number if found == number else found
