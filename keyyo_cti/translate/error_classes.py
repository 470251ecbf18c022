"""Which classes of exceptions JavaScript's are in Python."""

from __future__ import annotations

from .builtins import ERRORS
from .translator import Translator

#: What Python itself raises where JavaScript raises one of its own.
_RAISED = {
    "TypeError": "(TypeError, AttributeError, LookupError)", "ReferenceError": "NameError",
    "SyntaxError": "(SyntaxError, json.JSONDecodeError)",
    "RangeError": "(RangeError, RecursionError, OverflowError)", "Error": "Exception",
}


def error_class(t: Translator, name: str) -> str:
    """Return Python's class for one of JavaScript's."""
    t.helpers.add(ERRORS[name])
    return ERRORS[name]


def raised_classes(t: Translator, name: str) -> str:
    """Return what ``isinstance`` asks for one of JavaScript's classes."""
    if name == "SyntaxError":
        t.need("import json")
    return _RAISED.get(name, error_class(t, name))
