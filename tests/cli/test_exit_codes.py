"""How a command ends when something goes wrong: one line, what to do, and the exit code."""

from __future__ import annotations

import logging
import sys
from typing import Any, Callable, Dict, List

import pytest

from keyyo_cti._oauth2.tokens import Tokens
from keyyo_cti.cli import exit_codes, main
from keyyo_cti.cli.login_file import LoginFile
from keyyo_cti.manager import CSIToken, ManagerClient
from keyyo_cti.simulator import Line, Simulator

from ..helpers.running import DEADLINE, Running
from .kept import Capture, impatient, keep_login, kept_tokens, run

BOB = "33199020000"
CSI = "33199000001"
SERVICES = "/manager/1.0/services"
TOKEN = "/oauth2/token.php"
SIGN_IN = "sign in with: keyyo-cti login"

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

commands = pytest.mark.parametrize(
    "command", [["lines"], ["lines", "--json"], ["token", CSI], ["dial", BOB, "--csi", CSI],
                ["watch", "--csi", CSI]], ids=" ".join,
)


def test_the_help_lists_them(capsys: Capture) -> None:
    """``--help`` names each exit code that there is."""
    with pytest.raises(SystemExit):
        main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    listed = said.partition("exit codes: ")[2]
    for name, code in vars(exit_codes).items():
        if isinstance(code, int):
            assert f"{code} " in listed, name


@pytest.mark.parametrize(
    "arguments",
    [["ring"], ["dial"], ["token", "a", "b"], ["watch", "--csi"], ["lines", "--csi", "1"],
     ["dial", BOB, "--enable-plugin"], ["login", "--patience", "nan"]], ids=" ".join,
)
def test_called_wrongly(capsys: Capture, arguments: List[str]) -> None:
    """What the command does not take is exit code 2, with its usage on stderr."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    said = capsys.readouterr()
    assert (end.value.code, said.out) == (2, "") and said.err.startswith("usage: keyyo-cti")


@commands
@pytest.mark.parametrize(
    ("status", "advice"),
    [(403, "scope"), (404, "keyyo-cti lines"), (429, "try again in 60 s"),
     (500, "try again later"), (503, "try again later"), (302, "redirects")],
)
def test_what_the_manager_says(
    sim: Simulator, alice: Line, capsys: Capture, monkeypatch: pytest.MonkeyPatch,
    command: List[str], status: int, advice: str,
) -> None:
    """A refusal of the Manager is one line with what to do, and exit code 1."""
    impatient(monkeypatch)
    keep_login(sim)
    sim.faults.http(SERVICES, status, headers={"Retry-After": "60"})
    code, out, (told,) = run(capsys, *command)
    assert (code, out) == (1, [])
    assert told.startswith(f"{status} ") and advice in told


@commands
def test_an_access_token_that_is_never_good(
    sim: Simulator, alice: Line, capsys: Capture, command: List[str]
) -> None:
    """When a new access token is refused too, somebody has to sign in: exit code 4."""
    keep_login(sim)
    sim.faults.http(SERVICES, 401)
    code, out, told = run(capsys, *command)
    assert out == [] and told[0].startswith("401 ")
    assert (code, told[1:]) == (4, [SIGN_IN])


@commands
@pytest.mark.parametrize(
    ("how", "said"),
    [("garbage", "502 "), ("cut", "503 "), ("slow", "408 "), ("gone", "503 ")],
)
def test_no_answer(
    sim: Simulator, alice: Line, capsys: Capture, monkeypatch: pytest.MonkeyPatch,
    command: List[str], how: str, said: str,
) -> None:
    """An answer that is garbage, cut off, or does not come is one line and exit code 1."""
    impatient(monkeypatch, timeout=0.2)
    keep_login(sim)
    if how == "gone":
        sim.stop()
    else:
        getattr(sim.faults, f"http_{how}")(SERVICES)
    code, out, (told,) = run(capsys, *command)
    assert (code, out) == (1, []) and told.startswith(said) and "(" in told


@pytest.mark.parametrize("status", [429, 500])
def test_a_passing_fault_is_not_told(
    sim: Simulator, alice: Line, capsys: Capture, status: int
) -> None:
    """What is over at the second attempt is no fault."""
    keep_login(sim)
    sim.faults.http(SERVICES, status, times=1)
    assert run(capsys, "lines") == (0, [f"{CSI}    Alice"], [])


@pytest.mark.slow
@posix
@pytest.mark.parametrize("where", [SERVICES, TOKEN])
def test_ctrl_c_while_waiting(sim: Simulator, alice: Line, where: str) -> None:
    """Ctrl-C ends a command that waits for Keyyo with 130, "stopped" and no traceback."""
    keep_login(sim, stale=True)
    sim.faults.http_slow(where)
    with Running("-m", "keyyo_cti", "lines") as running:
        sim.wait_for_request(where, DEADLINE)
        running.interrupt()
        assert running.end() == 130
        assert (running.rest(), running.rest("err")) == ([], ["stopped"])


Break = Callable[[Simulator, Tokens], object]

BREAKS: Dict[str, Break] = {
    "nothing": lambda sim, tokens: None,
    "refresh refused": lambda sim, tokens: sim.expire_refresh_tokens(),
    "refresh 500": lambda sim, tokens: sim.faults.http(TOKEN, 500),
    "refresh garbage": lambda sim, tokens: sim.faults.http_garbage(TOKEN),
    "refresh cut": lambda sim, tokens: sim.faults.http_cut(TOKEN),
    "refresh echoes": lambda sim, tokens: sim.faults.http(
        TOKEN, 400, body={"error": "invalid_client", "error_description":
                          f"not {tokens.refresh_token} of canary-client-secret"}),
    "manager 401": lambda sim, tokens: sim.faults.http(SERVICES, 401),
    "manager 403": lambda sim, tokens: sim.faults.http(SERVICES, 403),
    "manager 404": lambda sim, tokens: sim.faults.http(SERVICES, 404),
    "manager 500": lambda sim, tokens: sim.faults.http(SERVICES, 500),
    "manager redirect": lambda sim, tokens: sim.faults.http(
        SERVICES, 302, headers={"Location": "/x"}),
    "manager garbage": lambda sim, tokens: sim.faults.http_garbage(SERVICES),
    "manager cut": lambda sim, tokens: sim.faults.http_cut(SERVICES),
    "manager slow": lambda sim, tokens: sim.faults.http_slow(SERVICES),
    "session refused": lambda sim, tokens: sim.faults.fail(
        "create_session", 400, "Invalid token", times=None),
    "no connection": lambda sim, tokens: sim.faults.refuse("info"),
    "call refused": lambda sim, tokens: sim.faults.fail("call", 400, "Cannot treat action"),
    "call lost": lambda sim, tokens: sim.faults.drop(on="call"),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_no_secret_is_seen(
    sim: Simulator, alice: Line, capsys: Capture, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch, broken: str,
) -> None:
    """Client secret, refresh, access and CSI tokens are in no output, but that of ``token``, and
    in no log at DEBUG, whatever goes wrong."""
    caplog.set_level(logging.DEBUG)
    minted: List[str] = []
    mint = ManagerClient.csi_token

    def noted(client: ManagerClient, *arguments: Any) -> CSIToken:
        token = mint(client, *arguments)
        minted.append(token.token)
        return token

    monkeypatch.setattr(ManagerClient, "csi_token", noted)
    impatient(monkeypatch, timeout=0.5)
    redirect = "http://127.0.0.1:8080/callback"
    canary = sim.oauth2_application("canary", "canary-client-secret", [redirect])
    old = keep_login(sim, stale=True, application=canary)
    BREAKS[broken](sim, old)
    seen: List[str] = []
    for command in (["diagnose", CSI], ["diagnose", "--json", CSI], ["lines"],
                    ["diagnose", "--ring", "--timeout", "0.1", CSI],
                    ["dial", BOB, "--csi", CSI], ["token", CSI]):
        said = run(capsys, *command)
        seen += said.err + (said.out if command[0] != "token" else [])
    new = kept_tokens()
    assert new is not None and (len(minted) == 5 or broken != "nothing")
    secrets = {"canary-client-secret", old.access_token, old.refresh_token, new.access_token,
               new.refresh_token, *minted}
    for text in (*seen, caplog.text, repr(LoginFile().load()), repr(new)):
        assert not any(str(secret) in text for secret in secrets), text
