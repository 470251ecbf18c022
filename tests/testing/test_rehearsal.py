"""A rehearsal finds mistakes, and no others, and prints a test that shows what it has found."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any, Iterator, List

import pytest

from keyyo_cti import CTI
from keyyo_cti.testing import RehearsalFailed, SimulatedKeyyo, play
from keyyo_cti.testing.plan import make_plan
from keyyo_cti.testing.program import Program
from keyyo_cti.testing.rehearsal import write_test
from keyyo_cti.testing.shrinking import shrink
from keyyo_cti.testing.steps import parse

from ..helpers.running import ROOT
from . import planted

SAMPLES = ROOT / "samples"


@pytest.fixture(autouse=True)
def no_handler_blocked(no_thread_left: None) -> Iterator[None]:
    yield
    for each in planted.BLOCKERS:
        each.set()


@pytest.mark.slow
@pytest.mark.watchdog(180)
@pytest.mark.parametrize(
    "program, kind, subject", planted.PLANTED, ids=lambda value: getattr(value, "__name__", ""))
def test_planted_mistake_is_found_and_shown_by_the_printed_test(
    keyyo: SimulatedKeyyo, pytester: pytest.Pytester, program: Any, kind: str, subject: str
) -> None:
    with pytest.raises(RehearsalFailed) as caught:
        keyyo.rehearse(program, seed=1, minutes=10)
    failed = caught.value
    assert (failed.mistake.kind, subject in failed.mistake.subject) == (kind, True), failed
    assert len(failed.steps) <= 5
    assert failed.script in str(failed)
    pytester.makepyfile(failed.script)
    result = pytester.runpytest_inprocess("-p", "keyyo_cti.testing")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*RehearsalFailed: {kind}: *"])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("program", [
    planted.answers_and_writes,
    planted.ends_after_one_call,
    SAMPLES / "porting" / "phone.py",
    SAMPLES / "with_asyncio.py",
    [SAMPLES / "alice_and_bob.py", "33199020001"],
    [SAMPLES / "worker_pool.py", "calls.sqlite3"],
], ids=["answers", "ends", "phone", "with_asyncio", "alice_and_bob", "worker_pool"])
@pytest.mark.watchdog(180)
def test_program_without_a_mistake_passes(
    keyyo: SimulatedKeyyo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: Any, seed: int
) -> None:
    monkeypatch.chdir(tmp_path)
    streams, signals = (sys.stdin, sys.stdout), signal.getsignal(signal.SIGINT)
    environment, path, threads = dict(os.environ), sys.path[:], lasting_threads()
    rehearsal = keyyo.rehearse(program, seed, 10)
    assert len(rehearsal.steps) > 100
    assert (sys.stdin, sys.stdout, signal.getsignal(signal.SIGINT)) == (*streams, signals)
    assert (dict(os.environ), sys.path) == (environment, path)
    assert lasting_threads() == threads


def lasting_threads() -> List[threading.Thread]:
    return [thread for thread in threading.enumerate() if not thread.daemon]


def test_replay_without_a_mistake_passes(keyyo: SimulatedKeyyo) -> None:
    keyyo.replay(planted.answers_and_writes, [
        "call 33199020001 33199000001", "elapse 20", "slow", "fail", "drop", "reset", "forget",
        "expire", "repeat", "odd strangers", "pick_up 33199020003", "hang_up 33199020001",
    ])


def test_slow_commands_of_a_restore_are_no_mistake(keyyo: SimulatedKeyyo) -> None:
    def subscribes(cti: CTI) -> None:
        for number in ("33199000002", "callpark"):
            cti.subscribe(number, lambda err, res: None)

    keyyo.replay(subscribes, ["slow", "slow", "forget"])


def test_program_without_parameters_gets_the_environment(keyyo: SimulatedKeyyo) -> None:
    seen: List[Any] = []

    def program() -> None:
        from keyyo_cti import CTI

        with CTI(endpoint=os.environ["KEYYO_ENDPOINT"]) as cti:
            seen.append(cti.create_session(os.environ["KEYYO_CSI_TOKEN"]).result(10).number)
            threading.Event().wait()  # Ctrl-C ends it.

    keyyo.replay(program, ["call 33199020001 33199000001"])
    assert seen == ["33199000001"]


def test_program_that_reconnects_by_itself_is_not_started_again(keyyo: SimulatedKeyyo) -> None:
    sessions: List[Any] = []

    def program() -> None:
        token = os.environ["KEYYO_CSI_TOKEN"]
        with CTI(endpoint=os.environ["KEYYO_ENDPOINT"]) as cti:
            def connect() -> None:
                cti.create_session(token, lambda err, res: sessions.append(res))

            cti.onDisconnected = lambda: threading.Timer(0.1, connect).start()
            connect()
            threading.Event().wait()

    keyyo.replay(program, ["drop"])
    assert len(sessions) == 2 and all(sessions)


def leaves_a_thread(cti: CTI) -> None:
    planted.BLOCKERS.append(threading.Event())
    threading.Thread(target=planted.BLOCKERS[-1].wait).start()


def ignores_ctrl_c() -> None:
    with CTI(endpoint=os.environ["KEYYO_ENDPOINT"]) as cti:
        cti.create_session(os.environ["KEYYO_CSI_TOKEN"]).result(10)
        for _ in range(4):
            try:
                threading.Event().wait()
            except KeyboardInterrupt:
                pass


@pytest.mark.parametrize("program, timeout, mistake", [
    (leaves_a_thread, "_THREAD_TIMEOUT", ("thread left", "Thread (Event.wait")),
    (ignores_ctrl_c, "_END_TIMEOUT", ("does not end", "ignores_ctrl_c ")),
])
def test_program_that_does_not_end_is_a_mistake(
    keyyo: SimulatedKeyyo, monkeypatch: pytest.MonkeyPatch, program: Any, timeout: str,
    mistake: Any,
) -> None:
    monkeypatch.setattr(play, timeout, 0.0)
    with pytest.raises(RehearsalFailed) as caught:
        keyyo.replay(program, [])
    found = caught.value.mistake
    assert (found.kind, found.subject[:len(mistake[1])]) == mistake


@pytest.mark.parametrize("text, kind, subject", [
    ("1 / 0", "raised", "ZeroDivisionError in program.py"),
    ("", "no session", "program.py"),
])
def test_script_that_opens_no_session_is_a_mistake(
    keyyo: SimulatedKeyyo, tmp_path: Path, text: str, kind: str, subject: str
) -> None:
    path = tmp_path / "program.py"
    path.write_text(text)
    with pytest.raises(RehearsalFailed) as caught:
        keyyo.replay(path, ["drop"])
    assert caught.value.mistake.key == (kind, subject)


@pytest.mark.parametrize("program, error, message", [
    (3, TypeError, "expected a function, a path or a list, got int"),
    ([], TypeError, "expected a function, a path or a list, got list"),
    ("missing.py", ValueError, "there is no file 'missing.py'"),
    (lambda cti, more: None, TypeError, "takes a CTI or nothing"),
])
def test_program_that_cannot_be_run_is_refused(
    keyyo: SimulatedKeyyo, program: Any, error: Any, message: str
) -> None:
    with pytest.raises(error, match=message):
        keyyo.rehearse(program)


class _Program:
    def __call__(self, cti: CTI) -> None:
        """Do nothing."""


@pytest.mark.parametrize("given, line", [
    (planted.ignores_err, f"from {planted.__name__} import ignores_err as program"),
    (partial(planted.ignores_err), "program = ...  # the partial of this rehearsal"),
    (_Program(), "program = ...  # the _Program of this rehearsal"),
    (_Program().__call__, "program = ...  # the _Program.__call__ of this rehearsal"),
], ids=["function", "partial", "object", "method"])
def test_script_imports_a_program_only_if_its_name_is_the_program(given: Any, line: str) -> None:
    assert write_test(Program(given), "x", []).startswith(f"{line}\n")


@pytest.mark.parametrize("step", ["", "jump", "call 33199020001", "odd", "odd weather", "drop 2"])
def test_unknown_step_is_refused(keyyo: SimulatedKeyyo, step: str) -> None:
    with pytest.raises(ValueError, match="steps: "):
        keyyo.replay(planted.answers_and_writes, [step])


def test_rehearsal_on_another_thread_is_refused(keyyo: SimulatedKeyyo) -> None:
    errors: List[BaseException] = []

    def rehearse() -> None:
        try:
            keyyo.rehearse(planted.answers_and_writes)
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=rehearse)
    thread.start()
    thread.join()
    assert "main thread" in str(errors[0])


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_ctrl_c_ends_a_rehearsal() -> None:
    """Of a person; the one of the rehearsal itself ends only the program."""
    program = (
        "import os, signal\n"
        "from keyyo_cti.testing import SimulatedKeyyo\n"
        "def program(cti):\n"
        "    cti.onNewCall = lambda call: os.kill(os.getpid(), signal.SIGINT)\n"
        "with SimulatedKeyyo() as keyyo:\n"
        "    try:\n"
        "        keyyo.rehearse(program)\n"
        "    except KeyboardInterrupt:\n"
        "        print('stopped')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "stopped\n"), done.stderr


# Plans and their shrinking.


def test_plan_depends_on_its_seed_only() -> None:
    plan = make_plan(7, 30)
    assert plan == make_plan(7, 30) != make_plan(8, 30)
    seconds = sum(int(parse(step)[1][0]) for step in plan if step.startswith("elapse"))
    assert 28 * 60 <= seconds <= 33 * 60
    assert {parse(step)[0] for step in plan} == {
        "call", "pick_up", "hang_up", "elapse", "repeat", "odd", "drop", "reset", "forget",
        "expire", "fail", "slow",
    }


def test_shrinking_keeps_just_the_steps_that_matter() -> None:
    steps = [str(number) for number in range(200)]
    tried: List[List[str]] = []

    def fails(some: List[str]) -> bool:
        tried.append(some)
        return [each for each in some if each in ("3", "77", "198")] == ["3", "77", "198"]

    assert shrink(steps, fails, 60) == ["3", "77", "198"]
    assert len(tried) < 100
    assert shrink(steps, lambda some: True, 60) == []
    assert shrink(steps, lambda some: True, 0) == steps
