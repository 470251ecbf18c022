"""One run of a program against a simulator, with given steps."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
from concurrent.futures import thread as pool
from contextlib import contextmanager
from typing import Callable, Iterator, List, NamedTuple, Optional, Sequence, Set
from unittest import mock

from .._client import user_errors
from .._client.client import Client
from .._client.session_state import State
from .._net.clock import NEVER, monotonic
from .checks import Checks, Mistake, describe_thread
from .clients import (
    find_clients,
    get_state,
    has_call_handler,
    may_reconnect,
    name_running,
)
from .program import Program, make_environment, silent_stdin, surroundings
from .steps import LINE, SLOW_SECONDS, StepPlayer
from .timed_simulator import TimedSimulator

#: Seconds within which handlers have to return, a program to open its session, to come back after
#: a drop, and to end.
_SETTLE_TIMEOUT = 5.0
_START_TIMEOUT = 30.0
_RESTORE_TIMEOUT = 10.0
_RECONNECT_TIMEOUT = 2.0
_END_TIMEOUT = 5.0

#: Seconds until a handler that does not return, or a restore, gets the slow reply that it may be
#: waiting for.
_LEAP_TIMEOUT = 2.0

#: Seconds that a program has to set its handlers once its session is open.
_PREPARE_TIMEOUT = 1.0

#: Seconds for which a program has to end by itself once its connections are closed.
_CLOSE_TIMEOUT = 0.5

#: Seconds for which threads of the program have to end after it.
_THREAD_TIMEOUT = 0.5

_POLL_INTERVAL = 0.01
_INTERRUPT_INTERVAL = 0.25


class Outcome(NamedTuple):
    """The outcome of a run.

    :ivar mistake: the first mistake of the program, or None.
    :ivar played: number of steps played, the one of the mistake included.
    :ivar starts: how often the program was started. One that ends is started again.
    """

    mistake: Optional[Mistake]
    played: int
    starts: int


class Play:
    """A run. The program runs on the thread that calls `run`; another thread plays the steps.

    :param steps: see `steps`.
    """

    def __init__(self, program: Program, steps: Sequence[str]) -> None:
        self._program = program
        self._steps = steps
        self._checks = Checks()
        self._played = 0
        self._starts = 0
        self._failure: Optional[BaseException] = None
        self._end_stdin: Callable[[], None] = lambda: None
        # Guards these: the steps' thread starts the program, and the program's thread ends it.
        self._changed = threading.Condition()
        self._wanted = self._running = self._prepared = self._over = False
        # Number of interrupts on their way to the program, which are not of a person.
        self._interrupts = 0

    def run(self) -> Outcome:
        """Run the program and play all steps, or those up to the first mistake.

        :raises KeyboardInterrupt: a person has pressed Ctrl-C.
        :raises RuntimeError: this is not the main thread.
        """
        if threading.current_thread() is not threading.main_thread():
            # Only the main thread can be interrupted, if the program does not end by itself.
            raise RuntimeError("call it on the main thread, where a program runs and gets Ctrl-C")
        before = set(threading.enumerate())
        with surroundings(), TimedSimulator() as simulator:
            self._simulator = simulator
            self._player = StepPlayer(
                simulator, lambda: self._checks.last_notification, self._settle)
            simulator.on_traffic(self._checks.on_traffic)
            user_errors.on_exception.append(self._checks.on_exception)
            hooks = mock.patch.object(threading, "excepthook", self._checks.on_thread_exception)
            refusals = mock.patch.object(user_errors, "on_refusal", [self._checks.on_refusal])
            with hooks, refusals, _restored_signals():
                thread = threading.Thread(
                    target=self._conduct, name="keyyo-rehearsal", daemon=True)
                thread.start()
                self._run_program()
                thread.join()
                self._check_threads(before | {thread})
        if self._failure is not None:
            raise self._failure
        return Outcome(self._checks.first, self._played, self._starts)

    # The program's thread

    def _run_program(self) -> None:
        """Run the program each time that it is wanted, until everything is over."""
        while self._wait_for(lambda: self._wanted or self._over) and not self._over:
            with self._changed:
                self._wanted, self._running, self._prepared = False, True, False
                self._starts += 1
            # Each time, because the program may set its own.
            signal.signal(signal.SIGINT, lambda number, frame: self._on_interrupt())
            try:
                self._run_once()
            except KeyboardInterrupt:
                pass  # It came when the program had just ended.
            self._set_ended()

    def _run_once(self) -> None:
        try:
            with silent_stdin() as self._end_stdin:
                self._program.run(
                    self._simulator, LINE, self._player.make_token, self._on_prepared)
        except (SystemExit, KeyboardInterrupt):
            pass  # Its own decision, or the end of the rehearsal.
        except BaseException as error:
            self._checks.on_exception(self._program.name, error)
        self._set_ended()

    def _set_ended(self) -> None:
        # Before the lock: from here on, Ctrl-C is not for the program.
        self._running = False
        with self._changed:
            self._changed.notify_all()

    def _on_prepared(self) -> None:
        with self._changed:
            self._prepared = True
            self._changed.notify_all()

    def _on_interrupt(self) -> None:
        """Handle SIGINT, on the main thread."""
        if self._interrupts:
            self._interrupts -= 1
        else:
            self._failure, self._over = KeyboardInterrupt(), True
        if self._running:
            raise KeyboardInterrupt

    def _wait_for(self, condition: Callable[[], bool], timeout: Optional[float] = None) -> bool:
        with self._changed:
            return self._changed.wait_for(condition, timeout)

    # The thread of the steps

    def _conduct(self) -> None:
        try:
            for step in self._steps:
                self._ensure_session()
                if self._is_over():
                    break
                self._played += 1
                self._play(step)
            else:
                self._ensure_session()
            self._finish()
        except BaseException as error:
            self._failure = error
        finally:
            self._end_program()
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _is_over(self) -> bool:
        return self._over or self._checks.first is not None

    def _play(self, step: str) -> None:
        self._player.play(step)
        self._wait_for_restore()
        self._checks.check_handlers(self._get_clients())

    def _settle(self) -> None:
        """Wait for the handlers. One that waits for a slow reply gets it, by a leap of time."""
        for timeout in (_LEAP_TIMEOUT, _SETTLE_TIMEOUT):
            try:
                self._simulator.settle(timeout, polls=False)
                return
            except TimeoutError as error:
                reason = str(error)
                self._simulator.elapse(SLOW_SECONDS, settle=False)
        names = [name for name in map(name_running, self._get_clients()) if name]
        self._checks.add("stuck", names[0] if names else "handlers and callbacks", reason)

    def _get_clients(self) -> List[Client]:
        return find_clients(self._simulator.endpoint)

    def _has_session(self) -> bool:
        return any(get_state(client) is State.OPEN for client in self._get_clients())

    def _wait_for_restore(self) -> None:
        """Wait until the sessions that the program restores are back, or given up."""
        def is_back() -> bool:
            return self._has_session() or not any(
                get_state(client) in (State.RESTORING, State.OPENING)
                for client in self._get_clients())

        if self._has_session():
            return
        until = monotonic() + _RESTORE_TIMEOUT
        while not self._poll_for(is_back, _LEAP_TIMEOUT):
            if monotonic() >= until:
                self._checks.add("not restored", "the session")
                break
            # A slow command may be one of the SDK, which subscribes again.
            self._simulator.elapse(SLOW_SECONDS, settle=False)
        if not self._has_session() and any(map(may_reconnect, self._get_clients())):
            self._poll_for(lambda: self._has_session() or not self._running, _RECONNECT_TIMEOUT)
        self._settle()

    def _ensure_session(self) -> None:
        """Start the program, or start it again if it has ended or lost its session for good."""
        if self._is_over() or (self._running and self._has_session()):
            return
        self._end_program()
        self._checks.closing = False
        # Until the end of the run: `surroundings` puts the environment back.
        os.environ.update(make_environment(self._simulator, self._player.make_token()))
        with self._changed:
            self._wanted = True
            self._changed.notify_all()
        before = self._checks.sessions
        self._poll_for(
            lambda: self._checks.sessions > before or self._has_ended(), _START_TIMEOUT)
        if self._checks.sessions == before:
            self._checks.add(
                "no session", self._program.name,
                f"It opened none within {_START_TIMEOUT:g} s. Does it take the endpoint and the "
                "CSI token from KEYYO_ENDPOINT and KEYYO_CSI_TOKEN, if it takes no CTI?")
            return
        timeout = _START_TIMEOUT if self._program.takes_cti else _PREPARE_TIMEOUT
        self._poll_for(lambda: self._is_prepared() or self._has_ended(), timeout)
        self._settle()

    def _has_ended(self) -> bool:
        return not self._wanted and not self._running

    def _is_prepared(self) -> bool:
        if self._program.takes_cti:
            return self._prepared
        return any(map(has_call_handler, self._get_clients()))

    def _finish(self) -> None:
        """End the calls, and let slow commands be performed, as a program would see it."""
        if self._is_over():
            return
        self._simulator.faults.clear()
        self._simulator.elapse(SLOW_SECONDS, settle=False)
        self._settle()
        self._checks.check_handlers(self._get_clients())

    def _end_program(self) -> None:
        """Close the program's connections and its stdin, and interrupt it if it goes on."""
        self._checks.closing = True
        self._simulator.close_clients()
        self._end_stdin()
        if self._over or not self._poll_for(lambda: not self._running, _CLOSE_TIMEOUT):
            self._interrupt()

    def _interrupt(self) -> None:
        until = monotonic() + _END_TIMEOUT
        while self._running:
            self._interrupts += 1
            _send_interrupt()
            if self._wait_for(lambda: not self._running, _INTERRUPT_INTERVAL):
                break
            if monotonic() > until:
                self._checks.add("does not end", f"{self._program.name} ignores Ctrl-C")
                until = NEVER

    def _poll_for(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Wait for a condition of the program, which no event announces."""
        until = monotonic() + timeout
        while not condition():
            if monotonic() >= until:
                return False
            self._wait_for(lambda: False, _POLL_INTERVAL)
        return True

    # Threads

    def _check_threads(self, before: Set[threading.Thread]) -> None:
        """Note threads that would keep the process of the program alive."""
        until = monotonic() + _THREAD_TIMEOUT
        for thread in threading.enumerate():
            if thread in before or thread.daemon or _is_of_pool(thread):
                continue
            thread.join(max(0.0, until - monotonic()))
            if thread.is_alive():
                self._checks.add(
                    "thread left", describe_thread(thread),
                    "It is no daemon, so the process would not end. Set daemon = True before "
                    "start(), or end it.")
                if isinstance(thread, threading.Timer):
                    thread.cancel()


def _is_of_pool(thread: threading.Thread) -> bool:
    """Return True for a thread of a ThreadPoolExecutor, which ends with the process."""
    return thread in pool._threads_queues


def _send_interrupt() -> None:
    """Press Ctrl-C."""
    if sys.platform == "win32":
        _thread.interrupt_main()
    else:
        # Unlike interrupt_main, it also ends a wait for a lock.
        ident = threading.main_thread().ident
        assert ident is not None
        signal.pthread_kill(ident, signal.SIGINT)


@contextmanager
def _restored_signals() -> Iterator[None]:
    """Return a context after which signals are handled as before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
