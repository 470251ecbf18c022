"""Commands for events, as real processes: what they get, and that none is left behind."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from keyyo_cti._hooks import commands
from keyyo_cti._hooks.commands import CommandRunner, split_command
from keyyo_cti._hooks.failure_log import FailureLog
from keyyo_cti._net.clock import monotonic

from ...helpers.hook_events import make_event
from ...helpers.probe import PATIENCE, Record, eventually

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

#: Appends its environment to a file.
WRITE = (
    "import json, os, sys; "
    "text = json.dumps({k: v for k, v in os.environ.items() if k.startswith('KEYYO_')}); "
    "open(sys.argv[1], 'a').write(text + '\\n')"
)

#: What a caller may be called.
HOSTILE = [
    "$(reboot)", "`reboot`", "; rm -rf x", "| touch x", "&& touch x", "%PATH%", "!PATH!",
    "'", '"', "\"; touch x; '", "\\", "two\nlines", "cr\rlf", "nul\x00nul", "\x1b[2J", "-rf",
    "$IFS$9touch", "{touch,x}", "*", "~", "", " ", "é 日本 \U0001f600", "\ud800", "\u2028",
]


class Bench:
    """Runners, and what they tell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told = Record()
        self._runners: List[CommandRunner] = []

    def runner(self, *words: str, timeout: float = PATIENCE) -> CommandRunner:
        runner = CommandRunner(words, timeout, None, FailureLog(self.told.add))
        self._runners.append(runner)
        return runner

    def python(self, code: str, *arguments: object, timeout: float = PATIENCE) -> CommandRunner:
        return self.runner(sys.executable, "-c", code, *map(str, arguments), timeout=timeout)

    def close(self) -> None:
        for runner in self._runners:
            runner.close(monotonic())

    def pid(self, name: str) -> int:
        """The process id that a command has written."""
        path = self.folder / name
        eventually(lambda: path.exists() and path.read_text())
        return int(path.read_text())


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def is_running(pid: int) -> bool:
    """True if a process lives; a zombie counts."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def is_alive(pid: int) -> bool:
    """True if a process lives; a zombie of somebody else does not count."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return is_running(pid) if not Path("/proc").exists() else False
    return state != "Z"


@pytest.mark.fault(100)
@pytest.mark.parametrize("field", ["caller", "name"])
def test_command_gets_hostile_values_as_plain_variables(bench: Bench, field: str) -> None:
    found = bench.folder / "found"
    before = set(os.listdir(bench.folder))
    runner = bench.python(WRITE, found)
    for value in HOSTILE:
        runner.receive(make_event(**{field: value}))
    runner.close(monotonic() + PATIENCE)
    assert bench.told.items == []
    lines = [json.loads(line) for line in found.read_text().splitlines()]
    values = {line[f"KEYYO_{field.upper()}"] for line in lines}
    assert len(lines) == len(HOSTILE)
    assert {"$(reboot)", "; rm -rf x", "%PATH%", "two\\nlines", "nul\\x00nul"} <= values
    assert {"'", '"', "\\", "*", "\\x1b[2J", "é 日本 \U0001f600", "\\ud800"} <= values
    assert all(value.isprintable() for value in values)
    assert set(os.listdir(bench.folder)) - before == {"found"}


@pytest.mark.fault(100)
@posix
def test_shell_script_with_quoted_variables_is_not_injected(bench: Bench) -> None:
    """Even a shell expands a variable once only."""
    script = 'printf "%s\\n" "$KEYYO_NAME" $KEYYO_NAME >> "$0"; : ${KEYYO_NAME}'
    runner = bench.runner("/bin/sh", "-c", script, str(bench.folder / "found"))
    runner.receive(make_event(name=f"$(touch {bench.folder}/pwned) ; touch {bench.folder}/pwned"))
    runner.close(monotonic() + PATIENCE)
    assert "$(touch" in (bench.folder / "found").read_text()
    assert not (bench.folder / "pwned").exists()


@pytest.mark.fault(100)
@pytest.mark.parametrize("encoding", ["ascii", "iso8859-1"])
def test_value_that_the_system_cannot_encode_is_escaped(
    bench: Bench, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands.sys, "getfilesystemencoding", lambda: encoding)  # type: ignore
    runner = bench.python(WRITE, bench.folder / "found")
    runner.receive(make_event(name="日本"))
    runner.close(monotonic() + PATIENCE)
    [line] = (bench.folder / "found").read_text().splitlines()
    assert json.loads(line)["KEYYO_NAME"] == "\\u65e5\\u672c"


@pytest.mark.fault(100)
def test_command_gets_no_secret_of_the_watch(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CSI_TOKEN", "CLIENT_SECRET", "WEBHOOK_SECRET"):
        monkeypatch.setenv(f"KEYYO_{name}", "canary")
    runner = bench.python(WRITE, bench.folder / "found")
    runner.receive(make_event(duration=5, hidden=True, caller=None))
    runner.close(monotonic() + PATIENCE)
    found: Dict[str, Any] = json.loads((bench.folder / "found").read_text())
    assert "canary" not in found.values()
    assert found == {
        "KEYYO_EVENT": "ring", "KEYYO_CALLREF": "call-1", "KEYYO_STATE": "SETUP",
        "KEYYO_CALLER": "", "KEYYO_CALLEE": "33199000001", "KEYYO_LINE": "33199000001",
        "KEYYO_OTHER": "33199020000", "KEYYO_DIRECTION": "in", "KEYYO_HIDDEN": "1",
        "KEYYO_NAME": "", "KEYYO_RINGING_DURATION": "0", "KEYYO_DURATION": "5",
        "KEYYO_TIME": "1795000000", "KEYYO_FROM_HISTORY": "0",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("python x", ["python", "x"]),
        ("python 'a b' \"c $HOME\" # d", ["python", "a b", "c $HOME", "#", "d"]),
        ("python a;b|c>d `e` $(f) *", ["python", "a;b|c>d", "`e`", "$(f)", "*"]),
    ],
)
def test_split_command_expands_nothing(
    text: str, words: List[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands.shutil, "which", lambda name: name)  # type: ignore
    assert split_command(text) == words


def test_split_command_on_windows_keeps_backslashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_GROUPS", False)
    monkeypatch.setattr(commands.shutil, "which", lambda name: name)  # type: ignore
    assert split_command('"C:\\My Programs\\pop.exe" C:\\x') == [
        "C:\\My Programs\\pop.exe", "C:\\x"
    ]


@pytest.mark.parametrize("text", ["", " ", "'", '"a', "no-such-program-of-keyyo x"])
def test_split_command_refuses_what_cannot_run(text: str) -> None:
    with pytest.raises(ValueError, match="empty|no closing quotation|no program no-such"):
        split_command(text)


def test_failures_are_told_once_a_kind(bench: Bench) -> None:
    failing = bench.python("import sys; sys.exit(3)")
    for _ in range(4):
        failing.receive(make_event())
    failing.close(monotonic() + PATIENCE)
    assert bench.told.items == [f"{sys.executable} failed with exit code 3"]


@posix
@pytest.mark.parametrize(("mode", "reason"), [(None, "No such file"), (0o600, "ermission denied")])
def test_command_that_cannot_start_is_told(bench: Bench, mode: Any, reason: str) -> None:
    path = bench.folder / "program"
    if mode is not None:
        path.write_text("#!/bin/sh\n")
        path.chmod(mode)
    runner = bench.runner(str(path))
    for _ in range(3):
        runner.receive(make_event())
    runner.close(monotonic() + PATIENCE)
    [told] = bench.told.items
    assert told.startswith(f"cannot run {path}: ") and reason in told


@pytest.mark.fault(101)
@posix
def test_command_that_takes_too_long_is_ended_with_all_it_started(bench: Bench) -> None:
    child = "import time; time.sleep(1000)"
    parent = (
        "import subprocess, sys, time; "
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}]); "
        "open(sys.argv[1], 'w').write(str(child.pid)); time.sleep(1000)"
    )
    runner = bench.python(parent, bench.folder / "pid", timeout=1.5)
    runner.receive(make_event())
    pid = bench.pid("pid")
    runner.close(monotonic() + PATIENCE)
    eventually(lambda: not is_alive(pid))
    assert bench.told.items == [f"{sys.executable} took longer than 1.5 s: it is ended"]


@pytest.mark.fault(101)
@posix
def test_command_that_ignores_sigterm_is_ended_with_the_watch(bench: Bench) -> None:
    code = (
        "import os, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(1000)"
    )
    runner = bench.python(code, bench.folder / "pid")
    runner.receive(make_event())
    pid = bench.pid("pid")
    began = monotonic()
    runner.close(monotonic())
    assert monotonic() - began < 10
    # Not even a zombie.
    assert not is_running(pid)
    assert bench.told.items == ["commands that still ran are ended: 1"]


@posix
def test_kill_from_a_signal_handler_ends_the_commands(bench: Bench) -> None:
    code = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(1000)"
    runner = bench.python(code, bench.folder / "pid")
    runner.receive(make_event())
    pid = bench.pid("pid")
    runner.kill()
    eventually(lambda: not is_running(pid))


@pytest.mark.fault(101)
def test_commands_run_a_few_at_a_time_and_a_full_queue_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_gate, began = threading.Event(), Record()

    def run(event: Any) -> None:
        began.add(event.callref)
        assert open_gate.wait(PATIENCE)

    runner = bench.python("")
    monkeypatch.setattr(runner, "_run", run)
    for number in range(4):
        runner.receive(make_event(callref=str(number)))
    began.wait_for_count(4)
    for number in range(4, 4 + commands._MAX_WAITING + 10):
        runner.receive(make_event(callref=str(number)))
    assert len(began.items) == 4
    open_gate.set()
    runner.close(monotonic() + PATIENCE)
    assert sorted(map(int, began.items)) == list(range(4 + commands._MAX_WAITING))
    assert bench.told.items == ["100 events wait already: the command is not run for others"]


def test_events_that_wait_at_the_end_are_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "_MAX_COMMANDS", 1)
    runner = bench.python("import time; time.sleep(1000)")
    for _ in range(3):
        runner.receive(make_event())
    eventually(lambda: runner._running)
    runner.close(monotonic())
    assert bench.told.items == [
        "events for which the command was not run: 2", "commands that still ran are ended: 1"
    ]


@posix
def test_command_reads_no_keys_and_has_its_own_session(bench: Bench) -> None:
    code = (
        "import os, sys; assert sys.stdin.read() == ''; "
        "open(sys.argv[1], 'w').write(str(os.getsid(0)))"
    )
    runner = bench.python(code, bench.folder / "sid")
    runner.receive(make_event())
    runner.close(monotonic() + PATIENCE)
    assert bench.told.items == [] and bench.pid("sid") != os.getsid(0)
    assert signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL
