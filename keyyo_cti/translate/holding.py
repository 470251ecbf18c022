"""Places that an assignment reads and sets: JavaScript evaluates their parts once."""

from __future__ import annotations

from .notes import Unsupported
from .pieces import atom, join
from .syntax import Node
from .translator import Translator
from .tree import acts
from .truth import is_pure
from .types import PAGE


def hold(t: Translator, target: Node) -> None:
    """Write the parts of a place that must not be evaluated twice into variables."""
    for part in _parts(target):
        if not (is_simple(part) or id(part) in t.replaced or _is_lookup(part)):
            name = t.temporary()
            t.write(join(f"{name} = ", t.expr(part)))
            t.replaced[id(part)] = atom(name)


def check_repeatable(t: Translator, target: Node) -> None:
    """Refuse a place whose parts cannot be evaluated twice.

    :raises Unsupported: there is such a part.
    """
    for part in _parts(target):
        if not (is_simple(part) or id(part) in t.replaced or _is_lookup(part)):
            raise Unsupported("such an assignment is not supported")


def _parts(target: Node) -> "list[Node]":
    found = (target.get("object"), target.get("index"))
    return [part for part in found if part is not None]


def _is_lookup(node: Node) -> bool:
    """True for a call such as ``$("name")``, which finds the same each time."""
    return node.kind == "call_expression" and len(node["arguments"].kids) == 1 and (
        node["arguments"].kids[0].kind == "string" and bool(node.type & PAGE)
    )


_COMBINED = frozenset({
    "binary_expression", "ternary_expression", "subscript_expression", "member_expression",
    "unary_expression", "template_string", "template_substitution", "string_fragment",
    "property_identifier", "private_property_identifier", "escape_sequence",
})


def is_simple(node: Node) -> bool:
    """True if evaluating an expression twice does nothing but take time."""
    if node.kind in _COMBINED:
        return not acts(node) and all(map(is_simple, node.kids))
    return is_pure(node)
