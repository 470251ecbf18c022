"""Calls, of whatever kind."""

from __future__ import annotations

import re
from typing import Callable, List, Optional

from .arguments import arguments_of, iterable
from .arrays import array_method
from .builtins import (
    ARRAY_METHODS,
    NAMESPACES,
    NUMBER_METHODS,
    OTHER_METHODS,
    STRING_METHODS,
)
from .console import console_call
from .dates import date_method
from .globals import global_call
from .keyyo_calls import keyyo_call
from .literals import quote
from .maps import KEYED, check_key, map_method
from .members import optional, read_of
from .namespaces import static_call
from .notes import Unsupported
from .pieces import COMPARISON, Piece, binary, call, item, join, method, wrap
from .promises import promise_method
from .regexes import regex_method
from .shapes import uses_this
from .strings import number_method, string_method
from .supers import parent_of
from .syntax import FUNCTIONS, Node
from .translator import EXPRESSIONS, Translator
from .tree import is_borrowed_slice, is_extend
from .types import (
    ANY,
    BOOL,
    CALL,
    CTI,
    DATE,
    ERR,
    ERROR,
    KEYYO,
    MATCH,
    NONE,
    NUMBER,
    PAGE,
    REGEX,
    STR,
    atoms,
)


def _call(t: Translator, node: Node) -> Piece:
    given = node.get("arguments")
    if given is None or given.kind != "arguments":
        raise Unsupported("tagged templates are not supported")
    found = optional(t, node)
    if found is not None:
        return found
    function = node["function"]
    if function.kind == "member_expression":
        return _method(t, node, function)
    if function.kind == "super":
        return call(f"{parent_of(t, node, True)}.__init__", *arguments_of(t, node))
    if function.kind == "import":
        raise Unsupported("modules of JavaScript are not supported")
    if function.kind == "identifier" and function.is_free:
        found = global_call(t, node, function.text)
        if found is not None:
            return found
    if function.kind == "subscript_expression":
        return _computed(t, node, function)
    return call(t.expr(function), *arguments_of(t, node))


def _computed(t: Translator, node: Node, function: Node) -> Piece:
    mask = t.mask(function["object"])
    if mask & (CALL | CTI) and not mask & ~(CALL | CTI | NONE):
        target = t.expr(function["object"])
        member = call("getattr", target, t.expr(function["index"]))
        return call(member, *arguments_of(t, node))
    return call(t.expr(function), *arguments_of(t, node))


# Methods.

def _method(t: Translator, node: Node, function: Node) -> Piece:
    target, name = function["object"], function["property"].text
    if target.kind == "super":
        return call(f"{parent_of(t, node)}.{t.names.attribute(name)}", *arguments_of(t, node))
    if target.kind == "identifier" and target.binding is not None and (
        target.is_free and target.text in NAMESPACES
    ):
        if target.text == "console":
            return console_call(t, node, name)
        return static_call(t, node, target.text, name)
    if is_extend(node):
        return static_call(t, node, "Object", "assign")
    found = _window_method(t, node, target, name)
    if found is not None:
        return found
    if name in ("call", "apply", "bind") and t.world.only(t.mask(target), "function"):
        return _applied(t, node, target, name)
    if name == "hasOwnProperty" and len(node["arguments"].kids) == 1:
        return _has(t, node, target)
    return _method_of(t, node, target, name)


def _window_method(t: Translator, node: Node, target: Node, name: str) -> Optional[Piece]:
    """Return a call of ``window.setTimeout(...)`` and its like."""
    if target.kind == "identifier" and target.text in ("window", "self", "globalThis") and (
        target.is_free
    ):
        return global_call(t, node, name)
    if target.kind == "member_expression" and target["object"].kind == "identifier":
        if target["object"].text == "window" and target["property"].text in (
            "localStorage", "sessionStorage", "console"
        ):
            return static_call(t, node, target["property"].text, name)
    if name == "call" and is_borrowed_slice(target):
        return _borrowed_slice(t, node["arguments"].kids)
    if name in ("call", "apply") and re.match(r"(Array\.prototype|\[\])\.\w+$", target.text):
        raise Unsupported("such a call is not supported")
    return None


def _borrowed_slice(t: Translator, given: List[Node]) -> Piece:
    """Return ``Array.prototype.slice.call(arguments, 1)``."""
    if not given or len(given) > 2 or given[0].text != "arguments" and (
        not t.world.only(t.mask(given[0]), "array")
    ):
        raise Unsupported("such a call is not supported")
    if len(given) == 1:
        return call("list", t.expr(given[0]))
    if not given[1].text.isdigit():
        raise Unsupported("such a call is not supported")
    return item(t.expr(given[0]), f"{given[1].text}:")


def _has(t: Translator, node: Node, target: Node) -> Piece:
    key = node["arguments"].kids[0]
    text = t.expr(key) if not t.mask(key) & ~STR else t.text(key)
    if t.world.only(t.mask(target), "dict"):
        return binary(text, "in", t.expr(target), COMPARISON)
    return binary(text, "in", t.helper("js_keys", t.expr(target)), COMPARISON)


def _applied(t: Translator, node: Node, target: Node, name: str) -> Piece:
    given = node["arguments"].kids
    functions = [thing.node for thing in t.world.of(t.mask(target))]
    if functions and all(id(each) in t.shapes.takes_this for each in functions):
        return _with_this(t, node, target, name)
    if any(each is None or uses_this(each) for each in functions):
        if name == "bind" and len(given) == 1 and given[0].kind == "this" and (
            target.kind in FUNCTIONS or target.kind == "member_expression"
        ):
            return _bound(t, target)
        raise Unsupported("what `this` is depends on the caller", "Pass the object as an argument")
    if name == "call":
        return call(t.expr(target), *arguments_of(t, node)[1:])
    if name == "apply" and len(given) == 2:
        return call(t.expr(target), join("*", wrap(iterable(t, given[1]), 16)))
    if name == "bind" and len(given) == 1:
        return t.expr(target)
    if name == "bind":
        t.need("from functools import partial")
        return call("partial", t.expr(target), *arguments_of(t, node)[1:])
    raise Unsupported(f"such a call of {name} is not supported")


def _with_this(t: Translator, node: Node, target: Node, name: str) -> Piece:
    """Return a call of a function whose first parameter in Python is ``this``."""
    given = node["arguments"].kids
    if name == "apply" and len(given) == 2:
        rest = join("*", wrap(iterable(t, given[1]), 16))
        return call(t.expr(target), wrap(t.expr(given[0]), 1), rest)
    arguments = arguments_of(t, node) if given else ["None"]
    if name == "bind":
        t.need("from functools import partial")
        return call("partial", t.expr(target), *arguments)
    return call(t.expr(target), *arguments)


def _bound(t: Translator, target: Node) -> Piece:
    """Return ``function () { ... }.bind(this)``: Python's closures see ``self`` anyway."""
    if target.kind in FUNCTIONS:
        t.bound.add(id(target))
        return t.expr(target)
    if target["object"].kind == "this":
        return t.expr(target)
    raise Unsupported("bind to another object")


Rule = Callable[[Translator, Node, Piece, str, List[Node]], Optional[Piece]]


def _method_of(t: Translator, node: Node, target: Node, name: str) -> Piece:
    mask = t.mask(target) & ~NONE or ANY
    kinds, primitive = t.world.kinds(mask), atoms(mask)
    arguments = node["arguments"].kids
    if not kinds and primitive and not primitive & ~REGEX:
        return regex_method(t, node, target, name, arguments)
    if not kinds and primitive and not primitive & ~(CTI | CALL | KEYYO):
        return keyyo_call(t, node, t.expr(target), primitive, name)
    if not kinds and primitive == MATCH and name == "slice" and (
        [each.text for each in arguments] == ["1"]
    ):
        return call("list", method(t.expr(target), "groups"))
    has_spread = any(each.kind == "spread_element" for each in arguments)
    if has_spread and name not in ("push", "unshift", "splice") and not kinds & {
        "instance", "record", "dict", "class"
    }:
        raise Unsupported("spread arguments of such a method")
    found = _builtin_method(t, node, target, name, mask)
    if found is not None:
        return found
    if kinds & {"promise"} and not primitive:
        return promise_method(t, node, t.expr(target), name)
    return _of_object(t, node, _iterated(t, target, name), name, mask)


def _of_object(t: Translator, node: Node, piece: Piece, name: str, mask: int) -> Piece:
    kinds, primitive = t.world.kinds(mask), atoms(mask)
    if kinds == {"dict"} and not primitive:
        member = read_of(t, node["function"], piece, mask, name)
        return call(member, *arguments_of(t, node))
    if kinds and not primitive and kinds <= {"instance", "record", "class"}:
        if name == "toString":
            return call("str", piece)
        return method(piece, t.names.attribute(name), *arguments_of(t, node))
    if not kinds and primitive and not primitive & ~PAGE:
        return method(piece, f"{name}_" if name == "finally" else name, *arguments_of(t, node))
    if primitive & ANY or kinds:
        return _of_anything(t, node, piece, mask, name)
    if name == "toString":
        return t.helper("js_text", piece)
    raise Unsupported(f"the method {name} is not supported here")


def _builtin_method(
    t: Translator, node: Node, target: Node, name: str, mask: int
) -> Optional[Piece]:
    kinds, primitive = t.world.kinds(mask), atoms(mask)
    arguments = node["arguments"].kids
    if kinds <= {"array"} and kinds and not primitive & ~(MATCH | NONE):
        return array_method(t, node, _iterated(t, target, name), name, arguments)
    if kinds and kinds <= {"map", "set"} and not primitive:
        check_key(t, t.mask(arguments[0]) if name in KEYED and arguments else 0)
        return map_method(t, node, t.expr(target), name, arguments)
    if kinds == {"array"} and name in ARRAY_METHODS and name not in STRING_METHODS:
        return array_method(t, node, _iterated(t, target, name), name, arguments)
    if kinds:
        return None
    if primitive == STR or (name in STRING_METHODS and name not in NUMBER_METHODS and (
        not primitive & ~(NUMBER | BOOL | STR)
    )):
        # A number has no such method: both languages raise.
        return string_method(t, node, t.expr(target), name, arguments)
    if primitive & STR and name in STRING_METHODS and name not in ("toString", "valueOf"):
        return string_method(t, node, t.expr(target), name, arguments)
    if not primitive & ~NUMBER:
        return number_method(t, node, t.expr(target), name, arguments)
    if primitive == DATE:
        return date_method(t, node, t.expr(target), name)
    if primitive & (ERR | ERROR) and not primitive & ~(ERR | ERROR) and name == "toString":
        return t.helper("js_text", t.expr(target))
    return None


#: Methods that become comprehensions, in whose values Python allows no assignment.
_COMPREHENSIONS = frozenset({
    "map", "filter", "find", "findIndex", "some", "every", "flatMap", "entries",
})


def _iterated(t: Translator, target: Node, name: str) -> Piece:
    if name not in _COMPREHENSIONS:
        return t.expr(target)
    before, t.no_walrus = t.no_walrus, True
    try:
        return t.expr(target)
    finally:
        t.no_walrus = before


#: Methods that both strings and arrays have, and that need to know which.
_AMBIGUOUS = frozenset({"concat", "at", "lastIndexOf", "toString", "entries", "keys", "values"})


def _of_anything(t: Translator, node: Node, piece: Piece, mask: int, name: str) -> Piece:
    """Return a method of something whose type is not known: the name decides."""
    arguments = node["arguments"].kids
    if name == "toString" and not arguments:
        return t.helper("js_text", piece)
    owners = t.owners_of(name, "instance", "record", "dict")
    if owners and (t.world.kinds(mask) & {"array", "map", "set"} or mask & ANY and (
        name in ARRAY_METHODS or name in STRING_METHODS
    )):
        raise Unsupported(f"{name} of what may be the program's own object or JavaScript's")
    if owners:
        if all(thing.kind in ("instance", "record") for thing in owners):
            return method(piece, t.names.attribute(name), *arguments_of(t, node))
        member = t.helper("js_get", piece, quote(name))
        return call(member, *arguments_of(t, node))
    if name in ("get", "has") and node["function"]["object"].text.endswith(".headers"):
        return method(piece, name, *arguments_of(t, node))
    if name in ("then", "catch", "finally"):
        return promise_method(t, node, piece, name)
    if name in _OF_BOTH and len(arguments) == 1:
        return t.helper(_OF_BOTH[name], piece, *arguments_of(t, node))
    return _by_name(t, node, piece, mask, name)


#: Methods of strings and arrays whose helper takes either.
_OF_BOTH = {"includes": "js_includes", "indexOf": "js_index_of"}


def _by_name(t: Translator, node: Node, piece: Piece, mask: int, name: str) -> Piece:
    """Return a method that only one type has, or none of JavaScript's own."""
    arguments = node["arguments"].kids
    found: Optional[Piece] = None
    if name == "slice":
        found = string_method(t, node, piece, name, arguments)
    elif name in _AMBIGUOUS or (name in ARRAY_METHODS and name in STRING_METHODS):
        raise Unsupported(f"{name} of what may be a text or an array")
    elif name in ARRAY_METHODS:
        found = array_method(t, node, piece, name, arguments)
    elif name in STRING_METHODS:
        found = string_method(t, node, piece, name, arguments)
    elif name == "toFixed":
        found = number_method(t, node, piece, name, arguments)
    if found is not None:
        return found
    if name in ARRAY_METHODS or name in STRING_METHODS or name in OTHER_METHODS or (
        t.world.kinds(mask) & {"array", "map", "set", "function", "promise"}
    ):
        raise Unsupported(f"the method {name} is not supported here")
    if name in ("test", "exec", "getTime", "get", "has", "add", "delete", "set", "call", "apply"):
        raise Unsupported(f"{name} of something whose type is not known")
    return method(piece, name, *arguments_of(t, node))


EXPRESSIONS["call_expression"] = _call
