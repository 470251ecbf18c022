"""The pages for contributors name what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator, Tuple

import pytest

from ..unit.test_arrows import LAYERS

ROOT = Path(__file__).parents[2]

PAGES = ("CONTRIBUTING.md", "tests/README.md")

#: Where a path in code may begin.
STARTS = ("", "keyyo_cti/", "tests/")

#: Programs, and the command that tests/README.md adds as an example.
NOT_HERE = ("python3", "set_label")

TESTS = "\n".join(
    path.read_text("utf-8")
    for kind in ("*.py", "node/*.js") for path in (ROOT / "tests").rglob(kind)
)

SOURCE = "\n".join(path.read_text("utf-8") for path in (ROOT / "keyyo_cti").rglob("*.py"))


def read_code(page: str) -> Iterator[str]:
    """The words in code of a page."""
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text("utf-8"), flags=re.S)
    yield from re.findall(r"`([^`\n]+)`", text)


NAMED: Tuple[Tuple[str, str], ...] = tuple(
    (page, code) for page in PAGES for code in dict.fromkeys(read_code(page))
)


@pytest.mark.parametrize(
    ("page", "path"),
    [(page, code) for page, code in NAMED if re.fullmatch(r"[\w./*]+(\.py|\.md|/)", code)],
)
def test_path_in_a_page_for_contributors_exists(page: str, path: str) -> None:
    assert any(next(ROOT.glob(start + path.rstrip("/")), None) for start in STARTS)


@pytest.mark.parametrize(
    ("page", "name"),
    [(page, code) for page, code in NAMED
     if re.fullmatch(r"(wire|[A-Z]\w+[a-z]\w*|CTI)\.[a-z_]\w*(\(\))?", code)],
)
def test_method_in_a_page_for_contributors_exists(page: str, name: str) -> None:
    owner, method = name.rstrip("()").split(".")
    assert re.search(rf"def {method}\b", SOURCE)
    assert owner == "wire" or re.search(rf"class {owner}\b", SOURCE)


@pytest.mark.parametrize(
    ("page", "name"),
    [(page, code) for page, code in NAMED
     if re.fullmatch(r"_?[A-Za-z]\w+", code) and code not in NOT_HERE],
)
def test_name_in_a_page_for_contributors_exists(page: str, name: str) -> None:
    """Of a function, a table, a class, an option or a fixture."""
    in_tests = rf"(def|class|const) {name}\b|^{name}\b"
    assert re.search(rf"\b{name}\b", SOURCE) or re.search(in_tests, TESTS, re.M)


def test_groups_of_modules_are_the_layers() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    [line] = re.findall(r"groups to its right: (.*)\. A module at the top", text)
    groups = [set(re.findall(r"`(\w+)`", group)) for group in line.split(" → ")]
    unnamed = {"__main__", "_version", "keyyo_cti"}
    layers = [set(layer) - unnamed for layer in reversed(LAYERS)]
    assert groups == [layer for layer in layers if layer]


@pytest.mark.parametrize(
    "module",
    [code.split()[2] for _, code in NAMED if code.startswith("python -m tests.")],
)
def test_module_that_is_run_by_hand_exists(module: str) -> None:
    path = ROOT.joinpath(*module.split("."))
    assert path.with_suffix(".py").exists() or (path / "__main__.py").exists()
