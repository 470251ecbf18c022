"""What samples/PORTING.md lists under "All differences", on the side of Python: programs,
answers, values.

``test_differences_javascript.py`` shows the other side, and binds both to the table.
"""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import Future
from typing import Any, Callable, Dict, List

import pytest

from keyyo_cti import CTI, Call, ConnectionClosed, Keyyo, KeyyoError
from keyyo_cti.options import Options
from keyyo_cti.simulator.sockjs import Connection

from ..helpers.probe import PATIENCE, Record
from ..helpers.running import Running
from ..helpers.scripted_server import ScriptedServer, reply, session
from .agreeing import NOW, answered, connect, notification, push, settle

# The program and its threads.


@pytest.mark.difference(1)
def test_script_without_wait_ends_at_its_last_line(server: ScriptedServer) -> None:
    script = (
        "from keyyo_cti import CTI\n"
        f"cti = CTI(endpoint={server.endpoint!r}, cookie_auto=False)\n"
        "cti.create_session('token').result()\n"
        "print('last line')\n"
    )
    with Running("-c", script) as program:
        program.until("last line")
        assert program.end() == 0


@pytest.mark.difference(2)
def test_wait_dropped_without_handler_returns(server: ScriptedServer, cti: CTI) -> None:
    server.do(lambda connection: connection.close(3000, "Go away!"))
    assert cti.wait(PATIENCE)


@pytest.mark.difference(2)
def test_wait_closed_returns(cti: CTI) -> None:
    cti.onDisconnected = lambda: None
    threading.Timer(0.05, cti.close).start()
    assert cti.wait(PATIENCE)


@pytest.mark.difference(2)
def test_wait_dropped_with_a_handler_goes_on(server: ScriptedServer, cti: CTI) -> None:
    dropped = threading.Event()
    cti.onDisconnected = dropped.set
    server.do(lambda connection: connection.close(3000, "Go away!"))
    assert dropped.wait(PATIENCE)
    assert not cti.wait(0.2)


@pytest.mark.difference(4)
def test_methods_other_thread_while_handler_runs_are_answered(cti: CTI) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def handler(err: Any, res: Any) -> None:
        inside.set()
        assert go_on.wait(PATIENCE)

    cti.ping(handler)
    assert inside.wait(PATIENCE)
    assert cti.ping().result(PATIENCE) == 1 and cti.get_calls() == []
    go_on.set()


@pytest.mark.difference(5)
def test_timer_runs_in_its_own_thread_and_handlers_in_another(cti: CTI) -> None:
    names: Record = Record()
    timer = threading.Timer(0, lambda: names.add(threading.current_thread().name))
    timer.daemon = True
    timer.start()
    cti.ping(lambda err, res: names.add(threading.current_thread().name))
    assert len({*names.wait_for_count(2), threading.current_thread().name}) == 3


@pytest.mark.difference(5)
def test_asyncio_dispatch_handlers_and_timers_share_one_thread(server: ScriptedServer) -> None:
    async def main() -> List[int]:
        loop = asyncio.get_running_loop()
        threads: List[int] = []
        done = loop.create_future()

        def pinged(err: Any, res: Any) -> None:
            threads.append(threading.get_ident())
            done.set_result(None)

        with CTI(
            endpoint=server.endpoint, cookie_auto=False, dispatch=loop.call_soon_threadsafe
        ) as cti:
            await asyncio.wrap_future(cti.create_session("token"))
            loop.call_later(0, lambda: threads.append(threading.get_ident()))
            cti.ping(pinged)
            await asyncio.wait_for(done, PATIENCE)
        return threads

    assert set(asyncio.run(main())) == {threading.get_ident()}


@pytest.mark.difference(6)
def test_blocking_handler_delays_only_later_handlers(server: ScriptedServer, cti: CTI) -> None:
    go_on, order = threading.Event(), Record()

    def first(call: Call) -> None:
        assert go_on.wait(PATIENCE)
        order.add(call.callref)

    cti.onNewCall = first
    server.push(notification("SETUP", "a"), notification("SETUP", "b"))
    assert cti.ping().result(PATIENCE) == 1
    assert order.items == []
    go_on.set()
    assert order.wait_for_count(2) == ["a", "b"]


@pytest.mark.difference(8)
def test_times_are_seconds() -> None:
    assert (Options().timeout, Options().ping_interval, Options().heartbeat_timeout) == (
        30, 300, 60
    )


# Methods and answers.


@pytest.mark.difference(9)
def test_method_returns_a_future(cti: CTI) -> None:
    future = cti.dial("33172587948")
    assert isinstance(future, Future) and future.result(PATIENCE) == 1


@pytest.mark.difference(10)
def test_result_may_come_before_the_handlers_of_earlier_events(cti: CTI) -> None:
    go_on, handled = threading.Event(), threading.Event()

    def on_new_call(call: Call) -> None:
        assert go_on.wait(PATIENCE)
        handled.set()

    cti.onNewCall = on_new_call
    assert cti.dial("33172587948").result(PATIENCE) == 1
    assert not handled.is_set()
    go_on.set()
    assert handled.wait(PATIENCE)


@pytest.mark.difference(10)
def test_state_outside_handlers_is_the_latest_received(cti: CTI) -> None:
    go_on = threading.Event()
    # The event thread is held up, so that it handles the notification later.
    cti.ping(lambda err, res: go_on.wait(PATIENCE))
    assert cti.dial("33172587948").result(PATIENCE) == 1
    known = [(call.callref, call.state) for call in cti.get_calls()]
    go_on.set()
    assert known == [("dialled", "SETUP")]


@pytest.mark.difference(10)
def test_state_inside_a_handler_is_that_of_its_event(server: ScriptedServer, cti: CTI) -> None:
    seen: List[Any] = []

    def on_new_call(call: Call) -> None:
        # Its answer comes after both notifications.
        assert cti.ping().result(PATIENCE) == 1
        seen.append((call.state, [each.state for each in cti.get_calls()]))

    cti.onNewCall = on_new_call
    push(server, cti, notification("SETUP"), notification("CONNECT"))
    assert seen == [("SETUP", ["SETUP"]), ("CONNECT", ["CONNECT"])]
    assert cti.get_calls()[0].state == "CONNECT"


@pytest.mark.difference(11)
def test_callback_left_out_is_no_error(cti: CTI, caplog: pytest.LogCaptureFixture) -> None:
    cti.dial("33172587948").result(PATIENCE)
    settle(cti)
    assert [record for record in caplog.records if record.name == "keyyo_cti"] == []


@pytest.mark.difference(12)
@pytest.mark.parametrize("handler", [lambda: None, lambda call, more: None])
def test_handler_wrong_number_of_arguments_is_a_type_error(
    server: ScriptedServer, cti: CTI, handler: Callable[..., object]
) -> None:
    raised = Record()
    cti.onError = raised.add
    cti.onNewCall = handler
    push(server, cti, notification("SETUP"))
    assert [type(error) for error in raised.items] == [TypeError]


@pytest.mark.difference(13)
@pytest.mark.parametrize(
    "act",
    [
        lambda cti, callback: cti.dial("", callback),
        lambda cti, callback: cti.dial(33172587948, callback),
        lambda cti, callback: cti.set_auto_answer(1, callback),
        lambda cti, callback: cti.get_call("c1").park("somebody", callback),
        lambda cti, callback: cti.get_call("c1").park("caller", "3", callback),
        lambda cti, callback: cti.get_call("c1").supervised_transfer(
            "caller", "33172587949", "30", callback
        ),
    ],
)
def test_wrong_value_is_answered_and_not_sent(
    server: ScriptedServer, cti: CTI, act: Callable[..., object]
) -> None:
    push(server, cti, notification("SETUP"))
    sent = len(server.received.items)
    err, res = answered(lambda callback: act(cti, callback))
    assert (err.status_code, err.error_code, res) == (400, "invalid_params", None)
    assert len(server.received.items) == sent


@pytest.mark.difference(14)
def test_no_answer_is_a_command_timeout() -> None:
    def silent_about_ping(connection: Connection, command: Dict[str, Any]) -> None:
        if command["action"] != "ping":
            session(connection, command)

    with ScriptedServer(silent_about_ping) as server, connect(server, timeout=0.2) as cti:
        err, res = answered(cti.ping)
        assert (err.status_code, err.error_code, res) == (408, "timeout", None)


@pytest.mark.difference(15)
def test_err_is_an_exception_with_the_same_fields() -> None:
    def refuse(connection: Connection, command: Dict[str, Any]) -> None:
        error = {"status_code": 400, "message": "Cannot treat action"}
        connection.send(json.dumps({"id": command["id"], "error": error}))

    with ScriptedServer(refuse) as server:
        with CTI(endpoint=server.endpoint, cookie_auto=False) as cti:
            with pytest.raises(KeyyoError) as raised:
                cti.create_session("token").result(PATIENCE)
    err = raised.value
    assert (err.status_code, err.message, err.error_code) == (400, "Cannot treat action", None)


@pytest.mark.difference(16)
def test_command_without_a_connection_opens_none(server: ScriptedServer) -> None:
    with CTI(endpoint=server.endpoint, cookie_auto=False) as cti:
        err, res = answered(cti.ping)
    assert isinstance(err, ConnectionClosed) and err.hint and res is None
    assert server.connections == []


@pytest.mark.difference(17)
def test_connection_closed_tells_if_the_command_was_sent() -> None:
    def silent_about_ping(connection: Connection, command: Dict[str, Any]) -> None:
        if command["action"] != "ping":
            session(connection, command)

    with ScriptedServer(silent_about_ping) as server, connect(server) as cti:
        future = cti.ping()
        server.received.wait_for_count(2)
        server.do(lambda connection: connection.close(3000, "Go away!"))
        lost = future.exception(PATIENCE)
        never = cti.ping().exception(PATIENCE)
        assert isinstance(lost, ConnectionClosed) and isinstance(never, ConnectionClosed)
        assert (lost.message, lost.sent, never.sent) == ("Connexion closed", True, False)
        assert len(server.received.items) == 2


@pytest.mark.difference(18)
def test_null_result_is_false_and_not_none() -> None:
    def null(connection: Connection, command: Dict[str, Any]) -> None:
        if command["action"] == "ping":
            reply(connection, command, None)
        else:
            session(connection, command)

    with ScriptedServer(null) as server, connect(server) as cti:
        err, res = answered(cti.ping)
        assert err is None and res is not None and not res


# Values.


@pytest.mark.difference(19)
def test_unknown_attribute_raises_and_a_documented_one_is_none(
    server: ScriptedServer, cti: CTI
) -> None:
    push(server, cti, notification("SETUP"))
    call = cti.get_calls()[0]
    assert (call.connect_date, call.callpark_slot) == (None, None)
    with pytest.raises(AttributeError):
        getattr(call, "weather")


@pytest.mark.difference(20)
def test_attributes_of_a_cti_are_there(cti: CTI) -> None:
    assert (cti.connected, cti.number, cti.session_id) == (True, "33199000001", "s-1")
    assert not hasattr(Keyyo, "CSB")
    cti.close()
    assert cti.connected is False


@pytest.mark.difference(21)
def test_type_is_the_state(server: ScriptedServer, cti: CTI) -> None:
    push(server, cti, notification("RELEASE"))
    assert cti.get_calls()[0].type == cti.get_calls()[0].state == "RELEASE"


@pytest.mark.difference(22)
def test_date_is_no_attribute_and_its_value_is_at_hand(server: ScriptedServer, cti: CTI) -> None:
    push(server, cti, notification("RELEASE", setup_date=NOW, release_date=NOW + 5))
    call = cti.get_calls()[0]
    assert "date" not in call and not hasattr(call, "date")
    assert (call.connect_date or call.setup_date) == NOW


@pytest.mark.difference(23)
def test_unknown_option_or_event_raises_at_once(cti: CTI) -> None:
    options: Dict[str, Any] = {"cookie_nam": "a"}
    with pytest.raises(TypeError, match="cookie_nam"):
        CTI(options)
    with pytest.raises(AttributeError, match="onNewcall"):
        setattr(cti, "onNewcall", print)
    with pytest.raises(TypeError, match="newcall"):
        cti.on("newcall", print)


@pytest.mark.difference(24)
@pytest.mark.parametrize("value", [None, "30", 0])
@pytest.mark.parametrize("name", ["cookie_expires", "cookie_auto", "ping_auto", "timeout"])
def test_option_null_text_or_zero_is_a_type_error(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=name):
        CTI({name: value})


@pytest.mark.difference(25)
def test_printed_result_hides_the_session_id(server: ScriptedServer) -> None:
    with CTI(endpoint=server.endpoint, cookie_auto=False) as cti:
        res = cti.create_session("token").result(PATIENCE)
    assert "s-1" not in f"{res} {res!r} {cti!r}" and "<hidden>" in repr(res)
    assert res.session_id == "s-1"


@pytest.mark.difference(26)
def test_durations_run_on_the_servers_clock(server: ScriptedServer, cti: CTI) -> None:
    """The server's clock stands years before the machine's."""
    push(server, cti, notification("CONNECT", setup_date=NOW - 30, connect_date=NOW - 20))
    call = cti.get_calls()[0]
    assert call.get_ringing_duration() == 10
    assert 19 <= call.get_duration() < 19 + PATIENCE
