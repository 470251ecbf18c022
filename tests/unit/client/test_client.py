"""The client behind one CTI, on connections whose server the test plays."""

from __future__ import annotations

import logging
import queue
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Callable, Iterator, List

import pytest

from keyyo_cti import CTI, Backoff, Call, ConnectionClosed, ConnectionFailed
from keyyo_cti._client import client as module
from keyyo_cti._display.error_page import get_advice
from keyyo_cti._net import redaction
from keyyo_cti._net.clock import monotonic

from ...helpers.background import A_WHILE, Background
from ...helpers.played_server import PlayedServer, current, drop_with_handler, end_of
from ...helpers.pretended_fork import PretendedFork
from ...helpers.probe import PATIENCE, Record, Seen, eventually
from ...helpers.written_log import read_log


@pytest.fixture
def polled(server: PlayedServer) -> Iterator[CTI]:
    """With a session, and handlers that run when the test says."""
    with CTI(cookie_auto=False, dispatch="manual") as cti:
        cti.create_session("token").result(PATIENCE)
        yield cti
        while cti.poll(0):
            pass


def notify(server: PlayedServer, callref: str, **fields: str) -> None:
    call = {"callref": callref, "state": "SETUP", **fields}
    server.running[-1].receive({"notify": "call", "call": call})


def threads() -> List[str]:
    return sorted(each.name for each in threading.enumerate() if "keyyo-cti-" in each.name)


# What belongs to one CTI.


def test_threads_and_wire_log_of_each_cti_have_its_number(
    server: PlayedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Two CTIs of one program can be told apart in a log and in a list of threads."""
    caplog.set_level(logging.DEBUG, "keyyo_cti.wire")
    before = set(threads())
    numbers: List[str] = []
    for _ in range(2):
        del caplog.records[:]
        with CTI(cookie_auto=False) as cti:
            cti.create_session("token").result(PATIENCE)
            cti.wait_for("lost", timeout=PATIENCE)
            notify(server, "c1")
            eventually(lambda: "c1 SETUP is not delivered" in caplog.text)
            names = set(threads()) - before
            (number,) = {name.rpartition("-")[2] for name in names if "log" not in name}
            kinds = {name.rpartition("-")[0] for name in names if "log" not in name}
            assert kinds == {"keyyo-cti-reader", "keyyo-cti-events", "keyyo-cti-waits"}
            sources = {each.cti for each in read_log(caplog) if hasattr(each, "cti")}
            assert sources == {f"keyyo-cti-{number}"}
        numbers.append(number)
    assert int(numbers[0]) < int(numbers[1])


def test_passwords_of_proxies_are_hidden_from_logs() -> None:
    CTI(cookie_auto=False, proxies={"https": "http://user:pass-of-a-proxy@127.0.0.1:1"})
    assert "pass-of-a-proxy" not in redaction.redact("it is pass-of-a-proxy")


def test_tokens_and_session_ids_are_hidden_from_logs(cti: CTI) -> None:
    cti.create_session("token-to-create")
    cti.restore_session("token-to-restore", "session-to-restore")
    for secret in ("token-to-create", "token-to-restore", "session-to-restore"):
        assert secret not in redaction.redact(f"it is {secret}")


def test_lines_of_the_option_are_known_as_lines() -> None:
    client = CTI(cookie_auto=False, lines=["33199000007"])._client
    assert any("33199000007" in group for group in client.lines.groups())


def test_limits_of_the_backlog_stop_the_reader(server: PlayedServer) -> None:
    limits: List[Any] = [{"max_backlog": 1}, {"max_backlog_bytes": 1}]
    for options in limits:
        with CTI(cookie_auto=False, dispatch="manual", **options) as cti:
            cti.create_session("token").result(PATIENCE)
            while cti.poll(0):
                pass
            assert cti._client._dispatcher.has_room()
            notify(server, "c1")
            eventually(lambda: not cti._client._dispatcher.has_room())
            while cti.poll(0):
                pass


@pytest.mark.parametrize("restores", [False, True])
def test_state_that_is_repeated_after_a_gap_is_emitted_once_if_the_sdk_restores(
    server: PlayedServer, restores: bool
) -> None:
    """A program that opens a session itself gets the event again, as in JavaScript."""
    provider: Any = (lambda: "new") if restores else None
    quick = Backoff(first=0.01, longest=0.01)
    with CTI(cookie_auto=False, token_provider=provider, backoff=quick) as cti:
        seen = Seen(cti)
        cti.create_session("token").result(PATIENCE)
        notify(server, "c1")
        seen.wait_for("setup")
        server.running[0].end()
        seen.wait_for("restored" if restores else "disconnected")
        if not restores:
            cti.create_session("token").result(PATIENCE)
        notify(server, "c1")
        notify(server, "c1", state="RELEASE")
        seen.wait_for("release")
        assert len(seen.of("setup")) == (1 if restores else 2)


def test_work_that_the_program_runs_out_of_order_shows_the_latest_state(
    server: PlayedServer,
) -> None:
    """Its function may run each piece of work on another thread."""
    works: "queue.Queue[Callable[[], None]]" = queue.Queue()
    with CTI(cookie_auto=False, dispatch=works.put) as cti:
        cti.create_session("token").result(PATIENCE)
        states: List[Any] = []
        first, second = (work_of(server, works, state) for state in ("SETUP", "CONNECT"))
        second()
        first()
        cti.ping(lambda err, res: states.append(cti.get_calls()[0].state)).result(PATIENCE)
        works.get(timeout=PATIENCE)()
        assert states == ["CONNECT"]


def work_of(server: PlayedServer, works: Any, state: str) -> Callable[[], None]:
    """Return the work that a notification makes."""
    notify(server, "c1", state=state)
    work: Callable[[], None] = works.get(timeout=PATIENCE)
    return work


# Opening.


@pytest.mark.parametrize("which", ["reader", "events"])
def test_session_without_a_thread_is_refused(
    server: PlayedServer, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    """Nothing is left of it: the next one works."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith(f"keyyo-cti-{which}"):
            raise RuntimeError("can't start new thread")
        start(thread)

    with CTI(cookie_auto=False) as cti:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            error = cti.create_session("token").exception(PATIENCE)
        assert isinstance(error, ConnectionFailed) and isinstance(error.__cause__, RuntimeError)
        assert error.message == "Connexion closed: no thread can be started"
        assert get_advice(error) == "end some threads, try again"
        assert cti.wait(0) and server.running == []
        cti.create_session("token").result(PATIENCE)
        cti.destroy_session().result(PATIENCE)
        assert cti.wait(PATIENCE)


def test_session_of_the_program_is_refused_during_a_restore(server: PlayedServer) -> None:
    with CTI(cookie_auto=False, token_provider=lambda: "new") as cti:
        cti.create_session("token").result(PATIENCE)
        server.replies["restore_session"] = None
        dropped = cti.wait_for("disconnected")
        server.running[0].end()
        dropped.result(PATIENCE)
        error = cti.create_session("token").exception(PATIENCE)
        assert isinstance(error, ConnectionClosed) and not error.sent
        assert "is being restored" in str(get_advice(error))


def test_restore_by_the_program_tries_the_transport_of_the_last_session_first(
    server: PlayedServer,
) -> None:
    server.transport = "xhr-polling"
    order: List[List[str]] = []
    server.on_new = lambda connection: order.append(connection.transports)
    with CTI(cookie_auto=False) as cti:
        cti.create_session("token").result(PATIENCE)
        cti.close()
        cti.restore_session("token", "s-1").result(PATIENCE)
    assert [each[0] for each in order] == ["websocket", "xhr-polling"]


# In a forked child.


THEIRS = "^this CTI belongs to the parent process: make another one after fork$"


@contextmanager
def forked(cti: CTI) -> Iterator[None]:
    """Let the test go on as a forked child would."""
    with PretendedFork() as fork:
        fork()
        cti._client.after_fork()
        yield


def test_cti_that_was_not_opened_works_in_a_forked_child(server: PlayedServer) -> None:
    cti = CTI(cookie_auto=False)
    with forked(cti):
        cti.create_session("token").result(PATIENCE)
        assert cti.connected
        cti.close()


def test_cti_that_was_opened_belongs_to_the_parent(
    server: PlayedServer, polled: CTI
) -> None:
    """In the child, everything that would need its threads says so."""
    notify(server, "c1")
    polled.ping().result(PATIENCE)
    (call,) = polled.get_calls()
    uses: List[Callable[[], Any]] = [
        polled.get_calls, polled.session_exists, polled.ping,
        lambda: polled.create_session("token"), lambda: call.conversation,
        lambda: polled.wait(0), lambda: polled.poll(0),
    ]
    with forked(polled):
        for use in uses:
            with pytest.raises(RuntimeError, match=THEIRS):
                use()
        assert polled._client.known_calls() == []
        assert not polled.connected and polled.transport is None
        assert polled._client.begin_close() == []
        polled.close()
        assert not polled._client.unclosed()
    assert polled.connected and polled._client.known_calls() == [call]
    assert polled._client.unclosed() and polled.transport == "websocket"


def test_close_in_a_forked_child_returns_at_once(cti: CTI) -> None:
    """None of the threads that it would wait for is there."""
    with forked(cti):
        began = monotonic()
        cti._client.close(began + PATIENCE)
        assert monotonic() - began < PATIENCE / 2
    assert cti.connected


# The end.


def test_close_ends_a_gap(server: PlayedServer) -> None:
    """From then on the program misses nothing."""
    long = Backoff(first=1000.0, longest=1000.0)
    with CTI(cookie_auto=False, token_provider=lambda: "new", backoff=long) as cti:
        cti.create_session("token").result(PATIENCE)
        dropped = cti.wait_for("disconnected")
        server.running[0].end()
        dropped.result(PATIENCE)
        cti.close()
        first, second = cti.health(), cti.health()
        assert (first.drops, first.gaps) == (1, 1)
        assert first.gap_seconds == second.gap_seconds


def test_close_is_noted_once(
    server: PlayedServer, cti: CTI, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "keyyo_cti.wire")
    for _ in range(2):
        cti.close()
    CTI(cookie_auto=False).close()
    assert [each.getMessage() for each in read_log(caplog)].count("closed by the program") == 1


def test_close_shares_its_time_among_its_steps(
    cti: CTI, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gaps:
        def finish(self, timeout: float) -> None:
            timeouts.append(timeout)

    client: Any = cti._client
    timeouts: List[float] = []
    cti.close()
    with monkeypatch.context() as patch:
        patch.setattr(client._dispatcher, "finish", timeouts.append)
        patch.setattr(client._dispatcher, "settle", timeouts.append)
        patch.setattr(client.waits, "finish", timeouts.append)
        patch.setattr(client, "_gaps", Gaps())
        client.close(monotonic() - 1)
        assert timeouts == [0, 0, 0, 0]
        client.close(monotonic() + 1000)
        assert len(timeouts) == 8 and all(900 < each <= 1000 for each in timeouts[4:])
        patch.setattr(module, "CLOSE_TIMEOUT", 500.0)
        client.close()
        assert len(timeouts) == 12 and all(400 < each <= 500 for each in timeouts[8:])


def test_close_ends_the_thread_for_deadlines(cti: CTI) -> None:
    cti.wait_for("newCall", timeout=PATIENCE)
    assert any("waits" in name for name in threads())
    cti.close()
    assert not any("waits" in name for name in threads())


class Parked:
    """A handler that runs until the test lets it go on."""

    def __init__(self) -> None:
        self.begun, self.goes_on = threading.Event(), threading.Event()
        self.order = Record()

    def __call__(self, call: Call) -> None:
        self.begun.set()
        assert self.goes_on.wait(PATIENCE)
        self.order.add(call.callref)


@pytest.fixture
def parked() -> Iterator[Parked]:
    parked = Parked()
    yield parked
    parked.goes_on.set()


def close_beside(cti: CTI, parked: Parked) -> None:
    """Close while a handler runs, which then goes on."""

    def close() -> None:
        cti._client.close(monotonic() + PATIENCE)
        parked.order.add("closed")

    assert parked.begun.wait(PATIENCE)
    closing = Background(close)
    assert closing.waits()
    parked.goes_on.set()
    closing.result()


def test_close_waits_for_the_handlers(server: PlayedServer, cti: CTI, parked: Parked) -> None:
    cti.onNewCall = parked
    notify(server, "c1")
    close_beside(cti, parked)
    assert parked.order.items == ["c1", "closed"]


def test_close_waits_for_a_handler_in_poll(
    server: PlayedServer, polled: CTI, parked: Parked
) -> None:
    polled.onNewCall = parked
    notify(server, "c1")

    def poll() -> None:
        while not parked.begun.is_set():
            polled.poll(PATIENCE)

    polling = Background(poll)
    close_beside(polled, parked)
    polling.result()
    assert parked.order.items == ["c1", "closed"]


def test_no_handler_starts_after_a_close_that_one_has_outlasted(
    server: PlayedServer, cti: CTI, parked: Parked
) -> None:
    cti.onNewCall = parked
    notify(server, "c1")
    notify(server, "c2")
    assert parked.begun.wait(PATIENCE)
    called: "Future[Any]" = Future()
    cti.ping(lambda err, res: called.set_result(res)).result(PATIENCE)
    cti._client.close(monotonic())
    parked.goes_on.set()
    called.result(PATIENCE)
    assert parked.order.items == ["c1"]


def test_close_in_a_handler_for_which_the_thread_of_events_waits_does_not_wait(
    server: PlayedServer,
) -> None:
    """The program's function returns after the handler, and the handler after close()."""
    work: "queue.Queue[Any]" = queue.Queue()

    def loop() -> None:
        for each, done in iter(work.get, None):
            each()
            done.set()

    def run_and_wait(each: Callable[[], None]) -> None:
        done = threading.Event()
        work.put((each, done))
        done.wait(PATIENCE)

    looping = Background(loop)
    with CTI(cookie_auto=False, dispatch=run_and_wait) as cti:
        closed: "Future[float]" = Future()

        def close(err: Any, res: Any) -> None:
            began = monotonic()
            cti._client.close(began + PATIENCE)
            closed.set_result(monotonic() - began)

        cti.create_session("token", close)
        assert closed.result(PATIENCE) < PATIENCE / 2
    work.put(None)
    looping.result()


def test_close_in_a_handler_does_not_wait_for_a_handler_on_another_thread(
    server: PlayedServer, parked: Parked
) -> None:
    """That one may wait for the end of this one."""
    works: "queue.Queue[Callable[[], None]]" = queue.Queue()
    with CTI(cookie_auto=False, dispatch=works.put) as cti:
        cti.create_session("token").result(PATIENCE)
        cti.onNewCall = parked
        notify(server, "c1")
        beside = Background(lambda: works.get(timeout=PATIENCE)())
        assert parked.begun.wait(PATIENCE)
        cti.ping(lambda err, res: cti._client.close(monotonic() + PATIENCE)).result(PATIENCE)
        closing = Background(lambda: works.get(timeout=PATIENCE)())
        closing.result()
        assert closing.seconds < PATIENCE / 2
        parked.goes_on.set()
        beside.result()


def test_close_in_a_signal_handler_that_interrupts_the_sdk_does_not_wait(
    server: PlayedServer, cti: CTI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end may need the interrupted thread."""
    server.running[0].confirms = False
    session = current(cti)
    monkeypatch.setattr(module, "interrupts_itself", lambda: True)
    cti._client.close(monotonic() + PATIENCE)
    assert session._thread.is_alive() and not cti.connected
    server.running[0].end()
    end_of(session)


def test_close_on_another_thread_ends_a_wait(server: PlayedServer, cti: CTI) -> None:
    drop_with_handler(server, cti)
    waiting = Background(cti.wait)
    assert waiting.waits()
    cti.close()
    assert waiting.result() is True


# Waiting.


def test_wait_returns_false_after_its_timeout_and_sleeps_meanwhile(
    cti: CTI, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: List[int] = []
    expecting = cti._client._sessions.expecting

    def count() -> bool:
        checks.append(1)
        return expecting()

    monkeypatch.setattr(cti._client._sessions, "expecting", count)
    assert cti.wait(A_WHILE) is False
    assert len(checks) < 10


def test_wait_in_a_handler_is_refused(server: PlayedServer, cti: CTI) -> None:
    outcome: "Future[str]" = Future()

    def wait(call: Call) -> None:
        with pytest.raises(RuntimeError) as raised:
            cti.wait()
        outcome.set_result(str(raised.value))

    cti.onNewCall = wait
    notify(server, "c1")
    assert outcome.result(PATIENCE) == "wait() in a handler would wait for itself"


def test_ctrl_c_ends_a_wait_and_closes(server: PlayedServer, polled: CTI) -> None:
    def interrupt(call: Call) -> None:
        raise KeyboardInterrupt

    polled.onNewCall = interrupt
    notify(server, "c1")
    session = current(polled)
    with pytest.raises(KeyboardInterrupt, match="^the connection is closed$"):
        polled.wait(PATIENCE)
    assert not polled.connected and not session._thread.is_alive()


def test_poll_in_a_signal_handler_that_interrupts_the_sdk_runs_nothing(polled: CTI) -> None:
    called: List[int] = []
    polls: List[int] = []
    polled.ping(lambda err, res: called.append(1)).result(PATIENCE)
    polled._client._sessions.section.run(lambda: polls.append(polled.poll(0)))
    assert polls == [0] and called == []
    while polled.poll(0):
        pass
    assert called == [1]
