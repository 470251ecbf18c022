"""Texts: literals, concatenation and templates."""

from __future__ import annotations

import re
from typing import List, Optional, Union

from .literals import quote, unescape
from .notes import Unsupported
from .pieces import SUM, Piece, Text, atom, binary, call, ternary
from .syntax import Node
from .translator import EXPRESSIONS, LATE, Translator
from .tree import string_value
from .truth import converted
from .types import ANY, BOOL, ERR, NONE, NULL, NUMBER, STR, UNDEF, WHOLE, Thing


def _string(t: Translator, node: Node) -> Piece:
    value = string_value(node)
    if value.isascii():
        return plain_text(value)
    if any(ord(character) > 0xFFFF for character in value):
        t.note(
            node, "characters outside the basic plane",
            "JavaScript counts each as two, Python as one",
            "Check lengths and places in such texts",
        )
    if re.search("[\ud800-\udfff]", value):
        raise Unsupported("half a character cannot be a text in Python")
    return plain_text(value)


def plain_text(value: str) -> Piece:
    """Return a string literal."""
    shown = quote(value)
    if shown[0] == '"' and "\\" not in shown and len(shown) > 30:
        return Piece([Text([shown[1:-1]], "")])
    return atom(shown)


def as_text(t: Translator, node: Node) -> Piece:
    """Return an expression as the text that ``+`` makes of it."""
    piece, mask = t.expr(node), t.mask(node)
    return text_of(t, piece, mask, node)


def text_of(t: Translator, piece: Piece, mask: int, node: Node) -> Piece:
    """Return a value of a type as text."""
    if not mask & ~STR:
        return piece
    if prints_alike(mask):
        return call("str", piece)
    if mask == BOOL:
        return ternary(piece, atom('"true"'), atom('"false"'))
    if t.world.only(mask, "instance") and all(map(_has_text, t.world.of(mask))):
        return Shown(call("str", piece).parts)
    if is_opaque(t, mask):
        raise Unsupported("a text of a function, a map or a set")
    return t.helper("js_text", *with_none(t, piece, mask, node))


def is_opaque(t: Translator, mask: int) -> bool:
    """True if a value, or an element of it, is a function, a map or a set."""
    return any(
        thing.kind in ("function", "class", "map", "set", "promise")
        for thing in t.world.of(_with_elements(t, mask))
    )


def is_object(t: Translator, mask: int) -> bool:
    """True if a value may be an object of the program that does not say how it is written."""
    return any(
        thing.kind == "record" or (thing.kind == "instance" and not _has_text(thing))
        for thing in t.world.of(mask)
    )


def _has_text(thing: Thing) -> bool:
    walked: Optional[Thing] = thing
    while walked is not None:
        if "toString" in walked.methods:
            return True
        walked = walked.base
    return False


def prints_alike(mask: int) -> bool:
    """True if ``str`` writes the value as JavaScript does, or better."""
    return not mask & ~(STR | WHOLE | ERR)


def with_none(t: Translator, piece: Piece, mask: int, node: Node) -> List[Union[Piece, str]]:
    """Return the arguments of a helper that shows None."""
    if shows_null(t, mask):
        return [piece, '"null"']
    note_mixed(t, mask, node)
    return [piece]


def note_null(t: Translator, nodes: List[Node]) -> None:
    """Note that null is shown as undefined, if one of the values may be null, or hold it."""
    for node in nodes:
        mask = t.mask(node.kids[0] if node.kind == "spread_element" else node)
        note_mixed(t, mask | UNDEF if _with_elements(t, mask) & NULL else mask, node)


def shows_null(t: Translator, mask: int) -> bool:
    """True if None can only be null, in the value itself or in its elements."""
    inner = _with_elements(t, mask)
    return bool(inner & NULL and not inner & (UNDEF | ANY))


def note_mixed(t: Translator, mask: int, node: Node) -> None:
    """Note that null is shown as undefined if a value, or its elements, may be either."""
    inner = _with_elements(t, mask)
    if mask & ANY or (inner & NULL and inner & UNDEF):
        t.note(
            node, "null and undefined as text", "both are None in Python, and shown as undefined",
            "Nothing, unless null is shown to somebody",
        )


def _with_elements(t: Translator, mask: int) -> int:
    """Return what a value and the elements of its arrays and objects may be."""
    found = t.with_elements.get(mask)
    if found is None:
        found = t.with_elements[mask] = _found_elements(t, mask)
    return found


def _found_elements(t: Translator, mask: int) -> int:
    inner, seen = mask, 0
    for _ in range(4):
        for thing in t.world.of(inner & ~seen):
            seen |= thing.bit
            if thing.kind in ("array", "dict"):
                inner |= thing.others
                for value in thing.fields.values():
                    inner |= value
    return inner


def addition(t: Translator, node: Node) -> Piece:
    """Return ``a + b``: a sum, a text, or what it is at run time."""
    operands = _operands(node)
    if node.type == STR and all(each.type for each in operands):
        return _concatenation(t, operands, node)
    return _sum(t, node["left"], node["right"], node)


def _operands(node: Node) -> List[Node]:
    """Return the operands of a chain of additions whose inner ones make texts."""
    left = node["left"]
    if left.kind == "binary_expression" and left["operator"].kind == "+" and left.type == STR:
        return [*_operands(left), node["right"]]
    return [left, node["right"]]


def _sum(t: Translator, left: Node, right: Node, node: Node) -> Piece:
    a, b = t.mask(left), t.mask(right)
    numeric = NUMBER | BOOL | NONE
    if not (a | b) & ~numeric and (a | b) & NULL:
        return sum_of(t, converted(t, left), a, converted(t, right), b, node)
    if a != STR and b != STR and (a | b) & (NONE | ANY) and not shows_null(t, a | b) and not (
        (a | b) & UNDEF and not (a | b) & (NULL | ANY)
    ):
        t.note(
            node, "null and undefined in a sum",
            "both are None in Python, which counts as undefined",
            "Nothing, unless the program adds null to something",
        )
    return sum_of(t, t.expr(left), a, t.expr(right), b, node)


def sum_of(t: Translator, left: Piece, a: int, right: Piece, b: int, node: Node) -> Piece:
    """Return the sum of two pieces of these types."""
    numbers = NUMBER | BOOL
    if (not a & ~numbers and not b & ~numbers) or (a == STR and b == STR):
        return binary(left, "+", right, SUM)
    if a == STR or b == STR:
        return binary(
            text_of(t, left, a, node), "+", text_of(t, right, b, node), SUM
        )
    extra = ['"null"'] if shows_null(t, a | b) else []
    return t.helper("js_add", left, right, *extra)


def _concatenation(t: Translator, operands: List[Node], node: Node) -> Piece:
    parts: List[Union[str, Piece]] = []
    for each in operands:
        parts.extend(_text_parts(t, each))
    return formatted(t, parts)


def _text_parts(t: Translator, node: Node) -> List[Union[str, Piece]]:
    """Return the fixed texts and the pieces that a node puts into a text."""
    if node.kind == "string":
        _string(t, node)
        return [string_value(node)]
    if node.kind == "template_string" and id(node) not in t.replaced:
        return _template_parts(t, node)
    piece, mask = t.expr(node), t.mask(node)
    if mask & ~STR and prints_alike(mask):
        return [Shown(piece.parts, piece.precedence)]
    return [text_of(t, piece, mask, node)]


class Shown(Piece):
    """A piece that an f-string turns into text as JavaScript does."""

    __slots__ = ()


def _template_parts(t: Translator, node: Node) -> List[Union[str, Piece]]:
    parts: List[Union[str, Piece]] = []
    source = node.source
    at = node.start + 1
    for kid in node.kids:
        if kid.kind == "template_substitution":
            parts.append(_fixed(source[at:kid.start]))
            parts.extend(_text_parts(t, kid.kids[0]))
            at = kid.end
    parts.append(_fixed(source[at:node.end - 1]))
    return [part for part in parts if part != ""]


def _fixed(data: bytes) -> str:
    return unescape(data.decode("utf-8", "replace").replace("\r\n", "\n"))


def formatted(t: Translator, parts: List[Union[str, Piece]]) -> Piece:
    """Return an f-string, or a sum where Python 3.9 has no f-string for it."""
    merged: List[Union[str, Piece]] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    merged = [part for part in merged if part != ""]
    if not merged:
        return atom('""')
    if all(isinstance(part, str) for part in merged):
        return plain_text("".join(map(str, merged)))
    texts = [_inside(part) for part in merged]
    if None in texts or sum(len(each or "") for each in texts) > 600:
        return _summed(merged)
    return Piece([Text([each or "" for each in texts], "f")])


def _inside(part: Union[str, Piece]) -> Optional[str]:
    """Return a part of an f-string in double quotes, or None if it cannot stand there."""
    if isinstance(part, str):
        shown = quote(part)
        inner = shown[1:-1]
        if shown[0] == "'":
            inner = inner.replace('"', '\\"').replace("\\'", "'")
        return inner.replace("{", "{{").replace("}", "}}")
    text = str(part)
    if '"' in text:
        if "'" in text:
            return None
        text = text.replace('"', "'")
    if "\\" in text or "#" in text or "\n" in text:
        return None
    if re.search(r":=|\blambda\b|!=", text) or text.startswith("{"):
        text = f"({text})"
    # The str() that a person leaves out.
    plain = re.fullmatch(r"str\(([\w.]+)\)", text)
    return f"{{{plain[1] if plain else text}}}"


def _summed(parts: List[Union[str, Piece]]) -> Piece:
    pieces = []
    for part in parts:
        if isinstance(part, str):
            pieces.append(atom(quote(part)))
        else:
            pieces.append(call("str", part) if isinstance(part, Shown) else part)
    found = pieces[0]
    for each in pieces[1:]:
        found = binary(found, "+", each, SUM)
    return found


def _template(t: Translator, node: Node) -> Piece:
    return formatted(t, _template_parts(t, node))


EXPRESSIONS.update({"string": _string, "template_string": _template})
LATE["text"] = as_text
