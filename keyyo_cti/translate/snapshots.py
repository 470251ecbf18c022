"""Copies of a Call's fields where the program looks at the state of a kept Call.

In JavaScript each notification brings a new Call, so that a kept one shows the state of before.
In Python there is one Call, and it is live.
"""

from __future__ import annotations

from typing import List, Optional, Set

from .pieces import atom
from .scopes import Binding
from .syntax import Node
from .translator import Translator
from .types import CALL, FIELDS, NONE

_EQUALITY = ("==", "!=", "===", "!==")

#: Methods of arrays and maps that store, that return what is stored, and that do neither.
_STORING = {"push": 0, "unshift": 0, "set": 1, "add": 0}
_RETURNING = frozenset({"get", "at", "pop", "shift"})
_OTHERS = frozenset({"has", "delete", "clear", "size", "length"})


def mark_snapshots(t: Translator) -> None:
    """Find the kept Calls, and have them kept as copies."""
    if not any(node.type & CALL for node in t.program.all()):
        return
    for node in t.program.of_kind("binary_expression"):
        if node["operator"].kind in _EQUALITY:
            for kept, other in ((node["left"], node["right"]), (node["right"], node["left"])):
                if _looks_at_kept(kept, other):
                    _keep_copy(t, kept["object"])
    for node in t.program.all():
        if node.kind == "call_expression" and _stores_live(t, node) or (
            node.type == CALL and id(node) not in t.replaced and _is_put_away(t, node)
        ):
            t.kept_note(node)


def _is_put_away(t: Translator, node: Node) -> bool:
    """True for a Call in a literal that a variable of longer life gets, or of a promise."""
    parent = node.parent
    if parent is not None and parent.kind == "arguments" and parent.parent is not None:
        function = parent.parent.get("function")
        return function is not None and "resolve" in t.world.kinds(function.type)
    inner = node
    while parent is not None and parent.kind in ("pair", "object", "array", "spread_element"):
        inner, parent = parent, parent.parent
    return inner is not node and parent is not None and (
        parent.kind == "assignment_expression" and parent["right"] is inner
        or parent.kind == "arguments" and parent.parent is not None and _stores(t, parent.parent)
    )


def _stores_live(t: Translator, node: Node) -> bool:
    """True if a call puts a Call into an array, a map or a set, and no copy of it."""
    return _stores(t, node) and any(
        each.type == CALL and id(each) not in t.replaced for each in node["arguments"].kids
    )


def _stores(t: Translator, node: Node) -> bool:
    """True if a call puts something into an array, a map or a set."""
    function = node.get("function")
    return function is not None and function.kind == "member_expression" and (
        function["property"].text in _STORING
        and bool(t.world.kinds(function["object"].type) & {"array", "map", "set"})
    )


def _looks_at_kept(kept: Node, other: Node) -> bool:
    """True if one side is a field of a Call that may have been kept."""
    if kept.kind != "member_expression" or not _is_call(kept["object"]):
        return False
    owner = kept["object"]
    if other.kind == "member_expression" and _is_call(other["object"]):
        return owner.text != other["object"].text and (
            kept["property"].text == other["property"].text
        )
    if owner.kind != "identifier":
        return owner.kind == "member_expression"
    return _is_kept(owner.binding)


def _is_kept(binding: Binding) -> bool:
    """True if a variable outlives the function that sets it, or has its value from such a one."""
    if binding.kind in ("param", "free"):
        return False
    values = [_assigned(write) for write in binding.writes]
    return _outlives(binding) or any(
        value is not None and value.kind == "identifier" and _outlives(value.binding)
        for value in values
    )


def _outlives(binding: Binding) -> bool:
    return any(write.scope.function is not binding.owner for write in binding.writes)


def _is_call(node: Node) -> bool:
    return bool(node.type & CALL) and not node.type & ~(CALL | NONE)


def _keep_copy(t: Translator, kept: Node) -> None:
    """Turn what holds a kept Call, and where it comes from, into copies."""
    trace = _Trace(t)
    if not trace.value(kept) or not trace.stores:
        return
    if not all(map(_reads_a_field, trace.readers)):
        return
    for each in trace.stores:
        t.replaced[id(each)] = atom(f"dict({each.binding.python}.fields)")
    for each in trace.readers:
        each.type = each.type & ~CALL | FIELDS
    t.note(
        kept, "a Call that is kept", "in Python it is live, so that its fields are copied",
        "Nothing",
    )


class _Trace:
    """Where a kept Call is stored and read. Its methods return False if that cannot be told.

    :ivar stores: the variables that hold the Call when it is stored.
    :ivar readers: the expressions that return the kept Call.
    """

    def __init__(self, t: Translator) -> None:
        self.stores: List[Node] = []
        self.readers: List[Node] = []
        self._t = t
        self._seen: Set[object] = set()

    def value(self, node: Node) -> bool:
        """Trace what an expression returns."""
        if node.kind == "identifier":
            return self._variable(node.binding)
        if node.kind == "subscript_expression":
            return self._table(node["object"])
        if node.kind == "call_expression" and node["function"].kind == "member_expression":
            function = node["function"]
            return function["property"].text in _RETURNING and self._table(function["object"])
        if node.kind == "member_expression":
            return self._is_known(("slot", node["property"].text)) or all(
                self._use(each, each) for each in self._uses(node)
            )
        return False

    def _variable(self, binding: Binding) -> bool:
        if self._is_known(binding):
            return True
        if binding.kind in ("param", "free"):
            return False
        self.readers.extend(binding.reads)
        values = [(write, _assigned(write)) for write in binding.writes]
        return all(
            value is None or value is not write and self._store(value) for write, value in values
        )

    def _store(self, value: Node) -> bool:
        if value.kind in ("null", "undefined"):
            return True
        if value.kind == "identifier" and value.type == CALL:
            self.stores.append(value)
            return True
        return self.value(value) and self._is_read(value)

    def _is_read(self, node: Node) -> bool:
        if node not in self.readers:
            self.readers.append(node)
        return True

    def _table(self, table: Node) -> bool:
        key = table.binding if table.kind == "identifier" else ("table", table.text)
        if self._is_known(key):
            return True
        return all(self._use_of_table(each) for each in self._uses(table))

    def _uses(self, node: Node) -> List[Node]:
        """Return the places where a variable, or a property of its name, is used."""
        if node.kind == "identifier":
            return list(node.binding.reads)
        if node.kind != "member_expression":
            return [node]
        name = node["property"].text
        return [
            each for each in self._t.program.all()
            if each.kind == "member_expression" and each["property"].text == name
        ]

    def _use_of_table(self, table: Node) -> bool:
        parent = table.parent
        assert parent is not None
        if parent.kind == "subscript_expression" and parent["object"] is table:
            return self._use(parent, parent)
        if parent.kind == "member_expression" and parent["object"] is table:
            return self._method(parent)
        return parent.kind == "assignment_expression" and parent["left"] is table

    def _method(self, function: Node) -> bool:
        name, call = function["property"].text, function.parent
        if name in _OTHERS:
            return True
        if call is None or call.kind != "call_expression":
            return False
        given = call["arguments"].kids
        if name in _STORING and len(given) == _STORING[name] + 1:
            return self._store(given[-1])
        return name in _RETURNING and self._use(call, call)

    def _use(self, node: Node, reader: Node) -> bool:
        """Trace one use of a place: it is set, deleted, read, or kept in a variable."""
        parent = node.parent
        assert parent is not None
        if parent.kind == "assignment_expression" and parent["left"] is node:
            return self._store(parent["right"])
        if parent.kind == "unary_expression" and parent["operator"].kind == "delete":
            return True
        if parent.kind == "variable_declarator" and parent["name"].kind == "identifier":
            self.readers.append(reader)
            return self._variable(parent["name"].binding)
        self.readers.append(reader)
        return True

    def _is_known(self, key: object) -> bool:
        """True if this has been traced before; otherwise it is remembered."""
        if key in self._seen:
            return True
        self._seen.add(key)
        return False


def _assigned(write: Node) -> Optional[Node]:
    """Return the value that a variable is set to, or the write itself if that cannot be told."""
    parent = write.parent
    if parent is not None and parent.kind == "variable_declarator":
        return parent.get("value")
    if parent is not None and parent.kind == "assignment_expression":
        return parent["right"]
    return write


def _reads_a_field(node: Node) -> bool:
    parent = node.parent
    assert parent is not None
    if parent.kind == "member_expression" and parent["object"] is node:
        above = parent.parent
        return not (above is not None and above.kind == "call_expression"
                    and above["function"] is parent)
    return parent.kind in (
        "binary_expression", "if_statement", "unary_expression", "ternary_expression",
        "variable_declarator", "parenthesized_expression", "assignment_expression",
    )
