"""The live table on a real pseudo-terminal: what a person sees, and what is left behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from keyyo_cti.call_history import read_record
from keyyo_cti.catch_up import CaughtUp
from keyyo_cti.cli.keys import KeyReader
from keyyo_cti.cli.live_watch import LiveWatch
from keyyo_cti.cli.screen import Screen
from keyyo_cti.cli.session_config import SessionConfig
from keyyo_cti.cli.terminal import Terminal
from keyyo_cti.simulator import Line, Phone, Simulator

from .kept import keep_login

if sys.platform == "win32":
    pytest.skip("there is no table on Windows", allow_module_level=True)

import termios

from ..helpers.running import allow
from .tty import Tty

BOB = "33199020000"

#: As they are shown.
ALICE_SHOWN, BOB_SHOWN = "+33 1 99 00 00 01", "+33 1 99 02 00 00"

ENTERED = b"\x1b[?1049h"


def watching(sim: Simulator, alice: Line, *arguments: str, **more: Any) -> Tty:
    """The command at a terminal."""
    command = [sys.executable, "-m", "keyyo_cti", "watch", "--endpoint", sim.endpoint]
    return Tty(*command, *arguments, KEYYO_CSI_TOKEN=sim.token(alice), **more)


@pytest.fixture
def tty(sim: Simulator, alice: Line) -> Iterator[Tty]:
    """Alice's line, watched at a terminal, with its table on the screen."""
    with watching(sim, alice) as tty:
        tty.until_shown(f"{ALICE_SHOWN}  connected", "no calls yet")
        yield tty


def call(**fields: Any) -> Dict[str, Any]:
    """A notification."""
    known = {"callref": "c", "caller": BOB, "callee": "33199000001", "state": "SETUP"}
    return {"notify": "call", "call": {**known, "setup_date": int(time.time()), **fields}}


# What is on the screen.


def test_a_call_from_ringing_to_its_end(tty: Tty, alice: Line, bob: Phone) -> None:
    """Who calls whom is one row, whose state changes in place and has a colour."""
    bob.call(alice)
    row = next(line for line in tty.until_shown("ringing").splitlines() if BOB_SHOWN in line)
    parties = re.escape(f"{BOB_SHOWN}  {ALICE_SHOWN}")
    assert re.fullmatch(rf"\d\d:\d\d:\d\d  {parties}  ringing  0:0\d", row)
    assert tty.colour_of("ringing") == "brown"
    alice.phone.pick_up()
    assert tty.until_shown("talking").count(BOB_SHOWN) == 1
    assert tty.colour_of("talking") == "green"
    bob.hang_up()
    assert tty.until_shown("ended").count(BOB_SHOWN) == 1
    assert tty.colour_of("ended") == "blue"
    assert tty.alternate and not tty.cursor_shown


def test_a_missed_call(tty: Tty, alice: Line, bob: Phone) -> None:
    """A call that nobody picked up is missed, in red, below those that go on."""
    bob.call(alice)
    bob.hang_up()
    tty.until_shown("missed")
    assert tty.colour_of("missed") == "red"
    alice.phone.call("33199020001")
    text = tty.until_shown("ringing")
    assert text.index("ringing") < text.index("missed")


@pytest.mark.slow
def test_time_runs(tty: Tty, sim: Simulator, alice: Line) -> None:
    """Ringing and talking are counted while nothing else happens."""
    now = int(time.time())
    sim.push(alice, call(setup_date=now - 8, callref="a"))
    sim.push(alice, call(setup_date=now - 90, connect_date=now - 58, state="CONNECT"))
    tty.until(lambda text: bool(re.search(r"ringing +0:1\d", text)))
    tty.until(lambda text: bool(re.search(r"talking +0:32 +1:0\d", text)))


def test_a_parked_call(tty: Tty, sim: Simulator, alice: Line) -> None:
    """A call in the callpark shows its slot, until it is taken back."""
    sim.push(alice, call(state="CONNECT", callpark_slot="77"))
    tty.until(lambda text: bool(re.search(r"parked .* 77$", text, re.MULTILINE)))
    sim.push(alice, call(state="CONNECT"))
    tty.until(lambda text: "talking" in text and "77" not in text)


@pytest.mark.fault(33)
@pytest.mark.promise(10)
def test_a_caller_is_text(tty: Tty, sim: Simulator, alice: Line) -> None:
    """A caller who names himself with markup, an escape sequence or a line break is shown so,
    and the rest of the picture stays as it is."""
    sim.push(alice, call(caller="[red]x[/] \x1b[2J\n<b>", callee="[/bold]", state="[on red]"))
    text = tty.until_shown(r"[red]x[/] \x1b[2J\n<b>", "[/bold]", "[on red]")
    head, remark, headings, *_ = text.splitlines()
    assert head == f"{ALICE_SHOWN}  connected" and headings.startswith("since")
    assert re.match(r"calls before [\d:]+ are not shown", remark)
    assert tty.colour_of("[red]x") == "default"


def test_what_is_said_is_below(sim: Simulator, alice: Line) -> None:
    """What would be a line on stderr is a note below the table."""
    with watching(sim, alice) as tty:
        tty.until_shown("no calls yet")
        sim.push(alice, {"notify": "weather"})
        text = tty.until_shown("ignored a message from the server: unknown notification 'weather'")
        assert re.match(r"\d\d:\d\d:\d\d  ignored a message", text.splitlines()[-1])


def test_the_connection(sim: Simulator, alice: Line, bob: Phone) -> None:
    """A lost connection shows until it is restored; what went on meanwhile is uncertain."""
    keep_login(sim)
    with watching(sim, alice, "--no-names", "--csi", alice.number) as tty:
        tty.until_shown("no calls yet")
        bob.call(alice)
        tty.until_shown("ringing")
        sim.faults.refuse("connect")
        sim.faults.reset()
        text = tty.until_shown("connection lost, being restored", "ringing?")
        assert "the connection was lost: it is being restored" in text
        assert tty.colour_of("connection lost, being") == "red"
        sim.faults.let_through("connect")
        text = tty.until_shown(f"{ALICE_SHOWN}  connection restored")
        assert tty.colour_of("connection restored") == "green"
        assert re.search(r"restored: changes of the last \d+ s will come from the history", text)
        tty.until(lambda text: "ringing" in text and "ringing?" not in text)


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        (80, r"\d\d:\d\d:\d\d +BOB +ALICE +parked +0:0\d +0:0\d +77"),
        (60, r"BOB +ALICE +parked +0:0\d"),
        (40, r"from BOB +parked +0:0\d"),
    ],
)
def test_who_calls_is_shown_at_any_width(
    sim: Simulator, alice: Line, columns: int, row: str
) -> None:
    for name, shown in (("BOB", BOB_SHOWN), ("ALICE", ALICE_SHOWN)):
        row = row.replace(name, re.escape(shown))
    with watching(sim, alice, columns=columns) as tty:
        tty.until_shown("no calls yet", "are not shown")
        now = int(time.time())
        sim.push(alice, call(state="CONNECT", connect_date=now, callpark_slot="77"))
        tty.until(lambda text: bool(re.search(f"^{row}$", text, re.MULTILINE)))


def test_another_size(tty: Tty, sim: Simulator, alice: Line) -> None:
    """When the window is drawn to another size the picture fits it, and nothing of the old one
    is left."""
    for number in range(12):
        sim.push(alice, call(callref=f"c{number}", caller=f"331990200{number:02}"))
    tty.until(lambda text: text.count("ringing") == 12)
    tty.resize(52, 7)
    text = tty.until(lambda text: text.endswith("and 9 older active calls"))
    assert [line[:5] for line in text.splitlines()[:3]] == ["+33 1", "calls", "from "]
    assert len(text.splitlines()) == 7 and text.count("ringing") == 3
    tty.resize(100, 30)
    text = tty.until(lambda text: text.count("ringing") == 12)
    assert len(text.splitlines()) == 15 and "older" not in text


# Its keys.


def test_key_shows_the_health_until_it_is_pressed_again(
    tty: Tty, sim: Simulator, alice: Line
) -> None:
    assert "  h: health" in tty.text().splitlines()[1]
    tty.press(b"h")
    text = tty.until_shown("subscribed to 33199000001")
    shown = " ".join(text.splitlines()[4:])
    assert re.match(r"33199000001: connected since [\d:]+ by websocket, last frame .* ago", shown)
    assert "no drop in the last day" in shown and "backlog 0" in shown
    sim.push(alice, call())
    tty.until_shown("ringing", "last frame")
    tty.press(b"h")
    tty.until(lambda text: "last frame" not in text)


def test_other_keys_name_the_keys(tty: Tty) -> None:
    tty.press(b"\x1b[A")
    tty.press(b"?")
    text = tty.until_shown("keys: h health of the connection, Ctrl-C end")
    assert text.count("keys:") == 1


@pytest.mark.parametrize("end", [b"\x03", b"\x1c", signal.SIGTERM, signal.SIGHUP])
def test_terminal_shows_what_is_typed_afterwards(tty: Tty, end: Any) -> None:
    """No key is shown while there is a table; the modes of the terminal are set back."""
    assert not tty.echoes
    if isinstance(end, bytes):
        tty.press(end)
    else:
        tty.process.send_signal(end)
    tty.end()
    assert tty.echoes and not tty.alternate


def test_modes_are_set_back_if_the_end_comes_while_they_are_changed(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    person, terminal = os.openpty()
    with open(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr("keyyo_cti.cli.keys.is_in_background", lambda: False)
        reader = KeyReader(print)
        before = termios.tcgetattr(terminal)
        set_modes = termios.tcsetattr

        def end_first(*arguments: Any) -> None:
            monkeypatch.setattr(termios, "tcsetattr", set_modes)
            reader.release()
            set_modes(*arguments)

        monkeypatch.setattr(termios, "tcsetattr", end_first)
        reader.grab()
        assert termios.tcgetattr(terminal) == before
    os.close(person)


def test_key_without_a_table_comes_with_enter(sim: Simulator, alice: Line) -> None:
    with watching(sim, alice, "--plain") as tty:
        tty.until_shown("for the health of the connection, press h and Enter")
        assert tty.echoes
        tty.press(b"hello\n")
        tty.until_shown("33199000001: connected since", "no drop in the last day")
        tty.press(b"x\n")
        tty.until(lambda text: text.count("press h and Enter") == 2)
        assert tty.text().count("no drop in the last day") == 1


def test_without_a_terminal_to_read_from_there_is_no_key(sim: Simulator, alice: Line) -> None:
    command = f"{sys.executable} -m keyyo_cti watch --endpoint {sim.endpoint} </dev/null"
    with Tty("sh", "-c", command, KEYYO_CSI_TOKEN=sim.token(alice)) as tty:
        text = tty.until_shown(f"{ALICE_SHOWN}  connected", "no calls yet")
        assert "h: health" not in text
        tty.press(b"\x03")
        tty.until_shown("stopped")


def start_shell(sim: Simulator, alice: Line) -> Tty:
    shell = ["bash", "--norc", "--noprofile", "-i"]
    return Tty(*shell, KEYYO_CSI_TOKEN=sim.token(alice), PS1="shell> ", HISTFILE="")


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_in_the_background_the_keys_are_the_shells(sim: Simulator, alice: Line) -> None:
    """It is not stopped because it reads; in the foreground, it has its keys."""
    with start_shell(sim, alice) as tty:
        tty.until_shown("shell>")
        command = f"{sys.executable} -m keyyo_cti watch --plain --endpoint {sim.endpoint} &\n"
        tty.press(command.encode())
        tty.until_shown("connected as 33199000001")
        tty.press(b"jobs\n")
        tty.until_shown("Running")
        tty.press(b"fg\n")
        tty.until(lambda text: "watch --plain" in text.rpartition("fg")[2])
        tty.press(b"h\n")
        tty.until_shown("no drop in the last day")
        tty.press(b"\x03")
        tty.until_shown("stopped")
        tty.press(b"exit 0\n")
        assert tty.end() == 0


# How it ends.


def test_ctrl_c(tty: Tty, sim: Simulator, alice: Line, bob: Phone) -> None:
    """Ctrl-C ends it at once with exit code 130. The terminal is as it was, with its cursor and
    what stood there before; the last picture stays behind, and no session on the server."""
    bob.call(alice)
    tty.until_shown("ringing")
    tty.press(b"\x03")
    assert tty.end(timeout=allow(3)) == 130
    assert tty.cursor_shown and not tty.alternate
    lines = tty.text().splitlines()
    assert lines[0] == f"connected as {alice.number}" and lines[-1] == "stopped"
    assert any("ringing" in line for line in lines)
    assert sim.sessions() == []


def test_ctrl_c_twice(tty: Tty, sim: Simulator) -> None:
    """Who is impatient, of a server that is silent, has the terminal in order as well."""
    sim.faults.silence()
    tty.press(b"\x03")
    tty.until(lambda text: tty.cursor_shown)
    tty.press(b"\x03")
    assert tty.end(timeout=allow(5)) == 130
    assert tty.cursor_shown and not tty.alternate
    assert "Traceback" not in tty.text()


def test_a_connection_that_is_not_restored(tty: Tty, sim: Simulator) -> None:
    """With a CSI token alone a lost connection ends it, and is told where it can be read."""
    sim.faults.drop()
    assert tty.end() == 3
    assert tty.cursor_shown and not tty.alternate
    assert tty.text().splitlines()[-1] == "the connection was lost"


def test_sigterm(tty: Tty) -> None:
    """Who is terminated leaves the terminal in order, too, and dies of that signal."""
    tty.process.send_signal(signal.SIGTERM)
    assert tty.end() == -signal.SIGTERM
    assert tty.cursor_shown and not tty.alternate


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_ctrl_z(sim: Simulator, alice: Line, bob: Phone) -> None:
    """Ctrl-Z gives the terminal back to the shell in order; in the foreground again, the table
    is there again, and lives."""
    with start_shell(sim, alice) as tty:
        tty.until_shown("shell>")
        command = f"{sys.executable} -m keyyo_cti watch --endpoint {sim.endpoint}\n"
        tty.press(command.encode())
        tty.until_shown("no calls yet")
        tty.press(b"\x1a")
        tty.until_shown("Stopped")
        assert tty.cursor_shown and not tty.alternate
        tty.press(b"fg\n")
        tty.until(lambda text: tty.alternate and "no calls yet" in text)
        assert not tty.cursor_shown
        bob.call(alice)
        tty.until_shown("ringing")
        tty.press(b"h")
        tty.until_shown("no drop in the last day")
        tty.press(b"\x03")
        tty.until_shown("stopped", "shell>")
        tty.press(b"exit 0\n")
        assert tty.end() == 0


def test_ctrl_z_in_the_middle_of_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that was being written when Ctrl-Z came is written again afterwards."""
    reader, writer = os.pipe()
    write = os.write
    pressed: List[str] = []

    def write_and_press(descriptor: int, data: bytes) -> int:
        written = write(descriptor, data)
        if b"picture" in data and not pressed:
            pressed.append("Ctrl-Z")
            signal.raise_signal(signal.SIGTSTP)
        return written

    with os.fdopen(reader, "rb") as painted, os.fdopen(writer, "w") as stream:
        screen = Screen(Terminal(stream))
        # The process itself goes on.
        monkeypatch.setattr("os.kill", lambda process, number: None)
        monkeypatch.setattr("os.write", write_and_press)
        screen.enter()
        try:
            for _ in range(3):
                screen.draw(["picture"])
        finally:
            screen.leave()
        stream.close()
        assert painted.read().count(b"picture") == 2


def test_a_refused_token(sim: Simulator) -> None:
    """What goes wrong before there is a session is a line; no table comes and goes."""
    command = [sys.executable, "-m", "keyyo_cti", "watch", "--endpoint", sim.endpoint]
    with Tty(*command, KEYYO_CSI_TOKEN="of-yesterday") as tty:
        assert tty.end() == 1
        assert tty.text().startswith("400 Invalid token [invalid_csi_token]")
        assert ENTERED not in tty.raw


def test_before_there_is_a_session() -> None:
    """Nothing is painted on a terminal before there is a session, nor at an end before it."""
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as painted, os.fdopen(writer, "w") as stream:
        out = Terminal(stream)
        watch = LiveWatch(SessionConfig("t", "http://127.0.0.1:9/cti", None), [], out, out)
        watch.refresh()
        Screen(out).leave()
        stream.close()
        assert painted.read() == b""


@pytest.mark.parametrize(("count", "notes"), [
    (0, []),
    (1, ["2023-11-14 23:13:20  in   +33 1 99 02 00 00 -> +33 1 99 00 00 01  missed"]),
    (4, ["4 calls while there was no connection, 4 of them missed; "
         '"keyyo-cti history" shows them']),
])
def test_notes_of_calls_that_came_and_went_in_a_gap(
    monkeypatch: pytest.MonkeyPatch, count: int, notes: List[str]
) -> None:
    """Many are a number, which leaves room for other messages."""
    fields = {"caller": BOB, "callee": "33199000001", "start_time": "1700000000", "quantity": "0"}
    record = read_record(fields, "33199000001", "in")
    assert record is not None
    caught_up = CaughtUp([record] * count)
    caught_up.calls = {}
    said: List[str] = []
    out = Terminal(sys.stdout)
    monkeypatch.setattr(Terminal, "is_terminal", True)
    watch = LiveWatch(SessionConfig("t", "http://127.0.0.1:9/cti", None), [], out, out)
    monkeypatch.setattr(watch, "print_status", said.append)
    watch.on_caught_up(caught_up)
    assert said == notes


# When there is a table, and when there is none.


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["--plain"], {}),
        (["--json"], {}),
        ([], {"TERM": "dumb"}),
        ([], {"PYTHONIOENCODING": "ascii"}),
    ],
)
def test_lines_instead(
    sim: Simulator, alice: Line, bob: Phone, arguments: List[str], variables: Dict[str, str]
) -> None:
    """Who asks for lines gets them at a terminal too, and so does one that cannot be painted."""
    with watching(sim, alice, *arguments, **variables) as tty:
        tty.until_shown(f"connected as {alice.number}")
        bob.call(alice)
        shown = BOB, "SETUP", "MISSED"
        if arguments != ["--json"]:
            shown = f"{BOB_SHOWN} -> {ALICE_SHOWN}", "ringing", "missed"
        tty.until_shown(*shown[:2])
        bob.hang_up()
        tty.until_shown(*shown)
        assert ENTERED not in tty.raw and tty.cursor_shown


def test_without_rich(sim: Simulator, alice: Line, bob: Phone) -> None:
    """Without the extra there are lines, and a message that names it."""
    code = (
        "import sys; sys.modules['rich'] = None; "
        "from keyyo_cti.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "watch", "--endpoint", sim.endpoint]
    with Tty(*command, KEYYO_CSI_TOKEN=sim.token(alice)) as tty:
        tty.until_shown(f"connected as {alice.number}")
        bob.call(alice)
        tty.until_shown("ringing", "no table, because rich is missing", ".[terminal]")
        assert ENTERED not in tty.raw


def test_no_colours(sim: Simulator, alice: Line, bob: Phone) -> None:
    """NO_COLOR is honoured in the table, too."""
    with watching(sim, alice, NO_COLOR="1") as tty:
        tty.until_shown("no calls yet")
        bob.call(alice)
        tty.until_shown("ringing")
        assert tty.colour_of("ringing") == "default"


def test_messages_go_where_they_are_sent(sim: Simulator, alice: Line, tmp_path: Path) -> None:
    """A stderr that is a file has each message, while the table has it as a note."""
    with open(tmp_path / "log", "w") as log, watching(sim, alice, stderr=log) as tty:
        tty.until_shown("no calls yet")
        sim.push(alice, {"notify": "weather"})
        tty.until_shown("ignored a message from the server")
        tty.press(b"\x03")
        assert tty.end() == 130
    assert [line.split(":")[0] for line in (tmp_path / "log").read_text().splitlines()] == [
        f"connected as {alice.number}", "ignored a message from the server", "stopped",
    ]


def test_plain_and_json_exclude_each_other(sim: Simulator, alice: Line) -> None:
    """Lines are for people or for programs, not both."""
    with watching(sim, alice, "--plain", "--json") as tty:
        assert tty.end() == 2
        assert "not allowed with argument" in tty.text()
