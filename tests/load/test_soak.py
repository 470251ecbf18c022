"""The soak in short form: a few seconds of it, with a seed that stays."""

from __future__ import annotations

import faulthandler
from typing import List

import pytest

from . import soak
from .soaking.findings import OUTSIDE
from .soaking.stage import Settings, Stage

#: Seconds that it may take on a loaded machine, where it takes its time and is right all the same.
_WATCHDOG = 600.0


@pytest.mark.slow
@pytest.mark.fault(79)
def test_soak(watchdog: None) -> None:
    """With clients on every transport, many threads, and three faults a second, nothing is lost,
    repeated, outside of an announced gap, or wrong."""
    faulthandler.dump_traceback_later(_WATCHDOG, exit=True)
    lines: List[str] = []
    settings = Settings(seconds=8.0, clients=6, faults_per_second=3.0, seed=20260)
    figures = Stage(settings, lines.append).run()
    lost = "\n".join(f"{each.kind} {each.who}: {each.what}" for each in figures.findings.first())
    assert lost == ""
    assert figures.changes["told"] > 0 and OUTSIDE not in figures.changes
    assert sum(figures.faults.values()) > 0 and figures.outcomes["result"] > 0
    used = {name.partition(",")[0] for name in figures.connections if "no session" not in name}
    assert used == {"websocket", "xhr-streaming", "xhr-polling"}


@pytest.mark.slow
def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints its seed first, and its verdict last."""
    arguments = "--minutes 0.01 --clients 1 --seed 5 --threads 1".split()
    assert soak.main(arguments) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "seed 5"
    assert printed[-1] == "lost: 0, repeated: 0, outside gaps: 0, wrong: 0"
    assert any(line.startswith("commands, by outcome") for line in printed)


@pytest.mark.slow
def test_command_that_finds_something(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found is printed, and makes the command fail."""
    monkeypatch.setattr(Stage, "_settle", _finds_something)
    assert soak.main("--minutes 0.01 --clients 1 --threads 1 --seed 5".split()) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[-3:] == ["LOST: alice: her keys", "    on the table",
                            "lost: 1, repeated: 0, outside gaps: 0, wrong: 0"]


def _finds_something(stage: Stage, clients: object) -> None:
    stage._findings.add("lost", "alice", "her keys", ["on the table"])
