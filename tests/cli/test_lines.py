"""``keyyo-cti lines``: what an account has, for people and for programs."""

from __future__ import annotations

import os
import sys

import pytest

from keyyo_cti.simulator import Line, Simulator

from ..helpers.running import Running
from .kept import READ, Capture, keep_login, run


def test_one_line(sim: Simulator, alice: Line, capsys: Capture) -> None:
    """A line is its CSI and its name, on stdout, and nothing is on stderr."""
    keep_login(sim, READ)
    said = run(capsys, "lines")
    assert (said.status, said.err) == (0, [])
    assert [line.split() for line in said.out] == [[alice.number, "Alice"]]


def test_several_lines(sim: Simulator, capsys: Capture) -> None:
    """Several lines stand in columns, in the account's order, without what is no line."""
    sim.line("33199000002", name="Zoë Müller", short_number="201")
    sim.line("33199000001", name="Alice", short_number="20")
    sim.line("33199000003")
    keep_login(sim)
    said = run(capsys, "lines")
    assert said.out == [
        "33199000002  201  Zoë Müller",
        "33199000001  20   Alice",
        "33199000003",
    ]


@pytest.mark.parametrize(
    ("arguments", "out", "err"),
    [([], [], ["the account has no line"]), (["--json"], ["[]"], [])],
)
def test_no_line(
    sim: Simulator, capsys: Capture, arguments: "list[str]", out: "list[str]", err: "list[str]"
) -> None:
    """An account without lines is no failure: a person is told, and a program gets ``[]``."""
    keep_login(sim)
    assert run(capsys, "lines", *arguments) == (0, out, err)


def test_json(capsys: Capture) -> None:
    """``--json`` has every field of every line of every page, and nothing is on stderr."""
    with Simulator(page_size=1) as sim:
        numbers = [f"3319900000{digit}" for digit in range(1, 5)]
        for number in numbers:
            sim.line(number, name="Zoë", short_number=number[-3:])
        keep_login(sim)
        said = run(capsys, "lines", "--json")
    assert (said.status, said.err) == (0, [])
    assert [line["csi"] for line in said.json] == numbers
    for line in said.json:
        assert line["name"] == "Zoë" and line["short_number"] == line["csi"][-3:]
        assert {"formatted_csi", "_resource_type", "_links"} <= line.keys()


@pytest.mark.parametrize("name", ["\x1b[2JAlice", "\x9b31m", "a\nb", "left\u202eright", "\ud800"])
@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_a_name_cannot_command_the_terminal(
    sim: Simulator, alice: Line, capsys: Capture, name: str, arguments: "list[str]"
) -> None:
    """A name with control characters is shown with them escaped, and whole in the JSON."""
    alice.set(name=name)
    keep_login(sim)
    said = run(capsys, "lines", *arguments)
    assert said.status == 0 and all(line.isprintable() for line in said.out)
    if arguments:
        assert said.json[0]["name"] == name
    else:
        assert len(said.out) == 1


def test_fields_of_another_kind(sim: Simulator, capsys: Capture) -> None:
    """Fields that Keyyo leaves out are empty, and numbers are as good as strings."""
    service = {"_resource_type": "UCaaSVoIPAccount", "csi": 33199000001, "short_number": 20}
    sim.faults.http(
        "/manager/1.0/services", 200, body={"_embedded": {"UCaaSVoIPAccount": [service]}}
    )
    keep_login(sim)
    assert run(capsys, "lines") == (0, ["33199000001  20"], [])


def test_a_pipe_that_knows_only_ascii(sim: Simulator, alice: Line) -> None:
    """A name with letters that stdout cannot show is escaped, and no traceback."""
    alice.set(name="Zoë")
    keep_login(sim)
    with Running("-m", "keyyo_cti", "lines", PYTHONIOENCODING="ascii") as running:
        assert running.end() == 0
        assert running.rest() == [f"{alice.number}    Zo\\xeb"]
        assert running.rest("err") == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_nobody_reads(sim: Simulator, alice: Line) -> None:
    """As in ``keyyo-cti lines | true``: no traceback, and exit code 1."""
    keep_login(sim)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        with Running("-m", "keyyo_cti", "lines", stdout=writer) as running:
            assert running.end() == 1
            assert running.rest("err") == []
    finally:
        os.close(writer)
