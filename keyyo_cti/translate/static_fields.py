"""Static fields of classes."""

from __future__ import annotations

from typing import List

from .pieces import join
from .syntax import Node
from .translator import Translator
from .tree import SETTERS
from .types import atoms


def later_fields(node: Node) -> List[Node]:
    """Return the static fields from the first on whose value names its class or sets a variable.

    Within its body, Python does not know the class, and a variable there is another one.
    """
    own = node.get("name")
    static = [
        each for each in node["body"].kids
        if each.kind == "field_definition" and "static" in each.tokens and "value" in each.fields
    ]
    for place, each in enumerate(static):
        if any(
            inner.kind in SETTERS or inner.kind in ("this", "call_expression", "new_expression")
            or own is not None and inner.kind == "identifier" and inner.text == own.text
            for inner in each["value"].walk()
        ):
            return static[place:]
    return []


def write_later(t: Translator, node: Node, name: str) -> None:
    """Write the fields that have to wait until the class is there."""
    for each in later_fields(node):
        value, attribute = t.expr(each["value"]), t.names.attribute(each["property"].text)
        t.write(join(f"{name}.{attribute} = ", value))


def static_field(t: Translator, node: Node, is_later: bool) -> None:
    """Write a static field into the body of its class."""
    value = node.get("value")
    name = t.names.attribute(node["property"].text)
    if value is None:
        t.write(f"{name} = None")
        return
    if is_later:
        t.need("from typing import Any")
        t.write(f"{name}: Any = None")
        return
    # Without it, mypy does not know what an empty one will hold.
    kinds = t.world.kinds(value.type)
    annotation = "" if not kinds or atoms(value.type) else ": list" if kinds == {"array"} else (
        ": dict" if kinds <= {"dict", "map", "set"} else ""
    )
    t.write(join(f"{name}{annotation} = ", t.expr(value)))
