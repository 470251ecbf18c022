"""Whole programs, in processes of their own: Ctrl-C, the end of main, fork."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Iterator, List

import pytest
from websocket import ABNF

from keyyo_cti import CTI, Backoff
from keyyo_cti._sockjs import TRANSPORTS
from keyyo_cti.simulator import Line, Simulator

from ..helpers import tcp_peer as peers
from ..helpers.methods import SECOND_CALLREF, USES
from ..helpers.probe import PATIENCE, Record, Seen
from ..helpers.running import heed_ctrl_c
from ..helpers.tcp_peer import Peer

ROOT = Path(__file__).parents[2]

#: It ends by itself should it hang; what it has forked off does so sooner.
HEAD = """
import os, signal, sys, threading, time, warnings
from functools import partial
if hasattr(signal, "alarm"):
    signal.alarm(50)
before = {each: signal.getsignal(each) for each in signal.valid_signals()}
from keyyo_cti import CTI, Keyyo
endpoint, token = sys.argv[1:]

def signals_untouched():
    return all(signal.getsignal(each) is handler for each, handler in before.items())
"""

#: Seconds in which a program ends once it is to.
AT_ONCE = 3.0


class Script:
    """A program in a process of its own."""

    started: "List[Script]" = []

    def __init__(self, text: str, *arguments: str) -> None:
        self.started.append(self)
        self._began = time.monotonic()
        self._start_took = 0.0
        self._process = subprocess.Popen(
            [sys.executable, "-c", HEAD + text, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ, PYTHONPATH=str(ROOT)),
            cwd=ROOT,
            preexec_fn=None if sys.platform == "win32" else heed_ctrl_c,
        )

    def line(self) -> str:
        """The next line that is printed; what comes right behind it may get lost."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        self._start_took = self._start_took or time.monotonic() - self._began
        return line

    def interrupt(self) -> None:
        """Presses Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def finish(self) -> List[Any]:
        """The exit code, what is still printed, what went to stderr; at once, but that a machine
        which was slow to start it may be slow to end it too. Of a program that has printed
        nothing yet, the start is a part of the time, which only its alarm bounds then."""
        began = time.monotonic()
        out, err = self._process.communicate(timeout=3 * PATIENCE)
        if self._start_took:
            assert time.monotonic() - began < AT_ONCE + 6 * self._start_took
        return [self._process.returncode, out, err]

    def discard(self) -> None:
        """Ends it, if a test that has failed left it."""
        self._process.kill()
        self._process.communicate(timeout=PATIENCE)


@pytest.fixture(autouse=True)
def no_script_left() -> Iterator[None]:
    """No program outlives its test."""
    yield
    while Script.started:
        Script.started.pop().discard()


def test_script_of_the_readme(sim: Simulator, alice: Line) -> None:
    """The README's script: connect, dial, see the call, end with the session."""
    script = Script(
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
    code, out, err = script.finish()
    assert (code, err) == (0, "")
    lines = out.split("\n")
    assert lines[0] == "33199000001"
    assert sorted(lines[1:3]) == ["1", "ringing 33199020000"]
    assert lines[3:] == ["talking", "over", ""]


@pytest.mark.fault(4)
def test_ctrl_c_at_wait(sim: Simulator, alice: Line) -> None:
    """Ctrl-C at cti.wait() closes and raises KeyboardInterrupt; a script that catches it ends
    with its own message, and the server saw the session left."""
    script = Script(
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
    assert script.line() == "connected"
    script.interrupt()
    assert script.finish() == [0, "stopped: the connection is closed 1\n", ""]
    sim.wait_for_session(alice, counter=0)


@pytest.mark.slow
@pytest.mark.fault(4)
def test_ctrl_c_while_a_callback_blocks(sim: Simulator, alice: Line) -> None:
    """Ctrl-C ends a script within 3 s though a callback blocks, and a script that does not catch
    it ends with the traceback of a KeyboardInterrupt and nothing else."""
    script = Script(
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
    assert script.line() == "connected"
    script.interrupt()
    code, out, err = script.finish()
    assert code == -signal.SIGINT and out == ""
    assert err.startswith("Traceback (most recent call last):\n")
    assert err.endswith("KeyboardInterrupt: the connection is closed\n")
    assert err.count("Traceback") == 1


#: Where the main thread may be when Ctrl-C comes, with the CTI that it needs.
WAITS = {
    "wait": ("", "cti.wait()"),
    "wait for some time": ("", "cti.wait(60)"),
    "result": ("", "cti.dial('33199020000').result()"),
    # In short waits: Python may overlook a signal that comes just when a long one begins.
    "something else": ("", "[threading.Event().wait(0.05) for _ in range(1200)]"),
    "poll": ("dispatch='manual'", "cti.wait()"),
}


@pytest.mark.slow
@pytest.mark.fault(4)
@pytest.mark.parametrize("waits", WAITS)
def test_ctrl_c_that_is_caught_while_a_callback_blocks(
    sim: Simulator, alice: Line, waits: str
) -> None:
    """Ctrl-C ends a script at once though a callback blocks, wherever the main thread waits; one
    that catches it has nothing on stderr, and its signal handlers are as they were."""
    options, wait = WAITS[waits]
    sim.faults.ignore("call")
    script = Script(
        f"""
def connected(err, res):
    print("connected", flush=True)
    threading.Event().wait(60)
try:
    with CTI(endpoint=endpoint, {options}) as cti:
        cti.create_session(token, connected).result(10)
        {wait}
except KeyboardInterrupt:
    print("stopped", signals_untouched())
""",
        sim.endpoint,
        sim.token(alice),
    )
    assert script.line() == "connected"
    if waits == "result":
        sim.wait_for_action("call", PATIENCE)
    script.interrupt()
    assert script.finish() == [0, "stopped True\n", ""]
    sim.wait_for_session(alice, counter=0)


@pytest.mark.fault(4)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_main_that_just_ends(sim: Simulator, alice: Line, transport: str) -> None:
    """A program whose main ends while it is connected ends too, cleanly, and says goodbye; its
    signal handlers are as they were."""
    script = Script(
        f"""
cti = CTI(endpoint=endpoint, transports=["{transport}"])
cti.onNewCall = print
print(cti.create_session(token).result(10).number, signals_untouched(), flush=True)
""",
        sim.endpoint,
        sim.token(alice),
    )
    assert script.line() == "33199000001 True"
    assert script.finish() == [0, "", ""]
    sim.wait_for_session(alice, PATIENCE, counter=0)


@pytest.mark.fault(4)
def test_goodbye_at_the_end() -> None:
    """A program whose main ends closes its websocket as ``close()`` does."""
    frames = Record()

    def serve(sock: socket.socket) -> None:
        peers.open_session(sock)
        frames.add(peers.read_frame(sock))

    with Peer(peers.info, serve) as peer:
        script = Script(
            """
cti = CTI(endpoint=endpoint)
cti.create_session(token).result(10)
print("connected", flush=True)
""",
            peer.endpoint,
            "tok",
        )
        assert script.line() == "connected"
        assert script.finish() == [0, "", ""]
        assert frames.wait_for_count(1) == [(ABNF.OPCODE_CLOSE, b"\x03\xe8")]


@pytest.mark.slow
@pytest.mark.fault(4)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_main_that_ends_while_a_callback_blocks(
    sim: Simulator, alice: Line, transport: str
) -> None:
    """So does one whose callback blocks when its main ends."""
    script = Script(
        f"""
def connected(err, res):
    blocks.set()
    threading.Event().wait(60)
blocks = threading.Event()
cti = CTI(endpoint=endpoint, transports=["{transport}"])
cti.create_session(token, connected)
blocks.wait(10)
print("blocks", signals_untouched(), flush=True)
""",
        sim.endpoint,
        sim.token(alice),
    )
    assert script.line() == "blocks True"
    assert script.finish() == [0, "", ""]
    sim.wait_for_session(alice, PATIENCE, counter=0)


#: Every command, as source of a program with a ``cti`` and its ``call``.
COMMANDS = ", ".join(
    f"(({method.owner.lower()}.{method.name}, {use.positions!a}))" for method, use in USES
)

#: What a child does with the CTI of its parent. Every use is to be over within a second; commands
#: and those of the second list are to raise.
CHILD = f"""
def use_commands():
    return [
        partial(command, *[call if each == {SECOND_CALLREF!r} else each for each in arguments])
        for command, arguments in [{COMMANDS}]
    ]
""" + """
def use_all():
    raising = use_commands() + [
        cti.get_calls, cti.wait, cti.poll, cti.session_exists, lambda: cti.get_call("x"),
        lambda: cti.on("newCall", print), lambda: cti.off("newCall"),
        lambda: call.on("setup", print), lambda: call.off("setup"),
        lambda: setattr(cti, "onNewCall", print), lambda: setattr(call, "onSetup", None),
    ]
    harmless = [
        lambda: repr(cti), lambda: repr(call), lambda: cti.number, lambda: cti.session_id,
        lambda: call.state, lambda: call.fields, lambda: cti.onNewCall,
        cti.close, cti.__exit__, lambda: str(cti.health()), lambda: cti.health().to_dict(),
    ]
    began = time.monotonic()
    for use in raising:
        try:
            use()
        except RuntimeError as error:
            assert "parent process" in str(error), error
        else:
            raise AssertionError(f"number {raising.index(use)} does not raise")
    for use in harmless:
        use()
    assert (cti.connected, cti.transport) == (False, None)
    health = cti.health()
    assert (health.state, health.number, health.slowest_handler) == ("disconnected", None, None)
    assert time.monotonic() - began < 1

def in_child(times):
    # Python 3.12 warns of any fork with threads about.
    warnings.simplefilter("ignore")
    for _ in range(times):
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            use_all()
            sys.exit()
        assert os.waitpid(child, 0)[1] == 0

def opened():
    cti, there = CTI(endpoint=endpoint), threading.Event()
    cti.onNewCall = lambda call: there.set()
    cti.create_session(token).result(10)
    cti.dial("33199020000").result(10)
    assert there.wait(10)
    return cti, cti.get_calls()[0]
"""

needs_fork = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="there is no fork on this system"
)


@needs_fork
@pytest.mark.fault(19)
def test_fork(sim: Simulator, alice: Line) -> None:
    """After a fork the child's object raises on use, within a second, and writes nothing, not
    even when the child ends; the parent goes on."""
    script = Script(
        CHILD + """
cti, call = opened()
in_child(1)
print(cti.ping().result(10), flush=True)
cti.close()
""",
        sim.endpoint,
        sim.token(alice),
    )
    assert script.line() == "1"
    assert script.finish() == [0, "", ""]
    assert [command["action"] for command in sim.received()] == ["create_session", "call", "ping"]


@pytest.mark.slow
@needs_fork
@pytest.mark.fault(19)
def test_fork_while_threads_are_busy(sim: Simulator, alice: Line) -> None:
    """Nor does a child hang that is forked while other threads are in the middle of something,
    whatever they are at; the commands of the parent are answered."""
    script = Script(
        CHILD + """
def ask():
    while not over.is_set():
        assert cti.ping().result(10) == 1 and cti.get_calls() == [call]
    answered.append(1)
cti, call = opened()
over, answered = threading.Event(), []
threads = [threading.Thread(target=ask) for _ in range(4)]
for thread in threads:
    thread.start()
in_child(10)
over.set()
for thread in threads:
    thread.join(10)
print(len(answered), flush=True)
cti.close()
""",
        sim.endpoint,
        sim.token(alice),
    )
    assert script.line() == "4"
    assert script.finish() == [0, "", ""]


@needs_fork
@pytest.mark.fault(19)
def test_fork_while_locks_are_held(sim: Simulator, alice: Line) -> None:
    """Nor one that is forked while other threads hold every lock that a CTI has."""
    script = Script(
        CHILD + """
def locks(thing, seen):
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if type(thing).__module__ in ("_thread", "threading"):
        if hasattr(thing, "acquire"):
            yield getattr(thing, "_lock", thing)
    elif isinstance(thing, (list, set, tuple)):
        for each in list(thing):
            yield from locks(each, seen)
    elif type(thing).__module__.startswith("keyyo_cti"):
        for each in list(getattr(thing, "__dict__", {}).values()):
            yield from locks(each, seen)

def hold():
    for lock in locks([cti, cti._client, call], set()):
        held.append(lock.acquire(blocking=False))
    ready.set()
    over.wait(60)
    os._exit(0)

cti, call = opened()
held, ready, over = [], threading.Event(), threading.Event()
threading.Thread(target=hold, daemon=True).start()
assert ready.wait(10)
in_child(1)
print(sum(held) >= 5, flush=True)
over.set()
""",
        sim.endpoint,
        sim.token(alice),
    )
    assert script.line() == "True"
    assert script.finish() == [0, "", ""]


@needs_fork
@pytest.mark.fault(91)
def test_fork_before_the_line_is_opened_child_can_open_it(sim: Simulator, alice: Line) -> None:
    """As with gunicorn --preload; also though the parent has asked, and had answers."""
    script = Script(
        """
warnings.simplefilter("ignore")
print("started", flush=True)
cti, events = CTI(endpoint=endpoint), []
told = threading.Event()
def callback(error, result):
    events.append(error.message)
    told.set()
cti.dial("33199020000", callback)
assert told.wait(10)
cti.onNewCall = lambda call: there.set()
there = threading.Event()
child = os.fork()
if child == 0:
    cti.on("newCall", events.append)
    cti.create_session(token).result(10)
    cti.dial("33199020000", lambda error, result: events.append(result)).result(10)
    assert there.wait(10) and cti.connected
    print(len(cti.get_calls()), len(events) > 1, flush=True)
    cti.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print(cti.connected, flush=True)
""",
        sim.endpoint,
        sim.token(alice),
    )
    assert script.line() == "started"
    assert script.finish() == [0, "1 True\nFalse\n", ""]


#: How a program forks in its own code, which then returns in both processes.
FORKING = """
print("started", flush=True)
warnings.simplefilter("ignore")
events, children = [], []
def fork(*arguments):
    # Once: the parent would go on forking.
    if not children:
        child = os.fork()
        children.append(child)
        if child == 0:
            signal.alarm(8)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
def note(*arguments):
    os.write(1, b"parent\\n" if children[0] else b"child\\n")
def over():
    return os.waitpid(children[0], 0)[1]
"""

#: Where it does so, and what makes it come to that.
FORKS = {
    "handler": """
cti = CTI(endpoint=endpoint)
cti.on("newCall", fork)
cti.on("newCall", note)
cti.create_session(token).result(10)
cti.dial("33199020000").result(10)
""",
    "callback": """
cti = CTI(endpoint=endpoint)
cti.create_session(token).result(10)
cti.ping(fork)
cti.ping(note)
""",
    "callback of a future": """
cti = CTI(endpoint=endpoint)
cti.create_session(token).result(10)
cti.ping().add_done_callback(fork)
cti.ping().add_done_callback(note)
""",
    "dispatch": """
gate = threading.Event()
def dispatch(work):
    gate.wait(10)
    fork()
    work()
cti = CTI(endpoint=endpoint, dispatch=dispatch)
cti.create_session(token).result(10)
cti.ping(lambda *answer: None)
cti.ping(note)
gate.set()
""",
    "handler that raises": """
cti = CTI(endpoint=endpoint)
cti.create_session(token).result(10)
def fork_and_raise(*answer):
    fork()
    raise SystemExit
cti.onError = note
cti.ping(fork_and_raise)
""",
}


@pytest.mark.slow
@needs_fork
@pytest.mark.fault(91)
@pytest.mark.parametrize("where", FORKS)
def test_fork_in_user_code_child_runs_no_other_handler(
    sim: Simulator, alice: Line, where: str
) -> None:
    """The child's thread ends with the code that forked, and the parent does what comes next,
    once. The child writes nothing to the parent's connection."""
    script = Script(
        FORKING + FORKS[where] + """
while not children:
    time.sleep(0.01)
status = over()
assert cti.ping().result(10) == 1
cti.close()
print("status", status, flush=True)
""",
        sim.endpoint,
        sim.token(alice),
    )
    assert script.line() == "started"
    code, out, _ = script.finish()
    assert (code, out) == (0, "parent\nstatus 0\n")
    actions = [command["action"] for command in sim.received()]
    assert actions.count("create_session") == 1 and actions[-1] == "ping"


@needs_fork
@pytest.mark.fault(91)
def test_fork_in_token_provider_child_restores_nothing(sim: Simulator, alice: Line) -> None:
    """There is one attempt for each token that the provider gives, and the parent makes it."""
    script = Script(
        FORKING + """
from keyyo_cti import Backoff
restored = threading.Event()
def provide():
    fork()
    return token
cti = CTI(endpoint=endpoint, token_provider=provide, backoff=Backoff(first=0.05, longest=0.1))
cti.onRestored = lambda info: restored.set()
cti.create_session(token).result(10)
print("open", flush=True)
assert restored.wait(10)
print("status", over(), flush=True)
cti.close()
""",
        sim.endpoint,
        sim.token(alice),
    )
    assert [script.line(), script.line()] == ["started", "open"]
    sim.faults.drop()
    assert script.finish() == [0, "status 0\n", ""]
    actions = [command["action"] for command in sim.received()]
    assert actions.count("restore_session") == 1


@needs_fork
@pytest.mark.fault(91)
def test_fork_in_poll_child_cannot_go_on_polling(sim: Simulator, alice: Line) -> None:
    """The main thread of the child is told so, before it handles what the parent handles."""
    script = Script(
        FORKING + """
cti = CTI(endpoint=endpoint, dispatch="manual")
cti.create_session(token).result(10)
cti.ping(fork)
cti.ping(note).result(10)
try:
    while cti.poll():
        pass
except RuntimeError as error:
    os._exit(0 if "parent process" in str(error) and not children[0] else 1)
print("status", over(), flush=True)
cti.close()
""",
        sim.endpoint,
        sim.token(alice),
    )
    assert script.line() == "started"
    assert script.finish() == [0, "parent\nstatus 0\n", ""]


@pytest.mark.slow
@pytest.mark.fault(4)
def test_many_connections_to_a_deaf_server_at_exit() -> None:
    """A program with ten connections to a server that does not answer a goodbye ends in 3 s."""

    def serve(sock: socket.socket) -> None:
        peers.open_session(sock)
        peer.stall(sock)

    peer = Peer(*[peers.info, serve] * 10)
    with peer:
        script = Script(
            """
ctis = [CTI(endpoint=endpoint) for _ in range(10)]
for cti in ctis:
    cti.create_session(token).result(10)
print("connected", flush=True)
""",
            peer.endpoint,
            "tok",
        )
        assert script.line() == "connected"
        assert script.finish() == [0, "", ""]


def test_nothing_imported_that_is_not_needed() -> None:
    """The SDK imports neither the simulator nor aiohttp."""
    program = (
        "import sys, keyyo_cti\n"
        "print([m for m in sys.modules if 'aiohttp' in m or 'simul' in m])"
    )
    out = subprocess.run(
        [sys.executable, "-c", program],
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


@pytest.mark.fault(4)
@pytest.mark.parametrize("where", ["pause", "provider"])
def test_program_that_ends_in_an_outage(sim: Simulator, alice: Line, where: str) -> None:
    """A program that just ends while a session is being restored ends cleanly, within seconds."""
    text = f"where = {where!r}\n" + OUTAGE + "lost.wait(60)\n"
    script = Script(text, sim.endpoint, sim.token(alice))
    assert script.line() == "connected"
    sim.faults.reset()
    assert script.line() == "disconnected"
    assert script.finish() == [0, "", ""]


@pytest.mark.fault(4)
@pytest.mark.parametrize("where", ["pause", "provider"])
def test_ctrl_c_in_an_outage(sim: Simulator, alice: Line, where: str) -> None:
    """Ctrl-C at ``wait()`` ends it while a session is being restored, too."""
    waiting = "try:\n    cti.wait()\nexcept KeyboardInterrupt as stop:\n    print(stop)\n"
    text = f"where = {where!r}\n" + OUTAGE + waiting
    script = Script(text, sim.endpoint, sim.token(alice))
    assert script.line() == "connected"
    sim.faults.reset()
    assert script.line() == "disconnected"
    script.interrupt()
    assert script.finish() == [0, "the connection is closed\n", ""]


@pytest.mark.fault(19)
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
