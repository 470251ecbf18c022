"""The names of the simulator's lines and telephones, for those who type and read them."""

import re
from difflib import get_close_matches
from typing import Dict, Iterable, List, Optional, Tuple

from .._display.telephone_number import parse_number
from .terminal import escape

#: Keyyo's form of a number, which the simulator requires.
_NUMBER = re.compile(r"[0-9]{2,15}")

#: A number as people write it. Anything else is a name.
_WRITTEN = re.compile(r"\+?[0-9][0-9 .()/-]*")

#: A number in a text of the simulator.
_IN_TEXT = re.compile(r"(?<![0-9A-Za-z+-])[0-9]{2,15}(?![0-9A-Za-z])")

#: Characters of a typed word that are compared with names and shown again.
_MAX_WORD_LENGTH = 60

_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")


class ConsoleError(Exception):
    """A command is not possible; the message says why."""


class PhoneBook:
    """Names of telephone numbers. Upper and lower case are the same.

    :param own: the number whose country is that of local numbers.
    :param entries: numbers with their names, or without.
    """

    def __init__(self, own: str, entries: Iterable[Tuple[str, Optional[str]]]) -> None:
        self._own = own
        self._names: Dict[str, str] = {}
        self._numbers: Dict[str, List[str]] = {}
        for number, name in entries:
            # Of a line and a telephone with one number, the line comes first.
            if name and number not in self._names:
                self._names[number] = name
                self._numbers.setdefault(_normalize(name), []).append(number)

    def find_number(self, word: str) -> str:
        """Return the number that a name or a written number stands for.

        :raises ConsoleError: it is neither; the message suggests the nearest name.
        """
        quoted = _QUOTED.fullmatch(word)
        word = word if quoted is None else quoted[1] or quoted[2] or ""
        numbers = self._numbers.get(_normalize(word), [])
        if len(numbers) == 1:
            return numbers[0]
        if numbers:
            raise ConsoleError(f"which {_shorten(word)}? Type {' or '.join(numbers)}")
        number = parse_number(word, self._own) if _WRITTEN.fullmatch(word) else word
        if _NUMBER.fullmatch(number):
            return number
        if _WRITTEN.fullmatch(word):
            raise ConsoleError(f'"{_shorten(word)}" is no telephone number: it has 2 to 15 digits')
        raise ConsoleError(f'no telephone is called "{_shorten(word)}": {self._suggest(word)}')

    def find_word(self, number: str) -> str:
        """Return the word to type for a number: its name, if only one number has it."""
        name = _normalize(self._names.get(number, ""))
        if self._numbers.get(name) != [number] or not name.isprintable() or '"' in name:
            return number
        return f'"{name}"' if " " in name else name

    def describe(self, number: str) -> str:
        """Return a number as text for a person, with its name if it has one."""
        name = self.get_name(number)
        return f"{number} ({name})" if name else number

    def get_name(self, number: str) -> str:
        """Return the name of a number, escaped; empty if it has none."""
        return escape(self._names.get(number, ""))

    def add_names(self, text: str) -> str:
        """Return a text of the simulator with the names of its numbers."""
        return _IN_TEXT.sub(lambda found: self.describe(found[0]), text)

    def _suggest(self, word: str) -> str:
        near = get_close_matches(_normalize(word[:_MAX_WORD_LENGTH]), self._numbers, 1)
        if near:
            return f'did you mean "{self.get_name(self._numbers[near[0]][0])}"?'
        known = ", ".join(map(escape, self._names.values()))
        return f"type a number, or one of {known}" if known else "type a number"


def _normalize(name: str) -> str:
    return " ".join(name.casefold().split())


def _shorten(word: str) -> str:
    return escape(word if len(word) <= _MAX_WORD_LENGTH else f"{word[:_MAX_WORD_LENGTH]}...")
