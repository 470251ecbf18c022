"""JSON of a server that may be hostile, with limits for memory and nesting."""

import json
from typing import Any

#: Texts of up to so many characters are never refused for their memory.
_LARGE = 262_144

#: Minimum average of characters for each value in a large text. An empty object of two characters
#: takes 64 bytes.
_MIN_DENSITY = 6

#: Levels of objects and arrays; Keyyo sends five at most. Python's parser reads values whose
#: ``repr`` may then exceed the recursion limit.
MAX_DEPTH = 100


class TooManyValues(ValueError):
    """A large text would take far more memory than its characters."""


class TooDeep(ValueError):
    """Objects and arrays are nested too deeply."""


_DECODER = json.JSONDecoder()


def parse_json(text: str, start: int = 0, decoder: Any = _DECODER) -> Any:
    """Return the value of a JSON text.

    :param start: offset of its first character.
    :raises ValueError: it is not JSON, or TooManyValues or TooDeep.
    """
    if len(text) > _LARGE:
        _check_density(text)
    try:
        # Without skipping white space around the value, which would take half as long again, and
        # without raw_decode, which only adds an error message.
        try:
            value, end = decoder.scan_once(text, start)
        except (StopIteration, ValueError):
            end = -1
        if end != len(text):
            value = decoder.decode(text[start:])
    except RecursionError:
        raise TooDeep(f"nested more than {MAX_DEPTH} levels deep") from None
    # If only the first characters open containers, as in nearly all messages, there are not enough
    # of them. To count them, or the levels, would take as long as a part of the parsing.
    tail = text[start + MAX_DEPTH :]
    if ("{" in tail or "[" in tail) and _is_deep(value):
        raise TooDeep(f"nested more than {MAX_DEPTH} levels deep")
    return value


def _check_density(text: str) -> None:
    """Refuse a large text with too many values. Characters in strings count too.

    No message of Keyyo comes near the limit.
    """
    opened = text.count("[") + text.count("{")
    if (opened + text.count(",")) * _MIN_DENSITY > len(text):
        raise TooManyValues(f"{opened} containers in {len(text)} characters")


def _is_deep(value: Any) -> bool:
    level = [value] if _is_container(value) else []
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for container in level
            for inner in (container.values() if isinstance(container, dict) else container)
            if _is_container(inner)
        ]
        if not level:
            return False
    return True


def _is_container(value: Any) -> bool:
    return isinstance(value, (dict, list))
