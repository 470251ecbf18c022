"""The board: what it shows, what its buttons do, and that it leaves nothing behind."""

from __future__ import annotations

import contextvars
import threading
from typing import Any, List, Optional

import pytest

from keyyo_cti import CTI
from keyyo_cti.errors import KeyyoError
from keyyo_cti.notebook import board, show_names, timeline
from keyyo_cti.notebook.board_widget import Board
from keyyo_cti.simulator import Line, Phone, Simulator

from .conftest import PATIENCE, Kernel, shown

ALICE, BOB, DAVE = "33199000001", "33199020000", "33199020001"
SCRIPT = "<script>alert(1)</script>"

EVENTS = ("newCall", "disconnected", "restored", "lost", "error")


def handlers(cti: CTI) -> List[Any]:
    return [handler for name in EVENTS for handler in cti.handlers(name)]


def about(there: Board) -> str:
    """What is written on the board."""
    rows = [row.about.value for row in there.rows]
    return " | ".join([there.status.value, *rows, there.more.value, there.message.value])


def ringing(cti: CTI, alice: Line, bob: Phone, there: Board, kernel: Kernel) -> None:
    """Bob has called, and the board shows it."""
    bob.call(alice)
    kernel.until(lambda: "ringing" in about(there), "a call that rings")


def test_a_call_rings_and_is_answered(
    cti: CTI, alice: Line, bob: Phone, kernel: Kernel
) -> None:
    """A call is shown while it rings; a click on "Answer" connects it, and one on "Hang up"
    ends it."""
    with shown(cti) as there:
        assert "no calls" in about(there)
        assert "connected" in about(there) and "+33 1 99 00 00 01" in about(there)
        ringing(cti, alice, bob, there, kernel)
        [row] = there.rows
        assert "from +33 1 99 02 00 00" in row.about.value
        kernel.until(lambda: not row.answer.disabled, "the button")
        assert row.park.disabled and row.transfer.disabled
        row.answer.click()
        kernel.until(lambda: "talking" in about(there), "the answered call")
        bob.wait_until("talking")
        kernel.until(lambda: row.answer.disabled and not row.transfer.disabled, "the buttons")
        row.hang_up.click()
        kernel.until(lambda: "ended" in about(there), "the end of the call")
        bob.wait_until("idle")
        kernel.until(lambda: row.hang_up.disabled, "the buttons")


def test_calls_that_ring_already(cti: CTI, alice: Line, bob: Phone, kernel: Kernel) -> None:
    """A board that is made while a call rings shows it at once."""
    told = threading.Event()
    cti.on("newCall", lambda call: told.set())
    bob.call(alice)
    assert told.wait(PATIENCE)
    with shown(cti) as there:
        assert "ringing" in about(there)


def test_park_and_take_back(cti: CTI, alice: Line, bob: Phone, kernel: Kernel) -> None:
    """A click on "Park" parks the other one, who is said to be parked; another takes him
    back."""
    with shown(cti) as there:
        ringing(cti, alice, bob, there, kernel)
        alice.phone.pick_up()
        [row] = there.rows
        kernel.until(lambda: not row.park.disabled, "the button")
        row.park.click()
        bob.wait_until("parked")
        kernel.until(lambda: "parked in slot" in about(there), "the parked call")
        kernel.until(lambda: row.park.description == "Take back", "the other button")
        assert row.transfer.disabled
        row.park.click()
        bob.wait_until("talking")
        kernel.until(lambda: "parked" not in about(there), "the call that is taken back")


@pytest.mark.parametrize("outgoing", [False, True])
def test_transfer(
    sim: Simulator, cti: CTI, alice: Line, bob: Phone, kernel: Kernel, outgoing: bool
) -> None:
    """The other one is transferred to the number that was written as people write it, whoever
    called whom."""
    dave = sim.phone(DAVE)
    with shown(cti) as there:
        if outgoing:
            there.to.value = "01 99 02 00 00"
            there.dial.click()
            bob.wait_until("ringing")
            bob.pick_up()
        else:
            bob.call(alice)
            alice.phone.pick_up()
        kernel.until(lambda: "talking" in about(there), "the call")
        [row] = there.rows
        assert ("to +33 1 99 02" if outgoing else "from +33 1 99 02") in row.about.value
        kernel.until(lambda: not row.transfer.disabled, "the button")
        row.to.value = "+33 1 99 02 00 01"
        row.transfer.click()
        dave.wait_until("ringing")
        alice.phone.wait_until("idle")


def test_an_error_is_shown(cti: CTI, alice: Line, bob: Phone, kernel: Kernel) -> None:
    """What a command is refused with is on the board, as text, and what is done well next wipes
    it off."""
    with shown(cti) as there:
        there.dial.click()
        kernel.until(lambda: "cannot dial" in about(there), "the error")
        assert "expected a string that is not empty" in about(there)
        there.to.value = SCRIPT
        there.dial.click()
        kernel.until(lambda: "RPC invalid params" in about(there), "the server's error")
        there.to.value = BOB
        there.dial.click()
        kernel.until(lambda: "cannot" not in about(there), "a clean board")


@pytest.mark.fault(33)
@pytest.mark.promise(10)
def test_hostile_calls(sim: Simulator, cti: CTI, alice: Line, kernel: Kernel) -> None:
    """Whatever a call is told to be is text on the board."""
    with shown(cti) as there:
        for number, odd in enumerate([SCRIPT, [SCRIPT], 3, None, True, {"a": SCRIPT}]):
            fields = {name: odd for name in ("caller", "callee", "state", "setup_date")}
            notification = {"callref": f"{SCRIPT}{number}", "callpark_slot": odd, **fields}
            sim.push(alice, {"notify": "call", "call": notification})
        kernel.until(lambda: len(there.rows) == 6, "all calls")
        assert "<script" not in about(there)
        assert "&lt;script&gt;" in about(there)


def test_the_programs_own_handlers(cti: CTI, alice: Line, bob: Phone, kernel: Kernel) -> None:
    """The program's handlers stay as they are, and are called as ever."""
    seen: List[str] = []
    cti.onNewCall = lambda call: seen.append("attribute")
    cti.on("newCall", lambda call: seen.append("on"))
    before = handlers(cti)
    with shown(cti) as there:
        assert set(before) < set(handlers(cti))
        ringing(cti, alice, bob, there, kernel)
    assert handlers(cti) == before
    assert seen == ["on", "attribute"]


def test_close_leaves_nothing(cti: CTI, alice: Line, bob: Phone, kernel: Kernel) -> None:
    """A board that is closed has no handler, no thread, and nothing in the notebook; what
    happens later sends nothing. To close it again does no harm."""
    there = board(cti)
    ringing(cti, alice, bob, there, kernel)
    there.close()
    assert handlers(cti) == []
    assert not there.following
    assert [each.name for each in threading.enumerate() if "board" in each.name] == []
    assert kernel.open == {}
    sent = len(kernel.messages)
    bob.hang_up()
    cti.ping().result(PATIENCE)
    there.close()
    assert len(kernel.messages) == sent
    assert handlers(cti) == []


def test_boards_made_again_and_again(cti: CTI, kernel: Kernel) -> None:
    """However often a board is made and closed, no handler and no object is left."""
    for _ in range(50):
        board(cti).close()
    assert handlers(cti) == []
    assert kernel.open == {}


def test_nobody_looks(cti: CTI, alice: Line, bob: Phone, kernel: Kernel) -> None:
    """A board that the front end shows nowhere any more has no handlers and no thread; shown
    again, it goes on with what is then."""
    with shown(cti) as there:
        there.set_state({"_view_count": 1})
        assert there.following
        there.set_state({"_view_count": 0})
        assert not there.following
        assert handlers(cti) == []
        bob.call(alice)
        alice.phone.wait_until("ringing")
        cti.ping().result(PATIENCE)
        assert "ringing" not in about(there)
        there.set_state({"_view_count": 1})
        kernel.until(lambda: "ringing" in about(there), "the call")
        there.set_state({"_view_count": 2})
        assert len(handlers(cti)) == 4


@pytest.mark.fault(34)
def test_it_paints_in_the_context_of_its_cell(
    cti: CTI, alice: Line, bob: Phone, kernel: Kernel
) -> None:
    """Whatever the board sends, it sends in the context of its cell, as ipykernel 7 requires of
    other threads, and never from the event thread."""
    parent: "contextvars.ContextVar[str]" = contextvars.ContextVar("parent")
    seen: List[Any] = []
    token = parent.set("the cell")
    kernel.on_message = lambda: seen.append((parent.get(None), threading.current_thread().name))
    with shown(cti) as there:
        parent.reset(token)
        seen.clear()
        ringing(cti, alice, bob, there, kernel)
        assert set(seen) == {("the cell", "keyyo-cti-board")}


def test_a_wrong_token(sim: Simulator, alice: Line, kernel: Kernel) -> None:
    """A board of a line that could not be connected says so; its buttons wait until it is."""
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti, shown(cti) as there:
        with pytest.raises(KeyyoError, match="Invalid token"):
            cti.create_session("wrong").result(PATIENCE)
        # The connection of a session that was refused is closed.
        assert cti.wait(PATIENCE)
        assert "not connected" in about(there)
        assert there.dial.disabled
        there.to.value = BOB
        there.dial.click()
        kernel.until(lambda: "Connexion closed" in about(there), "the error")
        cti.create_session(sim.token(alice)).result(PATIENCE)
        # The error may say so too.
        kernel.until(lambda: "not connected" not in there.status.value, "the connection")
        assert "+33 1 99 00 00 01" in about(there)


def test_a_dropped_connection(
    sim: Simulator, alice: Line, bob: Phone, kernel: Kernel
) -> None:
    """While the connection is lost the board says so, and of its calls that they may have ended;
    restored, it goes on."""
    again = threading.Event()

    def token() -> str:
        assert again.wait(PATIENCE)
        return sim.token(alice)

    with CTI(endpoint=sim.endpoint, cookie_auto=False, token_provider=token) as cti:
        stale = sim.token(alice)
        cti.create_session(stale).result(PATIENCE)
        with shown(cti) as there:
            ringing(cti, alice, bob, there, kernel)
            sim.revoke_token(stale)
            sim.faults.drop()
            kernel.until(lambda: "not connected" in about(there), "the bad news")
            kernel.until(lambda: "may have ended" in about(there), "the stale call")
            again.set()
            kernel.until(lambda: "restored" in about(there), "the restored session")
            kernel.until(lambda: "may have ended" not in about(there), "the call")
            assert "not connected" not in about(there)


def test_the_connection_is_lost(
    sim: Simulator, alice: Line, bob: Phone, kernel: Kernel
) -> None:
    """Without anybody to restore it, the board stays, says that nothing is connected, and its
    buttons can be clicked no more."""
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        with shown(cti) as there:
            ringing(cti, alice, bob, there, kernel)
            sim.faults.drop()
            kernel.until(lambda: "not connected" in about(there), "the bad news")
            assert "may have ended" in about(there)
            assert there.rows[0].hang_up.disabled and there.dial.disabled


def test_lost_for_good(sim: Simulator, alice: Line, kernel: Kernel) -> None:
    """When the session will not come back, the board says why."""

    def refused() -> str:
        raise KeyyoError(401, f"somebody has to sign in {SCRIPT}")

    with CTI(endpoint=sim.endpoint, cookie_auto=False, token_provider=refused) as cti:
        token = sim.token(alice)
        cti.create_session(token).result(PATIENCE)
        with shown(cti) as there:
            sim.revoke_token(token)
            sim.faults.drop()
            kernel.until(lambda: "the session is lost" in about(there), "the reason")
            assert "somebody has to sign in &lt;script&gt;" in about(there)
            cti.create_session(sim.token(alice)).result(PATIENCE)
            kernel.until(lambda: "session is lost" not in about(there), "the new session")


def test_many_calls(sim: Simulator, cti: CTI, alice: Line, kernel: Kernel) -> None:
    """Of hundreds of calls the board shows so many, counts the others, and is painted far less
    often than it is told of a call."""
    with shown(cti, rows=5) as there:
        for number in range(300):
            sim.phone(f"33199{30000 + number:06}").call(alice)
        cti.ping().result(PATIENCE)
        kernel.until(lambda: "and 295 more active calls, 295 of them ringing" in about(there),
                     "the count")
        assert len(there.rows) == 5
        objects = len(kernel.open)
        assert objects < 80
        counted = [each for each in kernel.messages if "more active calls" in str(each["data"])]
        assert len(counted) < 200
        first = [row.call for row in there.rows]
        first[2].hang_up().result(PATIENCE)
        kernel.until(lambda: "and 294 more" in about(there), "the next call")
        assert [row.call for row in there.rows[:2]] == first[:2]
        assert there.rows[2].call is not first[2]
        kernel.until(lambda: len(kernel.open) == objects, "the end of the first row")


def test_a_row_is_of_one_call(cti: CTI, alice: Line, bob: Phone, kernel: Kernel) -> None:
    """A click for a call that has ended never reaches the call that took its place."""
    with shown(cti, rows=1) as there:
        ringing(cti, alice, bob, there, kernel)
        [row] = there.rows
        bob.hang_up()
        kernel.until(lambda: "missed" in about(there), "the missed call")
        ringing(cti, alice, bob, there, kernel)
        [other] = there.rows
        assert other is not row and other.hang_up is not row.hang_up
        row.hang_up.click()
        cti.ping().result(PATIENCE)
        alice.phone.wait_until("ringing")


def test_first_those_that_ring_for_us(
    sim: Simulator, cti: CTI, alice: Line, kernel: Kernel
) -> None:
    """When there is one row for two calls, the call that rings for this line has it."""
    told = threading.Semaphore(0)
    cti.on("newCall", lambda call: told.release())
    for callref, callee in (("1", "33199000002"), ("2", ALICE)):
        fields = {"caller": BOB, "callee": callee, "state": "SETUP"}
        sim.push(alice, {"notify": "call", "call": {"callref": callref, **fields}})
    assert told.acquire(timeout=PATIENCE) and told.acquire(timeout=PATIENCE)
    with shown(cti, rows=1) as there:
        assert [row.call.callref for row in there.rows] == ["2"]
        assert "and 1 more" in about(there)


def test_a_call_of_others(sim: Simulator, cti: CTI, alice: Line, kernel: Kernel) -> None:
    """A call between others, whom the line watches, is shown with both, and is not to be
    answered here."""
    with shown(cti) as there:
        fields = {"caller": BOB, "callee": "33199000002", "state": "SETUP"}
        sim.push(alice, {"notify": "call", "call": {"callref": "1", **fields}})
        kernel.until(lambda: "ringing" in about(there), "the call")
        [row] = there.rows
        assert "+33 1 99 02 00 00 → +33 1 99 00 00 02" in row.about.value
        kernel.until(lambda: not row.hang_up.disabled, "the button")
        assert row.answer.disabled
        fields["state"] = "CONNECT"
        sim.push(alice, {"notify": "call", "call": {"callref": "1", **fields}})
        kernel.until(lambda: "talking" in about(there), "the pick-up")
        # Whom of the two?
        assert row.park.disabled and row.transfer.disabled and not row.hang_up.disabled


def test_repr(cti: CTI, kernel: Kernel) -> None:
    """A board prints as the board of its line."""
    with shown(cti) as there:
        assert repr(there) == f"<Board of {cti!r}>"


@pytest.mark.parametrize("wrong", [None, "33199000001", CTI])
def test_no_cti(wrong: Any) -> None:
    """A board of something else is a TypeError at once."""
    with pytest.raises(TypeError, match="cti: expected a CTI"):
        board(wrong)


def test_wrong_rows(cti: CTI) -> None:
    """So is a number of rows that is none."""
    with pytest.raises(TypeError, match="rows"):
        board(cti, "8")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="rows"):
        board(cti, 0)


class Names:
    """A name that would be HTML."""

    def name_of(self, number: Any) -> Optional[str]:
        return f"{SCRIPT}\u202eBob" if number == BOB else None


@pytest.mark.parametrize("everywhere", [True, False])
def test_board_shows_names_beside_numbers_as_text(
    cti: CTI, alice: Line, bob: Phone, kernel: Kernel, everywhere: bool
) -> None:
    show_names(Names() if everywhere else None)
    try:
        there = board(cti, names=None if everywhere else Names())
        ringing(cti, alice, bob, there, kernel)
        shown_text = about(there)
        there.close()
    finally:
        show_names(None)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u202eBob</span>" in shown_text
    assert "+33 1 99 02 00 00" in shown_text and "<script" not in shown_text


def test_names_without_name_of_are_refused(cti: CTI) -> None:
    for call in (lambda: board(cti, names={}), lambda: show_names({}),  # type: ignore
                 lambda: timeline([], names="Bob")):  # type: ignore
        with pytest.raises(TypeError, match="names: expected a Directory, got (dict|str)"):
            call()
