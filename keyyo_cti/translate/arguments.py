"""Arguments of calls, and what a spread or a loop runs over."""

from __future__ import annotations

from typing import List, Union

from .notes import Unsupported
from .pieces import Piece, atom, attribute, call, in_brackets, join, method, wrap
from .syntax import Node
from .translator import Translator
from .types import ANY, CALL, NONE, PAGE, STR, atoms


def pairs_of(table: Piece) -> Piece:
    """Return the entries of a dict as lists, as JavaScript's are."""
    return join("[list(pair) for pair in ", method(table, "items"), "]")


def iterable(t: Translator, node: Node) -> Piece:
    """Return something that ``for of`` runs over."""
    mask = t.mask(node)
    kinds = t.world.kinds(mask)
    if kinds & {"set", "map"}:
        if t.world.only(mask & ~NONE, "set", "array") and not mask & ANY:
            # Both run over their elements.
            return call("list", t.expr(node))
        if t.world.only(mask, "map"):
            return pairs_of(t.expr(node))
        raise Unsupported("a loop over what may be a map")
    if t.world.only(mask, "instance") and all(
        "[Symbol.iterator]" in thing.methods for thing in t.world.of(mask)
    ):
        return t.expr(node)
    if kinds & {"dict", "instance", "record"} or mask & NONE and not (
        mask & (ANY | STR) or "array" in kinds
    ):
        raise Unsupported("a loop over what may be no array")
    return t.expr(node)


def properties(t: Translator, node: Node) -> Piece:
    """Return ``**values`` for the properties of an object, or the fields of a Call.

    A spread of null or undefined adds nothing.
    """
    mask = t.mask(node)
    piece = wrap(t.expr(node), 16)
    if mask == CALL:
        return join("**", attribute(piece, "fields"))
    if t.world.kinds(mask) - {"dict"}:
        raise Unsupported("the properties of something that may be no plain object")
    if atoms(mask) & ~NONE == PAGE or not atoms(mask):
        return join("**", piece)
    if not atoms(mask) & ~NONE:
        return join("**", in_brackets("(", [piece, " or {}"], ")"))
    return join("**", t.helper("js_fields", t.expr(node)))


def rest_of(t: Translator, piece: Piece, taken: List[str]) -> Piece:
    """Return the properties of an object that a pattern has not taken."""
    if not taken:
        return call("dict", piece)
    # Otherwise they may hide a variable of these names that the pattern takes.
    key, each = t.temporary("key"), t.temporary("each")
    names = ", ".join(taken)
    return atom(
        f"{{{key}: {each} for {key}, {each} in {piece}.items() if {key} not in ({names},)}}"
    )


def has_plain_order(t: Translator, mask: int) -> bool:
    """True if an object's keys are known, and none is a number."""
    for thing in t.world.of(mask):
        if thing.is_open or any(name.isdigit() for name in thing.fields):
            return False
    return True


def spread(t: Translator, node: Node) -> Piece:
    """Return ``*values``."""
    return join("*", wrap(iterable(t, node.kids[0]), 16))


def arguments_of(t: Translator, node: Node) -> List[Union[Piece, str]]:
    """Return the arguments of a call."""
    found: List[Union[Piece, str]] = []
    given = node.get("arguments")
    for kid in given.kids if given is not None else []:
        if kid.kind == "spread_element":
            found.append(spread(t, kid))
        else:
            found.append(wrap(t.expr(kid), 1))
    return found
