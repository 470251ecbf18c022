"""Something on the way answers in place of the service: pages, a proxy's own errors, blocked
transports."""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
import time
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

import pytest

from keyyo_cti import CTI, Backoff, ConnectionFailed, Transport
from keyyo_cti._sockjs import TRANSPORTS
from keyyo_cti.simulator import Line, Simulator

from ..helpers.probe import PATIENCE, Record, Seen, eventually
from ..helpers.tcp_peer import Peer, request

QUICK = Backoff(first=0.01, longest=0.05)

#: Receivers over HTTP, as they stand in URLs.
RECEIVERS = {"xhr-streaming": "xhr_streaming", "xhr-polling": "xhr"}

Answer = Tuple[str, str, str]

#: Answers with 200 of something that is no SockJS server: type, body.
PAGES = [
    ("text/html", "<!DOCTYPE html>\n<html><body>Down for maintenance</body></html>\n"),
    ("text/html; charset=utf-8", "ok\n"),
    ("", "<html><form>Sign in</form></html>"),
    ("", ""),
    ("application/json", '{"error": "maintenance"}\n'),
    ("", '{"websocket": true}\n'),
    ("text/plain", "hello\nopen again at noon\na[]\n"),
    ("", "alert('down')\n"),
    ("application/javascript", "offline\n"),
]


class Way(Peer):
    """A service over HTTP, and a proxy before it that can answer in its place.

    :ivar page: the proxy's answer to each receiver: status, type and body; None lets through.
    :ivar hangs: seconds that a receiver hangs at the proxy before that.
    :ivar posts: the receivers that came.
    """

    def __init__(self) -> None:
        super().__init__(self._talk)
        self.page: Optional[Answer] = None
        self.send_page: Optional[Answer] = None
        self.hanging = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.posts = Record()
        self._changed = threading.Condition()
        self._frames: Dict[str, List[str]] = {}
        self._closed = False

    def __enter__(self) -> Way:
        super().__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self.may_answer.set()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        super().__exit__(*exception)

    def put_up(self, page: Answer) -> None:
        """From now on the proxy answers, also who waits already."""
        with self._changed:
            self.page = page
            self._changed.notify_all()

    def take_down(self) -> None:
        with self._changed:
            self.page = None

    def push(self, message: Any) -> None:
        with self._changed:
            for frames in self._frames.values():
                frames.append("a" + json.dumps([json.dumps(message)]))
            self._changed.notify_all()

    def _talk(self, sock: socket.socket) -> None:
        while True:
            head = request(sock).decode("latin-1")
            path = head.split(" ")[1]
            length = re.search(r"(?i)content-length: (\d+)", head)
            body = b""
            while length and len(body) < int(length.group(1)):
                body += sock.recv(65536)
            self._answer(sock, path, body)

    def _answer(self, sock: socket.socket, path: str, body: bytes) -> None:
        *_, session, kind = path.split("/")
        if kind == "info":
            reply(sock, ("200 OK", "application/json", '{"websocket": false}'))
        elif kind == "xhr_send":
            self._take(session, body)
            reply(sock, self.send_page or ("204 No Content", "", ""))
        else:
            self.posts.add(path)
            reply(sock, self._next(session))

    def _take(self, session: str, body: bytes) -> None:
        if self.send_page is not None:
            return
        for text in json.loads(body):
            asked = json.loads(text)
            result: Any = 1
            if asked["action"].endswith("_session"):
                result = {"number": "33199000001", "now": 1700000000, "session_id": "s-1"}
            elif asked["action"] == "get_subscriptions":
                result = []
            with self._changed:
                answered = json.dumps({"id": asked["id"], "result": result})
                self._frames[session].append("a" + json.dumps([answered]))
                self._changed.notify_all()

    def _next(self, session: str) -> Answer:
        """What a receiver gets; streams end after one frame."""
        with self._changed:
            frames = self._frames.setdefault(session, ["o"])
            self._changed.wait_for(lambda: frames or self.page or self._closed, 2 * PATIENCE)
            if self._closed:
                raise ConnectionError("the test is over")
            if self.page is None:
                return "200 OK", "application/javascript", frames.pop(0) + "\n"
            page = self.page
        self.hanging.set()
        assert self.may_answer.wait(PATIENCE)
        return page


def reply(sock: socket.socket, answer: Answer) -> None:
    status, kind, body = answer
    head = f"HTTP/1.1 {status}\r\n"
    if kind:
        head += f"Content-Type: {kind}\r\n"
    if not status.startswith("204"):
        head += f"Content-Length: {len(body.encode())}\r\n"
    sock.sendall(f"{head}\r\n{body}".encode())


@pytest.mark.slow
@pytest.mark.fault(57)
@pytest.mark.parametrize("transport", RECEIVERS)
@pytest.mark.parametrize("kind, body", PAGES)
def test_page_on_an_open_connection_is_an_outage(
    transport: Transport, kind: str, body: str
) -> None:
    """A page in place of the service ends the connection at once, is asked for a few times at
    most, and the gap is announced once the service is back."""
    with Way() as way, CTI(
        endpoint=way.endpoint, cookie_auto=False, transports=[transport],
        token_provider=lambda: "tok", backoff=Backoff(first=0.3, longest=0.3, spread=0.0),
    ) as cti:
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        way.push({"notify": "call", "call": {"callref": "c1", "state": "SETUP"}})
        seen.wait_for("setup")
        asked = len(way.posts.items)
        way.put_up(("200 OK", kind, body))
        seen.wait_for("disconnected")
        assert not cti.connected
        eventually(lambda: len(way.posts.items) >= asked + 2)
        way.take_down()
        _, info = seen.wait_for("restored")
        assert 0.3 < info.gap < PATIENCE
        assert len(way.posts.items) < asked + 20
        assert len(seen.of("disconnected")) == 1


@pytest.mark.fault(57)
@pytest.mark.parametrize("kind, body", PAGES)
def test_page_while_opening_fails_with_the_cause(kind: str, body: str) -> None:
    """No transport opens, the error says what came instead, and it comes at once."""
    with Way() as way:
        way.put_up(("200 OK", kind, body))
        began = time.monotonic()
        with CTI(endpoint=way.endpoint, cookie_auto=False) as cti:
            error = cti.create_session("tok").exception(PATIENCE)
        assert time.monotonic() - began < 9.0
        assert isinstance(error, ConnectionFailed)
        assert "All transports failed: Connection lost: a response" in error.message
        assert error.hint and "maintenance page" in error.hint
        assert type(error.__cause__).__name__ == "NotSockJS"
        assert [each.rpartition("/")[2] for each in way.posts.items] == ["xhr_streaming", "xhr"]


@pytest.mark.fault(57)
@pytest.mark.parametrize("transport", RECEIVERS)
def test_page_in_answer_to_a_command_ends_the_connection(transport: Transport) -> None:
    """A command that a login page has swallowed does not wait for its timeout."""
    with Way() as way, CTI(
        endpoint=way.endpoint, cookie_auto=False, transports=[transport],
    ) as cti:
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        way.send_page = ("200 OK", "text/html", "<html>Sign in</html>")
        cti.dial("33199020000", seen.callback())
        _, _, error, _ = seen.wait_for("callback")
        assert error.sent and "not SockJS" in error.hint
        seen.wait_for("disconnected")


@pytest.mark.slow
@pytest.mark.fault(58)
@pytest.mark.parametrize("transport", RECEIVERS)
@pytest.mark.parametrize("status", ["504 Gateway Timeout", "502 Bad Gateway", "200 OK"])
def test_gap_begins_before_the_request_that_a_proxy_held(
    transport: Transport, status: str
) -> None:
    """What happened while a request hung at a proxy is in the gap: neither the request that the
    proxy accepted, nor its own answer in the end, is a sign of life of the service."""
    with Way() as way, CTI(
        endpoint=way.endpoint, cookie_auto=False, transports=[transport],
        token_provider=lambda: "tok", backoff=QUICK,
    ) as cti:
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        way.push({"notify": "call", "call": {"callref": "c1", "state": "SETUP"}})
        seen.wait_for("setup")
        began = time.monotonic()
        way.may_answer.clear()
        way.put_up((status, "text/html", "<html>gateway</html>"))
        assert way.hanging.wait(PATIENCE)
        threading.Event().wait(1.0)
        way.may_answer.set()
        seen.wait_for("disconnected")
        way.take_down()
        _, info = seen.wait_for("restored")
        assert began + info.gap >= began + 1.0


def transports_asked(sim: Simulator, since: int) -> List[str]:
    """The transports that were tried, in order, each once."""
    names = {"websocket": "websocket", "xhr_streaming": "xhr-streaming", "xhr": "xhr-polling"}
    asked = [each.rpartition("/")[2] for each in sim.requested("/cti")[since:]]
    return list(dict.fromkeys(names[each] for each in asked if each in names))


@pytest.mark.fault(59)
def test_restore_begins_with_the_transport_that_carried_the_session(
    sim: Simulator, alice: Line
) -> None:
    """Where websockets are swallowed, a restore does not wait for them again; a new session of
    the program tries them all in the usual order."""
    sim.faults.refuse("websocket")
    with CTI(
        endpoint=sim.endpoint, cookie_auto=False, connect_timeout=10.0,
        token_provider=lambda: sim.token(alice), backoff=QUICK,
    ) as cti:
        seen = Seen(cti)
        cti.create_session(sim.token(alice)).result(PATIENCE)
        assert cti.transport == "xhr-streaming"
        sim.faults.let_through("websocket")
        sim.faults.stall("handshake")
        for count in (1, 2):
            since = len(sim.requested("/cti"))
            sim.faults.reset()
            _, info = seen.wait_for("restored", count)
            assert info.gap < 3.0
            assert transports_asked(sim, since) == ["xhr-streaming"]
        cti.destroy_session().result(PATIENCE)
        sim.faults.let_through("handshake")
        cti.create_session(sim.token(alice)).result(PATIENCE)
        assert cti.transport == "websocket"


@pytest.mark.fault(59)
def test_restore_falls_back_when_that_transport_fails(sim: Simulator, alice: Line) -> None:
    sim.faults.refuse("websocket", times=1)
    sim.faults.refuse("xhr_streaming", times=1)
    with CTI(
        endpoint=sim.endpoint, cookie_auto=False, token_provider=lambda: sim.token(alice),
        backoff=QUICK,
    ) as cti:
        seen = Seen(cti)
        cti.create_session(sim.token(alice)).result(PATIENCE)
        assert cti.transport == "xhr-polling"
        sim.faults.refuse("xhr")
        since = len(sim.requested("/cti"))
        sim.faults.reset()
        seen.wait_for("restored")
        assert cti.transport == "websocket"
        assert transports_asked(sim, since)[-2:] == ["xhr-polling", "websocket"]


@pytest.mark.fault(59)
def test_restore_of_the_program_begins_there_too(sim: Simulator, alice: Line) -> None:
    """So does a program that restores in its own handler."""
    sim.faults.refuse("websocket", times=1)
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        seen = Seen(cti)
        opened = cti.create_session(sim.token(alice)).result(PATIENCE)
        cti.on("disconnected", lambda: cti.restore_session(
            sim.token(alice), opened.session_id, seen.callback()))
        sim.faults.reset()
        assert seen.wait_for("callback")[2] is None
        assert cti.transport == "xhr-streaming"


@pytest.mark.fault(60)
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("seconds", [None, 7])
def test_service_that_is_down_says_so(
    sim: Simulator, alice: Line, status: int, seconds: Optional[int]
) -> None:
    """A service that is down or busy is not mistaken for a wrong endpoint."""
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    sim.faults.http("/cti/info", status, headers=headers, body="<html>")
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        error = cti.create_session(sim.token(alice)).exception(PATIENCE)
    assert isinstance(error, ConnectionFailed)
    assert f"status {status}: the service is down or busy" in error.message
    assert error.hint and "endpoint" not in error.hint and "try again" in error.hint
    assert error.retry_after == seconds
    assert seconds is None or "7 s" in error.hint


#: What breaks a session that is open.
BREAKS: Dict[str, Callable[[Simulator], object]] = {
    "nothing": lambda sim: None,
    "reset": lambda sim: sim.faults.reset(),
    "posts refused": lambda sim: sim.faults.refuse("xhr_send", 500),
    "closed": lambda sim: sim.faults.close(),
    "silent": lambda sim: sim.faults.silence(),
}


@pytest.mark.fault(63)
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    "broken", ["refused", "page", *BREAKS]
)
def test_names_of_sessions_stay_out_of_logs(
    sim: Simulator,
    alice: Line,
    caplog: pytest.LogCaptureFixture,
    transport: Transport,
    broken: str,
) -> None:
    """The name of a SockJS session commands a telephone. It is in no log, with every logger at
    DEBUG, and in no error, however the session goes."""
    caplog.set_level(logging.DEBUG)
    what = {"websocket": "websocket", **RECEIVERS}[transport]
    seen = Record()
    with CTI(
        endpoint=sim.endpoint, cookie_auto=False, transports=[transport], connect_timeout=2.0,
        timeout=2.0,
    ) as cti:
        if broken == "refused":
            sim.faults.refuse(what, 404)
        elif broken == "page":
            sim.faults.http_garbage("/cti/", "<html>")
        error = cti.create_session(sim.token(alice)).exception(PATIENCE)
        seen.add(error)
        if error is None and broken in BREAKS:
            BREAKS[broken](sim)
            seen.add(cti.ping().exception(PATIENCE))
            seen.add(cti)
    names: Set[str] = {each.split("/")[3] for each in sim.requested("/cti/")
                       if each.count("/") == 4}
    assert names and all(len(name) >= 16 for name in names) or broken == "page"
    errors = [each for each in seen.items if isinstance(each, Exception)]
    causes = [each.__cause__ for each in errors]
    shown = [caplog.text, *map(repr, [*seen.items, *causes]), *map(str, [*errors, *causes])]
    assert not [text for text in shown for name in names if name in text]
