"""Methods of arrays, maps and sets."""

from __future__ import annotations

from typing import Callable, Dict, List, Optional, Union

from .arguments import arguments_of
from .array_callbacks import Callback, arity, comprehension, inline, tested
from .notes import Unsupported
from .pieces import (
    COMPARISON,
    SUM,
    TERNARY,
    Piece,
    atom,
    binary,
    call,
    in_brackets,
    item,
    join,
    method,
    ternary,
    wrap,
)
from .strings import at_index, slice_of, whole
from .syntax import Node
from .texts import prints_alike
from .translator import Translator
from .tree import owner_of, parameters
from .truth import is_pure, truth_of
from .types import NONE, NULL, NUMBER, STR, WHOLE

Rule = Callable[[Translator, Node, Piece, List[Node]], Piece]


def array_method(
    t: Translator, node: Node, target: Piece, name: str, arguments: List[Node]
) -> Optional[Piece]:
    """Return a call of an array's method, or None if it is none that is known."""
    rule = _METHODS.get(name)
    return rule(t, node, target, arguments) if rule is not None else None


def _given(t: Translator, node: Node) -> "List[Union[Piece, str]]":
    return arguments_of(t, node)


def _push(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    return t.helper("js_push", target, *_given(t, node))


def _simple(node: Node) -> bool:
    return is_pure(owner_of(node))


def _pop(place: str) -> Rule:
    def rule(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
        if not _simple(node):
            raise Unsupported("pop or shift of something that is computed", "Use a variable")
        found = method(target, "pop", *([place] if place else []))
        return ternary(target, found, atom("None"))
    return rule


def _unshift(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    parent = node.parent
    if len(arguments) != 1 or parent is None or parent.kind != "expression_statement":
        raise Unsupported("unshift of several values, or whose result is used")
    return method(target, "insert", "0", *_given(t, node))


def _splice(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    if not arguments or any(
        t.mask(each) & ~WHOLE for each in arguments[:2] if each.kind != "spread_element"
    ):
        raise Unsupported("splice with something that may be no number")
    return t.helper("js_splice", target, *_given(t, node))


def _slice(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    if not arguments:
        return call("list", target)
    if any(t.mask(each) & ~WHOLE for each in arguments):
        return t.helper("js_slice", target, *_given(t, node))
    bounds = [whole(t, each) for each in arguments]
    end = bounds[1] if len(bounds) > 1 else atom("")
    return slice_of(target, bounds[0], atom("+0") if str(end) == "0" else end)


def _concat(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    found = target
    for each in arguments:
        mask = t.mask(each)
        kinds = t.world.kinds(mask)
        if t.world.only(mask, "array"):
            found = binary(found, "+", t.expr(each), SUM)
        elif "array" in kinds or mask & 256 or each.kind == "spread_element":
            raise Unsupported("concat of what may be an array or not")
        else:
            found = binary(found, "+", join("[", t.expr(each), "]"), SUM)
    return found if arguments else call("list", target)


def _join(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    separator = t.text(arguments[0]) if arguments else atom('","')
    mask = t.inference.elements(t.mask(owner_of(node)))
    if mask and not mask & ~STR:
        return method(separator, "join", target)
    if mask and prints_alike(mask):
        return method(separator, "join", call("map", "str", target))
    extra = [separator] if arguments else []
    return t.helper("js_join", target, *extra)


def _reverse(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    if _is_fresh(t, node):
        return item(target, "::-1")
    raise Unsupported("reverse of an array that is used elsewhere", "Write it as a statement")


def _is_fresh(t: Translator, node: Node) -> bool:
    """True if the array is new, so that no other variable shows the change."""
    owner = owner_of(node)
    if owner.kind == "array":
        return True
    if owner.kind == "call_expression" and owner["function"].kind == "member_expression" and (
        owner["function"]["property"].text == "sort"
    ):
        return _is_fresh(t, owner)
    return owner.kind == "call_expression" and owner["function"].kind == "member_expression" and (
        owner["function"]["property"].text in (
            "slice", "map", "filter", "split", "concat", "keys", "values", "from", "entries"
        )
    )


def _sort(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    mask = t.inference.elements(t.mask(owner_of(node)))
    if mask & NULL:
        t.note(
            node, "null in an array that is sorted",
            "JavaScript sorts it as a text and puts undefined last; both are None in Python, last",
            "Remove it before",
        )
    if arguments:
        return t.helper("js_sort", target, t.expr(arguments[0]))
    parent = node.parent
    is_statement = parent is not None and parent.kind == "expression_statement"
    if mask and not mask & ~STR and is_statement:
        return method(target, "sort")
    if mask and not mask & ~STR and _is_fresh(t, node):
        return call("sorted", target)
    return t.helper("js_sort", target)


def _index_of(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    return t.helper("js_index_of", target, *_given(t, node))


def _includes(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    if len(arguments) == 1:
        mask, wanted = t.inference.elements(t.mask(owner_of(node))), t.mask(arguments[0])
        for kind in (STR, NUMBER & ~64):
            if wanted and not wanted & ~kind and not mask & ~(STR | NUMBER | NONE):
                return binary(t.expr(arguments[0]), "in", target, COMPARISON)
    if len(arguments) != 1:
        raise Unsupported("includes from a place on")
    return t.helper("js_includes", target, *_given(t, node))


# Callbacks.


def _with_callback(
    t: Translator, node: Node, target: Piece, arguments: List[Node], is_condition: bool
) -> Callback:
    if len(arguments) != 1:
        raise Unsupported("a callback with another `this`")
    return comprehension(t, node, target, arguments[0], is_condition)


def _map(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    found = _with_callback(t, node, target, arguments, False)
    return in_brackets("[", [wrap(found.body, TERNARY), " ", found.head], "]")


def _filter(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    if arguments and arguments[0].kind == "identifier" and arguments[0].text == "Boolean":
        mask = t.inference.elements(t.mask(owner_of(node)))
        test = truth_of(t, atom("each"), mask or 256)
        return in_brackets("[", ["each for each in ", wrap(target, 3), " if ", test], "]")
    found = _with_callback(t, node, target, arguments, True)
    element = found.names[0]
    return in_brackets("[", [f"{element} ", found.head, " if ", wrap(found.body, 3)], "]")


def _find(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    found = _with_callback(t, node, target, arguments, True)
    inner = in_brackets("(", [f"{found.names[0]} ", found.head, " if ", wrap(found.body, 3)], ")")
    return call("next", inner, "None")


def _find_index(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    if len(arguments) == 1 and len(parameters(arguments[0])) == 1:
        found = inline(t, target, arguments[0], True)
        if found is not None:
            place = t.temporary("index")
            head = join(f"for {place}, {found.names[0]} in ", call("enumerate", target))
            inner = in_brackets("(", [f"{place} ", head, " if ", wrap(found.body, 3)], ")")
            return call("next", inner, "-1")
    if arity(t, arguments[0]) != 1:
        raise Unsupported("such a callback of findIndex")
    piece, place, name = t.expr(arguments[0]), t.temporary("index"), t.temporary("each")
    body = tested(t, call(piece, name), arguments[0], True)
    head = join(f"for {place}, {name} in ", call("enumerate", target))
    return call("next", in_brackets("(", [f"{place} ", head, " if ", body], ")"), "-1")


def _quantifier(name: str) -> Rule:
    def rule(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
        found = _with_callback(t, node, target, arguments, True)
        return in_brackets(f"{name}(", [wrap(found.body, TERNARY), " ", found.head], ")")
    return rule


def _reduce(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    if arity(t, arguments[0]) > 2:
        raise Unsupported("reduce with a place")
    start = [t.expr(each) for each in arguments[1:]]
    if node["function"]["property"].text == "reduceRight":
        target = item(target, "::-1")
    return t.helper("js_reduce", t.expr(arguments[0]), target, *start)


def _for_each(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    raise Unsupported("such a forEach is not supported", "Write a loop")


def _fill(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    if len(arguments) != 1:
        raise Unsupported("fill of a part")
    size = call("len", target)
    owner = owner_of(node)
    is_new = owner.kind == "new_expression" or (
        owner.kind == "call_expression" and owner["function"].text == "Array"
    )
    if is_new and len(owner["arguments"].kids) == 1:
        size = t.expr(owner["arguments"].kids[0])
    elif owner.kind != "call_expression":
        raise Unsupported("fill of an array that is used elsewhere")
    return binary(join("[", t.expr(arguments[0]), "]"), "*", size, 12)


def _flat(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    return t.helper("js_flat", target, *_given(t, node))


def _flat_map(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    return t.helper("js_flat", _map(t, node, target, arguments))


def _text(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    return t.helper("js_join", target)


def _at(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    return at_index(t, node, target, arguments)


def _iterator(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    name = node["function"]["property"].text
    if name == "values":
        return call("list", target)
    if name == "keys":
        return call("list", call("range", call("len", target)))
    return in_brackets("[", ["list(pair) for pair in enumerate(", target, ")"], "]")


def _sorted(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    return t.helper("js_sort", call("list", target), *[t.expr(each) for each in arguments])


def _reversed(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    return item(target, "::-1")


_METHODS: Dict[str, Rule] = {
    "push": _push, "pop": _pop(""), "shift": _pop("0"), "unshift": _unshift, "splice": _splice,
    "slice": _slice, "concat": _concat, "join": _join, "reverse": _reverse, "sort": _sort,
    "indexOf": _index_of, "includes": _includes, "map": _map, "filter": _filter, "find": _find,
    "findIndex": _find_index, "some": _quantifier("any"), "every": _quantifier("all"),
    "reduce": _reduce, "reduceRight": _reduce,
    "forEach": _for_each, "fill": _fill, "flat": _flat, "flatMap": _flat_map,
    "toString": _text, "at": _at, "keys": _iterator, "values": _iterator, "entries": _iterator,
    "toSorted": _sorted, "toReversed": _reversed,
}
