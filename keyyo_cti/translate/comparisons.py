"""Comparisons, ``typeof``, ``instanceof`` and ``in``."""

from __future__ import annotations

import re
from typing import Callable, Dict, Optional

from .builtins import ERRORS
from .error_classes import raised_classes
from .literals import quote
from .notes import Unsupported
from .pieces import AND, COMPARISON, Group, Piece, atom, binary, call, method, negated
from .syntax import Node
from .translator import Translator
from .truth import converted, inverse, is_pure, twice
from .types import (
    ANY,
    BOOL,
    CALL,
    CTI,
    DATE,
    ERR,
    ERROR,
    FIELDS,
    KEYYO,
    MATCH,
    NONE,
    NULL,
    NUMBER,
    PAGE,
    RES,
    STR,
    TIMER,
    UNDEF,
    atoms,
)


def _is_none(node: Node) -> bool:
    return node.kind in ("null", "undefined") or (
        node.kind == "unary_expression" and node["operator"].kind == "void"
    )


def equality(t: Translator, node: Node, operator: str) -> Piece:
    left, right = node["left"], node["right"]
    negative = operator.startswith("!")
    typeof = _typeof(t, left, right) or _typeof(t, right, left)
    if typeof is not None:
        return inverse(typeof) if negative else typeof
    for one, other in ((left, right), (right, left)):
        if _is_none(other):
            return _none_test(t, node, one, other, negative)
    loose = len(operator) == 2
    a, b = t.mask(left), t.mask(right)
    if not loose and (a & UNDEF and b & NULL or a & NULL and b & UNDEF):
        t.note(
            node, "null and undefined", "both are None in Python",
            "Nothing, unless the program tells them apart",
        )
    first, second = t.expr(left), t.expr(right)
    if {left.kind, right.kind} & {"true", "false"} and not (a | b) & ~(BOOL | NONE):
        return binary(first, "is not" if negative else "is", second, COMPARISON)
    if (a | b) & FIELDS and not (a | b) & ~(FIELDS | CALL | NONE):
        same = t.helper("js_same_call", first, second)
        return negated(same) if negative else same
    if is_identity(t, a, b, loose) and not (is_literal(first) or is_literal(second)):
        return binary(first, "is not" if negative else "is", second, COMPARISON)
    if compares_alike(t, a, b, loose):
        return binary(first, "!=" if negative else "==", second, COMPARISON)
    found = t.helper("js_equal" if loose else "js_same", first, second)
    return negated(found) if negative else found


def is_identity(t: Translator, a: int, b: int, loose: bool = False) -> bool:
    """True if one side is always an object that is the same only as itself."""
    things = ("array", "dict", "instance", "record", "function", "map", "set")
    for one, other in ((a, b), (b, a)):
        if t.world.only(one, *things) and not other & (ANY | PAGE):
            return not loose or not atoms(other) & ~NONE
    return False


def is_literal(piece: Piece) -> bool:
    """True for what Python warns of beside ``is``."""
    if len(piece.parts) == 1 and isinstance(piece.parts[0], Group):
        return piece.parts[0].opening in ("[", "{", "(")
    return re.fullmatch(
        r"-*[\d.]+(e[-+]?\d+)?|\"[^\"]*\"|'[^']*'|True|False|None", str(piece)
    ) is not None


def compares_alike(t: Translator, a: int, b: int, loose: bool) -> bool:
    """True if ``==`` of Python does what JavaScript's operator does."""
    objects = CALL | CTI | ERR | TIMER | PAGE | RES | KEYYO | ERROR
    for one, other in ((a, b), (b, a)):
        if not one & ~STR and one:
            return not loose or not other & ~(STR | NONE)
        if not one & ~NUMBER and one:
            return not other & ~(NUMBER | NONE)
        if not one & ~BOOL and one:
            return not other & ~(BOOL | NONE)
        if not one & ~objects and one:
            return not other & ~(objects | NONE)
    allowed = STR | NONE
    if not (a | b) & ~allowed or not (a | b) & ~(NUMBER | NONE):
        return True
    return not loose and not (a | b) & ~(STR | NUMBER | NONE)


def _none_test(t: Translator, node: Node, one: Node, none: Node, negative: bool) -> Piece:
    strict = len(node["operator"].kind) == 3
    if one.kind in ("null", "undefined"):
        is_same = not strict or one.kind == none.kind
        return atom("True" if is_same != negative else "False")
    mask = t.mask(one)
    piece = t.expr(one)
    if strict and none.kind == "null" and mask & UNDEF and not mask & (ANY | NULL) and (
        not mask & RES
    ):
        t.note(
            node, node.text, "it compares undefined with null; in Python both are None",
            "Check that the comparison means what it should",
        )
    elif strict and mask & ANY or strict and mask & UNDEF and mask & NULL:
        t.note(
            node, "null and undefined", "both are None in Python",
            "Nothing, unless the program tells them apart",
        )
    if strict and not mask & (NONE | ANY) and not mask & (RES | MATCH):
        pass
    if mask & RES:
        t.note(
            node, node.text, "a result of null is not None in Python, but false",
            "Ask for its truth, if the server may answer null",
        )
    if is_literal(piece) and str(piece) != "None":
        return atom("True" if negative else "False")
    return binary(piece, "is not" if negative else "is", atom("None"), COMPARISON)


def _typeof(t: Translator, left: Node, right: Node) -> Optional[Piece]:
    """Return a test such as ``typeof x === "string"``."""
    if left.kind != "unary_expression" or left["operator"].kind != "typeof":
        return None
    if right.kind != "string":
        return None
    word, argument = right.text[1:-1], left["argument"]
    if argument.kind == "identifier" and argument.is_free and (
        not t.mask(argument) & ~ANY
    ):
        return _of_undeclared(t, argument, word)
    rule = _TYPES.get(word)
    if rule is not None:
        return rule(t, argument)
    return binary(type_of(t, argument), "==", t.expr(right), COMPARISON)


def _of_undeclared(t: Translator, name: Node, word: str) -> Piece:
    """Return a test of a name that the source does not define: another script may."""
    quoted = quote(t.name_of(name.binding))
    if word == "undefined":
        return binary(atom(quoted), "not in", atom("globals()"), COMPARISON)
    value = method(atom("globals()"), "get", quoted)
    return binary(t.helper("js_type", value), "==", atom(quote(word)), COMPARISON)


def _is_undefined(t: Translator, node: Node) -> Piece:
    if t.mask(node) & (NULL | ANY):
        t.note(
            node, "null and undefined", "both are None in Python",
            "Nothing, unless the program tells them apart",
        )
    return binary(t.expr(node), "is", atom("None"), COMPARISON)


def _is_number(t: Translator, node: Node) -> Piece:
    piece = t.expr(node)
    first, again = (piece, piece) if is_pure(node) else twice(t, node)
    if not t.mask(node) & (BOOL | ANY):
        return call("isinstance", first, "(int, float)")
    return binary(
        call("isinstance", first, "(int, float)"), "and",
        negated(call("isinstance", again, "bool")), AND,
    )


_TYPES: Dict[str, Callable[[Translator, Node], Piece]] = {
    "string": lambda t, node: call("isinstance", t.expr(node), "str"),
    "boolean": lambda t, node: call("isinstance", t.expr(node), "bool"),
    "function": lambda t, node: call("callable", t.expr(node)),
    "undefined": _is_undefined,
    "number": _is_number,
}


def type_of(t: Translator, node: Node) -> Piece:
    mask = t.mask(node)
    piece = t.expr(node)
    if mask & NULL and not mask & (UNDEF | ANY):
        return t.helper("js_type", piece, '"object"')
    if mask & (NULL | ANY):
        t.note(
            node, "null and undefined", "both are None in Python",
            "Nothing, unless the program tells them apart",
        )
    return t.helper("js_type", piece)


def comparison(t: Translator, node: Node, operator: str) -> Piece:
    left, right = node["left"], node["right"]
    a, b = t.mask(left), t.mask(right)
    numbers = NUMBER | BOOL
    if (not a & ~numbers and not b & ~numbers) or a | b == STR or a | b == DATE:
        first, second = t.expr(left), t.expr(right)
        return binary(first, operator, second, COMPARISON)
    return t.helper("js_compare", converted(t, left), f'"{operator}"', converted(t, right))


def instance_of(t: Translator, node: Node) -> Piece:
    name = node["right"].text
    piece = t.expr(node["left"])
    if node["right"].binding is not None and not node["right"].is_free:
        if t.world.kinds(t.mask(node["right"])) & {"class", "function"}:
            return call("isinstance", piece, t.expr(node["right"]))
    if name in ERRORS:
        return call("isinstance", piece, raised_classes(t, name))
    if name in ("Array", "Map", "Set", "Date"):
        if name == "Date":
            t.need("from datetime import datetime")
        kinds = {"Array": "list", "Map": "dict", "Set": "dict", "Date": "datetime"}
        return call("isinstance", piece, kinds[name])
    raise Unsupported(f"instanceof {name} is not supported")


def contains(t: Translator, node: Node) -> Piece:
    right = t.mask(node["right"])
    key, target = node["left"], t.expr(node["right"])
    name = t.expr(key) if not t.mask(key) & ~STR else t.text(key)
    if t.world.only(right, "dict") or not right & ~(CALL | RES):
        return binary(name, "in", target, COMPARISON)
    if t.world.only(right, "array"):
        raise Unsupported("`in` of an array is not supported")
    return binary(name, "in", t.helper("js_keys", target), COMPARISON)
