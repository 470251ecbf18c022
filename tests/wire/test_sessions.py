"""Sessions against the simulator: create, restore, destroy, the cookie, close and wait."""

import operator
import os
import threading
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

from keyyo_cti import CTI, KeyyoError
from keyyo_cti.simulator import Line, ManualClock, Simulator

from ..helpers.probe import PATIENCE, Record, Seen
from ..helpers.scripted_server import ScriptedServer, reply, session

pytestmark = pytest.mark.usefixtures("transport")


def test_create_and_destroy(sim: Simulator, alice: Line) -> None:
    """create_session connects; destroy_session ends the session and the connection, without
    ``disconnected``, and the CTI can create another."""
    cti = CTI(endpoint=sim.endpoint)
    seen = Seen(cti)
    assert not cti.connected and not cti.session_exists()
    result = cti.create_session(sim.token(alice)).result(PATIENCE)
    assert cti.connected and cti.number == result["number"] == "33199000001"
    assert cti.session_id == result.session_id and cti.session_exists()
    assert cti.destroy_session(seen.callback("destroy")).result(PATIENCE) == 1
    assert not cti.connected and cti.session_id is None and not cti.session_exists()
    assert cti.wait(PATIENCE)
    assert sim.sessions() == []
    assert [item[0] for item in seen.items] == ["callback"]
    cti.create_session(sim.token(alice)).result(PATIENCE)
    assert cti.connected
    cti.close()


def test_session_in_the_callback_of_destroy(sim: Simulator, alice: Line) -> None:
    """A session asked for in the callback of destroy_session opens a connection of its own."""
    with CTI(endpoint=sim.endpoint) as cti:
        seen = Seen(cti)
        token = sim.token(alice)
        cti.create_session(token).result(PATIENCE)
        cti.destroy_session(lambda err, res: cti.create_session(token, seen.callback("again")))
        assert seen.wait_for("callback")[2] is None
        assert cti.connected and not cti.wait(0.01)
        assert len(sim.sessions()) == 1


def test_restore_in_another_run(sim: Simulator, alice: Line, tmp_path: Path) -> None:
    """What a program that ends leaves in the cookie file, the next run restores, with its
    subscriptions."""
    sim.line("33199000002")
    with CTI(endpoint=sim.endpoint, cookie_file=tmp_path / "s") as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        cti.subscribe("33199000002").result(PATIENCE)
    assert os.stat(tmp_path / "s").st_mode & 0o777 == 0o600
    with CTI(endpoint=sim.endpoint, cookie_file=str(tmp_path / "s")) as cti:
        assert cti.session_exists()
        assert cti.restore_session(sim.token(alice)).result(PATIENCE).number == "33199000001"
        numbers = cti.get_subscriptions().result(PATIENCE).numbers
        assert numbers == ["33199000001", "33199000002"]
        assert cti.destroy_session().result(PATIENCE) == 1
    assert not CTI(endpoint=sim.endpoint, cookie_file=tmp_path / "s").session_exists()


def test_restore_after_a_drop(sim: Simulator, alice: Line) -> None:
    """A dropped connection is told once; restore_session in the handler goes on with the same
    session, whose calls are told again."""
    with CTI(endpoint=sim.endpoint) as cti:
        seen = Seen(cti)
        token = sim.token(alice)
        cti.create_session(token).result(PATIENCE)
        sim.phone("33199020000").call(alice)
        seen.wait_for("setup")
        (call,) = cti.get_calls()
        cti.on("disconnected", lambda: cti.restore_session(token, seen.callback("restored")))
        sim.faults.reset()
        assert seen.wait_for("callback")[2] is None
        seen.wait_for("setup", 2)
        assert cti.connected and cti.get_calls() == [call]
        assert len(seen.of("disconnected")) == 1 and len(sim.sessions()) == 1


def test_restore_of_a_session_that_is_gone() -> None:
    """After five minutes without a connection the session is gone: restore_session makes a new
    one with cookies, and fails with 401 without."""
    with Simulator(clock=ManualClock()) as sim:
        line = sim.line("33199000001")
        jar = CookieJar()
        with CTI(endpoint=sim.endpoint, cookie_jar=jar) as cti:
            old = cti.create_session(sim.token(line)).result(PATIENCE).session_id
        sim.wait_for_session(line, counter=0)
        sim.elapse(301)
        with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
            error = cti.restore_session(sim.token(line), old).exception(PATIENCE)
            assert isinstance(error, KeyyoError)
            assert (error.status_code, error.error_code) == (401, "invalid_session_id")
        with CTI(endpoint=sim.endpoint, cookie_jar=jar) as cti:
            new = cti.restore_session(sim.token(line)).result(PATIENCE).session_id
        assert new and new != old
        assert {cookie.value for cookie in jar} == {new}


@pytest.mark.fault(37)
def test_restore_without_a_cookie_creates_a_session(sim: Simulator, alice: Line) -> None:
    """A page that always restores works at its first start too: the service refuses the null, and
    the SDK creates a session, whose id the second start finds in the cookie."""
    jar = CookieJar()
    session_ids = []
    for start in range(2):
        with CTI(endpoint=sim.endpoint, cookie_jar=jar) as cti:
            assert cti.restore_session(sim.token(alice)).result(PATIENCE).number == alice.number
            session_ids.append(cti.session_id)
            assert cti.connected and cti.session_exists()
    actions = [command["action"] for command in sim.received()]
    assert actions == ["restore_session", "create_session", "restore_session"]
    assert session_ids[0] is not None and session_ids[0] == session_ids[1]


def test_restore_without_cookies_and_an_id_leaves_it_out(sim: Simulator, alice: Line) -> None:
    """Without cookies nothing falls back: the missing session id is the answer."""
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        error = cti.restore_session(sim.token(alice)).exception(PATIENCE)
        assert isinstance(error, KeyyoError)
        assert (error.status_code, error.error_code) == (400, "missing_parameter")


@pytest.mark.parametrize("cookie_auto", [True, False])
def test_empty_token_is_the_servers_to_judge(sim: Simulator, cookie_auto: bool) -> None:
    """An empty token is sent, and the answer has the code that programs branch on."""
    with CTI(endpoint=sim.endpoint, cookie_auto=cookie_auto) as cti:
        for future in (cti.create_session(""), cti.restore_session("", "s-1")):
            error = future.exception(PATIENCE)
            assert isinstance(error, KeyyoError)
            assert (error.status_code, error.error_code) == (400, "invalid_csi_token")


def test_empty_session_id_is_the_servers_to_judge(sim: Simulator, alice: Line) -> None:
    """An empty session id is sent: 401 without cookies, and a new session with them."""
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        error = cti.restore_session(sim.token(alice), "").exception(PATIENCE)
        assert isinstance(error, KeyyoError)
        assert (error.status_code, error.error_code) == (401, "invalid_session_id")
    with CTI(endpoint=sim.endpoint) as cti:
        assert cti.restore_session(sim.token(alice), "").result(PATIENCE).session_id


def test_session_exists_without_cookies_is_false(sim: Simulator, alice: Line) -> None:
    """Without cookies restore_session(token) has no id to send, so there is no session to it:
    neither while connected nor after a drop."""
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        seen = Seen(cti)
        cti.create_session(sim.token(alice)).result(PATIENCE)
        assert cti.session_id and not cti.session_exists()
        sim.faults.drop()
        seen.wait_for("disconnected")
        assert cti.session_id and not cti.session_exists()


def test_session_exists_after_another_program_destroyed_it_is_false(
    sim: Simulator, alice: Line
) -> None:
    """Another program that destroys the shared session deletes the shared cookie."""
    with CTI(endpoint=sim.endpoint) as one, CTI(endpoint=sim.endpoint) as two:
        seen = Seen(one)
        one.create_session(sim.token(alice)).result(PATIENCE)
        two.restore_session(sim.token(alice)).result(PATIENCE)
        assert one.session_exists() and two.session_exists()
        two.destroy_session().result(PATIENCE)
        seen.wait_for("disconnected")
        assert one.session_id and not one.session_exists()


def test_session_exists_after_the_cookie_expired_is_false(sim: Simulator, alice: Line) -> None:
    """A cookie that expires while the session is open holds no session any more."""
    jar = CookieJar()
    with CTI(endpoint=sim.endpoint, cookie_jar=jar) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        assert cti.session_exists()
        for cookie in jar:
            cookie.expires = 1
        assert cti.connected and cti.session_id and not cti.session_exists()


def test_failed_fallback_is_told_once() -> None:
    """A restore whose fallback is refused too is answered once, with that error."""

    def answer(connection: Any, command: Any) -> None:
        connection.send(
            '{"id": %d, "error": {"status_code": 400, "message": "RPC invalid params"}}'
            % command["id"]
        )

    with ScriptedServer(answer) as server, CTI(endpoint=server.endpoint) as cti:
        seen = Seen(cti)
        cti.restore_session("tok", "s-0", seen.callback())
        assert seen.wait_for("callback")[2].error_code == "invalid_params"
        assert cti.wait(PATIENCE)
        actions = [command["action"] for command in server.received.items]
    assert actions == ["restore_session", "create_session"]
    assert [item[0] for item in seen.items] == ["callback"]


def test_two_programs_in_one_session(sim: Simulator, alice: Line) -> None:
    """Two CTIs in one session both get its events, and one that leaves does not end it."""
    token = sim.token(alice)
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as one:
        session_id = one.create_session(token).result(PATIENCE).session_id
        with CTI(endpoint=sim.endpoint, cookie_auto=False) as two:
            two.restore_session(token, session_id).result(PATIENCE)
            seen = [Seen(one), Seen(two)]
            sim.phone("33199020000").call(alice)
            for each in seen:
                each.wait_for("setup")
        sim.wait_for_session(alice, counter=1)
        assert one.ping().result(PATIENCE) == 1


def test_cookie_that_cannot_be_kept(
    sim: Simulator, alice: Line, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A session file that cannot be written does not refuse the session; a warning names it."""
    (tmp_path / "broken").write_text("this is no database, and no secret either")
    with CTI(endpoint=sim.endpoint, cookie_file=tmp_path / "broken") as cti:
        assert cti.restore_session(sim.token(alice)).result(PATIENCE).session_id
        assert cti.create_session(sim.token(alice)).result(PATIENCE).session_id
        assert not cti.session_id or cti.session_id not in caplog.text
    assert str(tmp_path / "broken") in caplog.text


def test_wait(sim: Simulator, alice: Line) -> None:
    """wait() lasts as long as there is a connection: a time-out gives False; a drop, or a close
    in another thread, gives True."""
    with CTI(endpoint=sim.endpoint) as cti:
        assert cti.wait(0) and cti.wait(float("inf"))
        cti.create_session(sim.token(alice)).result(PATIENCE)
        assert not cti.wait(0.01)
        closer = threading.Thread(target=cti.close)
        closer.start()
        assert cti.wait(PATIENCE)
        closer.join(PATIENCE)
        cti.create_session(sim.token(alice)).result(PATIENCE)
        sim.faults.drop()
        assert cti.wait(PATIENCE) and not cti.connected


def test_wait_goes_on_when_a_handler_reconnects(sim: Simulator, alice: Line) -> None:
    """wait() does not return between a drop and the session that a handler opens for it."""
    token = sim.token(alice)
    with CTI(endpoint=sim.endpoint) as cti:
        connects = Record()
        cti.onDisconnected = lambda: cti.create_session(token, lambda e, r: connects.add(r))
        cti.create_session(token).result(PATIENCE)
        returned = threading.Event()

        def wait() -> None:
            cti.wait(PATIENCE)
            returned.set()

        waiter = threading.Thread(target=wait)
        waiter.start()
        for drop in range(5):
            sim.faults.drop()
            connects.wait_for_count(drop + 1)
            assert not returned.is_set()
        cti.onDisconnected = None
        sim.faults.drop()
        assert returned.wait(PATIENCE)
        waiter.join(PATIENCE)


def test_close_code_of_the_server(sim: Simulator, alice: Line) -> None:
    """A close frame of the server ends the connection, and its reason is in the hint of what
    waited."""
    sim.faults.ignore("ping")
    with CTI(endpoint=sim.endpoint) as cti:
        seen = Seen(cti)
        cti.create_session(sim.token(alice)).result(PATIENCE)
        future = cti.ping()
        sim.wait_for_action("ping")
        sim.faults.close(3000, "Go away!")
        assert "Go away!" in str(future.exception(PATIENCE))
        seen.wait_for("disconnected")


def test_refused_session_leaves_a_good_one_alone() -> None:
    """A second session that is refused on an open connection changes nothing for the first."""

    def answer(connection: Any, command: Any) -> None:
        if command.get("token") == "bad":
            connection.send(
                '{"id": %d, "error": {"status_code": 400, "message": "Invalid token"}}'
                % command["id"]
            )
        else:
            session(connection, command)

    with ScriptedServer(answer) as server, CTI(endpoint=server.endpoint) as cti:
        cti.create_session("good").result(PATIENCE)
        assert cti.create_session("bad").exception(PATIENCE) is not None
        assert cti.ping().result(PATIENCE) == 1 and cti.connected


def test_strange_answer_to_create() -> None:
    """A create_session that is answered with something else than an object still connects."""
    with ScriptedServer(reply) as server, CTI(endpoint=server.endpoint) as cti:
        assert operator.eq(cti.create_session("tok").result(PATIENCE), 1)
        assert cti.connected and cti.number is None and cti.session_id is None
        assert operator.eq(cti.restore_session("tok").result(PATIENCE), 1)


@pytest.mark.fault(69)
@pytest.mark.parametrize("method", ["create_session", "restore_session"])
def test_token_with_a_line_break(sim: Simulator, alice: Line, method: str) -> None:
    """A token with a line break goes out as it is; refused, the error says why."""
    with CTI(endpoint=sim.endpoint) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        error = getattr(cti, method)(sim.token(alice) + "\n").exception(PATIENCE)
    assert isinstance(error, KeyyoError) and error.error_code == "invalid_csi_token"
    assert error.hint and error.hint.startswith("the token has white space at its ends")
