"""The examples and the table of samples/PORTING.md, for its tests."""

from __future__ import annotations

import io
import re
import symtable
import tokenize
from typing import Iterator, List, NamedTuple, Set, Tuple

from ..helpers.running import ROOT

GUIDE = (ROOT / "samples" / "PORTING.md").read_text("utf-8")

#: The same without its examples.
PROSE = re.sub(r"^```.*?^```", "", GUIDE, flags=re.M | re.S)

_BLOCK = re.compile(
    r"^#+ (?P<heading>[^\n]*)$|^```(?P<kind>js|html|python)\n(?P<code>.*?)^```", re.M | re.S
)
_ROW = re.compile(r"^\| (\d+) \|(.*)\|(.*)\|(.*)\|$", re.M)


class Example(NamedTuple):
    """A block of the guide."""

    title: str
    kind: str
    code: str


class Pair(NamedTuple):
    """The same in both languages."""

    title: str
    js: str
    python: str


class Difference(NamedTuple):
    """A row of "All differences"."""

    number: int
    js: str
    python: str
    reason: str


def examples(text: str = GUIDE) -> Iterator[Example]:
    """Yield every block, under its heading; the second of a language has a 2 after it."""
    heading, seen = "", {"js": 0, "python": 0}
    for found in _BLOCK.finditer(text):
        if found["heading"]:
            heading, seen = found["heading"], {"js": 0, "python": 0}
        else:
            kind = "python" if found["kind"] == "python" else "js"
            seen[kind] += 1
            title = heading if seen[kind] < 2 else f"{heading} {seen[kind]}"
            yield Example(title, kind, re.sub(r"</?script.*?>", "", found["code"]))


def pairs(text: str = GUIDE) -> Iterator[Pair]:
    """Yield each JavaScript example with the Python below it."""
    blocks = list(examples(text))
    for js, python in zip(blocks, blocks[1:]):
        if js.kind == "js":
            assert python.kind == "python", f"no Python below the JavaScript of {js.title}"
            yield Pair(js.title, js.code, python.code)


def differences() -> List[Difference]:
    """Return the rows of the table."""
    return [
        Difference(int(number), js.strip(), python.strip(), reason.strip())
        for number, js, python, reason in _ROW.findall(GUIDE)
    ]


def taken_for_granted(code: str) -> Set[str]:
    """Return the names that a Python example uses and does not define."""
    top = symtable.symtable(code, "example", "exec")
    tables, used = [top], set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            if symbol.is_global() or (table is top and symbol.is_referenced()):
                used.add(symbol.get_name())
    defined = {
        symbol.get_name() for symbol in top.get_symbols()
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
    }
    return used - defined


def python_output(code: str) -> List[str]:
    """Return what the comments beside each ``print`` say that it prints; "..." is anything."""
    found: List[str] = []
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type != tokenize.COMMENT:
            continue
        if "print(" in token.line or re.match(r"# {3,}", token.string):
            found.append(token.string[1:].strip())
    return found


def javascript_output(code: str) -> List[str]:
    """Return the same for ``console.log`` and ``console.error``."""
    found: List[str] = []
    for line in code.splitlines():
        before, mark, comment = line.rpartition("//")
        if mark and (re.search(r"console\.(log|error)\(", before) or comment.startswith("   ")):
            found.append(comment.strip())
    return found


def unmatched(printed: List[str], wanted: List[str]) -> Tuple[List[str], List[str]]:
    """Return what was printed and not announced, and what was announced and not printed."""
    printed = list(printed)
    missing = []
    for each in sorted(wanted, key=lambda wanted: "..." in wanted):
        match = next((line for line in printed if _fits(line, each)), None)
        if match is None:
            missing.append(each)
        else:
            printed.remove(match)
    return printed, missing


def _fits(printed: str, wanted: str) -> bool:
    pattern = ".*".join(map(re.escape, wanted.split("...")))
    return re.fullmatch(pattern, printed, re.S) is not None
