"""The inference of the functions in JavaScript's namespaces, such as ``Math.max``."""

from __future__ import annotations

from typing import Any, Dict, List

from .builtins import MATH_METHODS
from .infer import Inference
from .infer_values import array_of, number_of, promise_of
from .syntax import Node
from .types import ANY, BOOL, CALL, FLOAT, INT, NAN, NAT, NULL, PAGE, STR, UNDEF, WHOLE, Thing


def static_method(
    self: Inference, node: Node, namespace: str, name: str, masks: List[int]
) -> int:
    """Look at a call such as ``Object.keys(x)``."""
    rule = _RULES.get(namespace)
    if rule is not None:
        return int(rule(self, node, name, masks))
    for each in masks:
        self.escape_soft(each)
    return ANY


def _math(self: Inference, node: Node, name: str, masks: List[int]) -> int:
    values = 0
    for each in masks:
        values |= number_of(each)
    if name in ("max", "min"):
        return values | (NAN if not masks else 0)
    if name == "abs":
        return NAT if values and not values & ~WHOLE else values | FLOAT
    if name in ("floor", "ceil", "round", "trunc"):
        return (NAT if values and not values & ~NAT else INT) | values & NAN
    if name == "pow" and values and not values & ~NAT:
        return NAT
    return MATH_METHODS.get(name, FLOAT) | values & NAN


def _json(self: Inference, node: Node, name: str, masks: List[int]) -> int:
    return STR if name == "stringify" else ANY


def _object(self: Inference, node: Node, name: str, masks: List[int]) -> int:
    first = masks[0] if masks else 0
    if name == "keys":
        return array_of(self, node, STR)
    if name in ("values", "entries"):
        return _values(self, node, name, first)
    if name == "fromEntries":
        made = self.world.make("dict", node)
        made.is_open = True
        self.others(made, self.elements(self.elements(first)) or ANY)
        return made.bit
    if name == "assign":
        for target in self.world.of(first):
            for each in masks[1:]:
                _assign(self, target, each)
        return first
    if name in ("freeze", "seal"):
        return first
    return ANY


def _values(self: Inference, node: Node, name: str, mask: int) -> int:
    values = ANY if mask & ANY else 0
    for thing in self.world.of(mask):
        values |= thing.others
        for value in thing.fields.values():
            values |= value
    if name == "values":
        return array_of(self, node, values or ANY)
    pair = self.world.make("array", node["arguments"])
    self.others(pair, STR | (values or ANY))
    return array_of(self, node, pair.bit)


def _assign(self: Inference, target: Thing, mask: int) -> None:
    for source in self.world.of(mask):
        for field, value in list(source.fields.items()):
            self.set_one(target, field, value)
        if source.is_open:
            _open(self, target)
    if mask & (ANY | CALL | PAGE):
        _open(self, target)
    if mask & (ANY | CALL):
        for field in target.fields:
            self.set_one(target, field, ANY)


def _open(self: Inference, target: Thing) -> None:
    """Record that an object may have any further properties."""
    target.is_open = True
    self.others(target, ANY)
    if target.kind in ("instance", "record") and not target.escaped:
        target.escaped = self.changed = True


def _array_static(self: Inference, node: Node, name: str, masks: List[int]) -> int:
    if name == "isArray":
        return BOOL
    if name == "of":
        found = 0
        for each in masks:
            found |= each
        return array_of(self, node, found)
    elements = self.elements(masks[0]) if masks else 0
    if masks and not any(thing.kind != "dict" for thing in self.world.of(masks[0])):
        elements |= UNDEF
    if len(masks) > 1:
        elements = self.call(masks[1], (elements, NAT), 0, counted=False)
    return array_of(self, node, elements)


def _number(self: Inference, node: Node, name: str, masks: List[int]) -> int:
    if name in ("parseInt", "parseFloat"):
        return (INT if name == "parseInt" else FLOAT) | NAN
    return BOOL


def _date(self: Inference, node: Node, name: str, masks: List[int]) -> int:
    return INT | (NAN if name == "parse" else 0)


def _promise_static(self: Inference, node: Node, name: str, masks: List[int]) -> int:
    first = masks[0] if masks else UNDEF
    if name == "reject" and masks:
        self.rejected(masks[0])
    if name == "resolve":
        return promise_of(self, node, self.settled(first))
    if name in ("all", "allSettled"):
        values = self.world.make("array", node["arguments"])
        self.others(values, self.settled(self.elements(first)) if name == "all" else ANY)
        return promise_of(self, node, values.bit)
    if name in ("race", "any"):
        return promise_of(self, node, self.settled(self.elements(first)))
    return promise_of(self, node, ANY)


def _storage(self: Inference, node: Node, name: str, masks: List[int]) -> int:
    return STR | NULL if name == "getItem" else UNDEF


_RULES: Dict[str, Any] = {
    "Math": _math,
    "JSON": _json,
    "Object": _object,
    "Array": _array_static,
    "Number": _number,
    "Date": _date,
    "Promise": _promise_static,
    "localStorage": _storage,
    "sessionStorage": _storage,
    "String": lambda self, node, name, masks: STR,
    "console": lambda self, node, name, masks: UNDEF,
}
