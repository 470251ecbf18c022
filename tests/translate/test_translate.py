"""What the translator makes of each idiom, of whole programs, and of what it cannot say."""

from __future__ import annotations

import cProfile
import io
import re
import subprocess
import sys
import tokenize
from pathlib import Path
from typing import Any

import pytest

from keyyo_cti.translate import Translation, keyyo, translate
from keyyo_cti.translate.helpers import strings

from ..helpers.methods import METHODS, Method, name_use
from ..helpers.running import ROOT, Running
from .differential import in_python
from .seed import EXAMPLES
from .speed import PAGE

PROGRAM = """// Shows who calls.
var cti = new Keyyo.CTI({cookie_name: "shows"});
cti.onNewCall = function(call) {
    call.onSetup = function() { console.log("ringing", call.caller); };
};
cti.create_session("token", connected);
function connected(err, res) {
    if (err) { return; }  // no session
    console.log(res.number);
}
"""

PROGRAM_IN_PYTHON = """import logging

from keyyo_cti import Keyyo

logging.basicConfig()
# Shows who calls.
cti = Keyyo.CTI({"cookie_name": "shows"})


def on_new_call(call):
    call.onSetup = lambda: print("ringing", call.caller)


cti.onNewCall = on_new_call


def connected(err, res):
    if err:
        return  # no session
    print(res.number)


cti.create_session("token", connected)

cti.wait()
"""


def python(source: str) -> str:
    """Return the translation of a source without notes of what is left out."""
    translation = translate(source)
    assert translation.complete, translation.notes
    return translation.python


def body(source: str) -> str:
    """Return the translation without imports and helpers."""
    parts = re.split(r"\n\n\n(?!def js_)", "\n\n\n" + python(source))
    return parts[-1].strip() if "def js_" in python(source) else python(source).strip()


def test_program_is_what_a_person_would_write() -> None:
    assert python(PROGRAM) == PROGRAM_IN_PYTHON


@pytest.mark.parametrize("source", EXAMPLES.values(), ids=EXAMPLES)
def test_example_of_keyyos_page_translates_completely(source: str) -> None:
    assert "NotImplementedError" not in python(source)


@pytest.mark.parametrize(("source", "wanted"), [
    ("var userName = 'x'; userName += 1;", 'user_name = "x"\nuser_name = user_name + str(1)'),
    ("let n = 0; function up() { n++; }", None),
    ("var a = b ? 1 : 2;", None),
    ("var s = `a ${1 + 2} b`;", 's = f"a {1 + 2} b"'),
    ("const half = 7 / 2;", "half = 7 / 2"),
    ("call.date;", "call.connect_date or call.setup_date"),
    ("if (cti.get_calls().length) { }", "if cti.get_calls():\n    pass"),
    ("var x = null; x === undefined;", "x = None\nx is None"),
    ("for (var i = 0; i < 3; i++) { console.log(i); }", "for i in range(3):\n    print(i)"),
    ("var list = []; list.push(1);", "list_: list = []\nlist_.append(1)"),
    ("cti.onNewCall = c => { f({ ...c }); };", "cti.onNewCall = lambda c: f({**c.fields})"),
    ("cti.onNewCall = c => { f(Object.keys(c)); };", "cti.onNewCall = lambda c: f(list(c))"),
    ("f(Keyyo);", "from keyyo_cti import Keyyo\n\nf(Keyyo)"),
])
def test_idiom_becomes_pythons(source: str, wanted: "str | None") -> None:
    found = body(source)
    if wanted is not None:
        assert found == wanted


def test_variable_that_a_function_sets_is_global() -> None:
    assert "def up():\n    global n\n    n += 1" in python("let n = 0; function up() { n++; }")


def test_variable_of_the_function_around_is_nonlocal() -> None:
    source = "function f() { var n = 0; function g() { n = 1; } g(); return n; }"
    assert "        nonlocal n\n        n = 1" in python(source)


def test_closure_in_a_loop_keeps_the_value_of_its_round() -> None:
    source = (
        "for (let n of ['1', '2']) { cti.dial(n, function(err, res) { console.log(n, err); }); }"
    )
    assert "*, n=n" in python(source)


def test_handler_gets_the_arguments_that_python_needs() -> None:
    assert "def on_new_call(call):" in python("cti.onNewCall = function() { a(); b(); };\n"
                                              "function a() {} function b() {}")


@pytest.mark.parametrize(("source", "wanted"), [
    ("cti.on(name, () => { a(); b(); });", "def listener(event):"),
    ("cti.on(name, function(call) { a(call); b(); });", "def listener(call):"),
    ("cti.ping(function() { var err = 1, res = 2; f(err, res); });", "def pinged(_err, _res):"),
    ("var h; h = function() { a(); b(); }; cti.onNewCall = h;", "def h_2(*_):"),
    ("go(y); function go(x) { x.ping(function(err) { a(err); b(); }); }", "def pinged(err, res):"),
    ("var n; setTimeout(() => n = 5, 1);", "def later():\n    global n\n    n = 5"),
])
def test_callback_gets_the_name_and_the_arguments_that_python_needs(
    source: str, wanted: str
) -> None:
    assert wanted in python(source)


@pytest.mark.parametrize(("source", "wanted"), [
    ("f(); // use\n// one\n// two\nfunction f() { return 3; } /* behind */ f();",
     "# one\n# two\ndef f():\n    return 3  # behind\n\n\nf()  # use\n\nf()\n"),
    ("function f() { /* empty */ } /* behind */ f();",
     "def f():  # behind\n    # empty\n    pass\n\n\nf()\n"),
    ("for (;;) { break; /* no */ } // end", "while True:\n    break  # no\n# end\n"),
])
def test_comment_stays_with_what_it_describes(source: str, wanted: str) -> None:
    assert python(source) == wanted


def test_name_of_keyyo_stays() -> None:
    found = python("function hangUp(call) { call.hang_up(function(err) {}); }\n"
                   "cti.onNewCall = hangUp;")
    assert "def hang_up(call):" in found and "call.hang_up(" in found


@pytest.mark.parametrize(("before", "look", "keep", "copy"), [
    ("var kept = {};", "var last = kept[call.callref];", "kept[call.callref] = call;",
     "kept[call.callref] = dict(call.fields)"),
    ("var kept = null;", "var last = kept;", "kept = call;", "kept = dict(call.fields)"),
    ("var kept = [];", "const last = kept[kept.length - 1];", "kept.push(call);",
     "kept.append(dict(call.fields))"),
    ("const kept = new Map();", "let last = kept.get(call.callref);",
     "kept.set(call.callref, call);", "kept[call.callref] = dict(call.fields)"),
    ("class Kept { constructor() { this.call = null; } } const kept = new Kept();",
     "const last = kept.call;", "kept.call = call;", "kept.call = dict(call.fields)"),
])
@pytest.mark.parametrize("compared", ["last.state != call.state", "last.state === 'SETUP'"])
def test_kept_call_whose_state_is_compared_is_copied(
    before: str, look: str, keep: str, copy: str, compared: str
) -> None:
    """A state of a kept Call that is compared is the one of before."""
    if compared.endswith("'SETUP'") and "var last = kept;" not in look:
        compared = f"{compared} && call.state !== last.state"
    found = python(
        f"{before} cti.onNewCall = function(call) {{ {look}\n"
        f"if (last && {compared}) {{ console.log(last.state); }}\n{keep} }};"
    )
    assert copy in found and 'last.get("state")' in found


@pytest.mark.parametrize("kept", [
    "for (const k of kept) { if (k.state !== call.state) { f(); } } kept.push(call);",
    "const k = (kept[0] || kept[1]); if (k && k.state !== call.state) { f(); } kept.push(call);",
    "const k = kept[0][0]; if (k && k.state !== call.state) { f(); } kept.push([call]);",
    "const k = kept.at(0); if (k && k.state !== call.state) { f(kept.at); } kept.push(call);",
    "let k = kept[0]; if (k && k.state !== call.state) { f(k); } [k] = [call]; kept.push(call);",
])
def test_kept_call_that_cannot_be_traced_stays_live(kept: str) -> None:
    translation = translate(f"var kept = []; cti.onNewCall = call => {{ {kept} }};")
    assert not re.search(r"call\.fields|\.get\(.state", translation.python)
    assert "its attributes change" in str([each.why for each in translation.notes])


def test_kept_call_that_is_deleted_is_copied() -> None:
    found = python(
        "var s = { last: null }; cti.onNewCall = call => { if (s.last && s.last.state !== "
        "call.state) { f(); delete s.last; } s.last = call; };"
    )
    assert 's["last"] = dict(call.fields)' in found and '.get("state") != call.state' in found


@pytest.mark.parametrize(("source", "word"), [
    ("with (x) { a; }", "with"),
    ("block: if (f()) { break block; }", "label"),
    ("for (;;) { block: { if (f()) { break; } break block; } }", "label"),
    ("function f(c) { return c.get('a'); } f(new Map()); f({ get: () => 'own' });", "own object"),
    ("function f(x) { return x.size; } f(new Set()); f({ size: 'XL' });", "size"),
    ("function* g() { yield 1; }", "generators"),
    ("var x = /(?<=a+)b/u.test(y);", "regular expression"),
    ("var a = [1,,2];", "holes"),
    ("var b = 12n;", "number"),
    ("class A { get [x]() { return 1; } }", "computed"),
    ("this.x = 1;", "this"),
    ("tag`x`;", "tagged"),
    ("import x from 'y';", "modules"),
    ("function f(x) { return x.next(); }", "next"),
    ("var m = new Map(); m.set([1], 2);", "objects"),
    ("var s = new Set([true, 1]);", "true or false"),
    ("var d = new Date('March 7, 2026');", "date in this form"),
    ("console.log('a,b'.split(/,*/));", "find nothing"),
    ("var name = (function f() {}).name;", "name of a function"),
    ("class A { valueOf() { return 1; } }", "valueOf"),
    ("class A { constructor() { return { a: 1 }; } }", "a constructor that returns"),
    ("var s = $.extend(true, {}, { a: 1 });", "no plain object"),
    ("const n = 1; n++;", "a constant is assigned"),
    ("throw Object.assign(new Error(), { message: 'x' });", "message"),
    ("localStorage.last = 'x';", "localStorage"),
    ("var t = 'a' + new Map();", "a text of a function"),
    ("console.log(JSON.stringify(new Set()));", "JSON of a function"),
    ("console.log('aXb'.split('X', -1));", "negative"),
    ("console.log([1].includes(1, 1));", "includes from a place"),
])
def test_what_cannot_be_said_is_a_comment_with_an_exception_and_a_note(
    source: str, word: str
) -> None:
    translation = translate(source)
    assert not translation.complete
    assert "# JS: " in translation.python
    assert "raise NotImplementedError(" in translation.python
    [note] = [note for note in translation.notes if word in note.why]
    assert note.line == 1 and note.action


@pytest.mark.parametrize(("source", "what"), [
    ("if (call.type != 'RELEASE') { }", "call.type"),
    ("cti.removeEventListener('newCall', f); function f() {}", "removeEventListener"),
    ("var keep; cti.onNewCall = function(call) { keep = call; };", "a Call that is kept"),
    ("let kept = []; cti.onNewCall = c => { kept = [...kept, c]; };", "a Call that is kept"),
    ("let kept = []; cti.onNewCall = c => { kept.push({ c, at: 1 }); };", "a Call that is kept"),
    ("const next = () => new Promise(r => { cti.onNewCall = c => r(c); });",
     "a Call that is kept"),
    ("document.title = 'x';", "document"),
    ("alert('x');", "alert"),
    ("localStorage.setItem('a', 'b');", "localStorage"),
    ("var a = new Keyyo.CTI(); var b = new Keyyo.CTI();", "a second CTI"),
    ("call.on('release', function() { });", "handlers of a Call"),
    ("console.log(new Map());", "console.log"),
    ("var xs = [null, 'a']; xs.sort();", "null in an array that is sorted"),
    ("var day = new Date(String(x));", "a date that may be invalid"),
    ("var h = 1; for (;;) { h = h * 31; }", "whole numbers"),
    ("console.log(Math.pow(2, 64));", "whole numbers"),
    ("module.exports = {};", "module.exports"),
    ("var u = undefined, n = null; console.log(u === n);", "null and undefined"),
    ("var s = String(5); console.log('x'.replace(/x/, s));", "a replacement that is not fixed"),
])
def test_difference_in_meaning_is_noted(source: str, what: str) -> None:
    translation = translate(source)
    assert translation.complete
    assert what in [note.what for note in translation.notes]


#: Programs, one a line: those that hold something that is refused, and those that have notes.
REFUSED = (Path(__file__).parent / "refused.txt").read_text("utf-8").splitlines()
NOTED = (Path(__file__).parent / "noted.txt").read_text("utf-8").splitlines()


def test_program_with_something_refused_says_so_in_its_place() -> None:
    for source in REFUSED:
        translation = translate(source)
        assert not translation.complete and "# JS: " in translation.python, source
        assert "raise NotImplementedError(" in translation.python, source
        assert not any("the translator" in note.why for note in translation.notes), source
        compile(translation.python, source, "exec")


def test_program_with_a_difference_has_a_note() -> None:
    for source in NOTED:
        translation = translate(source)
        assert translation.complete and translation.notes, source
        assert "NotImplementedError" not in translation.python, source
        compile(translation.python, source, "exec")


def test_format_of_console_log_is_filled_in() -> None:
    source = "console.log('%s is %d, %i and %f%%', 'a', '5', 5.9, '2.5', 'more');"
    source += "console.log('%j %s %c!', { a: 1 }, [7], 'color: red');"
    assert in_python(python(source)) == ["a is 5, 5 and 2.5% more", '{"a":1} [ 7 ] !']
    fill_in: Any = strings.js_format
    shown = fill_in("%s %d%% %i %f %j %O%c %s", [1], "5", 5.9, "x", {"a": 1}, "o", "css")
    assert shown == '[ 1 ] 5% 5 NaN {"a":1} o %s'


@pytest.mark.parametrize(("source", "printed"), [
    ("console.log(btoa('xyz'), atob('eHl6'));", "eHl6 xyz"),
    ("try { null.f(); } catch ({ message }) { console.log(typeof message); }", "string"),
    ("console.log(process.env.NOT_THERE || 'unset', process.argv.length > 1);", "unset true"),
    ("const { NOT_THERE = 'default' } = process.env; console.log(NOT_THERE);", "default"),
    ("const s = $.extend({}, { max: 2 }, window.SETTINGS || {}); console.log(s.max * 2);", "4"),
    ("(function($, w) { var s = $.extend({}, { max: 2 }, w.S || {}); console.log(s.max); })"
     "(jQuery, window);", "2"),
])
def test_what_node_or_a_page_offers_is_pythons(source: str, printed: str) -> None:
    assert in_python(python(source))[0] == printed


@pytest.mark.parametrize("source", [
    "process.exit(3);", "setInterval(() => 1, 60000); setTimeout(() => process.exit(3), 1);",
])
def test_exit_ends_the_program_in_any_thread(source: str) -> None:
    done = subprocess.run([sys.executable, "-c", python(source)], timeout=60, cwd=ROOT)
    assert done.returncode == 3


@pytest.mark.parametrize("source", ["(" * 16, "`${" * 100])
def test_source_that_is_no_javascript_as_a_whole_is_not_complete(source: str) -> None:
    translation = translate(source)
    assert not translation.complete and translation.notes


@pytest.mark.parametrize("source", [
    "var x = " + " && ".join(["a"] * 40), "var x = " + "a ? " * 30 + "1" + " : 2" * 30,
])
def test_deep_expression_takes_linear_time(source: str) -> None:
    """The watchdog ends it otherwise: each level doubled the time."""
    assert "a" in translate(source).python


@pytest.mark.parametrize("refused", [
    "super();", "class A { go() { super(); } }", "super.x;", "let let = 1;", "var enum = 1;",
    "class A {} class A {}", "let g; function g() {}",
    "var deep = " + "'a' + y + " * 200 + "'b';", "$el" + ".a().b()" * 60 + ";",
    "for (;;) { " * 21 + "f();" + " }" * 21, "if (a) { f(); } else " * 100 + "f();",
    "function outer() { var n  0; function a() { n++; } }",
    "function outer() { var n = (; function a() { n++; } a(); }",
    "function later() { await f(); }",
], ids=lambda source: source[:30])
def test_only_the_statement_with_a_fault_is_refused(refused: str) -> None:
    translation = translate(f"before(1);\n{refused}\nafter(2);\n")
    assert not translation.complete
    assert "before(1)\n" in translation.python and "after(2)\n" in translation.python
    compile(translation.python, "translation", "exec")


@pytest.mark.parametrize("torn", [
    "const kind = n => n.label{ console.log(kind(1)); }", "class E { () { this.h = 1; } }",
    "class P { constructor()( { this.a = 1; } }", "if ((x = 7) > 6 && x < 8 f('as', x);",
    "function on(f{ h.push(f); }", "if (d.length  11 && d.indexOf('33') === 0) { f(); }",
    "class A { add(v)return{ f(); } }", "class A { constructor():{ this.x = 1; } }",
    "a => {} ();", "a ?? b || c;", "{ x = 1, y } = f();",
    "class A { constructor() {} constructor() {} }",
    "class A { get x(a) { } }", "if (x) let y = 1;", "while (1) function g() {}",
    "(a, ...b, c) => 1;", "class A { #a; #a; }", "class A { m() { this.#zz; } }",
    "var c = g(function() { , a(b); });",
    "while (d.length 1) { f(); }", "f(d.length 1 ? 2 : 3);", "var n = [d.length 1];",
])
def test_torn_source_is_never_translated_completely(torn: str) -> None:
    translation = translate(f"before(1);\n{torn}\n")
    assert not translation.complete
    assert "before(1)\n" in translation.python


def test_note_names_all_its_lines_once() -> None:
    notes = translate("document.title = 'a';\ndocument.title = 'b';\n").notes
    [note] = [note for note in notes if note.what == "document"]
    assert note.line == 1 and "(also in line 2)" in note.why


@pytest.mark.parametrize("source", [
    "", "\n", "\ufeffvar a = 1;", "\x00", "(" * 5000, "[" * 300 + "]" * 300, "`${" * 200, "/*",
    "\ud800", "var \ud83d\ude00 = 1", "<html><script>", "<!-- x --><script>a(</script>",
    "#!/usr/bin/env node\nvar a = 1;", "'\\u{110000}'", "var x = '\\ud83d';", "}" * 50,
    "if (a) {} else", "a?.b?.[c]?.(d)", "x = y = z = 1;" * 50, "\u2028\u2029", "class A { #x; }",
])
def test_any_text_gives_python_that_compiles(source: str) -> None:
    translation = translate(source)
    assert isinstance(translation, Translation)
    compile(translation.python, "translation", "exec")


@pytest.mark.parametrize("source", [
    "// -*- coding: utf-7 -*-\nf('+AGE-');", "/* coding=latin-1 */ f();",
    "f();\n// vim: set fileencoding=cp1252 :",
    "f(  // coding: utf-7\n" + "'long text', " * 9 + ");",
    "with (a) { '# coding: utf-7'; }",
])
def test_comment_of_the_source_never_sets_the_encoding(source: str) -> None:
    data = translate(source).python.encode()
    assert tokenize.detect_encoding(io.BytesIO(data).readline)[0] == "utf-8"


@pytest.mark.parametrize(("source", "said"), [
    ("<!-- a\nf(2);\n--> b", "f(2)"),
    ("<!-- x --><script>f(3)</script>", "f(3)"),
    ("<script><!--\nf(4);\n//-->\n</script>", "f(4)"),
    ("<button>x</button><script>f(5)</script>", "f(5)"),
    ("<script>a() // x</script><script>f(6)</script>", "f(6)"),
    ('<body onload="f(7)">', "f(7)"),
    ("<script>f(8);", "f(8)"),
])
def test_script_of_a_page_is_found(source: str, said: str) -> None:
    assert said in translate(source).python


@pytest.mark.parametrize("torn", ["syntax error here(", "if (a) { f([1, {", "f(`x ${y"])
def test_torn_script_leaves_the_next_ones(torn: str) -> None:
    found = translate(f"<script>{torn}</script>\n<script>console.log('still');</script>")
    assert found.notes and 'print("still")\n' in found.python


@pytest.mark.parametrize(("source", "what"), [
    ('<button onclick="go()">x</button><script>f()</script>', "onclick of <button>"),
    ('<a href=" JavaScript:go()">x</a><script>f()</script>', "href of <a>"),
    ('<script src="app.js"></script><script>f()</script>', "app.js"),
    ("<script>f();", "<script>"),
    ("<p>Nothing</p>", "the page"),
])
def test_what_a_page_runs_besides_is_noted(source: str, what: str) -> None:
    assert what in [note.what for note in translate(source).notes]


def test_source_that_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError, match="source: expected a string, got bytes"):
        translate(b"x")  # type: ignore[arg-type]


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "keyyo_cti.translate.program")
    monkeypatch.setitem(sys.modules, "keyyo_cti.translate.syntax", None)
    monkeypatch.delattr("keyyo_cti.translate.program")
    with pytest.raises(ImportError, match="translate"):
        translate("x")


def test_translator_knows_every_command() -> None:
    assert set(keyyo.METHODS) == {method.name for method in METHODS}


@pytest.mark.parametrize("method", METHODS, ids=name_use)
def test_translator_knows_the_type_of_each_argument_of_a_command(method: Method) -> None:
    """Without the type, an argument that Python refuses would get no note."""
    longest = max(len(use.arguments) for use in method.uses)
    assert len(keyyo.METHODS[method.name].arguments) == longest


#: A function as pages have it; each has the same names as the others.
_FUNCTION = """function handle%d(call) { if (call && call.state === 'SETUP') {
  var q = [1,2,3].map(function (x) { return x * 2; });
  for (let x of q) { console.log(x, 'v' + call.caller); }
  setTimeout(function () { call.hang_up(function (err) { if (err) { log(err); } }); }, 10);
} }
"""


def _calls(source: str) -> int:
    """Return how many functions a translation calls."""
    counted = cProfile.Profile()
    counted.runcall(translate, source)
    return sum(each.callcount for each in counted.getstats())


@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize("piece", [
    _FUNCTION, "// a comment\n", "f(%d);\n", "foo(;\n", "f(1); var x%d = [1, 2];\n",
    "class A%d { go(x) { this.p = x; return this.p; } }\n",
])
def test_four_times_the_source_takes_four_times_the_calls(piece: str) -> None:
    def source(count: int) -> str:
        return "".join(piece.replace("%d", str(n)) for n in range(count))

    assert _calls(source(400)) < 4.3 * _calls(source(100))


@pytest.mark.usefixtures("untraced")
def test_page_of_a_thousand_lines_takes_less_than_a_fifth_of_a_second() -> None:
    """In a process of its own: coverage would take longer than the translation."""
    assert PAGE.count("\n") >= 1000
    with Running("-m", "tests.translate.speed") as running:
        assert running.end(timeout=60) == 0, running.rest()
