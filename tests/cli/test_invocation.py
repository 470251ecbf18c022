"""Printed commands are those that were run: each can be run as it stands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import List, Tuple

import pytest

from keyyo_cti.cli.invocation import find_program, format_command, name_program

from ..helpers.running import DEADLINE, environment
from .desk import posix

SCRIPT = f"#!{sys.executable}\nimport sys\nfrom keyyo_cti.cli import main\nsys.exit(main())\n"

#: Not signed in, it prints the command to sign in with as the last word of its last line.
COMMAND = "lines"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the program in it, in a folder whose name has a blank too."""
    for name in ("bin", "my bin"):
        script = tmp_path / name / "keyyo-cti"
        script.parent.mkdir()
        script.write_text(SCRIPT)
        script.chmod(0o755)
    return tmp_path


def run(command: str, folder: Path, path: str = "") -> "subprocess.CompletedProcess[str]":
    """Runs a command line in a shell."""
    variables = {"PATH": path + os.environ["PATH"]}
    return subprocess.run(
        command, shell=True, cwd=folder, env=environment(**variables), timeout=DEADLINE,
        capture_output=True, text=True,
    )


@pytest.mark.slow
@posix
@pytest.mark.parametrize(
    ("program", "path"),
    [
        ("bin/keyyo-cti", ""),
        ("./bin/keyyo-cti", ""),
        ("'my bin/keyyo-cti'", ""),
        ("keyyo-cti", "bin:"),
        ("keyyo-cti", "my bin:"),
        (f"{sys.executable} -m keyyo_cti", ""),
        (f"python{sys.version_info[0]} -m keyyo_cti", os.path.dirname(sys.executable) + ":"),
    ],
)
def test_printed_command_is_the_one_that_was_run(folder: Path, program: str, path: str) -> None:
    if path and not os.path.isabs(path):
        path = f"{folder}/{path}"
    done = run(f"{program} {COMMAND}", folder, path)
    assert done.returncode == 4
    printed = done.stderr.splitlines()[-1].partition("sign in with: ")[2]
    assert printed == f"{program} login"
    assert run(f"{printed} --help", folder, path).returncode == 0


@posix
def test_program_that_is_not_the_first_on_the_path_is_named_by_its_own_path(folder: Path) -> None:
    done = run(f"{folder}/bin/keyyo-cti {COMMAND}", folder, f"{folder}/my bin:")
    assert done.stderr.splitlines()[-1] == f"sign in with: {folder}/bin/keyyo-cti login"


@posix
@pytest.mark.parametrize(
    ("program", "pip"),
    [
        ("bin/keyyo-cti", "bin/pip"),
        ("'my bin/keyyo-cti'", "'my bin/pip'"),
        (f"{sys.executable} -m keyyo_cti", f"{sys.executable} -m pip"),
    ],
)
@pytest.mark.parametrize("command", ["watch --help", "completion --help", "completion bash"])
def test_printed_pip_is_that_of_the_program(
    folder: Path, program: str, pip: str, command: str
) -> None:
    for name in ("bin", "my bin"):
        (folder / name / "pip").touch(0o755)
    (folder / "shtab.py").write_text("raise ImportError")
    done = run(f"PYTHONPATH=$PWD:$PYTHONPATH {program} {command}", folder)
    printed = " ".join(f"{done.stdout} {done.stderr}".split())
    assert f'run {pip} install ".[terminal]" in the checkout' in printed


@posix
def test_printed_pip_is_the_first_on_the_path_if_there_is_none_beside_the_program(
    folder: Path
) -> None:
    done = run("bin/keyyo-cti watch --help", folder)
    assert 'run pip install ".[terminal]"' in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("argv", "program"),
    [
        (["/usr/bin/pytest"], ("keyyo-cti",)),
        (["-c"], ("keyyo-cti",)),
        ([], ("keyyo-cti",)),
        (["keyyo-cti"], (os.path.join(".", "keyyo-cti"),)),
    ],
)
def test_find_program_of_another_program_is_the_name(
    argv: List[str], program: Tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.argv", argv)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_program() == program


@pytest.mark.parametrize(
    ("platform", "words", "command"),
    [
        ("linux", ["--host", "::1"], "V='a b' T=x keyyo-cti simulator --host ::1"),
        ("linux", ["$(id)", "it's"], "V='a b' T=x keyyo-cti simulator '$(id)' 'it'\"'\"'s'"),
        ("win32", ["$(id)", "it's"],
         "$env:V='a b'; $env:T='x'; keyyo-cti simulator '$(id)' 'it''s'"),
    ],
)
def test_format_command_quotes_for_the_shell(
    platform: str, words: List[str], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    variables = {"V": "a b", "T": "x"}
    assert format_command("simulator", *words, variables=variables) == command


def test_format_command_of_a_path_with_blanks_runs_in_powershell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr("sys.argv", ["C:/my venv/Scripts/keyyo-cti"])
    assert format_command("login") == "& 'C:/my venv/Scripts/keyyo-cti' login"


def test_format_command_for_anywhere_has_an_absolute_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["bin/keyyo-cti"])
    whole = f"{tmp_path}/bin/keyyo-cti completion bash"
    assert format_command("completion", "bash", anywhere=True) == whole


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('with "keyyo-cti diagnose 33 --enable-plugin"', 'with "x/keyyo-cti diagnose 33 --en'),
        ("the command keyyo-cti lines, list", "the command x/keyyo-cti lines, list"),
        ("keyyo-cti-reader-1 and keyyo-cti loginx", "keyyo-cti-reader-1 and keyyo-cti loginx"),
    ],
)
def test_name_program_replaces_commands_only(
    text: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["x/keyyo-cti"])
    assert name_program(text).startswith(shown)
