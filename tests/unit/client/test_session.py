"""The session: what each answer of the server makes of it."""

from __future__ import annotations

import http.cookiejar
import logging
from pathlib import Path
from typing import Any, Callable, List, Optional

import pytest

from keyyo_cti import CTI
from keyyo_cti._client import wire
from keyyo_cti._client.server_clock import ServerClock
from keyyo_cti._client.session import Session, explain_token, make_cookie, make_reaction
from keyyo_cti._client.session_store import FileCookie, JarCookie
from keyyo_cti._client.wire import create_session
from keyyo_cti._net import redaction
from keyyo_cti.errors import CommandTimeout, ConnectionClosed, KeyyoError, from_server
from keyyo_cti.options import Options
from keyyo_cti.results import Result, wrap

CREATED = wrap({"number": "33", "now": 1000, "session_id": "CANARY-id"})
RESTORED = wrap({"number": "33", "now": 2000})


class FakeCookie:
    """A cookie that can be told to fail."""

    def __init__(self, session_id: Optional[str] = None, fails: bool = False) -> None:
        self.session_id = session_id
        self.fails = fails

    def load(self) -> Optional[str]:
        self._fail()
        return self.session_id

    def save(self, session_id: str) -> None:
        self._fail()
        self.session_id = session_id

    def delete(self) -> None:
        self._fail()
        self.session_id = None

    def _fail(self) -> None:
        if self.fails:
            raise OSError("cookie file x: disk on fire")


def stopped() -> float:
    return 0.0


@pytest.fixture
def clock() -> ServerClock:
    return ServerClock(stopped, stopped)


def test_at_first(clock: ServerClock) -> None:
    """At first there is no session, and without a cookie none is remembered."""
    session = Session(None, clock)
    assert (session.number, session.session_id) == (None, None)
    assert session.load_session_id() is None


def test_created(clock: ServerClock) -> None:
    """A new session is known by its id, kept in the cookie, and sets the clock."""
    cookie = FakeCookie()
    session = Session(cookie, clock)
    session.on_create(None, CREATED)
    assert session.number == "33"
    assert session.session_id == cookie.session_id == session.load_session_id() == "CANARY-id"
    assert int(clock.now()) == 1000


def test_created_without_a_cookie(clock: ServerClock) -> None:
    """Without a cookie the id is known all the same."""
    session = Session(None, clock)
    session.on_create(None, CREATED)
    assert session.session_id == "CANARY-id"


def test_not_created(clock: ServerClock) -> None:
    """A refused session changes nothing."""
    cookie = FakeCookie("old")
    session = Session(cookie, clock)
    session.on_create(from_server({"status_code": 401, "message": "Invalid token"}), None)
    assert (session.session_id, cookie.session_id) == (None, "old")


@pytest.mark.parametrize(
    "result",
    [{}, {"session_id": 3}, {"session_id": None}, {"number": [], "now": "x"}, [], 1, "", None],
)
def test_strange_answer(clock: ServerClock, result: Any) -> None:
    """Whatever the server answers is taken, and only a string is kept as the session's id."""
    cookie = FakeCookie("old")
    session = Session(cookie, clock)
    session.on_create(None, wrap(result))
    assert cookie.session_id == "old"


def test_empty_cookie_holds_no_session(clock: ServerClock) -> None:
    """A cookie without a value is none, so that a restore asks as at a first start."""
    assert Session(FakeCookie(""), clock).load_session_id() is None


@pytest.mark.parametrize("session_id", [None, "id"])
def test_restored(clock: ServerClock, session_id: Optional[str]) -> None:
    """A restored session has the id that it was asked with, and the cookie stays."""
    cookie = FakeCookie("id")
    session = Session(cookie, clock)
    assert session.on_restore("token", session_id)(None, RESTORED) is None
    assert session.number == "33"
    assert (session.session_id, cookie.session_id) == (session_id, "id")
    assert int(clock.now()) == 2000


GONE = [
    from_server({"status_code": 401, "message": "Unknown session_id"}),
    from_server({"status_code": 400, "message": "RPC invalid params"}),
]


@pytest.mark.parametrize("error", GONE, ids=str)
def test_fall_back(clock: ServerClock, error: KeyyoError) -> None:
    """With a cookie, a session that is gone is replaced by a new one with the same token, whose
    id is kept."""
    cookie = FakeCookie("old")
    session = Session(cookie, clock)
    react = session.on_restore("token", "old")
    assert react(error, None) == create_session("token")
    assert react(None, CREATED) is None
    assert session.session_id == cookie.session_id == "CANARY-id"


@pytest.mark.parametrize("error", GONE, ids=str)
def test_fall_back_once(clock: ServerClock, error: KeyyoError) -> None:
    """If the new one is refused too, that is the answer."""
    session = Session(FakeCookie("old"), clock)
    react = session.on_restore("token", "old")
    assert react(error, None) is not None
    assert react(error, None) is None


@pytest.mark.parametrize("error", GONE, ids=str)
def test_each_restore_may_fall_back(clock: ServerClock, error: KeyyoError) -> None:
    """A later restore may fall back again."""
    session = Session(FakeCookie("old"), clock)
    for _ in range(2):
        assert session.on_restore("token", "old")(error, None) is not None


@pytest.mark.parametrize("error", GONE, ids=str)
def test_no_fall_back_without_a_cookie(clock: ServerClock, error: KeyyoError) -> None:
    """Without cookie_auto the error is the answer, as in JavaScript."""
    session = Session(None, clock)
    assert session.on_restore("token", "old")(error, None) is None


@pytest.mark.parametrize(
    "error",
    [
        from_server({"status_code": 401, "message": "Invalid token"}),
        from_server({"status_code": 400, "message": "Unknown session_id"}),
        from_server({"status_code": 401, "message": "RPC invalid params"}),
        from_server({"status_code": 400, "message": "Malformed request"}),
        from_server({"status_code": 500, "message": "RPC invalid params"}),
        CommandTimeout("restore_session", 30),
        ConnectionClosed(sent=True),
        ConnectionClosed(sent=False),
    ],
    ids=str,
)
def test_other_errors(clock: ServerClock, error: KeyyoError) -> None:
    """On any other error nothing falls back, and the cookie stays."""
    cookie = FakeCookie("old")
    session = Session(cookie, clock)
    assert session.on_restore("token", "old")(error, None) is None
    assert (session.session_id, cookie.session_id) == (None, "old")


def test_destroyed(clock: ServerClock) -> None:
    """A destroyed session is forgotten, and its cookie too."""
    cookie = FakeCookie()
    session = Session(cookie, clock)
    session.on_create(None, CREATED)
    session.on_destroy()
    assert (session.session_id, cookie.session_id) == (None, None)


def test_destroyed_without_a_cookie(clock: ServerClock) -> None:
    """Without a cookie there is nothing else to forget."""
    session = Session(None, clock)
    session.on_create(None, CREATED)
    session.on_destroy()
    assert session.session_id is None


def test_cookie_that_fails(clock: ServerClock, caplog: pytest.LogCaptureFixture) -> None:
    """A cookie that cannot be kept, read or removed is a warning and no more, without the id."""
    session = Session(FakeCookie(fails=True), clock)
    with caplog.at_level(logging.DEBUG, "keyyo_cti"):
        session.on_create(None, CREATED)
        assert session.load_session_id() is None
        session.on_destroy()
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 3
    assert "disk on fire" in caplog.text
    assert "CANARY" not in caplog.text


def test_session_id_that_no_file_can_keep(tmp_path: Path, clock: ServerClock) -> None:
    """A session id that the cookie file cannot hold costs the cookie, not the session."""
    session = Session(FileCookie(tmp_path / "f", "https://host/cti", "a", 1), clock)
    session.on_create(None, wrap({"session_id": "\ud800"}))
    assert session.session_id == "\ud800"


def test_repr(clock: ServerClock) -> None:
    """A session that is printed shows no secret."""
    session = Session(FakeCookie(), clock)
    session.on_create(None, CREATED)
    assert "CANARY" not in f"{session} {session!r}"


def test_repr_of_a_cti() -> None:
    """Nor does the CTI whose session it is."""
    cti = CTI(cookie_auto=False)
    cti._client.session.on_create(None, CREATED)
    assert cti.session_id == "CANARY-id"
    assert "CANARY" not in f"{cti} {cti!r}"
    assert repr(cti) == "<CTI 33, not connected>"


def test_no_secret_is_logged(clock: ServerClock, caplog: pytest.LogCaptureFixture) -> None:
    """At level DEBUG, a session's whole life logs no secret."""
    with caplog.at_level(logging.DEBUG):
        session = Session(FakeCookie("CANARY-old"), clock)
        react = session.on_restore("CANARY-token", session.load_session_id())
        react(GONE[0], None)
        react(None, CREATED)
        session.on_destroy()
    assert "CANARY" not in caplog.text


def test_which_cookie(tmp_path: Path) -> None:
    """The cookie is where the options say: nowhere, in the jar, in the file, or in the default
    file."""
    jar = http.cookiejar.CookieJar()
    assert make_cookie(Options(cookie_auto=False, cookie_jar=jar)) is None
    cookies: List[Any] = [
        make_cookie(Options(cookie_jar=jar)),
        make_cookie(Options(cookie_file=str(tmp_path / "f"))),
        make_cookie(Options(cookie_file=tmp_path / "f")),
        make_cookie(Options()),
    ]
    assert [type(cookie) for cookie in cookies] == [JarCookie, FileCookie, FileCookie, FileCookie]
    cookies[0].save("in the jar")
    assert [cookie.value for cookie in jar] == ["in the jar"]
    cookies[1].save("in the file")
    assert cookies[2].load() == "in the file"


class Chain:
    """The commands that bring a session back, and what they told."""

    def __init__(self, session: Session) -> None:
        self.recreated: List[None] = []
        self.reported: List[KeyyoError] = []
        steps = session.plan_restore(
            "tok", lambda: self.recreated.append(None), self.reported.append
        )
        self.first = next(steps)
        self.answer = make_reaction(steps)


def test_reopened(clock: ServerClock) -> None:
    """A lost session is asked for by its id, and that is all when the server has it."""
    session = Session(FakeCookie(), clock)
    session.on_create(None, CREATED)
    session.settings.record(wire.subscribe("33199000002"), 1)
    chain = Chain(session)
    assert chain.first == wire.restore_session("tok", "CANARY-id")
    assert chain.answer(None, Result({"number": "34", "now": 3000})) is None
    assert (session.session_id, session.number, int(clock.now())) == ("CANARY-id", "34", 3000)
    assert (chain.recreated, chain.reported) == ([], [])


def test_session_id_in_use_stays_hidden_however_many_secrets_there_were(
    clock: ServerClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redaction, "_MAX_SECRETS", 2)
    session = Session(None, clock)
    session.on_create(None, CREATED)
    for number in range(3):
        redaction.hide(f"another secret {number}")
        Chain(session)
    assert redaction.redact("CANARY-id") != "CANARY-id"


@pytest.mark.parametrize("with_cookie", [True, False])
@pytest.mark.parametrize("error", GONE, ids=str)
def test_recreated(clock: ServerClock, error: KeyyoError, with_cookie: bool) -> None:
    """One that the server has not is replaced, cookie or not, by one with the same auto-answer
    and the same subscriptions; what it refuses of them is told, and does not stop the rest."""
    cookie = FakeCookie() if with_cookie else None
    session = Session(cookie, clock)
    session.on_create(None, CREATED)
    session.settings.record(wire.set_auto_answer(False), 1)
    for number in ("33199000002", "33199000003"):
        session.settings.record(wire.subscribe(number), 1)
    chain = Chain(session)
    assert chain.answer(error, None) == wire.create_session("tok", False)
    new = Result({"number": "33", "now": 2000, "session_id": "CANARY-new"})
    assert chain.answer(None, new) == wire.subscribe("33199000002")
    assert chain.recreated == [None]
    refusal = from_server({"status_code": 400, "message": "no"})
    assert chain.answer(refusal, None) == wire.subscribe("33199000003")
    assert chain.answer(None, 1) is None
    assert chain.reported == [refusal]
    assert session.session_id == "CANARY-new"
    if cookie is not None:
        assert cookie.session_id == "CANARY-new"


def test_recreation_that_is_cut_off(clock: ServerClock) -> None:
    """When the connection goes before all is asked again, the next attempt goes on there."""
    session = Session(None, clock)
    session.on_create(None, CREATED)
    for number in ("33199000002", "33199000003"):
        session.settings.record(wire.subscribe(number), 1)
    chain = Chain(session)
    chain.answer(GONE[0], None)
    assert chain.answer(None, CREATED) == wire.subscribe("33199000002")
    assert chain.answer(None, 1) == wire.subscribe("33199000003")
    assert chain.answer(ConnectionClosed(sent=True), None) is None
    chain = Chain(session)
    assert chain.answer(None, RESTORED) == wire.subscribe("33199000003")
    assert chain.answer(None, 1) is None
    assert (chain.recreated, chain.reported) == ([], [])


@pytest.mark.parametrize(
    "error",
    [
        ConnectionClosed(sent=True),
        CommandTimeout("restore_session", 30),
        from_server({"status_code": 400, "message": "Invalid token"}),
        from_server({"status_code": 500, "message": "Internal error"}),
    ],
    ids=str,
)
def test_attempt_that_fails(clock: ServerClock, error: KeyyoError) -> None:
    """Whatever else is answered ends the attempt, and the session stays what it was."""
    session = Session(None, clock)
    session.on_create(None, CREATED)
    chain = Chain(session)
    assert chain.answer(error, None) is None
    assert session.session_id == "CANARY-id"
    chain = Chain(session)
    assert chain.answer(GONE[0], None) is not None
    assert chain.answer(error, None) is None
    assert (session.session_id, chain.recreated, chain.reported) == ("CANARY-id", [], [])


def test_session_without_an_id(clock: ServerClock) -> None:
    """A session whose id nobody told is replaced at once."""
    session = Session(None, clock)
    session.on_create(None, Result({"number": "33"}))
    assert Chain(session).first == wire.create_session("tok")


@pytest.mark.fault(69)
@pytest.mark.parametrize("command", [wire.create_session, wire.restore_session])
@pytest.mark.parametrize("token", ["tok\n", " tok", "tok\t"])
@pytest.mark.parametrize("message", ["Invalid token, unknown", "RPC invalid params"])
def test_refused_token_with_white_space(
    command: Callable[[str], wire.Command], token: str, message: str
) -> None:
    """The hint says that white space is at the ends of a refused token, and shows no token."""
    asked = command(token)
    assert asked.fields["token"] == token, "JavaScript sends it as it is"
    error = from_server({"status_code": 400, "message": message})
    explain_token(error, asked)
    assert error.hint and error.hint.startswith("the token has white space at its ends")
    assert "tok\t" not in str(error)


def test_other_refusals_are_not_about_white_space() -> None:
    """A good token, another command, and a lost connection are not explained so."""
    for error, command in (
        (from_server({"message": "Invalid token"}), wire.create_session("tok")),
        (from_server({"message": "Invalid token"}), wire.dial(" 33199020000 ")),
        (ConnectionClosed(sent=True), wire.create_session("tok\n")),
        (CommandTimeout("create_session", 30), wire.create_session("tok\n")),
    ):
        hint = error.hint
        explain_token(error, command)
        assert error.hint == hint
