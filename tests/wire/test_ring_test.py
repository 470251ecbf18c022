"""The ring test of a program's own CTI: what stays dark, and that the CTI stays as it was."""

from __future__ import annotations

import threading
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import pytest

from keyyo_cti import CTI, Backoff, Call, KeyyoError
from keyyo_cti.diagnosis import Diagnosis, Finding, RingTest, diagnose
from keyyo_cti.manager import Manager
from keyyo_cti.simulator import Line, Simulator

from ..helpers.accounts import client_of
from ..helpers.probe import PATIENCE, Record, eventually

released = threading.Event()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    released.clear()
    monkeypatch.setattr("keyyo_cti._diagnosis.ring_layers.SLOW", 0.3)
    yield
    released.set()


def open_cti(sim: Simulator, alice: Line, **options: Any) -> CTI:
    cti = CTI(endpoint=sim.endpoint, cookie_auto=False, **options)
    cti.create_session(sim.token(alice)).result(PATIENCE)
    return cti


def ring(
    sim: Simulator, alice: Line, cti: Optional[CTI] = None,
    call: Optional[Callable[[], object]] = None, timeout: float = 0.5, **options: Any,
) -> Diagnosis:
    bob = sim.phone("33199020000")
    test = RingTest(timeout, cti=cti, on_ready=call or (lambda: bob.call(alice)), **options)
    return diagnose(client_of(sim), alice.number, sim.endpoint, test)


def find_dark(diagnosis: Diagnosis) -> Tuple[str, Optional[str]]:
    """The first layer that stays dark, and its fault."""
    dark = [each for each in diagnosis.findings if each.good is False]
    assert len(dark) == len(diagnosis.faults) == 1, str(diagnosis)
    return dark[0].check, dark[0].fault


def handle(call: Call) -> None:
    pass


def raise_error(*_: Any) -> None:
    raise LookupError("token=0123456789abcdef")


def test_program_whose_handler_returns_is_good_and_left_as_it_was(
    sim: Simulator, alice: Line
) -> None:
    seen = Record()
    with open_cti(sim, alice) as cti:
        cti.onNewCall = seen.add
        diagnosis = ring(sim, alice, cti)
        assert diagnosis.good, str(diagnosis)
        assert len(seen.items) == 1
        assert cti.onError is None and cti.handlers("newCall") == [cti.onNewCall]
        assert cti._client.waits.pending == {}
        assert cti.ping().result(PATIENCE) == 1


def set_state_handler(cti: CTI, handler: Any) -> None:
    def on_new_call(call: Call) -> None:
        call.onSetup = handler

    cti.onNewCall = on_new_call


@pytest.mark.parametrize(
    "prepare, dark",
    [
        (lambda cti, alice: None, ("handler", "no_handler")),
        (lambda cti, alice: cti.on("newCall", raise_error), ("handler", "handler_raised")),
        (lambda cti, alice: set_state_handler(cti, raise_error), ("handler", "handler_raised")),
        (lambda cti, alice: cti.on("newCall", lambda: None), ("handler", "handler_raised")),
        (lambda cti, alice: cti.on("newCall", lambda call: released.wait(60)),
         ("handler", "handler_blocked")),
        (lambda cti, alice: set_state_handler(cti, lambda: released.wait(60)),
         ("handler", "handler_blocked")),
        (lambda cti, alice: cti.ping(lambda err, res: released.wait(60)),
         ("handler", "handler_blocked")),
        (lambda cti, alice: cti.unsubscribe(alice.number).result(PATIENCE),
         ("subscription", "not_subscribed")),
        (lambda cti, alice: cti.close(), ("session", "no_session")),
        (lambda cti, alice: cti.destroy_session().result(PATIENCE), ("session", "no_session")),
    ],
    ids=["no handler", "raises", "setup raises", "takes nothing", "blocks", "setup blocks",
         "blocked before", "unsubscribed", "closed", "destroyed"],
)
def test_fault_of_a_program_is_the_first_dark_layer(
    sim: Simulator, alice: Line, prepare: Callable[[CTI, Line], object], dark: Tuple[str, str]
) -> None:
    with open_cti(sim, alice) as cti:
        prepare(cti, alice)
        diagnosis = ring(sim, alice, cti)
        assert find_dark(diagnosis) == dark
        released.set()
        # A secret in an exception is in no report.
        assert "0123456789abcdef" not in str(diagnosis)


def drop_work(work: Callable[[], object]) -> None:
    pass


@pytest.mark.parametrize("dispatch", ["manual", drop_work])
def test_handlers_that_the_program_does_not_run_are_told(
    sim: Simulator, alice: Line, dispatch: Any
) -> None:
    with open_cti(sim, alice, dispatch=dispatch) as cti:
        cti.onNewCall = handle
        assert find_dark(ring(sim, alice, cti)) == ("handler", "handler_not_run")


@pytest.mark.parametrize("dispatch", ["manual", lambda work: work()])
def test_handlers_that_the_program_runs_are_good(
    sim: Simulator, alice: Line, monkeypatch: pytest.MonkeyPatch, dispatch: Any
) -> None:
    monkeypatch.setattr("keyyo_cti._diagnosis.ring_layers.SLOW", PATIENCE)
    ended = threading.Event()
    with open_cti(sim, alice, dispatch=dispatch) as cti:
        cti.onNewCall = handle

        def poll() -> None:
            while not ended.is_set():
                cti.poll(0.05)

        thread = threading.Thread(target=poll if dispatch == "manual" else int)
        thread.start()
        diagnosis = ring(sim, alice, cti)
        ended.set()
        thread.join(PATIENCE)
        assert diagnosis.good, str(diagnosis)


def test_subscribed_line_is_tested_in_the_session_of_another(
    sim: Simulator, alice: Line
) -> None:
    carol = sim.line("33199000002")
    with open_cti(sim, carol) as cti:
        cti.onNewCall = handle
        assert find_dark(ring(sim, alice, cti)) == ("subscription", "not_subscribed")
        sim.phone("33199020000").hang_up()
        cti.subscribe(alice.number).result(PATIENCE)
        assert ring(sim, alice, cti).good


def test_call_after_a_drop_that_is_restored_is_good(sim: Simulator, alice: Line) -> None:
    with open_cti(
        sim, alice, token_provider=lambda: sim.token(alice), backoff=Backoff(first=0.01),
    ) as cti:
        cti.onNewCall = handle

        def call() -> None:
            restored = cti.wait_for("restored", timeout=PATIENCE)
            sim.faults.reset()
            restored.result()
            sim.phone("33199020000").call(alice)

        assert ring(sim, alice, cti, call, PATIENCE).good


def test_drop_that_nothing_restores_ends_the_wait_at_once(sim: Simulator, alice: Line) -> None:
    with open_cti(sim, alice) as cti:
        cti.onNewCall = handle
        diagnosis = ring(sim, alice, cti, sim.faults.reset, 3000)
        assert find_dark(diagnosis) == ("session", "connection_lost")


def test_stop_ends_the_wait_with_what_was_seen(sim: Simulator, alice: Line) -> None:
    test = RingTest(3000, on_ready=lambda: test.stop())
    diagnosis = diagnose(client_of(sim), alice.number, sim.endpoint, test)
    assert [each.good for each in diagnosis.findings] == [True] * 7 + [None] * 3
    assert diagnosis.faults == [] and not diagnosis.good
    assert "before the test was stopped" in str(diagnosis)
    # It is for one diagnosis: another one ends at once.
    rest = diagnose(client_of(sim), alice.number, sim.endpoint, test).findings
    assert [each.good for each in rest] == [None] * 10


def test_findings_come_at_once_and_a_later_one_replaces_an_earlier(
    sim: Simulator, alice: Line
) -> None:
    told: List[Finding] = []

    def drop() -> None:
        assert [each.check for each in told] == [
            "account", "line", "plugin", "telephone", "token", "session", "subscription"]
        sim.faults.reset()

    diagnosis = ring(sim, alice, None, drop, 3000, on_finding=told.append)
    by_check: Dict[str, Finding] = {each.check: each for each in told}
    assert tuple(by_check.values()) == diagnosis.findings
    assert [each.good for each in told if each.check == "session"] == [True, False]


def test_mistake_in_on_ready_ends_the_test_and_leaves_no_session(
    sim: Simulator, alice: Line
) -> None:
    def refuse() -> None:
        raise KeyyoError(409, "busy")

    with pytest.raises(RuntimeError, match="on_ready failed: 409 busy"):
        ring(sim, alice, None, refuse)
    with pytest.raises(LookupError):
        ring(sim, alice, None, raise_error)
    assert sim.sessions() == []


def test_close_of_the_manager_ends_a_ring_test(sim: Simulator, alice: Line) -> None:
    ready = threading.Event()
    with Manager(client_of(sim)._api._account, sim.manager_url) as manager:
        future = manager.diagnose(
            alice.number, sim.endpoint, ring=RingTest(3000, on_ready=ready.set))
        assert ready.wait(PATIENCE)
    assert future.result(PATIENCE).faults == []
    eventually(lambda: sim.sessions() == [])


@pytest.mark.parametrize("ring, findings", [(None, 6), (False, 6), (0.1, 10), (RingTest(1), 10)])
def test_ring_takes_seconds_or_a_ring_test(
    sim: Simulator, alice: Line, ring: Any, findings: int
) -> None:
    with Manager(client_of(sim)._api._account, sim.manager_url) as manager:
        diagnosis = manager.diagnose(alice.number, sim.endpoint, ring=ring).result(PATIENCE)
    assert len(diagnosis.findings) == findings
    timed = ["seconds" in each for each in diagnosis.to_dict()["findings"]]
    assert timed == [findings == 10] * findings


@pytest.mark.parametrize("ring", [0, -1, float("nan"), float("inf"), 3601, "60", [], handle])
def test_wrong_ring_is_a_mistake_before_anything_is_asked(
    sim: Simulator, alice: Line, ring: Any
) -> None:
    with Manager(client_of(sim)._api._account, sim.manager_url) as manager:
        error = manager.diagnose(alice.number, sim.endpoint, ring=ring).exception(PATIENCE)
    assert isinstance(error, KeyyoError) and error.error_code == "invalid_params"
    assert error.message.startswith("ring: expected ") and "RingTest" in error.message
    assert sim.requested("/") == []


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"timeout": "60"}, TypeError, "timeout: expected seconds, got str"),
        ({"timeout": True}, TypeError, "timeout: expected seconds, got bool"),
        ({"timeout": 0}, ValueError, "timeout: expected more than 0 and at most 3600 s"),
        ({"handler": 5}, TypeError, "handler: expected a function"),
        ({"on_ready": 5}, TypeError, "on_ready: expected a function"),
        ({"on_finding": 5}, TypeError, "on_finding: expected a function"),
        ({"cti": 5}, TypeError, "cti: expected a CTI or None, got int"),
        ({"cti": CTI(cookie_auto=False), "handler": handle}, ValueError, "either of them"),
    ],
)
def test_wrong_option_of_a_ring_test_is_named(
    options: Any, error: Any, message: str
) -> None:
    with pytest.raises(error, match=message):
        RingTest(**options)
