"""The inference of the methods of arrays, maps and sets."""

from __future__ import annotations

from typing import List

from .infer import Inference
from .infer_values import array_of
from .syntax import Node
from .types import ANY, BOOL, INT, NAT, STR, UNDEF, Thing


def array_method(self: Inference, node: Node, array: Thing, name: str, masks: List[int]) -> int:
    """Look at a call of an array's method."""
    callback = masks[0] if masks else 0
    if name in _RESULTS:
        return _RESULTS[name]
    if name in _CHANGING:
        return _change(self, node, array, name, masks)
    if name in ("pop", "shift", "at"):
        return array.others | UNDEF
    if name in ("slice", "toSorted", "toReversed", "reverse", "sort", "filter"):
        return _same(self, node, array, name, callback)
    if name == "concat":
        return _concat(self, node, array, masks)
    if name in ("reduce", "reduceRight"):
        return _reduce(self, node, array, masks)
    if name in _CALLBACKS:
        return _iterate(self, node, array, name, callback)
    return _derived(self, node, array.others, name)


_RESULTS = {"join": STR, "toString": STR, "indexOf": INT, "lastIndexOf": INT, "includes": BOOL}

_CHANGING = frozenset({"push", "unshift", "splice", "fill"})


def _change(self: Inference, node: Node, array: Thing, name: str, masks: List[int]) -> int:
    for each in masks[2:] if name == "splice" else masks:
        self.others(array, each)
    if name == "splice":
        return array_of(self, node, array.others)
    return array.bit if name == "fill" else NAT


def _derived(self: Inference, node: Node, element: int, name: str) -> int:
    if name in ("keys", "values", "entries"):
        return array_of(self, node, {"keys": NAT, "values": element}.get(name, ANY))
    if name == "flat":
        return array_of(self, node, self.elements(element) | element)
    return ANY


_CALLBACKS = frozenset({
    "forEach", "map", "find", "findLast", "findIndex", "some", "every", "flatMap",
})


def _same(self: Inference, node: Node, array: Thing, name: str, callback: int) -> int:
    if name in ("sort", "toSorted"):
        self.call(callback, (array.others, array.others), 0)
    elif name == "filter":
        self.call(callback, (array.others, NAT, array.bit), 0, counted=False)
    if name in ("sort", "reverse"):
        return array.bit
    return array_of(self, node, array.others)


def _concat(self: Inference, node: Node, array: Thing, masks: List[int]) -> int:
    element = array.others
    for each in masks:
        for other in self.world.of(each):
            element |= other.others if other.kind == "array" else other.bit
        element |= each & ((1 << 24) - 1)
    return array_of(self, node, element)


def _reduce(self: Inference, node: Node, array: Thing, masks: List[int]) -> int:
    result = masks[1] if len(masks) > 1 else array.others
    callback = masks[0] if masks else 0
    result |= node.type
    result |= self.call(callback, (result, array.others, NAT, array.bit), 0, counted=False)
    return result


def _iterate(self: Inference, node: Node, array: Thing, name: str, callback: int) -> int:
    result = self.call(callback, (array.others, NAT, array.bit), 0, counted=False)
    if name == "map":
        return array_of(self, node, result)
    if name == "flatMap":
        return array_of(self, node, self.elements(result) | result)
    if name in ("find", "findLast"):
        return array.others | UNDEF
    return {"findIndex": INT, "some": BOOL, "every": BOOL}.get(name, UNDEF)


def map_method(
    self: Inference, node: Node, thing: Thing, name: str, masks: List[int]
) -> int:
    """Look at a call of the method of a map or a set."""
    if name == "add":
        self.others(thing, masks[0] if masks else UNDEF)
        return thing.bit
    if name == "set":
        self.others(thing, masks[1] if len(masks) > 1 else UNDEF)
        return thing.bit
    if name == "get":
        return thing.others | UNDEF
    if name in ("has", "delete"):
        return BOOL
    if name == "forEach":
        key = thing.others if thing.kind == "set" else ANY
        self.call(masks[0] if masks else 0, (thing.others, key, thing.bit), 0, counted=False)
        return UNDEF
    if name == "values":
        return array_of(self, node, thing.others)
    if name in ("keys", "entries"):
        is_known = thing.kind == "set" and name == "keys"
        return array_of(self, node, thing.others if is_known else ANY)
    return UNDEF
