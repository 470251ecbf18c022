"""The long run, in short."""

from __future__ import annotations

import re
from random import Random
from typing import ClassVar, List

import pytest

from . import long_run
from .target import Target
from .targets import TARGETS


class Odd(Target):
    """Fails at every third input."""

    name = "frames"
    seeds = (b"abc",)
    tokens = (b"x",)
    closed: ClassVar[List[int]] = []

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    def attempt(self, data: bytes) -> None:
        self._count += 1
        assert self._count % 3, "the third"

    def close(self) -> None:
        self.closed.append(self._count)


def run(*arguments: str) -> int:
    return long_run.main(["--blind", "--seed", "7", *arguments])


def test_it_tells_what_it_tried(capsys: pytest.CaptureFixture[str]) -> None:
    """Each target has a line, in the order of their names' list, and the total is their sum."""
    assert run("--seconds", "0.4", "--target", "frames", "--target", "messages") == 0
    first, frames, messages, total = capsys.readouterr().out.splitlines()
    assert first == "seed 7, blind"
    counts = [int(line.split()[1].replace(",", "")) for line in (frames, messages, total)]
    assert counts[0] > 0 and counts[1] > 0 and counts[2] == counts[0] + counts[1]
    assert [line.split()[0] for line in (frames, messages, total)] == [
        "frames", "messages", "total"]
    assert total.endswith(" 0 failed")


def test_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failure is told with its first input, the others of its kind are counted, and the exit
    code is 1."""
    monkeypatch.setitem(TARGETS, "frames", Odd)
    assert run("--seconds", "0.2", "--target", "frames") == 1
    told = capsys.readouterr().out
    assert told.count("AssertionError: the third") == 1
    assert len(re.findall(r"^input: b'.*'$", told, re.MULTILINE)) == 1
    (failed,) = re.findall(r"^total .* (\d+) failed$", told, re.MULTILINE)
    assert int(failed) > 1
    assert len(Odd.closed) == 1


@pytest.mark.parametrize("name", TARGETS)
def test_what_it_begins_with(name: str) -> None:
    """All that inputs are made from holds as it is."""
    target = TARGETS[name]()
    try:
        for seed in target.seeds:
            target.attempt(seed)
    finally:
        target.close()


@pytest.mark.parametrize("name", TARGETS)
def test_the_same_for_the_same_seed(name: str) -> None:
    """A seed gives the same inputs each time, and another seed gives others."""
    made = []
    for seed in (1, 1, 2):
        target = TARGETS[name]()
        target.draw_from(Random(seed))
        made.append([target.make() for _ in range(30)])
        target.close()
    assert made[0] == made[1] != made[2]
