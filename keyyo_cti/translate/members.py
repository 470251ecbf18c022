"""Properties and elements: read, set, deleted."""

from __future__ import annotations

from typing import Callable, Dict, FrozenSet, Optional

from . import keyyo
from .constants import of_math, of_number, of_process
from .infer_rules import is_own_key
from .literals import quote
from .naming import legal_name
from .notes import Unsupported
from .pieces import (
    COMPARISON,
    OR,
    WALRUS,
    Piece,
    atom,
    attribute,
    binary,
    call,
    item,
    join,
    method,
    ternary,
    wrap,
)
from .regexes import match_field
from .supers import parent_of
from .syntax import Node
from .translator import EXPRESSIONS, Translator
from .tree import literal_key
from .truth import is_pure
from .types import (
    ANY,
    CALL,
    CTI,
    DATE,
    ERR,
    ERROR,
    FIELDS,
    KEYYO,
    MATCH,
    NONE,
    PAGE,
    REGEX,
    RES,
    STR,
    TIMER,
    atoms,
)

_OBJECTS = CTI | CALL | ERR | RES | PAGE | KEYYO | TIMER
_CHAIN = ("member_expression", "subscript_expression", "call_expression")


def chained(node: Node) -> Optional[Node]:
    """Return the innermost ``?.`` of a chain, or None."""
    found = None
    walked: Optional[Node] = node if node.mentions(b"?.") else None
    while walked is not None and walked.kind in _CHAIN:
        if "optional_chain" in walked.fields:
            found = walked
        walked = walked.get("object") or walked.get("function")
    return found


def optional(t: Translator, node: Node) -> Optional[Piece]:
    """Return a chain with ``?.``, or None if there is none left."""
    link = chained(node)
    if link is None or id(link) in t.stripped:
        return None
    base = link.get("object") or link["function"]
    value = t.expr(base)
    if is_pure(base) or str(value).isidentifier():
        again = value
    else:
        again = atom(t.temporary())
        if not t.no_walrus:
            value = join(f"{again} := ", value, precedence=WALRUS)
    is_lambda = value is not again and t.no_walrus
    t.stripped.add(id(link))
    saved = dict(t.replaced)
    optional_chain = link.fields.pop("optional_chain")
    t.replaced[id(base)] = again
    try:
        rest = t.expr(node)
    finally:
        t.replaced = saved
        link.fields["optional_chain"] = optional_chain
        t.stripped.discard(id(link))
    if is_lambda:
        test = binary(again, "is not", atom("None"), COMPARISON)
        function = join(f"lambda {again}: ", ternary(test, rest, atom("None")), precedence=1)
        return call(function, value)
    test = binary(wrap(value, COMPARISON + 1), "is not", atom("None"), COMPARISON)
    return ternary(test, rest, atom("None"))


def _member(t: Translator, node: Node) -> Piece:
    found = optional(t, node)
    if found is not None:
        return found
    target, name = node["object"], node["property"].text
    special = _special(t, node, target, name)
    if special is not None:
        return special
    return read(t, node, target, name)


def _special(t: Translator, node: Node, target: Node, name: str) -> Optional[Piece]:
    """Return a property of what JavaScript or the browser defines, or None."""
    if target.kind == "super":
        return atom(f"{parent_of(t, node)}.{t.names.attribute(name)}")
    if t.mask(target) == KEYYO:
        return _csb(t, node, name)
    if target.kind != "identifier" or not target.is_free:
        return None
    rule = _NAMESPACES.get(target.text)
    return rule(t, name) if rule is not None else None


def _of_console(t: Translator, name: str) -> Optional[Piece]:
    if name in ("log", "info", "error", "warn", "debug"):
        t.helpers.add("js_log")
        return atom("js_log")
    return None


_STORAGES = {"localStorage": "local_storage", "sessionStorage": "session_storage"}


def _of_window(t: Translator, name: str) -> Optional[Piece]:
    if name == "Keyyo":
        t.need("from keyyo_cti import Keyyo")
        return atom("Keyyo")
    if name in _STORAGES:
        return atom(t.stub(_STORAGES[name]))
    binding = t.analysis.module.bindings.get(name)
    if binding is not None and binding.kind != "free":
        return atom(t.name_of(binding))
    return None


_NAMESPACES: Dict[str, Callable[[Translator, str], Optional[Piece]]] = {
    "Math": of_math, "Number": of_number, "console": _of_console, "window": _of_window,
    "self": _of_window, "globalThis": _of_window, "process": of_process,
}


def _csb(t: Translator, node: Node, name: str) -> Optional[Piece]:
    if name == "CTI":
        # Otherwise the program would not wait for what is made by another name.
        raise Unsupported("Keyyo.CTI without new", "Write new Keyyo.CTI(...)")
    if name == "connected" and node["object"].text == "Keyyo.CSB":
        return atom(f"{the_cti(t, node)}.connected")
    raise Unsupported(f"Keyyo.{name} does not exist in Python")


def the_cti(t: Translator, node: Node) -> str:
    """Return the program's CTI, if it has exactly one.

    :raises Unsupported: it has none, or several.
    """
    found = sorted({
        binding.python for binding in t.analysis.bindings
        if binding.type and not binding.type & ~CTI and binding.is_module
    })
    if len(found) == 1:
        return found[0]
    if "cti" in found or not found:
        return "cti"
    raise Unsupported("which CTI is meant is not clear", "Name it")


def read(t: Translator, node: Node, target: Node, name: str) -> Piece:
    """Return a property that is read."""
    mask = t.mask(target)
    if name == "length":
        return _length(t, target, mask)
    if name == "size" and t.world.only(mask & ~NONE, "map", "set"):
        return call("len", t.expr(target))
    piece = t.expr(target)
    if mask & ~NONE == MATCH and may_miss(t, target):
        return t.helper("js_get", piece, quote(name))
    return read_of(t, node, piece, mask, name)


def _length(t: Translator, target: Node, mask: int) -> Piece:
    piece = t.expr(target)
    plain = mask & ~NONE
    if t.world.only(plain & ~(STR | MATCH), "array") or plain in (STR, STR | MATCH):
        return call("len", piece)
    if plain == PAGE:
        return attribute(piece, "length")
    if t.world.only(plain, "instance", "record"):
        return attribute(piece, t.names.attribute("length"))
    if t.world.only(plain, "function"):
        raise Unsupported("the length of a function")
    return t.helper("js_get", piece, '"length"')


def read_of(t: Translator, node: Node, piece: Piece, mask: int, name: str) -> Piece:
    """Return a property of a piece."""
    if mask == KEYYO:
        raise Unsupported("a pattern that takes Keyyo apart", "Write new Keyyo.CTI(...)")
    mask &= ~NONE
    if not mask:
        mask = ANY
    kinds = t.world.kinds(mask)
    primitive = atoms(mask)
    if not kinds and primitive and not primitive & ~(_OBJECTS):
        return _of_keyyo(t, node, piece, primitive, name)
    if not primitive and kinds <= {"instance", "record", "class"}:
        return _of_object(t, piece, mask, kinds, name)
    if not primitive and kinds == {"dict"}:
        return _of_dict(t, piece, mask, name)
    if primitive == FIELDS and not kinds:
        return method(piece, "get", quote(name))
    return _of_others(t, piece, primitive, kinds, name)


def _of_object(
    t: Translator, piece: Piece, mask: int, kinds: FrozenSet[str], name: str
) -> Piece:
    is_own = any(name in thing.fields for thing in t.world.of(mask))
    if name == "constructor" and kinds == {"instance"} and not is_own:
        return call("type", piece)
    if name == "name" and kinds == {"class"} and not is_own:
        return attribute(piece, "__name__")
    return attribute(piece, t.names.attribute(name))


def _of_others(
    t: Translator, piece: Piece, primitive: int, kinds: FrozenSet[str], name: str
) -> Piece:
    if primitive == MATCH:
        return match_field(t, piece, name)
    if name == "message" and primitive & (ERROR | ERR) and not kinds:
        if primitive == ERROR:
            return call("str", piece)
        return t.helper("js_message", piece)
    if primitive & (ERROR) and name == "name":
        return t.helper("js_error_name", piece)
    if primitive & (ERROR | ERR) and not primitive & ~(ERROR | ERR) and (
        name in keyyo.FIELDS_OF_ERROR
    ):
        return call("getattr", piece, quote(name), "None")
    if name == "size" and kinds & {"map", "set"}:
        raise Unsupported("the size of what may be a map or something else")
    if kinds == {"function"} and name in ("name", "prototype", "caller", "arguments"):
        raise Unsupported(f"the {name} of a function")
    if primitive & (REGEX | DATE) and not primitive & ANY and not kinds:
        raise Unsupported(f"the property {name} is not supported")
    return t.helper("js_get", piece, quote(attribute_or_key(t, name)))


def attribute_or_key(t: Translator, name: str) -> str:
    is_attribute = name not in t.dict_keys and _is_attribute(t, name)
    return t.names.attribute(name) if is_attribute else name


def _is_attribute(t: Translator, name: str) -> bool:
    return bool(t.owners_of(name, "instance", "record"))


def _of_dict(t: Translator, piece: Piece, mask: int, name: str) -> Piece:
    certain = all(
        name in thing.certain and not thing.deletes for thing in t.world.of(mask)
    )
    return item(piece, quote(name)) if certain else method(piece, "get", quote(name))


_KNOWN = {**keyyo.FIELDS_OF_CALL, **keyyo.FIELDS_OF_RESULT, **keyyo.FIELDS_OF_ERROR}


def _of_keyyo(t: Translator, node: Node, piece: Piece, mask: int, name: str) -> Piece:
    if mask == CALL and name == "date":
        t.note(
            node, "call.date", "the server does not send it",
            "Check that connect_date or setup_date is what you mean",
        )
        return join(
            attribute(piece, "connect_date"), " or ", attribute(piece, "setup_date"),
            precedence=OR,
        )
    if mask == CALL and name == "type":
        t.note(
            node, "call.type", "it is always undefined in JavaScript, and the state in Python",
            "Use call.state in both languages",
        )
    if mask == CTI and name in ("connected", "number", "session_id"):
        t.note(
            node, f"cti.{name}", "it is always undefined in JavaScript, and has a value in Python",
            "Check what depends on it",
        )
    if mask & (CALL | RES | ERR) and not mask & PAGE and name not in _KNOWN and (
        name not in keyyo.RESERVED
    ):
        return call("getattr", piece, quote(name), "None")
    if mask == PAGE and not name.isidentifier():
        raise Unsupported(f"the property {name} is not supported")
    return attribute(piece, legal_name(name))


def _subscript(t: Translator, node: Node) -> Piece:
    found = optional(t, node)
    if found is not None:
        return found
    target, key = node["object"], node["index"]
    name = literal_key(key)
    mask = t.mask(target) & ~NONE
    if name is not None and not name.isdigit():
        return read(t, node, target, name)
    kinds, primitive = t.world.kinds(mask), atoms(mask)
    piece = t.expr(target)
    if not kinds and primitive == MATCH:
        if may_miss(t, target):
            return t.helper("js_get", piece, t.expr(key))
        return item(piece, t.expr(key))
    if (kinds == {"array"} and not primitive) or (not kinds and primitive == STR):
        return _element(t, node, piece, target, key)
    if kinds == {"dict"} and not primitive:
        return _entry(t, node, piece, key)
    if not kinds and primitive and not primitive & ~(CALL | CTI | RES | PAGE | ERR):
        return _named(t, piece, primitive, key)
    if kinds <= {"instance", "record"} and not primitive and kinds:
        raise Unsupported("a member whose name is computed", "Use getattr")
    return t.helper("js_get", piece, t.expr(key))


def may_miss(t: Translator, match: Node) -> bool:
    """True where mypy looks at code that uses a match which may be None: not in functions."""
    return t.function.is_of_module and bool(t.mask(match) & NONE)


def _named(t: Translator, piece: Piece, mask: int, key: Node) -> Piece:
    if mask & (CALL | CTI):
        return call("getattr", piece, t.expr(key))
    if mask == PAGE:
        return item(piece, t.expr(key))
    return method(piece, "get", t.text(key)) if mask == RES else t.helper(
        "js_get", piece, t.expr(key)
    )


def _element(t: Translator, node: Node, piece: Piece, target: Node, key: Node) -> Piece:
    if is_within(t, target, key):
        return item(piece, t.expr(key))
    if key.text == f"{target.text}.length - 1" and is_pure(target):
        return ternary(piece, item(piece, "-1"), atom("None"))
    return t.helper("js_item", piece, t.expr(key))


def is_within(t: Translator, target: Node, key: Node) -> bool:
    """True if an index is known to be in the bounds of an array."""
    if target.kind != "identifier" or key.kind != "identifier":
        return False
    for loop in t.function.loops:
        if loop.node.info == ("bounded", key.binding, target.binding):
            return True
    return False


def key_of(t: Translator, key: Node) -> Piece:
    return t.expr(key) if not t.mask(key) & ~STR else t.text(key)


def _entry(t: Translator, node: Node, piece: Piece, key: Node) -> Piece:
    name = literal_key(key)
    if name is not None:
        return _of_dict(t, piece, t.mask(node["object"]) & ~NONE, name)
    if is_own_key(node) and not any(
        thing.deletes for thing in t.world.of(t.mask(node["object"]))
    ):
        return item(piece, t.expr(key))
    return method(piece, "get", key_of(t, key))


EXPRESSIONS.update({
    "member_expression": _member,
    "subscript_expression": _subscript,
})
