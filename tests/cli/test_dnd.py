"""``keyyo-cti dnd``: do-not-disturb."""

from __future__ import annotations

from typing import Any, List

import pytest

from keyyo_cti.simulator import Line, Simulator

from .kept import BOTH, Capture, keep_login, run

SCOPES = f"{BOTH} voip_profiles_admin"


def test_dnd_on_and_off_changes_whether_the_line_rings(
    sim: Simulator, alice: Line, capsys: Capture
) -> None:
    keep_login(sim, SCOPES)
    bob = sim.phone("33199020000")
    off = [f"{alice.number}: off, the line follows its schedule"]
    on = [f"{alice.number}: on, in force: dnd (Do not disturb)"]
    assert run(capsys, "dnd", "status") == (0, off, [])
    assert run(capsys, "dnd", "on") == run(capsys, "dnd", "on", alice.number) == (0, on, [])
    assert run(capsys, "dnd", "status", alice.number) == (0, on, [])
    bob.call(alice)
    assert alice.phone.state == "idle"
    assert run(capsys, "dnd", "off") == run(capsys, "dnd", "off") == (0, off, [])
    bob.call(alice)
    assert alice.phone.state == "ringing"


def test_dnd_with_a_profile_uses_it_and_leaves_others_alone(
    sim: Simulator, alice: Line, capsys: Capture
) -> None:
    keep_login(sim, SCOPES)
    forwarded = [f"{alice.number}: off, in force: mobile (Mobile)"]
    assert run(capsys, "dnd", "on", "--profile", "mobile") == (0, forwarded, [])
    assert run(capsys, "dnd", "off") == (0, forwarded, [])
    said = run(capsys, "dnd", "off", "--profile", "mobile")
    assert said.out == [f"{alice.number}: off, the line follows its schedule"]


@pytest.mark.parametrize("identifier", [12, "12"])
def test_dnd_with_an_identifier_that_is_a_number_finds_it(
    sim: Simulator, alice: Line, capsys: Capture, identifier: Any
) -> None:
    path = f"/manager/1.0/services/{alice.number}/profiles"
    profiles = [{"identifier": identifier, "name": 7, "forced": 1}, {"identifier": "default"}]
    sim.faults.http(path, 200, body={"_embedded": {"Profile": profiles}})
    keep_login(sim, SCOPES)
    said = run(capsys, "dnd", "on", "--profile", "12")
    assert said == (0, [f"{alice.number}: off, in force: 12 (7)"], [])


def test_dnd_without_the_scope_says_which(sim: Simulator, alice: Line, capsys: Capture) -> None:
    keep_login(sim)
    said = run(capsys, "dnd", "on")
    assert (said.status, said.out) == (1, [])
    assert "needs the scope voip_profiles_admin" in said.err[0]
    assert run(capsys, "dnd", "status").status == 0


@pytest.mark.parametrize(
    ("profiles", "arguments", "words"),
    [
        ([], [], "the line has no profile"),
        ([{"identifier": "default"}, {"identifier": "x", "name": "\x1b[2J"}], [],
         "the line has default, x (\\x1b[2J)"),
        ([{"identifier": "dnd"}], ["--profile", "other"], "the line has dnd"),
        ([{"identifier": "1", "name": "DND"}, {"identifier": "2", "name": "Ne pas déranger"}], [],
         "the line has 1 (DND), 2 (Ne pas déranger)"),
    ],
)
def test_dnd_without_one_profile_lists_them(
    sim: Simulator, alice: Line, capsys: Capture, profiles: List[Any], arguments: List[str],
    words: str,
) -> None:
    path = f"/manager/1.0/services/{alice.number}/profiles"
    sim.faults.http(path, 200, body={"_embedded": {"Profile": profiles}})
    keep_login(sim, SCOPES)
    said = run(capsys, "dnd", "on", *arguments)
    assert said.status == 1 and words in said.err[0] and said.err[0].isprintable()
