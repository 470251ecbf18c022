"""What ``--help`` and ``--version`` print."""

from __future__ import annotations

import argparse
import configparser
import re
from functools import partial

import pytest

from keyyo_cti import __version__
from keyyo_cti.cli import main
from keyyo_cti.cli.help_format import HelpFormatter
from keyyo_cti.cli.parser import COMMANDS
from keyyo_cti.cli.version import LIBRARIES

from ..helpers.running import ROOT

Capture = pytest.CaptureFixture[str]


def printed(capsys: Capture, *arguments: str) -> str:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_one_column(
    command: str, columns: int, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = printed(capsys, *filter(None, [command]), "--help").splitlines()
    # argparse breaks the usage between arguments only, and a word that is longer than a line,
    # such as a URL, stays whole. So does a command to copy.
    below = lines[lines.index("") :]
    long = [line for line in below if len(line) > min(columns, 88) and " " in line.strip()]
    assert [line for line in long if "completion" not in line] == []
    assert "  -h, --help" in lines
    # Nothing stands beside an argument.
    assert [line for line in lines if re.match(r"  (-\S+|[A-Z]+)( \S+)?  +\S", line)] == []


@pytest.mark.parametrize("width", range(30, 60))
def test_command_in_a_help_text_is_not_broken_at_a_hyphen(width: int) -> None:
    command = "/opt/my-venv/bin/pip"
    parser = argparse.ArgumentParser(
        description=f"With pip of the environment, {command} installs it.",
        formatter_class=partial(HelpFormatter, width=width), add_help=False)
    parser.add_argument("name", help=f"the name; otherwise run {command}")
    assert parser.format_help().count(command) == 2


def test_help_lists_exit_codes_one_below_the_other(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert "  3    connection lost\n  4    not signed in\n" in printed(capsys, "--help")


def test_version_names_python_the_platform_and_each_library(capsys: Capture) -> None:
    lines = printed(capsys, "--version").splitlines()
    assert lines[0] == f"keyyo-cti {__version__}"
    assert re.fullmatch(r"Python 3\.\d+\.\S+ \(\w+\)", lines[1])
    assert lines[2].startswith("platform ")
    assert re.search(r"^requests \d+\.\d+", "\n".join(lines), re.MULTILINE)
    assert len(lines) == 4 + sum(map(len, LIBRARIES.values()))


def test_version_says_which_extra_a_missing_library_belongs_to(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIBRARIES, "socks", ("no-such-library",))
    assert "no-such-library not installed (extra socks)" in printed(capsys, "--version")


def test_version_has_every_library_of_setup_cfg() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", "utf-8")
    extras = dict(setup["options.extras_require"])
    del extras["test"], extras["docs"]
    named = "\n".join([setup["options"]["install_requires"], *extras.values()])
    wanted = {line.split()[0] for line in named.splitlines() if line}
    assert {name for names in LIBRARIES.values() for name in names} == wanted
