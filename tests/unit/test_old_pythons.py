"""A Python that is too old is refused in one line, not by a SyntaxError."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from email import message_from_string
from pathlib import Path
from typing import List

import pytest

ROOT = Path(__file__).parents[2]

REFUSAL = "keyyo-cti needs Python 3.9 or newer; this is Python 3.8"

#: Makes the rest of a program believe in an old Python.
OLD = "import sys; sys.version_info = (3, 8, 20, 'final', 0)"


def run(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", f"{OLD}\n{program}", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )


@pytest.mark.parametrize("name", ["keyyo_cti/__init__.py", "setup.py"])
@pytest.mark.parametrize("version", [(3, 8), (3, 7)])
def test_file_that_refuses_can_be_read_by_an_old_python(
    name: str, version: "tuple[int, int]"
) -> None:
    source = (ROOT / name).read_text("utf-8")
    ast.parse(source, feature_version=version)
    # feature_version does not check everything. These came with Python 3.6 and 3.8.
    assert not [node for node in ast.walk(ast.parse(source))
                if isinstance(node, (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr))]


def test_package_checks_the_version_before_any_other_import() -> None:
    tree = ast.parse((ROOT / "keyyo_cti/__init__.py").read_text("utf-8"))
    _, imported, checked = tree.body[:3]
    assert isinstance(imported, ast.Import) and [each.name for each in imported.names] == ["sys"]
    assert isinstance(checked, ast.If) and "version_info" in ast.dump(checked.test)


@pytest.mark.parametrize("module", ["keyyo_cti", "keyyo_cti.oauth2", "keyyo_cti.simulator"])
def test_import_says_what_is_needed(module: str) -> None:
    done = run(f"import {module}")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"ImportError: {REFUSAL}"


def test_module_as_a_program_says_it_in_one_line() -> None:
    run_module = "runpy.run_module('keyyo_cti', run_name='__main__')"
    done = run(f"import runpy; sys.argv = ['-m']; {run_module}")
    assert (done.returncode, done.stderr.splitlines()) == (1, [REFUSAL])


@pytest.mark.parametrize("arguments", [["install"], ["--version"], []])
def test_setup_py_says_it_in_one_line(arguments: List[str]) -> None:
    done = run("import runpy; runpy.run_path('setup.py', run_name='__main__')", *arguments)
    assert (done.returncode, done.stderr.splitlines()) == (1, [REFUSAL])


def test_metadata_for_an_old_python_has_its_version_and_no_requirements(tmp_path: Path) -> None:
    """Old versions of pip look for the requirements first, and would name those instead."""
    run_setup = "import runpy; runpy.run_path('setup.py', run_name='__main__')"
    done = run(run_setup, "-q", "egg_info", "-e", str(tmp_path))
    assert done.returncode == 0, done.stderr
    metadata = message_from_string((tmp_path / "keyyo_cti.egg-info/PKG-INFO").read_text("utf-8"))
    assert metadata["Requires-Python"] == ">=3.9"
    assert "simulator" in metadata.get_all("Provides-Extra", [])
    required = tmp_path / "keyyo_cti.egg-info/requires.txt"
    lines = required.read_text("utf-8").splitlines() if required.exists() else []
    assert [line for line in lines if line and not line.startswith("[")] == []
    assert not metadata.get_all("Requires-Dist")


def test_version_is_that_of_the_metadata() -> None:
    """pip refuses by itself."""
    metadata = (ROOT / "setup.cfg").read_text("utf-8")
    required = re.search(r"python_requires = >=(\d+\.\d+)", metadata)
    assert required is not None and f"Python {required[1]} or newer" in REFUSAL
