"""``break``, ``continue`` and labels."""

from __future__ import annotations

from typing import List

from .frames import Loop
from .layout import Line
from .naming import snake
from .notes import Unsupported
from .syntax import LOOPS, Node
from .translator import STATEMENTS, Statement, Translator


def inner_loops(t: Translator) -> List[Loop]:
    """Return the loops of Python around a statement, outermost first."""
    return [loop for loop in t.function.loops if loop.is_round or not loop.is_switch]


def _break(t: Translator, node: Node) -> None:
    if node.kids:
        _jump(t, node, "break")
        return
    loops = t.function.loops
    if not loops or (loops[-1].is_switch and not loops[-1].is_round):
        raise Unsupported("break in the middle of a case")
    if loops[-1].is_callback or loops[-1].node.kind == "statement_block":
        raise Unsupported("break outside of a loop, or out of a block with a label")
    t.write("break")


def _continue(t: Translator, node: Node) -> None:
    if node.kids:
        _jump(t, node, "continue")
        return
    loops = inner_loops(t)
    if not loops or loops[-1].is_callback:
        raise Unsupported("continue outside of a loop")
    if loops[-1].is_round:
        raise Unsupported("continue in what break leaves in the middle")
    _go_on(t, node, loops[-1])


def _go_on(t: Translator, node: Node, loop: Loop) -> None:
    if loop.update is not None:
        _check_finally(node, loop.node)
        loop.update()
    t.write("continue")


def _jump(t: Translator, node: Node, verb: str) -> None:
    """Leave, or begin again, the loop of a label: a flag tells the loops between."""
    label = node.kids[0].text
    loops = inner_loops(t)
    between: List[Loop] = []
    while loops and not _has_label(loops[-1], label):
        between.append(loops.pop())
    if not loops or any(each.is_callback or each.is_round for each in between):
        raise Unsupported("such a label is not supported", "Make a function of the loop")
    if not between:
        if verb == "break":
            t.write("break")
        else:
            _go_on(t, node, loops[-1])
        return
    exits = t.exits[id(between[-1].node)]
    flag = next((name for name, jump in exits.items() if jump.text == node.text), None)
    flag = flag or t.names.fresh(f"{snake(label)}_{'left' if verb == 'break' else 'goes_on'}")
    for each in between:
        t.exits[id(each.node)][flag] = node
    t.write(f"{flag} = True")
    t.write("break")


def _has_label(loop: Loop, label: str) -> bool:
    parent = loop.node.parent
    return parent is not None and parent.kind == "labeled_statement" and (
        parent["label"].text == label
    )


def _with_exits(rule: Statement) -> Statement:
    """Return the rule of a loop that also does what the labels in it ask for."""
    def write(t: Translator, node: Node) -> None:
        place = len(t.out)
        t.exits[id(node)] = {}
        rule(t, node)
        for flag, jump in t.exits.pop(id(node)).items():
            outer = inner_loops(t)[-1]
            is_last = _has_label(outer, jump.kids[0].text)
            if is_last:
                t.out.insert(place, Line(f"{flag} = False"))
            leaves = jump.kind == "break_statement" or not is_last
            t.block(f"if {flag}", t.collect(
                lambda: _leave(t, jump, outer, leaves)
            ))
    return write


def _leave(t: Translator, node: Node, loop: Loop, leaves: bool) -> None:
    if leaves:
        t.write("break")
    else:
        _go_on(t, node, loop)


def _check_finally(node: Node, loop: Node) -> None:
    """Refuse what would run the step of a loop before a ``finally`` in it.

    :raises Unsupported: there is one between the statement and its loop.
    """
    inner = node.inside(("try_statement",))
    while inner is not None and inner.start > loop.start:
        if "finalizer" in inner.fields:
            raise Unsupported("continue out of a try with finally", "Write a while loop")
        inner = inner.inside(("try_statement",))


def _labeled(t: Translator, node: Node) -> None:
    label, body = node["label"].text, node["body"]
    is_left = body.kind not in LOOPS and any(
        each.kind == "break_statement" and each.kids and each.kids[0].text == label
        for each in node.walk()
    )
    if not is_left:
        t.statement(body)
        return
    if body.kind != "statement_block":
        raise Unsupported("such a label is not supported", "Put a block behind it")
    t.function.loops.append(Loop(body, is_round=True))
    try:
        lines = t.body(body)
    finally:
        t.function.loops.pop()
    if not lines or lines[-1].text != "break":
        lines.append(Line("break"))
    t.block("while True", lines).comment = "one round, which break leaves"


def install() -> None:
    """Register the rules, once those of the loops are there."""
    STATEMENTS.update({
        "break_statement": _break, "continue_statement": _continue, "labeled_statement": _labeled,
        **{kind: _with_exits(STATEMENTS[kind]) for kind in LOOPS},
    })
