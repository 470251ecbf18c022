"""Names, literals, arrays and objects."""

from __future__ import annotations

from typing import Optional

from .arguments import iterable, properties, spread
from .builtins import NAMESPACES
from .frames import Function
from .literals import number, quote
from .notes import Unsupported
from .pieces import Piece, atom, call, join, sequence, wrap
from .syntax import Node
from .translator import EXPRESSIONS, Translator
from .tree import has_holes, property_name, this_owner
from .types import PAGE, STR

_CONSTANTS = {"undefined": "None", "null": "None", "true": "True", "false": "False"}


def _constant(t: Translator, node: Node) -> Piece:
    return atom(_CONSTANTS[node.kind])


def _number(t: Translator, node: Node) -> Piece:
    found = number(node.text)
    if found is None:
        raise Unsupported("Python has no such number")
    return atom(found)


#: Functions that are passed on as values.
_FUNCTIONS = {
    "parseInt": "js_parse_int", "parseFloat": "js_parse_float", "String": "js_text",
    "Number": "js_number", "Boolean": "js_true",
}

_PAGE_NAMES = frozenset({"window", "document", "navigator", "location", "history", "screen"})

_LIBRARIES = frozenset({"jQuery", "$"})


def _identifier(t: Translator, node: Node) -> Piece:
    binding = node.binding
    if binding is None:
        raise Unsupported(f"{node.text} is not supported here")
    if binding.kind in ("free", "implicit") and binding.name in ("NaN", "Infinity"):
        t.need("import math")
        return atom("math.nan" if binding.name == "NaN" else "math.inf")
    if binding.kind == "free":
        return _free(t, node)
    if binding.is_this:
        return _this_of(t, node)
    if binding.kind == "import":
        raise Unsupported(f"{node.text} comes from another module", "Import it by hand")
    return atom(t.name_of(binding))


def _this_of(t: Translator, node: Node) -> Piece:
    if t.function.self_name:
        return atom(t.function.self_name)
    walked: Optional[Function] = t.function
    while walked is not None:
        if walked.node is node.binding.owner and walked.this is not None:
            return walked.this
        walked = walked.parent
    raise Unsupported("this is not supported here")


def _free(t: Translator, node: Node) -> Piece:
    name = node.text
    if name == "arguments":
        return atom("arguments")
    if name in _FUNCTIONS:
        t.helpers.add(_FUNCTIONS[name])
        return atom(_FUNCTIONS[name])
    if name in _PAGE_NAMES:
        t.page_note(node, name)
        return atom(t.stub(name))
    if name in _LIBRARIES:
        t.page_note(node, "jQuery")
        return atom(t.stub("jquery"))
    if name in ("localStorage", "sessionStorage"):
        raise Unsupported(f"a property of {name}", "Use getItem and setItem")
    if name == "Keyyo":
        t.need("from keyyo_cti import Keyyo")
        return atom("Keyyo")
    if name in NAMESPACES:
        raise Unsupported(f"{name} is not supported here")
    if node.binding.type & PAGE:
        t.page_note(node, name)
        return call(t.stub("missing"), quote(name))
    is_ours = name in ("cti", "call", "csi_token") or name.endswith(("_call", "_cti"))
    if not is_ours and not t.names.knows(node):
        t.note(node, name, "the source does not define it", "Define it, or import it")
    return atom(t.name_of(node.binding))


def _this(t: Translator, node: Node) -> Piece:
    owner = this_owner(node)
    if owner is None:
        raise Unsupported("this outside of a function is the page's window")
    if owner is t.function.this_owner and t.function.this is not None:
        return t.function.this
    raise Unsupported("what `this` is depends on the caller", "Pass the object as an argument")


def _array(t: Translator, node: Node) -> Piece:
    if has_holes(node):
        raise Unsupported("an array with holes")
    if len(node.kids) == 1 and node.kids[0].kind == "spread_element":
        values = iterable(t, node.kids[0].kids[0])
        return values if str(values).startswith("list(") else call("list", values)
    return sequence("[", [_element(t, kid) for kid in node.kids], "]")


def _element(t: Translator, node: Node) -> Piece:
    if node.kind == "spread_element":
        return spread(t, node)
    return wrap(t.expr(node), 1)


def _object(t: Translator, node: Node) -> Piece:
    given = [property_name(kid) for kid in node.kids]
    pairs = [_pair(t, kid, name) for kid, name in zip(node.kids, given)]
    names = [name for name in given if name is not None]
    if len(set(names)) < len(names):
        raise Unsupported("an object that names a property twice")
    if "__proto__" in names:
        raise Unsupported("__proto__ is not supported")
    return sequence("{", pairs, "}")


def _pair(t: Translator, node: Node, name: Optional[str]) -> Piece:
    if node.kind == "spread_element":
        return properties(t, node.kids[0])
    if node.kind == "method_definition":
        if {"get", "set"} & set(node.tokens) or name is None:
            raise Unsupported("getters and setters of an object are not supported")
        return join(f"{quote(name)}: ", t.expr(node))
    if node.kind == "shorthand_property_identifier":
        return join(f"{quote(node.text)}: ", _identifier(t, node))
    value = wrap(t.expr(node["value"]), 1)
    if name is not None:
        return join(f"{quote(name)}: ", value)
    key = node["key"]
    inner = key.kids[0]
    text = t.expr(inner) if not t.mask(inner) & ~STR else t.text(inner)
    return join(text, ": ", value)


def _undefined(t: Translator, node: Node) -> Piece:
    return atom("None")


EXPRESSIONS.update({
    "identifier": _identifier,
    "shorthand_property_identifier": _identifier,
    "number": _number,
    "undefined": _undefined,
    "null": _constant,
    "true": _constant,
    "false": _constant,
    "this": _this,
    "array": _array,
    "object": _object,
})
