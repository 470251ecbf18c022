"""Runs programs in Node, and their translations here, and compares what they print.

    python -m tests.translate.differential [count] [first seed]
"""

from __future__ import annotations

import json
import subprocess
import sys
from types import MappingProxyType
from typing import Any, Iterator, List, Mapping, NamedTuple, Sequence

from keyyo_cti.translate import translate

from ..helpers.node_programs import FOLDER, NODE
from .generator import program


class Difference(NamedTuple):
    """A program that does not print the same."""

    seed: int
    source: str
    python: str
    in_node: List[str]
    in_python: List[str]


def in_node(programs: Sequence[str]) -> List[List[str]]:
    """Return what each program prints in Node."""
    assert NODE is not None
    given = "".join(f"{json.dumps(each)}\n" for each in programs)
    done = subprocess.run(
        [NODE, str(FOLDER / "run_many.js")], input=given, capture_output=True, encoding="utf-8",
        timeout=600, check=True,
    )
    return [json.loads(line) for line in done.stdout.split("\n") if line]


def in_python(python: str, names: Mapping[str, Any] = MappingProxyType({})) -> List[str]:
    """Return what a translation prints.

    :param names: what it finds.
    """
    said: List[str] = []

    def show(*values: Any, **_: Any) -> None:
        said.append(" ".join(map(str, values)))

    try:
        code = compile(python, "translation", "exec", dont_inherit=True)
        exec(code, {**names, "print": show, "__name__": "__main__"})
    except Exception as error:
        said.append(f"raised {type(error).__name__}: {error}")
    return said


def differences(seeds: Sequence[int]) -> Iterator[Difference]:
    """Yield the programs that do not print the same in both."""
    programs = [program(seed) for seed in seeds]
    for seed, source, wanted in zip(seeds, programs, in_node(programs)):
        translation = translate(source)
        if not translation.complete:
            # Refused, with a note: not wrong. Only in tests is it counted.
            yield Difference(seed, source, "", [], [str(note) for note in translation.notes])
            continue
        found = in_python(translation.python)
        if not _alike(found, wanted):
            yield Difference(seed, source, translation.python, wanted, found)


#: What an engine says when a program uses a value wrongly: Python raises there, too.
_MISUSES = ("is not a function", "is not iterable", "Cannot read properties")


def _alike(found: List[str], wanted: List[str]) -> bool:
    """True if both print the same; of exceptions that nothing catches, the words may differ."""
    if len(found) != len(wanted):
        return False
    return all(
        one == other or (one.startswith("raised ") and other.startswith("raised "))
        or (one.startswith("caught ") and any(each in other for each in _MISUSES))
        for one, other in zip(found, wanted)
    )


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    failed = refused = 0
    for start in range(first, first + count, 500):
        print("from", start, flush=True)
        for each in differences(range(start, min(start + 500, first + count))):
            if not each.python:
                refused += 1
                print("refused", each.seed, each.in_python[-1])
                continue
            failed += 1
            if failed <= 3:
                print(f"--- seed {each.seed}\n{each.source}\n--- python\n{each.python}")
                print("--- node", each.in_node, "\n--- here", each.in_python)
            else:
                print("seed", each.seed, _first(each))
    print(f"{count} programs, {failed} differ, {refused} refused", flush=True)
    return 1 if failed else 0


def _first(each: Difference) -> str:
    for wanted, found in zip(each.in_node, each.in_python):
        if wanted != found:
            return f"node {wanted!r} here {found!r}"
    return f"lengths {len(each.in_node)} {len(each.in_python)} {each.in_python[-1:]}"


if __name__ == "__main__":
    sys.exit(main())
