"""The account that somebody has signed in to: none, refused, refreshed, and shared."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Dict, List

import pytest

from keyyo_cti.cli.login_file import LoginFile
from keyyo_cti.simulator import Line, Simulator
from keyyo_cti.token_file import TokenFile, default_file

from ..helpers.running import DEADLINE, Running
from .kept import Capture, keep_login, kept_tokens, run

SIGN_IN = "sign in with: keyyo-cti login"
CAROL = "33199000002"
BOB = "33199020000"

ACCOUNT = [["lines"], ["lines", "--json"], ["token"], ["token", "--json"], ["diagnose"],
           ["diagnose", "--json"], ["diagnose", "33199000001", "--enable-plugin"]]
SESSION = [["dial", BOB], ["dial", BOB, "--follow", "--json"], ["watch"], ["watch", "--json"]]


@pytest.mark.parametrize("command", ACCOUNT, ids=" ".join)
def test_signed_out(capsys: Capture, command: List[str]) -> None:
    """With nobody signed in, what needs an account is exit code 4, two lines, and no output."""
    assert run(capsys, *command) == (4, [], ["you are not signed in", SIGN_IN])
    assert not default_file().exists()


@pytest.mark.parametrize("command", SESSION, ids=" ".join)
def test_signed_out_without_a_token(capsys: Capture, command: List[str]) -> None:
    """With nobody signed in and no token at hand, both ways to one are named: exit code 4."""
    status, out, (told, sign_in) = run(capsys, *command)
    assert (status, out, sign_in) == (4, [], SIGN_IN)
    assert "KEYYO_CSI_TOKEN" in told and "--token-file" in told


@pytest.mark.parametrize("command", SESSION, ids=" ".join)
def test_signed_out_with_a_csi(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, command: List[str]
) -> None:
    """Who names a line of the account has to sign in, and is not told to set what is set."""
    monkeypatch.setenv("KEYYO_CSI_TOKEN", "t")
    said = run(capsys, *command, "--csi", "33199000001")
    assert said == (4, [], ["you are not signed in", SIGN_IN])


@pytest.mark.parametrize("command", ACCOUNT[:4] + SESSION, ids=" ".join)
@pytest.mark.parametrize("how", ["no tokens", "expired", "wrong secret"])
def test_not_let_in(
    sim: Simulator, alice: Line, capsys: Capture, command: List[str], how: str
) -> None:
    """When Keyyo lets nobody in any more, the reason and what to do are two lines: 4."""
    keep_login(sim, stale=True, client_secret="wrong" if how == "wrong secret" else None)
    if how == "no tokens":
        login = LoginFile().load()
        assert login is not None
        TokenFile(login.make_oauth2_client(None)).delete()
    elif how == "expired":
        sim.expire_refresh_tokens()
    status, out, (reason, advice) = run(capsys, *command)
    assert (status, out, advice) == (4, [], SIGN_IN)
    word = {"no tokens": "not_signed_in", "expired": "invalid_grant"}.get(how, "invalid_client")
    assert f"[{word}]" in reason


@pytest.mark.parametrize("command", [["token"], ["diagnose"], *SESSION], ids=" ".join)
def test_which_line(
    sim: Simulator, alice: Line, capsys: Capture, command: List[str]
) -> None:
    """With several lines and none named, they are listed harmlessly on one line: exit code 2."""
    sim.line(CAROL, name="\x1b[2J\n")
    sim.line("33199000003")
    keep_login(sim)
    assert run(capsys, *command) == (2, [], [
        "which line? The account has 33199000001 (Alice), 33199000002 (\\x1b[2J\\n), 33199000003"
    ])


@pytest.mark.parametrize("command", [["token"], ["diagnose"], *SESSION], ids=" ".join)
def test_no_line(sim: Simulator, capsys: Capture, command: List[str]) -> None:
    """An account without a line is exit code 1."""
    keep_login(sim)
    assert run(capsys, *command) == (1, [], ["the account has no line"])


@pytest.mark.parametrize("command", [["dial", BOB], ["watch"]], ids=" ".join)
def test_unknown_csi(
    sim: Simulator, alice: Line, capsys: Capture, command: List[str]
) -> None:
    """A line that the account does not have is exit code 1, and no session."""
    keep_login(sim)
    status, out, (told,) = run(capsys, *command, "--csi", "33199000009")
    assert (status, out) == (1, []) and told.startswith("404 ")
    assert sim.received("create_session") == []


def test_an_expired_access_token(sim: Simulator, alice: Line, capsys: Capture) -> None:
    """An access token that has expired is refreshed once, and the new one is kept and used."""
    old = keep_login(sim, stale=True)
    assert run(capsys, "lines").status == 0
    new = kept_tokens()
    assert new is not None and new.good_at(old.expires_at or 0)
    assert new.access_token != old.access_token and new.refresh_token != old.refresh_token
    assert run(capsys, "token").status == 0
    assert kept_tokens() == new and len(sim.requested("/oauth2")) == 1


def test_a_revoked_access_token(sim: Simulator, alice: Line, capsys: Capture) -> None:
    """An access token that is refused before its time is replaced, and the new one is kept."""
    old = keep_login(sim)
    sim.revoke_access(old.access_token)
    assert run(capsys, "lines") == (0, ["33199000001    Alice"], [])
    assert kept_tokens() != old and len(sim.requested("/oauth2")) == 1


def test_a_refused_refresh_keeps_what_there_is(
    sim: Simulator, alice: Line, capsys: Capture
) -> None:
    """A server that cannot refresh now is exit code 1, and the tokens are as they were."""
    old = keep_login(sim, stale=True)
    sim.faults.http("/oauth2", 503)
    status, out, (told,) = run(capsys, "lines")
    assert (status, out) == (1, []) and "try again later" in told
    assert kept_tokens() == old
    sim.faults.clear()
    assert run(capsys, "lines").status == 0


PLACES: Dict[str, Any] = {
    "garbage": lambda path: path.write_bytes(b"canary" * 1000),
    "a directory": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("command", [["lines"], ["token"], ["diagnose"], ["dial", BOB], ["watch"]])
def test_a_damaged_file(capsys: Capture, command: List[str], place: str) -> None:
    """A token file that cannot be read is named, with exit code 1, and what is in it is not
    shown."""
    path: Path = default_file()
    path.parent.mkdir(parents=True)
    PLACES[place](path)
    status, out, (told,) = run(capsys, *command)
    assert (status, out) == (1, [])
    assert str(path) in told and "canary" not in told


@pytest.mark.slow
@pytest.mark.parametrize("round", range(3))
def test_two_processes_refresh_once(sim: Simulator, alice: Line, round: int) -> None:
    """Two processes at the same moment with a stale access token both do their work, with one
    refresh between them."""
    old = keep_login(sim, stale=True)
    # The first is kept in the middle of its refresh, until the second is there, too.
    sim.faults.http_slow("/oauth2")
    with contextlib.ExitStack() as ending:
        first = ending.enter_context(lines())
        sim.wait_for_request("/oauth2", DEADLINE)
        second = ending.enter_context(lines())
        second.until("imported")
        sim.faults.clear()
        for running in (first, second):
            assert running.end() == 0
            assert running.rest()[-1].endswith("Alice")
            assert running.rest("err") == []
    assert sim.requested("/oauth2") == ["POST /oauth2/token.php"]
    assert kept_tokens() not in (None, old)


def test_many_processes_at_once(sim: Simulator, alice: Line) -> None:
    """The same with four that start together, and nobody held back."""
    keep_login(sim, stale=True)
    with contextlib.ExitStack() as ending:
        everybody = [ending.enter_context(lines()) for _ in range(4)]
        assert [running.end() for running in everybody] == [0] * 4
    assert len(sim.requested("/oauth2")) == 1


def lines() -> Running:
    """``keyyo-cti lines``, which says when all that it needs has been imported."""
    return Running(
        "-c",
        "import sys, keyyo_cti.cli.lines; from keyyo_cti.cli import main; "
        "print('imported', flush=True); sys.exit(main(['lines']))",
    )
