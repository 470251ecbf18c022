"""Loops that count."""

from __future__ import annotations

from typing import Any, Callable, List, Optional, Union

from .assignments import unpack
from .frames import Loop
from .layout import Line
from .pieces import SUM, Piece, atom, binary, call, join
from .scopes import Binding
from .syntax import Node
from .translator import Translator
from .types import ANY, STR, WHOLE


def condition_of(node: Node) -> Optional[Node]:
    """Return the condition of a ``for``, or None."""
    test = node["condition"]
    return None if test.kind in ("empty_statement", ";") else test


class _Count:
    """A loop that counts.

    :ivar last: the node that the variable is compared with.
    """

    def __init__(
        self, binding: Binding, first: Node, last: Node, operator: str, step: int
    ) -> None:
        self.binding = binding
        self.first = first
        self.last = last
        self.operator = operator
        self.step = step


def write_counting(t: Translator, node: Node) -> bool:
    """Write a loop as ``for i in range(...)`` if it is one."""
    count = _count_of(node)
    if count is None or not _is_countable(t, node, count):
        return False
    name = t.written(count.binding)
    values = _range(t, count)
    if values is None:
        return False
    last = count.last
    loop = Loop(node)
    if count.step == 1 and count.operator == "<" and count.first.text == "0" and (
        last.kind == "member_expression" and last["property"].text == "length"
        and last["object"].kind == "identifier"
    ):
        node.info = ("bounded", count.binding, last["object"].binding)
    try:
        body = loop_body(t, loop, node["body"], [])
    finally:
        node.info = None
    t.block(join(f"for {name} in ", values), body)
    return True


def _count_of(node: Node) -> Optional[_Count]:
    initializer, compared = node["initializer"], condition_of(node)
    step = _step(node.get("increment"))
    found = _beginning(initializer)
    if found is None or compared is None or step is None:
        return None
    binding, first = found
    if compared.kind != "binary_expression" or compared["left"].binding is not binding:
        return None
    operator = compared["operator"].kind
    if operator not in (("<", "<=") if step[1] > 0 else (">", ">=")) or step[0] is not binding:
        return None
    return _Count(binding, first, compared["right"], operator, step[1])


def _beginning(initializer: Node) -> "Optional[tuple[Binding, Node]]":
    """Return the variable that the first part of a ``for`` sets, and its value."""
    if initializer.kind == "assignment_expression":
        target, value = initializer["left"], initializer["right"]
    elif initializer.kind in ("lexical_declaration", "variable_declaration") and (
        len(initializer.kids) == 1 and "value" in initializer.kids[0].fields
    ):
        target, value = initializer.kids[0]["name"], initializer.kids[0]["value"]
    else:
        return None
    return (target.binding, value) if target.kind == "identifier" else None


def _step(node: Optional[Node]) -> "Optional[tuple[Optional[Binding], int]]":
    if node is None:
        return None
    if node.kind == "update_expression":
        return node["argument"].binding, 1 if node["operator"].kind == "++" else -1
    if node.kind == "augmented_assignment_expression" and node["right"].text.isdigit():
        number = int(node["right"].text)
        if node["operator"].kind in ("+=", "-=") and number:
            return node["left"].binding, number if node["operator"].kind == "+=" else -number
    return None


def _is_countable(t: Translator, node: Node, count: _Count) -> bool:
    """True if only the loop changes the variable and the bound, and nothing reads it later."""
    binding = count.binding
    if binding.type & ~WHOLE or sum(_is_in(node, each) for each in binding.writes) != 2:
        return False
    if binding.kind not in ("let", "const") and any(binding.captures()):
        return False  # A function sees the value behind the last one.
    if not all(_is_counted(binding, each) for each in binding.reads + binding.writes):
        return False
    return _is_constant(t, node, count.last) and not t.mask(count.first) & ~WHOLE


def _is_in(node: Node, inner: Node) -> bool:
    return node.start <= inner.start < node.end


def _is_counted(binding: Binding, node: Node) -> bool:
    """True if a loop around the node sets the variable at its beginning."""
    loop = node.inside(("for_statement",))
    while loop is not None:
        found = _beginning(loop["initializer"])
        if found is not None and found[0] is binding:
            return True
        loop = loop.inside(("for_statement",))
    return False


def _is_constant(t: Translator, loop: Node, bound: Node) -> bool:
    if t.mask(bound) & ~WHOLE:
        return False
    if bound.kind == "number":
        return True
    if bound.kind == "binary_expression":
        return _is_constant(t, loop, bound["left"]) and _is_constant(t, loop, bound["right"])
    if bound.kind == "identifier":
        return not _changes(loop, bound.binding)
    if bound.kind == "member_expression" and bound["property"].text == "length":
        owner = bound["object"]
        if owner.kind != "identifier" or _changes(loop, owner.binding):
            return False
        return not t.mask(owner) & ~STR or not _resizes(t, loop, owner)
    return False


def _changes(loop: Node, binding: Binding) -> bool:
    """True if the variable may change while the loop runs."""
    if any(loop["body"].start <= write.start < loop["body"].end for write in binding.writes):
        return True
    elsewhere = [
        write for write in binding.writes if write.scope.function is not binding.owner
    ]
    return bool(elsewhere) and any(
        each.kind == "call_expression" for each in loop["body"].walk()
    )


_RESIZING = frozenset({"push", "pop", "shift", "unshift", "splice", "length", "fill"})


def _resizes(t: Translator, loop: Node, array: Node) -> bool:
    """True if the array may get longer or shorter while the loop runs."""
    for node in loop["body"].walk():
        if node.kind == "member_expression" and node["property"].text in _RESIZING:
            parent = node.parent
            is_read = node["property"].text == "length" and not (
                parent is not None and parent.get("left") is node
            )
            if not is_read and node["object"].type & array.type:
                return True
        elif node.kind == "call_expression":
            if any(thing.kind == "function" for thing in t.world.of(node["function"].type)):
                return True
        elif node.kind == "assignment_expression" and node["left"].kind == "subscript_expression":
            if node["left"]["object"].type & array.type and not (
                node["left"]["index"].kind == "identifier"
            ):
                return True
    return False


def _range(t: Translator, count: _Count) -> Optional[Piece]:
    first, last = t.expr(count.first), t.expr(count.last)
    end: Union[Piece, str] = last
    if count.operator == "<=":
        end = atom(str(int(str(last)) + 1)) if str(last).isdigit() else (
            binary(last, "+", atom("1"), SUM)
        )
    elif count.operator == ">=":
        end = atom(str(int(str(last)) - 1)) if str(last).isdigit() else (
            binary(last, "-", atom("1"), SUM)
        )
    if count.step != 1:
        return call("range", first, end, str(count.step))
    if str(first) == "0":
        return call("range", end)
    return call("range", first, end)


def write_prelude(
    t: Translator, prelude: List[Any], mask_of: Callable[[Translator, Node], int]
) -> None:
    """Write the assignment that unpacks what a loop takes, if there is one.

    :param prelude: the pattern and the name of what it takes apart; or nothing.
    :param mask_of: returns the mask of what it takes apart.
    """
    if prelude:
        target, name = prelude
        assert isinstance(target, Node)
        unpack(t, target, atom(str(name)), mask_of(t, target), target)


def loop_body(t: Translator, loop: Loop, body: Node, prelude: List[Any]) -> List[Line]:
    t.function.loops.append(loop)
    try:
        def write() -> None:
            write_prelude(t, prelude, _element_mask)
            t.statements(body.kids if body.kind == "statement_block" else [body])
        return t.collect(write)
    finally:
        t.function.loops.pop()


def _element_mask(t: Translator, target: Node) -> int:
    parent = target.parent
    if parent is not None and parent.kind == "array_pattern":
        loop = parent.parent
        source = loop["right"] if loop is not None and "right" in loop.fields else None
        if source is not None and t.world.only(source.type, "map"):
            found = 0
            for thing in t.world.of(source.type):
                found |= thing.others
            return found or ANY
        return ANY
    if parent is not None and parent.kind == "for_in_statement":
        return t.inference.elements(parent["right"].type) or ANY
    return ANY
