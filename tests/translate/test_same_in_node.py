"""The same script in Node, on the stand-in for Keyyo's SDK, and translated, prints the same."""

from __future__ import annotations

import re
from typing import Callable, Iterator, List

import pytest

from keyyo_cti.simulator import Line, Simulator
from keyyo_cti.translate import translate

from ..docs.guide_scenes import ALICE, BOB, DAVE
from ..helpers.javascript_page import Page
from ..helpers.node_programs import missing
from ..helpers.running import DEADLINE
from .program import TranslatedProgram
from .test_pages import PAGES, _miss, _talk

_MISSING = missing()

pytestmark = pytest.mark.skipif(_MISSING is not None, reason=_MISSING or "")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A Node process for all scripts."""
    with Page() as running:
        yield running


def counts_a_call(sim: Simulator) -> None:
    sim.wait_for_session(ALICE, DEADLINE)
    sim.phone(BOB).call(ALICE)
    sim.phone(ALICE).pick_up()
    sim.phone(BOB).hang_up()


def answers_and_misses(sim: Simulator) -> None:
    _talk(sim, BOB)
    _miss(sim, DAVE)
    _miss(sim, DAVE)


def talks_and_misses(sim: Simulator) -> None:
    sim.phone(BOB).wait_until("ringing", DEADLINE)
    sim.phone(BOB).pick_up()
    sim.phone(BOB).hang_up()
    sim.phone(DAVE).call(ALICE)
    sim.phone(DAVE).hang_up()


@pytest.mark.parametrize(("name", "scene", "count"), [
    ("classes.js", counts_a_call, 10), ("async.js", answers_and_misses, 16),
    ("crm.js", talks_and_misses, 17),
])
def test_page_prints_the_same_in_both(
    page: Page, name: str, scene: Callable[[Simulator], None], count: int
) -> None:
    source = (PAGES / name).read_text("utf-8")
    said: List[List[str]] = []
    for play in (_in_node, _in_python):
        with Simulator() as sim:
            sim.line(ALICE, name="Alice")
            script = source.replace("<CSI token>", sim.token(ALICE))
            said.append(play(page, sim, script, scene, count))
    # The answer to a command may overtake the notification of another call.
    # On a busy machine a call may last for a second.
    node, python = ([re.sub(r"[\d.]+ s\b", "N s", line) for line in each] for each in said)
    assert sorted(node) == sorted(python)
    assert said[0][0] == said[1][0] and len(said[0]) == count


Scene = Callable[[Simulator], None]


def _in_node(page: Page, sim: Simulator, source: str, scene: Scene, count: int) -> List[str]:
    page.open(sim.endpoint)
    try:
        page.run(source)
        scene(sim)
        return list(page.wait_for(count))
    finally:
        page.leave()


def _in_python(page: Page, sim: Simulator, source: str, scene: Scene, count: int) -> List[str]:
    python = translate(source).python
    with TranslatedProgram(python, sim.endpoint, {}) as program:
        scene(sim)
        return program.wait_for(count)


#: Promises, timers and async functions, whose order is JavaScript's.
SCRIPTS = {
    "order": """
        console.log('a');
        setTimeout(() => console.log('timer'), 0);
        Promise.resolve('p').then(v => { console.log(v); return v + 1; })
            .then(v => console.log(v));
        (async function go() { console.log('in'); await null; console.log('after'); })();
        console.log('end');
    """,
    "chain": """
        new Promise((resolve, reject) => reject(new Error('no')))
            .then(() => console.log('never'))
            .catch(e => { console.log(e.message); return 'healed'; })
            .finally(() => console.log('finally'))
            .then(v => console.log(v));
        Promise.resolve(1).then(2).then(v => console.log('passed on', v));
    """,
    "adopted": """
        const inner = new Promise(resolve => setTimeout(() => resolve('late'), 5));
        Promise.resolve(1).then(() => inner).then(v => console.log(v));
        Promise.all([1, inner, Promise.resolve(3)]).then(vs => console.log(vs.join('-')));
        Promise.race([inner, 'now']).then(v => console.log(v));
        Promise.allSettled([Promise.reject('x'), 2])
            .then(rs => console.log(rs.map(r => r.status).join()));
    """,
    "async errors": """
        async function fails(text) { await null; throw new TypeError(text); }
        async function main() {
            try { await fails('one'); } catch (e) { console.log('caught', e.message); }
            try { throw { code: 7 }; } catch (e) { console.log(e.code); }
            const all = await Promise.all([1, 2, 3].map(async n => { await null; return n * 2; }));
            console.log(all.join());
            for (const n of all) { if (n > 4) { return n; } await null; console.log('n', n); }
        }
        main().then(v => console.log('result', v));
        console.log('first');
    """,
    "timers": """
        let n = 0;
        const clock = setInterval(function() {
            n++;
            console.log('tick', n);
            if (n === 3) { clearInterval(clock); }
        }, 5);
        const never = setTimeout(() => console.log('never'), 1);
        clearTimeout(never);
        setTimeout(function(a, b) { console.log(a, b); }, 60, 'x', 'y');
    """,
    "settled": """
        new Promise(() => { throw new Error('in'); }).catch(e => console.log(e.message));
        Promise.resolve(1).then(() => { throw new TypeError('t'); })
            .catch(e => console.log(e.name));
        Promise.reject(new Error('f')).finally(() => console.log('fin'))
            .catch(e => console.log('after', e.message));
        Promise.any([Promise.reject(new Error('x')), Promise.resolve('a')])
            .then(v => console.log(v));
        Promise.any([Promise.reject(new Error('x'))]).catch(e => console.log('none', e.message));
        Promise.all([]).then(v => console.log(v.length));
    """,
    "once": """
        const p = new Promise((resolve, reject) => { resolve(1); resolve(2); reject(3); });
        p.then(v => console.log('got', v));
        let open;
        const gate = new Promise(r => { open = r; });
        gate.then(v => console.log('gate', v));
        gate.then(() => console.log('again'));
        open('o'); open('q');
        console.log('sync');
    """,
}


@pytest.mark.parametrize("source", SCRIPTS.values(), ids=SCRIPTS)
def test_promises_and_timers_run_in_javascripts_order(page: Page, source: str) -> None:
    translation = translate(source)
    assert translation.complete, translation.notes
    with TranslatedProgram(translation.python, "http://127.0.0.1:9", {}) as program:
        program.join()
    wanted = program.said
    page.open("http://127.0.0.1:9")
    try:
        page.run(source)
        said = page.wait_for(len(wanted))
    finally:
        page.leave()
    assert wanted == list(said) and len(wanted) > 1


def test_storage_keeps_texts(sim: Simulator, alice: Line) -> None:
    source = (
        "localStorage.setItem('a', 5); console.log(localStorage.getItem('a'), typeof "
        "localStorage.getItem('a')); localStorage.removeItem('a'); "
        "console.log(localStorage.getItem('a') === null);"
    )
    python = translate(source).python
    with TranslatedProgram(python, sim.endpoint, {}) as program:
        program.join()
    assert program.said == ["5 string", "true"]
    assert not re.search("NotImplemented", python)
