"""Signed in to a simulator: its port, its end, and the messages about both."""

from __future__ import annotations

import io
import socket
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from keyyo_cti.cli.login import _move_to_free_port as move_to_free_port
from keyyo_cti.cli.login_file import Login, LoginFile
from keyyo_cti.cli.login_hint import explain_login
from keyyo_cti.cli.terminal import Terminal
from keyyo_cti.errors import CredentialsRefused
from keyyo_cti.simulator import Simulator
from keyyo_cti.token_file import default_file

from ..helpers.form_browser import TIMEOUT
from ..helpers.running import Running
from .desk import CLIENT_ID, SECRET, Desk, clicked, desk, nothing, url_of
from .kept import keep_login

__all__ = ["desk"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_port_in_use_is_changed_for_a_simulator(desk: Desk, sim: Simulator, host: str) -> None:
    """Keyyo knows one redirect URI; a simulator takes any port, so that login just works."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        uri = f"http://{host}:{other.getsockname()[1]}/callback"
        sim.oauth2_application(CLIENT_ID, SECRET, [uri])
        LoginFile().save(Login(CLIENT_ID, SECRET, uri, desk.server))
        with Running("-m", "keyyo_cti", "login") as login:
            told = login.until("another program listens at", "err")
            moved = told.split()[-2]
            assert moved.startswith(f"http://{host}:") and moved != uri
            url = url_of(login)
            assert parse_qs(urlsplit(url).query)["redirect_uri"] == [moved]
            requests.get(clicked(url), timeout=TIMEOUT)
            assert login.end() == 0, login.rest("err")
    assert desk.enter(nothing, "lines") == 0


@pytest.mark.parametrize("what", ["keyyo", "unreadable"])
def test_error_at_keyyo_or_without_a_login_has_nothing_to_do_with_a_simulator(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    keep_login(sim)
    error = CredentialsRefused(401, "refused", "invalid_client")
    assert "a simulator forgets its logins" in str(explain_login(error))
    if what == "keyyo":
        monkeypatch.setattr(Login, "is_simulator", False)
    else:
        default_file().write_bytes(b"garbage" * 1000)
    assert explain_login(error) is None


def test_port_that_is_free_is_not_changed_for_a_simulator() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        uri = f"http://127.0.0.1:{other.getsockname()[1]}/callback"
    login = Login(CLIENT_ID, SECRET, uri, "http://127.0.0.1:9")
    err = io.StringIO()
    assert move_to_free_port(login, Terminal(err)) is login and not err.getvalue()


@pytest.mark.slow
def test_simulator_that_has_ended_is_named_with_what_to_do(desk: Desk, sim: Simulator) -> None:
    assert desk.paste(clicked) == 0
    port = urlsplit(desk.server).port
    sim.stop()
    for command in (["lines"], ["token"], ["dial", "33199020000"], ["watch"], ["diagnose"]):
        assert desk.enter(nothing, *command) == 1
        assert desk.said.count(
            f"; you are signed in to the simulator at {desk.server}, which has ended: start it "
            f"again with keyyo-cti simulator --port {port} and sign in again with keyyo-cti "
            "login, or log out with keyyo-cti logout\n"
        ) == 1
    assert desk.enter(nothing, "login") == 1
    assert desk.said.splitlines()[-1].startswith(f"the simulator at {desk.server} does not answer")
    assert desk.enter(nothing, "logout") == 0
    assert desk.enter(nothing, "lines") == 4
    assert "simulator" not in desk.said


def test_simulator_that_was_started_again_does_not_know_the_login(
    desk: Desk, sim: Simulator
) -> None:
    assert desk.paste(clicked) == 0
    port = urlsplit(desk.server).port
    sim.stop()
    with Simulator(port=port or 0) as again:
        again.oauth2_application(CLIENT_ID, SECRET, [desk.redirect_uri])
        assert desk.enter(nothing, "lines") == 4
    assert f"signed in to the simulator at {desk.server}, and a simulator forgets" in desk.said
    assert desk.said.splitlines()[-1] == "sign in with: keyyo-cti login"
