"""What the README and the site show is what happens, and their links lead somewhere."""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import threading
from pathlib import Path
from typing import Dict, List

import pytest

from keyyo_cti import simulator
from keyyo_cti.cli.parser import COMMANDS
from keyyo_cti.diagnosis import diagnose
from keyyo_cti.simulator import Line, Phone, Simulator

from ..helpers.accounts import client_of
from ..helpers.running import ROOT
from .guide import pairs, python_output, unmatched
from .pages import DOCS, PAGES, PATIENCE, anchors, links, name_of, programs, run

README = (ROOT / "README.md").read_text("utf-8")

PROGRAMS = programs()

#: Programs that need a person at a telephone, or an account: tests of their own run them.
FUTURES, CALLBACKS = "README.md: Your own line", "docs/tutorial.md: 5. Dial"

#: The port of a JavaScript example, which the tests of the porting guide run.
PORT = "README.md: From JavaScript"

#: A program that logs to stderr.
LOGS = ("docs/guides/up-for-months.md: Up for months", "docs/trouble.md: Turn logging on")


_TABLE = re.compile(r"^```\{toctree\}\n(.*?)^```", re.M | re.S)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*PROGRAMS} - {FUTURES, CALLBACKS, PORT}))
def test_program_of_a_page_prints_what_it_says(name: str, sim: Simulator, alice: Line) -> None:
    done = run(PROGRAMS[name], sim, alice)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert bool(done.stderr) == (name in LOGS), done.stderr
    assert unmatched(done.stdout.splitlines(), python_output(PROGRAMS[name])) == ([], [])


def test_program_with_callbacks(sim: Simulator, alice: Line) -> None:
    """The JavaScript-like program connects, dials, and prints the call to its end."""
    friend: Phone = sim.phone("33172587948")

    def people() -> None:
        friend.wait_until("ringing", timeout=PATIENCE)
        friend.pick_up()
        friend.hang_up()
        sim.faults.drop()

    thread = threading.Thread(target=people)
    thread.start()
    done = run(PROGRAMS[CALLBACKS], sim, alice)
    thread.join(PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "connected to 33199000001"
    assert sorted(lines[1:]) == ["1", "over after 0 s", "ringing 33199000001", "talking"]


def test_program_with_futures(sim: Simulator, alice: Line) -> None:
    """The Pythonic program connects and dials, or prints why not."""
    done = run(PROGRAMS[FUTURES], sim, alice)
    assert (done.returncode, done.stdout, done.stderr) == (0, "connected to 33199000001\n", "")
    alice.phone_registered = False
    done = run(PROGRAMS[FUTURES], sim, alice)
    assert done.stdout.splitlines()[1] == "400 Cannot treat action None"


def test_port_in_the_readme_is_one_of_the_porting_guide() -> None:
    [port] = pairs(README)
    assert (port.js, port.python) in {(pair.js, pair.python) for pair in pairs()}


def test_diagnosis_on_the_page_is_the_one_that_is_printed(sim: Simulator, alice: Line) -> None:
    alice.plugin_enabled = False
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert str(diagnose(client_of(sim), alice.number, sim.endpoint)) in page


def test_readme_is_short_and_says_at_once_that_keyyo_was_not_tried() -> None:
    assert README.count("\n") <= 180
    assert "not yet tried on Keyyo itself" in "".join(README.splitlines(True)[:10])


@pytest.mark.parametrize("page", ["README.md", "docs/comparison.md"])
@pytest.mark.parametrize(
    "statement",
    ["no public address, no tunnel and no webhook",
     "arguments of callbacks and handlers never change within a major version"],
)
def test_statement_about_what_is_not_needed_and_does_not_change_is_found(
    page: str, statement: str
) -> None:
    assert statement in (ROOT / page).read_text("utf-8").replace("No public", "no public")


def assumptions() -> Dict[str, List[str]]:
    """The simulator's assumptions by topic, from its docstring."""
    text = inspect.getdoc(simulator) or ""
    found: Dict[str, List[str]] = {}
    for line in text.partition("documents say nothing\n")[2].splitlines()[1:]:
        if re.match(r"\w", line):
            topic = line
            found[topic] = []
        elif line.startswith("    - "):
            found[topic].append(line[6:])
        elif line.strip():
            found[topic][-1] += " " + line.strip()
    return found


def as_markdown(topics: Dict[str, List[str]]) -> str:
    """The same as it stands on the page."""
    return "\n\n".join(
        f"**{topic}**\n\n" + "\n".join(f"- {line}" for line in lines)
        for topic, lines in topics.items()
    ).replace("``", "`")


def test_assumptions_of_the_simulator_are_on_its_page_word_for_word() -> None:
    assert len(assumptions()) > 4
    assert as_markdown(assumptions()) in (ROOT / "docs" / "simulator.md").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_of_a_page_lead_to_files_and_headings(page: Path) -> None:
    broken = [
        f"{path}#{anchor}" for path, anchor in links(page)
        if not (page.parent / path).exists()
        or anchor and anchor not in anchors(page.parent / path if path else page)
    ]
    assert broken == []


def test_every_page_of_the_site_is_in_a_table_of_contents() -> None:
    listed = {
        (page.parent / f"{name}.md").resolve()
        for page in DOCS
        for table in _TABLE.findall(page.read_text("utf-8"))
        for name in re.findall(r"^(?:[\w ]+<)?([\w/-]+)>?$", table, re.M)
    }
    pages = {page.resolve() for page in DOCS[1:]}
    assert listed == pages - {(ROOT / "docs" / "index.md").resolve()}


@pytest.mark.parametrize("page", DOCS, ids=name_of)
def test_commands_of_a_page_exist(page: Path) -> None:
    """Each command of the command line has the options that the page uses."""
    text = page.read_text("utf-8")
    for name, arguments in re.findall(r"\bkeyyo-cti ([a-z]\w*)\b([^`\n&|;]*)", text):
        if name in COMMANDS:
            parser = argparse.ArgumentParser()
            importlib.import_module(f"keyyo_cti.cli.{name}").add_arguments(parser)
            for option in re.findall(r"--[a-z][\w-]*", arguments.partition('"')[0]):
                assert option in parser.format_help(), f"keyyo-cti {name} {option}"
    for module in re.findall(r"python -m (tests[\w.]+)", text):
        path = ROOT.joinpath(*module.split("."))
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists()
