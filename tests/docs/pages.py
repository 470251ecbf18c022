"""The pages of the documentation, their programs and their links."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, Set, Tuple

from keyyo_cti.simulator import Line, Simulator

from ..helpers.running import ROOT, environment
from .guide import examples

#: Seconds that a program of a page may take.
PATIENCE = 30.0

#: The pages of the site, and the README.
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

#: All pages that a person reads.
PAGES = [*DOCS, *sorted(ROOT.glob("[A-Z]*.md")), *sorted(ROOT.glob("samples/*.md")),
         *sorted(ROOT.glob("tests/*.md"))]

_FENCE = re.compile(r"^```.*?^```$", re.M | re.S)
_INCLUDE = re.compile(r"^```\{include\} (\S+)$", re.M)


def name_of(page: Path) -> str:
    """Return the path of a page in the project."""
    return page.relative_to(ROOT).as_posix()


def programs() -> Dict[str, str]:
    """Return the Python programs by their page and the heading above them."""
    return {
        f"{name_of(page)}: {example.title}": example.code
        for page in DOCS
        for example in examples(page.read_text("utf-8"))
        if example.kind == "python"
    }


def links(page: Path) -> Iterator[Tuple[str, str]]:
    """Yield the path and the anchor of each link into the project."""
    prose = re.sub(r"`[^`\n]+`(?!\])", "", _FENCE.sub("", page.read_text("utf-8")))
    for link in re.findall(r"\]\((?!\w+:)([^)\s]+)\)", prose):
        path, _, anchor = link.partition("#")
        yield path, anchor


def make_anchor(heading: str) -> str:
    """Return the anchor that code hosts and the site give to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def anchors(page: Path) -> Set[str]:
    """Return the anchors of a page, those of the files that it includes among them."""
    text = page.read_text("utf-8")
    found = {make_anchor(each) for each in re.findall(r"^#+ (.*)$", _FENCE.sub("", text), re.M)}
    return found.union(*(anchors(page.parent / path) for path in _INCLUDE.findall(text)))


def run(program: str, sim: Simulator, alice: Line) -> "subprocess.CompletedProcess[str]":
    """Run a program on the simulator instead of Keyyo, in the home of the test."""
    for theirs, ours in (
        ('"<CSI token>"', repr(sim.token(alice))),
        ("Keyyo.CTI({", f'Keyyo.CTI({{"endpoint": "{sim.endpoint}", '),
        ("CTI(cookie_name", f'CTI(endpoint="{sim.endpoint}", cookie_name'),
    ):
        program = program.replace(theirs, ours)
    return subprocess.run(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        cwd=os.environ["HOME"],
        env=environment(),
    )
