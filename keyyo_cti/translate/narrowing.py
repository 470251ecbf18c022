"""What a condition says of the variables in it: inside of ``if (err)``, ``err`` is no null."""

from __future__ import annotations

from typing import List, Optional, Tuple

from .scopes import Binding
from .syntax import Node
from .tree import ends, parameters
from .types import ERR

#: Variables that are not None, and such that are.
Facts = Tuple[List[Binding], List[Binding]]


def facts(node: Node, holds: bool) -> Facts:
    """Return what is known of variables if a condition is true, or if it is false."""
    kind = node.kind
    if kind == "identifier" and _is_steady(node.binding):
        return _of_truth(node.binding, holds)
    if kind == "unary_expression" and node["operator"].kind == "!":
        return facts(node["argument"], not holds)
    if kind == "binary_expression":
        operator = node["operator"].kind
        if operator == ("&&" if holds else "||"):
            one, other = facts(node["left"], holds), facts(node["right"], holds)
            return one[0] + other[0], one[1] + other[1]
        if operator in ("===", "!==", "==", "!="):
            return _of_comparison(node, holds == operator.startswith("="))
    if kind == "member_expression" and holds and "optional_chain" not in node.fields:
        return facts(node["object"], True)
    return [], []


def _of_truth(binding: Binding, holds: bool) -> Facts:
    if holds:
        return [binding], []
    sibling = result_of(binding)
    return ([sibling], []) if sibling is not None else ([], [])


def _of_comparison(node: Node, equal: bool) -> Facts:
    for one, other in ((node["left"], node["right"]), (node["right"], node["left"])):
        if one.kind == "identifier" and other.kind in ("null", "undefined"):
            if _is_steady(one.binding) and not equal:
                return [one.binding], []
    return [], []


def _is_steady(binding: Optional[Binding]) -> bool:
    """True if nothing changes the variable once it has its value."""
    return binding is not None and len(binding.writes) == 1


def result_of(binding: Binding) -> Optional[Binding]:
    """Return the ``res`` beside an ``err`` of a callback of Keyyo's: exactly one is set."""
    if binding.kind != "param" or not binding.type & ERR or binding.owner is None:
        return None
    given = parameters(binding.owner)
    if len(given) < 2 or given[0].binding is not binding or given[1].kind != "identifier":
        return None
    return given[1].binding if _is_steady(given[1].binding) else None


def after(node: Node) -> List[Binding]:
    """Return the variables that are not None behind a statement such as ``if (err) return;``."""
    if node.kind == "if_statement" and "alternative" not in node.fields:
        if ends(node["consequence"]):
            return facts(node["condition"], False)[0]
    return []
