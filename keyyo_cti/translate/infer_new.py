"""The inference of ``new`` and of ``super``."""

from __future__ import annotations

from typing import List, Optional

from .builtins import ERRORS, GLOBALS
from .infer import Inference
from .infer_objects import constructor_thing
from .infer_values import array_of
from .syntax import Node
from .types import ANY, CTI, DATE, ERROR, KEYYO, PAGE, REGEX, UNDEF, WHOLE, Thing


def new_expression(self: Inference, node: Node) -> int:
    """Look at ``new X(...)``."""
    constructor = node["constructor"]
    given = node.get("arguments")
    masks = [self.visit(kid) for kid in given.kids] if given is not None else []
    if constructor.kind == "member_expression" and self.visit(constructor["object"]) & KEYYO:
        return CTI
    binding = constructor.binding
    if binding is not None and binding.kind == "free":
        return _new_builtin(self, node, constructor.text, masks)
    mask = self.visit(constructor)
    found = 0
    for thing in list(self.world.of(mask)):
        if thing.kind == "function" and thing.node is not None:
            if id(thing.node) in self.shapes.constructors:
                thing = constructor_thing(self, thing.node)
        if thing.kind == "class":
            found |= _construct(self, thing, masks)
    if mask & (ANY | PAGE):
        for each in masks:
            self.escape(each)
        found |= mask & (ANY | PAGE)
    return found


def _construct(self: Inference, thing: Thing, masks: List[int]) -> int:
    walked: Optional[Thing] = thing
    assert thing.instance is not None
    while walked is not None and "constructor" not in walked.methods:
        walked = walked.base
    if walked is not None:
        function = self.world.make("function", walked.methods["constructor"])
        self.call(function.bit, masks, thing.instance.bit)
    return thing.instance.bit


def _new_builtin(self: Inference, node: Node, name: str, masks: List[int]) -> int:
    if name in ERRORS:
        return ERROR
    if name == "Date":
        return DATE
    if name == "RegExp":
        return REGEX
    if name == "Array":
        elements = UNDEF if len(masks) == 1 and not masks[0] & ~WHOLE else 0
        for each in masks if not elements else ():
            elements |= each
        return array_of(self, node, elements)
    if name in ("Map", "Set"):
        thing = self.world.make(name.lower(), node)
        for each in masks:
            elements = self.elements(each)
            self.others(thing, elements if name == "Set" else self.elements(elements))
        return thing.bit
    if name == "Promise":
        return _new_promise(self, node, masks)
    for each in masks:
        self.escape(each)
    return PAGE if name in GLOBALS else ANY


def _new_promise(self: Inference, node: Node, masks: List[int]) -> int:
    thing = self.world.make("promise", node)
    resolve = self.world.make("resolve", node)
    if masks:
        reject = self.world.make("reject", node)
        self.call(masks[0], (resolve.bit, reject.bit), 0)
    self.others(thing, resolve.others)
    return thing.bit


def super_call(self: Inference, node: Node, masks: List[int]) -> int:
    """Look at ``super(...)``."""
    class_node = node.inside(("class", "class_declaration"))
    thing = self.world.make("class", class_node)
    if thing.base is not None and thing.base.instance is not None:
        _construct(self, thing.base, masks)
    return UNDEF


def super_method(self: Inference, node: Node, name: str, masks: List[int]) -> int:
    """Look at ``super.name(...)``."""
    class_node = node.inside(("class", "class_declaration"))
    thing = self.world.make("class", class_node)
    if thing.base is None or thing.base.instance is None:
        return ANY
    base = thing.base.instance
    this = thing.instance.bit if thing.instance else 0
    return self.call(self.field(base.bit, name), masks, this)
