"""What is true, and what an operand is as a number."""

from __future__ import annotations

from typing import Optional, Tuple

from .narrowing import facts
from .notes import Unsupported
from .pieces import AND, COMPARISON, OR, WALRUS, Piece, atom, binary, join, negated, ternary, wrap
from .syntax import Node
from .translator import LATE, Translator
from .types import (
    ANY,
    BOOL,
    CALL,
    CTI,
    DATE,
    ERR,
    ERROR,
    FIELDS,
    FLOAT,
    INT,
    KEYYO,
    MATCH,
    NAT,
    NONE,
    NULL,
    NUMBER,
    PAGE,
    REGEX,
    RES,
    STR,
    TIMER,
    UNDEF,
    atoms,
)

#: What is false in both languages, or in none.
_PLAIN_TRUTH = (
    NONE | BOOL | NAT | INT | FLOAT | STR | REGEX | DATE | MATCH | ERROR | PAGE | KEYYO | CTI
    | CALL | ERR | RES | FIELDS | TIMER
)


_CONTAINERS = frozenset({"array", "dict", "map", "set"})


def is_plain_truth(t: Translator, mask: int) -> bool:
    """True if Python and JavaScript take the same of these values for true."""
    if not mask or atoms(mask) & ~_PLAIN_TRUTH:
        return False
    return not t.world.kinds(mask) & _CONTAINERS


def condition(t: Translator, node: Node) -> Piece:
    """Return an expression that is true where JavaScript's is."""
    if id(node) in t.replaced:
        return truth_of(t, t.replaced[id(node)], t.mask(node))
    if node.kind == "unary_expression" and node["operator"].kind == "!":
        return inverse(condition(t, node["argument"]))
    if node.kind == "binary_expression" and node["operator"].kind in ("&&", "||"):
        word, level = ("and", AND) if node["operator"].kind == "&&" else ("or", OR)
        left = condition(t, node["left"])
        known = facts(node["left"], word == "and")[0]
        right = t.knowing(known, lambda: condition(t, node["right"]))
        return join(wrap(left, level), f" {word} ", wrap(right, level + 1), precedence=level)
    if node.kind == "member_expression" and node["property"].text == "length" and (
        "optional_chain" not in node.fields
    ):
        owner = node["object"]
        if t.world.only(owner.type, "array") or owner.type == STR:
            return t.expr(owner)
    return truth_of(t, t.expr(node), t.mask(node))


def truth_of(t: Translator, piece: Piece, mask: int) -> Piece:
    if is_plain_truth(t, mask):
        return piece
    things = mask & ~atoms(mask)
    if things and not atoms(mask) & ~NONE:
        if not mask & NONE:
            return t.helper("js_true", piece)
        return join(wrap(piece, COMPARISON + 1), " is not None", precedence=COMPARISON)
    return t.helper("js_true", piece)


def inverse(piece: Piece) -> Piece:
    text = str(piece)
    if piece.precedence == COMPARISON and text.endswith(" is not None"):
        return Piece([text[:-len("is not None")] + "is None"], COMPARISON)
    if piece.precedence == COMPARISON and text.endswith(" is None"):
        return Piece([text[:-len("is None")] + "is not None"], COMPARISON)
    opposite = _opposite(piece)
    return opposite if opposite is not None else negated(piece)


_OPPOSITES = {
    " in ": " not in ", " not in ": " in ", " is ": " is not ", " == ": " != ", " != ": " == ",
}


def _opposite(piece: Piece) -> Optional[Piece]:
    """Return the opposite of a comparison that has one."""
    if piece.precedence != COMPARISON:
        return None
    places = [index for index, part in enumerate(piece.parts) if part in _OPPOSITES]
    if len(places) != 1:
        return None
    parts = list(piece.parts)
    parts[places[0]] = _OPPOSITES[str(parts[places[0]])]
    return Piece(parts, COMPARISON)


_CONSTANTS = frozenset({"number", "string", "null", "undefined", "true", "false"})


def is_pure(node: Node) -> bool:
    """True if evaluating twice does nothing but take time."""
    if node.kind in _CONSTANTS or node.kind in ("identifier", "this"):
        return True
    if node.kind == "member_expression":
        return is_pure(node["object"])
    return False


def twice(t: Translator, node: Node) -> Tuple[Piece, Piece]:
    """Return an expression, and another with the same value that is evaluated after it."""
    piece = t.expr(node)
    if is_pure(node):
        return piece, piece
    if t.no_walrus:
        raise Unsupported("a value that is needed twice", "Put it into a variable")
    name = t.temporary()
    return join(f"{name} := ", piece, precedence=WALRUS), atom(name)


def converted(t: Translator, node: Node) -> Piece:
    """Return an operand for a helper that makes a number of it: null is 0, undefined is NaN."""
    mask = t.mask(node)
    piece = t.expr(node)
    if not mask & NULL and not mask & ANY:
        return piece
    if mask & ANY or mask & UNDEF:
        t.note(
            node, "null and undefined as numbers", "both are None in Python, which counts as NaN",
            "Nothing, unless the program calculates with null",
        )
        return piece
    if mask == NULL:
        return atom("0")
    if is_pure(node):
        return ternary(binary(piece, "is", atom("None"), COMPARISON), atom("0"), piece)
    if t.no_walrus:
        raise Unsupported("a value that is needed twice", "Put it into a variable")
    name = t.temporary()
    first = join(f"({name} := ", piece, ")")
    return ternary(binary(first, "is", atom("None"), COMPARISON), atom("0"), atom(name))


def numeric(t: Translator, node: Node) -> Piece:
    """Return an operand as a number."""
    mask = t.mask(node)
    if not mask & ~(NUMBER | BOOL):
        return t.expr(node)
    if mask == DATE:
        return t.helper("js_time", t.expr(node))
    return t.helper("js_number", converted(t, node))


LATE["condition"] = condition
