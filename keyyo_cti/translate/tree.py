"""Questions that several passes ask of the syntax tree."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

from .literals import number, unescape
from .syntax import FUNCTIONS, Node
from .types import PAGE

#: Expressions that set a variable or a property.
SETTERS = frozenset({
    "assignment_expression", "augmented_assignment_expression", "update_expression",
})

_ACTS = SETTERS | {"call_expression", "new_expression", "await_expression"}


def acts(node: Node) -> bool:
    """True if an expression may do something beside having a value."""
    if node.kind in FUNCTIONS:
        return False
    return node.kind in _ACTS or any(map(acts, node.kids))


def this_owner(node: Node) -> Optional[Node]:
    """Return the function or field whose ``this`` a node sees."""
    owner = node.parent
    while owner is not None:
        if owner.kind in FUNCTIONS and owner.kind != "arrow_function":
            return owner
        if owner.kind in ("field_definition", "class_static_block"):
            return owner
        owner = owner.parent
    return None


def parameters(node: Node) -> List[Node]:
    """Return the parameters of a function."""
    single = node.get("parameter")
    if single is not None:
        return [single]
    given = node.get("parameters")
    return given.kids if given is not None else []


def ends(body: Node) -> bool:
    """True if control never reaches the end of a block."""
    statements = [kid for kid in body.kids if kid.kind != "comment"]
    if body.kind != "statement_block":
        statements = [body]
    if not statements:
        return False
    last = statements[-1]
    if last.kind in ("return_statement", "throw_statement"):
        return True
    if last.kind == "statement_block":
        return ends(last)
    if last.kind == "if_statement" and "alternative" in last.fields:
        return ends(last["consequence"]) and ends(last["alternative"].kids[0])
    if last.kind == "try_statement":
        handler = last.get("handler")
        return ends(last["body"]) and (handler is None or ends(handler["body"]))
    return False


def literal_key(node: Node) -> Optional[str]:
    """Return the property that a literal names, or None."""
    if node.kind == "string":
        return string_value(node)
    if node.kind == "number" and node.text.isdigit():
        return str(int(node.text))
    return None


def string_value(node: Node) -> str:
    """Return the value of a string literal, or of the fixed parts of a template."""
    return unescape(node.text[1:-1])


def places(pattern: Node) -> List[int]:
    """Return the place of each element of a pattern, such as 1 and 2 in ``[, a, b]``."""
    return [
        _without_comments(pattern, pattern.start + 1, kid.start, pattern.kids).count(",")
        for kid in pattern.kids
    ]


def has_holes(node: Node) -> bool:
    """True for an array or a pattern such as ``[a, , b]``."""
    if not node.broken and node.tokens.count(",") == max(0, len(node.kids) - 1):
        return False
    at = node.start + 1
    for index, kid in enumerate(node.kids):
        between = _without_comments(node, at, kid.start)
        if between.count(",") != (1 if index else 0):
            return True
        at = kid.end
    return _without_comments(node, at, node.end).count(",") > (1 if node.kids else 0)


def _without_comments(
    node: Node, start: int, end: int, others: Sequence[Node] = ()
) -> str:
    data = node.source
    for comment in [*node.comments, *others]:
        if start <= comment.start and comment.end <= end:
            data = data[:comment.start] + b" " * (comment.end - comment.start) + data[comment.end:]
    return data[start:end].decode("utf-8", "replace")


def property_name(node: Node) -> Optional[str]:
    """Return the fixed name of a property of an object literal, or None."""
    if node.kind == "pair":
        key = node["key"]
        if key.kind == "property_identifier":
            return key.text
        if key.kind == "string":
            return string_value(key)
        if key.kind == "number":
            return number(key.text)
    if node.kind == "shorthand_property_identifier":
        return node.text
    if node.kind == "method_definition":
        return node["name"].text
    return None


def single_expression(node: Node) -> Optional[Tuple[Node, bool]]:
    """Return the only expression of a function, and True if the function returns it."""
    body = node["body"]
    if body.kind != "statement_block":
        return body, True
    if len(body.kids) != 1 or body.comments:
        return None
    only = body.kids[0]
    if only.kind == "return_statement" and only.kids:
        return only.kids[0], True
    if only.kind == "expression_statement" and only.kids:
        return only.kids[0], False
    return None


def regex_literal(node: Node) -> Optional[Tuple[str, str]]:
    """Return the text and the flags of a regular expression that the source writes, or None."""
    if node.kind == "regex":
        flags = node["flags"].text if "flags" in node.fields else ""
        return node["pattern"].text if "pattern" in node.fields else "", flags
    if node.kind == "new_expression" and node["constructor"].text == "RegExp":
        given = node["arguments"].kids if "arguments" in node.fields else []
        if given and all(each.kind == "string" for each in given):
            return string_value(given[0]), string_value(given[1]) if len(given) > 1 else ""
    if node.kind == "identifier" and len(node.binding.writes) == 1:
        declared = node.binding.writes[0].parent
        if declared is not None and declared.kind == "variable_declarator":
            value = declared.get("value")
            return regex_literal(value) if value is not None and value is not node else None
    return None


def is_borrowed_slice(node: Node) -> bool:
    """True for ``Array.prototype.slice`` and ``[].slice``."""
    return node.kind == "member_expression" and node.text in (
        "Array.prototype.slice", "[].slice"
    )


def is_extend(node: Node) -> bool:
    """True for ``$.extend({}, defaults, settings)``, which is ``Object.assign``."""
    function, given = node["function"], node["arguments"].kids
    target = function["object"]
    return target.text in ("$", "jQuery") and bool(target.type & PAGE) and (
        function["property"].text == "extend" and len(given) > 1
    )


def owner_of(node: Node) -> Node:
    return node["function"]["object"]
