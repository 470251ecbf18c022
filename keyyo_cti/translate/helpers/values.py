"""Conversions of values, as JavaScript does them."""

import json
import math
import re
from datetime import datetime

from .dates import js_iso
from .errors import js_error_name


def js_digits(value):
    """Return a number as JavaScript writes it."""
    if value != value or value in (math.inf, -math.inf):
        if value != value:
            return "NaN"
        return "Infinity" if value > 0 else "-Infinity"
    if value == int(value) and abs(value) < 2 ** 53:
        return str(int(value))
    if abs(value) >= 2 ** 1024:
        return "Infinity" if value > 0 else "-Infinity"
    mantissa, _, exponent = repr(float(value)).partition("e")
    if not exponent:
        return mantissa[:-2] if mantissa.endswith(".0") else mantissa
    sign = "-" if mantissa.startswith("-") else ""
    digits = mantissa.strip("-").replace(".", "")
    if digits.endswith("0"):
        digits = digits[:-1]
    power = int(exponent)
    if 0 <= power < 21:
        return f"{sign}{digits.ljust(power + 1, '0')}"
    if -7 < power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    point = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{point}e{'+' if power > 0 else '-'}{abs(power)}"


def js_text(value, none="undefined"):
    """Return a value as JavaScript writes it in a text."""
    if isinstance(value, str):
        return value
    if value is None:
        return none
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return js_digits(value)
    if isinstance(value, (list, tuple)):
        return ",".join(
            "" if each is None else js_text(each) for each in value
        )
    writer = getattr(type(value), "__str__", None)
    if type(value) is dict or writer == object.__str__:
        return "[object Object]"
    if isinstance(value, Exception) and not hasattr(value, "status_code"):
        name = js_error_name(value)
        return f"{name}: {value}" if str(value) else name
    return str(value)


def js_shown(value, none="undefined", inside=False):
    """Return a value as JavaScript's console shows it."""
    if isinstance(value, str):
        if not inside:
            return value
        quote = "'" if "'" not in value else '"' if '"' not in value else "`"
        shown = re.sub(r"[\\\x00-\x1f\x7f-\x9f]", js_escape, value)
        return f"{quote}{shown}{quote}"
    if isinstance(value, (list, tuple)):
        items = [js_shown(each, none, True) for each in value]
        return f"[ {', '.join(items)} ]" if items else "[]"
    if type(value) is dict:
        items = []
        for key, each in js_items(value):
            plain = re.fullmatch(r"[A-Za-z_]\w*", str(key), re.A)
            name = key if plain else js_shown(key, none, True)
            items.append(f"{name}: {js_shown(each, none, True)}")
        return f"{{ {', '.join(items)} }}" if items else "{}"
    return js_text(value, none)


def js_escape(found):
    """Return a backslash or a control character as the console shows it."""
    names = {"\\": "\\", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}
    name = names.get(found[0])
    return f"\\{name}" if name else f"\\x{ord(found[0]):02X}"


def js_log(*values):
    """Print values as JavaScript's console does."""
    print(*(js_shown(value) for value in values))


def js_items(table):
    """Return the keys and values of an object: whole numbers first."""
    numbers = sorted((int(key) for key in table if js_is_index(key)))
    keys = [str(key) for key in numbers]
    keys += [key for key in table if not js_is_index(key)]
    return [(key, table[key]) for key in keys]


def js_is_index(key):
    """True if JavaScript sorts a key as a number."""
    if not (isinstance(key, str) and key.isascii() and key.isdigit()):
        return False
    return str(int(key)) == key and int(key) < 2 ** 32 - 1


def js_keys(value):
    """Return the keys of an object, or the places of a list, as texts."""
    if isinstance(value, (list, str)):
        return [str(index) for index in range(len(value))]
    if type(value) is dict:
        return [key for key, _ in js_items(value)]
    if hasattr(value, "__iter__"):
        return list(value)
    return list(getattr(value, "__dict__", ()))


def js_true(value):
    """True if JavaScript takes a value for true."""
    if type(value) in (list, dict):
        return True
    return value == value and bool(value)


def js_number(value):
    """Return a value as a number, as JavaScript converts it."""
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    if isinstance(value, (int, float)):
        return int(value) if isinstance(value, bool) else value
    if isinstance(value, (list, tuple)):
        value = js_text(value)
    if not isinstance(value, str):
        return math.nan
    text = value.strip()
    if not text.isascii():
        return math.nan
    try:
        if text[:2].lower() in ("0x", "0o", "0b"):
            return int(text, 0)
        number = float(text or 0)
    except ValueError:
        return math.nan
    if "_" in text or text.lower().strip("+-") in ("nan", "inf", "infinity"):
        plain = text.lstrip("+-") == "Infinity" and len(text) < 10
        return number if plain else math.nan
    is_whole = number.is_integer() and abs(number) < 2 ** 53
    return int(number) if is_whole else number


def js_type(value, none="undefined"):
    """Return what ``typeof`` says of a value."""
    if value is None:
        return none
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "function" if callable(value) else "object"


def js_get(target, name):
    """Return a property or an element, or None."""
    if isinstance(target, re.Match):
        if name in ("index", "groups", "input"):
            is_index = name == "index"
            known = {"groups": target.groupdict(), "input": target.string}
            return target.start() if is_index else known[name]
        if name == "length":
            return len(target.groups()) + 1
        return js_item(target, name)
    if isinstance(target, (list, str)):
        if name == "length":
            return len(target)
        return js_item(target, name)
    if isinstance(target, dict):
        return target.get(js_text(name))
    if target is None:
        raise TypeError(f"cannot read the property {name!r} of None")
    if isinstance(target, Exception) and name in ("message", "name"):
        is_message = name == "message"
        return js_message(target) if is_message else js_error_name(target)
    return getattr(target, js_text(name), None)


def js_set(target, name, value):
    """Set a property or an element, and return the value."""
    if isinstance(target, list):
        while len(target) <= name:
            target.append(None)
        target[name] = value
    elif isinstance(target, dict):
        target[js_text(name)] = value
    else:
        setattr(target, js_text(name), value)
    return value


class js_static:
    """A getter of a class."""

    def __init__(self, get):
        self.get = get

    def __get__(self, instance, owner):
        return self.get(owner)


def js_item(sequence, index):
    """Return an element of a list or a text, or None if there is none."""
    if isinstance(sequence, re.Match):
        sequence = [sequence[0], *sequence.groups()]
    if isinstance(index, str):
        index = js_number(index)
    if not isinstance(index, (int, float)) or index % 1 != 0:
        return None
    return sequence[int(index)] if 0 <= index < len(sequence) else None


def js_at(sequence, index):
    """Return an element, counted from the end if the index is negative."""
    return js_item(sequence, index + len(sequence) if index < 0 else index)


def js_message(error):
    """Return the message of an exception."""
    if not isinstance(error, Exception):
        return js_get(error, "message")
    message = getattr(error, "message", None)
    return str(error) if message is None else message


def js_plain(value):
    """Return a value with what JSON holds, as JavaScript writes it."""
    if isinstance(value, float):
        if value != value or value in (math.inf, -math.inf):
            return None
        is_whole = value == int(value) and abs(value) < 2 ** 53
        return int(value) if is_whole else value
    if isinstance(value, datetime):
        return js_iso(value)
    if isinstance(value, (list, tuple)):
        return [None if callable(each) else js_plain(each) for each in value]
    if hasattr(value, "to_json"):
        return js_plain(value.to_json())
    if hasattr(value, "fields"):
        value = dict(value.fields)
    elif hasattr(value, "__dict__") and not isinstance(value, dict):
        value = vars(value)
    if isinstance(value, dict):
        return {
            key: js_plain(each)
            for key, each in js_items(value) if not callable(each)
        }
    return value


def js_json(value, indent=0, level=None):
    """Return a value as JSON, written as JavaScript writes it."""
    if level is None:
        try:
            value, level = js_plain(value), 0
        except RecursionError:
            message = "Converting circular structure to JSON"
            raise TypeError(message) from None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return js_digits(value)
    if not isinstance(value, (list, dict)) or not value:
        return json.dumps(value, ensure_ascii=False)
    gap = "\n" + " " * indent * (level + 1) if indent else ""
    end = "\n" + " " * indent * level if indent else ""
    if isinstance(value, list):
        items = [js_json(each, indent, level + 1) for each in value]
        return f"[{gap}{f',{gap}'.join(items)}{end}]"
    items = []
    for key, each in value.items():
        colon = ": " if indent else ":"
        text = js_json(each, indent, level + 1)
        items.append(f"{json.dumps(key, ensure_ascii=False)}{colon}{text}")
    return f"{{{gap}{f',{gap}'.join(items)}{end}}}"
