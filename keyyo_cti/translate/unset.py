"""Variables that a program may read before it has set them."""

from __future__ import annotations

from typing import Iterator, Optional

from . import keyyo
from .scopes import Binding
from .syntax import FUNCTIONS, Node
from .tree import SETTERS

#: By the kind of a statement or expression: the parts that may be left out.
_CONDITIONAL = {
    "if_statement": ("consequence", "alternative"),
    "while_statement": ("body",),
    "for_statement": ("body", "increment"),
    "for_in_statement": ("left", "body"),
    "switch_statement": ("body",),
    "ternary_expression": ("consequence", "alternative"),
    "binary_expression": ("right",),
    "try_statement": ("body", "handler"),
}

#: More pairs of a write and a read are not compared: such a program is no page.
_MAX_PAIRS = 20_000


def is_read_unset(binding: Binding) -> bool:
    """True if a function may read its ``var`` before it sets it."""
    if binding.is_read_unset is None:
        binding.is_read_unset = _is_read_unset(binding)
    return binding.is_read_unset


def _is_read_unset(binding: Binding) -> bool:
    if binding.kind != "var" or binding.node is None:
        return False
    writes = [each for each in binding.writes if each.scope.function is binding.owner]
    reads = [each for each in binding.reads if each.scope.function is binding.owner]
    if len(writes) * len(reads) > _MAX_PAIRS:
        return True
    return any(
        not any(_is_before(write, read) for write in writes) for read in reads
    ) or _is_read_in_first_value(binding, binding.node)


def _is_read_in_first_value(binding: Binding, declared: Node) -> bool:
    """True if a function that runs while the first value is computed reads the variable."""
    value = declared.parent.get("value") if declared.parent is not None else None
    if value is None or not any(True for _ in binding.captures()):
        return False
    called = {
        id(write.parent) for each in value.walk() if each.kind == "call_expression"
        for write in (each["function"].binding.writes if each["function"].binding else ())
    }
    return any(
        _runs_at_once(value, read) if value.start <= read.start < value.end
        else id(read.scope.function) in called for read in binding.reads
    )


def _runs_at_once(value: Node, read: Node) -> bool:
    node = read.parent
    while node is not None and node is not value.parent:
        if node.kind in FUNCTIONS and not _is_called_at_once(node):
            return False
        node = node.parent
    return True


def _is_called_at_once(function: Node) -> bool:
    parent = function.parent
    if parent is None or parent.kind != "arguments" or parent.parent is None:
        return parent is not None and parent.get("function") is function
    caller = parent.parent.get("function")
    name = caller["property"] if caller is not None and "property" in caller.fields else caller
    return name is None or name.text not in _LATER and name.text not in keyyo.METHODS


#: Callers that keep their callback for later.
_LATER = frozenset({
    "setTimeout", "setInterval", "setImmediate", "queueMicrotask", "requestAnimationFrame",
    "then", "catch", "finally", "on", "one", "bind", "addEventListener", "click", "submit",
    "ready", "subscribe", "promisify", "debounce", "throttle",
})


def is_always_set(binding: Binding) -> bool:
    """True for a ``var`` that only its function uses, and that it sets before each reading."""
    is_var = binding.kind == "var" and bool(binding.writes)
    return is_var and not any(binding.captures()) and not is_read_unset(binding)


def _is_before(write: Node, read: Node) -> bool:
    """True if a write has happened whenever a read happens."""
    # An identifier that is read and set, as in `n += 1`, is read first.
    if write.start >= read.start:
        return False
    holder = write.parent
    if holder is not None and (holder.kind == "variable_declarator" or holder.kind in SETTERS):
        if holder.start <= read.start < holder.end:
            return False
    inner: Node = write
    outer: Optional[Node] = write.parent
    while outer is not None and outer.kind not in FUNCTIONS:
        if not outer.start <= read.start < inner.start and not (
            inner.start <= read.start < inner.end
        ) and any(outer.get(name) is inner for name in _CONDITIONAL.get(outer.kind, ())):
            return False
        inner, outer = outer, outer.parent
    return True


def defaults_itself(binding: Binding) -> bool:
    """True for ``var app = app || {};`` of a page, which another script may have set."""
    name = binding.node
    declared = name.parent if name is not None else None
    if not binding.is_module or binding.kind != "var" or declared is None:
        return False
    value = declared.get("value")
    return value is not None and value.kind == "binary_expression" and (
        value["operator"].kind in ("||", "??") and value["left"].binding is binding
        and all(each.start >= declared.start for each in binding.reads + binding.writes)
        and declared.inside(("program", "statement_block", "if_statement")) is declared.inside(
            ("program",)
        )
    )


def left_undefined(node: Node) -> Iterator[Binding]:
    """Yield the variables that a statement declares and others read."""
    names = [node["name"]] if node.kind in ("function_declaration", "class_declaration") else [
        name for each in node.kids if each.kind == "variable_declarator"
        for name in each["name"].walk() if name in (name.binding.writes if name.binding else ())
    ]
    for name in names:
        if name.binding is not None and name.binding.reads:
            yield name.binding
