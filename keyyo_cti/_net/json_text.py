"""JSON of a server that may be hostile: it takes bounded memory, and is not nested deeply."""

import json
from typing import Any, List

#: Characters of a text whose values take little memory in any case.
_LARGE = 262_144

#: Characters that a large text has for each value in it, on average and at least. An empty object
#: of two characters takes 64 bytes.
_MIN_DENSITY = 6

#: Levels of objects and arrays; what Keyyo sends has five at most. What Python's parser still
#: reads, its ``repr`` may not be able to show, depending on how deep in the program it is called.
MAX_DEPTH = 100


class TooManyValues(ValueError):
    """A large text would take far more memory than its characters do."""


class TooDeep(ValueError):
    """Objects and arrays are nested too deeply."""


_DECODER = json.JSONDecoder()


def parse_json(text: str, start: int = 0, decoder: json.JSONDecoder = _DECODER) -> Any:
    """Return the value of a JSON text, which may begin further on.

    :raises ValueError: it is not JSON, or TooManyValues or TooDeep.
    """
    opened = text.count("[") + text.count("{")
    # Those inside strings count too. No message of Keyyo comes near the limit.
    if len(text) > _LARGE and (opened + text.count(",")) * _MIN_DENSITY > len(text):
        raise TooManyValues(f"{opened} containers in {len(text)} characters")
    try:
        value = _decode(text, start, decoder)
    except RecursionError:
        raise TooDeep(f"nested more than {MAX_DEPTH} levels deep") from None
    # To count brackets is much faster than to count levels.
    if opened > MAX_DEPTH and _is_deep(value):
        raise TooDeep(f"nested more than {MAX_DEPTH} levels deep")
    return value


def _decode(text: str, start: int, decoder: json.JSONDecoder) -> Any:
    # Without a look for white space around the value, which takes half as long as all the rest.
    try:
        value, end = decoder.raw_decode(text, start)
    except ValueError:
        end = -1
    return value if end == len(text) else decoder.decode(text[start:])


def _is_deep(value: Any) -> bool:
    level: List[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for container in level
            if isinstance(container, (dict, list))
            for inner in (container.values() if isinstance(container, dict) else container)
        ]
        if not level:
            return False
    return True
