"""A contact: a name, a company, and their telephone numbers."""

import itertools
import operator
from collections.abc import Iterable
from typing import Any, NamedTuple, Optional, Sequence, Tuple

#: Numbers of one contact. Otherwise an iterator without an end would fill the memory.
_MAX_NUMBERS = 10_000

#: Mistakes. Other objects, such as numbers and translations, are texts with ``str``.
_NO_TEXTS = (bool, bytes, list, tuple, dict, set)


class Contact(NamedTuple):
    """A person, a company or a line, with telephone numbers.

    :ivar name: the whole name, such as "Alice Example". In Keyyo's directory, ``name`` is the
        family name only.
    :ivar company: the company, or None.
    :ivar numbers: telephone numbers in any form.
    :ivar short_numbers: short numbers: of a line, or the speed numbers of a contact.
    :ivar first_name: the first name, or None.
    :ivar family_name: the family name, or None.
    :ivar job: the position in the company, or None.
    :ivar email: the e-mail address, or None.
    :ivar address: street, postal code, city and country, or None.
    :ivar branch: the branch of Keyyo's directory that the contact is in, or None.
    :ivar uid: the identifier at its source, or None.
    :ivar csi: of a line of the account; None for all others.
    """

    name: str
    company: Optional[str] = None
    numbers: Tuple[str, ...] = ()
    short_numbers: Tuple[str, ...] = ()
    first_name: Optional[str] = None
    family_name: Optional[str] = None
    job: Optional[str] = None
    email: Optional[str] = None
    address: Optional[str] = None
    branch: Optional[str] = None
    uid: Optional[str] = None
    csi: Optional[str] = None

    @property
    def label(self) -> Optional[str]:
        """The name with the company behind it, or one of both; None without any."""
        if self.name and self.company and self.company != self.name:
            return f"{self.name} ({self.company})"
        return self.name or self.company or None


def make_label(contacts: Sequence[Contact]) -> Optional[str]:
    """Return the label of contacts that share a number; None if none of them has a label."""
    if len(contacts) == 1:
        return contacts[0].label
    labels = list(dict.fromkeys(filter(None, (contact.label for contact in contacts))))
    if len(labels) <= 2:
        return " or ".join(labels) or None
    return f"{labels[0]} or {len(labels) - 1} others"


def clean(contact: Contact) -> Contact:
    """Return a contact whose fields are texts, and its numbers tuples of texts.

    A program may have put anything into it. Otherwise the name of a number could be no text, or
    raise where it is shown.
    """
    numbers = (_clean_numbers(contact.numbers), _clean_numbers(contact.short_numbers))
    fields = tuple(map(_clean_text, tuple(contact)))
    cleaned = Contact(fields[0] or "", fields[1], *numbers, *fields[4:])
    is_clean = type(contact) is Contact and all(map(operator.is_, contact, cleaned))
    # Not a copy of each contact that the program keeps.
    return contact if is_clean else cleaned


def _clean_numbers(value: Any) -> Tuple[str, ...]:
    if type(value) is tuple and all(type(number) is str for number in value):
        return value
    # A program may write numbers="33199000001". Otherwise each digit would be a number.
    is_single = isinstance(value, (str, bytes)) or not isinstance(value, Iterable)
    numbers = (value,) if is_single else itertools.islice(value, _MAX_NUMBERS)
    return tuple(filter(None, map(_clean_text, numbers)))


def _clean_text(value: Any) -> Optional[str]:
    """Return a value as text; None for what is no text."""
    if type(value) is str:
        return value
    if value is None or isinstance(value, _NO_TEXTS):
        return None
    try:
        # A plain one, because a subclass of str may do anything.
        return str.__str__(value if isinstance(value, str) else str(value))
    except Exception:
        # Such as a whole number with thousands of digits, which Python refuses to write.
        return None
