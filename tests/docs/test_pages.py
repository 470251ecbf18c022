"""What the README and the site show is what happens, and their links lead somewhere."""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import threading
from dataclasses import fields
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

import pytest

from keyyo_cti import Backoff, simulator
from keyyo_cti._client import token_cache
from keyyo_cti.cli.parser import COMMANDS
from keyyo_cti.diagnosis import diagnose
from keyyo_cti.options import Options
from keyyo_cti.simulator import Line, Phone, Simulator

from ..helpers.accounts import client_of
from ..helpers.methods import METHODS, Method, name_use
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


#: How a page states the default of an option.
_DEFAULT = re.compile(
    r"`(?P<option>\w+)`(?: days)? \((?P<value>[\d,]+)(?: s)?(?P<unit> MiB)?\)|"
    r"(?P<value_first>[\d,]+) [a-z ]+\(`(?P<option_last>\w+)`\)"
)

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


def find_defaults() -> Iterator[Tuple[str, str, int]]:
    """Yield each page, option and default that the pages state."""
    options = {option.name for option in fields(Options)}
    for page in (*DOCS, ROOT / "samples" / "PORTING.md"):
        for found in _DEFAULT.finditer(page.read_text("utf-8")):
            option = found["option"] or found["option_last"]
            if option in options:
                value = int((found["value"] or found["value_first"]).replace(",", ""))
                yield name_of(page), option, value * (1024 * 1024 if found["unit"] else 1)


@pytest.mark.parametrize(("page", "option", "value"), [*find_defaults()])
def test_default_of_an_option_that_a_page_states_is_the_one_there_is(
    page: str, option: str, value: int
) -> None:
    assert getattr(Options(), option) == value


def test_pages_that_state_the_default_of_an_option_are_found() -> None:
    stated = {(page, option) for page, option, _ in find_defaults()}
    assert {
        ("docs/guides/sessions.md", "cookie_expires"),
        ("docs/guides/networks.md", "heartbeat_timeout"),
        ("docs/guides/threads.md", "max_active_calls"),
        ("docs/guides/threads.md", "max_backlog_bytes"),
        ("docs/errors.md", "timeout"),
        ("samples/PORTING.md", "connect_timeout"),
    } <= stated


def test_guide_of_restores_states_the_defaults() -> None:
    text = (ROOT / "docs" / "guides" / "up-for-months.md").read_text("utf-8")
    pauses = Backoff()
    assert (
        f"`backoff=Backoff(first={pauses.first}, longest={pauses.longest}, "
        f"attempts={pauses.attempts})`" in text
    )
    assert f"A token is used for up to {token_cache._MAX_AGE / 60:g} minutes." in text


@pytest.mark.parametrize("method", METHODS, ids=name_use)
def test_command_is_in_the_api_at_a_glance(method: Method) -> None:
    text = (ROOT / "docs" / "api" / "index.md").read_text("utf-8")
    glance = "".join(re.findall(rf"^\| `{method.owner}`.*$", text, re.M))
    assert re.search(rf"`{method.name}\b", glance)


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
