"""Properties and elements that are set or deleted."""

from __future__ import annotations

from typing import Optional, Union

from . import keyyo
from .literals import quote
from .members import attribute_or_key, is_within, key_of
from .naming import legal_name
from .notes import Unsupported
from .pieces import Piece, atom, attribute, item, method
from .syntax import Node
from .translator import Translator
from .tree import literal_key
from .types import CALL, CTI, NONE, PAGE, STR, WHOLE, atoms


def target_of(t: Translator, node: Node) -> Optional[Piece]:
    """Return what stands left of ``=``, or None if a helper has to set it."""
    if node.kind == "identifier":
        binding = node.binding
        if binding.kind == "const" and binding.writes[0] is not node:
            raise Unsupported("a constant is assigned")
        return atom(t.written(binding))
    if node.kind == "member_expression":
        return _member_target(t, node)
    if node.kind == "subscript_expression":
        return _subscript_target(t, node)
    raise Unsupported("such an assignment is not supported")


def _member_target(t: Translator, node: Node) -> Optional[Piece]:
    if "optional_chain" in node.fields:
        raise Unsupported("such an assignment is not supported")
    target, name = node["object"], node["property"].text
    mask = t.mask(target) & ~NONE
    kinds, primitive = t.world.kinds(mask), atoms(mask)
    if target.kind == "identifier" and target.text in ("window", "self") and (
        target.is_free
    ):
        if name not in ("location", "title", "onload"):
            raise Unsupported(f"window.{name} is not supported", "Use a variable of the module")
    piece = t.expr(target)
    if kinds and not primitive and kinds <= {"instance", "record", "class"}:
        return attribute(piece, t.names.attribute(name))
    if kinds == {"dict"} and not primitive:
        return item(piece, quote(name))
    if kinds & {"array", "function", "map", "set"}:
        raise Unsupported(f"setting {name} is not supported")
    if primitive and not kinds and not primitive & ~(CTI | CALL | PAGE):
        if primitive == CTI and name not in keyyo.HANDLERS:
            raise Unsupported(f"a CTI has no attribute {name}", "Use a variable")
        return attribute(piece, legal_name(name))
    return None


def _subscript_target(t: Translator, node: Node) -> Optional[Piece]:
    target, key = node["object"], node["index"]
    mask = t.mask(target) & ~NONE
    kinds, primitive = t.world.kinds(mask), atoms(mask)
    piece = t.expr(target)
    name = literal_key(key)
    if kinds == {"dict"} and not primitive:
        return item(piece, quote(name) if name is not None else key_of(t, key))
    if kinds == {"array"} and not primitive and is_within(t, target, key):
        return item(piece, t.expr(key))
    if kinds == {"array"} and t.mask(key) & ~WHOLE:
        raise Unsupported("an element whose place may be no number")
    if kinds == {"array"} and key.text != f"{target.text}.length":
        note_holes(t, node)
    if name is not None and not name.isdigit() and kinds <= {"instance", "record"} and kinds:
        return attribute(piece, t.names.attribute(name))
    if primitive & STR:
        raise Unsupported("a character of a text is set")
    if primitive & PAGE or kinds & {"instance", "record", "map", "set", "function"}:
        raise Unsupported("a member whose name is computed", "Use setattr")
    return None


def note_holes(t: Translator, node: Node) -> None:
    """Note that an array may grow by more than one element."""
    t.note(
        node, "an array that grows by its index or its length",
        "JavaScript leaves holes in it, Python fills it with None",
        "Nothing, if no element is left out",
    )


def setter(t: Translator, node: Node, value: Piece) -> Piece:
    """Return a call that sets a property or an element, and returns the value."""
    piece = t.expr(node["object"])
    key: Union[str, Piece]
    if node.kind == "member_expression":
        key = quote(attribute_or_key(t, node["property"].text))
    else:
        key = t.expr(node["index"])
    return t.helper("js_set", piece, key, value)


def deletion(t: Translator, node: Node, is_used: bool = True) -> Piece:
    """Return ``delete`` of a property.

    :param is_used: True if the program uses its value, which is true in JavaScript.
    """
    if node.kind not in ("member_expression", "subscript_expression"):
        raise Unsupported("delete of a variable")
    mask = t.mask(node["object"])
    if not t.world.only(mask, "dict"):
        raise Unsupported("delete of something that may be no plain object")
    key: Union[str, Piece]
    if node.kind == "member_expression":
        key = quote(node["property"].text)
    else:
        key = key_of(t, node["index"])
    if is_used:
        return t.helper("js_delete", t.expr(node["object"]), key)
    return method(t.expr(node["object"]), "pop", key, "None")
