"""Durations on the server's clock, end to end."""

from functools import partial
from typing import Any, Callable, List, Tuple

import pytest

from keyyo_cti import CTI
from keyyo_cti._client import client
from keyyo_cti._client.server_clock import ServerClock
from keyyo_cti.simulator import ManualClock, Simulator

from ..helpers.probe import PATIENCE, Seen
from ..helpers.scripted_server import ScriptedServer, session

#: Multiples of each have evenly spread fractions, which do not depend on those of the others.
GOLDEN_RATIO, FIRST_STEP, SECOND_STEP = 0.6180339887, 0.7548776662, 0.5698402910


def use_clocks(
    monkeypatch: pytest.MonkeyPatch, monotonic: Callable[[], float], wall: Callable[[], float]
) -> None:
    """Gives every CTI of the test these clocks in place of the machine's."""
    clock = partial(ServerClock, monotonic=monotonic, wall=wall)
    monkeypatch.setattr(client, "ServerClock", clock)


def mean(errors: List[float]) -> float:
    return sum(errors) / len(errors)


@pytest.mark.fault(38)
@pytest.mark.parametrize("local", [0.0, 3600.0, -86_400.0], ids=["right", "fast", "slow"])
def test_durations_over_60_looks_are_right_on_average(
    monkeypatch: pytest.MonkeyPatch, local: float
) -> None:
    """60 sessions that begin at any fraction of the server's second, with a call in each: its
    durations are right on average, on a right local clock and on a wrong one."""
    clock = ManualClock()
    use_clocks(monkeypatch, lambda: clock() - 1_699_990_000, lambda: clock() + local)
    talking, ringing = [], []
    with Simulator(clock=clock) as sim:
        alice, bob = sim.line("33199000001"), sim.phone("33199020000")
        for look in range(60):
            sim.elapse(1 + GOLDEN_RATIO)
            with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
                seen = Seen(cti)
                cti.create_session(sim.token(alice)).result(PATIENCE)
                sim.elapse(look * GOLDEN_RATIO % 7)
                bob.call(alice)
                seen.wait_for("setup")
                (call,) = cti.get_calls()
                rang, talked = 3 + look * FIRST_STEP, 20 + look * SECOND_STEP
                sim.elapse(rang)
                ringing.append(call.get_ringing_duration() - rang)
                alice.phone.pick_up()
                seen.wait_for("connect")
                sim.elapse(talked)
                talking.append(call.get_duration() - talked)
                bob.hang_up()
                seen.wait_for("release")
    assert len(talking) == len(ringing) == 60
    assert abs(mean(talking)) < 0.1 and abs(mean(ringing)) < 0.1
    assert max(map(abs, talking + ringing)) < 1.5


@pytest.mark.fault(38)
def test_durations_over_60_calls_of_one_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one session, whose now came at the end of a second, the dates of the calls tell the
    fraction, though the local clock is wrong."""
    clock = ManualClock(1_700_000_000.95)
    use_clocks(monkeypatch, lambda: clock() - 1_699_990_000, lambda: 0.0)
    errors = []
    with Simulator(clock=clock) as sim:
        alice, bob = sim.line("33199000001"), sim.phone("33199020000")
        with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
            seen = Seen(cti)
            cti.create_session(sim.token(alice)).result(PATIENCE)
            for look in range(60):
                sim.elapse(GOLDEN_RATIO * (look + 1))
                bob.call(alice)
                seen.wait_for("setup", look + 1)
                sim.elapse(5.3)
                alice.phone.pick_up()
                seen.wait_for("connect", look + 1)
                talked = 30 + look * SECOND_STEP
                sim.elapse(talked)
                errors.append(cti.get_calls()[-1].get_duration() - talked)
                bob.hang_up()
                seen.wait_for("release", look + 1)
    assert abs(mean(errors)) < 0.1


def _silent_call(**fields: Any) -> Any:
    return {"notify": "call", "call": {"callref": "c1", **fields}}


@pytest.mark.fault(38)
@pytest.mark.usefixtures("transport")
def test_end_without_a_date_is_when_it_was_received(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that runs a minute late does not make the call a minute longer."""
    times = [100.0]
    use_clocks(monkeypatch, lambda: times[0], lambda: 0.0)
    with ScriptedServer(session) as server:
        with CTI(endpoint=server.endpoint, dispatch="manual") as cti:
            ended: List[Tuple[int, int]] = []
            cti.onNewCall = lambda call: ended.append(
                (call.get_duration(), call.get_ringing_duration())
            )
            cti.create_session("tok").result(PATIENCE)
            start = 1_700_000_000
            server.push(_silent_call(state="RELEASE", setup_date=start - 60, connect_date=start))
            cti.ping().result(PATIENCE)  # Its reply comes after the notification.
            times[0] += 60
            while not ended:
                cti.poll(PATIENCE)
            assert ended == [(0, 60)]
            (call,) = cti.get_calls()
            times[0] += 60
            assert (call.get_duration(), call.get_ringing_duration()) == (0, 60)


@pytest.mark.usefixtures("transport")
def test_dates_of_0_and_later_dates(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connect_date of 0 is none, a release_date of 0 is no end, and a date that is later than
    the clock moves it forward."""
    times = [100.0]
    use_clocks(monkeypatch, lambda: times[0], lambda: 0.0)
    start = 1_700_000_000
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        server.push(_silent_call(state="SETUP", setup_date=start - 5, connect_date=0))
        seen.wait_for("setup")
        (call,) = cti.get_calls()
        assert (call.get_duration(), call.get_ringing_duration()) == (0, 5)
        server.push(_silent_call(state="CONNECT", connect_date=start + 40, release_date=0))
        seen.wait_for("connect")
        assert (call.get_duration(), call.get_ringing_duration()) == (0, 45)
        assert call.setup_date is None
        times[0] += 10
        assert (call.get_duration(), call.get_ringing_duration()) == (10, 45)
