"""A connection and its pending commands, on a SockJS connection and a clock of the test's own."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, Callable, Deque, Dict, List, Optional

import pytest

from keyyo_cti import CTI, CommandTimeout, ConnectionClosed, KeyyoError, _sockjs
from keyyo_cti._client import user_errors, wire
from keyyo_cti._client.connection import Connection, ConnectionEvents
from keyyo_cti._client.kept_call import MAX_CALLREF
from keyyo_cti._client.notifications import EventSource
from keyyo_cti._client.pending import Reaction, Request
from keyyo_cti._display.error_page import get_advice
from keyyo_cti._net import redaction
from keyyo_cti._net.clock import NEVER
from keyyo_cti._sockjs import Closed, NotOpen, SendProgress, SockJSError
from keyyo_cti._sockjs.errors import LOST, NORMAL

from ...helpers.background import SOON, Background, Hand
from ...helpers.probe import eventually

#: Unreadable messages that are reported one by one.
MOST = 100

Send = Callable[[str, SendProgress], None]


class FakeSockJS:
    """A SockJS connection that records how it is used.

    :ivar on_send: called with each message; raises as the transport would.
    """

    transport = "websocket"
    last_silence = silence_ended_at = 0.0

    def __init__(
        self, url: str, listener: object, limits: object, ca_certs: object, clock: object,
        transports: List[str], proxies: object, note: Callable[[str], object],
    ) -> None:
        self.ca_certs, self.transports, self.note = ca_certs, transports, note
        self.sent: List[Dict[str, Any]] = []
        self.failures: List[str] = []
        self.close_times: List[float] = []
        self.on_send: Send = lambda message, progress: None

    def send(self, message: str, progress: SendProgress) -> None:
        self.on_send(message, progress)
        progress.begun = True
        self.sent.append(json.loads(message))

    def begin_close(self, within: float) -> None:
        self.close_times.append(within)

    def finish_close(self, until: float) -> None:
        self.close_times.append(until)

    def fail(self, reason: str) -> None:
        self.failures.append(reason)


class Bench:
    """A connection, with everything around it that a CTI has; nothing runs by itself."""

    def __init__(self, first: Optional[str] = None, **options: Any) -> None:
        self.cti = CTI(dispatch="manual", cookie_auto=False, timeout=30, **options)
        self.client = self.cti._client
        shared = self.client._shared
        self.dispatcher = shared.dispatcher
        self.clock = Hand()
        self.told: List[Any] = []
        self.errors: List[BaseException] = []
        self.cti.onError = self.errors.append
        events = ConnectionEvents(
            session_answered=lambda error: self.told.append(("session answered", error)),
            ended=lambda: self.told.append(("ended", self.connection.ended)),
            refuse=lambda request: self.told.append(("refused", request)),
            answered=lambda: self.told.append("answered"),
        )
        source = EventSource(self.cti, self.dispatcher, self.client.waits)
        self.connection = Connection(
            events, source, shared.notifications, shared.options, self.dispatcher,
            first, shared.wire_log, self.clock,
        )
        self.sockjs: Any = self.connection._sockjs

    def open(self) -> None:
        self.connection.opened()

    def close(self, code: int = LOST) -> None:
        self.connection.closed(Closed(code, "gone"))

    def request(self, command: wire.Command, react: Optional[Reaction] = None) -> Request:
        request = Request(command, self.dispatcher, react=react)
        request.opens_session = command.action in ("create_session", "restore_session")
        return request

    def ask(self, command: wire.Command, react: Optional[Reaction] = None) -> Request:
        request = self.request(command, react)
        self.connection.ask(request)
        return request

    def reply(self, result: Any = 1, number: Optional[int] = None) -> None:
        """Reply to a command, by default to the last one."""
        number = self.sockjs.sent[-1]["id"] if number is None else number
        self.receive({"id": number, "result": result})

    def receive(self, message: Any) -> None:
        self.connection.received(json.dumps(message))

    def poll(self) -> None:
        while self.cti.poll(0):
            pass


@pytest.fixture(autouse=True)
def fake_sockjs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sockjs, "Connection", FakeSockJS)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def open_bench(bench: Bench) -> Bench:
    bench.open()
    return bench


class Lines:
    """What is logged: the name of the logger, and the message."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def wait_for(self, line: str) -> None:
        eventually(lambda: line in self.all())

    def all(self) -> List[str]:
        return [f"{each.name}: {each.getMessage()}" for each in list(self._caplog.records)]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    caplog.set_level(logging.DEBUG)
    return Lines(caplog)


def error_of(request: Request) -> KeyyoError:
    """The error of a request that has failed."""
    error = request.future.exception(0)
    assert isinstance(error, KeyyoError)
    return error


# What it passes on to the SockJS connection.


def test_authorities_of_the_option_are_passed_on_as_text(tmp_path: Path) -> None:
    assert Bench().sockjs.ca_certs is None
    assert Bench(ca_certs=tmp_path).sockjs.ca_certs == str(tmp_path)


@pytest.mark.parametrize("first, order", [
    ("xhr-polling", ["xhr-polling", "websocket", "xhr-streaming"]),
    ("websocket", ["websocket", "xhr-streaming", "xhr-polling"]),
    (None, ["websocket", "xhr-streaming", "xhr-polling"]),
])
def test_transport_of_the_last_session_is_tried_first(
    first: Optional[str], order: List[str]
) -> None:
    transports = ["websocket", "xhr-streaming", "xhr-polling"]
    assert Bench(first, transports=transports).sockjs.transports == order


def test_transport_that_is_not_listed_is_not_tried() -> None:
    assert Bench("xhr-polling", transports=["websocket"]).sockjs.transports == ["websocket"]


def test_note_of_a_transport_is_one_line_of_the_wire_log(bench: Bench, lines: Lines) -> None:
    bench.sockjs.note("transport {x} is chosen")
    lines.wait_for("keyyo_cti.wire: transport {x} is chosen")


# Commands before it is open, and after its end.


def test_command_while_opening_is_refused_and_not_sent_later(bench: Bench) -> None:
    request = bench.ask(wire.ping())
    assert get_advice(error_of(request)) == (
        "not connected: call create_session or restore_session, and wait for its callback"
    )
    bench.open()
    assert bench.sockjs.sent == []


def test_session_command_while_opening_is_sent_once_open(bench: Bench) -> None:
    first, second = bench.ask(wire.create_session("a")), bench.ask(wire.create_session("b"))
    assert bench.sockjs.sent == []
    bench.open()
    assert [each["token"] for each in bench.sockjs.sent] == ["a", "b"]
    bench.reply()
    assert second.future.done() and not first.future.done()


@pytest.mark.parametrize("end", [False, True], ids=["opens", "ends"])
def test_session_command_that_comes_just_as_the_opening_is_over_is_not_left_waiting(
    bench: Bench, end: bool
) -> None:
    """Another thread has seen that it is opening; the reader then finds no command."""

    class Late(Deque[Request]):
        def append(self, request: Request) -> None:
            bench.close() if end else bench.open()
            super().append(request)

    bench.connection._early = Late()
    request = bench.ask(wire.create_session("token"))
    assert len(bench.sockjs.sent) == (not end) and request.future.done() == end


def test_session_command_fails_with_the_reason_of_a_failed_opening(bench: Bench) -> None:
    request = bench.ask(wire.create_session("token"))
    bench.close()
    error = error_of(request)
    assert error.message.endswith("gone") and "check the endpoint" in str(error.hint)
    assert bench.told == [("ended", True), ("session answered", error), "answered"]


def test_session_command_that_close_overtakes_says_so(bench: Bench) -> None:
    request = bench.ask(wire.create_session("token"))
    bench.connection.begin_close()
    bench.close(NORMAL)
    error = error_of(request)
    assert isinstance(error, ConnectionClosed) and not error.sent
    assert get_advice(error) == "closed before the connection was open"


def test_command_after_the_end_is_refused_in_its_turn(open_bench: Bench) -> None:
    """By the sessions, because earlier commands may still be pending."""
    bench = open_bench
    assert not bench.connection.ended
    bench.close()
    request = bench.ask(wire.ping())
    assert bench.told == [("ended", True), "answered", ("refused", request)]
    assert not request.future.done()


@pytest.mark.parametrize("was_open", [False, True])
def test_session_command_after_the_end_is_answered(bench: Bench, was_open: bool) -> None:
    if was_open:
        bench.open()
    bench.close()
    del bench.told[:]
    request = bench.ask(wire.create_session("token"))
    error = error_of(request)
    assert isinstance(error, ConnectionClosed) and not error.sent
    assert bench.told == [("session answered", error)]
    assert str(error.hint).startswith("not connected: call create_session")


# Commands and replies.


def test_only_the_reply_to_a_session_command_is_reported(open_bench: Bench) -> None:
    open_bench.ask(wire.ping())
    open_bench.reply()
    assert open_bench.told == []
    open_bench.ask(wire.create_session("token"))
    open_bench.reply({"session_id": "s-1"})
    assert open_bench.told == [("session answered", None)]


def test_reaction_may_send_another_command_instead(open_bench: Bench) -> None:
    """Its reply completes the request."""
    instead = [None, wire.create_session("token")]
    request = open_bench.ask(wire.restore_session("token"), lambda *reply: instead.pop())
    open_bench.reply()
    assert not request.future.done() and open_bench.told == []
    assert [each["action"] for each in open_bench.sockjs.sent] == [
        "restore_session", "create_session",
    ]
    open_bench.reply()
    assert request.future.result(0) == 1 and open_bench.told == [("session answered", None)]


def test_reaction_that_raises_costs_no_reply(
    open_bench: Bench, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is logged, and printed where no log is read."""

    def react(*reply: Any) -> None:
        raise bug

    bug = OSError("full")
    shown: List[Any] = []
    monkeypatch.setattr(user_errors, "show", lambda where, error: shown.append((where, error)))
    request = open_bench.ask(wire.create_session("token"), react)
    open_bench.reply({"session_id": "s-1"})
    assert request.future.result(0).session_id == "s-1"
    lines.wait_for("keyyo_cti: the answer to create_session could not be used")
    assert shown == [("the answer to create_session", bug)]


def test_session_id_of_a_reply_is_hidden_from_logs(open_bench: Bench) -> None:
    open_bench.ask(wire.ping())
    open_bench.reply({"session_id": "id-of-no-session"})
    assert "id-of-no-session" in redaction.redact("id-of-no-session")
    open_bench.ask(wire.create_session("token"))
    open_bench.reply({"session_id": "id-of-a-session"})
    assert "id-of-a-session" not in redaction.redact("id-of-a-session")


def test_late_reply_is_ignored_and_logged(open_bench: Bench, lines: Lines) -> None:
    open_bench.ask(wire.ping())
    for _ in range(2):
        open_bench.reply()
    lines.wait_for("keyyo_cti: the reply to command 1 comes too late")
    open_bench.poll()
    assert open_bench.errors == []


def test_reply_to_no_command_is_reported(open_bench: Bench) -> None:
    open_bench.ask(wire.ping())
    open_bench.reply(number=2)
    open_bench.poll()
    assert list(map(str, open_bench.errors)) == ["a reply to a command that was never asked"]


def test_callref_of_the_greatest_length_is_a_call(open_bench: Bench) -> None:
    for length in (MAX_CALLREF, MAX_CALLREF + 1):
        call = {"callref": "c" * length, "state": "SETUP"}
        open_bench.receive({"notify": "call", "call": call})
    open_bench.poll()
    assert [len(call.callref) for call in open_bench.cti.get_calls()] == [MAX_CALLREF]
    assert list(map(str, open_bench.errors)) == [f"a callref over {MAX_CALLREF} characters"]


def test_command_times_out_at_its_deadline(open_bench: Bench, lines: Lines) -> None:
    request = open_bench.ask(wire.dial("33199020000"))
    assert open_bench.connection.due() == 130
    open_bench.connection.on_due(129.9)
    assert not request.future.done()
    open_bench.connection.on_due(130)
    error = error_of(request)
    assert isinstance(error, CommandTimeout)
    assert error.message == "No answer to call within 30 s"
    lines.wait_for(f"keyyo_cti.wire: dial has timed out: {error}")


# Ctrl-C during a send.


def raises(begun: bool) -> Send:
    def send(message: str, progress: SendProgress) -> None:
        progress.begun = begun
        raise KeyboardInterrupt

    return send


def test_interrupted_send_of_which_nothing_has_left_fails_at_once(open_bench: Bench) -> None:
    open_bench.sockjs.on_send = raises(begun=False)
    request = open_bench.request(wire.ping())
    with pytest.raises(KeyboardInterrupt):
        open_bench.connection.ask(request)
    error = error_of(request)
    assert isinstance(error, ConnectionClosed) and not error.sent
    assert get_advice(error) == "interrupted before it was sent"


def test_interrupted_send_of_which_a_part_has_left_fails_with_the_connection(
    open_bench: Bench,
) -> None:
    open_bench.sockjs.on_send = raises(begun=True)
    request = open_bench.request(wire.ping())
    with pytest.raises(KeyboardInterrupt):
        open_bench.connection.ask(request)
    assert not request.future.done()
    open_bench.close()
    error = error_of(request)
    assert isinstance(error, ConnectionClosed) and error.sent


def test_interrupted_send_of_a_command_that_has_failed_meanwhile_changes_nothing(
    open_bench: Bench,
) -> None:
    def send(message: str, progress: SendProgress) -> None:
        open_bench.close()
        raise KeyboardInterrupt

    open_bench.sockjs.on_send = send
    request = open_bench.request(wire.ping())
    with pytest.raises(KeyboardInterrupt):
        open_bench.connection.ask(request)
    assert get_advice(error_of(request)) == "gone"


def test_interrupted_send_of_a_command_that_comes_instead_fails_the_request(
    open_bench: Bench,
) -> None:
    instead = [wire.create_session("token")]
    request = open_bench.ask(
        wire.restore_session("token"), lambda *reply: instead.pop() if instead else None
    )
    open_bench.sockjs.on_send = raises(begun=False)
    with pytest.raises(KeyboardInterrupt):
        open_bench.reply()
    assert get_advice(error_of(request)) == "interrupted before it was sent"


def test_command_that_could_not_be_sent_fails_with_the_connection(open_bench: Bench) -> None:
    def send(message: str, progress: SendProgress) -> None:
        raise NotOpen

    open_bench.sockjs.on_send = send
    request = open_bench.ask(wire.ping())
    assert not request.future.done()
    open_bench.close()
    error = error_of(request)
    assert isinstance(error, ConnectionClosed) and not error.sent and get_advice(error) == "gone"


# The end.


def test_close_gives_the_server_less_than_a_second_to_confirm(open_bench: Bench) -> None:
    """Otherwise close() would take longer than it may."""
    open_bench.connection.begin_close()
    open_bench.connection.finish_close(200.0)
    within, until = open_bench.sockjs.close_times
    assert 0.5 < within < 1 and until == 100 + within
    open_bench.connection.finish_close(100.1)
    assert open_bench.sockjs.close_times[-1] == 100.1


def test_close_without_commands_reports_at_once_that_none_is_pending(open_bench: Bench) -> None:
    open_bench.connection.begin_close()
    assert open_bench.told == ["answered"]


def test_close_reports_that_no_command_is_pending_after_the_last_reply(open_bench: Bench) -> None:
    for _ in range(2):
        open_bench.ask(wire.ping())
    open_bench.ask(wire.ping())
    open_bench.reply()
    open_bench.connection.begin_close()
    open_bench.reply(number=1)
    assert open_bench.told == []
    open_bench.reply(number=2)
    assert open_bench.told == ["answered"]


def test_close_while_a_command_completes_waits_for_it(open_bench: Bench) -> None:
    """Otherwise a command that was deferred behind it would be called back first."""
    seen: List[List[Any]] = []

    def react(*reply: Any) -> None:
        open_bench.connection.begin_close()
        seen.append(list(open_bench.told))

    open_bench.ask(wire.ping(), react)
    open_bench.reply()
    assert seen == [[]] and open_bench.told == ["answered"]


def test_close_at_the_end_of_the_connection_reports_after_the_last_command(bench: Bench) -> None:
    bench.open()
    for _ in range(2):
        bench.ask(wire.ping(), lambda *reply: bench.told.append("completed"))
    bench.connection.begin_close()
    bench.close(NORMAL)
    assert bench.told == [("ended", True), "completed", "completed", "answered"]


def test_end_is_logged(open_bench: Bench, lines: Lines) -> None:
    open_bench.close()
    lines.wait_for(f"keyyo_cti: connection ended: {LOST} gone")


def fill(bench: Bench, count: int) -> None:
    for number in range(count):
        call = {"callref": str(number), "state": "SETUP"}
        bench.receive({"notify": "call", "call": call})


def count_unreadable(bench: Bench, count: int) -> None:
    """Receive more messages that cannot be read than are reported one by one."""
    for _ in range(MOST + count):
        bench.connection.received("nonsense")


def test_unreadable_messages_are_summed_up_after_a_while(open_bench: Bench) -> None:
    count_unreadable(open_bench, 3)
    open_bench.poll()
    assert len(open_bench.errors) == MOST
    open_bench.clock.time = open_bench.connection.due()
    assert open_bench.clock.time == 110
    open_bench.connection.on_due(110)
    open_bench.poll()
    assert str(open_bench.errors[MOST]) == "3 more messages that cannot be read"


def test_unreadable_messages_are_summed_up_at_the_end_although_the_backlog_is_full() -> None:
    bench = Bench(max_backlog=MOST + 1)
    bench.open()
    count_unreadable(bench, 2)
    fill(bench, 1)
    ending = Background(bench.close)
    try:
        ending.result()
    finally:
        # Otherwise a failure would leave a thread.
        bench.connection.begin_close()
    bench.poll()
    assert str(bench.errors[-1]) == "2 more messages that cannot be read"


# A full backlog.


def test_full_backlog_stops_the_reader_until_a_handler_has_run() -> None:
    bench = Bench(max_backlog=1)
    bench.open()
    fill(bench, 1)
    reading = Background(fill, bench, 2)
    assert reading.waits()
    bench.poll()
    bench.cti.poll(SOON)
    bench.connection.begin_close()
    reading.result()


def test_close_wakes_a_reader_that_waits_for_a_full_backlog(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(max_backlog=1)
    # Otherwise the next look at the running handler would wake it as well.
    monkeypatch.setattr(bench.connection._watch, "due", lambda now: NEVER)
    bench.open()
    fill(bench, 1)
    reading = Background(fill, bench, 1)
    eventually(lambda: bench.dispatcher._room.waiters)
    bench.connection.begin_close()
    reading.result()
    assert reading.seconds < SOON


def test_deadlines_are_checked_while_the_backlog_is_full(
    open_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: List[float] = []

    def wait_for_room(timeout: float, given_up: Callable[[], bool]) -> bool:
        assert not given_up()
        waits.append(timeout)
        open_bench.clock.time += timeout
        return len(waits) == 4

    request = open_bench.ask(wire.ping())
    monkeypatch.setattr(open_bench.dispatcher, "has_room", lambda: False)
    monkeypatch.setattr(open_bench.dispatcher, "wait_for_room", wait_for_room)
    fill(open_bench, 1)
    assert waits == [0, 30, 0, 0] and isinstance(error_of(request), CommandTimeout)


def test_overflow_ends_the_connection_and_what_waits_for_events(
    open_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = open_bench.cti.wait_for("newCall")
    monkeypatch.setattr(open_bench.dispatcher, "has_room", lambda: False)
    monkeypatch.setattr(open_bench.dispatcher, "overflows", lambda: True)
    with pytest.raises(SockJSError, match="max_backlog_bytes") as raised:
        fill(open_bench, 1)
    assert raised.value.closed.code == LOST
    assert "max_backlog_bytes" in str(waiting.exception(0))


# Pings.


@pytest.fixture
def pinged(open_bench: Bench) -> Bench:
    """With a session, and a ping without a reply."""
    open_bench.connection.in_session = True
    open_bench.connection.woke()
    assert [each["action"] for each in open_bench.sockjs.sent] == ["ping"]
    return open_bench


def test_no_ping_is_sent_without_a_session(open_bench: Bench) -> None:
    open_bench.connection.woke()
    assert open_bench.sockjs.sent == []


def test_ping_that_is_answered_ends_nothing(pinged: Bench) -> None:
    pinged.reply()
    assert pinged.sockjs.failures == []


def test_ping_that_times_out_ends_the_connection(pinged: Bench) -> None:
    pinged.connection.on_due(130)
    (reason,) = pinged.sockjs.failures
    assert reason.startswith("the ping failed: 408 No answer to ping within 30 s")


def test_ping_that_fails_with_the_connection_ends_nothing_more(pinged: Bench) -> None:
    pinged.close()
    assert pinged.sockjs.failures == []


@pytest.mark.parametrize("pause", ["before it", "with it", "after it"])
def test_ping_without_a_reply_proves_nothing_if_reading_has_paused_since(
    open_bench: Bench, monkeypatch: pytest.MonkeyPatch, pause: str
) -> None:
    """Its reply may have arrived."""

    def read_with_a_pause() -> None:
        answers = iter([False, False, True])
        with monkeypatch.context() as patch:
            patch.setattr(open_bench.dispatcher, "has_room", lambda: False)
            patch.setattr(open_bench.dispatcher, "wait_for_room", lambda *_: next(answers))
            fill(open_bench, 1)

    open_bench.connection.in_session = True
    if pause == "before it":
        read_with_a_pause()
        open_bench.clock.time += 1
    open_bench.connection.woke()
    if pause == "after it":
        open_bench.clock.time += 1
    if pause != "before it":
        read_with_a_pause()
    open_bench.connection.on_due(open_bench.clock.time + 30)
    assert bool(open_bench.sockjs.failures) == (pause == "before it")
