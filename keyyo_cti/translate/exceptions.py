"""``throw`` and ``try``."""

from __future__ import annotations

from .assignments import unpack
from .error_classes import error_class
from .layout import Line
from .pieces import Piece, atom, call
from .syntax import Node, broken
from .translator import Translator
from .types import ANY, ERR, ERROR, STR


def thrown(t: Translator, node: Node) -> Piece:
    """Return what ``raise`` gets."""
    mask = t.mask(node)
    if not mask & ~(ERROR | ERR) or _is_exception_class(t, mask):
        return t.expr(node)
    return call(t.runtime_free("thrown"), t.expr(node))


def _is_exception_class(t: Translator, mask: int) -> bool:
    things = list(t.world.of(mask))
    return bool(things) and t.world.only(mask, "instance") and all(
        thing.base is None and thing.escaped for thing in things
    )


def new_error(t: Translator, node: Node, name: str) -> Piece:
    """Return ``new Error(...)``."""
    arguments = node["arguments"].kids if "arguments" in node.fields else []
    if len(arguments) > 1:
        t.note(node, "the cause of an error", "it is left out", "Use `raise ... from ...`")
    given = [t.text(each) if t.mask(each) & ~STR else t.expr(each) for each in arguments[:1]]
    # Exception itself would be caught by nothing less than `except Exception`.
    return call("ValueError" if name == "Error" else error_class(t, name), *given)


def write_try(t: Translator, node: Node) -> None:
    """Write ``try`` with its handlers."""
    if "handler" not in node.fields and "finalizer" not in node.fields:
        raise broken()
    body = t.body(node["body"])
    t.block("try", body)
    handler, last = node.get("handler"), node.get("finalizer")
    if handler is not None:
        _write_handler(t, handler)
    if last is not None:
        t.block("finally", t.body(last["body"]))


def _write_handler(t: Translator, node: Node) -> None:
    parameter = node.get("parameter")
    if parameter is None:
        t.block("except Exception", t.body(node["body"]))
        return
    if parameter.kind != "identifier":
        _write_pattern_handler(t, node, parameter)
        return
    binding = parameter.binding
    if not binding.reads:
        t.block("except Exception", t.body(node["body"]))
        return
    name = t.written(binding)
    is_captured = any(True for _ in binding.captures()) or len(binding.writes) > 1
    needs_value = t.inference.throws_any or t.uses_promises
    shown = t.names.fresh("caught") if is_captured or needs_value else name
    body = t.body(node["body"])
    if shown != name:
        value = f"{t.runtime_free('caught_value')}({shown})" if needs_value else shown
        body.insert(0, Line(f"{name} = {value}"))
    t.block(f"except Exception as {shown}", body)


def _write_pattern_handler(t: Translator, node: Node, pattern: Node) -> None:
    """Write a handler that takes the exception apart."""
    name = t.names.fresh("caught")

    def write() -> None:
        if t.inference.throws_any or t.uses_promises:
            t.write(f"{name} = {t.runtime_free('caught_value')}({name})")
        unpack(t, pattern, atom(name), ERROR | ERR | ANY, pattern)
        t.statements(node["body"].kids)

    t.block(f"except Exception as {name}", t.collect(write))
