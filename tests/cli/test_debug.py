"""``keyyo-cti --debug``: the wire log on stderr."""

from __future__ import annotations

import logging
from typing import List

import pytest

from keyyo_cti._client import stderr_log
from keyyo_cti.cli import watch
from keyyo_cti.cli.parser import parse
from keyyo_cti.simulator import Line, Phone, Simulator

from .kept import Capture, keep_login, run

BOB = "33199020000"


@pytest.fixture(autouse=True)
def login(sim: Simulator, alice: Line) -> None:
    keep_login(sim)


@pytest.mark.parametrize(
    "words",
    [["--debug", "dial", BOB], ["dial", "--debug", BOB], ["--debug", "dial", BOB, "--debug"]],
)
def test_debug_prints_the_wire_log_to_stderr(
    bob: Phone, capsys: Capture, words: List[str]
) -> None:
    status, out, err = run(capsys, *words)
    assert (status, out) == (0, [])
    for part in ("-> create_session id=1 auto_answer", "-> dial id=2 number=33199020000"):
        assert sum(part in line for line in err) == 1
    assert not any("->" in line for line in run(capsys, "dial", BOB).err)
    assert logging.getLogger("keyyo_cti.wire").level == logging.NOTSET


def test_wire_log_that_is_printed_is_not_printed_twice() -> None:
    log = logging.getLogger("keyyo_cti")
    before = list(log.handlers)
    end = stderr_log.print_wire_log()
    try:
        printing = list(log.handlers)
        stderr_log.print_wire_log()()
        assert log.handlers == printing and len(printing) == len(before) + 1
    finally:
        end()
    assert log.handlers == before


def test_watch_is_asked_for_lines() -> None:
    """They would break a table."""
    arguments = parse(["watch", "--debug"], "watch", watch.add_arguments)
    assert arguments.debug and not parse(["watch"], "watch", watch.add_arguments).debug
