"""What is to be installed, and where it comes from."""

from __future__ import annotations

import configparser
import re
from pathlib import Path
from typing import Iterator, Tuple

import pytest

from keyyo_cti._display.extras import install_hint

from ..helpers.running import ROOT

#: Files that a user reads, or that are printed to one.
READ = ("keyyo_cti/**/*.py", "samples/**/*.py", "samples/**/*.md", "samples/**/*.ipynb",
        "README.md", "setup.cfg")

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
