"""What the values of a program may be, as masks of bits.

Each primitive type has a bit, and so has each place of the program that makes an array, an object,
a function or a class. A union of types is then one ``|`` of integers.
"""

from __future__ import annotations

from typing import Dict, FrozenSet, List, Optional, Set, Tuple

from .syntax import Node

UNDEF, NULL, BOOL = 1, 2, 4
#: Whole numbers from 0 on, whole numbers, any numbers, and what may be NaN or infinite.
NAT, INT, FLOAT, NAN = 8, 16, 32, 64
STR = 128
#: Anything at all.
ANY = 256
REGEX, DATE, MATCH, ERROR = 512, 1024, 2048, 4096
#: The page, its elements and libraries.
PAGE = 8192
#: Keyyo's: the global, a CTI, a Call, an error, a result, and a copy of a Call's fields.
KEYYO, CTI, CALL, ERR, RES, FIELDS = (1 << bit for bit in range(14, 20))
TIMER = 1 << 20
_FIRST_OBJECT = 24

NONE = UNDEF | NULL
WHOLE = NAT | INT
NUMBER = NAT | INT | FLOAT | NAN
PRIMITIVE = NONE | BOOL | NUMBER | STR


class Thing:
    """An object that a place of the program makes.

    :ivar kind: ``array``, ``dict``, ``record``, ``function``, ``class``, ``instance``, ``map``,
        ``set`` or ``promise``. A record is an object literal that becomes a class of its own.
    :ivar fields: the mask of each property.
    :ivar certain: names of the properties that are there from the beginning.
    :ivar falls_off: True for a function whose end control may reach.
    :ivar lacking: names of properties that a spread may not bring.
    :ivar others: the mask of elements, and of properties whose names are computed.
    """

    def __init__(self, kind: str, node: Optional[Node], bit: int) -> None:
        self.kind = kind
        self.node = node
        self.bit = bit
        self.fields: Dict[str, int] = {}
        self.certain: Set[str] = set()
        self.lacking: Set[str] = set()
        self.others = 0
        self.is_open = False
        self.deletes = False
        # Of functions.
        self.parameters: List[int] = []
        self.this = 0
        self.returns = 0
        self.counts: Set[int] = set()
        self.escaped = False
        self.returns_used = False
        self.falls_off = False
        self.is_method = False
        # Of classes and instances.
        self.instance: Optional[Thing] = None
        self.base: Optional[Thing] = None
        self.methods: Dict[str, Node] = {}


class World:
    """All things of a program, by their bits."""

    def __init__(self) -> None:
        self.things: List[Thing] = []
        self._by_node: Dict[Tuple[int, str], Thing] = {}
        self._of: Dict[int, List[Thing]] = {0: []}
        self._kinds: Dict[int, FrozenSet[str]] = {0: frozenset()}
        self.numbers = self.make("array", None)
        self.numbers.others = STR
        self.calls = self.make("array", None)
        self.calls.others = CALL

    def make(self, kind: str, node: Optional[Node]) -> Thing:
        """Return the thing that a node makes; each node makes one."""
        key = (id(node), kind)
        if node is not None and key in self._by_node:
            return self._by_node[key]
        thing = Thing(kind, node, 1 << (_FIRST_OBJECT + len(self.things)))
        self.things.append(thing)
        if node is not None:
            self._by_node[key] = thing
        return thing

    def of(self, mask: int) -> List[Thing]:
        """Return the things in a mask."""
        mask >>= _FIRST_OBJECT
        found = self._of.get(mask)
        if found is None:
            left = mask
            found = []
            while left:
                low = left & -left
                found.append(self.things[low.bit_length() - 1])
                left ^= low
            self._of[mask] = found
        return found

    def kinds(self, mask: int) -> FrozenSet[str]:
        """Return the kinds of the things in a mask."""
        mask >>= _FIRST_OBJECT
        found = self._kinds.get(mask)
        if found is None:
            found = self._kinds[mask] = frozenset(
                thing.kind for thing in self.of(mask << _FIRST_OBJECT)
            )
        return found

    def only(self, mask: int, *kinds: str) -> bool:
        """True if the mask holds things of these kinds, and nothing else."""
        things = mask >> _FIRST_OBJECT
        return bool(things) and things << _FIRST_OBJECT == mask and self.kinds(mask) <= set(kinds)


def atoms(mask: int) -> int:
    """Return the mask without its things."""
    return mask & ((1 << _FIRST_OBJECT) - 1)
