"""Texts: concatenation, templates, and the methods of strings."""

from __future__ import annotations

from typing import Callable, Dict, List, Optional, Union

from .literals import quote
from .notes import Unsupported
from .pieces import (
    COMPARISON,
    PRODUCT,
    SUM,
    TERNARY,
    Piece,
    atom,
    binary,
    call,
    join,
    method,
    wrap,
)
from .regexes import check_replacement, compiled, match, match_all, may_be_empty, replace
from .syntax import Node
from .texts import text_of
from .translator import Translator
from .tree import string_value
from .truth import numeric
from .types import NAN, NAT, NUMBER, STR, WHOLE


def string_method(
    t: Translator, node: Node, target: Piece, name: str, arguments: List[Node]
) -> Optional[Piece]:
    """Return a call of a string's method, or None if it is none that is known."""
    simple = _RENAMED.get(name)
    if simple is not None and len(arguments) == simple[1]:
        return method(target, simple[0], *[_text_argument(t, each) for each in arguments])
    rule = _METHODS.get(name)
    return rule(t, node, target, arguments) if rule is not None else None


_RENAMED = {
    "trim": ("strip", 0), "trimStart": ("lstrip", 0), "trimEnd": ("rstrip", 0),
    "toUpperCase": ("upper", 0), "toLowerCase": ("lower", 0), "toLocaleUpperCase": ("upper", 0),
    "toLocaleLowerCase": ("lower", 0), "indexOf": ("find", 1), "lastIndexOf": ("rfind", 1),
    "startsWith": ("startswith", 1), "endsWith": ("endswith", 1), "replaceAll": ("", -1),
}


def _text_argument(t: Translator, node: Node) -> Piece:
    return t.text(node)


def whole(t: Translator, node: Node) -> Piece:
    """Return an argument that is a whole number."""
    if t.mask(node) & ~WHOLE:
        return call("int", t.expr(node))
    return t.expr(node)


def _is_natural(t: Translator, node: Node) -> bool:
    return not t.mask(node) & ~NAT


def slice_of(target: Piece, start: Union[Piece, str], end: Union[Piece, str] = "") -> Piece:
    """Return ``target[start:end]``."""
    first, last = (_bound(each) for each in (start, end))
    return join(wrap(target, 16), f"[{first}:{last}]")


def _bound(piece: Union[Piece, str]) -> str:
    text = str(piece)
    if isinstance(piece, Piece) and piece.precedence < TERNARY + 1:
        return f"({text})"
    return "" if text == "0" else text


def _slice(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    if not arguments:
        return slice_of(target, "")
    if any(t.mask(each) & ~WHOLE for each in arguments):
        if any(t.mask(each) & ~NUMBER or t.mask(each) & NAN for each in arguments):
            return t.helper("js_slice", target, *[t.expr(each) for each in arguments])
    start = whole(t, arguments[0])
    end = whole(t, arguments[1]) if len(arguments) > 1 else atom("")
    return slice_of(target, start, end if str(end) != "0" else atom("+0"))


def _substring(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    if len(arguments) == 1 and _is_natural(t, arguments[0]):
        return slice_of(target, t.expr(arguments[0]))
    if len(arguments) == 2 and all(each.kind == "number" for each in arguments) and all(
        each.text.isdigit() for each in arguments
    ):
        first, last = sorted(int(each.text) for each in arguments)
        return slice_of(target, atom(str(first)), atom(str(last) if last else "+0"))
    return t.helper("js_substring", target, *[_numeric(t, each) for each in arguments])


def _numeric(t: Translator, node: Node) -> Piece:
    return numeric(t, node)


def _substr(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    return t.helper("js_substr", target, *[whole(t, each) for each in arguments])


def _char_at(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    if not arguments:
        return slice_of(target, "", atom("1"))
    index = arguments[0]
    if index.kind == "number" and index.text.isdigit():
        number = int(index.text)
        return slice_of(target, atom(str(number)), atom(str(number + 1)))
    if _is_natural(t, index):
        piece = t.expr(index)
        return slice_of(target, piece, binary(piece, "+", atom("1"), SUM))
    found = t.helper("js_item", target, t.expr(index))
    return join(found, ' or ""', precedence=3)


def _char_code(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    return t.helper("js_char_code", target, *[whole(t, each) for each in arguments])


def _includes(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    if len(arguments) != 1:
        raise Unsupported("includes with a place is not supported")
    return binary(_text_argument(t, arguments[0]), "in", target, COMPARISON)


def _split(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    if not arguments:
        return join("[", target, "]")
    first = arguments[0]
    if first.kind == "regex":
        if may_be_empty(first):
            raise Unsupported("split by a regular expression that may find nothing")
        found = method(compiled(t, first), "split", target)
    elif first.kind == "string" and len(first.text) > 2:
        found = method(target, "split", t.expr(first))
    elif first.kind == "string":
        found = call("list", target)
    elif not t.mask(first) & ~STR:
        found = t.helper("js_split", target, t.expr(first))
    else:
        raise Unsupported("split by something that may be no text")
    if len(arguments) > 1:
        if not _is_natural(t, arguments[1]):
            raise Unsupported("split into a number of parts that may be negative")
        found = slice_of(found, "", whole(t, arguments[1]))
    return found


def _replace(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    if len(arguments) != 2:
        raise Unsupported("replace needs two arguments")
    return replace(t, node, target, arguments)


def _replace_all(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    if len(arguments) != 2 or arguments[0].kind == "regex":
        return _replace(t, node, target, arguments)
    first, second = arguments
    if second.kind != "string" or "$" in second.text:
        check_replacement(t, second)
    return method(target, "replace", _text_argument(t, first), _text_argument(t, second))


def _pad(at_start: bool) -> "Rule":
    def rule(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
        fill = string_value(arguments[1]) if len(arguments) > 1 and (
            arguments[1].kind == "string"
        ) else " " if len(arguments) == 1 else ""
        size = whole(t, arguments[0])
        if len(fill) == 1:
            extra = [] if fill == " " else [quote(fill)]
            return method(target, "rjust" if at_start else "ljust", size, *extra)
        more: List[Union[Piece, str]] = [t.text(each) for each in arguments[1:]]
        end = [] if at_start else ["at_start=False"]
        return t.helper("js_pad", target, size, *more, *end)
    return rule


def _repeat(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    count = whole(t, arguments[0])
    if not _is_natural(t, arguments[0]):
        count = t.helper("js_within", count, "0", "2 ** 29", '"Invalid count value: {}"')
    return binary(target, "*", count, PRODUCT)


def _concat(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    found = target
    for each in arguments:
        found = binary(found, "+", t.text(each), SUM)
    return found


def _itself(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    return target


def at_index(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    index = whole(t, arguments[0])
    if arguments[0].kind == "unary_expression":
        size = call("len", target)
        return t.helper("js_item", target, binary(size, "+", index, SUM))
    helper = "js_at" if t.mask(arguments[0]) & ~NAT else "js_item"
    return t.helper(helper, target, index)


def _index_from(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    return method(target, "find", t.text(arguments[0]), call("max", "0", whole(t, arguments[1])))


def _starts(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    return method(target, "startswith", t.text(arguments[0]), call(
        "max", "0", whole(t, arguments[1])
    ))


def _match(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    return match(t, target, arguments)


def _match_all(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    return match_all(t, target, arguments)


def _search(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    raise Unsupported("search is not supported", "Use re.search")


def _locale(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    t.note(
        node, "localeCompare", "it orders by the rules of a language",
        "Use locale.strxfrm for letters beyond ASCII",
    )
    return t.helper("js_locale_compare", target, *[t.text(each) for each in arguments[:1]])


Rule = Callable[[Translator, Node, Piece, List[Node]], Piece]

_METHODS: Dict[str, Rule] = {
    "slice": _slice, "substring": _substring, "substr": _substr, "charAt": _char_at,
    "charCodeAt": _char_code, "includes": _includes, "split": _split, "replace": _replace,
    "replaceAll": _replace_all, "padStart": _pad(True), "padEnd": _pad(False), "repeat": _repeat,
    "concat": _concat, "toString": _itself, "valueOf": _itself, "at": at_index, "match": _match,
    "matchAll": _match_all,
    "search": _search, "localeCompare": _locale, "indexOf": _index_from, "startsWith": _starts,
}


def _within(t: Translator, node: Node, first: int, last: int, what: str) -> Piece:
    """Return a whole number; JavaScript raises if it is outside a range."""
    piece = whole(t, node)
    if node.text.isdigit() and first <= int(node.text) <= last:
        return piece
    message = quote(f"{what} must be between {first} and {last}")
    return t.helper("js_within", piece, str(first), str(last), message)


def number_method(
    t: Translator, node: Node, target: Piece, name: str, arguments: List[Node]
) -> Optional[Piece]:
    """Return a call of a number's method, or None."""
    if name == "toFixed":
        return t.helper("js_fixed", target, *[
            _within(t, each, 0, 100, "toFixed() digits argument") for each in arguments
        ])
    if name == "toString" and not arguments:
        return text_of(t, target, t.mask(node["function"]["object"]), node)
    if name == "toString":
        if t.mask(node["function"]["object"]) & ~WHOLE:
            raise Unsupported("a fraction in another base is not supported")
        base = _within(t, arguments[0], 2, 36, "toString() radix")
        return t.helper("js_radix", target, base)
    if name == "valueOf":
        return target
    if name == "toLocaleString":
        t.note(
            node, "toLocaleString", "it writes numbers as the browser's language does",
            "Format the number as your users expect it",
        )
        return call("format", target, '","')
    return None
