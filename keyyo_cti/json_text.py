"""JSON that is read quickly where it is plain, which is nearly always."""

import json
from typing import Any, Callable, Optional


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
        :raises RecursionError: it is nested too deeply.
        """
        try:
            value, end = self._decode_from(text, start)
            if end == len(text):
                return value
        except ValueError:
            pass
        # White space around it is allowed. To look for it takes half as long as all the rest.
        return self._decode(text[start:])
