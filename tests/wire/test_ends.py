"""How things end: how long wait() waits, and in which order commands are answered at an end."""

from __future__ import annotations

import threading
from functools import partial
from http.cookiejar import CookieJar
from typing import Any, Callable, Dict, List, Optional

import pytest

from keyyo_cti import CTI, ConnectionClosed
from keyyo_cti.simulator import Line, Simulator

from ..helpers.probe import PATIENCE, Record
from ..helpers.scripted_server import ScriptedServer, session

#: Seconds in which something that must not happen would have happened.
A_MOMENT = 0.3


class SlowJar(CookieJar):
    """A jar in which a deletion takes until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.clearing, self.go_on = threading.Event(), threading.Event()

    def clear(self, *arguments: Any) -> None:
        self.clearing.set()
        assert self.go_on.wait(PATIENCE)
        super().clear(*arguments)


@pytest.mark.fault(43)
@pytest.mark.promise(1)
@pytest.mark.usefixtures("transport")
def test_command_just_after_destroy_is_called_back_after_it(sim: Simulator, alice: Line) -> None:
    """Commands that are asked while the session's end is being completed, and while commands of
    before have no answer yet, are called back in the order asked, and their Futures too."""
    jar, order, done = SlowJar(), Record(), Record()
    with CTI(endpoint=sim.endpoint, cookie_jar=jar) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        sim.faults.ignore("ping", times=1)
        futures = []

        def ask(name: str, method: Callable[..., Any], *arguments: Any) -> None:
            future = method(*arguments, lambda err, res: order.add((name, err is None)))
            future.add_done_callback(lambda _: done.add(name))
            futures.append(future)

        ask("ping", cti.ping)
        ask("destroy", cti.destroy_session)
        assert jar.clearing.wait(PATIENCE) and not cti.connected
        ask("dial", cti.dial, "33199020000")
        ask("get_subscriptions", cti.get_subscriptions)
        assert not any(future.done() for future in futures)
        jar.go_on.set()
        expected = [
            ("destroy", True), ("ping", False), ("dial", False), ("get_subscriptions", False),
        ]
        assert order.wait_for_count(4) == expected
        assert done.wait_for_count(4) == [name for name, _ in expected]
        ask("later", cti.ping)
        assert order.wait_for_count(5)[-1] == ("later", False)


@pytest.mark.slow
@pytest.mark.fault(43)
@pytest.mark.promise(1)
@pytest.mark.usefixtures("transport")
@pytest.mark.parametrize("end", ["drop", "reset", "close", "destroy"])
def test_commands_around_an_end_are_called_back_in_order(end: str) -> None:
    """Commands that a thread goes on asking while the connection ends are called back in the
    order it asked them."""
    ends: Dict[str, Callable[[CTI, ScriptedServer], object]] = {
        "drop": lambda cti, server: server.do(lambda connection: connection.drop()),
        "reset": lambda cti, server: server.do(lambda connection: connection.reset()),
        "close": lambda cti, server: cti.close(),
        "destroy": lambda cti, server: cti.destroy_session(),
    }

    def answer(connection: Any, command: Any) -> None:
        # Some are never answered, and end with the connection.
        if command["action"] != "ping" or command["id"] % 3:
            session(connection, command)

    with ScriptedServer(answer) as server:
        for _ in range(4):
            order, failed, over = Record(), threading.Event(), threading.Event()
            count = [0]
            with CTI(endpoint=server.endpoint, cookie_auto=False) as cti:
                cti.create_session("tok").result(PATIENCE)

                def called(number: int, err: Any, res: Any) -> None:
                    order.items.append((number, getattr(err, "sent", None)))
                    if err is not None:
                        failed.set()

                def ask() -> None:
                    while not over.is_set() and count[0] < 5_000:
                        number = count[0]
                        count[0] += 1
                        cti.ping(partial(called, number))

                asker = threading.Thread(target=ask)
                asker.start()
                ends[end](cti, server)
                assert failed.wait(PATIENCE)
                over.set()
                asker.join(PATIENCE)
                cti.close()
            # Those that the server answered are ahead of those that it did not.
            failures = [number for number, sent in order.items if sent is not None]
            assert len(order.items) == count[0] and failures == sorted(failures)


@pytest.mark.fault(61)
@pytest.mark.usefixtures("transport")
def test_command_that_ends_with_the_connection_names_the_cause() -> None:
    """The error of a reset is behind that of each command without an answer."""
    asked = threading.Event()

    def answer(connection: Any, command: Any) -> None:
        if command["action"] == "ping":
            asked.set()
        else:
            session(connection, command)

    with ScriptedServer(answer) as server, CTI(endpoint=server.endpoint) as cti:
        cti.create_session("tok").result(PATIENCE)
        ping = cti.ping()
        assert asked.wait(PATIENCE)
        server.do(lambda connection: connection.reset())
        error = ping.exception(PATIENCE)
    assert isinstance(error, ConnectionClosed) and error.sent
    assert isinstance(error.__cause__, Exception)


@pytest.mark.slow
@pytest.mark.fault(42)
@pytest.mark.parametrize("dispatch", [None, "manual"], ids=["event thread", "polled"])
@pytest.mark.parametrize("how", ["attribute", "on", "addEventListener", "removes itself"])
def test_wait_after_a_handled_drop_goes_on_until_close(how: str, dispatch: Optional[str]) -> None:
    """After a drop that a handler was called for, wait() goes on, also over a session that a
    daemon timer opens later, until close()."""
    told = threading.Event()
    options: Dict[str, Any] = {"dispatch": dispatch}
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint, **options) as cti:

        def dropped() -> None:
            if how == "removes itself":
                cti.off("disconnected", dropped)
            told.set()

        if how == "attribute":
            cti.onDisconnected = dropped
        else:
            add = cti.addEventListener if how == "addEventListener" else cti.on
            add("disconnected", dropped)
        cti.create_session("tok").result(PATIENCE)
        server.do(lambda connection: connection.drop())
        assert not cti.wait(A_MOMENT) and told.is_set() and not cti.wait(0)
        timer = threading.Timer(0.05, lambda: cti.create_session("tok"))
        timer.daemon = True
        timer.start()
        closer = threading.Timer(A_MOMENT, cti.close)
        closer.start()
        assert cti.wait(PATIENCE) and cti.wait(0)
        timer.join(PATIENCE)
        closer.join(PATIENCE)
        assert len(server.connections) == 2


@pytest.mark.fault(42)
@pytest.mark.parametrize("dispatch", [None, "manual"], ids=["event thread", "polled"])
@pytest.mark.parametrize("handled", ["never", "other event", "removed before", "set after"])
def test_wait_after_an_unhandled_drop_returns(handled: str, dispatch: Optional[str]) -> None:
    """After a drop that no handler was called for, wait() returns at once."""
    options: Dict[str, Any] = {"dispatch": dispatch}
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint, **options) as cti:
        if handled == "other event":
            cti.onLost = cti.onNewCall = print
        if handled == "removed before":
            cti.on("disconnected", print)
            cti.off("disconnected", print)
            cti.onDisconnected = print
            cti.onDisconnected = None
        cti.create_session("tok").result(PATIENCE)
        server.do(lambda connection: connection.drop())
        assert cti.wait(PATIENCE)
        if handled == "set after":
            cti.onDisconnected = lambda: None
        assert cti.wait(0)


@pytest.mark.fault(42)
@pytest.mark.parametrize("end", ["destroy", "close", "refused"])
def test_wait_returns_at_each_end_that_was_asked_for(end: str) -> None:
    """wait() returns when the session is closed, destroyed or refused, whoever handles
    ``disconnected``, and also when a drop was handled before."""

    def answer(connection: Any, command: Any) -> None:
        if command.get("token") == "bad":
            error = '{"id": %d, "error": {"status_code": 401, "message": "Invalid token"}}'
            connection.send(error % command["id"])
        else:
            session(connection, command)

    with ScriptedServer(answer) as server, CTI(endpoint=server.endpoint) as cti:
        dropped = Record()
        cti.onDisconnected = lambda: dropped.add(1)
        if end != "refused":
            cti.create_session("tok").result(PATIENCE)
            server.do(lambda connection: connection.drop())
            dropped.wait_for_count(1)
            assert not cti.wait(0.05)
            cti.create_session("tok").result(PATIENCE)
        assert not cti.wait(0) or end == "refused"
        ends: Dict[str, Callable[[], object]] = {
            "destroy": cti.destroy_session,
            "close": cti.close,
            "refused": lambda: cti.create_session("bad"),
        }
        ends[end]()
        assert cti.wait(PATIENCE)
        assert len(dropped.items) == (0 if end == "refused" else 1)


@pytest.mark.fault(42)
@pytest.mark.parametrize("waits", [False, True], ids=["asks", "waits for it"])
def test_wait_over_a_session_that_the_handler_opens(waits: bool) -> None:
    """A session that a handler opens, or has opened, is waited for as the first; its end in
    destroy_session() ends the wait."""
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:
        opened = Record()

        def dropped() -> None:
            answer = cti.create_session("tok", lambda err, res: opened.add(err))
            if waits:
                answer.result(PATIENCE)

        cti.onDisconnected = dropped
        cti.create_session("tok").result(PATIENCE)
        server.do(lambda connection: connection.drop())
        assert opened.wait_for_count(1) == [None]
        assert not cti.wait(0.05)
        cti.destroy_session()
        assert cti.wait(PATIENCE)


@pytest.mark.fault(42)
def test_wait_after_close_in_the_handler_of_a_drop_returns() -> None:
    """close() in the handler of the drop itself ends the wait."""
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:
        cti.onDisconnected = cti.close
        cti.create_session("tok").result(PATIENCE)
        server.do(lambda connection: connection.drop())
        assert cti.wait(PATIENCE)


@pytest.mark.fault(42)
def test_wait_for_a_connection_that_cannot_be_opened(sim: Simulator) -> None:
    """A connection that could not be had is a drop too."""
    told: List[int] = []
    endpoint = sim.endpoint.replace("/cti", "/nothing")
    with CTI(endpoint=endpoint) as cti:
        cti.create_session("tok")
        assert cti.wait(PATIENCE)
        cti.onDisconnected = lambda: told.append(1)
        cti.create_session("tok")
        assert not cti.wait(A_MOMENT) and told == [1]
        cti.close()
        assert cti.wait(0)
