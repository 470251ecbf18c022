"""``cti.health()`` over real sockets: what it says of drops, gaps, handlers and the backlog."""

from __future__ import annotations

import json
import queue
import threading
import time
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Optional

import pytest

from keyyo_cti import CTI, Backoff, Call, KeyyoError
from keyyo_cti._client import dispatcher, session
from keyyo_cti._client.handler_times import HandlerTimes
from keyyo_cti._client.history import History
from keyyo_cti.simulator import Line, Phone, Simulator
from keyyo_cti.token_provider import TokenProvider

from ..helpers.accounts import client_of
from ..helpers.probe import PATIENCE, Record, eventually
from .conftest import websocket_only

DAY = 86_400.0

QUICK = Backoff(first=0.01, longest=0.05)

#: No attempt to restore is made before the test ends.
NEVER_TRIES = Backoff(first=1000.0, longest=1000.0, spread=0.0)


class Clocks:
    """The clocks of ``health()``, set by hand.

    :ivar now: monotonic seconds.
    :ivar ahead: seconds of the wall clock ahead of it.
    """

    def __init__(self) -> None:
        self.now = 5000.0
        self.ahead = 1_700_000_000.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now + self.ahead


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    history = partial(History, clocks.monotonic, clocks.wall)
    monkeypatch.setattr(session, "History", history)
    monkeypatch.setattr(dispatcher, "HandlerTimes", partial(HandlerTimes, clocks.monotonic))
    return clocks


def make_cti(sim: Simulator, **options: Any) -> CTI:
    return CTI(endpoint=sim.endpoint, cookie_auto=False, **{"backoff": QUICK, **options})


def test_health_of_an_open_session_on_each_transport(
    sim: Simulator, alice: Line, transport: str, clocks: Clocks
) -> None:
    other = sim.line("33199000002")
    with make_cti(sim) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        opened_at = clocks.wall()
        clocks.now += 7200
        cti.subscribe(other.number).result(PATIENCE)
        health = cti.health()
        assert (health.state, health.transport, health.number) == (
            "connected", transport, alice.number
        )
        assert (health.connected_since, health.at) == (opened_at, clocks.wall())
        assert health.last_frame is not None and health.at - PATIENCE < health.last_frame
        assert health.last_frame <= health.at
        assert health.round_trip is not None and 0 < health.round_trip < PATIENCE
        assert health.subscriptions == (alice.number, other.number)
        assert (health.drops, health.gaps, health.gap_seconds, health.backlog) == (0, 0, 0.0, 0)
        assert health.token_until is None


def test_health_of_a_drop_is_gone_after_a_day(
    sim: Simulator, alice: Line, transport: str, clocks: Clocks
) -> None:
    with make_cti(sim, token_provider=lambda: sim.token(alice)) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        for number in (1, 2):
            restored = cti.wait_for("restored", timeout=PATIENCE)
            sim.faults.reset()
            gap = restored.result().gap
            health = cti.health()
            assert (health.drops, health.gaps, health.state) == (number, number, "connected")
            assert health.connected_since == clocks.wall()
            clocks.now += 60
        assert gap < health.gap_seconds < 2 * PATIENCE
        clocks.now += DAY - 60.1
        assert (cti.health().drops, cti.health().gaps) == (1, 1)
        assert cti.health().gap_seconds == pytest.approx(min(gap, 0.1))
        clocks.now += 0.2
        health = cti.health()
        assert (health.drops, health.gaps, health.gap_seconds) == (0, 0, 0.0)
        assert health.connected_since == pytest.approx(clocks.wall() - DAY - 0.1)


@pytest.mark.parametrize("end", ["open", "close"])
def test_health_of_a_gap_without_restore_lasts_until_the_program_acts(
    sim: Simulator, alice: Line, end: str, clocks: Clocks
) -> None:
    with make_cti(sim) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        disconnected = cti.wait_for("disconnected", timeout=PATIENCE)
        sim.faults.drop()
        disconnected.result()
        first = cti.health()
        assert (first.state, first.drops, first.gaps) == ("disconnected", 1, 1)
        assert (first.connected_since, first.transport, first.subscriptions) == (None, None, None)
        assert first.last_frame is not None and first.round_trip is not None
        eventually(lambda: cti.health().gap_seconds > first.gap_seconds)
        if end == "open":
            cti.create_session(sim.token(alice)).result(PATIENCE)
            assert cti.health().connected_since is not None
        else:
            cti.close()
        ended = cti.health()
        assert (ended.drops, ended.gaps) == (1, 1)
        assert ended.gap_seconds > first.gap_seconds
        assert cti.health().gap_seconds == ended.gap_seconds


def test_health_of_a_lost_session_counts_one_drop_and_a_gap_that_lasts(
    sim: Simulator, alice: Line
) -> None:
    def refuse() -> str:
        raise KeyyoError(403, "no more", "forbidden")

    with make_cti(sim, token_provider=refuse) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        lost = cti.wait_for("lost", timeout=PATIENCE)
        sim.faults.reset()
        lost.result()
        health = cti.health()
        assert (health.state, health.drops, health.gaps) == ("disconnected", 1, 1)
        eventually(lambda: cti.health().gap_seconds > health.gap_seconds)


def test_health_while_a_session_is_restored_shows_its_gap(sim: Simulator, alice: Line) -> None:
    with make_cti(sim, token_provider=lambda: "x", backoff=NEVER_TRIES) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        sim.faults.reset()
        eventually(lambda: cti.health().state == "restoring")
        health = cti.health()
        assert (health.drops, health.gaps, health.connected_since) == (1, 1, None)
        assert health.subscriptions == (alice.number,)
        eventually(lambda: cti.health().gap_seconds > health.gap_seconds)
        cti.close()
        assert (cti.health().state, cti.health().gaps) == ("disconnected", 1)


@pytest.mark.parametrize("end", ["close", "destroy", "refused"])
def test_health_after_an_end_on_purpose_counts_no_drop(
    sim: Simulator, alice: Line, end: str
) -> None:
    with make_cti(sim, token_provider=lambda: "x") as cti:
        if end == "refused":
            cti.create_session("wrong").exception(PATIENCE)
        else:
            cti.create_session(sim.token(alice)).result(PATIENCE)
        if end == "destroy":
            cti.destroy_session().result(PATIENCE)
        cti.close()
        health = cti.health()
        assert (health.state, health.drops, health.gaps) == ("disconnected", 0, 0)
        assert (health.last_frame is None) == (end == "refused")
        assert health.number == (None if end == "refused" else alice.number)


def test_health_while_it_connects_says_so(sim: Simulator, alice: Line) -> None:
    sim.faults.stall("info")
    with make_cti(sim) as cti:
        assert cti.health().state == "disconnected"
        cti.create_session(sim.token(alice))
        health = cti.health()
        assert (health.state, health.last_frame, health.round_trip) == ("connecting", None, None)


@websocket_only
def test_health_times_move_with_the_wall_clock(
    sim: Simulator, alice: Line, transport: str, clocks: Clocks
) -> None:
    """After the clock of the machine is set, they are by the new time."""
    with make_cti(sim) as cti:
        cti.on("newCall", lambda call: None)
        cti.create_session(sim.token(alice)).result(PATIENCE)
        sim.phone("33199020000").call(alice)
        cti.ping().result(PATIENCE)
        eventually(lambda: cti.health().slowest_handler)
        before = cti.health()
        clocks.ahead += 3600 * 24 * 365
        after = cti.health()
        assert before.connected_since is not None and after.connected_since is not None
        assert before.at - before.connected_since == after.at - after.connected_since
        assert before.slowest_handler is not None and after.slowest_handler is not None
        moved = after.slowest_handler.began - before.slowest_handler.began
        assert moved == pytest.approx(3600 * 24 * 365)


def test_health_of_round_trip_is_the_time_to_the_reply(
    sim: Simulator, alice: Line, transport: str
) -> None:
    """Neither a command that timed out nor one that was refused locally counts."""
    with make_cti(sim, timeout=2.0) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        began = time.monotonic()
        cti.ping().result(PATIENCE)
        took = time.monotonic() - began
        round_trip = cti.health().round_trip
        assert round_trip is not None and 0 < round_trip < took
        sim.faults.ignore("ping")
        cti.ping().exception(PATIENCE)
        cti.dial("").exception(PATIENCE)
        assert cti.health().round_trip == round_trip


class Loop:
    """A loop of the program that runs what it is handed when the test says."""

    def __init__(self) -> None:
        self.works: "queue.SimpleQueue[Callable[[], None]]" = queue.SimpleQueue()

    def run_one(self) -> None:
        self.works.get(timeout=PATIENCE)()


@pytest.mark.parametrize("kind", ["manual", "loop"])
def test_health_of_the_backlog_is_what_has_not_begun(
    sim: Simulator, alice: Line, bob: Phone, transport: str, kind: str
) -> None:
    loop = Loop()
    with make_cti(sim, dispatch="manual" if kind == "manual" else loop.works.put) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        assert cti.health().backlog == 0
        bob.call(alice)
        alice.phone.pick_up()
        bob.hang_up()
        cti.ping(lambda err, res: None).result(PATIENCE)
        assert cti.health().backlog == 4
        while cti.health().backlog:
            before = cti.health().backlog
            if kind == "loop":
                loop.run_one()
                assert cti.health().backlog == before - 1
            else:
                assert cti.poll() == before


def test_health_of_the_slowest_handler_runs_then_has_run(
    sim: Simulator, alice: Line, bob: Phone, transport: str
) -> None:
    """The handler that keeps the others waiting is named while it does, and for a day."""
    entered, release = threading.Event(), threading.Event()

    def block(*_: Any) -> None:
        entered.set()
        assert release.wait(PATIENCE)

    with make_cti(sim) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        cti.onNewCall = lambda call: call.on("setup", block)
        bob.call(alice)
        assert entered.wait(PATIENCE)
        eventually(lambda: slowest(cti).seconds > 0.05)
        now = slowest(cti)
        assert (now.event, now.running) == ("setup", True)
        assert "block" in now.function and "test_health.py:" in now.function
        release.set()
        eventually(lambda: not slowest(cti).running)
        then = slowest(cti)
        assert (then.event, then.function, then.running) == ("setup", now.function, False)
        assert then.seconds >= now.seconds and then.began == pytest.approx(now.began, abs=1.0)
        over = threading.Event()
        cti.ping(lambda err, res: over.set())
        assert over.wait(PATIENCE) and slowest(cti) is not None
        assert slowest(cti).function == now.function


def slowest(cti: CTI) -> Any:
    return cti.health().slowest_handler


@pytest.mark.parametrize(
    "event", ["newCall", "disconnected", "restored", "error", "callback"]
)
def test_health_of_the_slowest_handler_names_its_event(
    sim: Simulator, alice: Line, event: str
) -> None:
    done = threading.Event()

    def slow(*_: Any) -> None:
        threading.Event().wait(0.05)
        done.set()

    with make_cti(sim, token_provider=lambda: sim.token(alice)) as cti:
        if event != "callback":
            cti.on(event, slow)
        cti.create_session(sim.token(alice)).result(PATIENCE)
        causes: Dict[str, Callable[[], object]] = {
            "newCall": lambda: sim.phone("33199020000").call(alice),
            "error": lambda: sim.push(alice, {"notify": "weather"}),
            "callback": lambda: cti.ping(slow),
        }
        causes.get(event, sim.faults.reset)()
        assert done.wait(PATIENCE)
        eventually(lambda: slowest(cti) is not None and not slowest(cti).running)
        assert slowest(cti).event == event and slowest(cti).seconds >= 0.05


@pytest.mark.parametrize("how", ["provider", "function"])
def test_health_of_the_token_is_what_the_provider_or_the_restore_knows(
    sim: Simulator, alice: Line, how: str
) -> None:
    provider = TokenProvider(client_of(sim), alice.number)
    source: Callable[[], str] = provider if how == "provider" else lambda: sim.token(alice)
    with make_cti(sim, token_provider=source) as cti:
        assert cti.health().token_until is None
        cti.create_session(source()).result(PATIENCE)
        # Without a restore, only a TokenProvider knows.
        assert (cti.health().token_until is None) == (how == "function")
        restored = cti.wait_for("restored", timeout=PATIENCE)
        sim.faults.reset()
        restored.result()
        health = cti.health()
        assert health.token_until is not None
        assert 3600 - PATIENCE < health.token_until - health.at <= 3600


def test_health_shows_no_secret_and_sends_nothing(
    sim: Simulator, alice: Line, transport: str
) -> None:
    token = sim.token(alice)
    with make_cti(sim, token_provider=lambda: token) as cti:
        cti.create_session(token).result(PATIENCE)
        restored = cti.wait_for("restored", timeout=PATIENCE)
        sim.faults.reset()
        restored.result()
        cti.ping(partial(print_nothing, token)).result(PATIENCE)
        received = len(sim.received())
        health = cti.health()
        shown = f"{health} {health!r} {json.dumps(health.to_dict())}"
        assert token not in shown and str(cti.session_id) not in shown
        assert "\n" not in str(health)
        cti.ping().result(PATIENCE)
        assert [each["action"] for each in sim.received()[received:]] == ["ping"]


def print_nothing(secret: str, error: Optional[KeyyoError], result: Any) -> None:
    """A callback that is bound to a secret."""


def find_locks(thing: Any, seen: Dict[int, Any]) -> Iterator[Any]:
    """Every lock that an object has, or that something in it has."""
    if id(thing) in seen:
        return
    seen[id(thing)] = thing
    if type(thing).__module__ in ("_thread", "threading"):
        if hasattr(thing, "acquire"):
            yield getattr(thing, "_lock", thing)
    elif isinstance(thing, (list, set, tuple)):
        for each in list(thing):
            yield from find_locks(each, seen)
    elif type(thing).__module__.startswith("keyyo_cti"):
        for each in list(getattr(thing, "__dict__", {}).values()):
            yield from find_locks(each, seen)


def test_health_while_other_threads_hold_every_lock_returns(
    sim: Simulator, alice: Line, transport: str
) -> None:
    """It may interrupt any code, so it waits for none of it."""
    asked, seen = threading.Event(), Record()
    with make_cti(sim, token_provider=lambda: sim.token(alice)) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)

        def hold() -> None:
            held = [each for each in find_locks(cti, {}) if each.acquire(blocking=False)]
            seen.add(len(held))
            asked.wait(PATIENCE)
            for each in held:
                each.release()

        threads = [threading.Thread(target=hold)]
        threads.append(threading.Thread(target=lambda: seen.add(cti.health().state)))
        for number, thread in enumerate(threads, 1):
            thread.start()
            seen.wait_for_count(number)
        asked.set()
        for thread in threads:
            thread.join(PATIENCE)
        assert seen.items[0] >= 5 and seen.items[1] == "connected"


@pytest.fixture
def asker(sim: Simulator) -> Iterator[Callable[[CTI], List[Any]]]:
    """Threads that ask for the health without a pause until the test ends."""
    over, threads, errors = threading.Event(), [], Record()

    def ask(cti: CTI) -> None:
        last = 0
        while not over.is_set():
            try:
                health = cti.health()
                assert health.drops in (last, last + 1) and health.gaps == health.drops
                assert (health.connected_since is None) == (health.state != "connected")
                last = health.drops
                str(health), health.to_dict()
            except BaseException as error:
                errors.add(error)
                return

    def start(cti: CTI) -> List[Any]:
        threads.append(threading.Thread(target=ask, args=(cti,)))
        threads[-1].start()
        return errors.items

    yield start
    over.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert errors.items == []


def test_health_in_another_thread_never_misses_a_gap(
    sim: Simulator, alice: Line, bob: Phone, asker: Callable[[CTI], List[Any]]
) -> None:
    """At each moment of ten drops, each drop has its gap: it lasts, or it has ended."""
    with make_cti(sim, token_provider=lambda: sim.token(alice)) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        errors = asker(cti)
        for number in range(10):
            restored = cti.wait_for("restored", timeout=PATIENCE)
            sim.faults.reset()
            restored.result()
            eventually(lambda: cti.health().drops == number + 1 or errors)
        assert cti.health().gaps == 10


def test_health_in_handlers_is_of_that_moment(sim: Simulator, alice: Line, bob: Phone) -> None:
    seen = Record()

    def look(call: Call) -> None:
        seen.add(cti.health())

    with make_cti(sim, token_provider=lambda: sim.token(alice)) as cti:
        cti.onNewCall = look
        cti.onDisconnected = lambda: seen.add(cti.health())
        cti.onRestored = lambda info: seen.add((info, cti.health()))
        cti.create_session(sim.token(alice)).result(PATIENCE)
        bob.call(alice)
        seen.wait_for_count(1)
        assert (seen.items[0].state, seen.items[0].drops) == ("connected", 0)
        sim.faults.reset()
        seen.wait_for_count(3)
        assert (seen.items[1].drops, seen.items[1].gaps) == (1, 1)
        info, health = seen.items[2]
        assert (health.gaps, health.gap_seconds) == (1, info.gap)
