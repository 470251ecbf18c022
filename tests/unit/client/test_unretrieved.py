"""A failed command whose outcome the program never asks for is logged, once and safely."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import subprocess
import sys
import textwrap
import threading
from functools import partial
from typing import Any, Callable, List

import pytest

from keyyo_cti._client import unretrieved
from keyyo_cti._client.background import Background
from keyyo_cti._client.pending import CommandFuture
from keyyo_cti.errors import KeyyoError

from ...helpers.background import SOON
from ...helpers.probe import eventually
from .test_pending import FakeDispatcher

ERROR = KeyyoError(400, "Cannot treat action", None, "a hint")
UNASKED = "(no callback, and result() was not called)"
WARNING = f"dial() failed: {ERROR} {UNASKED}"

#: The work that a running thread was given.
Work = List[Callable[[], object]]


@pytest.fixture
def work() -> Work:
    return []


def assert_nothing_is_logged(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    unretrieved.log_all()
    assert work == [] and caplog.messages == [] and not unretrieved._failed


def make(work: Work, running: bool = True) -> CommandFuture:
    """Return the Future of a dial without a callback."""

    def put_if_running(task: Callable[[], object]) -> bool:
        if running:
            work.append(task)
        return running

    future = CommandFuture(FakeDispatcher())
    future.watch("dial", put_if_running)
    return future


def fail(work: Work, running: bool = True) -> CommandFuture:
    future = make(work, running)
    future.set_exception(ERROR)
    return future


def run(work: Work) -> None:
    while work:
        work.pop(0)()


def test_dropped_failure_is_logged_once_by_the_thread_that_runs(
    work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    future = fail(work)
    assert not work, "the program may still ask"
    del future
    assert len(work) == 1 and caplog.messages == []
    run(work)
    unretrieved.log_all()
    assert caplog.messages == [WARNING]
    assert caplog.records[0].levelno == logging.WARNING


ASK: List[Callable[[CommandFuture], object]] = [
    lambda future: future.exception(0),
    lambda future: future.add_done_callback(print),
    lambda future: pytest.raises((KeyyoError, TimeoutError, Exception), future.result, 0),
]


@pytest.mark.slow
@pytest.mark.parametrize("ask", ASK, ids=["exception", "add_done_callback", "result"])
@pytest.mark.parametrize("when", ["before it fails", "after"])
def test_failure_is_not_logged_if_the_program_has_asked(
    work: Work, ask: Callable[[CommandFuture], object], when: str,
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str],
) -> None:
    future = make(work)
    if when == "after":
        future.set_exception(ERROR)
        ask(future)
    else:
        try:
            ask(future)
        except Exception as error:
            assert "TimeoutError" in type(error).__name__
        future.set_exception(ERROR)
    del future
    gc.collect()
    assert_nothing_is_logged(work, caplog)


def test_wrapped_future_of_asyncio_counts_as_asked(
    work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        with pytest.raises(KeyyoError):
            await asyncio.wrap_future(fail(work))

    asyncio.run(main())
    gc.collect()
    assert_nothing_is_logged(work, caplog)


def test_success_and_pending_commands_are_not_logged(
    work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    future = make(work)
    future.set_result(1)
    del future
    make(work)
    CommandFuture(FakeDispatcher()).set_exception(ERROR)  # with a callback, or the SDK's own
    assert_nothing_is_logged(work, caplog)


def test_future_in_a_cycle_is_logged_when_it_is_collected(
    work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    cycle: Any = [fail(work)]
    cycle.append(cycle)
    del cycle
    gc.collect()
    run(work)
    assert caplog.messages == [WARNING]


def test_without_a_running_thread_another_one_logs(
    work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    del_in_lock = threading.Lock()
    threads: List[str] = []

    class Handler(logging.Handler):
        """A handler whose lock the thread holds that drops the Future."""

        def emit(self, record: logging.LogRecord) -> None:
            with del_in_lock:
                threads.append(threading.current_thread().name)

    logger, handler = logging.getLogger("keyyo_cti"), Handler()
    logger.addHandler(handler)
    try:
        with del_in_lock:
            for _ in range(50):
                fail(work, running=False)
            assert threads == []
        eventually(lambda: len(threads) == 50)
    finally:
        logger.removeHandler(handler)
    assert set(threads) == {"keyyo-cti-warning"}
    eventually(lambda: "keyyo-cti-warning" not in {each.name for each in threading.enumerate()})
    assert caplog.messages == [WARNING] * 50


def test_failure_without_any_thread_is_logged_at_the_end(
    work: Work, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    fail(work, running=False)
    held = fail(work)
    assert caplog.messages == []
    unretrieved.log_all()
    assert caplog.messages == [WARNING] * 2
    del held
    assert work == [] and caplog.messages == [WARNING] * 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_child_leaves_the_failures_of_its_parent_alone(work: Work) -> None:
    held = fail(work)
    child = os.fork()
    if not child:
        del held
        unretrieved.log_all()
        os._exit(len(work) or len(unretrieved._dropped))
    assert os.waitpid(child, 0)[1] == 0
    held.exception(0)


PROGRAMS = {
    "held in a global": "future = cti.dial('33172587948')",
    "dropped": "cti.dial('33172587948')",
    "in a cycle": "future = [cti.dial('33172587948')]\nfuture.append(future)",
    "held by a thread": (
        "import threading, time\nfuture = cti.dial('33172587948')\n"
        "threading.Thread(target=lambda f: time.sleep(60), args=(future,), daemon=True).start()"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=list(PROGRAMS))
def test_program_that_ends_logs_the_failure_and_nothing_else(program: str) -> None:
    head = """
        import logging
        from keyyo_cti import CTI
        logging.basicConfig(format="%(levelname)s %(message)s")
        cti = CTI(cookie_auto=False)
    """
    done = subprocess.run(
        [sys.executable, "-c", f"{textwrap.dedent(head)}\n{program}"],
        capture_output=True, text=True, timeout=60,
    )
    assert done.returncode == 0 and len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("WARNING dial() failed: 400 Connexion closed (not connected")


LOGGING = {
    "not configured": ("", True),
    "at ERROR": ("logging.basicConfig(level=logging.ERROR)", False),
    "handler at ERROR": (
        "logging.basicConfig(); logging.getLogger().handlers[0].setLevel(logging.ERROR)", False
    ),
    "logger at ERROR": ("logging.getLogger('keyyo_cti').setLevel(logging.ERROR)", False),
    "disabled": ("logging.disable(logging.ERROR)", False),
    "logger disabled": ("logging.getLogger('keyyo_cti').disabled = True", False),
}


def test_end_of_the_program_waits_for_a_failure_that_is_being_printed() -> None:
    program = """
        import threading
        from keyyo_cti import CTI
        from keyyo_cti._client import stderr_log
        write, begun = stderr_log.write, threading.Event()
        def write_slowly(text):
            begun.set()
            threading.Event().wait(0.3)
            write(text)
        stderr_log.write = write_slowly
        CTI(cookie_auto=False).dial('33172587948')
        begun.wait(10)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True, text=True, timeout=60,
    )
    assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize("configure, is_printed", LOGGING.values(), ids=list(LOGGING))
def test_failure_goes_to_stderr_only_without_logging(configure: str, is_printed: bool) -> None:
    program = f"""
        import logging
        from keyyo_cti import CTI
        {configure}
        CTI(cookie_auto=False).dial('33172587948')
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True, text=True, timeout=60,
    )
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert len(lines) == is_printed, done.stderr
    assert all(
        line.startswith("keyyo_cti: dial() failed: 400 Connexion closed") and UNASKED in line
        for line in lines
    )


def test_request_of_a_web_client_is_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    def line(csi: str) -> None:
        raise KeyyoError(404, f"no line {csi}", "not_found")

    background = Background("keyyo-cti-test")
    background.ask(partial(line, "33"))
    background.ask(partial(line, "34"), lambda err, res: None)
    assert background.wait(SOON)
    background.finish(SOON)
    eventually(lambda: caplog.messages)
    assert caplog.messages == [
        f"line() failed: 404 no line 33 [not_found] (see docs/errors.md#not-found) {UNASKED}"
    ]


# What a Future says of itself.


def test_repr_of_a_failed_future_says_why(work: Work) -> None:
    future = fail(work)
    assert f"failed: {future.exception_now()}>" in repr(future)
    del future
    assert len(work) == 1, "to look is not to ask"
    run(work)


def test_repr_shows_no_further_field_of_an_error() -> None:
    future = CommandFuture(FakeDispatcher())
    future.set_exception(KeyyoError(400, "m", further={"session_id": "CANARY"}))
    assert "CANARY" not in repr(future)


def test_await_says_how_to_await() -> None:
    future: Any = CommandFuture(FakeDispatcher())

    async def use() -> None:
        await future

    async def gather() -> None:
        await asyncio.gather(future)

    for main in (use, gather):
        with pytest.raises(TypeError, match=r"await asyncio\.wrap_future\(future\)"):
            asyncio.run(main())
