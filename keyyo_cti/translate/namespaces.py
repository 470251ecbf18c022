"""Functions of JavaScript's namespaces, such as ``Math.max`` and ``Object.keys``."""

from __future__ import annotations

from typing import Callable, Dict, List

from .arguments import arguments_of, has_plain_order, iterable, pairs_of
from .array_callbacks import comprehension, inline
from .dates import check_date
from .globals import global_call
from .notes import Unsupported
from .object_assign import assign
from .operators import note_size
from .pieces import (
    COMPARISON,
    POWER,
    UNARY,
    Piece,
    atom,
    binary,
    call,
    in_brackets,
    join,
    method,
    sequence,
    wrap,
)
from .promises import promise_static
from .strings import whole
from .syntax import FUNCTIONS, Node
from .texts import is_opaque
from .translator import Translator
from .tree import parameters
from .truth import is_pure, numeric
from .types import ANY, BOOL, CALL, DATE, NAN, NAT, NULL, NUMBER, RES, STR, UNDEF, WHOLE, atoms

Rule = Callable[[Translator, Node, str, List[Node]], Piece]


def static_call(t: Translator, node: Node, namespace: str, name: str) -> Piece:
    """Return a call of a function in a namespace."""
    rule = _RULES.get(namespace)
    if rule is None:
        raise Unsupported(f"{namespace}.{name} is not supported")
    return rule(t, node, name, node["arguments"].kids)


_SAME_IN_MATH = frozenset({"sin", "cos", "tan", "atan", "atan2", "exp", "hypot"})


def _math(t: Translator, node: Node, name: str, given: List[Node]) -> Piece:
    if name == "random":
        t.need("import random")
        return atom("random.random()")
    if name in ("max", "min"):
        return _extreme(t, name, given)
    if any(each.kind == "spread_element" for each in given) or not given:
        raise Unsupported(f"Math.{name} with such arguments")
    first = numeric(t, given[0])
    mask = t.mask(given[0])
    may_be_odd = bool(mask & NAN or mask & ~(NUMBER | BOOL | DATE))
    t.need("import math")
    if name in ("floor", "ceil", "trunc"):
        return _rounded(t, name, first, mask, may_be_odd, given[0])
    return _of_number(t, name, first, mask, may_be_odd, given)


def _of_number(
    t: Translator, name: str, first: Piece, mask: int, may_be_odd: bool, given: List[Node]
) -> Piece:
    if name == "round":
        return t.helper("js_round", first)
    if name == "abs":
        return call("abs", first)
    if name == "sqrt":
        return call("math.sqrt", first) if not mask & ~NAT else t.helper("js_sqrt", first)
    if name == "pow":
        return _power(t, given)
    if name in _SAME_IN_MATH:
        return call(f"math.{name}", *[numeric(t, each) for each in given])
    if name == "sign":
        if not may_be_odd and first.is_simple:
            return join("(", wrap(first, 7), " > 0) - (", wrap(first, 7), " < 0)", precedence=11)
        return t.helper("js_sign", first)
    raise Unsupported(f"Math.{name} is not supported")


def _rounded(
    t: Translator, name: str, first: Piece, mask: int, may_be_odd: bool, node: Node
) -> Piece:
    if not mask & ~WHOLE:
        return first
    if may_be_odd:
        return t.helper("js_whole", f"math.{name}", first)
    if name == "trunc":
        return call("int", first)
    if name == "floor" and node.kind == "binary_expression" and node["operator"].kind == "/":
        left, right = node["left"], node["right"]
        if not t.mask(left) & ~WHOLE and right.kind == "number" and right.text.isdigit():
            return join(wrap(t.expr(left), 12), " // ", t.expr(right), precedence=12)
    return call(f"math.{name}", first)


def _power(t: Translator, given: List[Node]) -> Piece:
    if len(given) != 2:
        raise Unsupported("Math.pow needs two numbers")
    note_size(t, given[0], "**", given)
    a, b = numeric(t, given[0]), numeric(t, given[1])
    if not (t.mask(given[0]) | t.mask(given[1])) & ~NAT:
        return join(wrap(a, POWER + 1), " ** ", wrap(b, UNARY), precedence=POWER)
    return t.helper("js_power", a, b)


def _extreme(t: Translator, name: str, given: List[Node]) -> Piece:
    plain = all(
        each.kind != "spread_element" and not t.mask(each) & ~(NUMBER & ~NAN) for each in given
    )
    if plain and len(given) > 1:
        return call(name, *[wrap(t.expr(each), 1) for each in given])
    arguments = []
    for each in given:
        if each.kind == "spread_element":
            arguments.append(join("*", wrap(iterable(t, each.kids[0]), 16)))
        else:
            arguments.append(wrap(t.expr(each), 1))
    return t.helper("js_extreme", name, *arguments)


# JSON

def _json(t: Translator, node: Node, name: str, given: List[Node]) -> Piece:
    if name == "parse" and len(given) == 1:
        t.need("import json")
        return call("json.loads", t.text(given[0]))
    if name != "stringify" or len(given) > 3 or (
        len(given) > 1 and given[1].kind not in ("null", "undefined")
    ):
        raise Unsupported(f"such a call of JSON.{name} is not supported")
    value = given[0]
    mask = t.mask(value)
    if is_opaque(t, mask):
        raise Unsupported("JSON of a function, a map or a set")
    _note_left_out(t, node, mask)
    if len(given) == 1 and is_plain_json(t, mask, 0):
        t.need("import json")
        return call(
            "json.dumps", t.expr(value), 'separators=(",", ":")', "ensure_ascii=False"
        )
    indent = [t.expr(given[2])] if len(given) > 2 else []
    if indent and not given[2].text.isdigit():
        raise Unsupported("JSON with such an indent")
    if mask == CALL:
        t.need("import json")
        return call(
            "json.dumps", call("dict", join(t.expr(value), ".fields")),
            'separators=(",", ":")', "ensure_ascii=False", *_indent(indent),
        )
    return t.helper("js_json", t.expr(value), *indent)


def is_plain_json(t: Translator, mask: int, depth: int) -> bool:
    """True if ``json.dumps`` writes the value as JavaScript does."""
    if not mask or depth > 4 or atoms(mask) & ~(STR | WHOLE | BOOL | NULL):
        return False
    for thing in t.world.of(mask):
        if thing.kind == "array" and thing.others:
            if not is_plain_json(t, thing.others, depth + 1):
                return False
        elif thing.kind != "dict" or not has_plain_order(t, thing.bit) or thing.deletes or not all(
            is_plain_json(t, value, depth + 1) for value in thing.fields.values()
        ):
            return False
    return True


def _indent(indent: List[Piece]) -> List[Piece]:
    return [join("indent=", each) for each in indent]


def _note_left_out(t: Translator, node: Node, mask: int) -> None:
    if mask == UNDEF or mask & UNDEF and not mask & ANY:
        raise Unsupported("JSON of undefined")
    for thing in t.world.of(mask):
        values = [*thing.fields.values(), thing.others]
        if thing.kind != "array" and any(value & (UNDEF | ANY) for value in values):
            t.note(
                node, "JSON.stringify",
                "JavaScript leaves out what is undefined, Python writes null",
                "Leave out what is None, if the reader cares",
            )
    if mask & ANY:
        t.note(
            node, "JSON.stringify", "JavaScript leaves out what is undefined, Python writes null",
            "Leave out what is None, if the reader cares",
        )


# Object and Array

def _object(t: Translator, node: Node, name: str, given: List[Node]) -> Piece:
    if not given:
        raise Unsupported(f"Object.{name} with such arguments")
    first = given[0]
    mask = t.mask(first)
    is_dict = t.world.only(mask, "dict")
    if name == "keys":
        if is_dict and has_plain_order(t, mask):
            return call("list", t.expr(first))
        if mask and not mask & ~(CALL | RES):
            return call("list", t.expr(first))
        if t.world.kinds(mask) & {"instance", "record", "map", "set"}:
            raise Unsupported("the keys of an object of a class")
        return t.helper("js_keys", t.expr(first))
    if name in ("values", "entries"):
        return _values(t, name, first, is_dict)
    if name == "assign":
        return assign(t, node, given)
    return _changed(t, node, name, first)


def _changed(t: Translator, node: Node, name: str, first: Node) -> Piece:
    if name == "fromEntries":
        pairs = wrap(iterable(t, first), 3)
        key = t.helper("js_text", atom("key"))
        return in_brackets("{", [key, ": value for key, value in ", pairs], "}")
    if name in ("freeze", "seal"):
        t.note(node, f"Object.{name}", "a dict can always be changed", "Nothing")
        return t.expr(first)
    if name == "create" and first.kind == "null":
        return atom("{}")
    raise Unsupported(f"Object.{name} is not supported")


def _values(t: Translator, name: str, first: Node, is_dict: bool) -> Piece:
    if t.world.kinds(t.mask(first)) - {"dict"}:
        raise Unsupported("the values of what may be no plain object")
    if is_dict and has_plain_order(t, t.mask(first)):
        if name == "values":
            return call("list", method(t.expr(first), "values"))
        return pairs_of(t.expr(first))
    pairs = t.helper("js_items", t.expr(first))
    if name == "values":
        return join("[value for _, value in ", pairs, "]")
    return join("[list(pair) for pair in ", pairs, "]")


def _array(t: Translator, node: Node, name: str, given: List[Node]) -> Piece:
    if name == "isArray" and len(given) == 1:
        return call("isinstance", t.expr(given[0]), "list")
    if name == "of":
        return sequence("[", [each if isinstance(each, Piece) else atom(each)
                              for each in arguments_of(t, node)], "]")
    if name == "from" and given:
        return _from(t, node, given)
    raise Unsupported(f"Array.{name} is not supported")


def _from(t: Translator, node: Node, given: List[Node]) -> Piece:
    source = given[0]
    if source.kind == "object" and len(source.kids) == 1 and source.kids[0].kind == "pair" and (
        source.kids[0]["key"].text == "length"
    ):
        size = t.expr(source.kids[0]["value"])
        if t.mask(source.kids[0]["value"]) & ~WHOLE:
            raise Unsupported("an array whose length may be no number")
        if len(given) == 1:
            return join("[None] * ", wrap(size, 13), precedence=12)
        return _generated(t, size, given[1])
    before, t.no_walrus = t.no_walrus, True
    try:
        values = iterable(t, source)
    finally:
        t.no_walrus = before
    if len(given) == 1:
        return call("list", values)
    found = comprehension(t, node, values, given[1], False)
    return in_brackets("[", [wrap(found.body, 2), " ", found.head], "]")


def _generated(t: Translator, size: Piece, function: Node) -> Piece:
    given = parameters(function) if function.kind in FUNCTIONS else []
    found = inline(t, atom("_"), function, False)
    if found is None or len(given) > 2:
        if function.kind in FUNCTIONS and len(given) == 2:
            name = t.temporary("index")
            body = call(t.expr(function), "None", name)
            return in_brackets("[", [body, f" for {name} in ", call("range", size)], "]")
        raise Unsupported("such an Array.from is not supported")
    name = given[1].binding.python if len(given) == 2 else "_"
    if given and given[0].binding.reads:
        raise Unsupported("such an Array.from is not supported")
    return in_brackets("[", [wrap(found.body, 2), f" for {name} in ", call("range", size)], "]")


def _numbers(t: Translator, node: Node, name: str, given: List[Node]) -> Piece:
    if not given:
        raise Unsupported(f"Number.{name} with such arguments")
    if name in ("parseInt", "parseFloat"):
        found = global_call(t, node, name)
        assert found is not None
        return found
    mask = t.mask(given[0])
    if name in ("isInteger", "isSafeInteger"):
        if not mask & ~WHOLE:
            return atom("True")
        value = t.expr(given[0])
        if not mask & ~(NUMBER & ~NAN) and value.is_simple:
            return join(value, " == int(", value, ")", precedence=6)
        return t.helper("js_is_whole", value)
    if name in ("isNaN", "isFinite") and not mask & ~NUMBER:
        t.need("import math")
        return call("math.isnan" if name == "isNaN" else "math.isfinite", t.expr(given[0]))
    if name == "isNaN" and is_pure(given[0]):
        value = t.expr(given[0])
        return binary(value, "!=", value, COMPARISON)
    raise Unsupported(f"Number.{name} is not supported here")


def _date(t: Translator, node: Node, name: str, given: List[Node]) -> Piece:
    if name == "now":
        return t.helper("js_now")
    if name == "UTC" and len(given) > 1:
        return t.helper("js_utc", *[numeric(t, each) for each in given])
    if name == "parse" and given:
        check_date(t, node, given[0])
        return t.helper("js_time", t.helper("js_date", t.text(given[0])))
    raise Unsupported(f"Date.{name} is not supported")


def _string(t: Translator, node: Node, name: str, given: List[Node]) -> Piece:
    if name == "fromCharCode" and given:
        found = [call("chr", whole(t, each)) for each in given]
        return found[0] if len(found) == 1 else join(
            *[part for each in found for part in (each, " + ")][:-1], precedence=11
        )
    raise Unsupported(f"String.{name} is not supported")


def _process(t: Translator, node: Node, name: str, given: List[Node]) -> Piece:
    if name == "exit":
        return t.helper("js_exit", *[t.expr(each) for each in given])
    raise Unsupported(f"process.{name} is not supported")


_STORAGE = {"getItem": "get_item", "setItem": "set_item", "removeItem": "remove_item",
            "clear": "clear"}


def _storage(namespace: str) -> Rule:
    def rule(t: Translator, node: Node, name: str, given: List[Node]) -> Piece:
        if name not in _STORAGE:
            raise Unsupported(f"{name} of a storage is not supported")
        t.note(
            node, namespace, "it is a file of the program" if namespace == "localStorage"
            else "it lasts as long as the program", "Nothing",
        )
        stub = t.stub("local_storage" if namespace == "localStorage" else "session_storage")
        return method(atom(stub), _STORAGE[name], *[t.text(each) for each in given])
    return rule


_RULES: Dict[str, Rule] = {
    "Math": _math, "JSON": _json, "Object": _object, "Array": _array, "Number": _numbers,
    "Date": _date, "String": _string, "Promise": promise_static,
    "process": _process,
    "localStorage": _storage("localStorage"), "sessionStorage": _storage("sessionStorage"),
}
