"""``await`` before a parenthesis, which the grammar takes for a call in some places."""

from __future__ import annotations

from .syntax import FUNCTIONS, Node


def repair_await(name: Node) -> bool:
    """Make an ``await`` of ``await (x).y()``; False if the name is no such one.

    :param name: an identifier ``await``.
    """
    call = name.parent
    function = name.inside(FUNCTIONS)
    if call is None or call.get("function") is not name or call.parent is None or (
        function is None or "async" not in function.tokens
    ):
        return False
    given = call["arguments"].kids
    if len(given) != 1:
        return False
    top = _end_of_chain(call)
    if top is call:
        call.kind, call.kids, call.fields = "await_expression", given, {}
        given[0].parent = call
        return True
    call.parent.replace(call, given[0])
    outer = top.parent
    assert outer is not None
    call.kind, call.kids, call.fields = "await_expression", [top], {}
    outer.replace(top, call)
    top.parent = call
    return True


def _end_of_chain(node: Node) -> Node:
    """Return the last of the members and calls that follow an expression."""
    parent = node.parent
    while parent is not None and node in (parent.get("object"), parent.get("function")):
        node, parent = parent, parent.parent
    return node
