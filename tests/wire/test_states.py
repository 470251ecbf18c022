"""The state of a call is the handled event's inside a handler, and the latest everywhere else."""

from __future__ import annotations

import json
import queue
import threading
from typing import Any, Callable, Dict, List, Optional, Tuple

import pytest

from keyyo_cti import CTI, Call
from keyyo_cti.backoff import Backoff
from keyyo_cti.simulator import Line, Simulator

from ..helpers.in_full import in_full
from ..helpers.probe import PATIENCE, Record, eventually
from ..helpers.scripted_server import ScriptedServer, session
from .test_handlers import notification

BOB = "33199020000"

#: How often each of the three is looked at, on each transport.
ROUNDS = in_full(1_000, always=40)


def last_of(cti: CTI) -> Call:
    return cti.get_calls()[-1]


@pytest.mark.slow
@pytest.mark.fault(40)
@pytest.mark.promise(3)
@pytest.mark.usefixtures("transport")
def test_state_after_result_is_never_stale(
    sim: Simulator, alice: Line, record_property: Callable[[str, object], None]
) -> None:
    """After ``result()`` of dial, answer and hang_up, calls are what the server said before it
    answered, though handlers take their time."""
    stale: List[Tuple[int, str, Optional[str]]] = []
    pause = threading.Event()
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        cti.create_session(sim.token(alice), True).result(PATIENCE)
        cti.on("newCall", lambda call: pause.wait(0.0005))
        for number in range(ROUNDS):
            known = len(cti.get_calls())
            cti.dial(BOB).result(PATIENCE)
            if len(cti.get_calls()) != known + 1:
                stale.append((number, "dial", None))
            sim.phone(BOB).hang_up()
            ringing = sim.phone(BOB)
            ringing.call(alice)
            eventually(lambda: last_of(cti).caller == BOB and last_of(cti).state == "SETUP")
            call = last_of(cti)
            call.answer().result(PATIENCE)
            if call.state != "CONNECT":
                stale.append((number, "answer", call.state))
            call.hang_up().result(PATIENCE)
            if call.state != "RELEASE":
                stale.append((number, "hang_up", call.state))
    record_property("stale", len(stale))
    assert stale == []


@pytest.mark.fault(40)
@pytest.mark.promise(3)
def test_every_handler_sees_its_own_event_under_load() -> None:
    """While the reader is far ahead, and other threads ask and look, each handler sees the state
    of its own event in the call and in the list, and other threads never see an older one."""
    total, calls = in_full(100_000, always=6_000), 7
    seen, over = Record(), threading.Event()
    wrong: List[Any] = []
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:
        count = [0]

        def check(call: Call) -> None:
            number = count[0]
            count[0] += 1
            listed = cti.get_calls()
            if not (
                getattr(call, "number") == call["number"] == number
                and call.state == ("SETUP", "CONNECT")[number % 2]
                and listed[-1] is call is cti.get_call(call.callref)
                and [each["number"] for each in listed]
                == list(range(max(0, number - calls + 1), number + 1))
            ):
                wrong.append((number, call.fields))
            if count[0] == total:
                seen.add("all")

        def look() -> None:
            latest = -1
            while not over.is_set():
                cti.ping().result(PATIENCE)
                number = max((call["number"] for call in cti.get_calls()), default=-1)
                if number < max(latest, count[0] - 1):
                    wrong.append((number, latest))
                latest = number

        cti.onNewCall = check
        cti.create_session("tok").result(PATIENCE)
        lookers = [threading.Thread(target=look) for _ in range(2)]
        for looker in lookers:
            looker.start()
        for start in range(0, total, 500):
            server.push(*[
                notification(str(n % calls), ("SETUP", "CONNECT")[n % 2], number=n)
                for n in range(start, start + 500)
            ])
        try:
            with seen._changed:
                assert seen._changed.wait_for(lambda: seen.items, 10 * PATIENCE)
        finally:
            over.set()
            for looker in lookers:
                looker.join(PATIENCE)
    assert wrong == []


@pytest.mark.fault(40)
@pytest.mark.parametrize("dispatch", ["event thread", "manual", "function"])
def test_views_with_each_kind_of_dispatch(dispatch: str) -> None:
    """Wherever handlers run, they see their event, callbacks and done-callbacks that of before;
    a thread that a handler started, and everything else, sees the latest."""
    work: "queue.Queue[Callable[[], None]]" = queue.Queue()
    options: Dict[str, Any] = {"event thread": None, "manual": "manual", "function": work.put}
    received, seen = threading.Event(), Record()

    with ScriptedServer(session) as server:
        with CTI(endpoint=server.endpoint, dispatch=options[dispatch]) as cti:

            def look(what: str) -> None:
                seen.add((what, [(call.callref, call.state) for call in cti.get_calls()]))

            def new_call(call: Call) -> None:
                assert received.wait(PATIENCE)
                look("newCall")
                thread = threading.Thread(target=look, args=("thread",))
                thread.start()
                thread.join(PATIENCE)

            cti.on("newCall", new_call)
            cti.create_session("tok").result(PATIENCE)
            server.push(notification("a"))
            first = cti.ping(lambda err, res: look("callback"))
            first.add_done_callback(lambda done: look("done"))
            first.result(PATIENCE)
            server.push(notification("b"), notification("a", "CONNECT"))
            cti.ping().result(PATIENCE)
            look("main")
            received.set()
            if dispatch == "manual":
                while len(seen.items) < 9:
                    assert cti.poll(PATIENCE)
            while dispatch == "function" and len(seen.items) < 9:
                work.get(timeout=PATIENCE)()
            seen.wait_for_count(9)
    latest = [("b", "SETUP"), ("a", "CONNECT")]
    handled = [[("a", "SETUP")], [("a", "SETUP"), ("b", "SETUP")], latest]
    others = sorted(seen.items[3:5])
    assert seen.items[:3] + seen.items[5:] == [
        ("main", latest),
        ("newCall", handled[0]), ("thread", latest),
        ("newCall", handled[1]), ("thread", latest),
        ("newCall", handled[2]), ("thread", latest),
    ]
    assert others == [("callback", handled[0]), ("done", handled[0])]


@pytest.mark.fault(40)
@pytest.mark.usefixtures("transport")
def test_stale_is_true_when_it_is_read() -> None:
    """As soon as a command is answered with the end of its connection, calls are stale, though a
    handler is still busy with an event of before."""
    parked, release, seen = threading.Event(), threading.Event(), Record()

    def answer(connection: Any, command: Any) -> None:
        if command["action"] == "call":
            connection.drop()
        else:
            session(connection, command)

    with ScriptedServer(answer) as server, CTI(endpoint=server.endpoint) as cti:

        def park(call: Call) -> None:
            parked.set()
            assert release.wait(PATIENCE)
            seen.add(("newCall", call.stale))

        cti.onNewCall = park
        cti.onDisconnected = lambda: seen.add(("disconnected", last_of(cti).stale))
        cti.create_session("tok").result(PATIENCE)
        server.push(notification("a"))
        assert parked.wait(PATIENCE) and not last_of(cti).stale
        assert cti.dial(BOB).exception(PATIENCE) is not None
        assert last_of(cti).stale
        release.set()
        assert seen.wait_for_count(2) == [("newCall", False), ("disconnected", True)]


@pytest.mark.fault(81)
@pytest.mark.usefixtures("transport")
def test_call_heard_without_a_session_is_stale_after_the_next_drop() -> None:
    """A call comes on a connection whose session the program never gets, because that is lost or
    closed before. It is stale from then on, and after the drop of the next session too."""
    seen = Record()

    def answer(connection: Any, command: Any) -> None:
        if command["action"] == "restore_session":
            connection.send(json.dumps(notification("a")))
            connection.close(4000, "before the answer")
        elif command["action"] == "call":
            connection.drop()
        else:
            session(connection, command)

    with ScriptedServer(answer) as server, CTI(endpoint=server.endpoint) as cti:
        cti.onDisconnected = lambda: seen.add(last_of(cti).stale)
        assert cti.restore_session("tok", "s-0").exception(PATIENCE) is not None
        assert last_of(cti).stale
        assert seen.wait_for_count(1) == [True]
        cti.create_session("tok").result(PATIENCE)
        assert cti.dial(BOB).exception(PATIENCE) is not None
        assert last_of(cti).stale
        assert seen.wait_for_count(2) == [True, True]


@pytest.mark.slow
@pytest.mark.fault(79)
@pytest.mark.parametrize("told_before", [False, True])
@pytest.mark.parametrize("state", ["SETUP", "CONNECT"])
def test_call_that_no_handler_was_told_of_is_told_to_the_next_session(
    sim: Simulator, alice: Line, state: str, told_before: bool
) -> None:
    """The program closes while the news of a call waits for its handlers, and opens again: what
    the server then repeats is news to them, once."""
    seen: List[str] = []

    def on_new_call(call: Call) -> None:
        seen.append("newCall")
        call.onSetup = lambda: seen.append("setup")
        call.onConnect = lambda: seen.append("connect")

    with CTI(
        endpoint=sim.endpoint, cookie_auto=False, dispatch="manual",
        token_provider=lambda: sim.token(alice), backoff=Backoff(first=0.01),
    ) as cti:
        cti.onNewCall = on_new_call
        session_id = cti.create_session(sim.token(alice)).result(PATIENCE).session_id
        sim.phone(BOB).call(alice)
        eventually(lambda: cti.get_calls() != [])
        if told_before:
            poll_all(cti)
            assert seen == ["newCall", "setup"]
        if state == "CONNECT":
            alice.phone.pick_up()
            eventually(lambda: last_of(cti).state == "CONNECT")
        del seen[:]
        cti.close()
        poll_all(cti)
        assert seen == []
        cti.restore_session(sim.token(alice), session_id).result(PATIENCE)
        poll_all(cti)
        known = told_before and state == "SETUP"
        assert seen == ([] if known else ["newCall", EVENTS[state]])
        sim.faults.drop()
        back = threading.Event()
        cti.onRestored = lambda info: back.set()
        eventually(lambda: cti.poll() > -1 and back.is_set())
        del seen[:]
        poll_all(cti)
        assert seen == []


EVENTS = {"SETUP": "setup", "CONNECT": "connect"}


def poll_all(cti: CTI) -> None:
    """Runs the handlers of all that the server has sent."""
    if cti.connected:
        cti.ping().result(PATIENCE)
    while cti.poll():
        pass
