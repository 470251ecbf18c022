"""Connections: a failed one, and one that all CTIs of a page share."""

from __future__ import annotations

from typing import Optional

from .scopes import Binding
from .syntax import FUNCTIONS, Node
from .translator import Translator
from .tree import string_value


def mark_openings(t: Translator) -> None:
    """Find the callbacks that Python calls and JavaScript does not when no connection opens.

    Both emit ``disconnected`` then. A program that handles it and retries in both places would
    double its attempts.
    """
    if not _handles_disconnected(t):
        return
    for node in t.program.all():
        if node.kind != "call_expression" or node["function"].kind != "member_expression":
            continue
        if node["function"]["property"].text in ("create_session", "restore_session"):
            for kid in node["arguments"].kids[1:]:
                for thing in t.world.of(kid.type):
                    if thing.node is not None and thing.node.kind in FUNCTIONS:
                        t.opening.add(id(thing.node))


def _handles_disconnected(t: Translator) -> bool:
    if b"isconnected" not in t.program.source:
        return False
    for node in t.program.all():
        if node.kind == "property_identifier" and node.text == "onDisconnected":
            return True
        if node.kind == "string" and "disconnected" in string_value(node).split(","):
            return True
    return False


def shared_cti(t: Translator, node: Node) -> Optional[str]:
    """Return the variable of the first CTI, whose session all CTIs of a page share."""
    parent = node.parent
    if parent is None or parent.kind != "variable_declarator" or t.function.node is not None:
        return None
    if parent["name"].kind != "identifier" or t.function.loops:
        return None
    binding: Binding = parent["name"].binding
    if t.first_cti is None:
        if len(binding.writes) == 1:
            t.first_cti = binding
        return None
    if binding is t.first_cti:
        return None
    t.note(
        node, "a second CTI", "all CTIs of a page share one session, so that it is the first one",
        "Make a Keyyo.CTI with a cookie_name of its own, to serve another line",
    )
    return t.first_cti.python
