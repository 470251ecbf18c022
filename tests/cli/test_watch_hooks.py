"""``watch --run`` and ``--post``: the events of a line, from the simulator to real receivers."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, Dict, List

import pytest

from keyyo_cti.cli import main, watch_hooks
from keyyo_cti.simulator import Simulator

from ..helpers.probe import PATIENCE, eventually
from ..helpers.running import Running
from ..helpers.webhook_receiver import KEY, SECRET, Receiver
from ..unit.hooks.test_commands import is_alive
from . import test_watch
from .test_watch import BOB, Watcher

sim, watcher = test_watch.sim, test_watch.watcher

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

WRITE = (
    "import json, os, sys; "
    "e = {k[6:]: v for k, v in os.environ.items() if k.startswith('KEYYO_')}; "
    "open(sys.argv[1], 'a').write(json.dumps(e) + chr(10))"
)


@pytest.fixture
def patient_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, the last event may take longer than the end of the watch waits."""
    monkeypatch.setattr(watch_hooks, "DRAIN_TIMEOUT", PATIENCE)


@pytest.fixture
def found(tmp_path: Path) -> Path:
    return tmp_path / "found"


@pytest.fixture
def write(found: Path) -> str:
    """A command that appends its event to a file, once per event: they may run together."""
    script = found.with_name("write.py")
    script.write_text(WRITE)
    return f'"{sys.executable}" "{script}" "{found}"'


def read(found: Path) -> List[Dict[str, Any]]:
    lines = found.read_text().splitlines() if found.exists() else []
    return sorted(map(json.loads, lines), key=lambda each: (each["CALLREF"], each["TIME"]))


def play(watcher: Watcher) -> None:
    """An answered call, a missed one, and one whose notifications are repeated."""
    bob, sim = watcher.sim.phone(BOB), watcher.sim
    bob.call(watcher.line)
    sim.elapse(3)
    watcher.line.phone.pick_up()
    sim.elapse(60)
    bob.hang_up()
    bob.call(watcher.line)
    sim.elapse(9)
    bob.hang_up()
    sim.faults.close()


@pytest.mark.usefixtures("patient_end")
@pytest.mark.parametrize("has_stderr", [True, False])
def test_each_event_runs_the_command_once(
    watcher: Watcher, write: str, found: Path, monkeypatch: pytest.MonkeyPatch, has_stderr: bool
) -> None:
    if not has_stderr:
        monkeypatch.setattr(watch_hooks, "_STDERR", 9999)
    assert watcher.watch("--run", write, script=lambda: play(watcher)) == 3
    seen = read(found)
    assert sorted(each["EVENT"] for each in seen) == ["answer", "end", "missed", "ring", "ring"]
    [end] = [each for each in seen if each["EVENT"] == "end"]
    parties = {"CALLER": BOB, "OTHER": BOB, "CALLEE": watcher.line.number, "DIRECTION": "in"}
    times = {"STATE": "RELEASE", "RINGING_DURATION": "3", "DURATION": "60", "NAME": ""}
    assert {**end, **parties, **times} == end
    assert watcher.err[1:] == ["the connection was lost"]
    assert len(watcher.changes()) == 5


@pytest.mark.usefixtures("patient_end")
@pytest.mark.parametrize("on", [["--on", "missed", "end"], ["--on", "missed", "--on", "end"]])
def test_on_selects_events(
    watcher: Watcher, write: str, found: Path, on: List[str]
) -> None:
    watcher.watch(*on, "--run", write, script=lambda: play(watcher))
    assert sorted(each["EVENT"] for each in read(found)) == ["end", "missed"]


@pytest.mark.fault(100)
@pytest.mark.usefixtures("patient_end")
def test_repeated_notifications_run_the_command_once(
    watcher: Watcher, write: str, found: Path
) -> None:
    """A callref that is used again is another call."""
    def script() -> None:
        for state in ("SETUP", "SETUP", "CONNECT", "CONNECT", "RELEASE", "RELEASE", "SETUP"):
            call = {"callref": "c", "caller": "$(reboot)\n", "callee": "2", "state": state}
            watcher.sim.push(watcher.line, {"notify": "call", "call": call})
        watcher.sim.faults.close()

    watcher.watch("--run", write, script=script)
    seen = read(found)
    assert sorted(each["EVENT"] for each in seen) == ["answer", "end", "ring", "ring"]
    assert {each["CALLER"] for each in seen} == {"$(reboot)\\n"}
    assert {each["HIDDEN"] for each in seen} == {"1"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--on", "ring"], "--on needs --run or --post, which say what to do"),
        (["--as", "zammad"], "--as needs --post"),
        (["--post-secret-file", "x", "--run", "x"], "--post-secret-file needs --post"),
        (["--run-timeout", "3"], "--run-timeout needs --run"),
        (["--run", "true", "--run-timeout", "0"],
         "--run-timeout: expected seconds above 0, at most 86400"),
        (["--run", "no-such-program-of-keyyo"],
         "--run: there is no program no-such-program-of-keyyo"),
        (["--run", "'"], "--run: no closing quotation"),
        (["--run", ""], "--run: it is empty"),
        (["--post", "crm.example.com/canary"], "--post: expected a URL that starts with https://"),
        (["--post", "https://u:canary@example.com/"],
         "--post: expected a URL without a user name and password"),
        (["--post", "https://example.com/#a"],
         "--post: expected a URL without '#', space and control characters"),
        (["--post", "@no-such-file"],
         "--post: [Errno 2] No such file or directory: 'no-such-file'"),
        (["--post", "https://example.com/", "--ca-certs", "no-such-file"],
         "ca_certs: no such file: 'no-such-file'"),
    ],
)
def test_wrong_arguments_are_refused_before_the_session(
    watcher: Watcher, arguments: List[str], message: str, capsys: Any
) -> None:
    assert main(["watch", "--endpoint", watcher.sim.endpoint, *arguments]) == 2
    said = capsys.readouterr()
    assert said.err.splitlines() == [message] and "canary" not in said.err
    assert watcher.sim.received() == []


def test_http_elsewhere_has_to_be_allowed_and_the_path_is_not_shown(
    watcher: Watcher, capsys: Any
) -> None:
    url = "http://crm.example.com/canary?canary"
    assert main(["watch", "--endpoint", watcher.sim.endpoint, "--post", url]) == 2
    said = capsys.readouterr().err
    assert "https://" in said and "canary" not in said


@pytest.mark.fault(101)
@posix
@pytest.mark.parametrize("how", ["interrupt", "terminate"])
def test_end_of_the_watch_ends_the_commands(tmp_path: Path, how: str) -> None:
    """With Ctrl-C, and with the signal that ends a service."""
    script = tmp_path / "sleep.py"
    script.write_text(
        "import os, sys, time; print(os.getpid(), flush=True, file=sys.stderr); time.sleep(1000)"
    )
    with Simulator() as simulator:
        line = simulator.line("33199000001")
        command = f"{sys.executable} {script}"
        arguments = ("watch", "--endpoint", simulator.endpoint, "--run", command)
        token = simulator.token(line)
        with Running("-m", "keyyo_cti", *arguments, KEYYO_CSI_TOKEN=token) as running:
            running.until("connected as", "err")
            simulator.phone(BOB).call(line)
            pid = int(running.until("", "err"))
            getattr(running, how, running.process.terminate)()
            assert running.end() == (130 if how == "interrupt" else -15)
            eventually(lambda: not is_alive(pid))


@pytest.mark.usefixtures("patient_end")
@pytest.mark.parametrize("source", ["environment", "file"])
def test_each_event_is_posted_once_and_signed(
    watcher: Watcher, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = []
    if source == "environment":
        monkeypatch.setenv("KEYYO_WEBHOOK_SECRET", SECRET)
    else:
        (tmp_path / "secret").write_text(f"{SECRET}\n")
        (tmp_path / "secret").chmod(0o600)
        arguments = ["--post-secret-file", str(tmp_path / "secret")]
    with Receiver(500) as receiver:
        (tmp_path / "url").write_text(f"{receiver.url}\n")
        post = ["--post", f"@{tmp_path / 'url'}", *arguments]
        assert watcher.watch(*post, script=lambda: play(watcher)) == 3
        posts = receiver.posts.items
    assert all(post.is_signed_by(KEY) for post in posts)
    kinds = {post.id: json.loads(post.body)["type"] for post in posts}
    assert len(posts) == 6
    assert sorted(kinds.values()) == [
        "call.answer", "call.end", "call.missed", "call.ring", "call.ring"
    ]
    said = "\n".join(watcher.err)
    assert "127.0.0.1 answered 500 to a post: will retry" in said
    assert "canary" not in said and SECRET not in said


@pytest.mark.usefixtures("patient_end")
def test_posts_to_a_crm_are_in_its_form(watcher: Watcher) -> None:
    with Receiver() as receiver:
        watcher.watch(
            "--on", "missed", "--post", receiver.url, "--as", "zammad",
            script=lambda: play(watcher),
        )
        posts = [json.loads(post.body) for post in receiver.posts.items]
    assert [(post["event"], post.get("cause")) for post in posts] == [
        ("newCall", None), ("hangup", "cancel")
    ]
    assert watcher.err[1:] == ["the connection was lost"]


@pytest.mark.fault(102)
def test_dead_receiver_does_not_hold_up_the_end(watcher: Watcher) -> None:
    ended: List[float] = []

    def script() -> None:
        play(watcher)
        ended.append(time.monotonic())

    with Receiver(*["hang"] * 10) as receiver:
        watcher.watch("--post", receiver.url, script=script)
        assert time.monotonic() - ended[0] < watch_hooks.DRAIN_TIMEOUT + 8
    assert len(watcher.changes()) == 5
    assert watcher.err[-1] == "5 posts were not delivered before the end"
    assert watcher.err[0] == "posts are not signed, because KEYYO_WEBHOOK_SECRET is not set"


@posix
def test_secret_that_others_can_read_is_told_and_a_wrong_one_is_not_shown(
    watcher: Watcher, tmp_path: Path, capsys: Any
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o644)
    arguments = ["--post", "http://127.0.0.1:9/", "--post-secret-file", str(secret)]
    watcher.watch(*arguments, script=watcher.sim.faults.close)
    assert watcher.err[0].startswith(f"other users can read the file of the secret {secret} ")
    secret.write_text("whsec_canary")
    assert main(["watch", "--endpoint", watcher.sim.endpoint, *arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"the secret in {secret}: expected whsec_") and "canary" not in said
