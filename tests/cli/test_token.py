"""``keyyo-cti token``: a CSI token, alone on stdout."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import pytest

from keyyo_cti import CTI
from keyyo_cti.simulator import Line, Simulator

from ..helpers.running import DEADLINE, environment
from .kept import ADMIN, BOTH, READ, Capture, keep_login, run

CAROL = "33199000002"


def opens(sim: Simulator, token: str) -> str:
    """The line that a token opens."""
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        return str(cti.create_session(token).result(10).number)


def test_alone_on_stdout(sim: Simulator, alice: Line, capsys: Capture) -> None:
    """The token alone is on stdout, and which line it opens, and until when, on stderr."""
    keep_login(sim, BOTH)
    status, (token,), (told,) = run(capsys, "token")
    assert status == 0 and opens(sim, token) == alice.number
    assert re.fullmatch(rf"opens line {alice.number} until \d\d:\d\d:\d\d", told)
    assert token not in told


@pytest.mark.parametrize("written", ["+33 1 99 00 00 02", "0033199000002", "01 99 00 00 02"])
def test_line_as_people_write_it(
    sim: Simulator, alice: Line, capsys: Capture, written: str
) -> None:
    sim.line(CAROL)
    keep_login(sim)
    status, (token,), _ = run(capsys, "token", written)
    assert status == 0 and opens(sim, token) == CAROL


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_in_a_shell(sim: Simulator, alice: Line) -> None:
    """``$(keyyo-cti token)`` is a token that opens the line."""
    keep_login(sim)
    done = subprocess.run(
        ["sh", "-c", f'token="$({sys.executable} -m keyyo_cti token)" && printf %s "$token"'],
        env=environment(), capture_output=True, text=True, timeout=DEADLINE,
    )
    assert done.returncode == 0 and opens(sim, done.stdout) == alice.number
    assert done.stdout not in done.stderr and len(done.stderr.splitlines()) == 1


def test_each_is_fresh(sim: Simulator, alice: Line, capsys: Capture) -> None:
    """Called twice, it gives two tokens, and both are good."""
    keep_login(sim)
    first, second = (run(capsys, "token").out[0] for _ in range(2))
    assert first != second
    assert opens(sim, first) == opens(sim, second) == alice.number


def test_which_line(sim: Simulator, alice: Line, capsys: Capture) -> None:
    """Of several lines, the CSI says which; without the scope to read, it is enough."""
    sim.line(CAROL)
    keep_login(sim, ADMIN)
    said = run(capsys, "token", CAROL)
    assert said.status == 0 and opens(sim, said.out[0]) == CAROL


@pytest.mark.parametrize("shape", ["bare", "embedded"])
@pytest.mark.parametrize("expiry", ["expires_in", "timestamp"])
def test_json(capsys: Capture, shape: str, expiry: str) -> None:
    """``--json`` has the token, its line, its end and its masks, and nothing is on stderr."""
    with Simulator(csi_token_shape=shape, csi_token_expiry=expiry, token_lifetime=600) as sim:
        alice = sim.line("33199000001")
        keep_login(sim)
        masks = ["--domain-mask", "*.example.com", "--domain-mask", "b.example.org"]
        said = run(capsys, "token", alice.number, "--json", *masks)
        assert (said.status, said.err) == (0, [])
        told = said.json
        assert opens(sim, told.pop("token")) == alice.number
    assert 590 < told.pop("expires_at") - time.time() <= 601
    assert told == {"csi": alice.number, "domain_masks": ["*.example.com", "b.example.org"]}


def test_json_without_masks(sim: Simulator, alice: Line, capsys: Capture) -> None:
    """A token without masks is for all programs: there is an empty list."""
    keep_login(sim)
    assert run(capsys, "token", "--json").json["domain_masks"] == []


def test_unknown_csi(sim: Simulator, alice: Line, capsys: Capture) -> None:
    """A line that the account does not have is one line that says how to find those that it
    has, and exit code 1."""
    keep_login(sim)
    status, out, (told,) = run(capsys, "token", "33199000009")
    assert (status, out) == (1, [])
    assert told.startswith("404 ") and "keyyo-cti lines" in told


@pytest.mark.parametrize(
    ("scope", "arguments", "needed"),
    [(READ, [], ADMIN), (READ, ["33199000001", "--json"], ADMIN), (ADMIN, [], READ)],
)
def test_missing_scope(
    sim: Simulator,
    alice: Line,
    capsys: Capture,
    scope: str,
    arguments: "list[str]",
    needed: str,
) -> None:
    """The scope that is missing is named, and stdout stays empty, so that a script stops."""
    keep_login(sim, scope)
    status, out, (told,) = run(capsys, "token", *arguments)
    assert (status, out) == (1, [])
    assert told.startswith("403 ") and f"scope {needed}" in told


@pytest.mark.parametrize("expiry", [1e300, 1e18, -1e300])
def test_an_end_that_no_calendar_has(
    sim: Simulator, alice: Line, capsys: Capture, expiry: float
) -> None:
    """An end that is no time of day does not keep a good token from being printed."""
    keep_login(sim)
    sim.faults.http(
        f"/manager/1.0/services/{alice.number}/csi_token",
        200, body={"token": "a-token", "timestamp": expiry},
    )
    said = run(capsys, "token", alice.number)
    assert (said.status, said.out) == (0, ["a-token"])


@pytest.mark.parametrize("csi", ["..", "\udcff"], ids=["dots", "bytes that are no text"])
def test_a_csi_that_cannot_be_one(
    sim: Simulator, alice: Line, capsys: Capture, csi: str
) -> None:
    """A CSI that is none is one line on stderr, and nobody is asked for it."""
    keep_login(sim)
    status, out, (told,) = run(capsys, "token", csi)
    assert status in (1, 2) and out == [] and told.isprintable()
    assert sim.requested("/manager") == []


def test_a_token_that_is_not_there(sim: Simulator, alice: Line, capsys: Capture) -> None:
    """An answer without a token is exit code 1, and not an empty token."""
    keep_login(sim)
    sim.faults.http(
        f"/manager/1.0/services/{alice.number}/csi_token", 200, body={"result": "failure"}
    )
    status, out, (told,) = run(capsys, "token", alice.number)
    assert (status, out) == (1, []) and "there is no token in it" in told
