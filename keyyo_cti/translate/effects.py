"""Expressions that are written for their effects."""

from __future__ import annotations

from typing import Callable, Dict

from .pieces import COMPARISON, atom, binary, join
from .syntax import Node, broken
from .targets import deletion
from .translator import Translator
from .truth import condition, inverse

#: By the kind of an expression; modules that build on this one add to it.
EFFECTS: Dict[str, Callable[[Translator, Node], None]] = {}


def expression_statement(t: Translator, node: Node) -> None:
    """Write an expression for its effects."""
    if node.broken:
        raise broken()
    rule = EFFECTS.get(node.kind)
    if rule is not None:
        rule(t, node)
    elif node.kind == "binary_expression" and node["operator"].kind in ("&&", "||", "??"):
        _conditional(t, node)
    elif node.kind == "unary_expression" and node["operator"].kind in ("void", "!") and (
        node["argument"].kind == "call_expression"
    ):
        expression_statement(t, node["argument"])
    elif node.kind == "unary_expression" and node["operator"].kind == "delete":
        t.write(deletion(t, node["argument"], is_used=False))
    elif node.kind != "string":  # "use strict"
        t.write(t.expr(node))


def _each(t: Translator, node: Node) -> None:
    for kid in node.kids:
        expression_statement(t, kid)


def _either(t: Translator, node: Node) -> None:
    body = t.collect(lambda: expression_statement(t, node["consequence"]))
    test = condition(t, node["condition"])
    t.block(join("if ", test), body)
    t.block("else", t.collect(lambda: expression_statement(t, node["alternative"])))


def _conditional(t: Translator, node: Node) -> None:
    operator = node["operator"].kind
    if operator == "??":
        test = binary(t.expr(node["left"]), "is", atom("None"), COMPARISON)
    else:
        test = condition(t, node["left"])
        test = inverse(test) if operator == "||" else test
    t.block(join("if ", test), t.collect(lambda: expression_statement(t, node["right"])))


EFFECTS.update({"sequence_expression": _each, "ternary_expression": _either})
