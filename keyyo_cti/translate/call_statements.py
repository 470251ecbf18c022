"""Calls whose result is not used."""

from __future__ import annotations

from typing import List

from .arguments import arguments_of, iterable
from .effects import EFFECTS
from .for_each import write_for_each
from .functions import write_definition
from .maps import check_key
from .members import chained
from .notes import Unsupported
from .pieces import COMPARISON, Piece, atom, binary, call, join, method
from .special import call_special
from .syntax import FUNCTIONS, Node
from .translator import Translator
from .truth import is_pure
from .types import ANY, NONE


def call_statement(t: Translator, node: Node) -> None:
    """Write a call for its effects."""
    if node.get("arguments") is None or node["arguments"].kind != "arguments":
        raise Unsupported("tagged templates are not supported")
    link = chained(node)
    if link is not None and id(link) not in t.stripped:
        _optional_statement(t, node, link)
        return
    if write_for_each(t, node) or call_special(t, node):
        return
    function = node["function"]
    if _chained_entries(t, node):
        return
    if function.kind in FUNCTIONS:
        _at_once(t, node, function)
        return
    if function.kind == "member_expression" and not node["arguments"].kids and (
        function["property"].text in ("pop", "shift")
        and t.world.only(t.mask(function["object"]), "array")
    ):
        if is_pure(function["object"]):
            target = t.expr(function["object"])
            last = method(target, "pop", *(["0"] if function["property"].text == "shift" else []))
            t.block(join("if ", target), t.collect(lambda: _write(t, last)))
            return
    t.write(_result_unused(t, node))


def _write(t: Translator, piece: Piece) -> None:
    t.write(piece)


def _chained_entries(t: Translator, node: Node) -> bool:
    """Write ``map.set(a, b)``, or a chain of such calls, as statements; False if it is none."""
    links: List[Node] = []
    inner = node
    while inner.kind == "call_expression" and inner["function"].kind == "member_expression" and (
        inner["function"]["property"].text in ("set", "add")
    ):
        links.append(inner)
        inner = inner["function"]["object"]
    if not links or not is_pure(inner) or not t.world.only(t.mask(inner), "map", "set"):
        return False
    base = t.expr(inner)
    for link in reversed(links):
        check_key(t, t.mask(link["arguments"].kids[0]) if link["arguments"].kids else ANY)
        given = [t.expr(each) for each in link["arguments"].kids]
        value = given[1] if len(given) > 1 else atom("None")
        t.write(join(base, "[", given[0], "] = ", value))
    return True


def _result_unused(t: Translator, node: Node) -> Piece:
    function = node["function"]
    if function.kind == "member_expression" and len(node["arguments"].kids) == 1:
        if function["property"].text == "push" and t.world.only(
            t.mask(function["object"]) & ~NONE, "array"
        ):
            argument = node["arguments"].kids[0]
            target = t.expr(function["object"])
            if argument.kind == "spread_element":
                return method(target, "extend", iterable(t, argument.kids[0]))
            return method(target, "append", t.expr(argument))
    if function.kind == "member_expression" and not node["arguments"].kids:
        name = function["property"].text
        if t.world.only(t.mask(function["object"]), "array") and name == "reverse":
            return method(t.expr(function["object"]), "reverse")
    return t.expr(node)


def _optional_statement(t: Translator, node: Node, link: Node) -> None:
    """Write ``a?.b()``, ``a?.b.c()`` or ``callback?.()`` as a branch."""
    base = link.get("object") or link["function"]
    if not is_pure(base) and id(base) not in t.replaced:
        name = t.temporary()
        t.write(join(f"{name} = ", t.expr(base)))
        t.replaced[id(base)] = atom(name)
    test = binary(t.expr(base), "is not", atom("None"), COMPARISON)
    chain = link.fields.pop("optional_chain")
    t.stripped.add(id(link))
    try:
        body = t.collect(lambda: call_statement(t, node))
    finally:
        link.fields["optional_chain"] = chain
        t.stripped.discard(id(link))
    t.block(join("if ", test), body)


def _at_once(t: Translator, node: Node, function: Node) -> None:
    """Write ``(function () { ... })()``: its body, where a module can hold it, or a call."""
    name = function.get("name")
    python = name.binding.python if name is not None and name.binding else t.names.fresh("main")
    write_definition(t, function, python)
    t.write(call(python, *arguments_of(t, node)))


EFFECTS["call_expression"] = call_statement
