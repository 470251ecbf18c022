"""The command as a user has it: what it takes, what it says, how it ends."""

import io
import os
import sys
from pathlib import Path
from typing import Iterator

import pytest

from keyyo_cti.cli import main
from keyyo_cti.simulator import Line, Simulator

from ..helpers.running import Running, allow

Capture = pytest.CaptureFixture[str]

BOB = "33199020000"

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")


def keyyo_cti(*arguments: str, **variables: str) -> Running:
    """The command in a process of its own."""
    return Running("-m", "keyyo_cti", *arguments, **variables)


@pytest.fixture
def watching(sim: Simulator, alice: Line) -> Iterator[Running]:
    """The command, watching Alice's line."""
    arguments = ["watch", "--endpoint", sim.endpoint]
    with keyyo_cti(*arguments, KEYYO_CSI_TOKEN=sim.token(alice)) as running:
        running.until(f"connected as {alice.number}", "err")
        yield running


# The command itself.


def test_help_names_the_commands(capsys: Capture) -> None:
    """``--help`` names every command."""
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert all(command in said for command in ("demo", "simulator", "watch"))


def test_help_of_watch_says_where_the_token_belongs(capsys: Capture) -> None:
    """``watch --help`` says why the token is no argument, and whose endpoint is the default."""
    with pytest.raises(SystemExit):
        main(["watch", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "KEYYO_CSI_TOKEN" in said
    assert "every user of a machine can read the arguments of a process" in said
    assert "https://ws.keyyo.com/cti" in said


def test_without_a_command_there_is_help(capsys: Capture) -> None:
    """Called with nothing, it shows its help, with exit code 2."""
    assert main([]) == 2
    assert "usage: keyyo-cti" in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install() -> None:
    """Without aiohttp, what needs the simulator says in one line how to install it."""
    code = (
        "import sys; sys.modules['aiohttp'] = None; "
        "from keyyo_cti.cli import main; sys.exit(main(['demo']))"
    )
    with Running("-c", code) as running:
        assert running.end() == 1
        assert running.rest("err") == [
            'the simulator needs aiohttp: run pip install ".[simulator]" in the checkout of '
            "keyyo-cti"
        ]


def test_a_missing_part_is_said_in_one_line(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever cannot be imported is one line and exit code 1."""
    monkeypatch.setitem(sys.modules, "keyyo_cti.cli.simulator_console", None)
    assert main(["simulator"]) == 1
    assert "keyyo_cti.cli.simulator_console" in capsys.readouterr().err


def test_the_demo_runs_as_a_module() -> None:
    """``python -m keyyo_cti demo`` is the command, and nothing is on stderr."""
    with keyyo_cti("demo") as running:
        running.until("Try next:")
        assert running.end() == 0
        assert running.rest("err") == []


@pytest.mark.slow
@posix
def test_a_reader_who_has_left_ends_it_quietly() -> None:
    """As in ``keyyo-cti demo | true``: no traceback, exit code 1."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        with Running("-m", "keyyo_cti", "demo", stdout=writer) as running:
            assert running.end() == 1
            assert running.rest("err") == []
    finally:
        os.close(writer)


# watch: what ends it before it begins.


def test_without_a_token_it_says_what_to_do(capsys: Capture) -> None:
    """A missing token is exit code 4, and two lines say how to get one."""
    assert main(["watch"]) == 4
    (token, account) = capsys.readouterr().err.splitlines()
    assert "KEYYO_CSI_TOKEN" in token and "--token-file" in token
    assert "keyyo-cti login" in account


def test_an_empty_token_file_is_no_token(tmp_path: Path, capsys: Capture) -> None:
    """A file with nothing in it is as good as none."""
    (tmp_path / "token").write_text("\n")
    assert main(["watch", "--token-file", str(tmp_path / "token")]) == 2
    assert "there is no CSI token in" in capsys.readouterr().err


def test_a_token_file_that_is_not_there_is_named(tmp_path: Path, capsys: Capture) -> None:
    """A file that cannot be read is one line with its name, and exit code 2."""
    assert main(["watch", "--token-file", str(tmp_path / "none")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert str(tmp_path / "none") in line


@pytest.mark.parametrize(
    "arguments", [["--endpoint", "ws.keyyo.com"], ["--ca-certs", "/no/such/file"]]
)
def test_a_wrong_option_is_named(
    arguments: "list[str]", capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint or a file that cannot be is one line that names it, and exit code 2."""
    monkeypatch.setenv("KEYYO_CSI_TOKEN", "t")
    assert main(["watch", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert arguments[1] in line


def test_a_wrong_token_is_one_line(
    sim: Simulator, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that the server refuses is exit code 1 and its error; the token is not shown."""
    monkeypatch.setenv("KEYYO_CSI_TOKEN", "a-secret-of-yesterday")
    assert main(["watch", "--endpoint", sim.endpoint]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("400 Invalid token [invalid_csi_token]")
    assert "secret" not in line


def test_a_server_that_is_not_there_is_one_line(
    sim: Simulator, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that cannot be reached is exit code 1 and why."""
    monkeypatch.setenv("KEYYO_CSI_TOKEN", "t")
    sim.faults.refuse("connect")
    assert main(["watch", "--endpoint", sim.endpoint]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "Connection refused" in line or "refused" in line


def test_a_server_without_tls_is_one_line(
    sim: Simulator, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that speaks no TLS where https is asked for is exit code 1 and why."""
    monkeypatch.setenv("KEYYO_CSI_TOKEN", "t")
    assert main(["watch", "--endpoint", sim.endpoint.replace("http:", "https:")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "TLS" in line or "SSL" in line


# watch: where the token comes from, and how it ends.


def test_the_token_comes_from_a_file(sim: Simulator, alice: Line, tmp_path: Path) -> None:
    """``--token-file`` takes the first line of a file."""
    file = tmp_path / "token"
    file.write_text(f"{sim.token(alice)}\n# of Monday\n")
    with keyyo_cti("watch", "--endpoint", sim.endpoint, "--token-file", str(file)) as running:
        running.until(f"connected as {alice.number}", "err")


def test_the_token_comes_from_stdin(sim: Simulator, alice: Line) -> None:
    """``--token-file -`` takes a line of stdin, and does not wait for its end."""
    with keyyo_cti("watch", "--endpoint", sim.endpoint, "--token-file", "-") as running:
        running.type(sim.token(alice))
        running.until(f"connected as {alice.number}", "err")


def test_a_pipe_gets_plain_lines_at_once(
    watching: Running, sim: Simulator, alice: Line
) -> None:
    """Piped, each line comes as the call changes, without colours."""
    sim.phone(BOB).call(alice)
    assert watching.until("ringing").endswith(f"{BOB} -> {alice.number}  ringing")


@posix
def test_ctrl_c_ends_it(watching: Running, sim: Simulator) -> None:
    """Ctrl-C ends it within three seconds with exit code 130, "stopped" and no traceback."""
    watching.interrupt()
    assert watching.end(timeout=allow(3)) == 130
    assert watching.rest("err") == ["stopped"]
    assert sim.sessions() == []


def test_a_lost_connection_ends_it(watching: Running, sim: Simulator) -> None:
    """A connection that drops is exit code 3 and a message."""
    sim.faults.drop()
    assert watching.end() == 3
    assert watching.rest("err") == ["the connection was lost"]


@posix
def test_a_reader_who_leaves_ends_the_watching(sim: Simulator, alice: Line) -> None:
    """When nobody reads the calls any more, the next one ends it without a traceback."""
    reader, writer = os.pipe()
    arguments = ["-m", "keyyo_cti", "watch", "--endpoint", sim.endpoint]
    try:
        with Running(*arguments, stdout=writer, KEYYO_CSI_TOKEN=sim.token(alice)) as running:
            running.until("connected as", "err")
            os.close(reader)
            sim.phone(BOB).call(alice)
            assert running.end() == 1
            assert running.rest("err") == []
    finally:
        os.close(writer)


def test_ctrl_c_anywhere_is_no_traceback(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C at any other moment is "stopped" and exit code 130, too."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("keyyo_cti.cli.demo.play", interrupt)
    assert main(["demo"]) == 130
    assert capsys.readouterr().err == "stopped\n"


# simulator


@pytest.mark.slow
def test_a_person_plays_through_a_pipe() -> None:
    """The simulator tells how to reach it, does what is typed, and ends when it is told to."""
    with keyyo_cti("simulator") as running:
        running.until("simulator at http://127.0.0.1:")
        token = running.until("line 33199000001 (Alice): token ").split()[-1]
        program = f"{sys.executable} -m keyyo_cti"
        assert f"KEYYO_CSI_TOKEN={token} {program} watch --endpoint" in running.until("try:")
        running.type(f"call {BOB} 33199000001")
        running.until("SETUP")
        running.type("pick up")
        running.until("CONNECT")
        running.type("quit")
        assert running.end() == 0
        assert running.rest("err") == []


@pytest.mark.slow
def test_what_it_says_to_try_works() -> None:
    """The command that the simulator prints watches the line, and sees what is typed."""
    with keyyo_cti("simulator", "--line", "33199000002=Zoë") as running:
        words = running.until("try:").split()
        variable, _, token = words[1].partition("=")
        with Running(*words[3:], **{variable: token}) as watching:
            watching.until("connected as 33199000002", "err")
            running.type(running.until('type "help"').rpartition(": ")[2])
            watching.until(f"{BOB} -> 33199000002  ringing")


@pytest.mark.slow
@posix
def test_a_person_plays_at_a_terminal() -> None:
    """At a terminal it is the same, and Ctrl-D ends it."""
    import pty

    person, terminal = pty.openpty()
    try:
        with Running("-m", "keyyo_cti", "simulator", stdin=terminal) as running:
            running.until("type \"help\"")
            os.write(person, f"call {BOB} 33199000001\n".encode())
            running.until("SETUP")
            os.write(person, b"\x04")
            assert running.end() == 0
            assert running.rest("err") == []
    finally:
        os.close(person)
        os.close(terminal)


@pytest.mark.slow
@posix
def test_ctrl_c_ends_the_simulator() -> None:
    """Ctrl-C ends the simulator with exit code 0 and no traceback."""
    with keyyo_cti("simulator") as running:
        running.until("type \"help\"")
        running.interrupt()
        assert running.end(timeout=allow(5)) == 0
        assert running.rest("err") == []


def test_the_simulator_in_this_process(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line that is asked for is introduced, with its name if it has one."""
    monkeypatch.setattr("sys.stdin", io.StringIO("phones\nquit\n"))
    assert main(["simulator", "--line", "33199000001=Alice", "--line", "33199000002"]) == 0
    out = capsys.readouterr().out
    assert "line 33199000001 (Alice): token " in out
    assert "line 33199000002: token " in out
    assert "33199000001 idle     Alice\n33199000002 idle\n33199020000 idle     Bob\n" in out


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--line", "Alice"], "'Alice' is no number of a line or telephone: expected 2 to 15 "
         "digits, and then a name, such as 33199000002=Carol\n"),
        (["--phone", "\x1b=Bob"], "'\\\\x1b' is no number of a line or telephone: expected 2 to "
         "15 digits, and then a name, such as 33199000002=Carol\n"),
        (["--port", "99999"], "port: expected 0 to 65535, got 99999\n"),
    ],
)
def test_a_wrong_line_or_port_is_named(
    arguments: "list[str]", said: str, capsys: Capture
) -> None:
    """A line or a port that cannot be is one line and exit code 2."""
    assert main(["simulator", *arguments]) == 2
    assert capsys.readouterr().err == said


def test_a_port_in_use_is_named(sim: Simulator, capsys: Capture) -> None:
    """An address that cannot be had is one line and exit code 1."""
    port = sim.endpoint.split(":")[2].split("/")[0]
    assert main(["simulator", "--port", port]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"cannot listen on 127.0.0.1:{port}: ")
