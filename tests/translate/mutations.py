"""Sources that are cut or changed at random."""

from __future__ import annotations

import random
from typing import List

from .generator import program

_PIECES = [
    '(', ')', '{', '}', '[', ']', ';', ',', "'", '"', '`', '/', '=>', '=', '?.', '...', ':',
    'async ', 'await ', 'class ', 'function ', 'return ', 'yield ', 'new ', 'this', '#', '\\',
    '${', '<!--', 'let ', '0x', '1n', '\u2028', '\x00', '\xe9', '\ud83d\ude00', 'of ',
    'static ', 'super', 'arguments', 'get ', '*', '**', 'label: ', 'break label;', 'import ',
    'export ', 'with (x) {', 'debugger', '@', '//', '/*', '*/', 'delete ', 'void ', 'typeof ',
    'in ',
]


def mutated(seed: int, sources: List[str]) -> str:
    """Return one of the sources, or a generated one, with a few changes."""
    chance = random.Random(seed)
    source = chance.choice(sources) if chance.random() < 0.5 else program(seed)
    start = chance.randrange(len(source))
    source = source[start:start + 4000] if chance.random() < 0.5 else source[:start + 1]
    for _ in range(chance.randint(0, 4)):
        at = chance.randrange(len(source) + 1)
        kind = chance.random()
        if kind < 0.4:
            source = source[:at] + chance.choice(_PIECES) + source[at:]
        elif kind < 0.7:
            source = source[:at] + source[at + chance.randint(1, 5):]
        elif kind < 0.85:
            end = at + chance.randint(1, 40)
            source = source[:at] + source[at:end] * 2 + source[end:]
        else:
            other = chance.randrange(len(source) + 1)
            source = source[:at] + source[other:other + 30] + source[at:]
    return source
