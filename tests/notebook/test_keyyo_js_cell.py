"""The cell magic ``%%keyyo_js``, in a shell that only notes what it is to do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Dict, List

import pytest

from keyyo_cti.notebook import keyyo_js, load_ipython_extension
from keyyo_cti.translate import translate

pytest.importorskip("IPython")

DIAL = 'cti.dial("33172587948", function(err, res) { console.log(err || res); });\n'
DIAL_IN_PYTHON = 'cti.dial("33172587948", lambda err, res: print(err or res))\n'


class Shell:
    """What the magic needs of IPython."""

    def __init__(self) -> None:
        self.magics: List[Any] = []
        self.cells: List[str] = []
        self.user_ns: Dict[str, Any] = {}
        self.succeeds = True

    def register_magic_function(self, function: Any, kind: str, name: str) -> None:
        self.magics.append((kind, name, function))

    def run_cell(self, code: str) -> Any:
        self.cells.append(code)
        return SimpleNamespace(success=self.succeeds)


def test_magic_runs_the_translation() -> None:
    shell = Shell()
    load_ipython_extension(shell)
    [(kind, name, function)] = shell.magics
    assert (kind, name) == ("cell", "keyyo_js")
    function("", DIAL)
    assert shell.cells == [DIAL_IN_PYTHON + "pass\n"]


@pytest.mark.parametrize(("source", "is_there", "is_left_out"), [
    ("var cti = new Keyyo.CTI(); setTimeout(f, 5); function f() {}", "page.start()", "wait()"),
    ("setInterval(() => 1, 500);", "page.start()", "page.run()"),
    ("function f(lock) { lock.wait(); }", "lock.wait()", "page"),
    ("var cti = new Keyyo.CTI(); window.onbeforeunload = function() { g(); };\nfunction g() {}",
     "Keyyo.CTI()", "on_beforeunload()\n"),
])
def test_magic_waits_for_nothing(source: str, is_there: str, is_left_out: str) -> None:
    shell = Shell()
    keyyo_js.keyyo_js(shell, source)
    [code] = shell.cells
    assert is_there in code and is_left_out not in code
    compile(code, "cell", "exec")


def test_name_of_an_earlier_cell_needs_no_note() -> None:
    source, known = "use(lineNumber, token);", ["line_number", "use"]
    [note] = translate(source, known=known).notes
    assert (note.what, note.why) == ("token", "the source does not define it")


def test_name_of_an_earlier_cell_is_found() -> None:
    shell = Shell()
    shell.user_ns = {"active_call": None, "lineNumber": 1, "cti": None}
    keyyo_js.keyyo_js(shell, "activeCall.hang_up(); f(lineNumber, otherName);")
    [code] = shell.cells
    assert "active_call.hang_up()" in code and "f(lineNumber, otherName)" in code


@pytest.mark.parametrize(("cells", "names", "result"), [
    (["let callCount = 2;", "function bump() { callCount += 10; } bump();"], "call_count", 12),
    (["let plain = 1;", "const add = () => { plain++; }; add();"], "plain", 2),
    (["function addUp(a, b) { return a + b; } addUp(1, 2);", "var whole = addUp(1, 'x');"],
     "whole", "1x"),
    (["class Tax { of(n) { return n * 2; } } new Tax().of(1);", "var tax = new Tax().of('4');"],
     "tax", 8),
    (["class LineOf { go() { return 7; } }", "var found = new LineOf().go();"], "found", 7),
])
def test_cell_sets_and_makes_what_an_earlier_one_has_defined(
    cells: List[str], names: str, result: object
) -> None:
    shell = Shell()
    shell.user_ns = {"In": []}
    for source in cells:
        keyyo_js.keyyo_js(shell, source)
        exec(shell.cells[-1], shell.user_ns)
    assert shell.user_ns[names] == result


def test_cell_whose_python_fails_counts_as_failed() -> None:
    from IPython.core.error import UsageError

    shell = Shell()
    shell.succeeds = False
    with pytest.raises(UsageError, match="Python of this cell"):
        keyyo_js.keyyo_js(shell, DIAL)


def test_magic_shows_notes_escaped() -> None:
    table = keyyo_js.notes_table([(1, "<b>", "why", "do")])
    assert "&lt;b&gt;" in table and "<th>what to do</th>" in table
    assert keyyo_js.notes_table([]) == ""
    assert "&lt;i&gt;" in keyyo_js.shown("<i>", "x")
