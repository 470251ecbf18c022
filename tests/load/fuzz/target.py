"""What is tried: something that takes input from outside."""

from abc import ABC, abstractmethod
from random import Random
from typing import ClassVar, Sequence

from .mutation import Mutator

#: Between the parts of an input that has several.
NEXT = b"\xfe\xfe"


class Target(ABC):
    """Something that any bytes may come to. The same bytes do the same, whatever came before."""

    name: ClassVar[str]

    #: Whether it is tried over sockets, so that threads and time play a part.
    live: ClassVar[bool] = False

    #: Its part of the time of a long run.
    share: ClassVar[float] = 1.0

    #: Good inputs, and what is worth putting into them.
    seeds: ClassVar[Sequence[bytes]] = ()
    tokens: ClassVar[Sequence[bytes]] = ()

    def __init__(self) -> None:
        self._mutator = Mutator(Random(0), self.seeds, self.tokens)

    def draw_from(self, random: Random) -> None:
        """Makes inputs of this from now on."""
        self._mutator = Mutator(random, self.seeds, self.tokens)

    def make(self) -> bytes:
        """The next input, which is nearly right."""
        return self._mutator.mutated()

    @abstractmethod
    def attempt(self, data: bytes) -> None:
        """Takes one input.

        :raises Exception: something that must hold does not.
        """

    def close(self) -> None:
        """Frees what it holds."""


def text(data: bytes) -> str:
    """Any bytes as text; what is no UTF-8 is turned away before a text is looked at."""
    return data.decode("utf-8", "replace")


def head(data: bytes) -> int:
    """The first byte, which says what is done with the others."""
    return data[0] if data else 0
