"""``super``."""

from __future__ import annotations

from .syntax import CLASSES, FUNCTIONS, Node, broken
from .translator import Translator

#: Where an arrow function finds the ``super`` that it uses.
_OWNERS = FUNCTIONS - {"arrow_function"} | {"field_definition", "class_static_block"}


def parent_of(t: Translator, node: Node, is_call: bool = False) -> str:
    """Return Python's ``super()``.

    :raises Unsupported: it stands outside of a method, or its call outside of a derived
        constructor.
    """
    method = node.inside(_OWNERS)
    if method is None or method.kind in FUNCTIONS - {"method_definition"}:
        raise broken()
    owner = method.inside(CLASSES)
    is_derived = owner is not None and any(
        each.kind == "class_heritage" for each in owner.kids
    )
    if is_call and not (is_derived and "name" in method.fields and (
        method["name"].text == "constructor"
    )):
        raise broken()
    if node.inside(FUNCTIONS) is method or owner is None or method.kind not in FUNCTIONS:
        return "super()"
    # A function within a method has no first argument that Python could take.
    name = owner.get("name")
    title = name.binding.python if name is not None else "__class__"
    return f"super({title}, {t.function.this})"
