"""Inputs that are nearly right: good ones, changed in a few places. The same for the same seed."""

import json
from random import Random
from typing import Any, Callable, List, Sequence

LONGEST = 4096

_NAMES = (
    "notify", "call", "callref", "caller", "callee", "state", "setup_date", "connect_date",
    "release_date", "callpark_slot", "id", "result", "error", "status_code", "message", "number",
    "now", "session_id", "numbers", "auto_answer", "token", "_fields", "__class__", "", "\ud800",
)

_WORDS: Sequence[Any] = (
    "call", "SETUP", "CONNECT", "RELEASE", "MISSED", "33199000001", "callpark", "", "c1", "\ud800",
    "Invalid token", "Unknown session_id", "RPC invalid params", "Cannot treat action", "nan",
    "\u2028", "\x1b[2J", "\0", "1e999", "1_0", 0, 1, -1, 2, 400, 401, 1700000000, 1700000000.5,
    10 ** 30, 1e308, -1e308, True, False, None,
)


class Mutator:
    """Changes good inputs.

    :param seeds: good ones.
    :param tokens: what is worth putting in.
    """

    def __init__(self, random: Random, seeds: Sequence[bytes], tokens: Sequence[bytes]) -> None:
        self._random = random
        self._seeds = seeds
        self._tokens = tokens
        self._changes: List[Callable[[bytearray], None]] = [
            self._set, self._put_in, self._put_in, self._cut_out, self._copy, self._shorten,
            self._repeat, self._go_on_as_another, self._noise,
        ]

    def mutated(self) -> bytes:
        """The next input."""
        draw = self._random.random
        data = bytearray(self._seeds[int(draw() * len(self._seeds))])
        # Mostly a few changes, seldom many.
        for _ in range(1 + int(draw() ** 3 * 8)):
            self._changes[int(draw() * len(self._changes))](data)
        return bytes(data[:LONGEST])

    def _at(self, data: bytearray) -> int:
        return int(self._random.random() * (len(data) + 1))

    def _set(self, data: bytearray) -> None:
        at = self._at(data)
        data[at : at + 1] = bytes([int(self._random.random() * 256)])

    def _put_in(self, data: bytearray) -> None:
        at = self._at(data)
        data[at:at] = self._tokens[int(self._random.random() * len(self._tokens))]

    def _cut_out(self, data: bytearray) -> None:
        at = self._at(data)
        del data[at : at + 1 + int(self._random.random() * 8)]

    def _copy(self, data: bytearray) -> None:
        start = self._at(data)
        at = self._at(data)
        data[at:at] = data[start : start + int(self._random.random() * 32)]

    def _shorten(self, data: bytearray) -> None:
        del data[self._at(data) :]

    def _repeat(self, data: bytearray) -> None:
        at = self._at(data)
        data[at : at + 1] = data[at : at + 1] * int(self._random.random() ** 8 * 1500)

    def _go_on_as_another(self, data: bytearray) -> None:
        other = self._seeds[int(self._random.random() * len(self._seeds))]
        at = self._at(data)
        data[at:] = other[min(at, len(other)) :]

    def _noise(self, data: bytearray) -> None:
        at = self._at(data)
        size = int(self._random.random() * 8)
        data[at : at + size] = self._random.getrandbits(64).to_bytes(8, "big")[:size]


def value(random: Random, depth: int = 3) -> Any:
    """A JSON value, in which names and words of the field are frequent."""
    kind = random.random()
    if depth and kind < 0.25:
        return fields(random, depth - 1)
    if depth and kind < 0.35:
        return [value(random, depth - 1) for _ in range(int(random.random() * 4))]
    if 0.35 <= kind < 0.353:
        return _seldom(random)
    return _WORDS[int(random.random() * len(_WORDS))]


def fields(random: Random, depth: int = 3) -> Any:
    """An object."""
    return {
        _NAMES[int(random.random() * len(_NAMES))]: value(random, depth)
        for _ in range(int(random.random() * 7))
    }


def _seldom(random: Random) -> Any:
    """Something that is large or deep."""
    if random.random() < 0.5:
        return 10 ** int(random.random() * 400)
    inner: Any = "deep"
    for _ in range(int(random.random() ** 2 * 900)):
        inner = [inner] if random.random() < 0.5 else {"call": inner}
    return inner


def message(random: Random) -> str:
    """A message that resembles a notification, or a reply."""
    said = fields(random)
    kind = random.random()
    if kind < 0.45:
        call = fields(random)
        call.setdefault("callref", "c%d" % int(random.random() * 20))
        said = {"notify": "call", "call": call}
    elif kind < 0.9:
        said["id"] = int(random.random() * 3)
        said["error" if kind < 0.65 else "result"] = value(random)
    return json.dumps(said)
