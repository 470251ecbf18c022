"""Promises."""

from __future__ import annotations

from typing import List

from .arguments import arguments_of
from .notes import Unsupported
from .pieces import Piece, atom, attribute, call, method
from .syntax import Node
from .translator import Translator

_METHODS = {"then": "then", "catch": "catch", "finally": "finally_"}

_STATICS = {
    "resolve": "resolve", "reject": "reject", "all": "all", "race": "race", "any": "any",
    "allSettled": "all_settled",
}


def new_promise(t: Translator, node: Node, arguments: List[Node]) -> Piece:
    """Return ``new Promise(executor)``."""
    if len(arguments) != 1:
        raise Unsupported("a promise needs a function")
    return call(t.runtime("Promise"), t.expr(arguments[0]))


def promise_method(t: Translator, node: Node, target: Piece, name: str) -> Piece:
    """Return a call of ``then``, ``catch`` or ``finally``."""
    if name not in _METHODS:
        raise Unsupported(f"{name} of a promise is not supported")
    return method(target, _METHODS[name], *arguments_of(t, node))


def promise_static(t: Translator, node: Node, name: str, given: List[Node]) -> Piece:
    """Return a call such as ``Promise.all(...)``."""
    if name not in _STATICS:
        raise Unsupported(f"Promise.{name} is not supported")
    arguments = arguments_of(t, node)
    if not arguments and name in ("resolve", "reject"):
        arguments = ["None"]
    return call(attribute(atom(t.runtime("Promise")), _STATICS[name]), *arguments)
