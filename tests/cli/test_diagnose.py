"""``keyyo-cti diagnose``: what is wrong, for people, for programs, and as an exit code."""

from __future__ import annotations

from typing import Any, Callable, List, Tuple

import pytest

from keyyo_cti import CTI
from keyyo_cti.simulator import Line, Simulator

from .kept import ADMIN, BOTH, READ, Capture, Said, impatient, keep_login, run

CHECKS = ["account", "line", "plugin", "telephone", "token", "session"]

Fault = Tuple[str, str, Callable[[Simulator, Line], object], List[str]]


def both_faults(sim: Simulator, alice: Line) -> None:
    alice.plugin_enabled = alice.phone_registered = False


def expired(sim: Simulator, alice: Line) -> None:
    keep_login(sim, stale=True)
    sim.expire_refresh_tokens()


#: What it is called, the scopes, how it is broken, and what is to be found.
FAULTS: List[Fault] = [
    ("nothing", BOTH, lambda sim, alice: None, []),
    ("plugin", BOTH, lambda sim, alice: alice.set(plugin_enabled=False), ["plugin_disabled"]),
    ("telephone", BOTH, lambda sim, alice: alice.set(phone_registered=False), ["no_telephone"]),
    ("both", BOTH, both_faults, ["plugin_disabled", "no_telephone"]),
    ("no admin", READ, lambda sim, alice: None, ["missing_scope"]),
    ("no reading", ADMIN, lambda sim, alice: None, ["missing_scope"]),
    ("scope, telephone", READ, lambda sim, alice: alice.set(phone_registered=False),
     ["no_telephone", "missing_scope"]),
    ("expired", BOTH, expired, ["refresh_token_expired"]),
    ("no network", BOTH, lambda sim, alice: sim.stop(), ["no_network"]),
    ("no service", BOTH, lambda sim, alice: sim.faults.refuse("info"), ["no_connection"]),
]
by_fault = pytest.mark.parametrize(
    ("scope", "break_it", "faults"),
    [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS],
)


def diagnose(capsys: Capture, *arguments: str) -> Said:
    said = run(capsys, "diagnose", *arguments)
    assert said.err == []
    return said


@by_fault
def test_text(
    sim: Simulator, alice: Line, capsys: Capture, monkeypatch: pytest.MonkeyPatch,
    scope: str, break_it: Callable[..., object], faults: List[str],
) -> None:
    """Each check is a line, each fault has advice below it, and the last line sums it up."""
    impatient(monkeypatch)
    number = alice.number
    keep_login(sim, scope)
    break_it(sim, alice)
    status, out, _ = diagnose(capsys, number)
    assert status == (1 if faults else 0)
    assert out[0] == f"line {number}"
    assert out[-1] == (f"wrong: {', '.join(faults)}" if faults else "nothing is wrong")
    checks = [line.split()[1] for line in out[1:-1] if "->" not in line]
    assert checks == CHECKS
    for line, advice in zip(out, out[1:]):
        assert line.startswith("  FAULT") == advice.strip().startswith("-> ")


@by_fault
def test_json(
    sim: Simulator, alice: Line, capsys: Capture, monkeypatch: pytest.MonkeyPatch,
    scope: str, break_it: Callable[..., object], faults: List[str],
) -> None:
    """``--json`` tells the same to programs, with the same exit code."""
    impatient(monkeypatch)
    number = alice.number
    keep_login(sim, scope)
    break_it(sim, alice)
    said = diagnose(capsys, "--json", number)
    told = said.json
    assert said.status == (1 if faults else 0)
    assert (told["csi"], told["good"], told["faults"]) == (number, not faults, faults)
    assert [finding["check"] for finding in told["findings"]] == CHECKS
    for finding in told["findings"]:
        assert (finding["good"] is False) == bool(finding["fault"]) == bool(finding["advice"])


def test_unknown_line(sim: Simulator, alice: Line, capsys: Capture) -> None:
    """A line that the account does not have is a finding, and exit code 1."""
    keep_login(sim)
    said = diagnose(capsys, "33199000009")
    assert said.status == 1 and said.out[-1] == "wrong: unknown_line"
    assert any("keyyo-cti lines" in line for line in said.out)


def test_the_only_line(sim: Simulator, alice: Line, capsys: Capture) -> None:
    """An account's only line need not be named, and no session of it is left."""
    keep_login(sim)
    said = diagnose(capsys)
    assert said.out[0] == f"line {alice.number}" and said.out[-1] == "nothing is wrong"
    assert sim.sessions() == []


def test_without_a_csi_it_still_diagnoses(
    sim: Simulator, alice: Line, capsys: Capture
) -> None:
    """What keeps the line from being found out is itself a finding, in JSON too."""
    expired(sim, alice)
    said = run(capsys, "diagnose", "--json")
    assert said.status in (1, 4)
    assert said.json["faults"] == ["refresh_token_expired"]


def test_another_session_is_left_alone(sim: Simulator, alice: Line, capsys: Capture) -> None:
    """An application that is connected to the line stays connected."""
    keep_login(sim)
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        cti.create_session(sim.token(alice)).result(10)
        assert diagnose(capsys).status == 0
        assert cti.ping().result(10) == 1


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_enable_plugin(
    sim: Simulator, alice: Line, capsys: Capture, arguments: List[str]
) -> None:
    """``--enable-plugin`` enables it first, so that the line is good."""
    alice.plugin_enabled = False
    keep_login(sim)
    assert diagnose(capsys, "--enable-plugin", *arguments).status == 0
    assert alice.plugin_enabled


@pytest.mark.parametrize("csi", [[], ["33199000001"]])
def test_enable_plugin_without_the_scope(
    sim: Simulator, alice: Line, capsys: Capture, csi: List[str]
) -> None:
    """Without the scope for it the plugin stays as it was, and the scope is named."""
    alice.plugin_enabled = False
    keep_login(sim, READ)
    said = run(capsys, "diagnose", "--enable-plugin", *csi)
    assert said.status == 1 and not alice.plugin_enabled
    assert "scope cti_admin" in "\n".join(said.out + said.err)


def test_endpoint(sim: Simulator, alice: Line, capsys: Capture) -> None:
    """``--endpoint`` is where the session is tried, in place of the account's."""
    keep_login(sim)
    with Simulator() as other:
        said = diagnose(capsys, "--endpoint", other.endpoint)
        assert len(other.received("create_session")) == 1
    assert sim.received("create_session") == []
    assert said.status == 1 and said.out[-1] == "wrong: session_refused"


def manager_says(sim: Simulator, alice: Line, text: str) -> None:
    sim.faults.http("/manager/1.0/services", 400, headers={"X-Status-Reason": text})


def oauth2_says(sim: Simulator, alice: Line, text: str) -> None:
    keep_login(sim, stale=True)
    sim.faults.http("/oauth2", 400, body={"error": text, "error_description": text})


def cti_says(sim: Simulator, alice: Line, text: str) -> None:
    sim.faults.fail("create_session", 400, text)


@pytest.mark.parametrize("says", [manager_says, oauth2_says, cti_says])
@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_escaped(
    sim: Simulator, alice: Line, capsys: Capture, says: Any, arguments: List[str]
) -> None:
    """What a server says is on the terminal without its control characters."""
    alice.set(name="\x1b[2JAlice")
    keep_login(sim)
    # Of all control characters, this one gets through every HTTP server.
    says(sim, alice, "\x9b2J")
    said = diagnose(capsys, alice.number, *arguments)
    assert said.status == 1
    assert all(line.isprintable() for line in said.out), said.out
