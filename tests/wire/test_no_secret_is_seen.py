"""From the consent to the call, through every failure: no secret is logged, shown, or in a URL."""

from __future__ import annotations

import json
import logging
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import pytest
import requests
import websocket

from keyyo_cti import CTI, KeyyoError
from keyyo_cti.account import Account
from keyyo_cti.backoff import Backoff
from keyyo_cti.diagnosis import diagnose
from keyyo_cti.manager import CSIToken, ManagerClient
from keyyo_cti.oauth2 import OAuth2
from keyyo_cti.simulator import Line, Simulator
from keyyo_cti.simulator.sockjs import Connection
from keyyo_cti.token_file import TokenFile
from keyyo_cti.token_provider import TokenProvider

from ..helpers.canaries import (
    COOKIE,
    CSI_TOKEN,
    FOREIGN,
    PASSWORD,
    SESSION_ID,
    bare,
    echoes,
    parts,
    told,
)
from ..helpers.probe import PATIENCE, Record
from ..helpers.scripted_server import ScriptedServer

BOB = "33199020000"
REDIRECT = "http://127.0.0.1:8080/callback"
SECRET = "canary-client-secret"

TOKEN = "/oauth2/token.php"
SERVICES = "/manager/1.0/services"

Break = Callable[[Simulator], object]


class Way:
    """Goes from the consent to the call, as far as it gets, and knows what must not be seen."""

    def __init__(self, sim: Simulator, csi: str, path: Path) -> None:
        self._sim = sim
        self._csi = csi
        self._path = path
        self.secrets: List[str] = [SECRET]
        self.seen: List[Any] = []

    def go(self) -> None:
        sim = self._sim
        with OAuth2(
            "canary", SECRET, REDIRECT, authorize_url=sim.authorize_url, token_url=sim.token_url,
            timeout=1.0,
        ) as oauth2:
            file = TokenFile(oauth2, self._path)
            with Account(oauth2, file) as account:
                self.seen += [oauth2, oauth2.client, file, account, account.client]
                url, state = oauth2.authorization_url()
                self.seen.append(url)
                self._note(account.sign_in(sim.consent(url), state).result)
                self._manage(account)
                tokens = file.load()
                if tokens is not None:
                    self._note(lambda: oauth2.refresh(tokens).result(PATIENCE))

    def _manage(self, account: Account) -> None:
        client = ManagerClient(
            account.client, self._sim.manager_url, 1.0, backoff=Backoff(attempts=1))
        provider = TokenProvider(client, self._csi)
        self.seen += [client, provider]
        self._note(client.lines)
        self._note(lambda: client.csi_token(self._csi))
        self._note(lambda: diagnose(client, self._csi, self._sim.endpoint))
        self._note(lambda: self._call(provider))

    def _call(self, provider: TokenProvider) -> None:
        token = provider()
        self.secrets.append(token)
        with CTI(endpoint=self._sim.endpoint, cookie_auto=False, timeout=PATIENCE) as cti:
            self.seen.append(cti)
            session = cti.create_session(token).result(PATIENCE)
            self.secrets.append(str(session.session_id))
            self.seen += [cti, session]
            self.seen.append(cti.dial(BOB).result(PATIENCE))

    def _note(self, step: Callable[[], Any]) -> None:
        """Takes a step, and keeps what came of it, good or bad."""
        try:
            result = step()
        except KeyyoError as error:
            self.seen += [error, *told(error)]
            return
        self.seen.append(result)
        if hasattr(result, "access_token"):
            self.secrets += [result.access_token, result.refresh_token]
        if isinstance(result, CSIToken):
            self.secrets.append(result.token)


BREAKS: Dict[str, Break] = {
    "nothing": lambda sim: None,
    "token refused": lambda sim: sim.faults.http(TOKEN, 400, body='{"error": "invalid_grant"}'),
    "token 500": lambda sim: sim.faults.http(TOKEN, 500),
    "token garbage": lambda sim: sim.faults.http_garbage(TOKEN),
    "token cut": lambda sim: sim.faults.http_cut(TOKEN),
    "token slow": lambda sim: sim.faults.http_slow(TOKEN),
    "manager 401": lambda sim: sim.faults.http(SERVICES, 401),
    "manager 403": lambda sim: sim.faults.http(SERVICES, 403),
    "manager 404": lambda sim: sim.faults.http(SERVICES, 404),
    "manager 429": lambda sim: sim.faults.http(SERVICES, 429, headers={"Retry-After": "9"}),
    "manager 503": lambda sim: sim.faults.http(SERVICES, 503),
    "manager redirect": lambda sim: sim.faults.http(SERVICES, 302, headers={"Location": "/x"}),
    "manager garbage": lambda sim: sim.faults.http_garbage(SERVICES),
    "manager cut": lambda sim: sim.faults.http_cut(SERVICES),
    "manager slow": lambda sim: sim.faults.http_slow(SERVICES, times=1),
    "session refused": lambda sim: sim.faults.fail("create_session", 400, "Invalid token"),
    "session reset": lambda sim: sim.faults.refuse("info"),
    "call refused": lambda sim: sim.faults.fail("call", 400, "Cannot treat action"),
}


@pytest.mark.fault(30)
@pytest.mark.promise(10)
@pytest.mark.parametrize("broken", BREAKS)
def test_no_secret_is_seen(
    sim: Simulator,
    alice: Line,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    broken: str,
) -> None:
    """Client secret, refresh token, access token, CSI token and session id are in no log at
    DEBUG, no traceback with its local variables, no repr and no URL of a request."""
    caplog.set_level(logging.DEBUG)
    urls: List[str] = []
    send = requests.Session.send

    def watched(session: requests.Session, request: Any, **settings: Any) -> requests.Response:
        urls.append(request.url)
        return send(session, request, **settings)

    monkeypatch.setattr(requests.Session, "send", watched)
    sim.oauth2_application("canary", SECRET, [REDIRECT])
    way = Way(sim, alice.number, tmp_path / "tokens")
    BREAKS[broken](sim)
    way.go()
    assert urls and (len(way.secrets) >= 6 or broken != "nothing")
    for shown in [caplog.text, *urls, *map(repr, way.seen), *map(str, way.seen)]:
        assert not any(secret in shown for secret in way.secrets), shown


def _never_answered(sim: Simulator) -> None:
    for action in ("create_session", "get_subscriptions"):
        sim.faults.ignore(action)


def _refused_everywhere(sim: Simulator) -> None:
    for what in ("websocket", "xhr_streaming", "xhr"):
        sim.faults.refuse(what)


#: What breaks a session: before it is opened, and when it is open.
SESSIONS: Dict[str, Tuple[Optional[Break], Optional[Callable[[Simulator, str], object]]]] = {
    "nothing": (None, None),
    "info refused": (lambda sim: sim.faults.refuse("info"), None),
    "transports refused": (_refused_everywhere, None),
    "transports stalled": (lambda sim: sim.faults.stall("open"), None),
    "posts refused": (lambda sim: sim.faults.refuse("xhr_send", 500), None),
    "session refused": (lambda sim: sim.faults.fail("create_session", 401, "No"), None),
    "session reset": (lambda sim: sim.faults.reset(on="create_session"), None),
    "session closed": (lambda sim: sim.faults.close(on="create_session"), None),
    "session garbled": (lambda sim: sim.faults.garbage("a[", on="create_session"), None),
    "nothing answered": (_never_answered, None),
    "reset": (_never_answered, lambda sim, token: sim.faults.reset()),
    "dropped": (None, lambda sim, token: sim.faults.drop()),
    "closed": (None, lambda sim, token: sim.faults.close()),
    "silent": (None, lambda sim, token: sim.faults.silence()),
    "unreadable": (None, lambda sim, token: sim.faults.garbage(f'a["{{{token}"]')),
    "repeated": (None, lambda sim, token: sim.faults.garbage(
        'a["{\\"id\\": 7, \\"result\\": {\\"session_id\\": \\"%s\\"}}"]' % token)),
}


#: Those in which something is waited for in vain.
PATIENT = {"transports stalled", "session garbled", "nothing answered", "silent"}


@pytest.mark.fault(30)
@pytest.mark.promise(10)
@pytest.mark.usefixtures("transport")
@pytest.mark.parametrize("broken", SESSIONS)
def test_no_secret_of_a_session_is_seen(
    sim: Simulator,
    alice: Line,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    broken: str,
) -> None:
    """However a session breaks, on whatever transport, its token and its id are in no log at
    DEBUG, no traceback with its local variables, no repr and no path of a request; a handler
    that raises is logged without them too."""
    caplog.set_level(logging.DEBUG)
    before, after = SESSIONS[broken]
    token, seen = sim.token(alice), Record()
    secrets, errors = [token], Record()

    def raises(*_: Any) -> None:
        raise ValueError("a handler")

    wait = 0.5 if broken in PATIENT else PATIENCE
    with CTI(
        endpoint=sim.endpoint, cookie_file=tmp_path / "s", timeout=wait, connect_timeout=wait
    ) as cti:
        cti.onError = errors.add
        if before is not None and after is None:
            before(sim)
        seen.add(cti.create_session(token, raises).exception(PATIENCE))
        if cti.session_id is not None:
            secrets.append(cti.session_id)
        if before is not None and after is not None:
            before(sim)
        asked: List[Future[Any]] = [
            cti.get_subscriptions(raises),
            cti.restore_session(token, cti.session_id),
        ]
        if after is not None:
            after(sim, token)
        for each in asked:
            seen.add(each.exception(PATIENCE))
            seen.add(each)
        seen.add(cti)
    assert len(secrets) == 2 or before is not None or broken in PATIENT
    shown = [caplog.text, *sim.requested("/"), *map(repr, [*seen.items, *errors.items])]
    for error in [*seen.items, *errors.items]:
        if isinstance(error, KeyyoError):
            shown += [str(error), *told(error)]
    for text in shown:
        assert not any(secret in text for secret in secrets), text


def _repeat(connection: Connection, command: Dict[str, Any]) -> None:
    """Opens a session, and answers everything else with what it was told, in every place."""
    secrets: List[Any] = [
        echo for secret in (CSI_TOKEN, SESSION_ID) for echo in echoes(secret)
    ]
    if command["action"] == "create_session":
        first = {"number": CSI_TOKEN, "now": 1, "session_id": SESSION_ID, "further": secrets}
        connection.send(json.dumps({"id": command["id"], "result": first}))
        return
    for echo in secrets:
        places: Dict[str, Any] = dict.fromkeys(
            ("callref", "caller", "callee", "state", "callpark_slot", "further"), echo)
        named = {**places, "callref": "c1", "access_token": FOREIGN, "cookie": COOKIE}
        error = {"status_code": echo, "message": echo, "error_code": echo, "reason": echo}
        for message in (
            {"notify": "call", "call": places},
            {"notify": "call", "call": named},
            {"notify": echo},
            {"id": echo},
            {"id": command["id"], "error": error},
            {"id": command["id"], "error": echo},
            {"id": command["id"], "result": echo},
            {"id": 99, "result": {"numbers": [echo], "number": echo, "auto_answer": echo}},
            {"id": command["id"], "error": f"access_token={FOREIGN} Cookie: k={COOKIE}"},
        ):
            connection.send(json.dumps(message))
    connection.send(json.dumps({"id": command["id"], "result": {"numbers": secrets}}))


@pytest.mark.slow
@pytest.mark.fault(30)
@pytest.mark.promise(10)
@pytest.mark.usefixtures("transport")
@pytest.mark.parametrize("end", ["close", "frame"])
def test_no_secret_is_in_the_wire_log(caplog: pytest.LogCaptureFixture, end: str) -> None:
    """A server that repeats tokens and session ids, whole, cut, in disguise and nested, does not
    get them into a line of the wire log; nor do proxies and cookies."""
    caplog.set_level(logging.DEBUG, "keyyo_cti.wire")
    with ScriptedServer(_repeat) as server:
        with CTI(endpoint=server.endpoint, cookie_auto=False, timeout=PATIENCE) as cti:
            cti.create_session(CSI_TOKEN).exception(PATIENCE)
            for asked in (
                cti.get_subscriptions, partial(cti.dial, BOB), partial(cti.send_message, BOB, "x")
            ):
                asked().exception(PATIENCE)
            if end == "frame":
                server.frame(f'c[3000,"{CSI_TOKEN} {SESSION_ID[3:]}"]')
                Record.wait_for_count(server.gone, 1)
    proxies = {"http": f"http://user:{PASSWORD}@127.0.0.1:9"}
    with CTI(endpoint="http://localhost.test/cti", allow_http=True, proxies=proxies) as cti:
        cti.create_session(CSI_TOKEN).exception(PATIENCE)
    lines = [each.getMessage() for each in caplog.records if each.name == "keyyo_cti.wire"]
    assert len(lines) > 50 and any("-> create_session" in line for line in lines)
    for line in lines:
        assert line.isprintable() and len(line) < 700
        for secret in (CSI_TOKEN, SESSION_ID, FOREIGN, COOKIE, PASSWORD):
            assert not any(part in bare(line) for part in parts(secret)), line


@pytest.mark.fault(86)
@pytest.mark.promise(10)
@pytest.mark.usefixtures("transport")
@pytest.mark.parametrize("refused", [False, True])
def test_trace_of_websocket_client_shows_no_secret(
    sim: Simulator, alice: Line, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program may turn on the trace of the library, for itself or for others."""
    name, token, lines = "canary_session_name_0001", sim.token(alice), Record()
    monkeypatch.setattr("keyyo_cti._sockjs.urls.make_session_name", lambda: name)
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", lambda record: lines.add(record.getMessage()))
    websocket.enableTrace(True, handler)
    try:
        if refused:
            sim.faults.refuse("websocket", 403)
        with CTI(endpoint=sim.endpoint, cookie_auto=False, timeout=PATIENCE) as cti:
            future = cti.create_session(token)
            secrets = [name, token]
            if future.exception(PATIENCE) is None:
                secrets.append(str(future.result(PATIENCE).session_id))
                cti.dial(BOB).exception(PATIENCE)
                assert cti.transport != "websocket" or lines.items
    finally:
        websocket.enableTrace(False)
    assert not [line for line in lines.items for secret in secrets if secret in line]
