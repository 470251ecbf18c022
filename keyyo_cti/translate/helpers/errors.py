"""Exceptions of JavaScript that Python does not have."""

import os
import re
import sys
import threading
import urllib.parse


class RangeError(ValueError):
    """A number is outside its range."""


class URIError(ValueError):
    """A text is no encoded URI."""


class EvalError(ValueError):
    """Only programs raise it."""


def js_error_name(error):
    """Return what JavaScript's ``name`` says of an exception."""
    own = vars(error).get("name")
    if isinstance(own, str):
        return own
    names = {
        "RangeError": "RangeError", "RecursionError": "RangeError",
        "OverflowError": "RangeError", "URIError": "URIError",
        "EvalError": "EvalError", "TypeError": "TypeError",
        "AttributeError": "TypeError", "LookupError": "TypeError",
        "RequestException": "TypeError", "NameError": "ReferenceError",
        "SyntaxError": "SyntaxError", "JSONDecodeError": "SyntaxError",
    }
    for each in type(error).__mro__:
        if each.__name__ in names:
            return names[each.__name__]
    return "Error"


def js_within(number, first, last, message):
    """Return a number that is in a range.

    :raises RangeError: it is not.
    """
    if not first <= number <= last:
        raise RangeError(message.format(number))
    return number


def js_decode_uri(text, kept=""):
    """Return a text without its escapes; those of some characters stay.

    :raises URIError: it has an escape that means nothing.
    """
    if re.search("%(?![0-9A-Fa-f]{2})", text):
        raise URIError("URI malformed")
    for each in kept:
        code = f"{ord(each):02x}"
        text = re.sub(f"%({code}|{code.upper()})", r"%25\1", text)
    try:
        return urllib.parse.unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise URIError("URI malformed") from None


def js_exit(code=0):
    """End the program at once, in any thread."""
    if threading.current_thread() is threading.main_thread():
        sys.exit(code)
    sys.stdout.flush()
    os._exit(code)
