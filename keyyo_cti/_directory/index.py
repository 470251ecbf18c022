"""Contacts by their numbers."""

import re
from typing import Dict, Iterable, Iterator, List, Sequence, Tuple, Union

from .._display.telephone_number import to_international
from .contact import Contact

#: An extension behind a number, and parameters of a tel: URI.
_EXTENSION = re.compile(r"\s*(?:;|,|x|ext|poste|extension)", re.IGNORECASE)

#: The shortest number that is taken from the beginning of a text. Otherwise "5 rue ..." would be
#: the number 5.
_MIN_DIGITS = 6

#: Characters of a number. A longer text is none, and would stay in a cache of numbers.
_MAX_LENGTH = 100

#: Alone for a number of one contact. With 50,000 contacts, lists of one take several MiB.
_Found = Union[Contact, List[Contact]]


class ContactIndex:
    """Contacts by their numbers in international format, and by their short numbers.

    It never changes, so that any thread reads it without a lock.

    :param contacts: the contacts.
    :param home: a number of the country that national numbers are of.
    :ivar contacts: all contacts, also those without a number.
    """

    def __init__(self, contacts: Iterable[Contact] = (), home: str = "") -> None:
        self.contacts: Tuple[Contact, ...] = tuple(contacts)
        self._found: Dict[str, _Found] = {}
        for contact in self.contacts:
            for key in _make_keys(contact, home):
                self._add(key, contact)

    def find(self, key: str) -> Sequence[Contact]:
        """Return the contacts with a number, in the order of their source.

        :param key: the number in international format, or a short number.
        """
        found = self._found.get(key)
        # A Contact is a tuple itself.
        return () if found is None else (found,) if isinstance(found, Contact) else found

    def _add(self, key: str, contact: Contact) -> None:
        found = self._found.setdefault(key, contact)
        if isinstance(found, list):
            found.append(contact)
        elif found is not contact:
            self._found[key] = [found, contact]


def _make_keys(contact: Contact, home: str) -> Iterator[str]:
    """Yield the keys of a contact, each once."""
    written = [*_listed(contact.numbers), *_listed(contact.short_numbers)]
    keys = (_make_key(number, home) for number in written)
    yield from dict.fromkeys(filter(None, keys))


def _listed(numbers: Union[str, Sequence[str]]) -> Sequence[str]:
    # A program may write numbers="33199000001". Otherwise each digit would be a number.
    return (numbers,) if isinstance(numbers, str) else numbers


def _make_key(written: object, home: str) -> str:
    number = str(written).strip()
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
