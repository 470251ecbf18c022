"""Names beside numbers in ``watch`` and ``dial --follow``, and what they never do."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from queue import SimpleQueue
from typing import Callable, List

import pytest

from keyyo_cti.cli.account_names import AccountNames
from keyyo_cti.simulator import Line, Phone, Simulator
from keyyo_cti.token_file import default_file

from .kept import ADMIN, Capture, cut_off, keep_login, run

BOB = "33199020000"
ALICE = "33199000001"
PATIENCE = 10.0

Patch = pytest.MonkeyPatch


@pytest.fixture
def read_names(monkeypatch: Patch) -> Callable[[], None]:
    """Waits until a command knows the names, or that it cannot know them."""
    entered: "SimpleQueue[AccountNames]" = SimpleQueue()
    enter = AccountNames.__enter__

    def enter_and_tell(self: AccountNames) -> AccountNames:
        entered.put(self)
        return enter(self)

    monkeypatch.setattr(AccountNames, "__enter__", enter_and_tell)
    return lambda: entered.get(timeout=PATIENCE)._directory.wait(PATIENCE)  # type: ignore


def bob_calls(sim: Simulator, bob: Phone, read_names: Callable[[], None]) -> Callable[[], None]:
    def script() -> None:
        sim.wait_for_session(ALICE)
        read_names()
        bob.call(ALICE)
        bob.hang_up()
        cut_off(sim)

    return script


def test_watch_shows_names_beside_numbers(
    sim: Simulator, alice: Line, bob: Phone, read_names: Callable[[], None], capsys: Capture
) -> None:
    sim.contact("Example", first_name="Bob", company="Ex", mobile_number="+33199020000")
    keep_login(sim)
    said = run(capsys, "watch", script=bob_calls(sim, bob, read_names))
    assert said.out[0].endswith(f"{BOB} Bob Example (Ex) -> {ALICE} Alice  ringing")
    assert "names" not in "".join(said.err)


def test_commands_get_names(
    sim: Simulator, alice: Line, bob: Phone, read_names: Callable[[], None], capsys: Capture,
    tmp_path: Path,
) -> None:
    sim.contact("Bob", default_number=BOB)
    keep_login(sim)
    script = tmp_path / "name.py"
    script.write_text(
        "import os, pathlib; "
        "pathlib.Path(__file__).with_name('found').write_text(os.environ['KEYYO_NAME'])"
    )
    command = f'"{sys.executable}" "{script}"'
    run(capsys, "watch", "--on", "ring", "--run", command, script=bob_calls(sim, bob, read_names))
    assert (tmp_path / "found").read_text() == "Bob"


def test_json_has_fields_of_their_own_for_names(
    sim: Simulator, alice: Line, bob: Phone, read_names: Callable[[], None], capsys: Capture
) -> None:
    sim.contact("\x1b[2J\u202eBob", default_number="0199020000")
    keep_login(sim)
    said = run(capsys, "watch", "--json", script=bob_calls(sim, bob, read_names))
    first = json.loads(said.out[0])
    assert (first["caller"], first["caller_name"]) == (BOB, "\x1b[2J\u202eBob")
    assert first["callee_name"] == "Alice"


@pytest.mark.parametrize("name", ["\x1b[2JBob", "\x9b31m", "a\nb", "left\u202eright", "\x07"])
def test_name_cannot_command_the_terminal(
    sim: Simulator, alice: Line, bob: Phone, read_names: Callable[[], None], capsys: Capture,
    name: str,
) -> None:
    sim.contact(name, default_number=BOB)
    keep_login(sim)
    said = run(capsys, "watch", script=bob_calls(sim, bob, read_names))
    assert len(said.out) == 2 and all(line.isprintable() for line in said.out)


def test_dial_follow_shows_names(
    sim: Simulator, alice: Line, bob: Phone, read_names: Callable[[], None], capsys: Capture
) -> None:
    sim.contact("Bob", default_number=BOB)
    keep_login(sim)

    def script() -> None:
        bob.wait_until("ringing")
        read_names()
        bob.pick_up()
        bob.hang_up()

    said = run(capsys, "dial", "--follow", BOB, script=script)
    assert f"{ALICE} Alice -> {BOB} Bob  ended" in said.out[-1]


def test_no_names_asks_for_none(
    sim: Simulator, alice: Line, bob: Phone, capsys: Capture
) -> None:
    keep_login(sim)

    def script() -> None:
        sim.wait_for_session(ALICE)
        bob.call(ALICE)
        cut_off(sim)

    said = run(capsys, "watch", "--no-names", script=script)
    assert f"{BOB} -> {ALICE}  ringing" in said.out[0]
    assert sim.requested("/manager/1.0/directory") == []


def test_names_that_hang_delay_neither_the_first_event_nor_the_end(
    sim: Simulator, alice: Line, bob: Phone, capsys: Capture
) -> None:
    keep_login(sim)
    sim.faults.http_slow("/manager/1.0/directory_branches")
    rang: List[float] = []

    def script() -> None:
        sim.wait_for_session(ALICE)
        sim.wait_for_request("/manager/1.0/directory_branches", PATIENCE)
        bob.call(ALICE)
        cut_off(sim)
        rang.append(time.monotonic())

    said = run(capsys, "watch", script=script)
    assert f"{BOB} -> {ALICE}" in said.out[0]
    assert time.monotonic() - rang[0] < 5


def test_failure_of_names_is_told_once_and_ends_no_watch(
    sim: Simulator, alice: Line, bob: Phone, read_names: Callable[[], None], capsys: Capture,
    monkeypatch: Patch,
) -> None:
    monkeypatch.setenv("KEYYO_CSI_TOKEN", sim.token(alice))
    tokens = keep_login(sim, ADMIN)
    said = run(capsys, "watch", "--endpoint", sim.endpoint, script=bob_calls(sim, bob, read_names))
    assert f"{BOB} -> {ALICE}  ringing" in said.out[0]
    [line] = [line for line in said.err if "names cannot be read" in line]
    assert "full_access_read_only" in line and tokens.access_token not in "".join(said.err)


def test_session_at_another_server_causes_no_request_for_names(
    sim: Simulator, alice: Line, capsys: Capture, monkeypatch: Patch
) -> None:
    keep_login(sim)
    with Simulator() as other:
        line = other.line("33199000009")
        monkeypatch.setenv("KEYYO_CSI_TOKEN", other.token(line))

        def script() -> None:
            other.wait_for_session(line)
            other.faults.close()

        run(capsys, "watch", "--endpoint", other.endpoint, script=script)
    assert sim.requested("/manager") == []


def test_login_that_cannot_be_read_ends_only_a_watch_that_was_told_to_show_names(
    sim: Simulator, alice: Line, capsys: Capture, monkeypatch: Patch
) -> None:
    path = default_file()
    path.parent.mkdir(parents=True)
    path.mkdir()
    monkeypatch.setenv("KEYYO_CSI_TOKEN", sim.token(alice))

    def script() -> None:
        sim.wait_for_session(ALICE)
        cut_off(sim)

    command = ["watch", "--endpoint", sim.endpoint]
    assert run(capsys, *command, script=script).err[0] == f"connected as {ALICE}"
    said = run(capsys, *command, "--names")
    assert said.status == 1 and str(path) in said.err[0]


def test_names_that_come_too_late_are_told_once(
    sim: Simulator, alice: Line, bob: Phone, capsys: Capture, monkeypatch: Patch
) -> None:
    keep_login(sim)
    bob.call(ALICE)
    bob.hang_up()
    monkeypatch.setattr("keyyo_cti.cli.account_names._READ_TIMEOUT", 0.1)
    sim.faults.http_slow("/manager/1.0/directory_branches")
    said = run(capsys, "history")
    assert (said.status, said.err) == (0, ["names are not shown: no answer within 0.1 s"])


def test_names_without_a_login_are_refused(
    sim: Simulator, alice: Line, capsys: Capture, monkeypatch: Patch
) -> None:
    monkeypatch.setenv("KEYYO_CSI_TOKEN", sim.token(alice))
    said = run(capsys, "watch", "--names", "--endpoint", sim.endpoint)
    assert said.status == 4 and "--names needs an account" in said.err[0]
