"""Rows as CSV: no cell is a formula, whatever separates the cells for the reader."""

from __future__ import annotations

import csv
import unicodedata

import pytest

from keyyo_cti.cli.csv_output import format_row

FORMULAS = [
    "=1+1", "+33", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0=1", "\x00=1",
    "=cmd|' /C calc'!A0", '="a"', '"=1', "\x1b=1", "\u200b=1", "\ufeff=1", "＝1", "＋1", "－1",
    "＠SUM(1)", "﹦1", "\u22121", "+33 1 99\t=1",
]


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("before", ["", "x;", 'x";', "x; ", "x;y;", "x\t", 'x,"', ";"])
def test_cell_that_a_spreadsheet_would_run_is_text(formula: str, before: str) -> None:
    row = format_row(["a", f"{before}{formula}", 5, None])
    assert row.isprintable()
    for delimiter in (",", ";", "\t"):
        for cell in next(csv.reader([row], delimiter=delimiter)):
            first = unicodedata.normalize("NFKC", cell.lstrip(' "'))[:1]
            assert first not in ("=", "+", "-", "@", "\t", "\r", "\n", "\u2212")


@pytest.mark.parametrize("cell", [
    "", "Alice", "a;b", 'a"b', "a, b", "a=b", "a-b; c+d", "Zoë\\", "+33199000001",
    "+33 1 99 00 00 01; +33199000002", "'=1", " ".join("abc"), "0199000001", "x;;",
])
def test_other_cell_is_read_again_as_it_was(cell: str) -> None:
    assert next(csv.reader([format_row(["a", cell, 5, None, True])])) == [
        "a", cell, "5", "", "true"]


@pytest.mark.parametrize("cell", ["a;b", "a;b,c", ';"'])
def test_first_cell_with_a_semicolon_is_one_cell_also_for_a_french_spreadsheet(cell: str) -> None:
    assert next(csv.reader([format_row([cell])], delimiter=";")) == [cell]
