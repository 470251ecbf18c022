"""What only a page has: its loading, its closing, its errors."""

from __future__ import annotations

from typing import Optional

from .members import the_cti
from .notes import Unsupported
from .pieces import Piece, attribute, call, join
from .syntax import FUNCTIONS, Node
from .targets import note_holes
from .translator import Translator
from .types import PAGE

_LOADED = frozenset({"load", "DOMContentLoaded", "ready"})
_LEFT = frozenset({"beforeunload", "unload", "pagehide"})


def special_assignment(t: Translator, node: Node) -> bool:
    """Write ``window.onload = ...`` and its like; False if it is none."""
    left, right = node["left"], node["right"]
    if left.kind == "member_expression" and left["property"].text == "length":
        if t.world.only(t.mask(left["object"]), "array"):
            return _resize(t, left["object"], right)
    if left.kind != "member_expression" or not _is_window(left["object"]):
        return _exports(t, left)
    name = left["property"].text
    if name == "onload":
        _when_loaded(t, node, right)
        return True
    if name in ("onbeforeunload", "onunload", "onpagehide"):
        _when_left(t, node, right)
        return True
    if name == "onerror":
        _on_error(t, node, right)
        return True
    binding = t.analysis.module.bindings.get(name)
    if binding is not None and binding.kind == "free":
        raise Unsupported(f"window.{name} is a variable of the module", "Declare it with var")
    return False


def _is_window(node: Node) -> bool:
    return node.kind == "identifier" and node.text == "window" and node.is_free


def _exports(t: Translator, left: Node) -> bool:
    if left.text != "module.exports":
        return False
    t.note(left, left.text, "Python exports every name of a module", "Nothing")
    return True


def _resize(t: Translator, array: Node, size: Node) -> bool:
    piece = t.expr(array)
    if size.text == "0":
        t.write(call(attribute(piece, "clear")))
    else:
        note_holes(t, array)
        t.write(t.helper("js_resize", piece, t.expr(size)))
    return True


def _no_arguments(t: Translator, node: Node) -> Piece:
    """Return a function that is called without arguments."""
    if node.kind not in FUNCTIONS and not t.world.kinds(t.mask(node)) & {"function"}:
        raise Unsupported("a handler that is no function")
    for thing in t.world.of(t.mask(node)):
        thing.counts.add(0)
    return t.expr(node)


def _on_error(t: Translator, node: Node, right: Node) -> None:
    things = list(t.world.of(t.mask(right)))
    if len(things) != 1 or things[0].kind != "function":
        raise Unsupported("such a window.onerror is not supported")
    handler = t.expr(right)
    name = str(handler)
    if not name.isidentifier():
        name = t.names.fresh("on_error")
        t.write(join(f"{name} = ", handler, "  # noqa: E731" if len(name) else ""))
    cti = the_cti(t, node)
    t.write(f"{cti}.onError = lambda error: {name}(str(error))")


def call_special(t: Translator, node: Node) -> bool:
    """Write ``$(document).ready(f)`` and its like; False if it is none."""
    function = node["function"]
    given = node["arguments"].kids
    callback = _loading_callback(t, function, given)
    if callback is not None:
        _when_loaded(t, node, callback)
        return True
    callback = _closing_callback(function, given)
    if callback is not None:
        _when_left(t, node, callback)
        return True
    return False


def _is_of_module(node: Node) -> bool:
    """True for a statement that runs once, where the end of the module sees its names."""
    statement = node.parent
    return statement is not None and statement.kind == "expression_statement" and (
        statement.parent is not None and statement.parent.parent is None
    )


def _when_loaded(t: Translator, node: Node, handler: Node) -> None:
    function = _no_arguments(t, handler)
    if _is_of_module(node):
        t.at_end.append(call(function))
    else:
        t.write(call(f"{t.runtime('page')}.dispatch", function))


def _when_left(t: Translator, node: Node, handler: Node) -> None:
    function = _no_arguments(t, handler)
    if _is_of_module(node):
        t.at_close.append(call(function))
    else:
        t.write(call(f"{t.runtime('page')}.at_close", function))


_HANDLERS = _LOADED | _LEFT | {f"on{name}" for name in _LOADED | _LEFT}


def may_wait_for_page(node: Node) -> bool:
    """True for a name that may set a handler of the page inside of a function or a block."""
    if node.kind in ("property_identifier", "string"):
        return node.text.strip("\"'") in _HANDLERS and node.inside(_INNER) is not None
    return node.kind == "identifier" and node.text in ("$", "jQuery") and (
        node.inside(_INNER) is not None
    )


_INNER = FUNCTIONS | {"statement_block"}


def _is_free(node: Node, *names: str) -> bool:
    return node.kind == "identifier" and node.text in names and node.is_free


def _loading_callback(t: Translator, function: Node, given: "list[Node]") -> Optional[Node]:
    if function.kind == "identifier" and function.text in ("$", "jQuery") and len(given) == 1 and (
        t.mask(function) & PAGE
    ):
        if given[0].kind in FUNCTIONS or t.world.kinds(t.mask(given[0])) & {"function"}:
            return given[0]
    if function.kind != "member_expression":
        return None
    name, target = function["property"].text, function["object"]
    if name == "ready" and len(given) == 1 and t.mask(target) & PAGE:
        return given[0]
    if name == "addEventListener" and len(given) >= 2 and _is_free(target, "document", "window"):
        if given[0].text.strip("\"'") in _LOADED:
            return given[1]
    return None


def _closing_callback(function: Node, given: "list[Node]") -> Optional[Node]:
    if function.kind != "member_expression" or len(given) < 2:
        return None
    if function["property"].text == "addEventListener" and _is_free(function["object"], "window"):
        if given[0].text.strip("\"'") in _LEFT:
            return given[1]
    return None
