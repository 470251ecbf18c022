"""``Object.assign`` and ``$.extend``."""

from __future__ import annotations

from typing import Dict, List, Optional

from .arguments import properties
from .literals import quote
from .notes import Unsupported
from .pieces import Piece, join, method, sequence, wrap
from .syntax import Node
from .translator import Translator
from .tree import property_name
from .types import ERROR


def assign(t: Translator, node: Node, given: List[Node]) -> Piece:
    """Return a call of ``Object.assign``."""
    target, mask = given[0], t.mask(given[0])
    if target.kind == "object":
        parts = [properties(t, each) for each in given[1:]]
        if target.kids:
            parts.insert(0, join("**", t.expr(target)))
        return sequence("{", parts, "}")
    if t.world.only(mask, "dict"):
        values = _merged(t, given[1:])
        if _is_statement(node):
            return method(t.expr(target), "update", values)
        return t.helper("js_assign", t.expr(target), values)
    if t.world.only(mask, "instance", "record") or mask == ERROR:
        return _to_object(t, target, given[1:], mask)
    raise Unsupported("Object.assign to what may be no plain object")


def _is_statement(node: Node) -> bool:
    return node.parent is not None and node.parent.kind == "expression_statement"


def _merged(t: Translator, sources: List[Node]) -> Piece:
    if len(sources) == 1 and t.world.only(t.mask(sources[0]), "dict"):
        return t.expr(sources[0])
    return sequence("{", [properties(t, each) for each in sources], "}")


def _to_object(t: Translator, target: Node, sources: List[Node], mask: int) -> Piece:
    """Return what sets attributes, whose names may differ from those of JavaScript."""
    names: Dict[str, str] = {}
    for thing in t.world.of(mask):
        names.update((name, t.names.attribute(name)) for name in thing.fields)
    if any("message" in thing.fields for each in sources for thing in t.world.of(t.mask(each))):
        if mask == ERROR:
            raise Unsupported("the message of an exception that changes")
    literal = _literal(t, sources, names, mask)
    if literal is not None:
        return t.helper("js_assign", t.expr(target), literal)
    renamed = {name: python for name, python in names.items() if name != python}
    table = [join(f"{quote(name)}: {quote(python)}") for name, python in sorted(renamed.items())]
    extra = [sequence("{", table, "}")] if table else []
    return t.helper("js_assign", t.expr(target), _merged(t, sources), *extra)


def _literal(
    t: Translator, sources: List[Node], names: Dict[str, str], mask: int
) -> Optional[Piece]:
    """Return the properties of an object that stands there, by their names in Python."""
    if len(sources) != 1 or sources[0].kind != "object":
        return None
    pairs: List[Piece] = []
    for kid in sources[0].kids:
        name = property_name(kid)
        if name is None or kid.kind == "method_definition":
            return None
        value = wrap(t.expr(kid["value"]), 1) if kid.kind == "pair" else t.expr(kid)
        pairs.append(join(f"{quote(names.get(name, name))}: ", value))
    return sequence("{", pairs, "}")
