"""Loops, and callbacks that become loops."""

from __future__ import annotations

from typing import Any, List, Optional

from .arguments import has_plain_order, iterable
from .counting import condition_of, loop_body, write_counting
from .effects import expression_statement
from .frames import Loop
from .notes import Unsupported
from .pieces import Piece, atom, call, join, method
from .syntax import Node, check_whole
from .translator import STATEMENTS, Translator
from .tree import ends
from .truth import condition, inverse
from .types import CALL, RES


def _for_in(t: Translator, node: Node) -> None:
    if "await" in node.tokens:
        raise Unsupported("for await is not supported")
    target, source = node["left"], node["right"]
    is_of = node["operator"].kind == "of"
    if is_of:
        values, pair = iterable_pairs(t, source, target)
    else:
        values, pair = _names(t, node, source), None
    name, prelude = _loop_target(t, target, pair)
    if pair is not None and "/" in pair:
        name, prelude = _nested_pair(t, target)
    body = loop_body(t, Loop(node), node["body"], prelude)
    t.block(join(f"for {name} in ", values), body)


def _loop_target(
    t: Translator, target: Node, pair: Optional[str]
) -> "tuple[str, List[Any]]":
    if pair is not None:
        return pair, []
    if target.kind == "identifier":
        return t.written(target.binding), []
    if target.kind in ("array_pattern", "object_pattern"):
        name = t.temporary("each")
        return name, [target, name]
    raise Unsupported("such a loop is not supported")


def _nested_pair(t: Translator, target: Node) -> "tuple[str, List[Any]]":
    """Return the target of a loop over pairs whose second element is a pattern."""
    name = t.temporary("each")
    return f"{t.written(target.kids[0].binding)}, {name}", [target.kids[1], name]


def iterable_pairs(
    t: Translator, source: Node, target: Node
) -> "tuple[Piece, Optional[str]]":
    """Return what a loop runs over, and two names if it runs over pairs."""
    if target.kind == "array_pattern" and len(target.kids) == 2 and (
        target.kids[0].kind == "identifier"
        and target.kids[1].kind in ("identifier", "object_pattern")
    ) and target.tokens.count(",") == 1:
        is_nested = target.kids[1].kind == "object_pattern"
        names = "/" if is_nested else ", ".join(t.written(each.binding) for each in target.kids)
        found = _pairs(t, source)
        if found is not None:
            return found, names
    return iterable(t, source), None


def _pairs(t: Translator, source: Node) -> Optional[Piece]:
    mask = t.mask(source)
    if t.world.only(mask, "map"):
        return call("list", method(t.expr(source), "items"))
    if source.kind != "call_expression" or source["function"].kind != "member_expression":
        return None
    function = source["function"]
    name, owner = function["property"].text, function["object"]
    if name == "entries" and owner.text == "Object" and len(source["arguments"].kids) == 1:
        inner = source["arguments"].kids[0]
        if t.world.only(t.mask(inner), "dict"):
            if has_plain_order(t, t.mask(inner)):
                return call("list", method(t.expr(inner), "items"))
            return t.helper("js_items", t.expr(inner))
    if name == "entries" and not source["arguments"].kids:
        if t.world.only(t.mask(owner), "array"):
            return call("enumerate", t.expr(owner))
        if t.world.only(t.mask(owner), "map"):
            return call("list", method(t.expr(owner), "items"))
    return None


def _names(t: Translator, node: Node, source: Node) -> Piece:
    mask = t.mask(source)
    piece = t.expr(source)
    if t.world.only(mask, "dict") and has_plain_order(t, mask):
        changes = any(
            each.kind in ("assignment_expression", "augmented_assignment_expression",
                          "unary_expression", "call_expression")
            for each in node["body"].walk()
        )
        return call("list", piece) if changes and _may_grow(t, mask) else piece
    if mask and not mask & ~(RES | CALL):
        return piece if mask == CALL else call("list", piece)
    return t.helper("js_keys", piece)


def _may_grow(t: Translator, mask: int) -> bool:
    return any(
        thing.deletes or set(thing.fields) - thing.certain for thing in t.world.of(mask)
    )


# for (;;), while, do

def _for(t: Translator, node: Node) -> None:
    check_whole(node["initializer"], node.get("condition"), node.get("increment"))
    if write_counting(t, node):
        return
    initializer = node["initializer"]
    if initializer.kind in STATEMENTS:
        t.statement(initializer)
    elif initializer.kind != ";":
        expression_statement(t, initializer)
    increment = node.get("increment")
    loop = Loop(node)
    if increment is not None:
        loop.update = lambda: expression_statement(t, increment)
    expression = condition_of(node)
    head = join("while ", condition(t, expression)) if expression is not None else (
        atom("while True")
    )
    body = loop_body(t, loop, node["body"], [])
    if increment is not None and not ends(node["body"]):
        t.function.loops.append(loop)
        try:
            body += t.collect(lambda: expression_statement(t, increment))
        finally:
            t.function.loops.pop()
    t.block(head, body)


def _while(t: Translator, node: Node) -> None:
    test = node["condition"]
    head = atom("while True") if test.kind == "true" else join("while ", condition(t, test))
    t.block(head, loop_body(t, Loop(node), node["body"], []))


def _do(t: Translator, node: Node) -> None:
    test = node["condition"]
    loop = Loop(node)

    def check() -> None:
        t.block(join("if ", inverse(condition(t, test))), t.collect(lambda: _write_break(t)))

    loop.update = check
    body = loop_body(t, loop, node["body"], [])
    body += t.collect(check)
    t.block("while True", body)


def _write_break(t: Translator) -> None:
    t.write("break")


STATEMENTS.update({
    "for_statement": _for,
    "for_in_statement": _for_in,
    "while_statement": _while,
    "do_statement": _do,
})
