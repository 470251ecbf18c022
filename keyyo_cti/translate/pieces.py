"""Pieces of Python code: expressions that know their precedence, and where they may be broken."""

from __future__ import annotations

import re
from typing import Iterable, List, Sequence, Tuple, Union

#: How tightly an expression binds.
(
    WALRUS, LAMBDA, TERNARY, OR, AND, NOT, COMPARISON, BIT_OR, BIT_XOR, BIT_AND, SHIFT, SUM,
    PRODUCT, UNARY, POWER, AWAIT, ATOM,
) = range(17)


class Group:
    """Something in brackets, which may be broken after each comma.

    :ivar is_call: True if a break may put a comma after the last item.
    """

    __slots__ = ("opening", "items", "closing", "comma", "is_loose", "_flat")

    def __init__(
        self, opening: str, items: Sequence["Piece"], closing: str, comma: str = ",",
        is_loose: bool = False,
    ) -> None:
        self.opening = opening
        self.items = list(items)
        self.closing = closing
        self.comma = comma
        self.is_loose = is_loose
        self._flat = ""

    def __str__(self) -> str:
        if not self._flat:
            separator = f"{self.comma} " if self.comma == "," else " "
            inner = separator.join(map(str, self.items))
            self._flat = f"{self.opening}{inner}{self.closing}"
        return self._flat


class Text(Group):
    """A text that may be broken into several beside each other, which Python joins.

    :param chunks: what stands between the quotes: fixed texts, and ``{...}`` of an f-string.
    """

    __slots__ = ("chunks", "prefix")

    def __init__(self, chunks: Sequence[str], prefix: str) -> None:
        super().__init__("(", [Piece([prefix])], ")")
        self.chunks = list(chunks)
        self.prefix = prefix

    def __str__(self) -> str:
        return f'{self.prefix}"{"".join(self.chunks)}"'

    def lines(self, width: int) -> List[str]:
        """Return texts that are no longer than that, if their words are not."""
        found, current = [], ""
        for chunk in self.chunks:
            for word in _words(chunk):
                if current and len(self.prefix) + 2 + len(current) + len(word) > width:
                    found.append(current)
                    current = ""
                current += word
        found.append(current)
        return [self._quoted(each) for each in found]

    def _quoted(self, text: str) -> str:
        if self.prefix and not re.search(r"(?<!{){(?:{{)*(?!{)", text):
            return '"' + text.replace("{{", "{").replace("}}", "}") + '"'
        return f'{self.prefix}"{text}"'


def _words(chunk: str) -> List[str]:
    """Return the parts of a chunk between which it may be broken."""
    if chunk.startswith("{") and not chunk.startswith("{{"):
        return [chunk]
    return re.findall(r"[^ ]* |[^ ]+", chunk)


Part = Union[str, Group]


class Piece:
    """An expression, or the head of a statement.

    :ivar parts: texts, and groups that may be broken.
    :ivar precedence: of the outermost operator.
    """

    __slots__ = ("parts", "precedence", "_flat")

    def __init__(self, parts: Iterable[Part], precedence: int = ATOM) -> None:
        self.parts: Tuple[Part, ...] = tuple(parts)
        self.precedence = precedence
        self._flat = ""

    def __str__(self) -> str:
        if not self._flat:
            self._flat = "".join(map(str, self.parts))
        return self._flat

    @property
    def is_simple(self) -> bool:
        """True for a name, or a chain of attributes."""
        return str(self).replace(".", "").replace("_", "").isalnum()


def atom(text: str) -> Piece:
    """Return a name or a literal."""
    return Piece((text,))


def join(*parts: Union[str, Piece], precedence: int = ATOM) -> Piece:
    """Return one piece of several; the caller has put what needs it in parentheses."""
    found: List[Part] = []
    for part in parts:
        if isinstance(part, str):
            found.append(part)
        elif part.precedence == WALRUS and found and not _may_precede(found[-1]):
            found.append(Group("(", [part], ")", comma=""))
        else:
            found.extend(part.parts)
    return Piece(found, precedence)


def _may_precede(part: Part) -> bool:
    """True if an assignment inside of an expression needs no parentheses behind this."""
    return str(part).endswith(("(", "[", "if ", "while "))


def wrap(piece: Piece, precedence: int) -> Piece:
    """Return the piece, in parentheses if it binds less tightly than that."""
    if piece.precedence >= precedence:
        return piece
    return Piece([Group("(", [piece], ")", comma="")])


def call(function: Union[str, Piece], *arguments: Union[str, Piece]) -> Piece:
    """Return a call."""
    head = (function,) if isinstance(function, str) else wrap(function, ATOM).parts
    given = [atom(each) if isinstance(each, str) else each for each in arguments]
    return Piece((*head, Group("(", given, ")")))


def argument_of(value: Union[str, Piece]) -> Piece:
    """Return an argument of a call."""
    return atom(value) if isinstance(value, str) else value


def method(target: Piece, name: str, *arguments: Union[str, Piece]) -> Piece:
    """Return a call of a method."""
    return call(attribute(target, name), *arguments)


def attribute(target: Piece, name: str) -> Piece:
    """Return an attribute."""
    head = wrap(target, ATOM)
    if str(head).isdigit():
        head = join("(", head, ")")
    return join(head, f".{name}")


def item(target: Piece, key: Union[str, Piece]) -> Piece:
    """Return ``target[key]``."""
    return join(wrap(target, ATOM), "[", argument_of(key), "]")


def sequence(opening: str, items: Sequence[Piece], closing: str) -> Piece:
    """Return a list or a dict."""
    return Piece([Group(opening, items, closing)])


#: Numbers and texts, and what is computed of numbers alone.
_CONSTANT = re.compile(
    r"(?=.*\d)([\d.\s+*/%()-]|(?<=\d)e(?=[+-]?\d))+|(\"[^\"\\]*\"|'[^'\\]*')( \* \d+)?|True|False"
)


def binary(left: Piece, operator: str, right: Piece, precedence: int) -> Piece:
    """Return a left-associative binary operation."""
    if operator in ("is", "is not") and str(right) == "None" and _CONSTANT.fullmatch(str(left)):
        # Python warns of it. Nothing that is written there is None.
        return atom("False" if operator == "is" else "True")
    # Python would read `a < b < c` as two comparisons.
    first = precedence + 1 if precedence == COMPARISON else precedence
    return join(
        wrap(left, first), f" {operator} ", wrap(right, precedence + 1), precedence=precedence
    )


def ternary(condition: Piece, yes: Piece, no: Piece) -> Piece:
    """Return a conditional expression."""
    return join(
        wrap(yes, OR), " if ", wrap(condition, OR), " else ", wrap(no, TERNARY),
        precedence=TERNARY,
    )


def negated(piece: Piece) -> Piece:
    """Return ``not`` of a condition."""
    return join("not ", wrap(piece, NOT), precedence=NOT)


def in_brackets(opening: str, parts: List[Union[str, Piece]], closing: str) -> Piece:
    inner = join(*parts)
    return Piece([Group(opening, [inner], closing, comma="")])
