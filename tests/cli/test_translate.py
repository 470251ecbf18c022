"""``keyyo-cti translate``: Python on stdout, notes on stderr."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from keyyo_cti.cli import main

DIAL = 'cti.dial("33172587948", function(err, res) { console.log(err || res); });\n'
DIAL_IN_PYTHON = 'cti.dial("33172587948", lambda err, res: print(err or res))\n'


def test_translate_prints_python(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "dial.js"
    path.write_text(DIAL, "utf-8")
    assert main(["translate", str(path)]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == (DIAL_IN_PYTHON, "")


def test_translate_takes_the_scripts_of_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "page.html"
    page = f"<html><script src='x.js'></script>\n<script>\n{DIAL}</script><p>text</p></html>"
    path.write_text(page, "utf-8")
    assert main(["translate", str(path)]) == 0
    assert capsys.readouterr().out == DIAL_IN_PYTHON


def test_translate_reads_stdin_and_notes_what_it_cannot_say(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = io.TextIOWrapper(io.BytesIO(b"var a = 1;\nwith (x) { f(); }\n"))
    monkeypatch.setattr("sys.stdin", source)
    assert main(["translate", "-"]) == 1
    said = capsys.readouterr()
    assert "# JS: with (x) { f(); }" in said.out
    assert "raise NotImplementedError(" in said.out
    assert said.err.startswith("line 2: with (x)")


def test_translate_reads_an_old_page_in_latin_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "old.js"
    path.write_bytes("console.log('reçu');\n".encode("latin-1"))
    assert main(["translate", str(path)]) == 0
    said = capsys.readouterr()
    assert said.out == 'print("reçu")\n' and "is not UTF-8" in said.err


def test_translate_refuses_a_file_that_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("keyyo_cti.cli.translate._MAX_BYTES", len(DIAL))
    path = tmp_path / "dial.js"
    path.write_text(DIAL)
    assert main(["translate", str(path)]) == 0
    path.write_text(DIAL + " ")
    assert main(["translate", str(path)]) == 1
    assert f"more than {len(DIAL)} bytes" in capsys.readouterr().err


def test_translate_without_file_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["translate", "there/is/no/such.js"]) == 2
    assert "cannot read" in capsys.readouterr().err
