"""The rows of the board: their order, and the buttons in each state of a call."""

from __future__ import annotations

import threading
from typing import Any, List

import pytest

from keyyo_cti import CTI
from keyyo_cti.notebook.board_widget import Board
from keyyo_cti.notebook.call_row import CallRow
from keyyo_cti.notebook.row_list import RowList
from keyyo_cti.simulator import Line, Phone, Simulator

from .conftest import PATIENCE, Kernel, shown
from .test_number_field import press_enter

ALICE, BOB, CAROL = "33199000001", "33199020000", "33199020003"

TALKING = ["Park", "number", "Transfer", "Hang up"]


def labels(row: CallRow) -> List[str]:
    """The buttons and fields that a row shows, with a mark if one is disabled."""
    return [
        (getattr(each, "placeholder", "") or each.description) + " (disabled)" * each.disabled
        for each in row.children[1:]
    ]


def notify(sim: Simulator, alice: Line, callref: str, state: str, **fields: Any) -> None:
    call = {"callref": callref, "caller": BOB, "callee": ALICE, "state": state, **fields}
    sim.push(alice, {"notify": "call", "call": call})


def from_above(there: Board) -> List[str]:
    """The calls in the order in which the browser shows them; nothing during a refresh."""
    slots = sorted(there._list.children, key=lambda slot: int(slot.layout.order))
    calls = [slot.children[0].call.callref for slot in slots]
    return calls if calls == [row.call.callref for row in there.rows] else []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"state": "SETUP"}, ["Answer", "Reject"]),
        ({"state": "SETUP", "caller": ALICE, "callee": BOB}, ["Hang up"]),
        ({"state": "SETUP", "callee": CAROL}, ["Hang up"]),
        ({"state": "CONNECT"}, TALKING),
        ({"state": "CONNECT", "caller": ALICE, "callee": BOB}, TALKING),
        ({"state": "CONNECT", "callee": CAROL}, ["Hang up"]),
        ({"state": "CONNECT", "callpark_slot": "1"}, ["Take back", "Hang up"]),
        ({"state": "CONNECT", "callpark_slot": "1", "callee": CAROL}, ["Take back", "Hang up"]),
        ({"state": "RELEASE"}, []),
        ({"state": "MISSED"}, []),
    ],
)
def test_row_shows_only_what_can_succeed(
    sim: Simulator, cti: CTI, alice: Line, kernel: Kernel, fields: Any, expected: List[str]
) -> None:
    with shown(cti) as there:
        notify(sim, alice, "1", "SETUP", caller=CAROL, callee=CAROL)
        kernel.until(lambda: there.rows and labels(there.rows[0]) == ["Hang up"], "the row")
        notify(sim, alice, "1", **fields)
        [row] = there.rows
        kernel.until(lambda: labels(row) == expected, "the buttons")


def test_board_without_connection_shows_no_button(
    sim: Simulator, cti: CTI, alice: Line, bob: Phone, kernel: Kernel
) -> None:
    with shown(cti) as there:
        bob.call(alice)
        kernel.until(lambda: there.rows and labels(there.rows[0]), "the row")
        assert there.dial in there._bar.children and there.to in there._bar.children
        sim.faults.drop()
        kernel.until(lambda: not labels(there.rows[0]), "the row without buttons")
        kernel.until(lambda: there._bar.children == (there.status,), "the bar without buttons")


def test_reject_ends_a_ringing_call(
    cti: CTI, alice: Line, bob: Phone, kernel: Kernel
) -> None:
    with shown(cti) as there:
        bob.call(alice)
        kernel.until(lambda: there.rows and "Reject" in labels(there.rows[0]), "the button")
        there.rows[0].reject.click()
        bob.wait_until("idle")
        kernel.until(lambda: "missed" in there.rows[0].about.value, "the missed call")


def test_active_calls_stand_above_ended_ones(
    sim: Simulator, cti: CTI, alice: Line, kernel: Kernel
) -> None:
    """An ended call sinks, and a new one is added below the active ones. Rows that have buttons in
    the place of another one's ignore clicks for a moment."""
    with shown(cti) as there:
        for callref in "123":
            notify(sim, alice, callref, "CONNECT")
        kernel.until(lambda: len(there._list.children) == 3, "the rows")
        slots = there._list.children
        notify(sim, alice, "1", "RELEASE", release_date=100)
        kernel.until(lambda: from_above(there) == ["2", "3", "1"], "the order")
        assert [bool(slot._dom_classes) for slot in slots] == [False, True, True]
        moved = slots[2]._dom_classes
        notify(sim, alice, "2", "RELEASE", release_date=200)
        kernel.until(lambda: from_above(there) == ["3", "2", "1"], "the order")
        notify(sim, alice, "4", "SETUP")
        kernel.until(lambda: from_above(there) == ["3", "4", "2", "1"], "the order")
        # The browser makes no row again, which would take the focus from a field.
        assert there._list.children[:3] == slots
        assert slots[2]._dom_classes != moved
        assert there._list.children[3]._dom_classes == ()


def test_new_call_takes_the_row_of_the_call_that_ended_first(
    sim: Simulator, cti: CTI, alice: Line, kernel: Kernel
) -> None:
    with shown(cti, rows=3) as there:
        for callref in "123":
            notify(sim, alice, callref, "CONNECT")
        kernel.until(lambda: len(there.rows) == 3, "the rows")
        notify(sim, alice, "2", "RELEASE", release_date=100)
        notify(sim, alice, "1", "RELEASE", release_date=200)
        kernel.until(lambda: from_above(there) == ["3", "1", "2"], "the order")
        notify(sim, alice, "4", "SETUP")
        kernel.until(lambda: from_above(there) == ["3", "4", "1"], "the new call")
        assert len(there._list.children) == 3


def test_board_that_is_closed_during_a_late_refresh_leaves_nothing(
    cti: CTI, alice: Line, bob: Phone, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, go_on = threading.Event(), threading.Event()
    refresh = RowList.refresh

    def refresh_late(*arguments: Any) -> None:
        late.set()
        assert go_on.wait(PATIENCE)
        refresh(*arguments)

    with shown(cti) as there:
        bob.call(alice)
        kernel.until(lambda: there.rows, "the row")
        monkeypatch.setattr(RowList, "refresh", refresh_late)
        assert late.wait(PATIENCE) and there._thread is not None
        thread = there._thread._thread
        bob.hang_up()
        bob.call(alice)
        cti.ping().result(PATIENCE)
        there.close()
        go_on.set()
        thread.join(PATIENCE)
        assert kernel.open == {}


def test_enter_in_a_field_dials_and_transfers(
    sim: Simulator, cti: CTI, alice: Line, bob: Phone, kernel: Kernel
) -> None:
    carol = sim.phone(CAROL)
    with shown(cti) as there:
        press_enter(there.to, "+33 1 99 02 00 00")
        bob.wait_until("ringing")
        bob.pick_up()
        kernel.until(lambda: there.rows and labels(there.rows[0]) == TALKING, "the call")
        press_enter(there.rows[0].to, "01 99 02 00 03")
        carol.wait_until("ringing")
        alice.phone.wait_until("idle")
