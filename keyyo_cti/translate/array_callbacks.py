"""Callbacks that are applied to each element of an array."""

from __future__ import annotations

from typing import List, Optional, Union

from .frames import Function
from .notes import Unsupported
from .pieces import Piece, atom, call, join, wrap
from .shapes import uses_arguments, uses_this
from .syntax import FUNCTIONS, Node
from .translator import NeedsStatements, Translator
from .tree import parameters, single_expression
from .truth import truth_of
from .types import Thing


class Callback:
    """A callback that is applied to each element.

    :ivar head: what stands behind ``for``: one or two variables and the values.
    :ivar body: the expression.
    """

    def __init__(self, head: Piece, body: Piece, names: List[str]) -> None:
        self.head = head
        self.body = body
        self.names = names


def comprehension(
    t: Translator, node: Node, target: Piece, function: Node, is_condition: bool
) -> Callback:
    """Return a callback as the parts of a comprehension."""
    found = inline(t, target, function, is_condition)
    if found is not None:
        return found
    thing_counts = arity(t, function)
    piece = t.expr(function)
    name = t.temporary("each")
    if thing_counts > 1:
        place = t.temporary("index")
        first: Union[str, Piece] = ""
        if thing_counts > 2 and not target.is_simple:
            values = t.temporary("values")
            first, target = join(f"for {values} in [", target, "] "), atom(values)
        head = join(first, f"for {place}, {name} in ", call("enumerate", target))
        whole_array = [target] if thing_counts > 2 else []
        body = call(piece, name, place, *whole_array)
        return Callback(head, tested(t, body, function, is_condition), [name])
    arguments = [name] if thing_counts else []
    body = call(piece, *arguments)
    return Callback(
        join(f"for {name} in ", wrap(target, 3)), tested(t, body, function, is_condition), [name]
    )


def tested(t: Translator, body: Piece, function: Node, is_condition: bool) -> Piece:
    if not is_condition:
        return body
    mask = 0
    for thing in t.world.of(t.mask(function)):
        mask |= thing.returns
    return truth_of(t, body, mask or 256)


def arity(t: Translator, function: Node) -> int:
    things = list(t.world.of(t.mask(function)))
    if function.kind == "identifier" and function.is_free:
        # JavaScript passes the place, too, which parseInt takes for its base.
        return 2 if function.text == "parseInt" else 1
    if not things or any(thing.kind != "function" for thing in things) or t.mask(function) & 256:
        raise Unsupported("a callback that is not known")
    counts = {passed(thing) for thing in things}
    if len(counts) > 1:
        raise Unsupported("callbacks with different parameters")
    return counts.pop()


def passed(thing: Thing) -> int:
    """Return how many arguments a function needs of those that JavaScript passes to a callback."""
    node = thing.node
    return 3 if node is not None and uses_arguments(node) else len(thing.parameters)


def inline(
    t: Translator, target: Piece, function: Node, is_condition: bool
) -> Optional[Callback]:
    """Return a callback whose expression can stand in the comprehension, or None."""
    if function.kind not in FUNCTIONS or "async" in function.tokens or function.get("name"):
        return None
    single = single_expression(function)
    given = parameters(function)
    if single is None or not single[1] or len(given) > 2 or uses_this(function) or (
        uses_arguments(function)
    ):
        return None
    if not all(each.kind == "identifier" for each in given) or any(
        each.kind in FUNCTIONS for each in single[0].walk()
    ):
        return None
    inner = Function(function, t.function)
    inner.is_lambda = True
    inner.loops = []
    state = t.mark()
    try:
        t.function, t.may_write = inner, False
        body = t.condition(single[0]) if is_condition else t.expr(single[0])
    except NeedsStatements:
        t.reset(state)
        return None
    t.function, t.may_write = state[0], state[1]  # type: ignore[assignment]
    if ":=" in str(body):
        return None
    names = [each.binding.python for each in given]
    if len(names) == 2:
        head = join(f"for {names[1]}, {names[0]} in ", call("enumerate", target))
    else:
        name = names[0] if names else "_"
        head = join(f"for {name} in ", wrap(target, 3))
        names = [name]
    return Callback(head, body, names)
