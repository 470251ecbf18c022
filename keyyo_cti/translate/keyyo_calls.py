"""Calls of the methods of Keyyo's SDK, and what differs in them."""

from __future__ import annotations

from typing import List

from . import keyyo
from .arguments import arguments_of
from .notes import Unsupported
from .pieces import Piece, method
from .syntax import Node
from .translator import Translator
from .tree import property_name, string_value
from .types import ANY, CALL


def keyyo_call(t: Translator, node: Node, piece: Piece, mask: int, name: str) -> Piece:
    """Return a call of a method of Keyyo's SDK."""
    arguments = node["arguments"].kids
    if name in ("removeEventListener", "off"):
        t.note(
            node, name, "it does nothing in JavaScript, and removes the handler in Python",
            "Leave it out, if the handler has to stay",
        )
    if mask == CALL and name in ("on", "addEventListener"):
        t.note(
            node, "handlers of a Call", "in Python they are for that call, not for all calls",
            "Add them to each call",
        )
    if name == "get_calls":
        _note_list(t, node)
        return method(piece, name)
    known = name in keyyo.METHODS or name in keyyo.DIRECT or name in keyyo.LISTENING
    if not known and name != "close":
        raise Unsupported(f"{name} is not a method of Keyyo's SDK")
    if name in keyyo.LISTENING and len(arguments) > 1 and arguments[0].kind == "string":
        for event in string_value(arguments[0]).split(","):
            if event.strip() not in keyyo.EVENTS:
                raise Unsupported(f"there is no event {event.strip()!r}")
    _note_types(t, node, name, arguments)
    if name == "restore_session" and len(arguments) == 3:
        _note_session_id(t, node)
    if name in ("destroy_session", "close"):
        _note_ending(t, node)
    return method(piece, name, *arguments_of(t, node))


def _note_types(t: Translator, node: Node, name: str, arguments: List[Node]) -> None:
    if name not in keyyo.METHODS:
        return
    for each, wanted in zip(arguments[:-1], keyyo.METHODS[name].arguments):
        mask = t.mask(each)
        if mask & ~wanted and not mask & ANY:
            t.note(
                node, f"{each.text} as an argument of {name}",
                "JavaScript sends any value, Python answers one of another type with "
                "400 invalid_params", "Convert it",
            )


def _note_session_id(t: Translator, node: Node) -> None:
    """Note that the session id counts, unless the program turns cookies off."""
    is_off = t.program.mentions(b"cookie_auto") and any(
        each.kind == "pair" and property_name(each) == "cookie_auto"
        and each["value"].kind == "false"
        for each in t.program.all()
    )
    if t.makes_cti and not is_off:
        t.note(
            node, "the session id of restore_session",
            "JavaScript ignores it while cookies are on, Python uses it",
            "Leave it out, or set cookie_auto to False",
        )


def _note_ending(t: Translator, node: Node) -> None:
    """Note that no ``disconnected`` follows."""
    if t.program.mentions(b"isconnected") and any(
        each.kind == "property_identifier" and each.text == "onDisconnected"
        or each.kind == "string" and each.text[1:-1] == "disconnected"
        for each in t.program.all()
    ):
        t.note(
            node, "disconnected", "in Python it does not come after destroy_session or close",
            "Do there what its handler does",
        )


def _note_list(t: Translator, node: Node) -> None:
    """Note that a list of calls is kept, which does not change in Python."""
    parent = node.parent
    if parent is None or parent.kind not in ("variable_declarator", "assignment_expression"):
        return
    target = parent["name"] if "name" in parent.fields else parent["left"]
    is_kept = target.kind != "identifier" or any(target.binding.captures()) or any(
        write.scope.function is not target.binding.owner for write in target.binding.writes
    )
    if is_kept:
        t.note(
            node, "a list of get_calls that is kept",
            "JavaScript's is the SDK's own, which changes; Python's is a copy",
            "Call get_calls again where the list is read",
        )
