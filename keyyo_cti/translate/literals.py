"""JavaScript's literals as Python's."""

from __future__ import annotations

import re
from typing import Optional

_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}

_ESCAPE = re.compile(
    r"\\(u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\r\n|[\s\S])"
)


def unescape(text: str) -> str:
    """Return what a JavaScript string with these characters holds."""
    if "\\" not in text:
        return text
    value = _ESCAPE.sub(_character, text)
    # Two halves of a character outside the basic plane become the character.
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") if (
        re.search("[\ud800-\udbff][\udc00-\udfff]", value)
    ) else value


def _character(found: "re.Match[str]") -> str:
    code = found[1]
    if code.startswith("u{"):
        number = int(code[2:-1], 16)
        return chr(number) if number < 0x110000 else "\ufffd"
    if code[0] in "ux" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code in ("\n", "\r\n", "\r", "\u2028", "\u2029"):
        return ""
    return _SIMPLE.get(code, code)


def quote(value: str) -> str:
    """Return a string as Python writes it, in double quotes where that needs no escapes."""
    shown = repr(value)
    if shown[0] == '"' or '"' in value:
        return shown
    return f'"{shown[1:-1]}"'


def number(text: str) -> Optional[str]:
    """Return a number as Python writes it, or None if Python has none such."""
    if text.isdecimal() and text.isascii() and len(text) < 16 and (text[0] != "0" or text == "0"):
        return text
    text = text.replace("_", "").lower()
    if re.fullmatch(r"0[xob][0-9a-f]+", text):
        return str(int(text, 0)) if text[1] != "x" else text
    if re.fullmatch(r"0[0-7]+", text):
        return str(int(text, 8))
    if text.endswith("n"):
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    if value.is_integer() and abs(value) < 2 ** 53:
        return str(int(value))
    if value == float("inf"):
        return None
    return repr(value)
