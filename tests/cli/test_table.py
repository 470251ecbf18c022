"""The picture of a line's calls: what is in it, at any size."""

from __future__ import annotations

import re
from typing import Any, List, Optional, Sequence

import pytest

from keyyo_cti import Call
from keyyo_cti._client.line_numbers import LineNumbers
from keyyo_cti._client.server_clock import ServerClock
from keyyo_cti._client.session import Session
from keyyo_cti.cli.session_command import ConnectionStatus
from keyyo_cti.cli.table import MAX_ENDED_CALLS, TableView, render

NOW = 1_700_000_000


class Keyyo:
    """The line that calls belong to; it is always the same time there."""

    def __init__(self) -> None:
        session = Session(None, ServerClock())
        session.number = "33199000001"
        self.lines = LineNumbers(session)

    def server_time(self) -> float:
        return NOW

    def check_process(self) -> None:
        pass

    def ask(self, make: Any, arguments: Any, callback: Any) -> Any:
        raise AssertionError("a picture asks for nothing")


def call(number: int, state: Any = "SETUP", **fields: Any) -> Call:
    """Call number so and so, which has begun so many seconds ago."""
    made = Call(Keyyo(), f"c{number}")
    parties = {"caller": f"331990200{number:02}", "callee": "33199000001"}
    made.update({"state": state, "setup_date": NOW - number, **parties, **fields})
    return made


def picture(
    calls: Sequence[Call], width: int = 90, height: int = 24, notes: Sequence[str] = ()
) -> List[str]:
    """The lines, without their colours."""
    view = TableView("33199000001", ConnectionStatus.CONNECTED, calls, notes)
    lines = render(view, width, height, coloured=False)
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in lines]
    assert len(plain) <= height and all(len(line) <= width for line in plain)
    return plain


def callers(lines: Sequence[str]) -> List[str]:
    """The last digits of who calls, from above."""
    return re.findall(r"\+33 1 99 02 00 (\d\d)", "\n".join(lines))


def test_those_that_go_on_come_first() -> None:
    """Calls that go on stand in the order they began in, so that no row jumps; below are the
    ended ones, the last on top."""
    calls = [call(1), call(4, "RELEASE"), call(3, "CONNECT"), call(2, "MISSED"), call(5)]
    assert callers(picture(calls)) == ["05", "03", "01", "02", "04"]


def test_ended_ones_are_bounded() -> None:
    """However many calls have ended, the last ten are shown."""
    calls = [call(number, "RELEASE") for number in range(50)]
    last = range(49, 49 - MAX_ENDED_CALLS, -1)
    assert callers(picture(calls)) == [f"{number}" for number in last]


def test_a_low_window() -> None:
    """Ended calls give way to those that go on, and of these the oldest, which is said."""
    calls = [call(90, "RELEASE"), *(call(number) for number in range(9, 0, -1))]
    assert callers(picture(calls, height=13)) == [f"{n:02}" for n in range(9, 0, -1)] + ["90"]
    assert callers(picture(calls, height=12)) == [f"{n:02}" for n in range(9, 0, -1)]
    low = picture(calls, height=9)
    assert callers(low) == ["05", "04", "03", "02", "01"]
    assert low[-1] == "and 4 older active calls"


@pytest.mark.parametrize("height", range(1, 12))
@pytest.mark.parametrize("width", [1, 7, 20, 200])
def test_any_size(width: int, height: int) -> None:
    """No size is too small: what is shown fits, and begins with the line."""
    calls = [call(number, "CONNECT", connect_date=NOW, callpark_slot="7") for number in range(9)]
    lines = picture(calls, width, height, notes=["a" * 300, "b"])
    assert lines[0].rstrip("…") in "+33 1 99 00 00 01  connected"


def test_notes_give_way_to_calls() -> None:
    """On a low window the last notes are shown, or none, but always a call."""
    notes = ["one", "two", "three"]
    assert picture([call(1)], notes=notes)[-3:] == notes
    lines = picture([call(1)], height=6, notes=notes)
    assert lines[-1] == "three" and callers(lines) == ["01"] and "two" not in lines
    lines = picture([call(1)], height=5, notes=notes)
    assert callers(lines) == ["01"] and "three" not in lines


SINCE = r"\d\d:\d\d:\d\d"
BOB, ALICE = r"\+33 1 99 02 00 01", r"\+33 1 99 00 00 01"


@pytest.mark.parametrize(
    ("width", "row"),
    [
        (100, f"{SINCE} {BOB} {ALICE} parked 0:00 0:01 7"),
        (74, f"{SINCE} {BOB} {ALICE} parked 0:00 0:01 7"),
        (73, f"{SINCE} {BOB} {ALICE} parked 0:00 0:01"),
        (59, f"{BOB} {ALICE} parked 0:01"),
        (39, f"from {BOB} parked 0:01"),
        (31, f"from {BOB} parked"),
        (20, r"from \+33 1 … parked"),
    ],
)
def test_narrow_window_drops_the_slot_first_and_the_caller_last(width: int, row: str) -> None:
    lines = picture([call(1, "CONNECT", connect_date=NOW - 1, callpark_slot="7")], width=width)
    assert re.fullmatch(row.replace(" ", " +"), lines[-1])


def test_narrow_window_keeps_the_party_that_is_not_this_line() -> None:
    outgoing = call(1, caller="33199000001", callee="33199020001")
    assert re.fullmatch(f"to {BOB} +ringing +0:01", picture([outgoing], width=39)[-1])


def test_one_long_name_does_not_drop_columns() -> None:
    lines = picture([call(2), call(1, caller="x" * 100)], width=79)
    assert lines[2].split() == ["since", "from", "to", "state", "rang", "talked", "slot"]
    assert callers(lines) == ["02"] and "xxx…" in lines[-1]


@pytest.mark.parametrize(("width", "more"), [(80, " until they change"), (60, ""), (39, "")])
def test_earlier_calls_are_said_not_to_be_shown(width: int, more: str) -> None:
    view = TableView("33199000001", ConnectionStatus.CONNECTED, [call(1)], (), "14:03:05")
    lines = render(view, width, 24, coloured=False)
    assert f"calls before 14:03:05 are not shown{more}" in re.sub(r"\x1b\[\d*m", "", lines[1])
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("fields", "durations"),
    [
        ({"setup_date": NOW - 59}, "ringing 0:59"),
        ({"setup_date": NOW - 3600}, "ringing 1:00:00"),
        ({"setup_date": NOW - 70, "connect_date": NOW - 60, "state": "CONNECT"},
         "talking 0:10 1:00"),
        ({"setup_date": NOW - 70, "connect_date": NOW - 60, "release_date": NOW - 5,
          "state": "RELEASE"}, "ended 0:10 0:55"),
        ({"setup_date": NOW - 70, "release_date": NOW - 5, "state": "MISSED"}, "missed 1:05"),
    ],
)
def test_durations(fields: Any, durations: str) -> None:
    """Hours show when there are any, and talking when there was somebody to talk to."""
    assert picture([call(1, **fields)])[-1].split()[13:] == durations.split()


@pytest.mark.parametrize(
    "fields",
    [
        {"setup_date": "soon"}, {"setup_date": 1e300}, {"setup_date": -1e15}, {"setup_date": None},
        {"state": ["odd"]}, {"state": None}, {"caller": {}}, {"callpark_slot": 0},
        {"caller": "\ud800"}, {"caller": "x" * 1_000_000},
    ],
)
def test_a_strange_call(fields: Any) -> None:
    """A call of another shape than expected is one row like any other."""
    lines = picture([call(2), call(1, **fields), call(0)])
    assert len(lines) == 6 and {"02", "00"} <= set(callers(lines))


def test_a_stale_call() -> None:
    """Of a call that may have ended while nobody told, the state is in question."""
    stale = call(1, "CONNECT")
    stale.stale = True
    assert "talking?" in picture([stale])[-1]


def test_no_calls_yet() -> None:
    """An empty table says so."""
    assert picture([]) == ["+33 1 99 00 00 01  connected", "", "no calls yet"]


def test_wide_letters() -> None:
    """A name in wide letters takes no more columns than there are."""
    lines = picture([call(1, caller="山" * 100)], width=60)
    assert lines[-1].endswith("ringing  0:01") and "…" in lines[-1]


class Names:
    """Bob, the line, and a name that would command the terminal."""

    def name_of(self, number: Any) -> Optional[str]:
        return {"33199020001": "Bob Example (Ex)", "33199020002": "\x1b[2J\u202eEve",
                "33199000001": "Alice"}.get(number)


def test_names_are_beside_numbers_and_that_of_the_line_is_above() -> None:
    calls = [call(number) for number in (3, 2, 1)]
    view = TableView("33199000001", ConnectionStatus.CONNECTED, calls, names=Names())
    head, _, _, nobody, eve, bob = render(view, 120, 24, coloured=False)
    assert head.replace("\x1b[1m", "").startswith("+33 1 99 00 00 01 Alice")
    assert "+33 1 99 02 00 01 Bob Example (Ex)  +33 1 99 00 00 01  " in bob
    assert "+33 1 99 02 00 02 \\x1b[2J\\u202eEve  " in eve and "Alice" not in bob
    assert "+33 1 99 02 00 03  " in nobody
    # In a narrow window, the number stays whole.
    for width in (32, 60, 90):
        view_lines = render(view, width, 24, coloured=False)
        assert any("+33 1 99 02 00 01" in line for line in view_lines)
        assert all(len(re.sub("\x1b\\[[0-9;]*m", "", line)) <= width for line in view_lines)
