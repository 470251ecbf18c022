"""The long run, in short."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import ClassVar, List

import pytest

from ..footprint import footprint
from . import guided, long_run
from .target import Target
from .targets import TARGETS


class Odd(Target):
    """Fails at every third input, and is interrupted at the tenth if that is wanted."""

    name = "frames"
    seeds = (b"abc",)
    tokens = (b"x",)
    interrupted: ClassVar[bool] = False
    closed: ClassVar[List[int]] = []

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    def attempt(self, data: bytes) -> None:
        self._count += 1
        if self.interrupted and self._count == 10:
            raise KeyboardInterrupt
        assert self._count % 3, "the third"

    def close(self) -> None:
        self.closed.append(self._count)


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TARGETS, "frames", Odd)
    monkeypatch.setattr(Odd, "closed", [])


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


def test_a_failure(odd: None, capsys: pytest.CaptureFixture[str]) -> None:
    """A failure is told with its first input, the others of its kind are counted, and the exit
    code is 1."""
    assert run("--seconds", "0.2", "--target", "frames") == 1
    told = capsys.readouterr().out
    assert told.count("AssertionError: the third") == 1
    assert len(re.findall(r"^input: b'.*'$", told, re.MULTILINE)) == 1
    (failed,) = re.findall(r"^total .* (\d+) failed$", told, re.MULTILINE)
    assert int(failed) > 1
    assert len(Odd.closed) == 1


def test_an_input_again(
    odd: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An input that is in a file as it was printed is tried again, and raises as it did."""
    file = tmp_path / "input"
    file.write_text(f"{b'o'!r}\n")
    assert run("--target", "frames", "--input", str(file)) == 0
    assert capsys.readouterr().out == "frames: it holds\n"

    def attempt(self: Odd, data: bytes) -> None:
        raise AssertionError(data)

    monkeypatch.setattr(Odd, "attempt", attempt)
    with pytest.raises(AssertionError, match="b'o'"):
        run("--target", "frames", "--input", str(file))


def test_ctrl_c(
    odd: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends it, with what was tried until then."""
    monkeypatch.setattr(Odd, "interrupted", True)
    assert run("--seconds", "60", "--target", "frames", "--target", "messages") == 1
    told = capsys.readouterr().out
    assert re.search(r"^frames +10 inputs .* 3 failed$", told, re.MULTILINE)
    assert re.search(r"^interrupted\ntotal +10 inputs .* 3 failed$", told, re.MULTILINE)
    assert "messages" not in told
    assert Odd.closed == [10]


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


def test_guided_by_coverage() -> None:
    """With atheris, inputs are tried in a process of its own, which says what became of them."""
    pytest.importorskip("atheris")
    tally = guided.run("frames", 2.0, 7)
    assert tally.inputs > 0 and tally.seconds > 1 and not tally.failures


class Hoarder(Target):
    """Keeps a MiB of each input."""

    name = "frames"
    seeds = (b"abc",)
    tokens = (b"x",)

    def __init__(self) -> None:
        super().__init__()
        self._kept: List[bytes] = []

    def attempt(self, data: bytes) -> None:
        self._kept.append(bytes([len(self._kept) % 255 + 1]) * 2**20)


@pytest.mark.skipif(footprint().resident is None, reason="the system does not tell the memory")
def test_it_stops_at_the_bound_of_memory(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(TARGETS, "frames", Hoarder)
    assert run("--seconds", "60", "--target", "frames", "--memory", "50") == 1
    printed = capsys.readouterr().out
    assert "50 MiB are allowed" in printed
    assert "1 failed" in printed
