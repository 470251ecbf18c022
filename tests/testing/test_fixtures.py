"""The fixtures: time by hand, waits without sleeping, and what pytest says when a test fails."""

from __future__ import annotations

import configparser
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any, Callable, List

import pytest

import keyyo_cti.testing
from keyyo_cti import CTI, Call, KeyyoError
from keyyo_cti._display.extras import install_hint
from keyyo_cti._net.clock import monotonic_with_sleep, wall_clock
from keyyo_cti.simulator import Line, Phone
from keyyo_cti.testing import SimulatedKeyyo
from keyyo_cti.testing.settling import Settling

from ..docs.guide import examples
from ..helpers.running import DEADLINE, ROOT
from ..unit.test_imports import LATER, imported

PLUGIN = ("-p", "keyyo_cti.testing", "-p", "no:cacheprovider")


# Time by hand.


def test_elapse_makes_durations_exact(
    keyyo: SimulatedKeyyo, keyyo_cti: CTI, keyyo_line: Line, keyyo_phone: Phone
) -> None:
    keyyo_phone.call(keyyo_line)
    keyyo.elapse(20)
    keyyo_line.phone.pick_up()
    keyyo.elapse(65)
    call, = keyyo_cti.get_calls()
    assert (call.get_ringing_duration(), call.get_duration()) == (20, 65)
    keyyo.elapse(86_400)
    assert call.get_duration() == 86_465
    keyyo_phone.hang_up()
    keyyo.elapse(10)
    assert call.get_duration() == 86_465


def test_elapse_expires_tokens_and_not_an_open_session(
    keyyo: SimulatedKeyyo, keyyo_cti: CTI, keyyo_line: Line
) -> None:
    token = keyyo.token(keyyo_line)
    keyyo.elapse(3600)
    assert keyyo_cti.ping().result(5) == 1
    with CTI(endpoint=keyyo.endpoint, cookie_auto=False) as other:
        with pytest.raises(KeyyoError, match="Invalid token"):
            other.create_session(token).result(5)
    restored = restores(keyyo_cti)
    keyyo.faults.drop()
    keyyo.eventually(lambda: restored)


@pytest.mark.parametrize("seconds, recreated", [(290, False), (310, True)])
def test_session_without_connection_lasts_five_minutes(
    keyyo: SimulatedKeyyo, keyyo_cti: CTI, seconds: int, recreated: bool
) -> None:
    restored = restores(keyyo_cti)
    keyyo.faults.refuse("connect")
    keyyo.faults.drop()
    keyyo.wait_for_session(str(keyyo_cti.number), counter=0)
    keyyo.elapse(seconds)
    keyyo.faults.clear()
    info = keyyo.eventually(lambda: restored)[0]
    assert info.recreated == recreated
    assert seconds <= info.gap < seconds + 5


def restores(cti: CTI) -> List[Any]:
    seen: List[Any] = []
    cti.onRestored = seen.append
    return seen


def test_elapse_lets_ringing_time_out() -> None:
    with SimulatedKeyyo(ring_timeout=30) as keyyo:
        with keyyo.connect(keyyo.line("33199000001")) as cti:
            keyyo.phone("33199020000").call("33199000001")
            keyyo.elapse(29)
            call, = cti.get_calls()
            assert call.state == "SETUP"
            keyyo.elapse(2)
            assert (call.state, call.get_ringing_duration()) == ("MISSED", 30)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_elapse_of_no_time_that_can_pass_is_refused(
    keyyo: SimulatedKeyyo, seconds: float
) -> None:
    with pytest.raises(ValueError, match=f"seconds: expected 0 or more, got {seconds}"):
        keyyo.elapse(seconds)


def test_elapse_ends_conversations(
    keyyo: SimulatedKeyyo, keyyo_cti: CTI, keyyo_line: Line, keyyo_phone: Phone
) -> None:
    ended: List[Any] = []
    keyyo_cti.onConversationEnded = ended.append
    keyyo_phone.call(keyyo_line)
    keyyo_line.phone.pick_up()
    keyyo_phone.hang_up()
    keyyo.elapse(1)
    assert not ended
    keyyo.elapse(2)
    call, = keyyo_cti.get_calls()
    assert ended == [call.conversation] and call.conversation.ended


def test_time_goes_on_after_the_test() -> None:
    """A simulator within another has a time of its own."""
    before = monotonic_with_sleep()
    with SimulatedKeyyo() as outer:
        start = wall_clock()
        outer.elapse(100)
        with SimulatedKeyyo() as inner:
            inner.elapse(1000)
            assert wall_clock() == start + 1100
            assert monotonic_with_sleep() >= before + 1100
        assert wall_clock() == start + 100
    assert wall_clock() == pytest.approx(time.time(), abs=2)
    assert monotonic_with_sleep() == pytest.approx(before, abs=60)


# Waits.


def test_settle_counts_a_message_between_two_rounds() -> None:
    # One more message at every look, which no ping explains.
    looks = [1, 2, 3, 4, 4, 4, 4]
    Settling("http://127.0.0.1:9/cti", partial(looks.pop, 0)).settle(5.0)
    assert looks == []


@pytest.mark.parametrize("dispatch", [None, "manual"])
def test_settle_waits_for_commands_of_handlers_and_their_effects(
    keyyo: SimulatedKeyyo, keyyo_line: Line, keyyo_phone: Phone, dispatch: Any
) -> None:
    done: List[Any] = []
    with keyyo.connect(keyyo_line, dispatch=dispatch) as cti:

        def on_new_call(call: Call) -> None:
            call.onSetup = lambda: call.answer(answered)
            call.onRelease = lambda: done.append(call.state)

        def answered(err: Any, res: Any) -> None:
            cti.send_message(keyyo_phone.number, "hello", lambda err, res: hang_up())

        def hang_up() -> None:
            cti.get_calls()[0].hang_up(lambda err, res: done.append(res))

        cti.onNewCall = on_new_call
        keyyo_phone.call(keyyo_line)
        keyyo.settle()
        assert done == ["RELEASE", 1]
        assert [each.text for each in keyyo_phone.messages] == ["hello"]


def test_settle_names_a_handler_that_does_not_return(
    keyyo: SimulatedKeyyo, keyyo_cti: CTI, keyyo_line: Line, keyyo_phone: Phone
) -> None:
    gate = threading.Event()

    def blocking_handler(call: Call) -> None:
        gate.wait(60)

    keyyo_cti.onNewCall = blocking_handler
    keyyo_phone.call(keyyo_line)
    with pytest.raises(TimeoutError, match="blocking_handler .*has been running for 0 s"):
        keyyo.settle(0.2)
    gate.set()
    keyyo.settle()


def test_settle_names_handlers_that_send_commands_without_end(
    keyyo: SimulatedKeyyo, keyyo_cti: CTI
) -> None:
    def again(err: Any, res: Any) -> None:
        if keyyo_cti.connected:
            keyyo_cti.ping(again)

    again(None, None)
    with pytest.raises(TimeoutError, match="commands without end|always new messages|running for"):
        keyyo.settle(timeout=0.5)


def test_settle_in_a_handler_is_refused(
    keyyo: SimulatedKeyyo, keyyo_cti: CTI, keyyo_line: Line, keyyo_phone: Phone
) -> None:
    keyyo_cti.onNewCall = lambda call: keyyo.settle()
    keyyo_phone.call(keyyo_line)
    keyyo.settle()
    (where, error), = keyyo.handler_errors
    assert "would wait for itself" in str(error)
    keyyo.handler_errors.clear()


def test_eventually_waits_for_another_thread(keyyo: SimulatedKeyyo) -> None:
    seen: List[int] = []
    timer = threading.Timer(0.05, seen.append, [7])
    timer.start()
    assert keyyo.eventually(lambda: seen) == [7]
    timer.join()


def test_assertions_show_calls_and_commands(
    keyyo: SimulatedKeyyo, keyyo_cti: CTI, keyyo_line: Line, keyyo_phone: Phone
) -> None:
    keyyo_cti.onNewCall = lambda call: call.state == "SETUP" and call.answer()
    callref = keyyo_phone.call(keyyo_line)
    assert keyyo.assert_command("answer_call", call_ref=callref)["call_ref"] == callref
    keyyo.assert_no_command("terminate_call")
    for fails in (
        lambda: keyyo.assert_command("answer_call", 0.05, call_ref="another"),
        lambda: keyyo.assert_no_command("answer_call"),
        lambda: keyyo.eventually(lambda: 0, 0.05),
    ):
        check: Callable[[], Any] = fails
        with pytest.raises(AssertionError) as caught:
            check()
        assert f"call {callref} {keyyo_phone.number} -> {keyyo_line.number} CONNECT" in str(
            caught.value)
        assert "command {'action': 'answer_call'" in str(caught.value)


def test_eventually_of_a_handler_that_blocks_shows_calls_and_commands(
    keyyo: SimulatedKeyyo, keyyo_cti: CTI, keyyo_line: Line, keyyo_phone: Phone
) -> None:
    done = threading.Event()
    keyyo_cti.onNewCall = lambda call: done.wait(DEADLINE)
    keyyo_phone.call(keyyo_line)
    try:
        with pytest.raises(AssertionError, match="command {'action': 'create_session'") as caught:
            keyyo.eventually(lambda: None, 0.1)
    finally:
        done.set()
    assert isinstance(caught.value.__cause__, TimeoutError)


# The plugin.


def test_handler_that_raises_fails_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_it(keyyo, keyyo_cti, keyyo_line, keyyo_phone):
            keyyo_cti.onNewCall = lambda call: 1 / 0
            keyyo_phone.call(keyyo_line)
    """)
    result = pytester.runpytest_inprocess(*PLUGIN)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*AssertionError: test_*lambda* raised:", "*ZeroDivisionError*"])


def test_without_aiohttp_only_its_tests_fail_in_one_line(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("import sys; sys.modules['aiohttp'] = None")
    pytester.makepyfile("""
        def test_line(keyyo_line): pass
        def test_other(): pass
    """)
    result = pytester.runpytest_subprocess(*PLUGIN)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([f"keyyo_cti.testing needs aiohttp: {install_hint('testing')}"])
    for more in ("*Traceback*", "*exception*", "import of aiohttp*", "No module*"):
        result.stdout.no_fnmatch_line(more)


def test_plugin_imports_no_network_library_and_no_simulator() -> None:
    there = imported("import keyyo_cti.testing")
    without = imported("import pytest")
    assert (there - without) & {*LATER, "keyyo_cti.simulator", "keyyo_cti.testing.kit"} == set()


def test_plugin_has_an_entry_point_and_its_names(tmp_path: Path) -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", "utf-8")
    line = setup["options.entry_points"]["pytest11"].strip()
    assert line == "keyyo_cti.testing = keyyo_cti.testing"
    fixtures = subprocess.run(
        [sys.executable, "-m", "pytest", *PLUGIN, "--fixtures", "-q"],
        capture_output=True, text=True, cwd=tmp_path, timeout=60,
    ).stdout
    for name in keyyo_cti.testing.__all__:
        assert f"\n{name} -- " in fixtures
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(keyyo_cti.testing, "nothing")


# The guide.


def test_guide_shows_tests_that_pass(pytester: pytest.Pytester) -> None:
    text = (ROOT / "docs" / "guides" / "testing.md").read_text("utf-8")
    programs = [each.code for each in examples(text) if each.kind == "python"]
    pytester.makepyfile("\n\n".join(programs))
    pytester.runpytest_inprocess(*PLUGIN).assert_outcomes(passed=3)
