"""What stands in for the page: it prints what would be shown, and calls the program's handlers."""

from __future__ import annotations

from pathlib import Path
from typing import List

import pytest

from keyyo_cti.translate import browser

from .differential import in_python


@pytest.mark.parametrize(("statement", "printed"), [
    ('missing("React").useState(0)', "page: React.useState(0)"),
    ('missing("lib").a(1)(2)', "page: lib.a(1)"),
    ('element("#a").title = "x\\n"', "page: #a.title = x "),
    ('element("#b").on("click", lambda event: print(event.type, event.target)).click()',
     "click #b"),
    ('print(element("#c").value == "", element("#c").checked, element("#c").length)',
     "True False 1"),
    ('print(element("#d").onclick, [each for each in element("#d")], element("#d")[0])',
     "None [<#d>] #d"),
    ('element("#e")["title"] = "t"', "page: #e.title = t"),
    ('print(document.getElementById("f"), document.querySelectorAll(".g"))', "#f [<.g>]"),
    ('print(jquery.map([1, 2], lambda n, i: n + i), jquery.trim(None) == "")', "[1, 3] True"),
    ('print(jquery.inArray(2, [1]), jquery.isArray([]), jquery.grep([1, 2], lambda n, i: i))',
     "-1 True [2]"),
    ('jquery.each({"k": 1}, lambda key, value: print(key, value))', "k 1"),
    ('print(jquery(jquery("#h").val("v")).val())', "page: #h.value = v"),
    ('document.createElement("p").appendChild(document.createTextNode("text"))',
     "page: <p>.appendChild(text)"),
    ('element("#i").click(lambda _: print("called")); element("#i").click()', "called"),
    ('print(bool(element("#j")), hasattr(element("#j"), "__len__"), element("<b>"))',
     "True False <b>"),
    ('element("#l").seen = 1; element("#l").other; print({**element("#l")})', "{'seen': 1}"),
    ('missing("lib").b(print)', "page: lib.b(function)"),
    ('seen = []; jquery.each([7, 8], lambda i, v: bool(seen.append(v))); print(seen)', "[7]"),
    ('element("#k").on("click", 5); print(element("#k").preventDefault())', "None"),
])
def test_stub_shows_and_calls(
    statement: str, printed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "_elements", {})
    said: List[str] = []
    names = {name: getattr(browser, name) for name in ("document", "element", "jquery", "missing")}
    monkeypatch.setattr("builtins.print", lambda *values, **_: said.append(
        " ".join(map(str, values))
    ))
    found = in_python(statement, names)
    assert (said + found)[0] == printed


@pytest.mark.parametrize(("answer", "agrees"), [("y", True), (" Y ", True), ("n", False)])
def test_confirm_asks(answer: str, agrees: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda question: answer)
    assert browser.confirm("Sure?") is agrees


def test_confirm_without_a_terminal_is_no(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", end)
    assert browser.confirm("Sure?") is False


def test_storage_keeps_its_texts_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "storage.json"
    browser.Storage(lambda: path).set_item("a", "1")
    again = browser.Storage(lambda: path)
    assert again.get_item("a") == "1"
    path.write_text("no JSON", "utf-8")
    assert browser.Storage(lambda: path).get_item("a") is None
    again.clear()
    assert browser.Storage(lambda: path).get_item("a") is None
