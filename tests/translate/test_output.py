"""What a translation looks like to flake8 and to mypy, and to Python 3.9."""

from __future__ import annotations

import ast
import builtins
import re
import subprocess
import symtable
import sys
from pathlib import Path
from typing import Dict, Set, Tuple

import pytest

from keyyo_cti.translate import helpers, page, translate
from keyyo_cti.translate.naming import legal

from ..docs.guide import pairs
from ..helpers.running import ROOT
from .generator import program
from .seed import EXAMPLES
from .test_pages import PAGES, PHONE
from .test_translate import NOTED, REFUSED

#: What a part of a page takes for granted.
GIVEN = ("csi_token", "cti", "call", "second_call", "options")


def _given_to(python: str) -> str:
    """Return the names that a translation uses and does not define."""
    missing = [
        name for name in GIVEN
        if re.search(rf"\b{name}\b", python)
        and not re.search(rf"^{name}(: \w+)? = ", python, re.M)
    ]
    lines = [f"{name}: Any = None\n" for name in missing]
    return "".join(["from typing import Any\n\n", *lines]) if lines else ""


#: What once made flake8 or mypy complain.
_LINTED = (
    "const m = new Map(); m.set('a', 1); const s = new Set(); s.add(1); console.log(m.size);",
    "const m = new Map([[1, 'a'], [2, 'b']]); const s = new Set(['a']); console.log(m.size);",
    "console.log('k=v'.match(/(.)=(.)/)[1]); var m = 'k=v'.match(/=/); console.log(m.index);",
    "var app = app || {}; app.name = 'x'; console.log(app.name);",
    "const ids = function*() { yield 1; }; for (const id of ids()) { console.log(id); }",
    "function f(a) { return a.slice(a.length - 2, a.length - 1); } console.log(f('abc'));",
    "function f() { return 1; } f(); f = function() { return 2; }; console.log(f());",
    "clearTimeout(); cti.ping((e, r) => { localStorage.setItem('s', r.session_id); });",
    "const t = {}; (t.x ||= []).push(1); console.log('%i', t.x, Date.UTC(2024, 1));",
    "class A { static a = 1; static b = A.a + 1; } console.log(A.b, process.env.X, btoa('x'));",
    "class S { *[Symbol.iterator]() { yield* [1]; } } console.log([...new S()]);",
    "const e = Object.assign(new Error('x'), { status: 5 }); console.log(e.status, {...e.x});",
    "class A { static all = []; static map = new Map(); } console.log(A.all.length, A.map.size);",
)


def _outputs() -> Dict[str, str]:
    sources = {path.name: path.read_text("utf-8") for path in [PHONE, *sorted(PAGES.iterdir())]}
    sources.update({pair.title: pair.js for pair in pairs()})
    sources.update(EXAMPLES)
    sources.update({f"linted {number}": source for number, source in enumerate(_LINTED)})
    sources.update({f"generated {seed}": program(seed) for seed in range(20)})
    return {
        re.sub(r"\W+", "_", f"of_{name}"): translate(source).python
        for name, source in sources.items()
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the translation of everything."""
    place = tmp_path_factory.mktemp("translated")
    for name, python in _outputs().items():
        (place / f"{name}.py").write_text(python, "utf-8")
    return place


@pytest.mark.slow
@pytest.mark.watchdog(120)
def test_output_passes_flake8(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flake8", "--isolated", str(folder)],
        capture_output=True, encoding="utf-8", timeout=100,
    )
    left = [
        line for line in done.stdout.splitlines()
        if not any(line.endswith(f"F821 undefined name '{name}'") for name in GIVEN)
    ]
    assert left == []


@pytest.mark.slow
@pytest.mark.watchdog(300)
def test_output_passes_mypy(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "given"
    place.mkdir()
    for path in folder.glob("*.py"):
        if not path.name.startswith("of_generated"):
            python = path.read_text("utf-8")
            python = _given_to(python) + python
            (place / path.name).write_text(python, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "", "--cache-dir", str(tmp_path / "cache"),
         *sorted(str(path) for path in place.glob("*.py"))],
        capture_output=True, encoding="utf-8", timeout=280, cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_output_is_python_3_9(folder: Path) -> None:
    for path in folder.glob("*.py"):
        ast.parse(path.read_text("utf-8"), feature_version=(3, 9))
        # An f-string of Python 3.9 holds no quotes of its own kind, and no backslash.
        assert not re.search(r'\{[^{}"]*\\[^{}"]*\}"$', path.read_text("utf-8"), re.M)


#: Helpers, and places for them, that no other source of the tests needs.
_RARE = (
    "f(new Headers({ a: 1 }), new URLSearchParams('a=1'));",
    "console.log('%s', 'a'); console.log('ab'.substring(y)); console.log('a'.match(/b/g));",
    "function f(a) { return a.split(''); } f('a'); g('a'.split(String(x)));",
    "console.log(Math.sqrt(x)); fetch('/x').then(f); queueMicrotask(function() { f(); });",
    "let k; cti.onNewCall = c => { if (k && k.state === c.state && k === c) { f(); } k = c; };",
    "async x => await (x); async (a, b) => await (a);",
    "async function f() { try { await Promise.reject({ a: 1 }); } catch ({ a }) { g(a); } }",
    "console.log([...'a,b'.matchAll(/,/g)].length, 'a'.split(/(b)/));",
)


def _names(python: str) -> Tuple[Set[str], Set[str]]:
    """Return the names that a program reads, and those that its module defines or imports."""
    module = symtable.symtable(python, "translation", "exec")
    read: Set[str] = set()
    defined = {"__name__"}
    tables = [module]
    while tables:
        table = tables.pop()
        tables.extend(table.get_children())
        for each in table.get_symbols():
            if table is module or each.is_global():
                read |= {each.get_name()} if each.is_referenced() else set()
                if each.is_assigned() or each.is_imported() or each.is_namespace():
                    defined.add(each.get_name())
    return read, defined


def test_every_name_that_is_not_of_the_source_is_defined_and_taken() -> None:
    """Among the sources each helper, and each part of the runtime, is used somewhere."""
    files = [PHONE, *PAGES.iterdir(), *(Path(__file__).parent / "idioms").iterdir()]
    used: Set[str] = set()
    for source in [
        *REFUSED, *NOTED, *_RARE, *EXAMPLES.values(),
        *(path.read_text("utf-8") for path in files), *map(program, range(20)),
    ]:
        read, defined = _names(translate(source).python)
        words = set(re.findall(r"[\w$]+", source))
        assert read - defined - set(dir(builtins)) <= words, source
        # Otherwise a variable of a program may take its place.
        assert all(legal(name) != name for name in read & set(dir(builtins)) - words), source
        used |= read | defined
    ours = {*helpers.names(), *page.__all__}
    assert ours - used == {"Page", "Thrown"}
    assert all(legal(name) != name for name in ours)
