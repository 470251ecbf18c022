"""Operators: arithmetic, comparison, truth."""

from __future__ import annotations

import ast
import math
from typing import List, Optional, Sequence, Tuple

from .comparisons import comparison, contains, equality, instance_of, is_literal, type_of
from .infer_values import number_of
from .literals import number
from .narrowing import facts
from .notes import Unsupported
from .pieces import (
    AND,
    AWAIT,
    BIT_AND,
    BIT_OR,
    BIT_XOR,
    COMPARISON,
    OR,
    POWER,
    PRODUCT,
    SHIFT,
    SUM,
    TERNARY,
    UNARY,
    Piece,
    atom,
    attribute,
    binary,
    call,
    join,
    ternary,
    wrap,
)
from .syntax import FUNCTIONS, Node
from .targets import deletion
from .texts import addition
from .translator import EXPRESSIONS, Translator
from .truth import condition, converted, inverse, is_plain_truth, is_pure, numeric, truth_of, twice
from .types import BOOL, DATE, INT, NAT, NUMBER, WHOLE


def _choice(t: Translator, node: Node) -> Piece:
    operator = node["operator"].kind
    left, right = node["left"], node["right"]
    mask = t.mask(left)
    if operator != "??" and is_plain_truth(t, mask):
        word, level = ("and", AND) if operator == "&&" else ("or", OR)
        first = t.expr(left)
        rest = t.knowing(facts(left, word == "and")[0], lambda: t.expr(right))
        return join(wrap(first, level), f" {word} ", wrap(rest, level + 1), precedence=level)
    if t.no_walrus and not is_pure(left):
        return _choice_of_function(t, operator, left, right, mask)
    first, again = twice(t, left)
    rest = t.expr(right)
    if operator == "??":
        if is_literal(again) and str(again) != "None":
            return first
        test = binary(first, "is not", atom("None"), COMPARISON)
        return ternary(test, again, rest)
    test = truth_of(t, first, mask)
    return ternary(test, again, rest) if operator == "||" else ternary(test, rest, again)


def _choice_of_function(
    t: Translator, operator: str, left: Node, right: Node, mask: int
) -> Piece:
    """Return a choice where Python allows no assignment: a lambda gives the value a name."""
    name = t.temporary()
    value = atom(name)
    test = truth_of(t, value, mask) if operator != "??" else binary(
        value, "is not", atom("None"), COMPARISON
    )
    rest = t.expr(right)
    chosen = ternary(test, rest, value) if operator == "&&" else ternary(test, value, rest)
    function = join(f"lambda {name}: ", chosen, precedence=1)
    return call(function, t.expr(left))


def _binary(t: Translator, node: Node) -> Piece:
    operator = node["operator"].kind
    if operator in ("&&", "||", "??"):
        return _choice(t, node)
    if operator == "+":
        return addition(t, node)
    if operator in ("===", "!==", "==", "!="):
        return equality(t, node, operator)
    if operator in ("<", ">", "<=", ">="):
        return comparison(t, node, operator)
    if operator == "instanceof":
        return instance_of(t, node)
    if operator == "in":
        return contains(t, node)
    return arithmetic(t, operator, node["left"], node["right"], node)


_ARITHMETIC = {"-": ("-", SUM), "*": ("*", PRODUCT)}


def arithmetic(t: Translator, operator: str, left: Node, right: Node, node: Node) -> Piece:
    """Return an operation on numbers."""
    a, b = numeric(t, left), numeric(t, right)
    masks = number_of(t.mask(left)), number_of(t.mask(right))
    return arithmetic_of(t, operator, (a, masks[0], left), (b, masks[1], right), node)


Operand = Tuple[Piece, int, Optional[Node]]


def arithmetic_of(
    t: Translator, operator: str, left: Operand, right: Operand, node: Node
) -> Piece:
    """Return an operation on two pieces that are numbers."""
    a, first, _ = left
    b, second, divisor = right
    if operator == "*":
        note_size(t, node, operator, _nodes(left, right))
    if operator in _ARITHMETIC:
        word, level = _ARITHMETIC[operator]
        return binary(a, word, b, level)
    if operator == "/":
        if _is_nonzero(divisor):
            return binary(a, "/", b, PRODUCT)
        return t.helper("js_divide", a, b)
    if operator == "%":
        if _is_nonzero(divisor) and not first & ~NAT and not second & ~NAT:
            return binary(a, "%", b, PRODUCT)
        return t.helper("js_remainder", a, b)
    if operator == "**":
        if not (first | second) & ~NAT:
            note_size(t, node, operator, _nodes(left, right))
            return join(wrap(a, POWER + 1), " ** ", wrap(b, UNARY), precedence=POWER)
        return t.helper("js_power", a, b)
    return _bitwise(t, operator, left, right)


def _nodes(*operands: Operand) -> List[Node]:
    return [each[2] for each in operands if each[2] is not None]


def _accumulates(node: Node, operands: Sequence[Node]) -> bool:
    """True if a product becomes one of its factors, and nothing keeps it small."""
    names = {each.text for each in operands if each.kind == "identifier"}
    outer: Optional[Node] = node
    while outer is not None and outer.kind in _SUMS:
        if outer.kind.endswith("assignment_expression"):
            return outer["left"].text in names
        if outer.kind == "binary_expression" and outer["operator"].kind not in ("*", "+", "-"):
            return False
        outer = outer.parent
    return False


_SUMS = frozenset({
    "binary_expression", "parenthesized_expression", "assignment_expression",
    "augmented_assignment_expression",
})


def note_size(t: Translator, node: Node, operator: str, given: Sequence[Node]) -> None:
    """Note that a product or a power may have more digits than JavaScript's numbers."""
    literals = [each for each in given if each.kind == "number"]
    floats = any(number_of(t.mask(each)) & ~(NAT | INT) for each in given)
    if operator == "**" and len(literals) == 2:
        base, exponent = (float(ast.literal_eval(number(each.text) or "0")) for each in literals)
        if exponent * math.log2(base or 1) < 53:
            return
    elif operator == "*" and not _accumulates(node, given) and (literals or floats):
        return
    t.note(
        node, "whole numbers", "Python's have all their digits, JavaScript's 15 to 16",
        "Nothing, unless a product exceeds 2**53",
    )


def _is_nonzero(node: Optional[Node]) -> bool:
    return node is not None and node.kind == "number" and node.text.strip("0.xXbBoO_") != ""


def _bitwise(t: Translator, operator: str, left: Operand, right: Operand) -> Piece:
    a, first, left_node = left
    b, second, right_node = right
    small = all(
        node is not None and node.kind == "number" and len(node.text) < 10
        for node in (right_node,)
    )
    whole = not (first | second) & ~WHOLE
    x = a if whole else t.helper("js_int32", a)
    y = b if whole else t.helper("js_int32", b)
    if operator == "&" and whole and small and right_node is not None:
        return binary(a, "&", b, BIT_AND)
    if operator in ("&", "|", "^"):
        level = {"&": BIT_AND, "|": BIT_OR, "^": BIT_XOR}[operator]
        if operator == "|" and right_node is not None and right_node.text == "0":
            return t.helper("js_int32", a)
        return t.helper("js_int32", binary(x, operator, y, level))
    count = b if small and int(right_node.text, 0) < 32 else (  # type: ignore[union-attr]
        binary(y, "&", atom("31"), BIT_AND)
    )
    if operator == "<<":
        return t.helper("js_int32", binary(t.helper("js_int32", a), "<<", count, SHIFT))
    if operator == ">>":
        return binary(t.helper("js_int32", a), ">>", count, SHIFT)
    if operator == ">>>":
        bits = binary(t.helper("js_int32", a), "&", atom("0xFFFFFFFF"), BIT_AND)
        return binary(wrap(bits, SHIFT), ">>", count, SHIFT)
    raise Unsupported(f"the operator {operator} is not supported")


def _unary(t: Translator, node: Node) -> Piece:
    operator, argument = node["operator"].kind, node["argument"]
    if operator == "!":
        if argument.kind == "unary_expression" and argument["operator"].kind == "!":
            inner = argument["argument"]
            found = condition(t, inner)
            return found if t.mask(inner) == BOOL else call("bool", found)
        return inverse(condition(t, argument))
    return _signed(t, operator, argument)


def _minus(t: Translator, argument: Node) -> Piece:
    if argument.text == "0":
        return atom("-0.0")  # Python's -0 is 0.
    if argument.kind == "number":
        return join("-", t.expr(argument), precedence=UNARY)
    return join("-", wrap(numeric(t, argument), UNARY), precedence=UNARY)


def _signed(t: Translator, operator: str, argument: Node) -> Piece:
    if operator == "-":
        return _minus(t, argument)
    if operator == "+":
        if not t.mask(argument) & ~NUMBER:
            return t.expr(argument)
        if t.mask(argument) == DATE:
            return t.helper("js_time", t.expr(argument))
        return t.helper("js_number", converted(t, argument))
    if operator == "~":
        return join("~", wrap(t.helper("js_int32", numeric(t, argument)), UNARY), precedence=UNARY)
    if operator == "typeof":
        return type_of(t, argument)
    if operator == "void" and is_pure(argument):
        return atom("None")
    if operator == "delete":
        return deletion(t, argument)
    raise Unsupported(f"{operator} is not supported here")


def _ternary(t: Translator, node: Node) -> Piece:
    test = condition(t, node["condition"])
    yes = t.knowing(facts(node["condition"], True)[0], lambda: t.expr(node["consequence"]))
    no = t.knowing(facts(node["condition"], False)[0], lambda: t.expr(node["alternative"]))
    return ternary(test, yes, no)


def _sequence(t: Translator, node: Node) -> Piece:
    pieces = [wrap(t.expr(kid), TERNARY) for kid in node.kids]
    listed = [each for part in pieces for each in (part, ", ")][:-1]
    return join("(", *listed, ")[-1]")


def _await(t: Translator, node: Node) -> Piece:
    inner = node.kids[0]
    function = node.inside(FUNCTIONS)
    if function is None or "async" not in function.tokens:
        raise Unsupported("await outside of an async function")
    piece = t.expr(inner)
    if not t.world.only(t.mask(inner), "promise"):
        piece = call(attribute(atom(t.runtime("Promise")), "resolve"), piece)
    return join("await ", wrap(piece, AWAIT + 1), precedence=AWAIT)


EXPRESSIONS.update({
    "binary_expression": _binary,
    "unary_expression": _unary,
    "ternary_expression": _ternary,
    "sequence_expression": _sequence,
    "await_expression": _await,
})
