"""``switch``."""

from __future__ import annotations

from typing import List, Tuple

from .comparisons import compares_alike, is_identity
from .frames import Loop
from .layout import Line
from .notes import Unsupported
from .pieces import COMPARISON, Piece, atom, binary, join, wrap
from .syntax import CLASSES, FUNCTIONS, LOOPS, Node
from .translator import STATEMENTS, Translator
from .tree import ends
from .truth import is_pure


def _switch(t: Translator, node: Node) -> None:
    cases = [kid for kid in node["body"].kids if kid.kind in ("switch_case", "switch_default")]
    groups = _grouped(cases)
    value = node["value"]
    subject: Node = value
    saved = dict(t.replaced)
    if not is_pure(value):
        name = t.temporary("subject")
        t.write(join(f"{name} = ", t.expr(value)))
        t.replaced[id(value)] = atom(name)
    loop = Loop(node, is_switch=True, is_round=_is_left_inside(groups))
    t.function.loops.append(loop)
    try:
        lines = t.collect(lambda: _write_cases(t, groups, subject))
    finally:
        t.function.loops.pop()
        t.replaced = saved
    if loop.is_round:
        t.block("while True", [*lines, Line("break")]).comment = "one round, which break leaves"
    else:
        t.out.extend(lines)


#: A group of cases, and the statements that they run.
_Group = Tuple[List[Node], List[Node]]

#: More statements are not written twice where a case falls through.
_MAX_TWICE = 8


def _grouped(cases: List[Node]) -> List[_Group]:
    """Return the cases that share a body, in order; the default stands last."""
    groups: List[_Group] = []
    pending: List[Node] = []
    for index, case in enumerate(cases):
        pending.append(case)
        if _case_body(case) or index == len(cases) - 1:
            groups.append((pending, _from_here(cases[index:])))
            pending = []
    default = [group for group in groups if _is_default(group)]
    rest = [group for group in groups if not _is_default(group)]
    return rest + default


def _is_default(group: _Group) -> bool:
    return any(each.kind == "switch_default" for each in group[0])


def _from_here(cases: List[Node]) -> List[Node]:
    """Return what a case runs: its own statements, and those that it falls through into."""
    own = _case_body(cases[0])
    found, body, rest = list(own), own, list(cases[1:])
    while rest and not (body and _leaves(body)):
        body = _case_body(rest.pop(0))
        found += body
    again = [each for each in found[len(own):] if each.kind != "comment"]
    if len(again) > _MAX_TWICE or any(
        each.kind in FUNCTIONS or each.kind in CLASSES for node in again for each in node.walk()
    ):
        raise Unsupported("a case that falls through into the next")
    while found and found[-1].kind == "comment":
        found.pop()
    if found and found[-1].kind == "break_statement" and not found[-1].kids:
        found.pop()
    return found


def _is_left_inside(groups: List[_Group]) -> bool:
    """True if a ``break`` in the middle of a case leaves the switch."""
    stack = [node for group in groups for node in group[1]]
    while stack:
        node = stack.pop()
        if node.kind == "break_statement" and not node.kids:
            return True
        if node.kind not in FUNCTIONS | LOOPS | {"switch_statement"}:
            stack.extend(node.kids)
    return False


def _case_body(case: Node) -> List[Node]:
    value = case.get("value")
    body = [kid for kid in case.kids if kid is not value and kid.kind != "empty_statement"]
    if all(each.kind == "comment" for each in body):
        return []
    if len(body) == 1 and body[0].kind == "statement_block":
        return body[0].kids
    return body


def _leaves(body: List[Node]) -> bool:
    last = [each for each in body if each.kind != "comment"][-1]
    if last.kind in ("break_statement", "continue_statement"):
        return True
    return ends(last)


def _write_cases(t: Translator, groups: List[_Group], subject: Node) -> None:
    word = "if "
    for cases, statements in groups:
        body = t.collect(lambda: t.statements(statements))
        if _is_default((cases, statements)):
            if word == "if ":
                t.out.extend(body)
            elif body:
                t.block("else", body)
            return
        tests = [_case_test(t, each, subject) for each in cases]
        test = tests[0]
        for each in tests[1:]:
            test = join(test, " or ", each, precedence=3)
        t.block(join(word, test), body)
        word = "elif "


def _case_test(t: Translator, case: Node, subject: Node) -> Piece:
    value = case["value"]
    a, b = t.mask(subject), t.mask(value)
    if value.kind in ("null", "undefined"):
        return binary(t.expr(subject), "is", atom("None"), COMPARISON)
    if subject.kind == "true":
        if b & ~4:
            raise Unsupported("switch (true) with something that is no condition")
        return wrap(t.expr(value), 4)
    if is_identity(t, a, b) or not compares_alike(t, a, b, False):
        return t.helper("js_same", t.expr(subject), t.expr(value))
    return binary(t.expr(subject), "==", t.expr(value), COMPARISON)


STATEMENTS["switch_statement"] = _switch
