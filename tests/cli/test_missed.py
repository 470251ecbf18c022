"""``keyyo-cti missed``: whom to call back, from the history of the account."""

from __future__ import annotations

import re
import time
from typing import Any, Dict, List, Optional

import pytest

from keyyo_cti.call_back import CallBack
from keyyo_cti.cli.missed import format_line, make_fields
from keyyo_cti.simulator import Line, Simulator

from .kept import READ, Capture, keep_login, run

BOB, DAVE, EVE = "33199020000", "33199030000", "33199040000"
NOW = time.time()


@pytest.fixture(autouse=True)
def now() -> None:
    """Set NOW: the tests may have been collected half an hour ago."""
    global NOW
    NOW = time.time()


def miss(sim: Simulator, line: Line, caller: Optional[str], hours: float, **more: Any) -> None:
    sim.history.add(line, NOW - hours * 3600, caller=caller, callee=line.number, **more)


def test_people_are_lines_the_longest_waiting_first(
    sim: Simulator, alice: Line, capsys: Capture
) -> None:
    keep_login(sim, READ)
    carol = sim.line("33199000002")
    miss(sim, alice, BOB, 5)
    miss(sim, carol, BOB, 4)
    miss(sim, alice, DAVE, 8)
    miss(sim, alice, None, 9)
    miss(sim, alice, EVE, 9)
    miss(sim, carol, EVE, 3, seconds=20)
    said = run(capsys, "missed")
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d"
    assert [re.sub(moment, "T", line) for line in said.out] == [
        f"T  {DAVE}  1 call  to {alice.number}",
        f"T  {BOB}  2 calls since T  to {alice.number}, {carol.number}",
        f"T  hidden  1 call  to {alice.number}",
    ]
    assert (said.status, said.err) == (0, [])


def test_missed_live_call_and_since(sim: Simulator, alice: Line, capsys: Capture) -> None:
    keep_login(sim, READ)
    miss(sim, alice, DAVE, 50)
    bob = sim.phone(BOB)
    bob.call(alice)
    bob.hang_up()
    said = run(capsys, "missed", "--since", "2d", "--json")
    [found] = said.json
    assert (found["number"], found["count"], found["name"]) == (BOB, 1, None)
    assert found["lines"] == [alice.number] and found["first"] == found["last"]


@pytest.mark.parametrize(("arguments", "name"), [([], "Bob"), (["--no-names"], None)])
def test_name_of_the_account_is_beside_the_number(
    sim: Simulator, alice: Line, capsys: Capture, arguments: List[str], name: Optional[str]
) -> None:
    keep_login(sim, READ)
    sim.contact("Bob", default_number=BOB)
    miss(sim, alice, BOB, 1)
    [found] = run(capsys, "missed", "--json", *arguments).json
    assert found["name"] == name
    assert ("Bob" in run(capsys, "missed", *arguments).out[0]) is bool(name)


def test_no_call_to_return(sim: Simulator, alice: Line, capsys: Capture) -> None:
    keep_login(sim, READ)
    assert run(capsys, "missed") == (0, [], ["there is no call to return"])
    assert run(capsys, "missed", "--json").json == []


def test_without_a_login_or_with_a_wrong_moment(capsys: Capture) -> None:
    assert run(capsys, "missed").status == 4
    assert run(capsys, "missed", "--since", "some day").status == 2


class Names(Dict[str, str]):
    def name_of(self, number: Any) -> Optional[str]:
        return self.get(number)


def test_names_are_beside_numbers_and_escaped() -> None:
    person = CallBack(BOB, 1, NOW, NOW, ())
    names = Names({BOB: "Bob\x1b[2J"})
    assert "+33 1 99 02 00 00  Bob\\x1b[2J  1 call" in format_line(person, True, names)
    assert make_fields(person, names)["name"] == "Bob\x1b[2J"
