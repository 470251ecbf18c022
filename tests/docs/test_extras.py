"""What is to be installed, and where it comes from."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator, List, Tuple

import pytest

from keyyo_cti._display.extras import install_hint

from ..helpers.running import DEADLINE, ROOT, environment

#: Files that a user reads, or that are printed to one.
READ = ("keyyo_cti/**/*.py", "samples/**/*.py", "samples/**/*.md", "samples/**/*.ipynb",
        "README.md", "docs/**/*.md", "setup.cfg")

#: A command that takes this package by its name from wherever pip looks. A dot before the name
#: is the checkout's.
BY_NAME = re.compile(r"(pip|pipx|uv|poetry)[^\n]{0,40}(install|add|run)[^\n.]{0,80}?[ \"'\\]"
                     r"keyyo[-_.]cti(\[|[ \"'`\n=<>~]|$)", re.I)


def texts() -> Iterator[Tuple[Path, str]]:
    for pattern in READ:
        for path in sorted(ROOT.glob(pattern)):
            yield path.relative_to(ROOT), path.read_text("utf-8")


@pytest.mark.fault(48)
def test_no_hint_names_a_package_that_is_not_there() -> None:
    """The package is not on PyPI, where anybody could take its name: no hint installs it from
    there."""
    found = [f"{path}: {match[0]}" for path, text in texts() for match in BY_NAME.finditer(text)]
    assert found == []


@pytest.mark.parametrize("text", [
    'pip install "keyyo-cti[socks]"', "pip install keyyo-cti", "pip install -U keyyo_cti==1",
    "python -m pip install 'keyyo-cti[a,b]' x", "pip install jupyterlab keyyo-cti[notebook]",
    'pip install \\"keyyo-cti[simulator]\\"', "uv add keyyo-cti"])
def test_what_such_a_hint_is(text: str) -> None:
    """The pattern above finds each way to write it."""
    assert BY_NAME.search(text)


@pytest.mark.parametrize("text", [
    install_hint("simulator"), "pip install -e .[test]", "cd keyyo-cti && pip install .",
    ".venv/bin/pip install -q '.[simulator]' && .venv/bin/keyyo-cti demo"])
def test_what_is_no_such_hint(text: str) -> None:
    """It leaves alone what comes from a checkout."""
    assert not BY_NAME.search(text)


def test_every_hint_of_the_package_is_made_in_one_place() -> None:
    """No other module of the package says how to install an extra."""
    saying = [str(path) for path, text in texts()
              if path.parts[0] == "keyyo_cti" and re.search(r"pip install [^\n]{0,6}\.?\[", text)]
    assert saying == ["keyyo_cti/_display/extras.py"]


def test_every_hint_names_an_extra_that_there_is() -> None:
    """What a hint names is in setup.cfg."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", "utf-8")
    extras = set(setup["options.extras_require"])
    named = {name for _, text in texts()
             for name in re.findall(r"""install_hint\(["'](\w+)["']\)""", text)}
    written = {name for _, text in texts()
               for group in re.findall(r"pip install [^\n]{0,20}\.\[([\w,]+)\]", text)
               for name in group.split(",")}
    assert {"simulator", "notebook", "terminal"} <= named <= extras
    assert written <= extras


SIMULATOR = f"the simulator needs aiohttp: {install_hint('simulator')}"

#: A sample, a package that a bare installation lacks, and what the sample says then.
MISSING: List[Any] = [
    ("fan_out", "redis", "fan_out.py needs the package redis: pip install redis"),
    ("desktop_qt", "PySide6", "desktop_qt.py needs the package PySide6: "
     "pip install PySide6-Essentials"),
    ("desktop", "tkinter", "desktop.py needs tkinter: on Debian and Ubuntu, "
     "apt install python3-tk"),
    *((name, "aiohttp", SIMULATOR)
      for name in ("alice_and_bob", "first_call", "get_token", "screen_pop", "with_asyncio",
                   "worker_pool")),
    pytest.param("fan_out", "aiohttp", SIMULATOR, marks=pytest.mark.skipif(
        shutil.which("redis-server") is None, reason="needs redis-server")),
]


def complain(package: str, program: str) -> List[str]:
    """Return what a program prints as it fails without a package."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.modules[{package!r}] = None; {program}"],
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=DEADLINE,
    )
    assert done.returncode == 1
    return done.stderr.splitlines()


@pytest.mark.parametrize("sample, package, said", MISSING)
def test_sample_names_what_is_not_installed_in_one_line(
    sample: str, package: str, said: str
) -> None:
    program = (
        "import runpy; sys.path.insert(0, 'samples'); sys.argv[1:] = []; "
        f"runpy.run_path('samples/{sample}.py', run_name='__main__')"
    )
    assert complain(package, program) == [said]


@pytest.mark.parametrize("command", ["demo", "simulator"])
def test_command_names_the_missing_extra_in_one_line(command: str) -> None:
    program = f"from keyyo_cti.cli import main; sys.exit(main([{command!r}]))"
    assert complain("aiohttp", program) == [SIMULATOR]
