"""The thread of a session, on connections whose server the test plays."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future
from typing import Any, Callable, Dict, Iterator, List, Optional

import pytest

from keyyo_cti import CTI, Backoff, ConnectionClosed, KeyyoError
from keyyo_cti._display.error_page import get_advice
from keyyo_cti._net.clock import monotonic

from ...helpers.background import A_WHILE, Background
from ...helpers.played_server import (
    SESSION,
    PlayedServer,
    current,
    drop_with_handler,
    end_of,
)
from ...helpers.probe import PATIENCE, Seen, eventually
from ...helpers.written_log import read_log

OTHER = "33199000002"

#: So that a test does not wait for what it is not about.
QUICK = Backoff(first=0.01, longest=0.01)

#: So that no attempt follows.
LONG = Backoff(first=1000.0, longest=1000.0, spread=0.0)


@pytest.fixture
def restored(server: PlayedServer) -> Iterator[CTI]:
    """With a session that is restored."""
    with CTI(cookie_auto=False, token_provider=lambda: "new", backoff=QUICK) as cti:
        cti.create_session("token").result(PATIENCE)
        yield cti


@pytest.fixture
def polled(server: PlayedServer) -> Iterator[CTI]:
    """With a session that nothing restores, and handlers that run when the test says."""
    with CTI(cookie_auto=False, dispatch="manual") as cti:
        cti.create_session("token").result(PATIENCE)
        yield cti


def log_of(caplog: pytest.LogCaptureFixture) -> List[str]:
    return [f"{each.name}: {each.getMessage()}" for each in read_log(caplog)]


def threads(name: str) -> List[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith(f"keyyo-cti-{name}")]


class HangingProvider:
    """A token_provider that does not return before the test says so."""

    def __init__(self) -> None:
        self.called, self.returns = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.called.set()
        assert self.returns.wait(PATIENCE)
        return "new"


@pytest.fixture
def hanging(server: PlayedServer) -> Iterator[HangingProvider]:
    provider = HangingProvider()
    yield provider
    provider.returns.set()


# Opening.


def test_thread_of_a_session_does_not_keep_the_program_alive(cti: CTI) -> None:
    """Otherwise a token_provider that hangs would keep the program from its end."""
    assert [thread.daemon for thread in threads("reader")] == [True]


def test_token_with_white_space_that_the_server_accepts_opens_a_session(
    server: PlayedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """It is explained only if the server refuses it."""
    with CTI(cookie_auto=False) as cti:
        cti.create_session("token\n").result(PATIENCE)
        assert cti.connected and caplog.records == []


def test_reply_that_comes_after_close_opens_no_session(server: PlayedServer) -> None:
    server.replies["create_session"] = None
    with CTI(cookie_auto=False) as cti:
        future = cti.create_session("token")
        sent, connection = server.wait_for("create_session"), server.running[0]
        connection.confirms = False
        (session,) = cti._client.begin_close()
        connection.receive({"id": sent["id"], "result": SESSION})
        assert future.result(PATIENCE).session_id == "s-1"
        assert cti.session_id is None and not cti.connected
        connection.end()
        end_of(session)


def test_restored_session_of_an_earlier_run_is_asked_for_its_settings(
    server: PlayedServer
) -> None:
    """A restore has to repeat them."""
    server.replies["get_subscriptions"] = {"result": {"numbers": [OTHER]}}
    server.replies["get_auto_answer"] = {"result": {"auto_answer": True}}
    with CTI(cookie_auto=False, token_provider=lambda: "new", backoff=QUICK) as cti:
        cti.restore_session("token", "s-1").result(PATIENCE)
        server.wait_for("get_auto_answer")
        cti.ping().result(PATIENCE)
        settings = cti._client.session.settings
        assert settings.subscribed() == [OTHER] and settings.auto_answer is True
        assert server.actions()[1:3] == ["get_subscriptions", "get_auto_answer"]


def test_refused_session_closes_its_connection(server: PlayedServer) -> None:
    server.refuse("create_session")
    with CTI(cookie_auto=False) as cti:
        assert cti.create_session("token").exception(PATIENCE) is not None
        assert server.running[0].close_begun.wait(PATIENCE)
        assert cti.wait(PATIENCE)


def test_session_that_still_closes_changes_no_call_of_the_next(
    server: PlayedServer, cti: CTI
) -> None:
    old = server.running[0]
    old.confirms = False
    (session,) = cti._client.begin_close()
    cti.create_session("token").result(PATIENCE)
    for connection, state in ((server.running[1], "SETUP"), (old, "RELEASE")):
        connection.receive({"notify": "call", "call": {"callref": "c1", "state": state}})
        handled = threading.Event()
        connection.do(handled.set)
        assert handled.wait(PATIENCE)
    (call,) = cti.get_calls()
    assert call.state == "SETUP"
    old.end()
    end_of(session)


# Settings and conversations.


def test_refused_subscription_is_not_recorded(server: PlayedServer, cti: CTI) -> None:
    server.refuse("subscribe")
    assert cti.subscribe(OTHER).exception(PATIENCE) is not None
    settings = cti._client.session.settings
    assert OTHER not in settings.list_followed() and OTHER not in settings.subscribed()


def test_subscription_of_a_closed_session_is_not_recorded_for_the_next(
    server: PlayedServer, cti: CTI
) -> None:
    server.replies["subscribe"] = None
    future, old = cti.subscribe(OTHER), server.running[0]
    sent = server.wait_for("subscribe")
    old.confirms = False
    (session,) = cti._client.begin_close()
    cti.create_session("token").result(PATIENCE)
    old.receive({"id": sent["id"], "result": 1})
    assert future.result(PATIENCE) == 1
    assert cti._client.session.settings.subscribed() == []
    old.end()
    end_of(session)


@pytest.mark.parametrize("ask", [lambda cti: cti.subscribe(OTHER), lambda cti: cti.ping()])
@pytest.mark.parametrize("refused", [False, True])
def test_reply_reaches_the_reaction_of_the_conversations(
    server: PlayedServer, cti: CTI, monkeypatch: pytest.MonkeyPatch, ask: Callable[[CTI], Any],
    refused: bool,
) -> None:
    told: List[Any] = []
    conversations = cti._client._conversations
    monkeypatch.setattr(conversations, "ask", lambda command: lambda *reply: told.append(reply))
    if refused:
        server.refuse("subscribe")
        server.refuse("ping")
    future = ask(cti)
    error = future.exception(PATIENCE)
    assert told == [(error, None if refused else 1)]


# Ends.


def test_drop_fails_waits_at_once_and_handlers_later(server: PlayedServer, polled: CTI) -> None:
    """A wait for ``disconnected`` has its event."""
    call, drop = polled.wait_for("newCall"), polled.wait_for("disconnected")
    while polled.poll(0):
        pass
    server.running[0].end()
    assert drop.result(PATIENCE) is None
    assert "the session was lost" in str(call.exception(PATIENCE))


def test_destroy_fails_waits_at_once(server: PlayedServer, polled: CTI) -> None:
    """Not only when the server has confirmed the close."""
    server.running[0].confirms = False
    waiting, session = polled.wait_for("disconnected"), current(polled)
    polled.destroy_session().result(PATIENCE)
    assert "the session was closed" in str(waiting.exception(PATIENCE))
    server.running[0].end()
    end_of(session)


def test_wait_that_begins_after_the_end_fails_when_its_handlers_have_run(
    server: PlayedServer, polled: CTI
) -> None:
    """Until then, a handler may open another session."""
    session = current(polled)
    server.running[0].end()
    end_of(session)
    waiting = polled.wait_for("newCall")
    assert not waiting.done()
    while polled.poll(0):
        pass
    assert "the session was lost" in str(waiting.exception(0))


def test_wait_for_a_drop_is_not_over_with_a_close(server: PlayedServer, cti: CTI) -> None:
    """Not even if it begins before the closed connection has ended."""
    server.running[0].confirms = False
    (session,) = cti._client.begin_close()
    waiting = cti.wait_for("disconnected")
    server.running[0].end()
    end_of(session)
    assert cti.wait(PATIENCE) and not waiting.done()
    waiting.cancel()


@pytest.mark.parametrize("is_lost", [False, True])
def test_only_the_handler_of_the_last_end_may_wait_for_the_next_session(
    server: PlayedServer, is_lost: bool
) -> None:
    """An earlier one does not know of the end, and would wait without an end."""
    provider: Any = (lambda: "new") if is_lost else None
    once = Backoff(attempts=1, first=0.01)
    with CTI(
        cookie_auto=False, token_provider=provider, backoff=once, dispatch="manual"
    ) as cti:
        over: Dict[str, bool] = {}
        for event in ("error", "disconnected", "lost"):
            cti.on(event, lambda *_, event=event: over.update(
                {event: cti.wait_for("newCall").done()}))
        cti.create_session("token").result(PATIENCE)
        server.refuse("restore_session")
        session = current(cti)
        cti._client._events.post_error(OSError("before the end"))
        server.running[0].end()
        end_of(session)
        while cti.poll(0):
            pass
        if is_lost:
            assert over == {"error": True, "disconnected": True, "lost": False}
        else:
            assert over == {"error": True, "disconnected": False}


def test_wait_after_a_drop_goes_on_only_if_a_handler_has_run(
    server: PlayedServer, cti: CTI
) -> None:
    """The handler may open another session later, for example on a timer."""
    drop_with_handler(server, cti)
    assert not cti.wait(A_WHILE)


def test_session_that_follows_a_handled_drop_ends_the_wait_with_its_own_end(
    server: PlayedServer, cti: CTI
) -> None:
    drop_with_handler(server, cti)
    cti.create_session("token").result(PATIENCE)
    cti.destroy_session().result(PATIENCE)
    assert cti.wait(PATIENCE)


def test_handler_of_a_drop_that_exits_keeps_no_wait(server: PlayedServer, polled: CTI) -> None:
    def leave() -> None:
        raise SystemExit

    polled.onDisconnected = leave
    session = current(polled)
    server.running[0].end()
    end_of(session)
    with pytest.raises(SystemExit):
        while polled.poll(0):
            pass
    assert polled.wait(0)


UNRESTORED = "keyyo_cti.wire: without token_provider, nothing restores the session"


def test_drop_that_nothing_restores_is_noted_once(
    server: PlayedServer, cti: CTI, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    session = current(cti)
    server.running[0].end()
    end_of(session)
    assert log_of(caplog).count(UNRESTORED) == 1


@pytest.mark.parametrize("how", ["closed", "never opened", "restored"])
def test_other_end_is_not_noted_as_a_drop_that_nothing_restores(
    server: PlayedServer, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    caplog.set_level(logging.DEBUG)
    provider: Any = (lambda: "new") if how == "restored" else None
    with CTI(cookie_auto=False, token_provider=provider, backoff=QUICK) as cti:
        seen = Seen(cti)
        if how == "never opened":
            server.replies["create_session"] = None
        future = cti.create_session("token")
        server.wait_for("create_session")
        if how == "closed":
            future.result(PATIENCE)
            cti.close()
        elif how == "never opened":
            server.running[0].end()
            assert future.exception(PATIENCE) is not None
        else:
            future.result(PATIENCE)
            server.running[0].end()
            seen.wait_for("restored")
    assert UNRESTORED not in log_of(caplog)


def test_close_of_a_server_that_does_not_confirm_is_forced(server: PlayedServer, cti: CTI) -> None:
    server.running[0].confirms = False
    session = current(cti)
    cti._client.close(monotonic() + 0.1)
    end_of(session)


def test_close_returns_after_the_last_step_of_the_thread(
    server: PlayedServer, cti: CTI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a program could end in the middle of it."""
    session = current(cti)
    release = session._release_dispatcher

    def release_late() -> None:
        release()
        threading.Event().wait(A_WHILE)

    monkeypatch.setattr(session, "_release_dispatcher", release_late)
    cti.close()
    assert not session._thread.is_alive()


# Restores.


def drop(server: PlayedServer, seen: Seen, count: int = 1) -> None:
    """Drop the connection, and wait for the restore."""
    server.running[-1].end()
    seen.wait_for("restored", count)


def test_command_before_the_restore_is_over_is_refused(
    server: PlayedServer, restored: CTI
) -> None:
    server.replies["restore_session"] = None
    server.running[0].end()
    server.wait_for("restore_session")
    error = restored.ping().exception(PATIENCE)
    assert isinstance(error, ConnectionClosed) and not error.sent
    assert "wait for the event restored" in str(get_advice(error))
    assert "ping" not in server.actions()


def test_transport_of_the_session_is_tried_first(server: PlayedServer, restored: CTI) -> None:
    seen = Seen(restored)
    server.transport = "xhr-streaming"
    order: List[List[str]] = []
    server.on_new = lambda connection: order.append(connection.transports)
    drop(server, seen)
    drop(server, seen, 2)
    assert [each[0] for each in order] == ["websocket", "xhr-streaming"]


def test_pauses_grow_over_drops_that_follow_each_other(
    server: PlayedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    backoff = Backoff(first=0.1, longest=1000.0, spread=0.0)
    with CTI(cookie_auto=False, token_provider=lambda: "new", backoff=backoff) as cti:
        seen = Seen(cti)
        cti.create_session("token").result(PATIENCE)
        drop(server, seen)
        drop(server, seen, 2)
    pauses = [each.split()[3] for each in log_of(caplog) if "pause of" in each]
    assert pauses == ["0.1", "0.2"]


def test_restored_session_that_is_destroyed_ends_the_wait(
    server: PlayedServer, restored: CTI
) -> None:
    drop(server, Seen(restored))
    restored.destroy_session().result(PATIENCE)
    assert restored.wait(PATIENCE)


def test_restored_session_keeps_the_wait_until_its_last_handler_has_run(
    server: PlayedServer
) -> None:
    options: Dict[str, Any] = {"backoff": QUICK, "dispatch": "manual", "cookie_auto": False}
    with CTI(token_provider=lambda: "new", **options) as cti:
        cti.create_session("token").result(PATIENCE)
        restored = cti.wait_for("restored")
        server.running[0].end()
        restored.result(PATIENCE)
        while cti.poll(0):
            pass
        cti._client.close(monotonic())
        eventually(lambda: not threads("reader"))
        assert not cti.wait(0)
        while cti.poll(0):
            pass
        assert cti.wait(0)


def test_session_that_is_being_destroyed_is_not_restored(
    server: PlayedServer, restored: CTI
) -> None:
    """Its state is unknown."""
    seen = Seen(restored)
    server.replies["destroy_session"] = None
    restored.destroy_session()
    server.wait_for("destroy_session")
    server.running[0].end()
    error = seen.wait_for("lost")[1]
    assert "while the session was being destroyed" in str(error.hint)
    assert len(server.running) == 1
    # The program misses nothing that it wanted.
    assert (restored.health().drops, restored.health().gaps) == (1, 0)


def test_setting_that_the_new_session_refuses_is_reported(
    server: PlayedServer, restored: CTI
) -> None:
    seen = Seen(restored)
    restored.subscribe(OTHER).result(PATIENCE)
    server.refuse("restore_session", "Unknown session_id")
    server.refuse("subscribe", "Too many subscriptions")
    drop(server, seen)
    (_, error) = seen.wait_for("error")
    assert isinstance(error, KeyyoError) and error.message == "Too many subscriptions"


def test_loss_fails_waits_at_once(server: PlayedServer) -> None:
    """Before the handlers of the loss have run."""
    once = Backoff(attempts=1, first=0.01)
    with CTI(
        cookie_auto=False, token_provider=lambda: "new", backoff=once, dispatch="manual"
    ) as cti:
        cti.create_session("token").result(PATIENCE)
        server.refuse("restore_session")
        waiting = cti.wait_for("newCall")
        server.running[0].end()
        assert "the session was lost" in str(waiting.exception(PATIENCE))


def test_bug_in_a_restore_is_logged_and_loses_the_session(
    server: PlayedServer, restored: CTI, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    seen = Seen(restored)
    monkeypatch.setattr(restored._client._shared.pauses, "begin", fail)
    server.running[0].end()
    error = seen.wait_for("lost")[1]
    assert (error.status_code, error.message) == (500, "The SDK failed: ZeroDivisionError")
    assert error.error_code == "internal"
    assert "keyyo_cti: the session cannot be restored" in log_of(caplog)


# Close during a restore.


def test_close_in_a_long_pause_ends_the_thread(server: PlayedServer) -> None:
    with CTI(cookie_auto=False, token_provider=lambda: "new", backoff=LONG) as cti:
        cti.create_session("token").result(PATIENCE)
        session, dropped = current(cti), cti.wait_for("disconnected")
        server.running[0].end()
        dropped.result(PATIENCE)
        cti.close()
        assert not session._thread.is_alive()


def lose(server: PlayedServer, cti: CTI, provider: HangingProvider) -> Any:
    """Drop the connection, and wait until the provider hangs; return the session."""
    cti.create_session("token").result(PATIENCE)
    session = current(cti)
    server.running[-1].end()
    assert provider.called.wait(PATIENCE)
    return session


def test_close_does_not_wait_for_a_provider_that_hangs(
    server: PlayedServer, hanging: HangingProvider
) -> None:
    """The thread of the handlers ends, and then the reader, when the provider returns."""
    with CTI(cookie_auto=False, token_provider=hanging, backoff=QUICK) as cti:
        session = lose(server, cti, hanging)
        closing = Background(cti._client.close, monotonic())
        closing.result()
        # The provider would hang for longer.
        assert closing.seconds < PATIENCE / 2 and session._thread.is_alive()
        eventually(lambda: not threads("events"))
        hanging.returns.set()
        end_of(session)
        assert len(server.running) == 1


def count_releases(cti: CTI, monkeypatch: pytest.MonkeyPatch) -> List[str]:
    """Return the names of the threads on which sessions release the thread of the handlers."""
    release, released = cti._client._dispatcher.release, []

    def count() -> None:
        released.append(threading.current_thread().name)
        release()

    monkeypatch.setattr(cti._client._dispatcher, "release", count)
    return released


def test_session_lets_go_of_the_thread_of_the_handlers_once(
    server: PlayedServer, hanging: HangingProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the next session would have none."""
    with CTI(cookie_auto=False, token_provider=hanging, backoff=QUICK) as cti:
        released = count_releases(cti, monkeypatch)
        session = lose(server, cti, hanging)
        cti._client.close(monotonic())
        hanging.returns.set()
        end_of(session)
        assert len(released) == 1


def test_thread_of_the_handlers_stays_until_a_closed_connection_has_ended(
    server: PlayedServer, cti: CTI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the last callbacks would need a new one, which may not start at the exit."""
    released = count_releases(cti, monkeypatch)
    server.running[0].confirms = False
    (session,) = cti._client.begin_close()
    assert released == []
    server.running[0].end()
    end_of(session)
    assert len(released) == 1


@pytest.mark.parametrize("act", ["close", "wait"])
def test_provider_that_closes_or_waits_does_not_wait_for_itself(
    server: PlayedServer, act: str, caplog: pytest.LogCaptureFixture
) -> None:
    outcome: "Future[Optional[BaseException]]" = Future()

    def provide() -> str:
        try:
            client.close() if act == "close" else client.wait(0)
        except BaseException as error:
            outcome.set_result(error)
        else:
            outcome.set_result(None)
        return "new"

    with CTI(cookie_auto=False, token_provider=provide, backoff=QUICK) as client:
        client.create_session("token").result(PATIENCE)
        session = current(client)
        server.running[0].end()
        error = outcome.result(PATIENCE)
        if act == "close":
            assert error is None
            end_of(session)
            assert client.wait(PATIENCE) and len(server.running) == 1
        else:
            assert isinstance(error, RuntimeError) and "wait for itself" in str(error)


def test_close_just_before_an_attempt_connects_nothing(
    server: PlayedServer, restored: CTI
) -> None:
    seen, session = Seen(restored), current(restored)
    server.on_new = lambda connection: restored._client.begin_close()
    server.running[0].end()
    end_of(session)
    assert restored.wait(PATIENCE) and len(server.running) == 1
    assert seen.of("restored") == seen.of("lost") == []


def test_close_just_as_the_session_is_restored_is_a_close(
    server: PlayedServer, restored: CTI, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen, session = Seen(restored), current(restored)
    monkeypatch.setattr(
        restored._client._shared.pauses, "restored", restored._client.begin_close)
    server.running[0].end()
    end_of(session)
    assert restored.wait(PATIENCE) and not restored.connected
    assert seen.of("restored") == []
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []
