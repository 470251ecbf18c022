"""JSON that is read quickly where it is plain, which is nearly always."""

import json
from typing import Any, Callable, Optional

#: Characters of a text whose values take little memory in any case.
_LARGE = 262_144

#: Characters that a large text has for each value in it, on average and at least. An empty object
#: of two characters takes 64 bytes.
_MIN_DENSITY = 6


class TooManyValues(ValueError):
    """A large text would take far more memory than its characters do."""


def _check_density(text: str) -> None:
    # Those inside strings count too. No message of Keyyo comes near the limit.
    values = text.count(",") + text.count("[") + text.count("{")
    if values * _MIN_DENSITY > len(text):
        raise TooManyValues(f"{values} values in {len(text)} characters")


class JsonReader:
    """Reads JSON texts.

    :param parse_constant: makes something of NaN and Infinity, which are no JSON, or refuses
        them; by default they are numbers.
    """

    def __init__(self, parse_constant: Optional[Callable[[str], Any]] = None) -> None:
        decoder = json.JSONDecoder(parse_constant=parse_constant)
        self._decode = decoder.decode
        self._decode_from = decoder.raw_decode

    def read(self, text: str, start: int = 0) -> Any:
        """The value of a text, or of what begins at ``start`` in it.

        :raises ValueError: it is no JSON.
        :raises TooManyValues: it would take far more memory than its text.
        :raises RecursionError: it is nested too deeply.
        """
        if len(text) > _LARGE:
            _check_density(text)
        try:
            value, end = self._decode_from(text, start)
            if end == len(text):
                return value
        except ValueError:
            pass
        # White space around it is allowed. To look for it takes half as long as all the rest.
        return self._decode(text[start:])
