"""Copies of a Call's fields where the program compares a kept Call with the present one.

In JavaScript each notification brings a new Call, so that a kept one shows the state of before.
In Python there is one Call, and it is live.
"""

from __future__ import annotations

from typing import List, Set

from .scopes import Binding
from .syntax import Node
from .translator import Translator
from .tree import literal_key
from .types import CALL, FIELDS, NONE

_EQUALITY = ("==", "!=", "===", "!==")


def mark_snapshots(t: Translator) -> None:
    """Find the kept Calls, and have them kept as copies."""
    for node in t.program.all():
        if node.kind == "binary_expression" and node["operator"].kind in _EQUALITY:
            for kept, other in ((node["left"], node["right"]), (node["right"], node["left"])):
                if _compares_fields(t, kept, other):
                    _keep_copy(t, kept["object"])


def _compares_fields(t: Translator, kept: Node, other: Node) -> bool:
    if kept.kind != "member_expression" or other.kind != "member_expression":
        return False
    if kept["property"].text != other["property"].text:
        return False
    return all(
        each["object"].type & CALL and not each["object"].type & ~(CALL | NONE)
        for each in (kept, other)
    ) and kept["object"].text != other["object"].text


def _keep_copy(t: Translator, kept: Node) -> None:
    """Turn a variable that holds a kept Call, and where it comes from, into copies."""
    if kept.kind != "identifier":
        return
    stores: List[Node] = []
    readers: List[Node] = []
    if not _trace(t, kept.binding, stores, readers, set()):
        return
    if not stores or not all(_reads_a_field(t, each) for each in readers):
        return
    for each in stores:
        t.snapshots.add(id(each))
    for each in readers:
        each.type = each.type & ~CALL | FIELDS
    t.note(
        kept, "a Call that is kept", "in Python it is live, so that its fields are copied",
        "Nothing",
    )


def _trace(
    t: Translator, binding: Binding, stores: List[Node], readers: List[Node], seen: Set[Binding]
) -> bool:
    """Collect where a kept Call is stored and read; False if it cannot be told."""
    if binding in seen:
        return True
    seen.add(binding)
    if binding.kind == "param" or binding.kind == "free":
        return False
    readers.extend(read for read in binding.reads)
    for write in binding.writes:
        parent = write.parent
        value = None
        if parent is not None and parent.kind == "variable_declarator":
            value = parent.get("value")
        elif parent is not None and parent.kind == "assignment_expression":
            value = parent["right"]
        if value is None or value.kind in ("null", "undefined"):
            continue
        if value.kind == "subscript_expression" and value["object"].kind == "identifier":
            if not _trace_table(t, value["object"].binding, stores, readers):
                return False
            value.type = value.type & ~CALL | FIELDS
        elif value.kind == "identifier" and value.type == CALL:
            stores.append(write)
        else:
            return False
    return True


def _trace_table(t: Translator, table: Binding, stores: List[Node], readers: List[Node]) -> bool:
    """Collect where the entries of a table are stored; False if more is done with them."""
    for read in table.reads:
        parent = read.parent
        if parent is None or parent.kind != "subscript_expression":
            return False
        above = parent.parent
        if above is None:
            return False
        if above.kind == "assignment_expression" and above["left"] is parent:
            if above["right"].kind != "identifier" or literal_key(parent["index"]) is not None:
                return False
            stores.append(parent)
        elif above.kind == "unary_expression" and above["operator"].kind == "delete":
            continue
        elif above.kind == "member_expression":
            readers.append(parent)
        elif above.kind != "variable_declarator":
            return False
    return True


def _reads_a_field(t: Translator, node: Node) -> bool:
    parent = node.parent
    if parent is None:
        return False
    if parent.kind == "member_expression" and parent["object"] is node:
        above = parent.parent
        return not (above is not None and above.kind == "call_expression"
                    and above["function"] is parent)
    return parent.kind in ("binary_expression", "if_statement", "unary_expression",
                           "ternary_expression")
