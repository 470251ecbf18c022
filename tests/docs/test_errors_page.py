"""docs/errors.md has a paragraph for each error, and each hint points to it."""

from __future__ import annotations

import ast
import re
from functools import partial
from typing import Callable, Dict, Iterator, List, Optional, Set, Tuple

import pytest

from keyyo_cti import errors
from keyyo_cti._display import error_page
from keyyo_cti._manager import refusals
from keyyo_cti._net.http_request import UNTRUSTED
from keyyo_cti._oauth2 import responses
from keyyo_cti.simulator import errors as simulated

from ..helpers.running import ROOT
from .pages import make_anchor

PAGE = (ROOT / error_page.ERROR_PAGE).read_text("utf-8")

_ROW = re.compile(r"^\| (\d+|any|\d+ to \d+) \| (none|`\w+`) \| (.*) \|$", re.M)

#: Classes, and functions that make their errors.
_RAISERS = re.compile(r"\w*(Error|Failed|Refused|NotKept|Closed)|_error|__init__")

Row = Tuple[str, Optional[str], str]


def read_paragraphs() -> Dict[str, List[Row]]:
    """The rows of each paragraph that has some, by its anchor."""
    found: Dict[str, List[Row]] = {}
    for heading, text in re.findall(r"^### (.*?)\n(.*?)(?=^#|\Z)", PAGE, re.M | re.S):
        rows = [
            (status, None if code == "none" else code.strip("`"), message.strip("`"))
            for status, code, message in _ROW.findall(text)
        ]
        if rows:
            found[make_anchor(heading)] = rows
    return found


PARAGRAPHS = read_paragraphs()

ROWS = [(anchor, row) for anchor, rows in PARAGRAPHS.items() for row in rows]


#: Paragraphs of a class of errors, and how to make one.
OF_CLASSES: Dict[str, Callable[[str], errors.KeyyoError]] = {
    error_page.CONNECTION_FAILED: partial(errors.ConnectionFailed, "no route"),
    error_page.ANOTHER_STATUS: partial(errors.ManagerError, 302, "Found", None),
}


def find_codes() -> Iterator[str]:
    """The error codes that the package writes where it makes an error."""
    for path in (ROOT / "keyyo_cti").rglob("*.py"):
        # The third argument of a node of the translator is a bracket.
        if {"simulator", "translate"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and len(node.args) > 2:
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if _RAISERS.fullmatch(name):
                    for part in ast.walk(node.args[2]):
                        if isinstance(part, ast.Constant) and isinstance(part.value, str):
                            yield part.value


def test_page_has_the_paragraphs_that_hints_point_to_and_no_others() -> None:
    known: Set[str] = {code.replace("_", "-") for code in error_page.CODES}
    known |= {*error_page.MESSAGES.values(), *OF_CLASSES}
    assert set(PARAGRAPHS) == known


def test_every_code_of_the_package_has_a_paragraph() -> None:
    written = {*find_codes()}
    assert {"not_allowed", "timeout", "unreadable", "not_kept", "closed"} <= written
    tables = {*errors._CODES.values(), *refusals._ERROR_CODES.values(), *responses._FINAL}
    assert written | tables | {UNTRUSTED} <= error_page.CODES


@pytest.mark.parametrize(("anchor", "row"), ROWS)
def test_hint_of_an_error_ends_with_its_paragraph(anchor: str, row: Row) -> None:
    _, code, message = row
    words = message.rstrip("…")
    make = OF_CLASSES.get(anchor, partial(errors.KeyyoError, 400, words, code))
    made = make("do this")
    pointer = f"see {error_page.ERROR_PAGE}#{anchor}"
    assert made.hint == f"do this; {pointer}" and pointer in str(made)
    made.hint = f"first; {made.hint}"
    assert made.hint == f"first; do this; {pointer}"
    made.hint = None
    assert made.hint == (None if anchor == error_page.ANOTHER_STATUS else pointer)


@pytest.mark.parametrize(
    "refusal",
    [each for each in vars(simulated).values()
     if isinstance(each, simulated.Refusal) and each.status_code < 500],
)
def test_refusal_of_the_service_is_on_the_page(refusal: simulated.Refusal) -> None:
    error = errors.from_server(refusal._asdict())
    [anchor] = re.findall(r"#([\w-]+)$", error.hint or "")
    assert any(
        (status, code) == (str(refusal.status_code), error.error_code)
        and refusal.message.startswith(message.rstrip("…"))
        for status, code, message in PARAGRAPHS[anchor]
    )


@pytest.mark.parametrize("fields", [{"message": "Oops"}, {"message": "m", "error_code": "own"}])
def test_unknown_error_points_nowhere(fields: Dict[str, str]) -> None:
    assert errors.from_server(fields).hint is None


@pytest.mark.parametrize(
    ("hint", "extended"),
    [(None, "more"), ("do this", "do this; more"),
     ("do this; see docs/errors.md#quota", "do this; more; see docs/errors.md#quota")],
)
def test_extended_hint_still_ends_with_its_paragraph(hint: Optional[str], extended: str) -> None:
    assert error_page.extend_hint(hint, "; more") == extended
