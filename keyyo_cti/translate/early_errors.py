"""Errors of syntax that tree-sitter's grammar lets through."""

from __future__ import annotations

from typing import Callable, Dict, List, Optional

from .syntax import CLASSES, Node
from .tree import parameters


def mark_errors(program: Node) -> None:
    """Mark what JavaScript refuses as torn, so that its statement is refused."""
    for node in program.all():
        rule = _RULES.get(node.kind)
        if rule is not None and rule(node):
            node.torn = True
            walked: Optional[Node] = node
            while walked is not None and walked.parent is not None:
                walked.broken = True
                walked = walked.parent


def _calls_an_arrow(node: Node) -> bool:
    """True for ``x => {} ()``: such a function must stand in parentheses."""
    function = node["function"]
    return function.kind == "arrow_function" and function.start == node.start


def _mixes_defaults(node: Node) -> bool:
    """True for ``a ?? b || c``."""
    operator = node["operator"].kind
    if operator not in ("??", "||", "&&"):
        return False
    for kid, is_bare in (
        (node["left"], node["left"].start == node.start),
        (node["right"], node["right"].end == node.end),
    ):
        if is_bare and kid.kind == "binary_expression":
            other = kid["operator"].kind
            if other in ("??", "||", "&&") and (operator == "??") != (other == "??"):
                return True
    return False


def _has_odd_parameters(node: Node) -> bool:
    """True for a rest that is not last, and for a getter or a setter with other parameters."""
    given = parameters(node)
    if any(each.kind == "rest_pattern" for each in given[:-1]):
        return True
    if node.kind != "method_definition":
        return False
    return "get" in node.tokens and bool(given) or "set" in node.tokens and len(given) != 1


def _names_twice(node: Node) -> bool:
    """True for a class with two constructors, or two private fields of one name."""
    constructors = 0
    private: List[str] = []
    for each in node["body"].kids:
        name = each.get("name") or each.get("property")
        if name is None:
            continue
        constructors += each.kind == "method_definition" and (
            name.text == "constructor" and "static" not in each.tokens
        )
        if name.text.startswith("#") and not {"get", "set"} & set(each.tokens):
            private.append(name.text)
    return constructors > 1 or len(set(private)) < len(private)


def _is_unknown(node: Node) -> bool:
    """True for a private name that no class around declares."""
    walked = node.inside(CLASSES)
    while walked is not None:
        for each in walked["body"].kids:
            name = each.get("name") or each.get("property")
            if name is not None and name.text == node.text:
                return False
        walked = walked.inside(CLASSES)
    return True


def _declares_alone(node: Node) -> bool:
    """True for ``if (x) let y;``, whose declaration would end at once."""
    body = node.get("consequence") or node.get("body")
    return body is not None and (
        body.kind in ("lexical_declaration", "class_declaration")
        or body.kind == "function_declaration" and node.kind != "if_statement"
    )


def _begins_a_block(node: Node) -> bool:
    """True for ``{ a, b } = c;``: such a pattern must stand in parentheses."""
    return node.text.startswith("{")


_RULES: Dict[str, Callable[[Node], bool]] = {
    "call_expression": _calls_an_arrow,
    "binary_expression": _mixes_defaults,
    "class": _names_twice,
    "expression_statement": _begins_a_block,
    "class_declaration": _names_twice,
    "private_property_identifier": _is_unknown,
    **dict.fromkeys(
        ("method_definition", "function_declaration", "function_expression", "arrow_function"),
        _has_odd_parameters,
    ),
    **dict.fromkeys(
        ("if_statement", "while_statement", "for_statement", "for_in_statement"),
        _declares_alone,
    ),
}
