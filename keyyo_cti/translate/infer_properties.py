"""What the properties and the elements of a thing may be."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from . import keyyo
from .builtins import TEXT_PROPERTIES
from .types import (
    ANY,
    BOOL,
    CALL,
    CTI,
    DATE,
    ERR,
    ERROR,
    FIELDS,
    KEYYO,
    MATCH,
    NAT,
    NUMBER,
    PAGE,
    REGEX,
    RES,
    STR,
    TIMER,
    UNDEF,
    Thing,
    World,
    atoms,
)

_FIELDS_BY_BIT: Any = (
    (CALL, keyyo.FIELDS_OF_CALL),
    (FIELDS, {**keyyo.FIELDS_OF_CALL, "caller": STR}),
    (ERR, keyyo.FIELDS_OF_ERROR),
    (RES, keyyo.FIELDS_OF_RESULT),
    (CTI, keyyo.FIELDS_OF_CTI),
    (ERROR, {"message": STR, "name": STR, "stack": STR}),
    (MATCH, {"index": NAT}),
)

_WITH_FIELDS = CALL | FIELDS | ERR | RES | CTI | ERROR | MATCH


def _order(thing: Thing) -> int:
    return thing.bit


class Properties:
    """The things of a program, and what is known of their properties.

    :ivar changed: True if something has been learned in this pass.
    """

    def __init__(self) -> None:
        self.world = World()
        self.changed = False
        self._owners: Dict[str, List[Thing]] = {}

    def others(self, thing: Thing, mask: int) -> None:
        """Add to what the elements of a thing may be."""
        if mask & ~thing.others:
            thing.others |= mask
            self.changed = True

    def set_one(self, thing: Thing, name: str, mask: int) -> None:
        """Add to what a property of a thing may be."""
        known = thing.fields.get(name)
        if known is None or mask & ~known:
            thing.fields[name] = (known or 0) | mask
            self.changed = True
        if known is None and thing.kind in ("instance", "record", "dict"):
            self._owners.setdefault(name, []).append(thing)

    def owners_of(self, name: str) -> List[Thing]:
        """Return the objects that have a property of a name, in the order of their making."""
        return sorted(self._owners.get(name, ()), key=_order)

    def elements(self, mask: int) -> int:
        """Return what ``for of`` may yield."""
        found = 0
        for thing in self.world.of(mask):
            if thing.kind in ("array", "set"):
                found |= thing.others
            elif thing.kind in ("map", "instance"):
                found |= ANY
        if mask & STR:
            found |= STR
        if mask & (ANY | RES | MATCH | FIELDS):
            found |= ANY
        if mask & PAGE:
            found |= PAGE
        return found

    def field(self, mask: int, name: str) -> int:
        """Return what a property of anything in the mask may be."""
        found = 0
        for thing in self.world.of(mask):
            found |= self._field_of(thing, name)
        for bit, fields in _FIELDS_BY_BIT if mask & _WITH_FIELDS else ():
            if mask & bit:
                found |= fields.get(name, ANY)
        if mask & RES and name == "numbers":
            found = found & ~ANY | self.world.numbers.bit
        if mask & PAGE:
            found |= TEXT_PROPERTIES.get(name, PAGE)
        if mask & KEYYO:
            found |= KEYYO
        if mask & STR and name == "length":
            found |= NAT
        if mask & (NUMBER | BOOL):
            found |= UNDEF
        if mask & (ANY | DATE | REGEX | TIMER):
            found |= ANY
        return found

    def _field_of(self, thing: Thing, name: str) -> int:
        if name == "length" and thing.kind in ("array", "function"):
            return NAT
        if name == "size" and thing.kind in ("map", "set"):
            return NAT
        if name == "name" and thing.kind == "class" and name not in thing.fields:
            return STR
        if name == "constructor" and thing.kind == "instance" and name not in thing.fields:
            found = [each for each in self.world.things if each.instance is thing]
            return found[0].bit if found else ANY
        if thing.kind in ("instance", "class"):
            return self._field_of_instance(thing, name)
        if name in thing.fields:
            optional = name not in thing.certain or thing.deletes
            return thing.fields[name] | (UNDEF if optional else 0)
        if thing.kind in ("array", "map", "set", "promise"):
            return ANY
        return (thing.others if thing.is_open else 0) | UNDEF

    def _field_of_instance(self, thing: Thing, name: str) -> int:
        walked: Optional[Thing] = thing
        found = 0
        while walked is not None:
            if name in walked.fields:
                found |= walked.fields[name]
                if name in walked.certain:
                    return found
            walked = walked.base
        if thing.escaped:
            return ANY
        return found | UNDEF

    def settled(self, mask: int) -> int:
        """Return what ``await`` makes of a mask."""
        found = 0
        for thing in self.world.of(mask):
            found |= thing.others if thing.kind == "promise" else thing.bit
        return found | atoms(mask)

    def returned(self, thing: Thing, mask: int) -> None:
        """Add to what a function may return."""
        if mask & ~thing.returns:
            thing.returns |= mask
            self.changed = True
