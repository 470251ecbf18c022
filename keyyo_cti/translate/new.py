"""``new``."""

from __future__ import annotations

from typing import List

from . import keyyo
from .arguments import arguments_of, iterable
from .builtins import ERRORS
from .dates import new_date
from .exceptions import new_error
from .literals import quote
from .maps import check_key
from .notes import Unsupported
from .openings import shared_cti
from .pieces import Piece, atom, call, join, sequence, wrap
from .promises import new_promise
from .regexes import compiled
from .syntax import Node
from .translator import EXPRESSIONS, Translator
from .tree import has_holes, property_name, regex_literal
from .types import ANY, KEYYO, NAT, PAGE, WHOLE


def _new(t: Translator, node: Node) -> Piece:
    constructor = node["constructor"]
    if constructor.kind == "member_expression":
        if t.mask(constructor["object"]) & KEYYO and constructor["property"].text == "CTI":
            return _new_cti(t, node)
    if constructor.kind == "identifier" and constructor.is_free:
        return _new_builtin(t, node, constructor.text)
    return call(t.expr(constructor), *arguments_of(t, node))


def _new_cti(t: Translator, node: Node) -> Piece:
    shared = shared_cti(t, node)
    if shared is not None:
        return atom(shared)
    t.need("from keyyo_cti import Keyyo")
    arguments = arguments_of(t, node)
    t.makes_cti = True
    _check_options(t, node)
    if t.will_use_page:
        arguments.append(f"dispatch={t.runtime('page')}.dispatch")
    return call("Keyyo.CTI", *arguments)


def _check_options(t: Translator, node: Node) -> None:
    for kid in node["arguments"].kids if "arguments" in node.fields else []:
        for thing in t.world.of(t.mask(kid)):
            for name, mask in thing.fields.items():
                wanted = keyyo.OPTIONS.get(name, ANY)
                if mask & ~wanted and not (mask | wanted) & ANY or _is_zero(kid, name):
                    t.note(
                        node, f"the option {name}",
                        "JavaScript converts its value, Python raises TypeError for null, 0 and "
                        "other types", "Give a value of its type, or leave it out",
                    )
                if name not in keyyo.OPTIONS:
                    t.note(
                        node, f"the option {name}",
                        "JavaScript ignores an unknown option, Python raises TypeError",
                        "Remove it",
                    )


def _is_zero(options: Node, name: str) -> bool:
    return name == "cookie_expires" and any(
        each.kind == "pair" and property_name(each) == name and each["value"].text == "0"
        for each in options.kids
    )


def _new_builtin(t: Translator, node: Node, name: str) -> Piece:
    arguments = node["arguments"].kids if "arguments" in node.fields else []
    if name in ERRORS:
        return new_error(t, node, name)
    if name == "Date":
        return new_date(t, node, arguments)
    if name == "Promise":
        return new_promise(t, node, arguments)
    if name in ("URLSearchParams", "Headers"):
        return call(t.runtime_free(name), *arguments_of(t, node))
    if name in ("Map", "Set", "Array"):
        return new_container(t, name, arguments)
    if name == "RegExp" and regex_literal(node) is not None:
        return compiled(t, node)
    if name == "RegExp":
        raise Unsupported("a regular expression that is made at run time")
    if t.names.knows(constructor := node["constructor"]):
        return call(t.expr(constructor), *arguments_of(t, node))
    if t.mask(node) & PAGE:
        t.page_note(node, name)
        return call(call(t.stub("missing"), quote(name)), *arguments_of(t, node))
    raise Unsupported(f"new {name} is not supported")


def new_container(t: Translator, name: str, arguments: List[Node]) -> Piece:
    if not arguments:
        return atom("[]" if name == "Array" else "{}")
    if len(arguments) > 1:
        raise Unsupported(f"such a {name} is not supported")
    only = arguments[0]
    if name == "Map" and only.kind == "array" and all(
        each.kind == "array" and len(each.kids) == 2 and not has_holes(each)
        and all(kid.kind != "spread_element" for kid in each.kids) for each in only.kids
    ) and not has_holes(only):
        return sequence("{", [
            join(wrap(t.expr(each.kids[0]), 2), ": ", wrap(t.expr(each.kids[1]), 2))
            for each in only.kids
        ], "}")
    if name == "Map":
        return call("dict", t.expr(only))
    if name == "Set":
        check_key(t, t.inference.elements(t.mask(only)))
        return call("dict.fromkeys", iterable(t, only))
    if t.mask(only) & ~WHOLE:
        raise Unsupported("such an array is not supported")
    size = t.expr(only)
    if t.mask(only) & ~NAT:
        size = t.helper("js_within", size, "0", "2 ** 32 - 1", '"Invalid array length"')
    return join("[None] * ", wrap(size, 13), precedence=12)


EXPRESSIONS["new_expression"] = _new
