"""Signal handlers and finalizers that use the SDK, at random moments of the main thread."""

from __future__ import annotations

import sys

import pytest

from keyyo_cti.simulator import Line, Simulator

from ..helpers.in_full import in_full
from .test_scripts import Script, no_script_left

__all__ = ["no_script_left"]

pytestmark = [
    pytest.mark.fault(90),
    pytest.mark.skipif(sys.platform == "win32", reason="there is no timer of signals"),
]

SIGNALS = in_full(10_000, always=2_000)

#: A program whose main thread does something again and again, while a timer interrupts it.
HEAD = f"""
import faulthandler, gc, itertools
faulthandler.dump_traceback_later({in_full(100, always=45)}, exit=True)
signal.signal(signal.SIGALRM, signal.SIG_IGN)
count, running = [0], [True]

def on_signal(*_):
    if running[0]:
        count[0] += 1
        act()

def many(work, number):
    signal.signal(signal.SIGALRM, on_signal)
    signal.setitimer(signal.ITIMER_REAL, 2e-4, 2e-4)
    until = time.monotonic() + 20
    while count[0] < number and time.monotonic() < until:
        work()
    running[0] = False
    signal.setitimer(signal.ITIMER_REAL, 0)

def wait_until(holds):
    until = time.monotonic() + 15
    while not holds() and time.monotonic() < until:
        cti.poll() if manual else time.sleep(0.01)
    assert holds()

# Each step is one of the interpreter's: a signal handler may interrupt another one.
numbers, asked, told = itertools.count(), [], []
def answered():
    number = next(numbers)
    asked.append(number)
    return lambda error, result: told.append(number)

def ask():
    return cti.int_to_local("33199000001", answered())

def all_told():
    wait_until(lambda: len(told) >= len(asked))
    assert sorted(told) == sorted(asked), "lost or repeated"
"""

#: What the main thread does.
WORK = {
    "wait": "lambda: cti.wait(0.01)",
    "poll": "lambda: cti.poll(0.01)",
    "commands": "lambda: ask().exception(10)",
    "get_calls": "lambda: [cti.get_calls() for _ in range(100)]",
    "on": "lambda: (cti.on('newCall', len), cti.off('newCall', len))",
    "session_exists": "lambda: cti.session_exists()",
    "logging": "lambda: logging.getLogger('keyyo_cti').warning('x')",
}

#: What the signal handler does.
ACTIONS = {
    "reads": "(cti.connected, cti.number, cti.transport, cti.session_id, repr(cti), "
    "cti.get_calls(), cti.get_call('x'))",
    "health": "count[0] % 10 or str(cti.health())",
    "on": "(cti.on('error', repr), cti.off('error', repr), setattr(cti, 'onRestored', len))",
    "commands": "count[0] % 10 or ask()",
    # It may take longer than the time to the next signal, as the health does.
    "session_exists": "count[0] % 10 or cti.session_exists()",
}


@pytest.mark.slow
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("work", WORK)
def test_handler_at_any_moment_loses_nothing(
    sim: Simulator, alice: Line, work: str, action: str
) -> None:
    """Nothing hangs, and each callback comes exactly once."""
    script = Script(
        HEAD + f"""
import logging
logging.getLogger("keyyo_cti").addHandler(logging.NullHandler())
logging.getLogger("keyyo_cti").propagate = False
manual = {work == "poll"}
cti = CTI(endpoint=endpoint, dispatch="manual" if manual else None)
cti.create_session(token).result(10)
def act():
    {ACTIONS[action]}
many({WORK[work]}, {SIGNALS // 4})
all_told()
cti.close()
print("ended", count[0] >= {SIGNALS // 4}, threading.active_count(), flush=True)
""",
        sim.endpoint,
        sim.token(alice),
    )
    assert script.line() == "ended True 1"


@pytest.mark.slow
@pytest.mark.parametrize("work", WORK)
def test_close_at_any_moment_ends_within_two_seconds(
    sim: Simulator, alice: Line, work: str
) -> None:
    """Again and again, while the main thread opens another session after each."""
    script = Script(
        HEAD + f"""
import logging, random
logging.getLogger("keyyo_cti").propagate = False
manual = {work == "poll"}
cti, longest, closed = CTI(endpoint=endpoint, dispatch="manual" if manual else None), [0.0], [0]
def on_close(*_):
    began = time.monotonic()
    cti.close()
    longest[0] = max(longest[0], time.monotonic() - began)
    closed[0] += 1
signal.signal(signal.SIGALRM, on_close)
for turn in range({in_full(500, always=25)}):
    ask_session = cti.create_session(token, answered())
    if turn % 2:
        ask_session.exception(10)
    signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-4, 5e-3))
    before = closed[0]
    while closed[0] == before:
        ({WORK[work]})()
all_told()
cti.close()
print("ended", longest[0] < 2.2, threading.active_count(), flush=True)
""",
        sim.endpoint,
        sim.token(alice),
    )
    assert script.line() == "ended True 1"


@pytest.mark.parametrize("manual", [False, True])
def test_sigterm_handler_that_closes_ends_wait(
    sim: Simulator, alice: Line, manual: bool
) -> None:
    """The usual way to end a service."""
    script = Script(
        f"""
cti = CTI(endpoint=endpoint, dispatch="manual" if {manual} else None)
signal.signal(signal.SIGTERM, lambda *_: cti.close())
cti.create_session(token, lambda *answer: print("open", flush=True))
print("ended", cti.wait(30), flush=True)
""",
        sim.endpoint,
        sim.token(alice),
    )
    assert script.line() == "open"
    script._process.terminate()
    assert script.line() == "ended True"


def test_finalizers_that_use_the_line_at_any_moment(sim: Simulator, alice: Line) -> None:
    """``__del__`` during garbage collection, on whatever thread that happens."""
    script = Script(
        HEAD + f"""
manual = False
class Loop:
    def __init__(self):
        self.me = self
    def __del__(self):
        with lock:
            ask()
        cti.get_calls(), cti.connected, repr(cti)
        other.close()
lock = threading.RLock()
cti, other = CTI(endpoint=endpoint), CTI(endpoint=endpoint, cookie_auto=False)
cti.create_session(token).result(10)
gc.set_threshold(5)
for _ in range({in_full(2_000, always=300)}):
    Loop()
    cti.ping().result(10)
gc.set_threshold(0)
gc.collect()
all_told()
cti.close()
print("ended", len(asked) > 0, flush=True)
""",
        sim.endpoint,
        sim.token(alice),
    )
    assert script.line() == "ended True"


def test_result_in_a_handler_that_interrupts_the_sdk_is_refused(
    sim: Simulator, alice: Line
) -> None:
    """It would wait for the very thread that it interrupts."""
    script = Script(
        """
cti = CTI(endpoint=endpoint)
cti.create_session(token).result(10)
def handler(*_):
    try:
        print(cti.ping().result(), flush=True)
    except RuntimeError as error:
        print(error, flush=True)
signal.signal(signal.SIGUSR1, handler)
with cti._client._registry.lock:
    os.kill(os.getpid(), signal.SIGUSR1)
    # What the reader needs the lock for comes before the answer.
    time.sleep(0.01)
os.kill(os.getpid(), signal.SIGUSR1)
cti.close()
""",
        sim.endpoint,
        sim.token(alice),
    )
    lines = [script.line(), script.line()]
    assert lines[0] == "1" or "interrupted the SDK" in lines[0]
    assert lines[1] == "1"
