"""Suggestions for misspelt names of attributes and events."""

from functools import lru_cache
from typing import Dict, Iterable, Optional, Tuple

#: Minimum similarity of a suggestion, from 0 to 1: "duration" suggests "get_duration".
_MIN_RATIO = 0.7


def fold(name: str) -> str:
    """Return a name without case and underscores, which are what Python and JavaScript differ in.

    ``onNewCall``, ``on_new_call`` and ``onnewcall`` are the same then.
    """
    return name.replace("_", "").lower()


@lru_cache(maxsize=1024)
def suggest(name: str, known: Tuple[str, ...]) -> Optional[str]:
    """Return the known name that was probably meant, or None.

    It is cached, because a program may ask for an attribute of its own at each notification, as in
    ``getattr(call, "note", None)``.
    """
    if name.startswith("_"):
        # Python and notebooks look for names that need not be there.
        return None
    names: Dict[str, str] = {}
    for each in known:
        if each != name and not each.startswith("_"):
            names.setdefault(fold(each), each)
    wanted = fold(name)
    if wanted not in names:
        # Imported here, because a program without mistakes does not need it.
        from difflib import get_close_matches

        wanted = next(iter(get_close_matches(wanted, names, 1, _MIN_RATIO)), wanted)
    return names.get(wanted)


@lru_cache(maxsize=64)
def members(cls: type) -> Tuple[str, ...]:
    """Return the names that every instance of a class has."""
    return tuple(dir(cls))


def ask_back(meant: Optional[str]) -> str:
    """Return the end of an error message that suggests a name."""
    return "" if meant is None else f"; did you mean {meant}?"


def no_attribute(text: str, name: str, known: Iterable[str]) -> AttributeError:
    """Return the error about a missing attribute.

    :param text: the message, to which a suggestion is added.
    :param known: the names to suggest.
    """
    error = AttributeError(text + ask_back(suggest(name, tuple(known))))
    # Otherwise Python 3.10 and newer would fill it in, and add a second suggestion.
    setattr(error, "name", name)
    return error
