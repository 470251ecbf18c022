"""``forEach``, whose callback becomes the body of a loop."""

from __future__ import annotations

from typing import Any, List, Set

from .array_callbacks import passed
from .counting import write_prelude
from .effects import expression_statement
from .frames import Loop
from .layout import Line
from .notes import Unsupported
from .pieces import Piece, atom, call, join, method
from .shapes import uses_this
from .syntax import FUNCTIONS, LOOPS, Node
from .translator import Translator
from .tree import parameters
from .truth import is_pure
from .types import ANY, NONE, World

#: What the program makes itself may have a forEach of its own.
_OWN = frozenset({"dict", "instance", "record", "class", "function"})


def inlined_callbacks(program: Node, world: World) -> Set[int]:
    """Return the ids of the callbacks of ``forEach`` that become the bodies of loops."""
    found = set()
    for node in program.of_kind("expression_statement"):
        call_node = node.kids[0]
        if call_node.kind != "call_expression":
            continue
        if call_node["function"].kind != "member_expression":
            continue
        if call_node["function"]["property"].text != "forEach":
            continue
        if world.kinds(call_node["function"]["object"].type) & _OWN:
            continue
        given = call_node["arguments"].kids
        if len(given) == 1 and _can_be_inlined(given[0]):
            found.add(id(given[0]))
    return found


def _can_be_inlined(function: Node) -> bool:
    if function.kind not in ("function_expression", "arrow_function"):
        return False
    if "async" in function.tokens or function.get("name") is not None:
        return False
    given = parameters(function)
    if len(given) > 2 or any(each.kind not in ("identifier", "array_pattern") for each in given):
        return False
    if any(each.kind == "array_pattern" for each in given[1:]):
        return False
    if uses_this(function) or function.mentions(b"arguments"):
        return False
    return not _returns_in_loop(function["body"])


def _returns_in_loop(body: Node) -> bool:
    """True if a loop or ``try`` with ``finally`` inside of the body returns."""
    for node in body.walk():
        if node.kind != "return_statement":
            continue
        walked = node.parent
        while walked is not None and walked is not body.parent:
            if walked.kind in FUNCTIONS:
                break
            if walked.kind in LOOPS:
                return True
            walked = walked.parent
    return False


def write_for_each(t: Translator, node: Node) -> bool:
    """Write ``values.forEach(callback)`` as a loop; False if it is none."""
    function = node["function"]
    if function.kind != "member_expression" or function["property"].text != "forEach":
        return False
    given = node["arguments"].kids
    source = function["object"]
    mask = t.mask(source)
    kinds = t.world.kinds(mask)
    if len(given) != 1 or "optional_chain" in function.fields or "optional_chain" in node.fields:
        return False
    callback = given[0]
    if kinds & {"map", "set"} or (id(callback) not in t.inlined):
        if id(callback) in t.inlined:
            _over_map(t, node, source, callback, mask)
            return True
        return _call_each(t, source, callback, mask)
    values = t.expr(source)
    if _is_extended(t, source, callback, mask):
        values = call("list", values)
    names = [_callback_target(t, each) for each in parameters(callback)]
    prelude: List[Any] = []
    for index, each in enumerate(parameters(callback)):
        if each.kind == "array_pattern":
            names[index] = t.temporary("each")
            prelude = [each, names[index]]
    target = names[0] if names else "_"
    if len(names) == 2:
        target = f"{names[1]}, {names[0]}"
        values = call("enumerate", values)
    _write_callback(t, f"for {target} in ", values, callback, prelude)
    return True


def _callback_target(t: Translator, node: Node) -> str:
    return t.written(node.binding) if node.kind == "identifier" else ""


def _write_callback(
    t: Translator, head: str, values: Piece, callback: Node, prelude: List[Any]
) -> None:
    loop = Loop(callback, is_callback=True)
    body = callback["body"]
    t.function.loops.append(loop)
    try:
        def write() -> None:
            write_prelude(t, prelude, lambda t, target: _given(t, callback))
            if body.kind == "statement_block":
                t.statements(body.kids)
            else:
                expression_statement(t, body)
        lines = t.collect(write)
    finally:
        t.function.loops.pop()
    while lines and str(lines[-1].piece) == "continue":
        lines.pop()
    t.block(join(head, values), lines)


def _given(t: Translator, callback: Node) -> int:
    thing = t.world.make("function", callback)
    return thing.parameters[0] if thing.parameters else ANY


def _over_map(t: Translator, node: Node, source: Node, callback: Node, mask: int) -> None:
    mask &= ~NONE
    names = [_callback_target(t, each) for each in parameters(callback)]
    if any(not name for name in names):
        raise Unsupported("such a loop is not supported")
    if t.world.only(mask, "set"):
        _write_callback(t, f"for {names[0]} in ", call("list", t.expr(source)), callback, [])
        return
    if not t.world.only(mask, "map"):
        raise Unsupported("a loop over what may be a map")
    value = names[0] if names else "_"
    key = names[1] if len(names) > 1 else "_"
    pairs = call("list", method(t.expr(source), "items"))
    _write_callback(t, f"for {key}, {value} in ", pairs, callback, [])


def _call_each(t: Translator, source: Node, callback: Node, mask: int) -> bool:
    """Write a loop that calls a function which stands elsewhere."""
    if not t.world.only(mask, "array") and mask != ANY:
        return False
    if callback.text in ("console.log", "console.info", "console.debug"):
        _log_each(t, source)
        return True
    functions = list(t.world.of(t.mask(callback)))
    if not functions or any(thing.kind != "function" for thing in functions):
        return False
    counts = {passed(thing) for thing in functions}
    if len(counts) != 1 or t.mask(callback) & ANY:
        return False
    count = counts.pop()
    name = t.temporary("each")
    place = t.temporary("index")
    piece = t.expr(callback)
    values = call("list", t.expr(source))
    if count > 2:
        raise Unsupported("a callback of forEach with three parameters")
    arguments = [name, place][:count]
    head = f"for {place}, {name} in " if count == 2 else f"for {name} in "
    values = call("enumerate", values) if count == 2 else values
    body = t.collect(lambda: _write_call(t, piece, arguments))
    t.block(join(head, values), body)
    return True


def _log_each(t: Translator, source: Node) -> None:
    """Write what shows each element with its place and the array, as JavaScript does."""
    values = t.expr(source)
    if not is_pure(source):
        name = t.temporary("values")
        t.write(join(f"{name} = ", values))
        values = atom(name)
    each, place = t.temporary("each"), t.temporary("index")
    shown = t.helper("js_log", each, place, values)
    t.block(join(f"for {place}, {each} in ", call("enumerate", values)), [Line(shown)])


def _write_call(t: Translator, piece: Piece, arguments: List[str]) -> None:
    t.write(call(piece, *arguments))


_LONGER = frozenset({"push", "unshift"})


_SHORTER = frozenset({"pop", "shift", "splice"})


def _is_extended(t: Translator, source: Node, callback: Node, mask: int) -> bool:
    """True if the callback may append to the array that the loop runs over.

    ``forEach`` does not see what is appended, and sees that something is removed; a loop of Python
    sees both.
    """
    if source.kind == "call_expression" and not t.world.only(mask, "array"):
        return False
    found = _changes_of(t, callback["body"], mask)
    if not found & _LONGER:
        return False
    if found & _SHORTER or "unshift" in found:
        raise Unsupported("a forEach that changes its array in several ways", "Write a loop")
    return True


def _changes_of(t: Translator, body: Node, mask: int) -> Set[str]:
    """Return the methods by which a block may change the length of an array."""
    found: Set[str] = set()
    calls_program = False
    for node in body.walk():
        if node.kind == "call_expression":
            function = node["function"]
            name = _changing(function)
            if name and function["object"].type & mask:
                found.add(name)
            elif not name and t.world.kinds(function.type) or _is_method_of_program(t, function):
                calls_program = True
    if calls_program:
        for node in t.program.all():
            if node.kind == "member_expression" and node.inside(FUNCTIONS) is not None:
                name = _changing(node)
                if name and node["object"].type & mask:
                    found.add(name)
    return found


def _changing(function: Node) -> str:
    if function.kind != "member_expression":
        return ""
    name = function["property"].text
    return name if name in _LONGER | _SHORTER else ""


def _is_method_of_program(t: Translator, function: Node) -> bool:
    return function.kind == "member_expression" and bool(
        t.world.kinds(function["object"].type) & {"instance", "record", "dict"}
    )
