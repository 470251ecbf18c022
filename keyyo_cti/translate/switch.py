"""``switch``."""

from __future__ import annotations

from typing import List

from .comparisons import compares_alike, is_identity
from .frames import Loop
from .notes import Unsupported
from .pieces import COMPARISON, Piece, atom, binary, join, wrap
from .syntax import Node
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
    loop = Loop(node, is_switch=True)
    t.function.loops.append(loop)
    try:
        _write_cases(t, groups, subject)
    finally:
        t.function.loops.pop()
        t.replaced = saved


def _grouped(cases: List[Node]) -> List[List[Node]]:
    """Return the cases that share a body, in order; the default stands last."""
    groups: List[List[Node]] = []
    pending: List[Node] = []
    for index, case in enumerate(cases):
        pending.append(case)
        body = _case_body(case)
        if not body and index < len(cases) - 1:
            continue
        if index < len(cases) - 1 and not _leaves(body):
            raise Unsupported("a case that falls through into the next")
        groups.append(pending)
        pending = []
    if pending:
        groups.append(pending)
    default = [group for group in groups if any(each.kind == "switch_default" for each in group)]
    rest = [group for group in groups if group not in default]
    return rest + default


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


def _write_cases(t: Translator, groups: List[List[Node]], subject: Node) -> None:
    word = "if "
    for group in groups:
        is_default = any(each.kind == "switch_default" for each in group)
        body = t.collect(lambda: _write_case(t, group[-1]))
        if is_default:
            if word == "if ":
                t.out.extend(body)
            elif body:
                t.block("else", body)
            return
        tests = [_case_test(t, each, subject) for each in group]
        test = tests[0]
        for each in tests[1:]:
            test = join(test, " or ", each, precedence=3)
        t.block(join(word, test), body)
        word = "elif "


def _write_case(t: Translator, case: Node) -> None:
    body = list(_case_body(case))
    while body and body[-1].kind == "comment":
        body.pop()
    if body and body[-1].kind == "break_statement" and not body[-1].kids:
        body.pop()
    t.statements(body)


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
