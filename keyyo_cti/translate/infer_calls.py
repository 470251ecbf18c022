"""The inference of calls."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Callable, List, Tuple

from . import keyyo
from .builtins import (
    ARRAY_METHODS,
    DATE_METHODS,
    ERRORS,
    GLOBALS,
    NAMESPACES,
    NUMBER_METHODS,
    STRING_METHODS,
)
from .infer import Inference
from .infer_arrays import array_method, map_method
from .infer_new import super_call, super_method
from .infer_statics import static_method
from .infer_values import array_of, number_of, promise_of, replacement_masks
from .syntax import Node
from .tree import is_borrowed_slice, is_extend, regex_literal, string_value
from .types import (
    ANY,
    BOOL,
    CALL,
    CTI,
    DATE,
    ERROR,
    FLOAT,
    INT,
    MATCH,
    NAN,
    NAT,
    NONE,
    NULL,
    NUMBER,
    PAGE,
    REGEX,
    STR,
    TIMER,
    UNDEF,
    Thing,
    atoms,
)

_Rule = Callable[[Inference, Node, str, List[int], int], int]


def call_expression(self: Inference, node: Node) -> int:
    """Look at a call."""
    function = node["function"]
    given = node.get("arguments")
    if given is None or given.kind == "template_string":
        self.statements(node.kids)
        return ANY
    has_spread = given.mentions(b"...")
    masks = _arguments(self, given) if has_spread else [self.visit(kid) for kid in given.kids]
    if function.kind == "member_expression":
        found = _method(self, node, function, masks)
    elif function.kind == "super":
        found = super_call(self, node, masks)
    else:
        found = _plain(self, node, function, masks)
    if has_spread and any(kid.kind == "spread_element" for kid in given.kids):
        self.loosen(_called(self, function))
    if may_short_circuit(node):
        found |= UNDEF
    return found


def _arguments(self: Inference, given: Node) -> List[int]:
    """Return the masks of arguments; behind a spread, each may be at any place."""
    masks: List[int] = []
    anywhere = 0
    for kid in given.kids:
        if kid.kind == "spread_element":
            anywhere |= self.elements(self.visit(kid.kids[0])) | UNDEF
        elif anywhere:
            anywhere |= self.visit(kid)
        else:
            masks.append(self.visit(kid))
    return masks + [anywhere] * 8 if anywhere else masks


def _called(self: Inference, function: Node) -> int:
    if function.kind == "member_expression":
        return self.field(function["object"].type, function["property"].text)
    return function.type


def may_short_circuit(node: Node) -> bool:
    """True if a ``?.`` in a chain may find null or undefined."""
    if not node.mentions(b"?."):
        return False
    inner = node
    while inner.kind in ("member_expression", "subscript_expression", "call_expression"):
        base = inner["object"] if "object" in inner.fields else inner["function"]
        if "optional_chain" in inner.fields and (base.type & (NONE | ANY) or not base.type):
            return True
        inner = base
    return False


def _plain(self: Inference, node: Node, function: Node, masks: List[int]) -> int:
    mask = self.visit(function)
    binding = function.binding
    if binding is None or binding.kind != "free":
        if function.kind == "subscript_expression" and function["object"].type & (CALL | CTI):
            result = ANY if function["object"].type & CTI else NAT
            for each in masks:
                self.call(each, (keyyo.ERROR_OR_NULL, result), 0)
            return UNDEF
        return self.call(mask, masks, 0)
    return _global(self, node, function.text, mask, masks)


def _global(self: Inference, node: Node, name: str, mask: int, masks: List[int]) -> int:
    if name in ("setTimeout", "setInterval", "setImmediate", "queueMicrotask"):
        if masks:
            self.call(masks[0], masks[2:], 0)
        return TIMER
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    if name == "fetch":
        return promise_of(self, node, ANY)
    if name in NAMESPACES:
        return _converted(self, node, name, masks)
    if name in GLOBALS:
        if name not in ("$", "jQuery"):
            for each in masks:
                self.call(each, (PAGE,), PAGE)
        return {"confirm": BOOL, "prompt": STR | NULL, "alert": UNDEF}.get(name, PAGE)
    return self.call(mask, masks, 0)


_FUNCTIONS = {
    "parseInt": INT | NAN, "parseFloat": FLOAT | NAN, "isNaN": BOOL, "isFinite": BOOL,
    "clearTimeout": UNDEF, "clearInterval": UNDEF, "encodeURIComponent": STR,
    "decodeURIComponent": STR, "encodeURI": STR, "btoa": STR, "atob": STR,
    "decodeURI": STR, "String": STR, "Boolean": BOOL,
}


def _converted(self: Inference, node: Node, name: str, masks: List[int]) -> int:
    if name == "Number":
        return number_of(masks[0]) if masks else NAT
    if name in ERRORS:
        return ERROR
    if name == "Array":
        return array_of(self, node, ANY)
    if name == "Date":
        return STR
    return ANY


def _method(self: Inference, node: Node, function: Node, masks: List[int]) -> int:
    target, name = function["object"], function["property"].text
    if target.kind == "super":
        return super_method(self, node, name, masks)
    mask = self.visit(target)
    function.type |= ANY
    if name == "call" and is_borrowed_slice(target) and masks:
        return array_of(self, node, self.elements(masks[0]))
    if target.kind == "identifier" and target.is_free and (
        target.text in NAMESPACES
    ):
        return static_method(self, node, target.text, name, masks)
    if is_extend(node):
        return static_method(self, node, "Object", "assign", masks)
    found = 0
    for thing in self.world.of(mask):
        found |= _method_of_thing(self, node, thing, name, masks)
    for rule in _rules_of(atoms(mask)):
        found |= rule(self, node, name, masks, mask)
    return found


@lru_cache(maxsize=1024)
def _rules_of(mask: int) -> List[_Rule]:
    """Return the rules of the methods of all that is no thing."""
    return [rule for bit, rule in _METHODS_BY_BIT if mask & bit]


def _method_of_thing(
    self: Inference, node: Node, thing: Thing, name: str, masks: List[int]
) -> int:
    if thing.kind == "array":
        return array_method(self, node, thing, name, masks)
    if thing.kind in ("map", "set"):
        return map_method(self, node, thing, name, masks)
    if thing.kind == "promise":
        return _then(self, node, thing, name, masks)
    if thing.kind == "function" and name in ("call", "apply", "bind"):
        return _applied(self, thing, name, masks)
    if name == "hasOwnProperty" and name not in thing.fields:
        return BOOL
    if thing.kind == "instance" and name in ("toString",) and name not in thing.fields:
        return STR
    value = self.field(thing.bit, name)
    return self.call(value, masks, thing.bit)


def _applied(self: Inference, thing: Thing, name: str, masks: List[int]) -> int:
    this = masks[0] if masks else 0
    if name == "bind":
        if this & ~thing.this:
            thing.this |= this
            self.changed = True
        self._pass(thing, masks[1:])
        return thing.bit
    if name == "apply":
        elements = self.elements(masks[1]) if len(masks) > 1 else 0
        self.loosen(thing.bit)
        return self.call(thing.bit, [elements | UNDEF] * len(thing.parameters), this, False)
    return self.call(thing.bit, masks[1:], this)


def _then(self: Inference, node: Node, thing: Thing, name: str, masks: List[int]) -> int:
    found = thing.others if name != "then" else 0
    for index, each in enumerate(masks):
        is_error = name == "catch" or index == 1
        arguments = () if name == "finally" else (ANY if is_error else thing.others,)
        result = self.call(each, arguments, 0)
        if name != "finally":
            found |= self.settled(result)
    return promise_of(self, node, found)


def _of_string(self: Inference, node: Node, name: str, masks: List[int], mask: int) -> int:
    if name in ("split", "matchAll"):
        return array_of(self, node, STR if name == "split" else MATCH)
    if name == "match":
        given = node["arguments"].kids
        literal = regex_literal(given[0]) if given else None
        if literal is not None:
            is_all = "g" in literal[1]
            return (array_of(self, node, STR) if is_all else MATCH) | NULL
        return MATCH | NULL | array_of(self, node, STR)
    if name in ("replace", "replaceAll") and len(masks) > 1:
        self.call(masks[1], replacement_masks(node["arguments"].kids[0]), 0, counted=False)
    return STRING_METHODS.get(name, ANY)


def _of_number(self: Inference, node: Node, name: str, masks: List[int], mask: int) -> int:
    return NUMBER_METHODS.get(name, ANY)


def _of_date(self: Inference, node: Node, name: str, masks: List[int], mask: int) -> int:
    return DATE_METHODS.get(name, ANY)


def _of_regex(self: Inference, node: Node, name: str, masks: List[int], mask: int) -> int:
    return {"test": BOOL, "exec": MATCH | NULL}.get(name, ANY)


def _of_page(self: Inference, node: Node, name: str, masks: List[int], mask: int) -> int:
    function = node["function"]
    if name in ("each", "map", "grep") and len(masks) > 1 and function.kind == "member_expression":
        element = self.elements(masks[0])
        order = (NAT, element) if name == "each" else (element, NAT)
        self.call(masks[1], order, PAGE)
        return PAGE if name == "each" else array_of(self, node, ANY)
    if name != "ready":
        is_loading = name == "addEventListener" and re.match(
            r"""\(\s*["'](load|DOMContentLoaded)["']""", node["arguments"].text
        )
        for each in masks:
            self.call(each, () if is_loading else (PAGE,), PAGE)
    if name in ("val", "text", "html", "attr", "getAttribute", "trim") and len(masks) < 2 and (
        name in ("attr", "getAttribute", "trim") or not masks
    ):
        return STR
    return BOOL if name in ("hasClass", "contains", "is", "matches", "hasAttribute") else PAGE


def _of_keyyo(self: Inference, node: Node, name: str, masks: List[int], mask: int) -> int:
    if name == "get_calls":
        return self.world.calls.bit
    if name in keyyo.DIRECT:
        return keyyo.DIRECT[name]
    if name in keyyo.METHODS:
        method = keyyo.METHODS[name]
        for each in masks:
            self.call(each, (keyyo.ERROR_OR_NULL, method.result), 0)
        return UNDEF
    if name in keyyo.LISTENING and len(masks) > 1:
        first = node["arguments"].kids[0]
        events = string_value(first).split(",") if first.kind == "string" else ["newCall"]
        for event in events:
            arguments = keyyo.EVENTS.get(event.strip(), ())
            self.call(masks[1], arguments, CALL if mask & CALL else CTI)
        return UNDEF
    for each in masks:
        self.escape(each)
    return ANY


def _of_any(self: Inference, node: Node, name: str, masks: List[int], mask: int) -> int:
    if name in keyyo.METHODS:
        for each in masks:
            self.call(each, (keyyo.ERROR_OR_NULL, keyyo.METHODS[name].result), 0)
        return ANY
    if name in ARRAY_METHODS:
        count = 2 if name in ("reduce", "sort") else 1
        for each in masks:
            self.call(each, (ANY,) * count, 0, counted=False)
            self.escape_soft(each)
        return ANY
    for thing in self.owners_of(name):
        self.call(thing.fields[name], masks, thing.bit)
    for each in masks:
        self.escape(each)
    return ANY


def _of_match(self: Inference, node: Node, name: str, masks: List[int], mask: int) -> int:
    if name == "slice":
        return array_of(self, node, STR | UNDEF)
    return _of_any(self, node, name, masks, mask)


_METHODS_BY_BIT: Tuple[Tuple[int, _Rule], ...] = (
    (STR, _of_string),
    (NUMBER, _of_number),
    (DATE, _of_date),
    (REGEX, _of_regex),
    (PAGE, _of_page),
    (CTI | CALL, _of_keyyo),
    (MATCH, _of_match),
    (ANY, _of_any),
)
