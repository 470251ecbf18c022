"""Functions that every page finds: timers, conversions, dialogs."""

from __future__ import annotations

from functools import partial
from typing import Callable, Dict, Optional

from .arguments import arguments_of
from .builtins import ERRORS
from .exceptions import new_error
from .new import new_container
from .notes import Unsupported
from .pieces import Piece, atom, call, method, wrap
from .syntax import Node
from .translator import Translator
from .truth import numeric
from .types import BOOL, NUMBER, STR, UNDEF, WHOLE

_TIMERS = {
    "setTimeout": "set_timeout", "setInterval": "set_interval", "clearTimeout": "clear_timer",
    "clearInterval": "clear_timer", "queueMicrotask": "queue_microtask", "fetch": "fetch",
    "setImmediate": "set_timeout",
}

_URIS = {
    "encodeURIComponent": ("quote", "safe=\"-_.!~*'()\""),
    "encodeURI": ("quote", "safe=\"-_.!~*'();/?:@&=+$,#\""),
}

_KEPT = {"decodeURIComponent": (), "decodeURI": ('";/?:@&=+$,#"',)}


def global_call(t: Translator, node: Node, name: str) -> Optional[Piece]:
    """Return a call of a function that the source does not define, or None."""
    given = node["arguments"].kids
    if name in _TIMERS:
        if given and name.startswith("set") and not t.world.kinds(t.mask(given[0])) & {"function"}:
            if given[0].kind in ("string", "template_string"):
                raise Unsupported("a timer of a text")
        return call(t.runtime(_TIMERS[name]), *arguments_of(t, node))
    if name in ERRORS:
        return new_error(t, node, name)
    if name in _URIS:
        t.need("import urllib.parse")
        function, extra = _URIS[name]
        arguments = [t.text(each) for each in given[:1]]
        return call(f"urllib.parse.{function}", *arguments, *([extra] if extra else []))
    if name in _KEPT and given:
        return t.helper("js_decode_uri", t.text(given[0]), *_KEPT[name])
    rule = _RULES.get(name)
    return rule(t, node) if rule is not None and given else _without_arguments(t, node, name)


def _without_arguments(t: Translator, node: Node, name: str) -> Optional[Piece]:
    if name == "String" and not node["arguments"].kids:
        return atom('""')
    if name == "Number" and not node["arguments"].kids:
        return atom("0")
    if name in ("eval", "Function", "require", "Symbol", "BigInt"):
        raise Unsupported(f"{name} is not supported")
    return None


def _parse_int(t: Translator, node: Node) -> Piece:
    given = node["arguments"].kids
    first = given[0]
    base = given[1].text if len(given) > 1 else "0"
    if base in ("0", "10"):
        if not t.mask(first) & ~WHOLE:
            return t.expr(first)
        if first.kind == "string" and first.text[1:-1].isascii() and (
            first.text[1:-1].isdigit()
        ):
            return call("int", t.expr(first))
    if len(given) > 1 and t.mask(given[1]) & ~(WHOLE | UNDEF):
        raise Unsupported("parseInt with such a base")
    text = t.expr(first) if not t.mask(first) & ~STR else t.text(first)
    if base == "10":
        return t.helper("js_parse_int", text)
    return t.helper("js_parse_int", text, t.expr(given[1]) if len(given) > 1 else "0")


def _parse_float(t: Translator, node: Node) -> Piece:
    first = node["arguments"].kids[0]
    if not t.mask(first) & ~NUMBER:
        return t.expr(first)
    return t.helper("js_parse_float", t.text(first))


def _string(t: Translator, node: Node) -> Piece:
    return t.text(node["arguments"].kids[0])


def _number(t: Translator, node: Node) -> Piece:
    first = node["arguments"].kids[0]
    mask = t.mask(first)
    if not mask & ~NUMBER:
        return t.expr(first)
    if not mask & ~BOOL:
        return call("int", t.expr(first))
    return numeric(t, first)


def _boolean(t: Translator, node: Node) -> Piece:
    first = node["arguments"].kids[0]
    if not t.mask(first) & ~BOOL:
        return t.expr(first)
    return call("bool", t.condition(first))


def _math_test(name: str, t: Translator, node: Node) -> Piece:
    first = node["arguments"].kids[0]
    t.need("import math")
    return call(name, numeric(t, first) if t.mask(first) & ~NUMBER else t.expr(first))


def _alert(t: Translator, node: Node) -> Piece:
    t.note(node, "alert", "a program has no windows: it prints", "Nothing")
    return call("print", *[wrap(t.text(each), 1) for each in node["arguments"].kids[:1]])


def _prompt(t: Translator, node: Node) -> Piece:
    t.note(
        node, "prompt", "it reads the keyboard, which holds up all handlers",
        "Call it in the main thread only",
    )
    return call("input", *[wrap(t.text(each), 1) for each in node["arguments"].kids[:1]])


def _confirm(t: Translator, node: Node) -> Piece:
    t.page_note(node, "confirm")
    return call(t.stub("confirm"), *[t.text(each) for each in node["arguments"].kids[:1]])


def _btoa(t: Translator, node: Node) -> Piece:
    t.need("import base64")
    data = method(t.text(node["arguments"].kids[0]), "encode", '"latin-1"')
    return method(call("base64.b64encode", data), "decode")


def _atob(t: Translator, node: Node) -> Piece:
    t.need("import base64")
    data = call("base64.b64decode", t.text(node["arguments"].kids[0]))
    return method(data, "decode", '"latin-1"')


def _array(t: Translator, node: Node) -> Piece:
    return new_container(t, "Array", node["arguments"].kids)


_RULES: Dict[str, Callable[[Translator, Node], Piece]] = {
    "parseInt": _parse_int, "parseFloat": _parse_float, "String": _string, "Number": _number,
    "Boolean": _boolean, "isNaN": partial(_math_test, "math.isnan"),
    "isFinite": partial(_math_test, "math.isfinite"), "alert": _alert,
    "prompt": _prompt, "confirm": _confirm, "Array": _array,
    "btoa": _btoa, "atob": _atob,
}
