"""Finds contacts by a part of a name or a number. Pure."""

import unicodedata
from typing import Iterator

from .._display.telephone_number import remove_separators, to_international
from .contact import Contact

#: The fewest digits that are searched in numbers. Otherwise "1" would find nearly everyone.
_MIN_DIGITS = 3


class Search:
    """A text to search for: in names and companies without accents, in numbers by their digits.

    :param text: each of its words must be found.
    :param home: a number of the country that national numbers are of.
    """

    def __init__(self, text: str, home: str) -> None:
        self._words = _fold(text).split()
        number = to_international(text, home) or remove_separators(text).lstrip("+")
        is_number = number.isdigit() and len(number) >= _MIN_DIGITS
        self._number = number if is_number else ""
        self._home = home

    def matches(self, contact: Contact) -> bool:
        """Return True if a contact has the text."""
        if self._number and any(self._number in each for each in self._list_digits(contact)):
            return True
        texts = (contact.name, contact.company, contact.job, contact.email, contact.branch)
        whole = _fold(" ".join(filter(None, texts)))
        return all(word in whole for word in self._words)

    def _list_digits(self, contact: Contact) -> Iterator[str]:
        for number in (*contact.numbers, *contact.short_numbers):
            yield remove_separators(number)
            yield to_international(number, self._home) or ""


def _fold(text: str) -> str:
    """Return a text in lower case without accents."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in letters if not unicodedata.combining(each))
