"""The arrows between the packages: who may import whom. Imports in functions count too."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path
from typing import Dict, Iterator, List, Set, Tuple

import pytest

ROOT = Path(__file__).parents[2]

#: From the bottom to the top. A module imports from its own layer and from those below.
LAYERS: Tuple[Tuple[str, ...], ...] = (
    # Sockets and HTTP: nothing of SockJS, nothing of Keyyo.
    ("_net",),
    ("_sockjs",),
    # Plain values, and how they are shown.
    ("_display", "_version", "backoff", "call_history", "errors", "results"),
    ("_oauth2", "_manager", "_directory"),
    # What stands behind one CTI.
    ("_client",),
    # The classes that a program uses.
    ("cti",),
    ("oauth2",),
    ("account",),
    ("_diagnosis",),
    ("diagnosis", "loopback", "token_file"),
    ("manager",),
    ("token_provider",),
    ("keyyo_cti",),
    ("translate",),
    ("notebook",),
    ("cli",),
    ("testing",),
    ("__main__",),
)

#: The layer of all modules at the top that no layer names.
CLIENT = LAYERS.index(("_client",))

#: By the top-level name of a module.
RANKS: Dict[str, int] = {name: rank for rank, names in enumerate(LAYERS) for name in names}


def find_modules() -> Dict[str, Path]:
    """The modules of the package by their dotted names."""
    found = {}
    for path in (ROOT / "keyyo_cti").rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = find_modules()


def read_imports(path: Path, package: str = "") -> Iterator[str]:
    """The modules that a file imports, anywhere in it.

    :param package: the package of the file, for relative imports.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *filter(None, [node.module])])
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield whole if whole in MODULES else base


@lru_cache(maxsize=None)
def make_graph() -> Dict[str, Set[str]]:
    """For each module the modules of the package that it imports."""
    graph = {}
    for name, path in MODULES.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        graph[name] = {each for each in read_imports(path, package) if each in MODULES} - {name}
    return graph


def top(module: str) -> str:
    """The name of a module or package at the top of ``keyyo_cti``."""
    return (module.split(".") + ["keyyo_cti"])[1]


def rank(module: str) -> int:
    """The layer of a module."""
    return RANKS.get(top(module), CLIENT)


def find_circle(graph: Dict[str, Set[str]]) -> List[str]:
    """A circle of imports, or nothing."""
    done: Set[str] = set()

    def search(module: str, way: List[str]) -> List[str]:
        if module in way:
            return [*way[way.index(module):], module]
        if module in done:
            return []
        for each in sorted(graph[module]):
            found = search(each, [*way, module])
            if found:
                return found
        done.add(module)
        return []

    return next(filter(None, (search(module, []) for module in sorted(graph))), [])


def test_imports_of_the_package_point_downwards() -> None:
    upwards = [
        f"{module} -> {each}"
        for module, imported in sorted(make_graph().items())
        for each in sorted(imported)
        if top(module) != "simulator" and top(each) not in ("simulator", "keyyo_cti")
        and rank(each) > rank(module)
    ]
    assert upwards == []


def test_imports_between_modules_have_no_circle() -> None:
    assert find_circle(make_graph()) == []


def test_simulator_imports_nothing_of_the_client() -> None:
    foreign = [
        f"{module} -> {each}"
        for module, imported in sorted(make_graph().items())
        for each in sorted(imported)
        if top(module) == "simulator" and top(each) != "simulator"
        and each not in (
            "keyyo_cti._display.extras", "keyyo_cti._display.paris", "keyyo_cti._version")
    ]
    assert foreign == []


def test_simulator_is_imported_by_the_command_line_and_the_test_kit_only() -> None:
    importers = {
        top(module)
        for module, imported in make_graph().items()
        if any(top(each) == "simulator" for each in imported)
    }
    assert importers <= {"simulator", "cli", "testing"}


@pytest.mark.parametrize(
    "sample", sorted((ROOT / "samples").rglob("*.py")), ids=lambda path: str(path.name)
)
def test_samples_import_no_private_package(sample: Path) -> None:
    private = [
        name
        for name in read_imports(sample)
        if name.startswith("keyyo_cti") and any(part.startswith("_") for part in name.split("."))
    ]
    assert private == []


@pytest.mark.parametrize(
    ("graph", "circle"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, ["b", "c", "b"]),
        ({"a": {"a"}}, ["a", "a"]),
    ],
)
def test_find_circle_on_small_graphs_finds_it(
    graph: Dict[str, Set[str]], circle: List[str]
) -> None:
    assert find_circle(graph) == circle


def test_read_imports_of_a_function_and_of_type_checkers_finds_them(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "from typing import TYPE_CHECKING\n"
        "def f():\n    from ._net import clock\n    import keyyo_cti.cti\n"
        "if TYPE_CHECKING:\n    from ..call import Call\n"
    )
    assert set(read_imports(path, "keyyo_cti.x")) == {
        "typing", "keyyo_cti.x._net", "keyyo_cti.cti", "keyyo_cti.call",
    }


def test_layers_name_modules_that_exist() -> None:
    assert set(RANKS) <= {top(module) for module in MODULES}
