"""Types of values: numbers, sums, and new arrays and promises."""

from __future__ import annotations

import re
from typing import List

from .infer import Inference
from .syntax import Node
from .types import ANY, BOOL, DATE, FLOAT, INT, NAN, NAT, NONE, NULL, NUMBER, STR, UNDEF, WHOLE


def number_of(mask: int) -> int:
    """Return what a value becomes as a number."""
    found = mask & NUMBER
    if mask & (BOOL | NULL):
        found |= NAT
    if mask & DATE:
        found |= INT
    if mask & ~(NUMBER | BOOL | NULL | DATE):
        found |= FLOAT | NAN
    return found


def combine(operator: str, left: int, right: int) -> int:
    """Return what a binary operator makes of two masks."""
    if operator in ("==", "!=", "===", "!==", "<", ">", "<=", ">=", "in", "instanceof"):
        return BOOL
    if not left or not right:
        return 0  # Nothing is known yet.
    if operator == "+":
        return _sum(left, right)
    if operator in ("&", "|", "^", "<<", ">>"):
        return INT
    if operator == ">>>":
        return NAT
    return _of_numbers(operator, number_of(left), number_of(right))


def _of_numbers(operator: str, a: int, b: int) -> int:
    both = a | b
    odd = both & NAN
    if operator == "-":
        return (INT if not both & (FLOAT | NAN) else FLOAT) | odd
    if operator == "*":
        if not both & ~NAT:
            return NAT
        return (INT if not both & (FLOAT | NAN) else FLOAT) | odd
    if operator == "%":
        if not both & ~WHOLE:
            return (NAT if not a & ~NAT else INT) | NAN
        return FLOAT | NAN
    if operator == "**":
        return (NAT if not both & ~NAT else FLOAT) | odd | (NAN if both & ~NAT else 0)
    return FLOAT | NAN


def _sum(left: int, right: int) -> int:
    numeric = NUMBER | BOOL | NONE
    if left & ~numeric == 0 and right & ~numeric == 0:
        both = number_of(left) | number_of(right)
        if both & ~NAT == 0:
            return NAT
        return (INT if both & (FLOAT | NAN) == 0 else FLOAT) | both & NAN
    if _only_text(left) or _only_text(right):
        return STR
    return STR | FLOAT | NAN


def _only_text(mask: int) -> bool:
    """True if ``+`` with this makes a string."""
    return not mask & (NUMBER | BOOL | NONE | ANY)


def array_of(self: Inference, node: Node, elements: int) -> int:
    thing = self.world.make("array", node)
    self.others(thing, elements)
    return thing.bit


def promise_of(self: Inference, node: Node, value: int) -> int:
    thing = self.world.make("promise", node)
    self.others(thing, value)
    return thing.bit


def replacement_masks(node: Node) -> List[int]:
    """Return what ``replace`` calls a function with."""
    pattern = node["pattern"].text if "pattern" in node.fields else ""
    groups = len(re.findall(r"(?<!\\)\((?!\?[^<]|\?<[=!])", pattern))
    # A group that did not take part is undefined.
    may_lack = "|" in pattern or re.search(r"\)[?*{]", pattern)
    return [STR, *[STR | UNDEF if may_lack else STR] * groups, NAT, STR]
