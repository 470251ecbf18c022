"""FAULTS.md and the tests that it speaks of say the same."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Sequence, Set, Tuple

import pytest

import keyyo_cti
from keyyo_cti._client.call_list import Calls
from keyyo_cti._client.pending import CommandFuture
from keyyo_cti.notebook.timeline_figure import Timeline
from keyyo_cti.simulator import Simulator

TESTS = Path(__file__).parents[1]

CATALOGUE = (TESTS / "FAULTS.md").read_text("utf-8")

PROMISES = range(1, 11)

#: A test as the catalogue links to it: its file, and its name or, where all tests of a file
#: prove the same, the file's.
Test = Tuple[str, str]

Proofs = Dict[int, Set[Test]]


def marks(expressions: Iterable[ast.expr], kind: str) -> Iterator[int]:
    """The numbers of ``pytest.mark.<kind>(...)`` among these."""
    for each in expressions:
        if isinstance(each, ast.Call) and ast.unparse(each.func) == f"pytest.mark.{kind}":
            for number in each.args:
                yield ast.literal_eval(number)


def module_marks(module: ast.Module, kind: str) -> Iterator[int]:
    for statement in module.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "pytestmark":
            value = statement.value
            yield from marks(value.elts if isinstance(value, ast.List) else [value], kind)


@lru_cache(maxsize=None)
def modules() -> Dict[str, ast.Module]:
    """The modules with tests, by their paths."""
    paths = sorted(TESTS.rglob("test_*.py"))
    return {
        path.relative_to(TESTS).as_posix(): ast.parse(path.read_text("utf-8")) for path in paths
    }


@lru_cache(maxsize=None)
def marked(kind: str) -> Proofs:
    """The tests that bear a mark, by its numbers."""
    found: Proofs = {}
    for name, module in modules().items():
        for number in module_marks(module, kind):
            found.setdefault(number, set()).add((name, name))
        for function in module.body:
            if isinstance(function, ast.FunctionDef):
                for number in marks(function.decorator_list, kind):
                    assert function.name.startswith("test_"), f"{function.name} is no test"
                    found.setdefault(number, set()).add((name, function.name))
    return found


def entries(kind: str) -> Dict[int, str]:
    """What the catalogue says under each number."""
    if kind == "fault":
        found = re.findall(r"^\| (\d+) \|(.*)\|$", CATALOGUE, re.MULTILINE)
    else:
        found = re.findall(r"^### Promise (\d+)\n(.*?)(?=^#|\Z)", CATALOGUE, re.M | re.S)
    numbers = [int(number) for number, _ in found]
    assert numbers == sorted(set(numbers)), "each once, in order"
    return {int(number): text for number, text in found}


def linked(text: str) -> Set[Test]:
    links: List[Tuple[str, str]] = re.findall(r"\[([^]]+)\]\(([^)]+\.py)\)", text)
    return {(path, name) for name, path in links}


#: The rows of the table. Their numbers are never used again, and may have gaps.
FAULTS = sorted(entries("fault"))


def public_classes() -> Iterator[Any]:
    """Every class of the package."""
    for found in pkgutil.walk_packages(keyyo_cti.__path__, "keyyo_cti."):
        if not found.name.endswith("__main__"):
            module = importlib.import_module(found.name)
            for value in vars(module).values():
                if isinstance(value, type) and value.__module__ == found.name:
                    yield value


@pytest.mark.slow
@pytest.mark.parametrize("kind, numbers", [("fault", FAULTS), ("promise", PROMISES)])
def test_complete(kind: str, numbers: Sequence[int]) -> None:
    """Every row and every promise is in the catalogue, and has a test."""
    assert set(entries(kind)) == set(numbers)
    assert set(marked(kind)) == set(numbers)


def test_all_faults_of_before() -> None:
    """The first 35 rows stay."""
    assert FAULTS[:35] == list(range(1, 36))


@pytest.mark.parametrize(
    "kind, number",
    [("fault", number) for number in FAULTS] + [("promise", number) for number in PROMISES],
)
def test_links(kind: str, number: int) -> None:
    """The tests that an entry links to are those that bear its number."""
    assert linked(entries(kind)[number]) == marked(kind).get(number, set())


def test_promises_of_the_readme() -> None:
    """The README makes the ten promises, and each leads to the tests that prove it."""
    readme = (TESTS.parent / "README.md").read_text("utf-8")
    promises = readme.partition("## What you can rely on\n")[2].partition("\n## ")[0]
    link = r"\(\[tests\]\(tests/FAULTS.md#promise-(\d+)\)\)"
    found = re.findall(rf"^(\d+)\. .* {link}$", promises, re.M)
    assert found == [(str(number), str(number)) for number in PROMISES]


@pytest.mark.fault(33)
def test_what_is_shown_as_html() -> None:
    """These and no others have a way of their own to be shown in a notebook, where markup would
    run: whichever comes next escapes what the server sent too, and has a test of it."""
    shown = re.compile(r"_repr_\w+_|_ipython_display_")
    classes = list(public_classes())
    assert len(classes) > 100
    # That of a chart is a picture, which runs nothing.
    found = {cls for cls in classes if any(shown.fullmatch(name) for name in vars(cls))}
    assert found == {
        keyyo_cti.CTI, keyyo_cti.Call, Calls, CommandFuture, keyyo_cti.KeyyoError,
        keyyo_cti.Result, Simulator, Timeline,
    }
