"""The one thread of a translated program: what runs at its end, and what no longer does."""

from __future__ import annotations

import threading
from typing import List

import pytest

from keyyo_cti.translate import translate
from keyyo_cti.translate.page_loop import Page, Timer

from ..helpers.running import DEADLINE
from .differential import in_python


@pytest.fixture
def said() -> List[str]:
    return []


def test_page_that_ends_runs_what_is_pending_and_no_timer(said: List[str]) -> None:
    with Page() as page:
        page.after(Timer(lambda: said.append("timer")), 3600)
        page.at_close(lambda: page.dispatch(lambda: said.append("closed")))
        page.dispatch(lambda: page.microtask(lambda: said.append("promise")))
    assert sorted(said) == ["closed", "promise"]


def test_page_that_ends_by_an_exception_runs_nothing_more(said: List[str]) -> None:
    page = Page()
    page.at_close(lambda: said.append("closed"))
    with pytest.raises(KeyError), page:
        raise KeyError
    assert said == []


def test_work_of_a_stopped_page_never_runs_in_a_later_one(said: List[str]) -> None:
    page, begun, go_on = Page(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(DEADLINE)
        said.append("old")

    page.dispatch(work)
    page.dispatch(lambda: said.append("never"))
    page.start()
    assert begun.wait(DEADLINE)
    page.stop(timeout=0)
    page.dispatch(go_on.set)
    with page:
        pass
    assert go_on.wait(DEADLINE) and said in ([], ["old"])


def test_await_outside_of_a_function_waits_in_its_place() -> None:
    translation = translate(
        "import Keyyo from 'keyyo-cti';\nconsole.log(1);\nconst x = await Promise.resolve(5);\n"
        "console.log(x);\nfor (const p of [1, 2]) { console.log(await Promise.resolve(p)); }"
    )
    assert in_python(translation.python) == ["1", "5", "1", "2"] and translation.complete
    assert [(3, "await outside of a function")] == [each[:2] for each in translation.notes]


@pytest.mark.parametrize("source", [
    "const f = async () => { const d = await (await g()).json(); return d; };",
    "const f = async () => await (g()).then(r => r.json());",
    "async function f() { const r = await (g()); return await (r.json)(); }",
    "const f = async () => await (async () => 5)();",
])
def test_await_before_a_parenthesis_awaits_all_that_follows(source: str) -> None:
    source += " const g = async () => ({ json: async () => 5 }); f().then(v => console.log(v));"
    assert in_python(translate(source).python) == ["5"]


@pytest.mark.parametrize(("source", "wanted"), [
    ("(function ($, d) { var n = 1; function log() { console.log('n', n); }"
     " $(d).ready(function () { log(); }); })(jQuery, document);", ["n 1"]),
    ("(function ($) { $(function () { console.log('r'); }); })(jQuery);", ["r"]),
    ("function boot(n) { window.onload = function () { n++; console.log('l', n); }; }"
     " boot(3); console.log('first');", ["first", "l 4"]),
    ("class UI { constructor() { window.addEventListener('load', this.load.bind(this)); }"
     " load() { console.log('loaded'); } } new UI();", ["loaded"]),
    ("const App = { n: 5, init() { window.addEventListener('load', () => console.log(this.n));"
     " window.onbeforeunload = () => console.log('bye', this.n); } }; App.init();",
     ["5", "bye 5"]),
    ("function never() { window.onload = function () { console.log('no'); }; }"
     " if (!never) { window.onload = function () { console.log('no'); }; } console.log(1);",
     ["1"]),
    ("window.onload = () => console.log('l'); window.onunload = () => console.log('u');"
     " console.log(1);", ["1", "l", "u"]),
])
def test_handler_of_the_page_runs_where_its_names_are(source: str, wanted: List[str]) -> None:
    assert in_python(translate(source).python) == wanted
