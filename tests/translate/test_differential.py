"""Generated programs print the same in Node and, translated, in Python."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path

import pytest

from keyyo_cti.translate import translate
from keyyo_cti.translate.helpers import arrays, dates, errors, operators, strings, values
from keyyo_cti.translate.html import read_page

from ..docs.guide import pairs
from ..helpers.in_full import in_full
from ..helpers.node_programs import missing
from .differential import differences, in_node, in_python
from .mutations import mutated
from .test_pages import PAGES, PHONE

_MISSING = missing()

needs_node = pytest.mark.skipif(_MISSING is not None, reason=_MISSING or "")

#: How many programs are generated, and how many sources are cut or changed.
PROGRAMS = in_full(10_000, 60)
SOURCE_COUNT = in_full(1000, 120)

#: Programs that are run at once, by one Node.
_BATCH = 200

#: One in so many programs may hold something that the translator refuses.
_ONE_REFUSED_IN = 100


@needs_node
@pytest.mark.slow
@pytest.mark.watchdog(400)
@pytest.mark.parametrize("first", range(0, PROGRAMS, _BATCH))
def test_generated_programs_print_the_same_in_both(first: int) -> None:
    found = list(differences(range(first, min(first + _BATCH, PROGRAMS))))
    refused = [each.seed for each in found if not each.python]
    wrong = [each for each in found if each.python]
    assert not wrong, f"seed {wrong[0].seed}: node {wrong[0].in_node}, here {wrong[0].in_python}"
    assert len(refused) <= _BATCH // _ONE_REFUSED_IN + 1, refused


SOURCES = [
    *(path.read_text("utf-8") for path in [PHONE, *sorted(PAGES.iterdir())]),
    *(pair.js for pair in pairs()),
]


@pytest.mark.slow
@pytest.mark.watchdog(600)
def test_cut_and_changed_sources_give_python_that_compiles() -> None:
    for seed in range(SOURCE_COUNT):
        source = mutated(seed, SOURCES)
        translation = translate(source)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compile(translation.python, f"seed {seed}", "exec")
        reasons = [note.why for note in translation.notes]
        assert not any("the translator failed" in why for why in reasons), (seed, reasons)
        assert "the translation would not compile" not in reasons, seed


@needs_node
@pytest.mark.slow
@pytest.mark.watchdog(600)
def test_broken_source_is_never_translated_without_a_note() -> None:
    """What Node refuses has a note."""
    sources = [read_page(mutated(seed, SOURCES)).script for seed in range(SOURCE_COUNT)]
    silent = []
    for source, said in zip(sources, in_node([_checked(source) for source in sources])):
        if said == ["broken"] and not translate(source).notes:
            silent.append(source)
    assert silent == []


def _checked(source: str) -> str:
    """Return a program that says whether a source can be parsed."""
    quoted = json.dumps(source)
    return (
        f"try {{ new Function('return async () => {{' + {quoted} + '\\n}}'); }}"
        " catch (error) { console.log('broken'); }"
    )


IDIOMS = sorted((Path(__file__).parent / "idioms").iterdir())


@needs_node
@pytest.mark.parametrize("path", IDIOMS, ids=[path.stem for path in IDIOMS])
def test_idioms_print_the_same_in_both(path: Path) -> None:
    source = path.read_text("utf-8")
    translation = translate(source)
    assert translation.complete, translation.notes
    [wanted] = in_node([source])
    assert in_python(translation.python) == wanted and len(wanted) > 30
    # The helpers as they stand in the package, where coverage sees them.
    without = re.sub(
        r"^(def js_(?!log\b)|class \w+Error\(ValueError).*?\n\n\n(?=\S)", "",
        translation.python, flags=re.M | re.S
    )
    assert in_python(without, HELPERS) == wanted


#: The helpers that translations hold copies of.
HELPERS = {
    name: value for module in (values, operators, arrays, strings, dates, errors)
    for name, value in vars(module).items() if name.startswith("js_") or name.endswith("Error")
}
