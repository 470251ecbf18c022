"""Watching a line: every change is a line, and every end has its message and exit code."""

import _thread
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Iterator, List, Union

import pytest

from keyyo_cti import CTI
from keyyo_cti.cli import main
from keyyo_cti.cli.session_command import SessionCommand
from keyyo_cti.simulator import Line, ManualClock, Simulator

from ..helpers.probe import PATIENCE
from .kept import CUT_OFF, cut_off, keep_login

BOB = "33199020000"

Capture = pytest.CaptureFixture[str]
Script = Callable[[], object]


class Watcher:
    """Runs ``keyyo-cti watch`` in this thread while a script plays the world in another."""

    def __init__(self, sim: Simulator, line: Line, capsys: Capture) -> None:
        self.sim = sim
        self.line = line
        self.capsys = capsys
        self.out: List[str] = []
        self.err: List[str] = []

    def watch(self, *arguments: str, script: Script = lambda: None) -> int:
        """Watches while the script runs, which begins when the line has a session.

        :returns: the exit code.
        """

        def play() -> None:
            self.sim.wait_for_session(self.line)
            script()

        with ThreadPoolExecutor(1) as executor:
            played = executor.submit(play)
            status = main(["watch", "--endpoint", self.sim.endpoint, *arguments])
            played.result(10)
        said = self.capsys.readouterr()
        self.out, self.err = said.out.splitlines(), said.err.splitlines()
        return status

    def changes(self) -> List[str]:
        """What was printed, without the time of day."""
        for line in self.out:
            time.strptime(line[:8], "%H:%M:%S")
        return [line[10:] for line in self.out]


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """A Keyyo whose clock is moved by hand, so that durations are exact."""
    with Simulator(clock=ManualClock()) as simulator:
        yield simulator


@pytest.fixture
def watcher(
    sim: Simulator, alice: Line, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Watcher]:
    monkeypatch.setenv("KEYYO_CSI_TOKEN", sim.token(alice))
    yield Watcher(sim, alice, capsys)


def test_each_change_is_a_line(watcher: Watcher) -> None:
    """A call that is answered shows who calls whom, its state and how long it took."""
    bob = watcher.sim.phone(BOB)

    def script() -> None:
        bob.call(watcher.line)
        watcher.sim.elapse(3)
        watcher.line.phone.pick_up()
        watcher.sim.elapse(60)
        bob.hang_up()
        bob.call(watcher.line)
        watcher.sim.elapse(9)
        bob.hang_up()
        # A close frame comes after all of that, so nothing of it is missed.
        watcher.sim.faults.close()

    assert watcher.watch(script=script) == 3
    parties = f"{BOB} -> {watcher.line.number}"
    assert watcher.changes() == [
        f"{parties}  ringing",
        f"{parties}  talking  rang 3 s",
        f"{parties}  ended  rang 3 s, talked 60 s",
        f"{parties}  ringing",
        f"{parties}  missed  rang 9 s",
    ]
    assert watcher.err == [f"connected as {watcher.line.number}", "the connection was lost"]


def test_what_has_not_changed_is_not_told_twice(watcher: Watcher) -> None:
    """A call that the server tells again as it was is no line; a parked one says its slot."""
    call = {"callref": "c", "caller": "1", "callee": "2", "state": "CONNECT",
            "setup_date": 10, "connect_date": 12}
    parked = {**call, "callpark_slot": "7"}

    def script() -> None:
        for each in (call, call, parked):
            watcher.sim.push(watcher.line, {"notify": "call", "call": each})
        watcher.sim.faults.close()

    watcher.watch(script=script)
    assert watcher.changes() == [
        "1 -> 2  talking  rang 2 s",
        "1 -> 2  parked  rang 2 s  slot 7",
    ]


def test_text_of_the_server_cannot_command_the_terminal(watcher: Watcher) -> None:
    """A caller, a state or a slot with an escape sequence is shown with it escaped."""
    call = {"callref": "c", "caller": "\x1b[2J", "callee": "2\n", "state": "\x07"}

    def script() -> None:
        watcher.sim.push(watcher.line, {"notify": "call", "call": call})
        watcher.sim.faults.close()

    watcher.watch(script=script)
    assert watcher.changes() == ["\\x1b[2J -> 2\\n  \\x07"]


def test_what_cannot_be_read_is_passed_over(watcher: Watcher) -> None:
    """Nonsense of the server is mentioned, and the watching goes on."""

    def script() -> None:
        watcher.sim.push(watcher.line, {"notify": "weather"})
        watcher.sim.faults.close()

    assert watcher.watch(script=script) == 3
    assert watcher.err[1] == "ignored a message from the server: unknown notification 'weather'"
    assert watcher.err[2] == "the connection was lost"


@pytest.mark.fault(64)
@pytest.mark.parametrize(
    "frame, words",
    [
        ("a[", "a frame of kind 'a': JSONDecodeError"),
        ("a{}", "a frame of kind 'a': expected an array"),
        (b"\xff\xfe", "a frame that is not UTF-8"),
    ],
)
def test_broken_frame_is_passed_over(
    watcher: Watcher, frame: Union[str, bytes], words: str
) -> None:
    """A broken frame is treated as a broken message is."""

    def script() -> None:
        watcher.sim.faults.garbage(frame)
        watcher.sim.faults.close()

    assert watcher.watch(script=script) == 3
    assert watcher.err[1] == f"ignored a message from the server: {words}"
    assert watcher.err[2] == "the connection was lost"


def test_other_lines_are_watched_too(watcher: Watcher) -> None:
    """``--also`` shows the calls of a colleague, and the callpark."""
    carol = watcher.sim.line("33172587948")

    def script() -> None:
        watcher.sim.wait_for_action("subscribe", count=2)
        watcher.sim.phone(BOB).call(carol)
        watcher.sim.faults.close()

    written = f"0{carol.number[2:4]} {carol.number[4:]}"
    watcher.watch("--also", written, "--also", "callpark", script=script)
    assert watcher.changes() == [f"{BOB} -> {carol.number}  ringing"]
    assert watcher.err[1:3] == [f"also watching {carol.number}", "also watching callpark"]


def test_a_line_that_cannot_be_watched_ends_it(watcher: Watcher) -> None:
    """A number that ``--also`` cannot have is named, with exit code 1."""
    assert watcher.watch("--also", "33100000000", "--also", "33100000001") == 1
    # What follows from the first reason is no news.
    assert watcher.err[1:] == [
        "cannot watch 33100000000: 400 RPC invalid params [invalid_params] "
        "(see docs/errors.md#invalid-params)"
    ]


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_ends_it_and_destroys_the_session(watcher: Watcher) -> None:
    """After Ctrl-C no session is left on the server, and the exit code is 130."""
    assert watcher.watch(script=_thread.interrupt_main) == 130
    # "connected" may be printed at this very moment.
    assert "stopped" in watcher.err
    assert watcher.sim.sessions() == []


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_session_that_is_open_after_ctrl_c_is_destroyed_without_a_word(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = SessionCommand._on_created

    def created_late(command: SessionCommand, *arguments: Any) -> None:
        assert command._ended.wait(PATIENCE)
        created(command, *arguments)

    monkeypatch.setattr(SessionCommand, "_on_created", created_late)
    assert watcher.watch(script=_thread.interrupt_main) == 130
    assert watcher.err == ["stopped"] and watcher.sim.sessions() == []


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_ends_it_though_the_server_is_silent(watcher: Watcher) -> None:
    """A server that answers nothing any more does not hold the watcher back."""
    pressed: List[float] = []

    def script() -> None:
        watcher.sim.faults.silence()
        pressed.append(time.monotonic())
        _thread.interrupt_main()

    assert watcher.watch(script=script) == 130
    # A glance at Ctrl-C, the farewell, and the goodbye of the connection.
    assert time.monotonic() - pressed[0] < 20.0
    assert watcher.err[-1] == "stopped"


@pytest.fixture
def signed_in(watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> Watcher:
    """One who has signed in, and needs no CSI token at hand."""
    monkeypatch.delenv("KEYYO_CSI_TOKEN")
    keep_login(watcher.sim)
    return watcher


def test_a_lost_connection_is_restored(signed_in: Watcher) -> None:
    """Who has signed in watches on after a lost connection, colleagues included: new tokens are
    to be had. A call that goes on is not shown twice."""
    sim, carol = signed_in.sim, signed_in.sim.line("33172587948")

    def script() -> None:
        sim.wait_for_action("subscribe")
        sim.phone(BOB).call(carol)
        sim.faults.fail("restore_session", 401, "Unknown session_id")
        sim.faults.close()
        sim.wait_for_action("subscribe", count=2)
        sim.phone(BOB).hang_up()
        cut_off(sim)

    mine = signed_in.line.number
    assert signed_in.watch("--csi", mine, "--also", carol.number, script=script) == 3
    parties = f"{BOB} -> {carol.number}"
    assert signed_in.changes() == [f"{parties}  ringing", f"{parties}  missed  rang 0 s"]
    assert [re.sub(r"\d+ s", "N s", line) for line in signed_in.err[2:]] == [
        "the connection was lost: it is being restored",
        "restored with a new session: changes of the last N s will come from the history",
        *CUT_OFF,
    ]


def test_subscription_that_is_not_renewed_is_told(signed_in: Watcher) -> None:
    sim, carol = signed_in.sim, signed_in.sim.line("33172587948")

    def script() -> None:
        sim.wait_for_action("subscribe")
        sim.faults.fail("subscribe", 403, "Not yours")
        sim.faults.fail("restore_session", 401, "Unknown session_id")
        sim.faults.close()
        sim.wait_for_action("subscribe", count=2)
        cut_off(sim)

    lines = "--csi", signed_in.line.number, "--also", carol.number
    assert signed_in.watch(*lines, script=script) == 3
    [told] = [line for line in signed_in.err if "not fully restored" in line]
    assert "403 Not yours" in told


def test_who_is_signed_out_meanwhile(signed_in: Watcher) -> None:
    """When nobody is signed in any more by the time of a lost connection, that is said, with
    exit code 4."""
    sim = signed_in.sim

    def script() -> None:
        keep_login(sim, stale=True)
        sim.expire_refresh_tokens()
        sim.faults.fail("restore_session", 400, "Invalid token", times=None)
        sim.faults.close()

    assert signed_in.watch(script=script) == 4
    assert "the session is lost: " in signed_in.err[-1]


def test_another_session_of_the_line_is_left_alone(watcher: Watcher) -> None:
    """A program that keeps its session in the user's cookie finds it there afterwards."""
    with CTI(endpoint=watcher.sim.endpoint) as cti:
        cti.create_session(watcher.sim.token(watcher.line)).result(10)
        remembered = cti.session_id
    assert watcher.watch(script=watcher.sim.faults.close) == 3
    with CTI(endpoint=watcher.sim.endpoint) as cti:
        cti.restore_session(watcher.sim.token(watcher.line)).result(10)
        assert cti.session_id == remembered


def test_a_fault_in_printing_is_not_hidden(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a line cannot be printed the watching ends with that error."""

    def fail(*_: Any) -> str:
        raise RuntimeError("no ink")

    monkeypatch.setattr("keyyo_cti.cli.call_printer._format_line", fail)
    with pytest.raises(RuntimeError, match="no ink"):
        watcher.watch(script=lambda: watcher.sim.phone(BOB).call(watcher.line))
