"""Methods of maps and sets, which are dicts."""

from __future__ import annotations

from typing import List

from .arguments import pairs_of
from .notes import Unsupported
from .pieces import COMPARISON, Piece, binary, call, method
from .syntax import Node
from .translator import Translator
from .tree import owner_of
from .types import ANY, BOOL, DATE

#: Methods whose first argument is a key.
KEYED = frozenset({"set", "add", "get", "has", "delete"})


def check_key(t: Translator, mask: int) -> None:
    """Refuse keys that Python cannot hold, or takes for others."""
    if t.world.kinds(mask) & {"array", "dict", "map", "set"} or mask & DATE:
        raise Unsupported("a map or set that holds objects", "Use their ids")
    if mask & BOOL and not mask & ANY:
        raise Unsupported("a map or set that holds true or false, which Python takes for 1 and 0")


def map_method(
    t: Translator, node: Node, target: Piece, name: str, arguments: List[Node]
) -> Piece:
    """Return a call of the method of a Map or a Set, which are dicts."""
    given = [t.expr(each) for each in arguments]
    parent = node.parent
    is_statement = parent is not None and parent.kind == "expression_statement"
    is_set = t.world.only(t.mask(owner_of(node)), "set")
    if name in ("set", "add") and given:
        return t.helper("js_put", target, *given)
    if name == "get":
        return method(target, "get", *given)
    if name == "has":
        return binary(given[0], "in", target, COMPARISON)
    if name == "delete":
        if is_statement:
            return method(target, "pop", given[0], "None")
        return t.helper("js_discard", target, *given)
    if name == "clear":
        return method(target, "clear")
    if name == "keys" or (name == "values" and is_set):
        return call("list", target)
    if name == "values":
        return call("list", method(target, "values"))
    if name == "entries" and not is_set:
        return pairs_of(target)
    raise Unsupported(f"{name} of a map or set is not supported here")
