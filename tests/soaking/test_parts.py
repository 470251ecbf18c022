"""The parts of a soak, each on its own."""

from __future__ import annotations

import gc
import logging
import os
import random
import sys
import threading
from itertools import islice, takewhile
from typing import Any, List

import pytest

from keyyo_cti import CTI, KeyyoError, UnreadableMessage, commands
from keyyo_cti.simulator import Line, Passage, Simulator
from keyyo_cti.sockjs.protocol import Message
from keyyo_cti.sockjs.protocol import Opened as FrameOpened
from keyyo_cti.sockjs.protocol import Protocol

from .chaos import Chaos
from .client import kind_of
from .diary import Diary, Opened, Opening
from .errands import Errands, What
from .findings import LOST, REPEATED, WRONG, Findings
from .junk import DEADLY, JUNK
from .leftovers import Leftovers, descriptors
from .mischief import Mischief
from .model import Model
from .plan import KINDS, plan
from .provider import KeepingProvider
from .standing import Standing
from .tags import Tags, as_number, tag_of
from .tally import Tally
from .wiretap import Answered, Told, Wiretap

PATIENCE = 20.0


# The plan.


def test_plan_is_of_its_seed() -> None:
    """The same seed gives the same faults, and another one others."""
    plans = [list(islice(plan(seed, 16, 1.0), 200)) for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]


def test_plan_has_everything() -> None:
    """In an hour every kind of fault comes, for every client, at the rate that was asked for."""
    faults = list(takewhile(lambda fault: fault.at < 3600, plan(5, 16, 1.0)))
    assert {fault.kind for fault in faults} == set(KINDS)
    assert {fault.client for fault in faults} == {*range(16), None}
    assert 3400 < len(faults) < 3800
    assert all(KINDS[fault.kind].alone == (fault.client is not None) for fault in faults)
    assert {fault.detail[0] for fault in faults if fault.kind == "garbage"} == set(JUNK)


def test_chaos_can_do_everything() -> None:
    """Every kind of fault can be done, and nothing else."""
    assert {f"do_{kind}" for kind in KINDS} == {
        name for name in vars(Chaos) if name.startswith("do_")}


@pytest.mark.parametrize("kind", KINDS)
def test_chaos_does_it(sim: Simulator, kind: str) -> None:
    """Each kind does what it says to a simulator, and leaves nothing in the way."""
    lines = [sim.line("33199000001").number]
    findings, stop, tally = Findings(), threading.Event(), Tally()
    fault = next(each for each in plan(3, 1, 1000.0) if each.kind == kind)
    provider = KeepingProvider(
        "alice", lambda: sim.token(lines[0]), random.Random(1), stop, tally, findings)
    wiretap = Wiretap(findings)
    sim.add_witness(wiretap)
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        cti.create_session(provider.plain()).result(PATIENCE)
        sim.phone("33199020000").call(lines[0])
        done = threading.Event()

        def faults() -> Any:
            yield fault._replace(at=0.0)
            done.set()

        chaos = Chaos(
            sim, faults(), lines, [provider], wiretap, random.Random(1), stop, findings)
        chaos.start()
        assert done.wait(PATIENCE)
        stop.set()
        chaos.finish()
        assert findings.first() == [] and chaos.tally.counts() == {kind: 1}
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        cti.create_session(provider.plain()).result(PATIENCE)


def test_kinds_of_clients() -> None:
    """Among the clients is every transport with each way to restore and to run handlers."""
    kinds = [kind_of(index) for index in range(16)]
    ways = {(tuple(kind.transports or ()), kind.restores) for kind in kinds}
    assert len(ways) == 8
    assert {kind.dispatch for kind in kinds} == {"thread", "manual", "function"}
    assert {tuple(kind.transports or ()) for kind in kinds[:6]} == {
        (), ("websocket",), ("xhr-streaming",), ("xhr-polling",)}


# The server's side.


@pytest.mark.parametrize("name", JUNK)
def test_junk_says_nothing(name: str) -> None:
    """Junk is neither a call nor the answer to a command that was asked, and ends nothing."""
    junk = JUNK[name]
    try:
        text = junk if isinstance(junk, str) else junk.decode()
    except UnicodeDecodeError:
        return
    protocol = Protocol()
    protocol.receive("o")
    messages = [event.value for event in protocol.receive(text) if isinstance(event, Message)]
    assert protocol.state == "open" and "\n" not in text
    for message in messages:
        try:
            said = commands.decode(message)
        except UnreadableMessage:
            continue
        assert isinstance(said, commands.Reply) and said.id > 10**9


@pytest.mark.parametrize("name", DEADLY)
def test_deadly_junk(name: str) -> None:
    """Deadly junk ends a connection."""
    protocol, junk = Protocol(), DEADLY[name]
    assert protocol.receive("o") == [FrameOpened()] and isinstance(junk, str)
    protocol.receive(junk)
    assert protocol.state == "closed"


def test_tags() -> None:
    """A tag is found in whatever field a command has for it, and nowhere else."""
    tags = Tags()
    tag = [tags.new() for _ in range(12)][-1]
    assert tag_of({"number": as_number(tag)}) == tag_of({"to": as_number(tag)}) == tag
    assert tag_of({"number": "0", "message": f"{as_number(tag)} hello"}) == tag
    assert tag_of({"number": "33199000001", "message": f"to {as_number(tag)}"}) is None
    assert tag_of({"number": as_number(tag) + "1", "to": 5}) is None


def test_wiretap(sim: Simulator, alice: Line) -> None:
    """The wiretap knows each connection with a session, what was sent on it in order, and which
    tags were heard there."""
    findings = Findings()
    wiretap = Wiretap(findings)
    sim.add_witness(wiretap)
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        sim.faults.fail("create_session", 500, "Internal error")
        cti.create_session(sim.token(alice)).exception(PATIENCE)
        # Until its connection is closed, a second attempt would go there too.
        assert cti.wait(PATIENCE)
        cti.create_session(sim.token(alice)).result(PATIENCE)
        callref = sim.phone("33199020000").call(alice)
        cti.local_to_int(as_number(7)).result(PATIENCE)
    (wire,) = wiretap.wires(alice.number, 0)
    assert (wire.transport, wire.opened_by) == ("websocket", "create_session")
    created, told, answered = wire.items
    assert isinstance(created, Answered) and created.action == "create_session"
    assert isinstance(told, Told) and told.call["callref"] == callref
    assert isinstance(answered, Answered) and answered.tag == 7
    assert wiretap.wires_of(7) == [wire.number] and wiretap.wires_of(8) == []
    assert wiretap.told(alice.number) == [told.call]
    assert wiretap.refused == {"Internal error"} and findings.first() == []
    assert wiretap.wires(alice.number, wire.number) == wiretap.wires(alice.number, 0) == []


@pytest.mark.parametrize("read_before_session", [True, False])
def test_answer_before_the_session_is_not_lost(read_before_session: bool) -> None:
    """A command that is refused while restore_session falls back to a new session is called back
    before the session opens, whenever the model reads of it."""
    findings = Findings()
    wiretap = Wiretap(findings)
    book = Errands("alice", Tally(), findings)
    line, diary = "33199000001", Diary()
    model = Model("alice", line, False, wiretap, book, findings)
    refused = KeyyoError(401, "Unknown session_id")
    errand = book.begin(What("subscribe"), 7, True, diary)
    wiretap(Passage(1, "websocket", None, "opened", None))
    diary.write(Opening)
    for number, fields in enumerate((
        {"action": "restore_session"},
        {"action": "subscribe", "number": as_number(7)},
        {"action": "create_session"},
    )):
        content = {"id": number, **fields}
        wiretap(Passage(1, "websocket", None, "received", content))
    for number in (0, 1):
        answer = {"id": number, "error": {"message": refused.message}}
        wiretap(Passage(1, "websocket", None, "sent", answer))
    errand.callback(refused, None)
    if read_before_session:
        model.read(diary.tear_out())
    wiretap(Passage(1, "websocket", line, "sent", {"id": 2, "result": {}}))
    diary.write(Opened)
    later = book.begin(What("dial"), 8, True, diary)
    content = {"id": 3, "action": "dial", "number": as_number(8)}
    wiretap(Passage(1, "websocket", line, "received", content))
    wiretap(Passage(1, "websocket", line, "sent", {"id": 3, "result": 1}))
    later.callback(None, 1)
    model.read(diary.tear_out())
    model.finish()
    assert findings.first() == []


@pytest.mark.parametrize("same", ["id", "tag"])
def test_command_that_comes_in_twice(same: str) -> None:
    """A command that comes in twice is a repetition: the same id on one connection, or the same
    tag on any."""
    findings = Findings()
    wiretap = Wiretap(findings)
    for connection in (1, 2):
        wiretap(Passage(connection, "websocket", None, "opened", None))
    second = (1, 5, 8) if same == "id" else (2, 6, 7)
    for connection, number, tag in ((1, 5, 7), (2, 5, 9), second):
        content = {"id": number, "action": "call", "number": as_number(tag)}
        wiretap(Passage(connection, "websocket", None, "received", content))
    assert [finding.kind for finding in findings.first()] == [REPEATED]


# The client's side.


def test_provider_that_is_asked_twice_at_once() -> None:
    """Two token requests at once are found, unless the program has closed in between."""
    findings, over = Findings(), threading.Event()
    inside, go_on = threading.Event(), threading.Event()

    def mint() -> str:
        if not inside.is_set():
            inside.set()
            assert go_on.wait(PATIENCE)
        return "token"

    over.set()
    provider = KeepingProvider("alice", mint, random.Random(1), over, Tally(), findings)
    thread = threading.Thread(target=provider)
    thread.start()
    assert inside.wait(PATIENCE)
    provider()
    assert [finding.kind for finding in findings.first()] == [WRONG]
    provider.excuse()
    provider()
    assert len(findings.first()) == 1
    go_on.set()
    thread.join(PATIENCE)


@pytest.mark.parametrize("spoil", [None, "unsubscribe", "subscribe", "auto-answer"])
def test_standing(sim: Simulator, alice: Line, spoil: Any) -> None:
    """What a session keeps otherwise than it was asked is found, and no more than that."""
    other = sim.line("33199000002").number
    findings = Findings()
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        standing = Standing(
            "alice", cti, [other], lambda: True, random.Random(3), findings)
        cti.create_session(sim.token(alice)).result(PATIENCE)
        for _ in range(40):
            standing.change()
        subscribed = spoil == "unsubscribe"
        while (other in cti.get_subscriptions().result(PATIENCE).numbers) != subscribed:
            standing.change()
        standing.look()
        assert findings.first() == []
        if spoil == "auto-answer":
            flag = cti.get_auto_answer().result(PATIENCE).auto_answer
            cti.set_auto_answer(not flag).result(PATIENCE)
        elif spoil:
            getattr(cti, spoil)(other).result(PATIENCE)
        standing.look()
        assert [finding.kind for finding in findings.first()] == ([LOST] if spoil else [])
        standing.look()
        assert len(findings.first()) <= 1, "it is found once"


# What is left.


def found_by_leftovers(leave: Any) -> List[str]:
    findings = Findings()
    with Leftovers(findings):
        leave()
    return [finding.what for finding in findings.first()]


def test_nothing_left() -> None:
    """Who leaves nothing is told nothing, though a handler raised on purpose."""

    def behave() -> None:
        try:
            raise Mischief("on purpose")
        except Mischief:
            logging.getLogger("keyyo_cti").exception("a handler raised")

    assert found_by_leftovers(behave) == []


def test_descriptor_left() -> None:
    """A descriptor that is left is found."""
    if descriptors() is None:
        pytest.skip("nobody tells the descriptors here")
    left: List[int] = []
    (what,) = found_by_leftovers(lambda: left.append(os.dup(1)))
    os.close(left[0])
    assert "descriptors, when there were" in what


def test_thread_that_dies() -> None:
    """A thread that dies is found."""

    def die() -> None:
        thread = threading.Thread(target=lambda: 1 // 0, name="keyyo-cti-reader-1")
        thread.start()
        thread.join(PATIENCE)

    assert found_by_leftovers(die) == ["keyyo-cti-reader-1 died"]


def test_thread_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that is left is found."""
    monkeypatch.setattr("tests.soaking.leftovers._PATIENCE", 0.05)
    go_on = threading.Event()
    thread = threading.Thread(target=go_on.wait, name="keyyo-cti-reader-1")
    assert found_by_leftovers(thread.start) == ["a thread is left: keyyo-cti-reader-1"]
    go_on.set()
    thread.join(PATIENCE)


def test_error_in_the_log() -> None:
    """An error in the log that nobody meant is found, and an exception that nobody could raise."""

    class Bad:
        def __del__(self) -> None:
            raise ValueError("nobody hears this")

    def leave() -> None:
        logging.getLogger("keyyo_cti.sockjs").error("the reader failed")
        Bad()
        gc.collect()

    hook = sys.unraisablehook
    whats = found_by_leftovers(leave)
    assert whats[0] == "the reader failed" and "nobody hears this" in whats[1]
    assert sys.unraisablehook is hook
