"""The wire log: what it tells, what it costs the program, and that it stops nothing."""

from __future__ import annotations

import json
import logging
import re
import signal
import sys
import threading
from typing import Any, Callable, Dict, Iterator

import pytest

from keyyo_cti import CTI, Backoff, Call
from keyyo_cti.simulator import Line, Phone, Simulator
from keyyo_cti.simulator.sockjs import Connection

from ..helpers.probe import PATIENCE, Record, Seen, eventually
from ..helpers.running import Running
from ..helpers.scripted_server import ScriptedServer
from ..helpers.signals import Signals
from .agreeing import call_then_reply, connect, notification, settle

BOB = "33199020000"

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")


class Lines(logging.Handler):
    """The lines of the wire log, and nothing else of the program."""

    def __init__(self) -> None:
        super().__init__()
        self.said = Record()

    def emit(self, record: logging.LogRecord) -> None:
        self.said.add(record.getMessage())

    def wait_for(self, part: str) -> str:
        self.said.wait(lambda lines: any(part in line for line in lines), part)
        return str(next(line for line in self.said.items if part in line))


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, logger = Lines(), logging.getLogger("keyyo_cti.wire")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.setLevel(logging.NOTSET)
    logger.removeHandler(handler)


@pytest.fixture
def line(sim: Simulator, alice: Line) -> Iterator[CTI]:
    """A CTI with a session on Alice's line, and a handler for its calls."""
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        cti.onNewCall = lambda call: None
        cti.create_session(sim.token(alice)).result(PATIENCE)
        yield cti


def test_lines_of_a_call(lines: Lines, line: CTI, bob: Phone) -> None:
    line.dial(BOB).result(PATIENCE)
    bob.wait_until("ringing", PATIENCE)
    lines.wait_for(f"SETUP 33199000001 -> {BOB}")
    sent = lines.wait_for("-> dial")
    assert re.fullmatch(rf"-> dial id=\d+ number={BOB}", sent)
    number = re.findall(r"id=\d+", sent)[0]
    said = lines.said.items
    assert said.index(sent) < said.index(f"<- {number} 1")
    assert "-> create_session id=1 token=<hidden>" in said
    assert any("<- id=1 ok number=33199000001 session_id=<hidden>" in each for each in said)
    assert "session created, line 33199000001" in said
    assert any(each.startswith("connecting to http://127.0.0.1") for each in said)
    assert "transport websocket is chosen: it is the first to try" in said
    line.destroy_session().result(PATIENCE)
    lines.wait_for("session destroyed")
    lines.wait_for("connection ended: 1000")


def test_refused_command_says_what_may_be_the_cause(
    lines: Lines, sim: Simulator, line: CTI
) -> None:
    sim.faults.fail("call", 400, "Cannot treat action\x1b[2J")
    line.dial(BOB).exception(PATIENCE)
    assert re.search(r"<- id=\d+ 400 Cannot treat action\\x1b\[2J", "\n".join(lines.said.items))


def test_reason_no_subscription(lines: Lines, line: CTI, alice: Line, bob: Phone) -> None:
    line.unsubscribe(alice.number).result(PATIENCE)
    bob.call(alice)
    line.ping().result(PATIENCE)
    assert "subscriptions: none, so no call is notified; subscribe() adds a line" in (
        lines.said.items
    )
    line.close()
    assert "was one of the subscribed lines called?" in lines.wait_for("no call was notified")


def test_reason_plugin_disabled(lines: Lines, sim: Simulator, alice: Line) -> None:
    alice.plugin_enabled = False
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        cti.dial(BOB).exception(PATIENCE)
        assert "its CTI plugin 'websocket' is disabled" in lines.wait_for("400 Cannot treat")
    assert "keyyo-cti diagnose 33199000001" in lines.wait_for("no call was notified")


def test_reason_no_handler(lines: Lines, line: CTI, alice: Line, bob: Phone) -> None:
    line.onNewCall = None
    callref = bob.call(alice)
    assert lines.wait_for("is not delivered") == (
        f"{callref} SETUP is not delivered: there is no handler for newCall or setup; "
        "set cti.onNewCall"
    )
    assert f"<- {callref} SETUP {BOB} -> 33199000001" in lines.said.items


def test_reason_wrong_line(lines: Lines, sim: Simulator, line: CTI, bob: Phone) -> None:
    carol = sim.line("33199000002")
    bob.call(carol)
    line.ping().result(PATIENCE)
    assert "session created, line 33199000001" in lines.said.items
    said = lines.wait_for("subscriptions:")
    assert said == "subscriptions: 33199000001; calls of other lines are not notified"
    line.close()
    lines.wait_for("no call was notified")


def test_changes_of_subscriptions_are_told(lines: Lines, line: CTI) -> None:
    line.subscribe("callpark").result(PATIENCE)
    line.get_subscriptions().result(PATIENCE)
    assert "<- id=3 ok numbers=33199000001,callpark" in lines.said.items
    rest = "calls of other lines are not notified"
    assert lines.said.items.count(f"subscriptions: 33199000001, callpark; {rest}") == 2


def test_transport_that_fails_is_told_with_the_reason(
    lines: Lines, sim: Simulator, alice: Line
) -> None:
    sim.faults.refuse("websocket", 403)
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
    assert "403" in lines.wait_for("transport websocket cannot be opened")
    lines.wait_for("transport xhr-streaming is chosen: the ones before it failed")


def test_transport_that_is_not_offered_is_told(lines: Lines, sim: Simulator, alice: Line) -> None:
    sim.faults.info({"websocket": False})
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
    lines.wait_for("transport websocket is not tried: the server does not offer it")


def test_outage_is_told_with_pauses_and_attempts(
    lines: Lines, sim: Simulator, alice: Line
) -> None:
    with CTI(
        endpoint=sim.endpoint, cookie_auto=False, token_provider=lambda: sim.token(alice),
        backoff=Backoff(first=0.01, longest=0.01),
    ) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        seen = Seen(cti)
        sim.faults.refuse("info", times=1)
        sim.faults.reset()
        seen.wait_for("restored")
        for part in (
            "connection ended: 1006", "then attempt 1 to restore", "the attempt failed: 400",
            "then attempt 2 to restore", "-> restore_session id=1 token=<hidden>",
            "session restored, line 33199000001", "restored after",
        ):
            lines.wait_for(part)


def test_drop_that_nothing_restores_is_told(lines: Lines, sim: Simulator, line: CTI) -> None:
    sim.faults.drop()
    lines.wait_for("without token_provider, nothing restores the session")


def test_command_that_is_not_sent_is_told(lines: Lines) -> None:
    cti = CTI(cookie_auto=False)
    cti.dial(BOB).exception(PATIENCE)
    cti.dial("").exception(PATIENCE)
    said = lines.said.items
    assert said == [
        "dial is not sent: not connected",
        "a command is not sent: 400 number: expected a string that is not empty [invalid_params] "
        "(see docs/errors.md#invalid-params)",
    ]


HOSTILE: Dict[str, Any] = {
    "control characters": "a\x1b]0;x\x07\r\nforged line\u2028",
    "long": "7" * 100_000,
    "object": {"token": "x"},
    "list": [[["x"]]] * 50,
    "number": 10**300,
    "nothing": None,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_value_of_the_server_makes_one_short_line(lines: Lines, kind: str) -> None:
    value = HOSTILE[kind]

    def answer(connection: Connection, command: Dict[str, Any]) -> None:
        connection.send(_reply(command, value))

    with ScriptedServer(answer) as server:
        with CTI(endpoint=server.endpoint, cookie_auto=False) as cti:
            cti.create_session("tok").exception(PATIENCE)
            server.push(notification("SETUP", caller=value, callee=value, callpark_slot=value))
            cti.ping().exception(PATIENCE)
    for each in lines.said.items:
        assert each.isprintable() and len(each) < 700


def _reply(command: Dict[str, Any], value: Any) -> str:
    if command["action"] == "ping":
        return json.dumps({"id": command["id"], "error": {"status_code": 400, "message": value}})
    result = {"number": value, "now": 1, "session_id": "s-1", "numbers": value}
    return json.dumps({"id": command["id"], "result": result})


class Asking(logging.Handler):
    """A handler of the program that waits for the CTI, as one that reports to somebody does."""

    def __init__(self, part: str, act: Callable[[], object]) -> None:
        super().__init__()
        self._part = part
        self._act = act
        self.done = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if self._part in record.getMessage() and not self.done.is_set():
            self.done.set()
            self._act()


def _raise() -> None:
    raise SystemExit("a logging handler")


@pytest.mark.slow
@pytest.mark.parametrize("part", ["-> dial", "<- id=", "<- c1 SETUP"])
@pytest.mark.parametrize("mistake", ["blocks", "calls", "raises"])
def test_handler_of_the_log_stops_nothing(
    lines: Lines, capfd: pytest.CaptureFixture[str], part: str, mistake: str
) -> None:
    """On the reader thread, it would stop the reply that it waits for."""
    go, answers = threading.Event(), Record()
    acts: Dict[str, Callable[[], object]] = {
        "blocks": lambda: go.wait(PATIENCE),
        "calls": lambda: answers.add(cti.ping().result(PATIENCE)),
        "raises": _raise,
    }
    logger, handler = logging.getLogger("keyyo_cti.wire"), Asking(part, acts[mistake])
    with ScriptedServer(call_then_reply) as server:
        cti = connect(server)
        logger.addHandler(handler)
        try:
            with cti:
                seen = Seen(cti)
                assert cti.dial(BOB).result(PATIENCE) == 1
                server.push(notification("SETUP"))
                seen.wait_for("setup", 2)
                assert handler.done.wait(PATIENCE)
                settle(cti)
                if mistake == "calls":
                    assert answers.wait_for_count(1) == [1]
        finally:
            go.set()
            logger.removeHandler(handler)
    lines.wait_for("connection ended")
    assert ("Logging error" in capfd.readouterr().err) == (mistake == "raises")


@pytest.mark.parametrize("part", ["connection ended", "cannot be read"])
def test_handler_of_another_logger_may_wait_for_the_reader(
    caplog: pytest.LogCaptureFixture, part: str
) -> None:
    caplog.set_level(logging.INFO, "keyyo_cti")
    answers, logger = Record(), logging.getLogger("keyyo_cti")
    handler = Asking(part, lambda: answers.add(cti.ping().exception(PATIENCE)))
    with ScriptedServer(call_then_reply) as server, connect(server) as cti:
        seen = Seen(cti)
        logger.addHandler(handler)
        try:
            server.push("not a message")
            seen.wait_for("error")
            server.do(lambda connection: connection.close(3000, "Go away!"))
            seen.wait_for("disconnected")
            answers.wait_for_count(1)
        finally:
            logger.removeHandler(handler)


def test_lines_behind_a_handler_that_blocks_are_written_later(lines: Lines) -> None:
    go = threading.Event()
    handler = Asking("-> ping", lambda: go.wait(PATIENCE))
    logger = logging.getLogger("keyyo_cti.wire")
    with ScriptedServer(call_then_reply) as server:
        with connect(server) as cti:
            logger.addHandler(handler)
            try:
                for _ in range(20):
                    cti.ping().result(PATIENCE)
            finally:
                go.set()
            eventually(lambda: sum("-> ping" in each for each in lines.said.items) == 20)
            logger.removeHandler(handler)


@posix
def test_signal_handler_while_a_handler_holds_its_lock(lines: Lines, signals: Signals) -> None:
    """The lock of the logging handler belongs to the interrupted thread until it returns."""
    answers = Record()
    signal.signal(signal.SIGALRM, lambda *_: answers.add(cti.ping().result(PATIENCE)))
    with ScriptedServer(call_then_reply) as server, connect(server) as cti:
        assert lines.lock is not None
        with lines.lock:
            signal.raise_signal(signal.SIGALRM)
            assert answers.wait_for_count(1) == [1]
        lines.wait_for("-> ping")


FORKS = """
import os, sys
from keyyo_cti import CTI
def connect():
    cti = CTI(endpoint=sys.argv[1], cookie_auto=False)
    cti.create_session(sys.argv[2]).result(30)
    return cti
parent = connect()
child = os.fork()
if child == 0:
    connect().close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
parent.close()
"""


@posix
def test_forked_child_has_a_log_of_its_own(sim: Simulator, alice: Line) -> None:
    arguments = ("-W", "ignore", "-c", FORKS, sim.endpoint, sim.token(alice))
    with Running(*arguments, KEYYO_CTI_DEBUG="1") as program:
        assert program.end() == 0
        said = program.rest("err")
    created = [each.split()[2] for each in said if "session created" in each]
    assert created == ["keyyo-cti-1", "keyyo-cti-2"]


PROGRAM = """
import logging, sys
{configured}
from keyyo_cti import CTI
with CTI(endpoint=sys.argv[1], cookie_auto=False) as cti:
    print(cti.create_session(sys.argv[2]).result(30).number, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "variable, configured, printed",
    [
        ("1", "", 1),
        ("yes", "logging.basicConfig(level=logging.DEBUG)", 1),
        ("1", "logging.basicConfig(level=logging.WARNING)", 1),
        ("1", "logging.getLogger().addHandler(logging.StreamHandler())", 1),
        ("1", "logging.basicConfig(filename=sys.argv[3])", 1),
        ("0", "", 0),
        ("", "", 0),
        ("", "logging.basicConfig(level=logging.DEBUG)", 1),
    ],
)
def test_variable_prints_each_line_once(
    sim: Simulator, alice: Line, tmp_path: Any, variable: str, configured: str, printed: int
) -> None:
    with Running(
        "-c", PROGRAM.format(configured=configured), sim.endpoint, sim.token(alice),
        str(tmp_path / "log"), KEYYO_CTI_DEBUG=variable,
    ) as program:
        assert program.end() == 0
        said = program.rest("err")
    found = [each for each in said if "session created, line 33199000001" in each]
    assert len(found) == printed
    if printed and not configured:
        assert re.match(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} keyyo-cti-1 session", found[0])


def test_log_that_is_off_makes_no_line(
    monkeypatch: pytest.MonkeyPatch, line: CTI, alice: Line, bob: Phone
) -> None:
    monkeypatch.setattr("keyyo_cti._client.wire_log.WireLog", None)
    monkeypatch.setattr("keyyo_cti._client.wire_log._log", None)
    seen = Record()
    line.on("newCall", lambda call: seen.add(Call))
    bob.call(alice)
    seen.wait_for_count(1)
    assert line.ping().result(PATIENCE) == 1
