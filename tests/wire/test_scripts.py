"""Whole programs, in processes of their own: Ctrl-C, the end of main, fork."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, List

import pytest

from keyyo_cti import CTI, Backoff
from keyyo_cti.simulator import Line, Simulator

from . import peer as peers
from .peer import Peer
from .probe import PATIENCE, Seen

ROOT = Path(__file__).parents[2]

HEAD = """
import os, signal, sys, threading
from keyyo_cti import CTI, Keyyo
endpoint, token = sys.argv[1:]
"""


def start(script: str, *arguments: str) -> "subprocess.Popen[str]":
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    return subprocess.Popen(
        [sys.executable, "-c", HEAD + script, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=ROOT,
    )


def finish(process: "subprocess.Popen[str]") -> List[Any]:
    """The exit code, what was printed, what went to stderr; within three seconds."""
    began = time.monotonic()
    out, err = process.communicate(timeout=PATIENCE)
    assert time.monotonic() - began < 3
    return [process.returncode, out, err]


def line_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_script_of_the_readme(sim: Simulator, alice: Line) -> None:
    """The README's script: connect, dial, see the call, end with the session."""
    process = start(
        """
cti = Keyyo.CTI({"endpoint": endpoint})
def on_new_call(call):
    call.onSetup = lambda: print("ringing", call.callee, flush=True)
    call.onConnect = lambda: print("talking", flush=True)
    def over():
        print("over", flush=True)
        cti.destroy_session()
    call.onRelease = over
cti.onNewCall = on_new_call
def connected(err, res):
    print(err or res.number, flush=True)
    cti.dial("33199020000", lambda err, res: print(err or res, flush=True))
cti.create_session(token, connected)
cti.wait()
""",
        sim.endpoint,
        sim.token(alice),
    )
    bob = sim.phone("33199020000")
    bob.wait_until("ringing", timeout=PATIENCE)
    bob.pick_up()
    bob.hang_up()
    code, out, err = finish(process)
    assert (code, err) == (0, "")
    lines = out.split("\n")
    assert lines[0] == "33199000001"
    assert sorted(lines[1:3]) == ["1", "ringing 33199020000"]
    assert lines[3:] == ["talking", "over", ""]


def test_ctrl_c_at_wait(sim: Simulator, alice: Line) -> None:
    """Ctrl-C at cti.wait() closes and raises KeyboardInterrupt; a script that catches it ends
    with its own message, and the server saw the session left."""
    process = start(
        """
cti = CTI(endpoint=endpoint)
cti.create_session(token, lambda err, res: print("connected", flush=True))
try:
    cti.wait()
except KeyboardInterrupt as stop:
    print("stopped:", stop, threading.active_count())
""",
        sim.endpoint,
        sim.token(alice),
    )
    assert line_of(process) == "connected"
    process.send_signal(signal.SIGINT)
    assert finish(process) == [0, "stopped: the connection is closed 1\n", ""]
    sim.wait_for_session(alice, counter=0)


def test_ctrl_c_while_a_callback_blocks(sim: Simulator, alice: Line) -> None:
    """Ctrl-C ends a script within 3 s though a callback blocks, and a script that does not catch
    it ends with the traceback of a KeyboardInterrupt and nothing else."""
    process = start(
        """
cti = CTI(endpoint=endpoint)
def connected(err, res):
    print("connected", flush=True)
    threading.Event().wait(60)
cti.create_session(token, connected)
cti.wait()
""",
        sim.endpoint,
        sim.token(alice),
    )
    assert line_of(process) == "connected"
    process.send_signal(signal.SIGINT)
    code, out, err = finish(process)
    assert code == -signal.SIGINT and out == ""
    assert err.startswith("Traceback (most recent call last):\n")
    assert err.endswith("KeyboardInterrupt: the connection is closed\n")
    assert err.count("Traceback") == 1


def test_main_that_just_ends(sim: Simulator, alice: Line) -> None:
    """A program whose main ends while it is connected ends too, cleanly, and says goodbye."""
    process = start(
        """
before = signal.getsignal(signal.SIGINT)
cti = CTI(endpoint=endpoint)
print(cti.create_session(token).result(10).number)
cti.onNewCall = print
assert signal.getsignal(signal.SIGINT) is before
""",
        sim.endpoint,
        sim.token(alice),
    )
    assert finish(process) == [0, "33199000001\n", ""]
    sim.wait_for_session(alice, counter=0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_fork(sim: Simulator, alice: Line) -> None:
    """After a fork the child's object raises on use and writes nothing; the parent goes on."""
    process = start(
        """
cti = CTI(endpoint=endpoint)
cti.create_session(token).result(10)
import warnings
warnings.simplefilter("ignore")
child = os.fork()
if child == 0:
    uses = [cti.ping, cti.get_calls, cti.close, cti.wait, cti.poll, cti.destroy_session,
            lambda: cti.dial("x"), lambda: cti.get_call("x"), lambda: cti.create_session("x"),
            lambda: cti.restore_session("x")]
    raised = 0
    for use in uses:
        try:
            use()
        except RuntimeError as error:
            raised += "parent process" in str(error)
    print(raised == len(uses), flush=True)
    sys.exit()
os.waitpid(child, 0)
print(cti.ping().result(10))
""",
        sim.endpoint,
        sim.token(alice),
    )
    assert finish(process) == [0, "True\n1\n", ""]
    assert [command["action"] for command in sim.received()] == ["create_session", "ping"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_fork_while_a_handler_is_set(sim: Simulator, alice: Line) -> None:
    """A child that is forked while another thread sets a handler can set its own."""
    process = start(
        """
import warnings
from keyyo_cti import events
warnings.simplefilter("ignore")
held, over = threading.Event(), threading.Event()
def hold():
    with events._changing:
        held.set()
        over.wait(10)
threading.Thread(target=hold, daemon=True).start()
held.wait(10)
child = os.fork()
if child == 0:
    cti = CTI(endpoint=endpoint)
    cti.onNewCall = print
    print(cti.create_session(token).result(10).number, flush=True)
    cti.close()
    os._exit(0)
os.waitpid(child, 0)
over.set()
""",
        sim.endpoint,
        sim.token(alice),
    )
    assert finish(process) == [0, "33199000001\n", ""]


def test_many_connections_to_a_deaf_server_at_exit() -> None:
    """A program with ten connections to a server that does not answer a goodbye ends in 3 s."""

    def serve(sock: socket.socket) -> None:
        peers.open_session(sock)
        peer.stall(sock)

    peer = Peer(*[peers.info, serve] * 10)
    with peer:
        process = start(
            """
ctis = [CTI(endpoint=endpoint) for _ in range(10)]
for cti in ctis:
    cti.create_session(token).result(10)
print("connected", flush=True)
""",
            peer.endpoint,
            "tok",
        )
        assert line_of(process) == "connected"
        assert finish(process) == [0, "", ""]


def test_nothing_imported_that_is_not_needed() -> None:
    """The SDK imports neither the simulator nor aiohttp."""
    script = (
        "import sys, keyyo_cti\n"
        "print([m for m in sys.modules if 'aiohttp' in m or 'simul' in m])"
    )
    out = subprocess.run(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        timeout=PATIENCE,
        check=True,
    )
    assert out.stdout == "[]\n"
    assert CTI().get_calls() == []


OUTAGE = """
provider = {"pause": lambda: token, "provider": lambda: threading.Event().wait(60)}[where]
from keyyo_cti import Backoff
pause = 60 if where == "pause" else 0.01
cti = CTI(endpoint=endpoint, token_provider=provider, backoff=Backoff(first=pause, longest=60))
lost = threading.Event()
cti.onDisconnected = lambda: (print("disconnected", flush=True), lost.set())
cti.create_session(token, lambda err, res: print("connected", flush=True))
"""


@pytest.mark.parametrize("where", ["pause", "provider"])
def test_program_that_ends_in_an_outage(sim: Simulator, alice: Line, where: str) -> None:
    """A program that just ends while a session is being restored ends cleanly, within seconds."""
    script = f"where = {where!r}\n" + OUTAGE + "lost.wait(60)\n"
    process = start(script, sim.endpoint, sim.token(alice))
    assert line_of(process) == "connected"
    sim.faults.reset()
    assert line_of(process) == "disconnected"
    assert finish(process) == [0, "", ""]


@pytest.mark.parametrize("where", ["pause", "provider"])
def test_ctrl_c_in_an_outage(sim: Simulator, alice: Line, where: str) -> None:
    """Ctrl-C at ``wait()`` ends it while a session is being restored, too."""
    waiting = "try:\n    cti.wait()\nexcept KeyboardInterrupt as stop:\n    print(stop)\n"
    script = f"where = {where!r}\n" + OUTAGE + waiting
    process = start(script, sim.endpoint, sim.token(alice))
    assert line_of(process) == "connected"
    sim.faults.reset()
    assert line_of(process) == "disconnected"
    process.send_signal(signal.SIGINT)
    assert finish(process) == [0, "the connection is closed\n", ""]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fork_in_an_outage(sim: Simulator, alice: Line) -> None:
    """A child that is forked off in an outage restores nothing; its parent does."""
    gave: List[int] = []

    def provide() -> str:
        gave.append(os.getpid())
        return sim.token(alice)

    backoff = Backoff(first=0.3, longest=0.3, spread=0.0)
    with CTI(endpoint=sim.endpoint, token_provider=provide, backoff=backoff) as cti:
        seen = Seen(cti)
        cti.create_session(sim.token(alice)).result(PATIENCE)
        sim.faults.reset()
        seen.wait_for("disconnected")
        child = os.fork()
        if not child:
            try:
                cti.wait(0)
            except RuntimeError:
                os._exit(0)
            os._exit(1)
        assert os.WEXITSTATUS(os.waitpid(child, 0)[1]) == 0
        seen.wait_for("restored")
        assert gave == [os.getpid()]
