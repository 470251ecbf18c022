"""Where ``dial`` and ``watch`` take a session from, and which service they open it at."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional

import pytest

from keyyo_cti.cli import main
from keyyo_cti.cli.session_config import SessionConfig, check_permissions
from keyyo_cti.simulator import Line, Simulator

from .kept import Capture, Said, cut_off, keep_login, run

BOB = "33199020000"
OF_FILE, OF_ENVIRONMENT, OF_STDIN = "33199000011", "33199000012", "33199000013"
CAROL = "33199000002"

both = pytest.mark.parametrize("command", [["dial", BOB], ["watch"]], ids=["dial", "watch"])


class World(NamedTuple):
    """A Keyyo that is the default, and another that somebody has signed in to.

    :ivar file: has a token of the default one.
    """

    default: Simulator
    account: Simulator
    file: str


@pytest.fixture
def world(
    sim: Simulator, alice: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    with Simulator() as default:
        for number in (OF_FILE, OF_ENVIRONMENT, OF_STDIN):
            default.line(number)
        monkeypatch.setattr("keyyo_cti.cli.session_config.ENDPOINT", default.endpoint)
        file = tmp_path / "token"
        file.write_text(f" {default.token(OF_FILE)} \nnot-this\n")
        stdin = io.StringIO(f"{default.token(OF_STDIN)}\nnot-this\n")
        monkeypatch.setattr("sys.stdin", stdin)
        monkeypatch.setenv("KEYYO_CSI_TOKEN", f" {default.token(OF_ENVIRONMENT)}\n")
        keep_login(sim)
        yield World(default, sim, str(file))


def attend(capsys: Capture, sim: Simulator, number: str, *arguments: str) -> Said:
    """Runs a command that opens a session of this line, here and nowhere else."""

    def script() -> None:
        if arguments[0] == "watch":
            sim.wait_for_session(number)
            cut_off(sim)

    said = run(capsys, *arguments, script=script)
    assert said.status == (3 if arguments[0] == "watch" else 0)
    assert said.err[0] == f"connected as {number}"
    assert len(sim.received("create_session")) == 1
    return said


@both
def test_a_token_file_comes_first(world: World, capsys: Capture, command: List[str]) -> None:
    """``--token-file`` goes before everything else, and belongs to Keyyo's own service."""
    attend(capsys, world.default, OF_FILE, *command, "--token-file", world.file)
    assert world.account.requested() == []


@both
def test_stdin(world: World, capsys: Capture, command: List[str]) -> None:
    """``--token-file -`` is the first line of stdin."""
    attend(capsys, world.default, OF_STDIN, *command, "--token-file", "-")
    assert world.account.requested() == []


@both
def test_the_environment_comes_before_the_account(
    world: World, capsys: Capture, command: List[str]
) -> None:
    """KEYYO_CSI_TOKEN goes before the account, and belongs to Keyyo's own service."""
    attend(capsys, world.default, OF_ENVIRONMENT, *command)
    assert world.account.requested() == []


@both
def test_a_csi_means_the_account(
    world: World, alice: Line, capsys: Capture, command: List[str]
) -> None:
    """``--csi`` names a line of the account, whatever is in the environment."""
    world.account.line(CAROL)
    attend(capsys, world.account, CAROL, *command, "--csi", CAROL)
    assert world.default.requested() == []


@both
@pytest.mark.parametrize("variable", [None, "", "  "])
def test_the_account_comes_last(
    world: World, alice: Line, capsys: Capture, monkeypatch: pytest.MonkeyPatch,
    command: List[str], variable: "str | None",
) -> None:
    """With no token at hand, an empty one included, the account's only line is meant."""
    if variable is None:
        monkeypatch.delenv("KEYYO_CSI_TOKEN")
    else:
        monkeypatch.setenv("KEYYO_CSI_TOKEN", variable)
    attend(capsys, world.account, alice.number, *command)
    assert world.default.requested() == []


@both
def test_endpoint_with_a_token_at_hand(
    world: World, alice: Line, capsys: Capture, monkeypatch: pytest.MonkeyPatch,
    command: List[str],
) -> None:
    """``--endpoint`` is where a token that is at hand goes."""
    monkeypatch.setenv("KEYYO_CSI_TOKEN", world.account.token(alice))
    where = ["--endpoint", world.account.endpoint]
    attend(capsys, world.account, alice.number, *command, *where)
    assert world.default.requested() == []


@both
def test_endpoint_with_the_account(
    world: World, alice: Line, capsys: Capture, command: List[str]
) -> None:
    """``--endpoint`` goes before the account's, though the token is the account's."""
    where = ["--csi", alice.number, "--endpoint", world.default.endpoint]
    status, _, (told,) = run(capsys, *command, *where)
    assert status == 1 and told.startswith("400 Invalid token")
    assert len(world.default.received("create_session")) == 1
    assert world.account.received("create_session") == []


@both
def test_an_empty_file_is_not_replaced(
    world: World, tmp_path: Path, capsys: Capture, command: List[str]
) -> None:
    """An empty ``--token-file`` does not make way for another token: that could be a stranger's
    line."""
    (tmp_path / "empty").write_text("\nnot-this\n")
    status, out, (told,) = run(capsys, *command, "--token-file", str(tmp_path / "empty"))
    assert (status, out) == (2, []) and "there is no CSI token in" in told
    assert world.account.requested() + world.default.requested() == []


@both
@pytest.mark.parametrize("content", [b"\xff\xfe", None], ids=["no text", "a directory"])
def test_a_file_that_cannot_be_read(
    world: World, tmp_path: Path, capsys: Capture, command: List[str], content: "bytes | None"
) -> None:
    """A file that is no text, or a directory, is one line and exit code 2."""
    file = tmp_path / "odd"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    status, out, (told,) = run(capsys, *command, "--token-file", str(file))
    assert (status, out) == (2, []) and told


@both
def test_a_token_as_an_argument_is_not_repeated(
    world: World, capsys: Capture, command: List[str]
) -> None:
    """Who tries ``--token TOKEN``, which is no option, does not find it in the output."""
    try:
        status = main([*command, "--token", "canary-csi-token"])
    except SystemExit as end:
        status = int(end.code or 0)
    said = capsys.readouterr()
    assert status == 2 and "canary" not in said.out + said.err


@pytest.mark.parametrize(
    "url", ["ws.keyyo.com", "ftp://ws.keyyo.com", "http://h/?a", "http://ws.keyyo.com/cti"])
@pytest.mark.parametrize("command", [["dial", BOB], ["watch"], ["diagnose"]])
def test_a_wrong_endpoint(
    world: World, capsys: Capture, command: List[str], url: str
) -> None:
    """An endpoint that is no URL is one line and exit code 2."""
    status, out, (told,) = run(capsys, *command, "--endpoint", url)
    assert (status, out) == (2, []) and "endpoint: expected a URL" in told


@pytest.mark.fault(51)
@pytest.mark.parametrize("command", [["dial", BOB], ["watch"]])
def test_an_endpoint_in_clear_has_to_be_allowed(
    world: World, capsys: Capture, command: List[str]
) -> None:
    """With --allow-http it is tried, and is then no mistake any more."""
    url = "http://name.invalid/cti"
    status, _, (told,) = run(capsys, *command, "--endpoint", url)
    assert status == 2 and "in clear" in told and "--allow-http" in told
    status, _, told_then = run(capsys, *command, "--endpoint", url, "--allow-http")
    assert status != 2 and "in clear" not in "".join(told_then)
    assert "name.invalid" in "".join(told_then)


@pytest.mark.parametrize(
    "command", [["lines"], ["token"], ["diagnose"], ["dial", BOB], ["watch"]], ids=" ".join
)
def test_wrong_authorities(world: World, capsys: Capture, command: List[str]) -> None:
    """A file of authorities that is not there is one line with its name, and exit code 2."""
    status, out, (told,) = run(capsys, *command, "--ca-certs", "/no/such/file")
    assert (status, out) == (2, []) and "/no/such/file" in told


def test_repr_shows_no_token() -> None:
    """The repr of what opens a session does not show the token."""
    assert "canary" not in repr(SessionConfig("canary", "https://ws.keyyo.com/cti", None))


def test_a_token_and_a_line_of_the_account(capsys: Capture) -> None:
    """``--csi`` beside ``--token-file`` is a contradiction: exit code 2, and nothing is asked."""
    said = run(capsys, "watch", "--token-file", "-", "--csi", "33199000001")
    assert (said.status, said.out) == (2, [])
    [line] = said.err
    assert "--csi" in line and "--token-file" in line


def test_an_endpoint_that_is_empty(
    sim: Simulator, alice: Line, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty endpoint, as of a variable that is not set, sends the token nowhere."""
    monkeypatch.setenv("KEYYO_CSI_TOKEN", sim.token(alice))
    said = run(capsys, "watch", "--endpoint", "")
    assert (said.status, said.out) == (2, [])
    assert "endpoint" in said.err[0]


@pytest.mark.skipif(sys.platform == "win32", reason="needs modes")
def test_mode_of_a_pipe_with_a_token_does_not_matter() -> None:
    reader, writer = os.pipe()
    try:
        os.fchmod(writer, 0o666)
        assert check_permissions("/dev/fd/63", reader) is None
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.fault(70)
@pytest.mark.skipif(sys.platform == "win32", reason="needs modes")
@both
@pytest.mark.parametrize(
    ("mode", "said"),
    [(0o600, None), (0o400, None), (0o644, "read"), (0o640, "read"), (0o604, "read"),
     (0o666, "write to"), (0o602, "write to")],
)
def test_mode_of_a_token_file(
    world: World, capsys: Capture, command: List[str], mode: int, said: Optional[str]
) -> None:
    """A ``--token-file`` that is not for its owner only is named, with what to do about it."""
    os.chmod(world.file, mode)
    lines = attend(capsys, world.default, OF_FILE, *command, "--token-file", world.file).err
    if said is None:
        assert not any("other users" in line for line in lines)
    else:
        assert lines[1] == (
            f"other users can {said} the token file {world.file} (mode {mode:04o}): "
            f"chmod 600 {world.file}"
        )
