"""Makes JavaScript expressions at random, with values that are apt to differ."""

from __future__ import annotations

import random
from typing import Callable, Dict, List

_NUMBERS = ["0", "1", "2", "3", "7", "10", "-1", "-3", "0.5", "1.5", "2.5", "-2.5", "100", "0.1"]
_STRINGS = ['""', '"a"', '"b"', '"abc"', '"A b"', '"0"', '"10"', '"9"', '" x "', '"1.5"', '"é"',
            '"it\'s"', '"{x}"', '"a,b,c"', '"%s"', "'\"q\"'", '"null"', '"x\\ny"']


_JSON = ["nums", "strs", "num", "str", "bool", "obj"]


class Expressions:
    """Makes expressions, of variables that it knows.

    :param seed: the same one makes the same program.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.names = 0
        self.variables: List[Dict[str, List[str]]] = [{}]
        self.depth = 0
        # Python has None for both, so that a program has either null or undefined.
        self.has_null = self.random.random() < 0.5

    # Names.

    def name(self) -> str:
        self.names += 1
        word = self.random.choice(["value", "lastItem", "x", "total", "list", "text"])
        return f"{word}{self.names}"

    def known(self, kind: str) -> List[str]:
        return [name for scope in self.variables for name in scope.get(kind, [])]

    def declare(self, kind: str, name: str) -> None:
        self.variables[-1].setdefault(kind, []).append(name)

    # Expressions.

    def expression(self, kind: str) -> str:
        self.depth += 1
        try:
            names = self.known(kind)
            if self.depth > 4 or self.random.random() < 0.3:
                if names and self.random.random() < 0.7:
                    return self.random.choice(names)
                return self.literal(kind)
            rules = _RULES[kind] if self.has_null else _RULES[kind] + _UNDEFINED.get(kind, [])
            return self.random.choice(rules)(self)
        finally:
            self.depth -= 1

    def literal(self, kind: str) -> str:
        pick = self.random.choice
        if kind == "num":
            return pick(_NUMBERS)
        if kind == "str":
            return pick(_STRINGS)
        if kind == "bool":
            return pick(["true", "false"])
        if kind == "nums":
            return f"[{', '.join(pick(_NUMBERS) for _ in range(self.random.randint(0, 4)))}]"
        if kind == "strs":
            return f"[{', '.join(pick(_STRINGS) for _ in range(self.random.randint(0, 4)))}]"
        if kind == "obj":
            return f"{{a: {pick(_NUMBERS)}, bC: {pick(_STRINGS)}, list: [1, 2]}}"
        nothing = "null" if self.has_null else "undefined"
        others = ["true", "false", nothing, "[]", "[1]", "[2, 3]"]
        return pick([pick(_NUMBERS), pick(_STRINGS), *others])

    def num(self) -> str:
        return self.expression("num")

    def string(self) -> str:
        return self.expression("str")

    def anything(self) -> str:
        return self.expression(self.random.choice(["num", "str", "bool", "mixed"]))


def _template(g: Expressions) -> str:
    return f"`<${{{g.anything()}}}|${{{g.anything()}}}>`"


_Rule = Callable[[Expressions], str]

_RULES: Dict[str, List[_Rule]] = {
    "num": [
        lambda g: f"({g.num()} + {g.num()})",
        lambda g: f"({g.num()} - {g.num()})",
        lambda g: f"({g.num()} * 2)",
        lambda g: f"({g.num()} / {g.random.choice('1234')})",
        lambda g: f"({g.num()} % 5)",
        lambda g: f"Math.round({g.num()})",
        lambda g: f"Math.floor({g.num()})",
        lambda g: f"Math.max({g.num()}, {g.num()})",
        lambda g: f"{g.string()}.length",
        lambda g: f"{g.expression('nums')}.length",
        lambda g: f"{g.string()}.indexOf({g.string()})",
        lambda g: f"({g.expression('bool')} ? {g.num()} : {g.num()})",
        lambda g: f"({g.num()} | 0)",
        lambda g: f"(-{g.random.choice(g.known('num') or ['3'])})",
        lambda g: f"{g.expression('nums')}.reduce((a, b) => a + b, 0)",
        lambda g: f"({g.num()} || {g.num()})",
        lambda g: f"({g.num()} && {g.num()})",
        lambda g: f"Math.abs({g.num()})",
        lambda g: f"({g.num()} / (Math.abs({g.num()}) + 1))",
        lambda g: f"({g.num()} / Math.abs({g.num()}) || 0)",
        lambda g: f"(parseInt({g.string()}, 10) || 0)",
        lambda g: f"(Number({g.string()}) || 0)",
        lambda g: f"(({g.num()}) ** 2 % 1000)",
        lambda g: f"{g.expression('obj')}.a",
        lambda g: f"{g.expression('nums')}.indexOf({g.num()})",
        lambda g: f"({g.num()} & 6)",
    ],
    "str": [
        lambda g: f"({g.string()} + {g.anything()})",
        lambda g: f"({g.anything()} + {g.string()})", _template,
        lambda g: f"{g.string()}.toUpperCase()",
        lambda g: f"{g.string()}.trim()",
        lambda g: f"{g.string()}.slice({g.random.randint(-2, 3)})",
        lambda g: f"{g.string()}.substring(1, 3)",
        lambda g: f"{g.string()}.charAt({g.random.randint(0, 2)})",
        lambda g: f"{g.expression('strs')}.join('-')",
        lambda g: f"{g.expression('nums')}.join()",
        lambda g: f"String({g.anything()})",
        lambda g: f"{g.string()}.replace('a', 'z')",
        lambda g: f"{g.string()}.replace(/[ab]/g, '.')",
        lambda g: f"{g.string()}.padStart(4, '*')",
        lambda g: f"({g.expression('bool')} ? {g.string()} : {g.string()})",
        lambda g: f"({g.string()} || {g.string()})",
        lambda g: f"({g.string()} && {g.string()})",
        lambda g: f"({g.num()}).toFixed(1)",
        lambda g: f"(typeof ({g.anything()}))",
        lambda g: f"JSON.stringify({g.expression(g.random.choice(_JSON))})",
        lambda g: f"{g.string()}.split('').reverse().join('')",
        lambda g: f"{g.expression('obj')}.bC",
        lambda g: f"'ab'.repeat({g.random.randint(0, 2)})",
        lambda g: f"({g.num()}).toString()",
    ],
    "bool": [
        lambda g: f"({g.num()} < {g.num()})",
        lambda g: f"({g.num()} >= {g.num()})",
        lambda g: f"({g.anything()} == {g.anything()})",
        lambda g: f"({g.anything()} === {g.anything()})",
        lambda g: f"({g.anything()} !== {g.anything()})",
        lambda g: f"({g.anything()} != {g.anything()})",
        lambda g: f"!({g.anything()})",
        lambda g: f"({g.string()} < {g.string()})",
        lambda g: f"({g.expression('bool')} && {g.expression('bool')})",
        lambda g: f"({g.expression('bool')} || {g.expression('bool')})",
        lambda g: f"{g.string()}.includes({g.string()})",
        lambda g: f"{g.string()}.startsWith({g.string()})",
        lambda g: f"{g.expression('nums')}.some(n => n > {g.num()})",
        lambda g: f"{g.expression('strs')}.every(s => s.length > 1)",
        lambda g: f"({g.anything()} > {g.anything()})",
        lambda g: f"Array.isArray({g.expression('mixed')})",
        lambda g: f"{g.expression('strs')}.includes({g.string()})",
        lambda g: f"/^[a-z]+$/.test({g.string()})",
        lambda g: f"({g.expression('mixed')} == null)",
        lambda g: f"Boolean({g.expression('mixed')})",
        lambda g: f"!!{g.literal('mixed')}",
    ],
    "nums": [
        lambda g: f"{g.expression('nums')}.map(n => n * 2)",
        lambda g: f"{g.expression('nums')}.filter(n => n > 1)",
        lambda g: f"{g.expression('nums')}.slice(1)",
        lambda g: f"{g.expression('nums')}.concat({g.literal('nums')})",
        lambda g: f"[...{g.expression('nums')}, {g.num()}]",
        lambda g: f"{g.expression('strs')}.map(s => s.length)",
        lambda g: f"{g.expression('nums')}.slice().sort((a, b) => b - a)",
        lambda g: f"[{g.num()}, {g.num()}]",
        lambda g: f"{g.expression('nums')}.map((n, i) => n + i)",
        lambda g: f"{g.expression('nums')}.slice().sort()",
    ],
    "strs": [
        lambda g: f"{g.string()}.split(',')",
        lambda g: f"{g.expression('strs')}.map(s => s + '!')",
        lambda g: f"{g.expression('strs')}.filter(s => s)",
        lambda g: f"{g.expression('strs')}.slice(0, 2)",
        lambda g: f"{g.expression('nums')}.map(n => `n${{n}}`)",
        lambda g: f"Object.keys({g.expression('obj')})",
        lambda g: f"{g.expression('strs')}.slice().sort()",
        lambda g: f"[{g.string()}]",
    ],
    "obj": [
        lambda g: f"{{a: {g.num()}, bC: {g.string()}, list: {g.expression('nums')}}}",
        lambda g: f"{{...{g.expression('obj')}, a: {g.num()}}}",
    ],
    "mixed": [
        lambda g: g.anything(),
        lambda g: f"({g.anything()} || {g.anything()})",
        lambda g: f"({g.anything()} ?? {g.anything()})",
        lambda g: f"({g.anything()} + {g.anything()})",
        lambda g: g.literal("mixed"),
        lambda g: f"({g.expression('bool')} ? {g.anything()} : {g.anything()})",
        lambda g: f"({g.anything()} && {g.anything()})",
        lambda g: f"{g.expression('obj')}?.bC",
    ],
}

_UNDEFINED: Dict[str, List[_Rule]] = {
    "mixed": [
        lambda g: f"{g.expression('nums')}.find(n => n > 1)",
        lambda g: f"{g.expression('strs')}[{g.random.randint(0, 2)}]",
        lambda g: f"{g.expression('obj')}.zz",
        lambda g: f"{g.expression('obj')}['q']",
    ],
}
