"""Auto-restore over real sockets: what comes of a lost connection, on each transport."""

from __future__ import annotations

import json
import threading
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Dict, Iterator, List, Optional

import pytest

from keyyo_cti import CTI, Backoff, Call, ConnectionClosed, KeyyoError
from keyyo_cti._client import failure_hints
from keyyo_cti._client.emitter import attribute_of
from keyyo_cti._sockjs.xhr import XhrTransport
from keyyo_cti.simulator import Line, ManualClock, Simulator
from keyyo_cti.simulator.sockjs import Connection
from keyyo_cti.token_provider import TokenProvider

from ..helpers.accounts import client_of
from ..helpers.probe import PATIENCE, Seen, eventually
from ..helpers.scripted_server import ScriptedServer, session
from .conftest import websocket_only

#: So that a test does not wait for what it is not about.
QUICK = Backoff(first=0.01, longest=0.05)

#: So that a test can do something in a pause.
SLOW = Backoff(first=1000.0, longest=1000.0, spread=0.0)

OTHER = "33199000002"


class Tokens:
    """A program that gives a new token each time it is asked, as soon as it is allowed to."""

    def __init__(self, sim: Simulator, line: Line) -> None:
        self._sim, self._line = sim, line
        self.given: List[str] = []
        self.asked = threading.Event()
        self.answered = threading.Event()
        self.allowed = threading.Event()
        self.allowed.set()
        self.refusal: Optional[KeyyoError] = None
        self.invalidated: List[str] = []

    def __call__(self) -> str:
        self.asked.set()
        assert self.allowed.wait(PATIENCE)
        if self.refusal is not None:
            raise self.refusal
        self.given.append(self._sim.token(self._line))
        self.answered.set()
        return self.given[-1]

    def invalidate(self, token: str) -> None:
        self.invalidated.append(token)


@pytest.fixture
def tokens(sim: Simulator, alice: Line) -> Tokens:
    return Tokens(sim, alice)


@contextmanager
def supervised(tokens: Tokens, endpoint: str, **options: Any) -> Iterator[Any]:
    """A CTI with a session that is restored, and what is seen of it."""
    options = {"backoff": QUICK, "cookie_auto": False, **options}
    with CTI(endpoint=endpoint, token_provider=tokens, **options) as cti:
        seen = Seen(cti)
        cti.create_session(tokens._sim.token(tokens._line)).result(PATIENCE)
        yield cti, seen


def kinds(seen: Seen) -> List[str]:
    return [item[0] for item in seen.items]


@pytest.mark.fault(22)
@pytest.mark.promise(3, 7)
@pytest.mark.parametrize("how", ["drop", "reset", "close"])
def test_restored(
    sim: Simulator, alice: Line, tokens: Tokens, transport: str, how: str
) -> None:
    """A lost connection gives ``disconnected`` and then ``restored``, once each; it is the same
    session, commands go again, and a call that goes on is told of no second time."""
    sim.line(OTHER)
    bob = sim.phone("33199020000")
    with supervised(tokens, sim.endpoint) as (cti, seen):
        session_id = cti.session_id
        cti.subscribe(OTHER).result(PATIENCE)
        bob.call(alice)
        seen.wait_for("setup")
        getattr(sim.faults, how)()
        info = seen.wait_for("restored")[1]
        assert info.gap >= 0 and not info.recreated
        assert cti.connected and cti.session_id == session_id
        assert cti.get_subscriptions().result(PATIENCE).numbers == [alice.number, OTHER]
        bob.hang_up()
        seen.wait_for("missed")
        assert kinds(seen) == [
            "newCall", "setup", "disconnected", "restored", "newCall", "missed",
        ]
        (snapshot,) = sim.sessions()
        assert snapshot.counter == 1
    assert len(tokens.given) == 1


@pytest.mark.fault(24)
@pytest.mark.promise(7)
@websocket_only
def test_the_servers_five_minutes(transport: str) -> None:
    """After 299 s the session is restored; after 301 s the server has destroyed it, and a new one
    is made in its place, with the same subscriptions and the same auto-answer."""
    for seconds, recreated in ((299, False), (301, True)):
        with Simulator(clock=ManualClock()) as sim:
            alice = sim.line("33199000001")
            sim.line(OTHER)
            tokens = Tokens(sim, alice)
            with supervised(tokens, sim.endpoint) as (cti, seen):
                old = cti.session_id
                for number in (OTHER, "callpark"):
                    cti.subscribe(number).result(PATIENCE)
                cti.set_auto_answer(False).result(PATIENCE)
                tokens.allowed.clear()
                sim.faults.drop()
                assert tokens.asked.wait(PATIENCE)
                sim.wait_for_session(alice, counter=0)
                sim.elapse(seconds)
                tokens.allowed.set()
                assert seen.wait_for("restored")[1].recreated is recreated
                assert (cti.session_id != old) is recreated
                numbers = [alice.number, OTHER, "callpark"]
                assert cti.get_subscriptions().result(PATIENCE).numbers == numbers
                assert cti.get_auto_answer().result(PATIENCE).auto_answer is False
                assert kinds(seen) == ["disconnected", "restored"]


@websocket_only
def test_what_a_session_of_before_keeps(transport: str, tmp_path: Any) -> None:
    """A session that this program only went on with is replaced by one that keeps the same: what
    that is, the server was asked."""
    with Simulator(clock=ManualClock()) as sim:
        alice = sim.line("33199000001")
        sim.line(OTHER)
        with CTI(endpoint=sim.endpoint, cookie_file=tmp_path / "cookie") as cti:
            cti.create_session(sim.token(alice), False).result(PATIENCE)
            cti.subscribe(OTHER).result(PATIENCE)
        tokens = Tokens(sim, alice)
        with CTI(
            endpoint=sim.endpoint, cookie_file=tmp_path / "cookie", token_provider=tokens,
            backoff=QUICK,
        ) as cti:
            seen = Seen(cti)
            cti.restore_session(sim.token(alice)).result(PATIENCE)
            sim.wait_for_action("get_auto_answer")
            cti.ping().result(PATIENCE)
            tokens.allowed.clear()
            sim.faults.drop()
            assert tokens.asked.wait(PATIENCE)
            sim.wait_for_session(alice, counter=0)
            sim.elapse(301)
            tokens.allowed.set()
            assert seen.wait_for("restored")[1].recreated
            (snapshot,) = sim.sessions()
            assert snapshot.subscriptions == (alice.number, OTHER)
            assert snapshot.auto_answer is False
            cookie = cti.session_id
        # The new session is in the cookie too.
        with CTI(endpoint=sim.endpoint, cookie_file=tmp_path / "cookie") as cti:
            cti.restore_session(sim.token(alice)).result(PATIENCE)
            assert cti.session_id == cookie


def test_subscription_that_is_refused(sim: Simulator, alice: Line, tokens: Tokens) -> None:
    """What a new session refuses to keep is told by ``error``, before ``restored``."""
    sim.line(OTHER)
    with supervised(tokens, sim.endpoint) as (cti, seen):
        cti.subscribe(OTHER).result(PATIENCE)
        sim.faults.fail("restore_session", 401, "Unknown session_id")
        sim.faults.fail("subscribe", 500, "Internal error")
        sim.faults.drop()
        assert seen.wait_for("restored")[1].recreated
        assert kinds(seen) == ["disconnected", "error", "restored"]
        assert seen.of("error")[0][1].status_code == 500


def test_connection_that_goes_before_all_is_restored(
    sim: Simulator, alice: Line, tokens: Tokens
) -> None:
    """A connection that is lost between the new session and its subscriptions is no event of its
    own; the next one does the rest."""
    sim.line(OTHER)
    with supervised(tokens, sim.endpoint) as (cti, seen):
        cti.subscribe(OTHER).result(PATIENCE)
        sim.faults.fail("restore_session", 401, "Unknown session_id")
        sim.faults.drop(on="subscribe")
        sim.faults.drop()
        assert seen.wait_for("restored")[1].recreated
        assert kinds(seen) == ["disconnected", "restored"]
        assert cti.get_subscriptions().result(PATIENCE).numbers == [alice.number, OTHER]


@pytest.mark.slow
@pytest.mark.fault(23)
@pytest.mark.promise(7)
def test_attempts_that_fail(sim: Simulator, alice: Line, tokens: Tokens, transport: str) -> None:
    """Attempts that fail in any phase are no events; a refused token is replaced, and its
    provider told."""
    with supervised(tokens, sim.endpoint, connect_timeout=1.0, timeout=0.5) as (cti, seen):
        sim.faults.refuse("info", 503, times=2)
        sim.faults.stall("open", times=1)
        sim.faults.ignore("restore_session", times=1)
        sim.faults.fail("restore_session", 500, "Internal error")
        sim.faults.fail("restore_session", 400, "Invalid token, expired")
        sim.faults.drop()
        seen.wait_for("restored")
        assert kinds(seen) == ["disconnected", "restored"]
    assert len(tokens.given) == 2 and tokens.invalidated == tokens.given[:1]


@pytest.mark.fault(23)
@websocket_only
def test_drop_at_the_end_of_the_hour(transport: str) -> None:
    """A token that is a second from its end restores; one that has run out by the server's clock
    is refused, and replaced in the same attempt."""
    with Simulator(clock=ManualClock()) as sim:
        alice = sim.line("33199000001")
        tokens = Tokens(sim, alice)
        with supervised(tokens, sim.endpoint) as (cti, seen):
            for drop, (seconds, given) in enumerate([(3600, 1), (3599, 1), (1, 2)], 1):
                sim.elapse(seconds)
                sim.faults.drop()
                seen.wait_for("restored", drop)
                assert len(tokens.given) == given
            assert tokens.invalidated == tokens.given[:1]
            assert kinds(seen) == ["disconnected", "restored"] * 3


@pytest.mark.fault(23)
@pytest.mark.promise(8)
def test_several_refused_at_once(sim: Simulator, alice: Line) -> None:
    """Several lines of calls with one ``TokenProvider`` that are all refused ask for one new
    token between them."""
    new_token = TokenProvider(client_of(sim), alice.number)
    with ExitStack() as stack:
        ctis = [
            stack.enter_context(
                CTI(endpoint=sim.endpoint, cookie_auto=False, token_provider=new_token,
                    backoff=QUICK)
            )
            for _ in range(6)
        ]
        for cti in ctis:
            cti.create_session(new_token()).result(PATIENCE)
        all_seen = [Seen(cti) for cti in ctis]
        sim.revoke_token(new_token())
        sim.faults.drop()
        for seen in all_seen:
            seen.wait_for("restored")
            assert kinds(seen) == ["disconnected", "restored"]
    minted = [each for each in sim.requested() if each.endswith("/csi_token")]
    assert len(minted) == 2, sim.requested()


def test_one_token_for_many_drops(sim: Simulator, alice: Line, tokens: Tokens) -> None:
    """A token that is good is used again, drop after drop."""
    with supervised(tokens, sim.endpoint) as (cti, seen):
        for drop in range(1, 6):
            sim.faults.drop()
            seen.wait_for("restored", drop)
        assert kinds(seen) == ["disconnected", "restored"] * 5
    assert len(tokens.given) == 1


@pytest.mark.fault(23, 24)
@pytest.mark.promise(7, 8)
@pytest.mark.parametrize("who", ["provider", "server", "token"])
def test_lost(sim: Simulator, alice: Line, tokens: Tokens, who: str) -> None:
    """When credentials are refused, be it to the provider or to us, that is the end: ``lost``
    once, with the error, and then ``wait()`` returns."""
    with supervised(tokens, sim.endpoint) as (cti, seen):
        if who == "provider":
            tokens.refusal = KeyyoError(401, "The refresh token is refused")
        elif who == "server":
            sim.faults.fail("restore_session", 400, "RPC invalid params", times=None)
            sim.faults.fail("create_session", 400, "RPC invalid params", times=None)
        else:
            sim.faults.fail("restore_session", 400, "Invalid token", times=None)
        sim.faults.drop()
        assert cti.wait(PATIENCE)
        assert kinds(seen) == ["disconnected", "lost"]
        error = seen.of("lost")[0][1]
        assert error.status_code == {"provider": 401, "server": 400, "token": 400}[who]
        assert not cti.connected and sim.connections() == []
    assert len(tokens.given) == {"provider": 0, "server": 1, "token": 2}[who]


def test_opened_again_after_it_was_lost(sim: Simulator, alice: Line, tokens: Tokens) -> None:
    """What was lost can be opened anew, in the handler of ``lost`` too, and is restored again."""
    with supervised(tokens, sim.endpoint) as (cti, seen):
        tokens.refusal = KeyyoError(401, "no")

        def lost(error: KeyyoError) -> None:
            seen.add(("lost", error))
            tokens.refusal = None
            cti.create_session(sim.token(alice), seen.callback("again"))

        cti.onLost = lost
        sim.faults.drop()
        seen.wait_for("callback")
        assert cti.connected and not cti.wait(0)
        sim.faults.drop()
        assert not seen.wait_for("restored")[1].recreated
        assert kinds(seen) == ["disconnected", "lost", "callback", "disconnected", "restored"]


@pytest.mark.promise(2)
@pytest.mark.parametrize("where", ["pause", "opening", "restore_session", "subscribe"])
def test_commands_meanwhile(sim: Simulator, alice: Line, tokens: Tokens, where: str) -> None:
    """Commands during an outage are answered at once, never sent, and say what to wait for,
    however far the restoring has come."""
    sim.line(OTHER)
    slow = {"backoff": SLOW} if where == "pause" else {}
    with supervised(tokens, sim.endpoint, **slow) as (cti, seen):
        cti.subscribe(OTHER).result(PATIENCE)
        if where == "opening":
            sim.faults.stall("open")
        elif where == "restore_session":
            sim.faults.ignore("restore_session")
        elif where == "subscribe":
            sim.faults.fail("restore_session", 401, "Unknown session_id")
            sim.faults.ignore("subscribe")
        before = len(sim.received(where))
        sim.faults.drop()
        seen.wait_for("disconnected")
        if where not in ("pause", "opening"):
            sim.wait_for_action(where, count=before + 1)
        for ask in (cti.ping, partial(cti.dial, "33199020000"), cti.destroy_session,
                    partial(cti.unsubscribe, OTHER)):
            error = ask().exception(PATIENCE)
            assert isinstance(error, ConnectionClosed) and error.sent is False
            assert "being restored: wait for the event restored" in str(error)
        assert not cti.connected and not cti.wait(0)
        for action in ("call", "destroy_session", "unsubscribe", "ping"):
            assert sim.received(action) == []


@pytest.mark.fault(1)
@pytest.mark.promise(5, 7)
@pytest.mark.parametrize("where", ["pause", "provider", "opening", "session"])
def test_close(sim: Simulator, alice: Line, tokens: Tokens, where: str) -> None:
    """``close()`` ends an outage within two seconds, wherever it is: nothing is restored, and
    there is no other event."""
    slow = {"backoff": SLOW} if where == "pause" else {}
    with supervised(tokens, sim.endpoint, **slow) as (cti, seen):
        if where == "provider":
            tokens.allowed.clear()
        elif where == "opening":
            sim.faults.stall("info")
        elif where == "session":
            sim.faults.ignore("restore_session")
        sim.faults.drop()
        seen.wait_for("disconnected")
        if where != "pause":
            assert tokens.asked.wait(PATIENCE)
        if where == "session":
            sim.wait_for_action("restore_session")
        began = time.monotonic()
        cti.close()
        assert time.monotonic() - began < 8.0
        assert cti.wait(0)
        tokens.allowed.set()
        assert where == "pause" or tokens.answered.wait(PATIENCE)
        assert kinds(seen) == ["disconnected"]


@pytest.mark.fault(3)
@pytest.mark.promise(7)
@pytest.mark.parametrize("event", ["disconnected", "restored", "lost"])
def test_close_in_a_handler(sim: Simulator, alice: Line, tokens: Tokens, event: str) -> None:
    """``close()`` in the handlers of an outage ends it there."""
    with supervised(tokens, sim.endpoint) as (cti, seen):
        if event == "lost":
            tokens.refusal = KeyyoError(401, "no")

        def close(*_: Any) -> None:
            seen.add((event,))
            cti.close()

        setattr(cti, attribute_of(event), close)
        sim.faults.drop()
        assert cti.wait(PATIENCE)
        assert kinds(seen) == (
            ["disconnected"] if event == "disconnected" else ["disconnected", event]
        )


@pytest.mark.parametrize("handlers", ["idle", "busy"])
def test_close_in_the_provider(sim: Simulator, alice: Line, handlers: str) -> None:
    """A provider that gives up and closes does not wait for itself, though the loss is not told
    yet; ``wait()`` in it is an error."""
    problems: List[str] = []
    closed = threading.Event()

    def provide() -> str:
        try:
            cti.wait()
        except RuntimeError as problem:
            problems.append(str(problem))
        cti.close()
        closed.set()
        return "tok"

    with CTI(endpoint=sim.endpoint, token_provider=provide, backoff=QUICK) as cti:
        seen = Seen(cti)
        if handlers == "busy":
            cti.on("disconnected", lambda: closed.wait(PATIENCE))
        cti.create_session(sim.token(alice)).result(PATIENCE)
        sim.faults.drop()
        assert closed.wait(PATIENCE)
        assert cti.wait(PATIENCE)
    assert len(problems) == 1
    assert kinds(seen) == (["disconnected"] if handlers == "idle" else [])


def test_provider_that_raises_after_close(
    sim: Simulator, alice: Line, tokens: Tokens, caplog: pytest.LogCaptureFixture
) -> None:
    """What a provider raises after ``close()`` is no event any more."""

    def provide() -> str:
        tokens()
        raise ValueError("late")

    tokens.allowed.clear()
    with CTI(endpoint=sim.endpoint, token_provider=provide, backoff=QUICK) as cti:
        seen = Seen(cti)
        cti.create_session(sim.token(alice)).result(PATIENCE)
        sim.faults.drop()
        assert tokens.asked.wait(PATIENCE)
        seen.wait_for("disconnected")
        (reader,) = [t for t in threading.enumerate() if "keyyo-cti-reader" in t.name]
        cti.close()
        tokens.allowed.set()
        reader.join(PATIENCE)
    assert kinds(seen) == ["disconnected"] and "late" in caplog.text


def test_close_code_while_opening_loses_the_session_if_it_is_final(
    sim: Simulator, alice: Line, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failure_hints, "_FINAL_CODES", {4410})
    with supervised(tokens, sim.endpoint, transports=["xhr-polling"]) as (cti, seen):
        sim.faults.page("xhr", body='c[4410,"Not any more"]\n')
        sim.faults.drop()
        _, error = seen.wait_for("lost")
        assert (error.final, error.message) == (True, "Connexion closed: Not any more")
        assert len(tokens.given) == 1
    assert kinds(seen) == ["disconnected", "lost"]


def test_other_close_code_while_opening_is_tried_again(
    sim: Simulator, alice: Line, tokens: Tokens, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "keyyo_cti")
    with supervised(tokens, sim.endpoint, transports=["xhr-polling"]) as (cti, seen):
        sim.faults.page("xhr", body='c[4410,"Not any more"]\n')
        sim.faults.drop()
        eventually(lambda: "attempt 2 to restore the session failed" in caplog.text)
        sim.faults.clear()
        seen.wait_for("restored")
    assert kinds(seen) == ["disconnected", "restored"]


def test_attempt_to_restore_needs_no_thread_of_its_own(
    sim: Simulator, alice: Line, tokens: Tokens
) -> None:
    """The thread that has read the lost connection opens and reads the next one."""
    with supervised(tokens, sim.endpoint) as (cti, seen):
        before = sdk_threads()
        sim.faults.ignore("restore_session")
        sim.faults.drop()
        sim.wait_for_action("restore_session")
        assert len(before) == 2 and sdk_threads() == before
        assert not cti.connected and cti.transport is not None


def sdk_threads() -> List[threading.Thread]:
    ours = [each for each in threading.enumerate() if each.name.startswith("keyyo-cti-")]
    return sorted(ours, key=lambda each: each.name)


def test_bug_of_the_sdk_while_it_restores_loses_the_session(
    sim: Simulator, alice: Line, tokens: Tokens, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever goes wrong, each outage has an outcome."""

    def jitter() -> float:
        raise ValueError("oops")

    with supervised(tokens, sim.endpoint, backoff=Backoff(jitter=jitter)) as (cti, seen):
        sim.faults.drop()
        seen.wait_for("lost")
        assert cti.wait(PATIENCE)
    ((_, error),) = seen.of("lost")
    assert (error.status_code, error.error_code) == (500, "internal") and "oops" in caplog.text


@pytest.mark.promise(7)
@pytest.mark.parametrize("end", ["restored", "lost"])
def test_close_with_all_still_to_be_told(
    sim: Simulator, alice: Line, tokens: Tokens, end: str
) -> None:
    """What had happened when ``close()`` was called, and is told in its time, is told whole: a
    loss before its end."""
    if end == "lost":
        tokens.refusal = KeyyoError(401, "no")
    release, busy = threading.Event(), threading.Event()

    def block(error: Optional[KeyyoError], result: Any) -> None:
        busy.set()
        release.wait(PATIENCE)

    with supervised(tokens, sim.endpoint) as (cti, seen):
        cti.ping(block)
        assert busy.wait(PATIENCE)
        dispatcher = cti._client._dispatcher
        sim.faults.drop()
        eventually(lambda: dispatcher.waiting() >= 2)
        closing = threading.Thread(target=cti.close)
        closing.start()
        eventually(lambda: not cti._client.unclosed())
        release.set()
        closing.join(PATIENCE)
        assert kinds(seen) == ["disconnected", end]


def test_close_when_thread_numbers_are_used_again(sim: Simulator, alice: Line) -> None:
    """``close()`` works from a thread that the system gave the number of a reader that is
    gone, while the loss is not told yet."""
    problems: List[BaseException] = []

    def close(cti: CTI) -> None:
        try:
            cti.close()
        except BaseException as problem:
            problems.append(problem)

    for _ in range(10):
        with CTI(endpoint=sim.endpoint, dispatch="manual") as cti:
            cti.create_session(sim.token(alice)).result(PATIENCE)
            (reader,) = [t for t in threading.enumerate() if "keyyo-cti-reader" in t.name]
            sim.faults.drop()
            reader.join(PATIENCE)
            closers = [threading.Thread(target=close, args=[cti]) for _ in range(5)]
            for closer in closers:
                closer.start()
            for closer in closers:
                closer.join(PATIENCE)
    assert problems == []


def test_destroyed_who_knows(sim: Simulator, alice: Line, tokens: Tokens) -> None:
    """A session is not restored but lost when the connection goes before the answer to its
    destruction; one whose destruction was refused is restored."""
    with supervised(tokens, sim.endpoint) as (cti, seen):
        sim.faults.fail("destroy_session", 500, "Internal error")
        assert cti.destroy_session().exception(PATIENCE) is not None
        sim.faults.drop()
        seen.wait_for("restored")
        sim.faults.drop(on="destroy_session")
        assert isinstance(cti.destroy_session().exception(PATIENCE), ConnectionClosed)
        assert cti.wait(PATIENCE)
        assert kinds(seen) == ["disconnected", "restored", "disconnected", "lost"]
        assert "was being destroyed" in str(seen.of("lost")[0][1]) and len(tokens.given) == 1


def test_destroyed(sim: Simulator, alice: Line, tokens: Tokens) -> None:
    """A session that is destroyed is not restored."""
    with supervised(tokens, sim.endpoint) as (cti, seen):
        cti.destroy_session().result(PATIENCE)
        assert cti.wait(PATIENCE)
        assert seen.items == [] and not tokens.asked.is_set()


def test_a_session_that_never_was(sim: Simulator, alice: Line, tokens: Tokens) -> None:
    """What could not be opened in the first place is not restored: the program is told why."""
    sim.faults.refuse("info", 503)
    with CTI(endpoint=sim.endpoint, token_provider=tokens, backoff=QUICK) as cti:
        seen = Seen(cti)
        assert cti.create_session(sim.token(alice)).exception(PATIENCE) is not None
        assert cti.wait(PATIENCE)
        assert kinds(seen) == ["disconnected"] and not tokens.asked.is_set()


@pytest.mark.parametrize("method", ["create_session", "restore_session"])
def test_a_program_that_restores_too(
    sim: Simulator, alice: Line, tokens: Tokens, method: str
) -> None:
    """A program that asks for a session in an outage, as one would in JavaScript, is not in the
    way: it is told at once that one is being restored."""
    with supervised(tokens, sim.endpoint) as (cti, seen):
        token = sim.token(alice)
        cti.onDisconnected = lambda: getattr(cti, method)(token, seen.callback("mine"))
        tokens.allowed.clear()
        sim.faults.drop()
        error = seen.wait_for("callback")[2]
        assert isinstance(error, ConnectionClosed) and "is being restored" in str(error)
        tokens.allowed.set()
        seen.wait_for("restored")
        assert kinds(seen) == ["callback", "restored"]
        assert len(sim.received("create_session")) == 1


def test_slow_handlers(sim: Simulator, alice: Line, tokens: Tokens) -> None:
    """A handler that blocks holds up what comes after it, and not the restoring."""
    release = threading.Event()
    with supervised(tokens, sim.endpoint) as (cti, seen):
        cti.on("disconnected", lambda: release.wait(PATIENCE))
        sim.faults.drop()
        sim.wait_for_action("restore_session")
        eventually(lambda: cti.connected)
        assert cti.ping().result(PATIENCE) == 1 and seen.of("restored") == []
        release.set()
        seen.wait_for("restored")


def test_manual_dispatch(sim: Simulator, alice: Line, tokens: Tokens) -> None:
    """With manual dispatch the session is restored without a poll, and told in one."""
    with supervised(tokens, sim.endpoint, dispatch="manual") as (cti, seen):
        sim.faults.drop()
        sim.wait_for_action("restore_session")
        cti.wait(0)
        while "restored" not in kinds(seen):
            assert cti.poll(PATIENCE)
        assert kinds(seen) == ["disconnected", "restored"]


def test_manual_dispatch_closed_elsewhere(sim: Simulator, alice: Line, tokens: Tokens) -> None:
    """With manual dispatch, ``wait()`` ends soon when another thread closes in a pause."""
    with supervised(tokens, sim.endpoint, dispatch="manual", backoff=SLOW) as (cti, seen):
        sim.faults.drop()
        while not seen.items:
            cti.poll(PATIENCE)
        polled = threading.Event()
        dispatcher = cti._client._dispatcher
        dispatcher.put(polled.set)
        closer = threading.Thread(target=lambda: polled.wait(PATIENCE) and cti.close())
        closer.start()
        began = time.monotonic()
        assert cti.wait(10 * PATIENCE)
        assert time.monotonic() - began < PATIENCE
        closer.join(PATIENCE)


def test_manual_dispatch_lost(sim: Simulator, alice: Line, tokens: Tokens) -> None:
    """With manual dispatch, ``wait()`` runs the handler of ``lost`` and returns."""
    with supervised(tokens, sim.endpoint, dispatch="manual") as (cti, seen):
        tokens.refusal = KeyyoError(401, "no")
        sim.faults.drop()
        assert cti.wait(PATIENCE)
        assert kinds(seen) == ["disconnected", "lost"]


def test_wait_goes_on(sim: Simulator, alice: Line, tokens: Tokens) -> None:
    """``wait()`` waits through outages, and until a ``close()`` from another thread."""
    with supervised(tokens, sim.endpoint) as (cti, seen):
        ended = threading.Event()

        def wait() -> None:
            cti.wait(PATIENCE)
            ended.set()

        waiter = threading.Thread(target=wait)
        waiter.start()
        for drop in range(1, 4):
            sim.faults.reset()
            seen.wait_for("restored", drop)
        assert not ended.is_set()
        tokens.allowed.clear()
        cti.close()
        assert ended.wait(PATIENCE)
        waiter.join(PATIENCE)


def last_states(states: List[str]) -> List[Dict[str, Any]]:
    return [
        {"notify": "call", "call": {"callref": "c1", "caller": "33199020000", "setup_date": 1,
                                    "state": state}}
        for state in states[-3:]
    ]


@pytest.mark.fault(22)
@pytest.mark.promise(3)
def test_fifty_drops_that_repeat_the_last_three_states() -> None:
    """However often the server repeats the last three states, none is told twice; each new one
    is told once, and each gap is announced, before what comes after it."""
    told: List[str] = []

    def answer(connection: Connection, command: Dict[str, Any]) -> None:
        session(connection, command)
        if command["action"] == "restore_session":
            connection.send_many([json.dumps(each) for each in last_states(told)])

    with ScriptedServer(answer) as server:
        with CTI(
            endpoint=server.endpoint, token_provider=lambda: "tok", backoff=QUICK,
            cookie_auto=False,
        ) as cti:
            seen = Seen(cti)
            cti.create_session("tok").result(PATIENCE)
            for drop in range(1, 51):
                state = {10: "SETUP", 25: "CONNECT", 40: "RELEASE"}.get(drop)
                if state is not None:
                    told.append(state)
                    server.push(*last_states([state]))
                    seen.wait_for({"SETUP": "setup", "CONNECT": "connect"}.get(state, "release"))
                server.do(Connection.drop)
                seen.wait_for("restored", drop)
                cti.ping().result(PATIENCE)
            cti.close()
        found = kinds(seen)
        assert found.count("disconnected") == found.count("restored") == 50
        others = [kind for kind in found if kind not in ("disconnected", "restored")]
        assert others == ["newCall", "setup", "newCall", "connect", "newCall", "release"]
        gaps = [kind for kind in found if kind in ("disconnected", "restored")]
        assert gaps == ["disconnected", "restored"] * 50


def test_stale(sim: Simulator, alice: Line, tokens: Tokens) -> None:
    """A call that went on when the connection was lost is stale until it is told of again; one
    that ended in the gap stays so, and has no event."""
    bob, carol = sim.phone("33199020000"), sim.phone("33199030000")
    with supervised(tokens, sim.endpoint) as (cti, seen):
        bob.call(alice)
        carol.call(alice)
        seen.wait_for("setup", 2)
        by_caller: Dict[str, Call] = {call.caller: call for call in cti.get_calls()}
        tokens.allowed.clear()
        sim.faults.drop()
        seen.wait_for("disconnected")
        assert [call.stale for call in by_caller.values()] == [True, True]
        bob.hang_up()
        tokens.allowed.set()
        seen.wait_for("restored")
        carol.hang_up()
        seen.wait_for("missed")
        assert by_caller[bob.number].stale and by_caller[bob.number].state == "SETUP"
        assert not by_caller[carol.number].stale
        assert len(seen.of("missed")) == 1


def close_and_reset(connection: Connection) -> None:
    connection.close(3000, "Go away!")
    connection.reset()


@pytest.mark.fault(21)
@pytest.mark.promise(8)
@websocket_only
def test_everything_at_once(transport: str) -> None:
    """A close frame, failing sends and a silence that has lasted too long, all at once, are one
    loss: one ``disconnected``, one connection in its place."""
    with ScriptedServer(session) as server:
        for _ in range(5):
            with CTI(
                endpoint=server.endpoint, token_provider=lambda: "tok", backoff=QUICK,
                heartbeat_timeout=0.5,
            ) as cti:
                seen, before = Seen(cti), len(server.connections)
                cti.create_session("tok").result(PATIENCE)
                barrier = threading.Barrier(9)

                def ask() -> None:
                    barrier.wait(PATIENCE)
                    for _ in range(50):
                        cti.ping()

                askers = [threading.Thread(target=ask) for _ in range(8)]
                for asker in askers:
                    asker.start()
                barrier.wait(PATIENCE)
                server.do(close_and_reset)
                for asker in askers:
                    asker.join(PATIENCE)
                seen.wait_for("restored")
                cti.ping().result(PATIENCE)
                assert kinds(seen) == ["disconnected", "restored"]
                assert len(server.connections) - before == 2


@pytest.mark.fault(5)
def test_half_open(sim: Simulator, alice: Line, tokens: Tokens, transport: str,
                   monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that has gone deaf is found and restored; the silence is part of the gap."""
    monkeypatch.setattr(XhrTransport, "min_silence_timeout", 0.0)
    with supervised(tokens, sim.endpoint, heartbeat_timeout=0.6) as (cti, seen):
        sim.faults.silence()
        info = seen.wait_for("restored")[1]
        assert 0.5 < info.gap < PATIENCE
        sim.faults.resume()
        assert kinds(seen)[:2] == ["disconnected", "restored"]


@pytest.mark.fault(58)
def test_gap_begins_a_round_trip_before_the_last_frame(
    sim: Simulator, alice: Line, tokens: Tokens, transport: str
) -> None:
    with supervised(tokens, sim.endpoint) as (cti, seen):
        cti._client._shared.session.round_trip = 0.9
        sim.faults.reset()
        assert 0.9 <= seen.wait_for("restored")[1].gap < PATIENCE


class Sleeper:
    """A machine that sleeps when the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real, self._asleep = time.clock_gettime, 0.0
        monkeypatch.setattr(time, "clock_gettime", lambda clock: real(clock) + self._asleep)
        monkeypatch.setattr("keyyo_cti._net.sleep._POLL_INTERVAL", 0.05)

    def sleep(self, seconds: float) -> None:
        self._asleep += seconds


@pytest.mark.fault(8)
@pytest.mark.promise(6)
@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="no clock tells of a sleep")
def test_sleep(sim: Simulator, alice: Line, tokens: Tokens, transport: str,
               monkeypatch: pytest.MonkeyPatch) -> None:
    """After a sleep the server is asked at once, and a connection that still works is kept."""
    machine = Sleeper(monkeypatch)
    with supervised(tokens, sim.endpoint, ping_auto=False) as (cti, seen):
        machine.sleep(120)
        sim.wait_for_action("ping", PATIENCE)
        cti.get_subscriptions().result(PATIENCE)
        assert cti.connected and seen.items == []


@pytest.mark.slow
@pytest.mark.fault(8)
@pytest.mark.promise(6)
@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="no clock tells of a sleep")
@pytest.mark.parametrize(("seconds", "recreated"), [(120, False), (600, True)])
def test_sleep_that_cost_the_connection(
    transport: str, monkeypatch: pytest.MonkeyPatch, seconds: int, recreated: bool
) -> None:
    """After a sleep that the connection did not survive it is given up within a quarter of the
    usual time, and restored; after ten minutes the session is a new one. The sleep is part of
    the gap."""
    with Simulator(clock=ManualClock()) as sim:
        alice = sim.line("33199000001")
        tokens = Tokens(sim, alice)
        machine = Sleeper(monkeypatch)
        monkeypatch.setattr(XhrTransport, "min_silence_timeout", 0.0)
        with supervised(tokens, sim.endpoint, heartbeat_timeout=4.0) as (cti, seen):
            tokens.allowed.clear()
            sim.faults.silence()
            machine.sleep(seconds)
            seen.wait_for("disconnected")
            sim.faults.drop()
            sim.wait_for_session(alice, counter=0)
            sim.elapse(seconds)
            tokens.allowed.set()
            info = seen.wait_for("restored")[1]
            assert info.recreated is recreated
            assert seconds <= info.gap < seconds + PATIENCE


def test_token_of_nobody_is_seen(sim: Simulator, alice: Line, tokens: Tokens, caplog: Any) -> None:
    """No token is in a log of an outage, whatever goes wrong in it."""
    caplog.set_level("DEBUG")
    with supervised(tokens, sim.endpoint) as (cti, seen):
        sim.faults.fail("restore_session", 400, "Invalid token, expired")
        sim.faults.refuse("info", 503, times=1)
        sim.faults.drop()
        seen.wait_for("restored")
        tokens.refusal = KeyyoError(401, "no")
        sim.faults.fail("restore_session", 400, "Invalid token, expired", times=None)
        sim.faults.drop()
        seen.wait_for("lost")
        shown = caplog.text + repr(cti) + repr(cti._client._options) + repr(seen.items)
    assert tokens.given and all(token not in shown for token in tokens.given)
