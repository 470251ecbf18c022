"""Dates."""

from __future__ import annotations

import re
from typing import List, Optional, Sequence

from .notes import Unsupported
from .pieces import Piece, atom, attribute, binary, call, join, method
from .scopes import Binding
from .strings import whole
from .syntax import Node
from .translator import Translator
from .tree import string_value
from .types import DATE, NAN, NUMBER, STR, UNDEF

_FIELDS = {
    "getFullYear": "year", "getDate": "day", "getHours": "hour", "getMinutes": "minute",
    "getSeconds": "second",
}

#: The texts that every Python here reads as JavaScript does.
_ISO = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])"
    r"(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{3})?)?(Z|[+-]\d\d:\d\d)?)?"
)

_FORMATS = {
    "toLocaleTimeString": "%H:%M:%S", "toLocaleDateString": "%d/%m/%Y",
    "toLocaleString": "%d/%m/%Y %H:%M:%S",
}


def new_date(t: Translator, node: Node, arguments: List[Node]) -> Piece:
    """Return ``new Date(...)``."""
    if len(arguments) == 1 and t.mask(arguments[0]) & ~(NUMBER | STR | DATE | UNDEF):
        raise Unsupported("a date of something whose type is not known")
    values = [whole(t, each) for each in arguments] if len(arguments) > 1 else []
    if len(values) > 7:
        raise Unsupported("a date with so many parts")
    if values and _are_in_range(values):
        t.need("from datetime import datetime")
        year, month, *others = map(str, values)
        date = call("datetime", year, str(int(month) + 1), *(others or ["1"]))
        return method(date, "astimezone")
    if values:
        return t.helper("js_date_of", *values)
    for each in arguments:
        check_date(t, node, each)
    return t.helper("js_date", *[t.expr(each) for each in arguments])


def _are_in_range(values: Sequence[Piece]) -> bool:
    """True if each part of a date is written as a number that Python takes as it is."""
    limits = (9999, 11, 28, 23, 59, 59)
    numbers = [int(str(each)) if str(each).isdigit() else -1 for each in values]
    return len(numbers) <= len(limits) and numbers[0] > 99 and numbers[2:3] != [0] and all(
        0 <= number <= limit for number, limit in zip(numbers, limits)
    )


def check_date(t: Translator, node: Node, given: Node) -> None:
    """Note that Python raises where JavaScript makes a date that is invalid."""
    if given.kind == "string":
        if not _ISO.fullmatch(string_value(given)):
            raise Unsupported("a date in this form", "Use datetime.strptime")
    elif t.mask(given) & (STR | NAN):
        t.note(
            node, "a date that may be invalid",
            "Python reads ISO dates, and raises ValueError for others and for NaN",
            "Catch ValueError, if the date comes from elsewhere",
        )


def date_method(t: Translator, node: Node, target: Piece, name: str) -> Optional[Piece]:
    """Return a call of a date's method."""
    if name in _SETTERS:
        return _changed(t, node, target, name)
    if name.startswith("getUTC"):
        t.need("from datetime import timezone")
        target, name = method(target, "astimezone", "timezone.utc"), f"get{name[6:]}"
    return _read(t, node, target, name)


def _read(t: Translator, node: Node, target: Piece, name: str) -> Optional[Piece]:
    if name in _FIELDS:
        return attribute(target, _FIELDS[name])
    if name in ("getTime", "valueOf"):
        return t.helper("js_now") if str(target) == "js_date()" else t.helper("js_time", target)
    if name == "getMonth":
        return binary(attribute(target, "month"), "-", atom("1"), 11)
    if name == "getDay":
        return binary(method(target, "isoweekday"), "%", atom("7"), 12)
    if name == "getMilliseconds":
        return binary(attribute(target, "microsecond"), "//", atom("1000"), 12)
    if name in ("toISOString", "toJSON"):
        return t.helper("js_iso", target)
    if name in _FORMATS:
        t.note(
            node, name, "it writes as the browser's language does",
            "Choose the format that your users expect",
        )
        if str(target) == "js_date()" and name == "toLocaleTimeString":
            t.need("import time")
            return call("time.strftime", f'"{_FORMATS[name]}"')
        return method(target, "strftime", f'"{_FORMATS[name]}"')
    raise Unsupported(f"the method {name} of a date is not supported")


_SETTERS = frozenset({
    "setFullYear", "setMonth", "setDate", "setHours", "setMinutes", "setSeconds",
    "setMilliseconds", "setTime",
})


def _changed(t: Translator, node: Node, target: Piece, name: str) -> Piece:
    """Return the assignment of another date: a date of Python never changes.

    :raises Unsupported: something else may hold the same date, or uses the value of the call.
    """
    date, given = node["function"]["object"], node["arguments"].kids
    if date.kind != "identifier" or not given or node.parent is None or (
        node.parent.kind != "expression_statement" or not _is_alone(date.binding)
    ):
        raise Unsupported("a date that changes", "Assign a new date")
    values = [whole(t, each) for each in given]
    value = t.helper("js_date", *values[:1]) if name == "setTime" else (
        t.helper("js_date_set", target, f'"{name[3:]}"', *values)
    )
    return join(f"{t.written(date.binding)} = ", value)


def _is_alone(binding: Binding) -> bool:
    """True if no other variable or object can hold the date of a variable."""
    made = [each.parent for each in binding.writes]
    return binding.kind in ("var", "let", "const") and all(
        each is not None and each.kind == "variable_declarator"
        and each["value"].kind == "new_expression" for each in made
    ) and all(
        each.parent is not None and (
            each.parent.kind in ("member_expression", "binary_expression", "template_substitution")
            or (each.parent.kind == "arguments" and each.parent.parent is not None
                and each.parent.parent.kind == "new_expression"
                and each.parent.parent["constructor"].text == "Date")
        )
        for each in binding.reads
    )
