"""``console``."""

from __future__ import annotations

import re
from functools import partial
from typing import List, Union

from .arguments import arguments_of
from .notes import Unsupported
from .pieces import (
    COMPARISON,
    Piece,
    atom,
    binary,
    call,
    join,
    sequence,
    ternary,
    wrap,
)
from .syntax import Node
from .texts import is_object, is_opaque, note_mixed, note_null, shows_null, with_none
from .translator import Translator
from .tree import string_value
from .truth import is_pure
from .types import BOOL, CALL, CTI, ERR, NONE, NULL, RES, STR, UNDEF, WHOLE

#: What ``print`` shows as JavaScript does, or better.
_ALIKE = STR | WHOLE | ERR | CALL | CTI | RES


def console_call(t: Translator, node: Node, name: str) -> Piece:
    """Return a call of ``console.log`` and its like."""
    if name not in ("log", "info", "debug", "error", "warn"):
        raise Unsupported(f"console.{name} is not supported")
    given = node["arguments"].kids
    extra: List[Union[Piece, str]] = []
    if name in ("error", "warn"):
        t.need("import sys")
        extra = ["file=sys.stderr"]
    if any(each.kind == "spread_element" for each in given):
        t.helpers.add("js_shown")
        note_null(t, given)
        values = sequence("[", [each if isinstance(each, Piece) else atom(each)
                                for each in arguments_of(t, node)], "]")
        return call("print", join("*map(js_shown, ", values, ")"), *extra)
    if len(given) > 1 and _has_format(given[0]):
        note_null(t, given)
        text = t.helper("js_format", *[wrap(t.expr(each), 1) for each in given])
        return call("print", text, *extra)
    if all(t.mask(each) & ~_ALIKE == 0 for each in given):
        return call("print", *[wrap(t.expr(each), 1) for each in given], *extra)
    if all(_is_short(t, each) for each in given):
        return call("print", *[_short(t, each) for each in given], *extra)
    if any(is_opaque(t, t.mask(each)) or is_object(t, t.mask(each)) for each in given):
        t.note(
            node, f"console.{name}",
            "functions, maps, sets and objects of the program are shown as Python shows them",
            "Nothing",
        )
    pieces = [wrap(t.expr(each), 1) for each in given]
    if not extra and not any(shows_null(t, t.mask(each)) for each in given):
        for each in given:
            note_mixed(t, t.mask(each), each)
        return t.helper("js_log", *pieces)
    return call("print", *map(partial(_shown, t), given, pieces), *extra)


def _has_format(node: Node) -> bool:
    """True for a text in which ``%s`` and its like are filled in."""
    if node.kind != "string" or not re.search(r"%[sdifjoOc%]", string_value(node)):
        return False
    if "%o" in node.text:
        raise Unsupported("%o of console.log shows what only an engine knows")
    return True


def _is_short(t: Translator, node: Node) -> bool:
    """True if a conditional expression shows the value as JavaScript does."""
    mask = t.mask(node)
    if not mask & ~_ALIKE or mask == BOOL:
        return True
    missing = mask & NONE
    return not mask & ~(_ALIKE | NONE) and missing in (NULL, UNDEF) and is_pure(node)


def _short(t: Translator, node: Node) -> Piece:
    mask = t.mask(node)
    piece = t.expr(node)
    if not mask & ~_ALIKE:
        return wrap(piece, 1)
    if mask == BOOL:
        return ternary(t.condition(node), atom('"true"'), atom('"false"'))
    shown = atom('"null"' if mask & NULL else '"undefined"')
    if not mask & ~NONE:
        return shown
    return ternary(binary(piece, "is", atom("None"), COMPARISON), shown, piece)


def _shown(t: Translator, node: Node, piece: Piece) -> Piece:
    mask = t.mask(node)
    if not mask & ~_ALIKE:
        return piece
    return t.helper("js_shown", *with_none(t, piece, mask, node))
