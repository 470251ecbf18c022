"""Where handlers run: one at a time, in order, whatever they do."""

from __future__ import annotations

import functools
import logging
import queue
import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Iterator, List, Optional, Tuple, Type

import pytest

from keyyo_cti._client.dispatch import (
    Dispatcher,
    EventThread,
    ExternalDispatcher,
    PolledDispatcher,
    Running,
    Work,
    make_dispatcher,
    name_of,
)
from keyyo_cti._client.dispatcher import SDK_ONLY
from keyyo_cti._client.pending import CommandFuture
from keyyo_cti._net import process
from keyyo_cti._net.clock import monotonic
from keyyo_cti._net.reentrant import interrupts_itself

from ...helpers.background import Background
from ...helpers.pretended_fork import PretendedFork
from ...helpers.probe import eventually

SOON = 5.0


class Reports:
    """Keeps what is reported; can be told to raise."""

    def __init__(self) -> None:
        self.errors: List[BaseException] = []
        self.threads: List[threading.Thread] = []
        self.raises: Optional[BaseException] = None

    def __call__(self, error: BaseException) -> None:
        self.errors.append(error)
        self.threads.append(threading.current_thread())
        if self.raises is not None:
            raise self.raises


class Loop:
    """An external event loop: a thread that runs what it is handed, in order."""

    def __init__(self) -> None:
        self.queue: "queue.Queue[Optional[Work]]" = queue.Queue()
        self.thread = threading.Thread(target=self._run, name="loop")
        self.thread.start()

    def __call__(self, work: Work) -> None:
        self.queue.put(work)

    def _run(self) -> None:
        for work in iter(self.queue.get, None):
            work()

    def stop(self) -> None:
        self.queue.put(None)
        self.thread.join(SOON)


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.stop()


@pytest.fixture
def thread(reports: Reports) -> Iterator[EventThread]:
    """An event thread that is held, and let go in the end."""
    dispatcher = EventThread("events", None, reports)
    dispatcher.acquire()
    yield dispatcher
    dispatcher.release()
    dispatcher.finish(SOON)


@pytest.fixture(params=["thread", "manual", "inline", "loop"])
def each(request: Any, reports: Reports, loop: Loop) -> Iterator[Dispatcher]:
    """Each kind of dispatcher."""
    made: Dispatcher
    if request.param == "thread":
        made = EventThread("events", None, reports)
    elif request.param == "manual":
        made = PolledDispatcher(None, reports)
    elif request.param == "inline":
        made = ExternalDispatcher(lambda work: work(), "events", None, reports)
    else:
        made = ExternalDispatcher(loop, "events", None, reports)
    made.acquire()
    yield made
    made.release()
    made.finish(SOON)


def drain(dispatcher: Dispatcher) -> None:
    """Until all that was queued so far is done."""
    done = threading.Event()
    dispatcher.put(done.set)
    if isinstance(dispatcher, PolledDispatcher):
        dispatcher.poll(SOON)
    assert done.wait(SOON)


def errors(caplog: pytest.LogCaptureFixture) -> List[logging.LogRecord]:
    return [record for record in caplog.records if record.levelno >= logging.ERROR]


# All kinds.


def test_order(each: Dispatcher) -> None:
    """Work is done in the order it was queued, one at a time."""
    ran: List[int] = []
    inside: List[int] = []

    def handler(number: int) -> None:
        inside.append(number)
        assert len(inside) == 1
        ran.append(number)
        inside.pop()

    for number in range(1000):
        each.deliver(handler, number)
    drain(each)
    assert ran == list(range(1000))


def test_order_of_many_threads(each: Dispatcher) -> None:
    """What many threads queue is done once each, in each one's order."""
    ran: List[Any] = []
    barrier = threading.Barrier(4)

    def queue_some(name: int) -> None:
        barrier.wait(SOON)
        for number in range(200):
            each.deliver(ran.append, (name, number))

    threads = [threading.Thread(target=queue_some, args=(name,)) for name in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(SOON)
    drain(each)
    for name in range(4):
        assert [pair for pair in ran if pair[0] == name] == [(name, n) for n in range(200)]


def test_inside(each: Dispatcher) -> None:
    """A thread is inside while it does work, and not before or after."""
    seen: List[bool] = []
    each.deliver(lambda: seen.append(each.inside()))
    drain(each)
    assert seen == [True]
    assert not each.inside()


@pytest.mark.parametrize("kind", [ValueError, SystemExit, GeneratorExit, BaseException])
def test_handler_that_raises(
    each: Dispatcher,
    reports: Reports,
    caplog: pytest.LogCaptureFixture,
    kind: Type[BaseException],
) -> None:
    """What a handler raises is logged once, with its traceback and the handler's name, and
    reported once, where handlers run; the next handler runs."""
    ran: List[int] = []
    error = kind("the reason")
    inside: List[bool] = []
    report, reports.raises = reports, None

    def bad_handler() -> None:
        inside.append(each.inside())
        raise error

    each.deliver(bad_handler)
    each.deliver(ran.append, 1)
    if kind is SystemExit and isinstance(each, PolledDispatcher):
        # In the main thread it ends the program, and what waits stays where it is.
        with pytest.raises(SystemExit) as raised:
            each.poll(SOON)
        assert raised.value is error and ran == []
        drain(each)
        assert ran == [1] and not report.errors and not errors(caplog)
        return
    drain(each)
    assert ran == [1]
    assert report.errors == [error]
    (record,) = errors(caplog)
    assert "bad_handler (" in record.getMessage() and kind.__name__ in record.getMessage()
    assert record.exc_info is not None and record.exc_info[1] is error
    assert each.running() is None


def test_reporter_that_raises(
    each: Dispatcher, reports: Reports, caplog: pytest.LogCaptureFixture
) -> None:
    """A report that raises through call() is logged, and not reported again."""
    ran: List[int] = []

    def bad_report(_: BaseException) -> None:
        raise KeyError("from the report")

    def report(error: BaseException) -> None:
        reports(error)
        each.call(bad_report, (error,))

    each._report = report

    def bad_handler() -> None:
        raise ValueError("from the handler")

    for _ in range(2):
        each.deliver(bad_handler)
    each.deliver(ran.append, 1)
    drain(each)
    assert ran == [1]
    assert [str(error) for error in reports.errors] == ["from the handler"] * 2
    logged = [record.getMessage() for record in errors(caplog)]
    assert ["bad_handler" in line for line in logged] == [True, False, True, False]
    assert ["bad_report" in line for line in logged] == [False, True, False, True]


def test_report_that_raises_by_itself(
    thread: EventThread, reports: Reports, caplog: pytest.LogCaptureFixture
) -> None:
    """Even a report that raises outside of call() does not end the event thread."""
    reports.raises = RuntimeError("no report today")
    ran: List[int] = []
    thread.deliver(int, "x")
    thread.deliver(int, "y")
    thread.deliver(ran.append, 1)
    drain(thread)
    assert ran == [1]
    assert len(reports.errors) == 2
    assert "no report today" in caplog.text


def test_interrupt_on_the_event_thread(
    thread: EventThread, reports: Reports, caplog: pytest.LogCaptureFixture
) -> None:
    """A KeyboardInterrupt that a handler raises on the event thread is logged once with its
    traceback and reported, like any other exception."""
    ran: List[int] = []
    error = KeyboardInterrupt()

    def bad_handler() -> None:
        raise error

    thread.deliver(bad_handler)
    thread.deliver(ran.append, 1)
    drain(thread)
    assert ran == [1]
    (record,) = errors(caplog)
    assert "KeyboardInterrupt in" in record.getMessage()
    assert record.exc_info is not None and record.exc_info[1] is error
    assert reports.errors == [error]


def test_interrupt_on_the_main_thread(
    reports: Reports, caplog: pytest.LogCaptureFixture
) -> None:
    """Ctrl-C during a handler that the main thread polls goes through to the main program; what
    is queued behind it waits for the next poll."""
    polled, ran = PolledDispatcher(None, reports), []  # type: PolledDispatcher, List[int]

    def interrupted() -> None:
        raise KeyboardInterrupt

    polled.deliver(interrupted)
    polled.deliver(ran.append, 1)
    with pytest.raises(KeyboardInterrupt):
        polled.poll(0)
    assert (ran, reports.errors, errors(caplog)) == ([], [], [])
    assert not polled.inside()
    assert polled.running() is None
    assert polled.poll(0) == 1
    assert ran == [1]


@pytest.mark.parametrize("each", ["thread", "inline"], indirect=True)
def test_a_fault_of_our_own(each: Dispatcher, caplog: pytest.LogCaptureFixture) -> None:
    """Work that raises outside of user code is logged where there is a thread of ours, and does
    not keep the rest."""
    ran: List[int] = []

    def fault() -> None:
        raise AssertionError("a fault")

    each.put(fault)
    each.deliver(ran.append, 1)
    drain(each)
    assert ran == [1]
    assert "a fault" in caplog.text


def test_fault_of_our_own_is_logged_by_the_logger_of_the_sdk(
    thread: EventThread, caplog: pytest.LogCaptureFixture
) -> None:
    def fault() -> None:
        raise AssertionError("a fault")

    thread.put(fault)
    drain(thread)
    (record,) = errors(caplog)
    assert (record.name, record.getMessage()) == ("keyyo_cti", "an event could not be delivered")


def test_running(each: Dispatcher) -> None:
    """While user code runs, it is known which and since when; calls inside calls too."""
    each._clock = lambda: 7.0
    seen: List[Any] = []

    def inner() -> None:
        seen.append(each.running())

    def outer() -> None:
        seen.append(each.running())
        each.call(inner)
        seen.append(each.running())

    assert each.running() is None
    each.deliver(outer)
    drain(each)
    assert [one.function for one in seen] == [outer, inner, outer]
    assert [one.since for one in seen] == [7.0] * 3
    assert each.running() is None


@pytest.mark.parametrize("each", ["thread", "manual"], indirect=True)
def test_waiting(each: Dispatcher) -> None:
    """It is known how much waits."""
    started, go = threading.Event(), threading.Event()

    def block() -> None:
        started.set()
        assert go.wait(SOON)

    assert each.waiting() == 0
    if isinstance(each, EventThread):
        each.deliver(block)
        assert started.wait(SOON)
    for _ in range(3):
        each.put(lambda: None)
    assert each.waiting() == 3
    go.set()
    drain(each)
    assert each.waiting() == 0


def test_work_queued_by_work(each: Dispatcher) -> None:
    """A handler may queue more, which is done after what is queued already."""
    ran: List[str] = []

    def first() -> None:
        each.deliver(ran.append, "third")
        ran.append("first")

    each.deliver(first)
    each.deliver(ran.append, "second")
    drain(each)
    drain(each)
    assert ran == ["first", "second", "third"]


def test_done_callbacks(each: Dispatcher) -> None:
    """What add_done_callback adds to a command's Future runs where handlers run, though another
    thread completes it, and its exceptions are reported like theirs."""
    inside: List[bool] = []
    future = CommandFuture(each)
    future.add_done_callback(lambda _: inside.append(each.inside()))
    completing = threading.Thread(target=future.set_result, args=(1,))
    completing.start()
    completing.join(SOON)
    future.add_done_callback(lambda _: inside.append(each.inside()))
    drain(each)
    assert inside == [True, True]


@pytest.mark.parametrize("bound", [1, 3])
def test_bounded_backlog(reports: Reports, bound: int) -> None:
    """There is room as long as less waits than the bound, and whoever waits for room gets it
    when work is taken."""
    polled = PolledDispatcher(bound, reports)
    for number in range(bound):
        assert polled.wait_for_room(0, lambda: False)
        polled.put(lambda: None)
    assert not polled.wait_for_room(0, lambda: False)
    waiting, got = threading.Event(), []  # type: threading.Event, List[bool]

    def given_up() -> bool:
        waiting.set()
        return False

    waiter = threading.Thread(target=lambda: got.append(polled.wait_for_room(SOON, given_up)))
    waiter.start()
    assert waiting.wait(SOON)
    polled.poll(0)
    waiter.join(SOON)
    assert got == [True]


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns as often as can be."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.parametrize("threads", [1, 3])
def test_no_wake_is_lost(thread: EventThread, hasty: None, threads: int) -> None:
    """Work that comes just when there was no more is done, however often."""

    def put() -> bool:
        done = threading.Event()
        for _ in range(2000):
            done.clear()
            thread.put(done.set)
            if not done.wait(SOON):
                return False
        return True

    with ThreadPoolExecutor(threads) as pool:
        assert all([each.result() for each in [pool.submit(put) for _ in range(threads)]])


def test_no_end_is_lost(reports: Reports, hasty: None) -> None:
    """Work that comes just when the thread ends, because nobody holds it, is done by another."""
    dispatcher = EventThread("events", None, reports)
    done = threading.Event()
    for _ in range(2000):
        done.clear()
        dispatcher.put(done.set)
        assert done.wait(SOON)
    dispatcher.finish(SOON)


@pytest.mark.parametrize("bound", [1, 2])
def test_no_room_is_lost(reports: Reports, hasty: None, bound: int) -> None:
    """Who waits for room is woken, however often it comes just then."""
    dispatcher, done = EventThread("events", bound, reports), []  # type: EventThread, List[int]
    dispatcher.acquire()
    for number in range(5000):
        assert dispatcher.wait_for_room(SOON, lambda: False)
        dispatcher.put(functools.partial(done.append, number))
    dispatcher.release()
    dispatcher.finish(SOON)
    assert done == list(range(5000))


def test_no_poll_sleeps_on(reports: Reports, hasty: None) -> None:
    """A poll that waits is woken by work that comes just then."""
    polled = PolledDispatcher(None, reports)
    asked: "queue.Queue[Optional[Work]]" = queue.Queue()

    def serve() -> None:
        for work in iter(asked.get, None):
            polled.put(work)

    server = threading.Thread(target=serve)
    server.start()
    done: List[int] = []
    for number in range(2000):
        asked.put(functools.partial(done.append, number))
        assert polled.poll(SOON) == 1
    asked.put(None)
    server.join(SOON)
    assert done == list(range(2000))


def test_put_never_waits(reports: Reports) -> None:
    """A full backlog keeps nobody from queueing, for a callback may be owed by the very thread
    that works; nothing is dropped."""
    polled, ran = PolledDispatcher(1, reports), []  # type: PolledDispatcher, List[int]
    for number in range(100):
        polled.deliver(ran.append, number)
    assert polled.poll(0) == 100
    assert ran == list(range(100))


def test_no_bound(reports: Reports) -> None:
    """Without a bound there is always room."""
    polled = PolledDispatcher(None, reports)
    for _ in range(1000):
        polled.put(lambda: None)
    assert polled.wait_for_room(0, lambda: False)


def test_wait_for_room_given_up(reports: Reports) -> None:
    """A wait for room ends when it is given up: at once if it is already, or when woken."""
    polled = PolledDispatcher(1, reports)
    polled.put(lambda: None)
    assert polled.wait_for_room(SOON, lambda: True)
    waiting, stop = threading.Event(), threading.Event()
    got: List[bool] = []

    def given_up() -> bool:
        waiting.set()
        return stop.is_set()

    waiter = threading.Thread(target=lambda: got.append(polled.wait_for_room(SOON, given_up)))
    waiter.start()
    assert waiting.wait(SOON)
    stop.set()
    polled.wake()
    waiter.join(SOON)
    assert got == [True]


# The event thread.


def test_one_thread(thread: EventThread) -> None:
    """All handlers run on one thread, a daemon with a name."""
    seen: List[threading.Thread] = []
    for _ in range(10):
        thread.deliver(lambda: seen.append(threading.current_thread()))
    drain(thread)
    assert len(set(seen)) == 1
    assert (seen[0].name, seen[0].daemon) == ("events", True)
    assert seen[0] is not threading.current_thread()


def test_lives_while_held(reports: Reports) -> None:
    """The thread lives while it is held by anyone, though it has nothing to do, and ends when
    the last one lets it go."""
    dispatcher = EventThread("events", None, reports)
    seen: List[threading.Thread] = []
    dispatcher.acquire()
    dispatcher.acquire()
    dispatcher.deliver(lambda: seen.append(threading.current_thread()))
    drain(dispatcher)
    dispatcher.release()
    drain(dispatcher)
    dispatcher.deliver(lambda: seen.append(threading.current_thread()))
    drain(dispatcher)
    assert seen[0] is seen[1]
    assert seen[0].is_alive()
    dispatcher.release()
    dispatcher.finish(SOON)
    assert not seen[0].is_alive()


def test_no_thread_for_nothing(reports: Reports) -> None:
    """Who is never held and gets no work has no thread, and finishing him returns at once."""
    before = threading.active_count()
    dispatcher = EventThread("events", None, reports)
    assert threading.active_count() == before
    dispatcher.finish(SOON)


def test_held_without_work(reports: Reports) -> None:
    """Who was held and got no work is finished as well."""
    before = threading.active_count()
    dispatcher = EventThread("events", None, reports)
    dispatcher.acquire()
    dispatcher.release()
    dispatcher.finish(SOON)
    assert threading.active_count() == before


def test_work_after_release(reports: Reports) -> None:
    """Work that comes when nothing holds the thread is done all the same, by a thread that ends
    with it."""
    dispatcher = EventThread("events", None, reports)
    seen: List[threading.Thread] = []
    for _ in range(2):
        dispatcher.deliver(lambda: seen.append(threading.current_thread()))
        dispatcher.finish(SOON)
    assert len(seen) == 2
    assert not any(one.is_alive() for one in seen)


def test_no_thread_is_left_after_work_that_came_as_the_last_one_ended(reports: Reports) -> None:
    """Threads put work that nothing holds: a thread that found none would never end."""
    dispatcher = EventThread("events", None, reports)
    ran: List[int] = []
    start = threading.Barrier(3)

    def put() -> None:
        start.wait(SOON)
        for number in range(500):
            dispatcher.deliver(ran.append, number)

    # As one that has seen no thread, and comes when another has done the work.
    dispatcher._start_for_work()
    assert dispatcher._thread is None
    threads = [threading.Thread(target=put) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(SOON)
    dispatcher.finish(SOON)
    assert len(ran) == 1500 and dispatcher._thread is None


def test_release_does_what_is_queued(reports: Reports) -> None:
    """What is queued when the thread is let go is done before it ends."""
    dispatcher, go = EventThread("events", None, reports), threading.Event()
    ran: List[int] = []
    dispatcher.acquire()
    dispatcher.deliver(go.wait, SOON)
    for number in range(100):
        dispatcher.deliver(ran.append, number)
    dispatcher.release()
    go.set()
    dispatcher.finish(SOON)
    assert ran == list(range(100))


def test_finish_gives_up(reports: Reports) -> None:
    """Finishing waits no longer than it is told to for a handler that blocks."""
    dispatcher, go = EventThread("events", None, reports), threading.Event()
    started: List[threading.Thread] = []
    blocked = threading.Event()

    def block() -> None:
        started.append(threading.current_thread())
        blocked.set()
        go.wait(SOON)

    dispatcher.deliver(block)
    assert blocked.wait(SOON)
    dispatcher.finish(0.01)
    assert started[0].is_alive()
    go.set()
    dispatcher.finish(SOON)
    assert not started[0].is_alive()


def test_finish_gives_up_once(reports: Reports) -> None:
    """A handler that blocks is waited for no longer by two that finish in a row than by one; the
    next handler that blocks is waited for anew."""
    now = [100.0]
    dispatcher = EventThread("events", None, reports, lambda: now[0])
    blocked, go = [threading.Event(), threading.Event()], [threading.Event(), threading.Event()]

    def block(number: int) -> None:
        blocked[number].set()
        go[number].wait(4 * SOON)

    def finish(timeout: float) -> float:
        began = time.monotonic()
        dispatcher.finish(timeout)
        return time.monotonic() - began

    for number in (0, 1):
        dispatcher.deliver(block, number)
    assert blocked[0].wait(SOON)
    assert finish(0.01) >= 0.01
    now[0] += 2 * SOON
    assert finish(2 * SOON) < SOON
    go[0].set()
    assert blocked[1].wait(SOON)
    assert finish(0.1) >= 0.1
    go[1].set()
    finish(SOON)
    assert "events" not in [one.name for one in threading.enumerate()]


def test_finish_waits_for_a_thread_at_its_last_instructions(reports: Reports) -> None:
    """A thread that is done with its work and has not ended yet is waited for all the same."""
    last, release = threading.Event(), threading.Event()

    class Lingering(EventThread):
        def _run(self) -> None:
            super()._run()
            last.set()
            release.wait(SOON)

    dispatcher = Lingering("events", None, reports)
    dispatcher.acquire()
    dispatcher.release()
    assert last.wait(SOON)
    began = time.monotonic()
    dispatcher.finish(0.1)
    assert time.monotonic() - began >= 0.1
    release.set()
    dispatcher.finish(SOON)
    assert "events" not in {thread.name for thread in threading.enumerate()}


def test_work_without_a_size_takes_no_bytes_of_the_backlog(reports: Reports) -> None:
    """Neither does what makes the thread check whether it may end."""
    thread = EventThread("events", None, reports, max_bytes=1)
    polled = PolledDispatcher(None, reports, max_bytes=1)
    go = threading.Event()
    thread.acquire()
    thread.put(functools.partial(go.wait, SOON))
    try:
        for dispatcher in (thread, polled):
            dispatcher.put(print)
            assert dispatcher.put_if_running(str) == (dispatcher is thread)
            assert dispatcher.has_room()
    finally:
        thread.release()
        go.set()
    thread.finish(SOON)
    assert thread.has_room()


def test_work_for_a_running_thread_is_refused_where_there_is_none(reports: Reports) -> None:
    dispatcher, ran = EventThread("events", None, reports), []  # type: EventThread, List[int]
    assert dispatcher.put_if_running(lambda: ran.append(1)) is False
    dispatcher.acquire()
    assert dispatcher.put_if_running(lambda: ran.append(2)) is True
    with PretendedFork() as fork:
        fork()
        # The child has the object but not the thread.
        assert dispatcher.put_if_running(lambda: ran.append(3)) is False
    dispatcher.release()
    dispatcher.finish(SOON)
    assert ran == [2] and dispatcher.waiting() == 0


def test_thread_that_cannot_be_held_leaves_nothing_in_the_queue(
    reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    dispatcher = EventThread("events", None, reports)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError):
        dispatcher.acquire()
    assert dispatcher.waiting() == 0


class Hooked:
    """A section that first does what another thread may do just then, once."""

    def __init__(self, section: Any, first: Callable[[], object]) -> None:
        self._section, self._first = section, [first]
        self.run = section.run

    def call(self, work: Callable[[], Any]) -> Any:
        if self._first:
            self._first.pop()()
        return self._section.call(work)


def test_thread_that_is_held_again_as_it_is_about_to_end_goes_on(reports: Reports) -> None:
    dispatcher, seen = EventThread("events", None, reports), []  # type: EventThread, List[Any]
    held = threading.Event()

    def hold() -> None:
        dispatcher._life = life
        dispatcher.acquire()
        held.set()

    life = dispatcher._life
    dispatcher._life = Hooked(life, hold)  # type: ignore[assignment]
    for _ in range(2):
        dispatcher.put(lambda: seen.append(threading.current_thread()))
        assert held.wait(SOON)
        drain(dispatcher)
    assert dispatcher._thread is seen[0] and seen[1] is seen[0]
    dispatcher.release()
    dispatcher.finish(SOON)
    assert not any(each.is_alive() for each in seen)


def test_work_that_comes_as_the_thread_is_about_to_end_runs_on_it(reports: Reports) -> None:
    dispatcher, seen = EventThread("events", None, reports), []  # type: EventThread, List[Any]
    done = threading.Event()

    def see() -> None:
        seen.append(threading.current_thread())
        if len(seen) == 2:
            done.set()

    dispatcher._life = Hooked(dispatcher._life, lambda: dispatcher.put(see))  # type: ignore
    dispatcher.put(see)
    assert done.wait(SOON)
    dispatcher.finish(SOON)
    assert seen[0] is seen[1] and not seen[0].is_alive()


def test_work_that_comes_as_the_queueing_thread_has_done_all_is_done_too(
    reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no thread can be started, the other thread leaves its work to this one."""
    dispatcher, ran = EventThread("events", None, reports), []  # type: EventThread, List[int]

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    def take_now() -> Any:
        taken = take()
        if taken is None and len(ran) == 1:
            dispatcher.deliver(ran.append, 2)
        return taken

    take = dispatcher._backlog.take_now
    monkeypatch.setattr(threading.Thread, "start", refuse)
    monkeypatch.setattr(dispatcher._backlog, "take_now", take_now)
    dispatcher.deliver(ran.append, 1)
    assert ran == [1, 2]


def test_thread_of_a_forked_child_does_no_later_work(reports: Reports) -> None:
    """The parent does it."""
    dispatcher, ran = EventThread("events", None, reports), []  # type: EventThread, List[int]
    threads: List[threading.Thread] = []
    go = threading.Event()

    def handler() -> None:
        threads.append(threading.current_thread())
        go.wait(SOON)
        fork()

    with PretendedFork() as fork:
        dispatcher.put(handler)
        dispatcher.put(lambda: ran.append(1))
        eventually(lambda: threads)
        go.set()
        threads[0].join(SOON)
        assert not threads[0].is_alive() and ran == []
    assert reports.errors == []


def test_finish_inside(thread: EventThread) -> None:
    """Finishing inside a handler does not wait for itself."""
    ran: List[int] = []

    def handler() -> None:
        thread.finish(SOON)
        ran.append(1)

    thread.deliver(handler)
    drain(thread)
    assert ran == [1]


@pytest.mark.parametrize("first", ["hold", "put"])
def test_a_thread_that_cannot_start(
    reports: Reports, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """When the system has no thread to give, whoever wants to hold one is told so, and what is
    queued is done by the thread that queues it."""
    dispatcher, ran = EventThread("events", None, reports), []  # type: EventThread, List[int]
    start = threading.Thread.start
    refusals = [1]

    def refuse_once(self: threading.Thread) -> None:
        if self.name == "events" and refusals:
            refusals.pop()
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(threading.Thread, "start", refuse_once)
    if first == "hold":
        with pytest.raises(RuntimeError):
            dispatcher.acquire()
    else:
        dispatcher.deliver(ran.append, 1)
        assert ran == [1]
    done = threading.Event()
    dispatcher.deliver(ran.append, 2)
    dispatcher.put(done.set)
    assert done.wait(1)
    dispatcher.finish(1)
    assert ran[-1] == 2
    assert "events" not in [thread.name for thread in threading.enumerate()]


def test_sys_exit_where_no_thread_can_start(
    reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It leaves the thread that queues, and what waits behind it is done with the next work."""
    dispatcher, ran = EventThread("events", None, reports), []  # type: EventThread, List[str]

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    def leave() -> None:
        dispatcher.deliver(ran.append, "behind")
        raise SystemExit(3)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(SystemExit):
        dispatcher.deliver(leave)
    assert ran == []
    dispatcher.deliver(ran.append, "next")
    assert ran == ["behind", "next"]


@pytest.mark.parametrize("kind", [EventThread, ExternalDispatcher])
def test_poll_is_for_manual(reports: Reports, kind: Callable[..., Dispatcher]) -> None:
    """Polling anything but a polled dispatcher raises, and says for what it is."""
    arguments = (print,) if kind is ExternalDispatcher else ()
    with pytest.raises(RuntimeError, match=r'^poll\(\) is for CTI\(dispatch="manual"\)$'):
        kind(*arguments, "events", None, reports).poll(0)


# By hand.


def test_poll(reports: Reports) -> None:
    """A poll does what is there, in the caller's thread, and says how much."""
    polled = PolledDispatcher(None, reports)
    seen: List[threading.Thread] = []
    assert polled.poll(0) == 0
    for _ in range(3):
        polled.deliver(lambda: seen.append(threading.current_thread()))
    assert seen == []
    assert polled.poll(0) == 3
    assert seen == [threading.current_thread()] * 3
    assert polled.poll(-1) == 0


def test_poll_leaves_what_comes_meanwhile(reports: Reports) -> None:
    """What handlers queue is for the next poll, so that a window's own events get their turn."""
    polled = PolledDispatcher(None, reports)

    def again() -> None:
        polled.deliver(again)

    polled.deliver(again)
    assert [polled.poll(0) for _ in range(3)] == [1, 1, 1]


def test_poll_waits_for_the_first(reports: Reports) -> None:
    """A poll with a time-out waits for work from another thread, and no longer than for the
    first."""
    polled, ran = PolledDispatcher(None, reports), []  # type: PolledDispatcher, List[int]
    worker = threading.Thread(target=lambda: polled.deliver(ran.append, 1))
    worker.start()
    assert polled.poll(SOON) == 1
    assert ran == [1]
    worker.join(SOON)


def test_poll_inside_a_handler(reports: Reports) -> None:
    """A poll inside a handler, as in a window's loop of its own, does nothing: the handlers stay
    one at a time, and what is due comes with the poll that is under way, or the next."""
    polled = PolledDispatcher(None, reports)
    counts: List[int] = []
    polled.deliver(lambda: counts.append(polled.poll(0)))
    polled.deliver(lambda: counts.append(-1))
    assert polled.poll(0) == 2
    assert counts == [0, -1] and reports.errors == []


def test_two_polls_at_once(reports: Reports) -> None:
    """So does a poll while another thread's poll does work."""
    polled, started, go = PolledDispatcher(None, reports), threading.Event(), threading.Event()

    def block() -> None:
        started.set()
        assert go.wait(SOON)

    polled.deliver(block)
    polled.deliver(block)
    other = threading.Thread(target=polled.poll, args=(0,))
    other.start()
    assert started.wait(SOON)
    assert polled.poll(0) == 0
    go.set()
    other.join(SOON)
    assert polled.poll(0) == 0


def test_endless_poll(reports: Reports) -> None:
    """A poll may be told to wait for ever, however that is written."""
    for timeout in (float("inf"), 1e300):
        polled = PolledDispatcher(None, reports)
        waiting = threading.Thread(target=polled.poll, args=(timeout,))
        waiting.start()
        polled.deliver(lambda: None)
        waiting.join(SOON)
        assert not waiting.is_alive()


def test_poll_counts_what_it_has_run_if_others_take_work_too(reports: Reports) -> None:
    dispatcher, ran = PolledDispatcher(None, reports), []  # type: PolledDispatcher, List[int]
    dispatcher.put(dispatcher._backlog.take_now)
    dispatcher.put(lambda: ran.append(1))
    assert dispatcher.poll(0) == 1 and ran == []


def test_handler_in_poll_may_wait_for_other_threads(reports: Reports) -> None:
    """It interrupts nothing that another thread may need."""
    dispatcher, seen = PolledDispatcher(None, reports), []  # type: PolledDispatcher, List[bool]
    dispatcher.put(lambda: seen.append(interrupts_itself()))
    dispatcher.poll(0)
    assert seen == [False]


def test_polled_work_is_refused_where_no_thread_is_there_to_run_it(reports: Reports) -> None:
    dispatcher = PolledDispatcher(None, reports)
    assert dispatcher.put_if_running(print) is False and dispatcher.waiting() == 0


@pytest.mark.parametrize("reserve", [0, 1])
def test_command_lifts_the_bound_by_a_reserve_until_its_reply(
    reports: Reports, monkeypatch: pytest.MonkeyPatch, reserve: int
) -> None:
    monkeypatch.setattr("keyyo_cti._client.backlog._RESERVE_EVENTS", reserve)
    dispatcher = PolledDispatcher(1, reports)
    dispatcher.put(lambda: None)
    assert not dispatcher.has_room()
    dispatcher.expect("command")
    assert dispatcher.has_room() is bool(reserve)
    dispatcher.answered("command")
    assert not dispatcher.has_room()


def test_command_of_a_handler_lifts_the_bound_until_it_returns(
    reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyyo_cti._client.backlog._RESERVE_EVENTS", 0)
    dispatcher = PolledDispatcher(1, reports, max_bytes=10)
    seen: List[Tuple[bool, bool]] = []

    def ask() -> None:
        dispatcher.put(lambda: None, 39)
        dispatcher.expect("command")
        seen.append((dispatcher.has_room(), dispatcher.overflows()))
        dispatcher.put(lambda: None, 1)
        seen.append((dispatcher.has_room(), dispatcher.overflows()))

    dispatcher.put(ask)
    dispatcher.poll(0)
    seen.append((dispatcher.has_room(), dispatcher.overflows()))
    assert seen == [(True, False), (False, True), (False, False)]
    dispatcher.answered("command")
    dispatcher.poll(0)
    assert dispatcher.has_room()


def test_waiting_for_an_answer_lifts_the_bound(reports: Reports) -> None:
    """While a handler waits for the answer to a command there is room for what comes before it,
    and after that the bound is as before."""
    thread = EventThread("events", 1, reports)
    thread.acquire()
    answer, asked = CommandFuture(thread), threading.Event()
    rooms: List[bool] = []

    def ask() -> None:
        asked.set()
        assert answer.result(SOON) == 1

    thread.deliver(ask)
    assert asked.wait(SOON)
    thread.put(lambda: None)
    rooms.append(thread.wait_for_room(SOON, lambda: False))
    answer.set_result(1)
    thread.release()
    thread.finish(SOON)
    assert rooms == [True] and reports.errors == []
    CommandFuture(thread).set_result(1)
    polled = PolledDispatcher(1, reports)
    polled.put(lambda: None)
    answer = CommandFuture(polled)
    answer.set_result(1)
    assert answer.result() == 1 and not polled.wait_for_room(0, lambda: False)


def test_wait_of_a_handler_for_an_answer_wakes_the_reader(reports: Reports) -> None:
    """The answer may be the next to be read. Afterwards the bound holds again."""
    polled, seen = PolledDispatcher(1, reports), []  # type: PolledDispatcher, List[bool]

    def handler() -> None:
        # Meanwhile the reader sees that taking this work made no room.
        assert reader.waits()
        with polled.waiting_in_handler():
            seen.append(bool(reader.result()) and reader.seconds < SOON)
        seen.append(polled.has_room())

    polled.put(handler)
    polled.put(print)
    # The handler itself is taken from the queue.
    polled.put(print)
    reader = Background(polled.wait_for_room, 3 * SOON, lambda: False)
    eventually(lambda: polled._room.waiters)
    polled.poll(0)
    assert seen == [True, False] and reports.errors == []


def test_wait_outside_handlers_lifts_no_bound(reports: Reports) -> None:
    polled = PolledDispatcher(1, reports)
    polled.put(print)
    with polled.waiting_in_handler():
        assert not polled.has_room()


# What is called.


def test_call_says_whether_the_code_has_run(reports: Reports) -> None:
    def refuse(work: Work) -> None:
        raise OSError

    said: List[bool] = []
    polled = PolledDispatcher(None, reports)
    polled.put(lambda: said.append(polled.call(str)))
    polled.poll(0)
    external = ExternalDispatcher(refuse, "events", None, reports)
    external.put(lambda: said.append(external.call(str)))
    external.finish(SOON)
    assert said == [True, False]


def test_callback_that_runs_is_named_as_one(reports: Reports) -> None:
    polled, events = PolledDispatcher(None, reports), []  # type: PolledDispatcher, List[str]

    def see() -> None:
        running = polled.running()
        assert running is not None
        events.append(running.event)

    polled.deliver(see)
    polled.poll(0)
    slowest = polled.slowest(monotonic())
    assert events == ["callback"] and slowest is not None and slowest.event == "callback"
    assert Running(see, 0.0).event == "callback"


def test_command_of_work_that_the_program_did_not_take_is_not_kept(reports: Reports) -> None:
    def refuse(work: Work) -> None:
        raise OSError

    external = ExternalDispatcher(refuse, "events", None, reports)
    external.put(lambda: external.expect(object()))
    external.finish(SOON)
    assert SDK_ONLY == []


@pytest.mark.parametrize("fails", [False, True])
def test_handler_that_forks_does_nothing_more_in_the_child(
    reports: Reports, caplog: pytest.LogCaptureFixture, fails: bool
) -> None:
    """Neither is its exception reported there, nor are later handlers called."""
    polled, ran = PolledDispatcher(None, reports), []  # type: PolledDispatcher, List[int]

    def handler() -> None:
        fork()
        if fails:
            raise OSError

    def work() -> None:
        polled.call(handler)
        ran.append(1)

    polled.put(work)
    with PretendedFork() as fork, pytest.raises(process.OtherProcess):
        polled.poll(0)
    assert ran == [] and reports.errors == [] and errors(caplog) == []


def test_reporting_lasts_until_the_outermost_is_over(reports: Reports) -> None:
    polled, outermost = PolledDispatcher(None, reports), []  # type: PolledDispatcher, List[bool]
    with polled.reporting() as first:
        outermost.append(first)
        for _ in range(2):
            with polled.reporting() as inner:
                outermost.append(inner)
    with polled.reporting() as last:
        outermost.append(last)
    assert outermost == [True, False, False, True]


def test_settle_does_not_wait_for_the_work_that_settles(reports: Reports) -> None:
    polled, took = PolledDispatcher(None, reports), []  # type: PolledDispatcher, List[float]

    def settle() -> None:
        began = monotonic()
        polled.settle(2 * SOON)
        took.append(monotonic() - began)

    polled.put(settle)
    polled.poll(0)
    settle()
    assert max(took) < SOON


def test_settle_waits_for_all_work_on_other_threads_and_for_no_later(reports: Reports) -> None:
    """Two threads of the program run work that they were handed."""
    handed: "queue.Queue[Work]" = queue.Queue()
    external = ExternalDispatcher(handed.put, "events", None, reports)
    begun = [threading.Event() for _ in range(3)]
    go = [threading.Event() for _ in range(3)]

    def block(number: int) -> None:
        begun[number].set()
        go[number].wait(3 * SOON)

    for number in range(3):
        external.deliver(block, number)
    running = []
    for number in range(2):
        running.append(Background(handed.get(timeout=SOON)))
        assert begun[number].wait(SOON)
    settling = Background(external.settle, 3 * SOON)
    eventually(lambda: external._work_ended.waiters)
    running.append(Background(handed.get(timeout=SOON)))
    assert begun[2].wait(SOON)
    go[0].set()
    running[0].result()
    assert settling.waits()
    go[1].set()
    settling.result()
    assert settling.seconds < SOON
    go[2].set()
    for each in running:
        each.result()
    external.finish(SOON)


# A function of the user's.


def test_runs_in_the_loop(loop: Loop, reports: Reports) -> None:
    """Work runs where the user's function has it run; nothing of ours is left when it is let
    go."""
    external, seen = ExternalDispatcher(loop, "events", None, reports), []  # type: Any, List[Any]
    external.acquire()
    for _ in range(5):
        external.deliver(lambda: seen.append(threading.current_thread()))
    drain(external)
    external.release()
    external.finish(SOON)
    assert seen == [loop.thread] * 5
    assert "events" not in [one.name for one in threading.enumerate()]


def test_hand_over_that_raises(reports: Reports, caplog: pytest.LogCaptureFixture) -> None:
    """A function that raises is logged with its name and its traceback each time; the next piece
    is handed over all the same."""
    handed: List[Work] = []
    fails = [True, False, True]

    def bad_hand_over(work: Work) -> None:
        if fails.pop(0):
            raise RuntimeError("main thread is not in main loop")
        handed.append(work)

    external = ExternalDispatcher(bad_hand_over, "events", 1, reports)
    ran: List[int] = []
    for number in range(3):
        external.deliver(ran.append, number)
    external.finish(SOON)
    for work in handed:
        work()
    assert ran == [1]
    assert ["bad_hand_over" in record.getMessage() for record in errors(caplog)] == [True, True]
    assert "main thread is not in main loop" in caplog.text
    assert reports.errors == []


def test_what_is_handed_over_is_bounded(reports: Reports) -> None:
    """A loop that does nothing is handed no more than the bound, and the rest when it goes
    on."""
    handed: "queue.Queue[Work]" = queue.Queue()
    external = ExternalDispatcher(handed.put, "events", 2, reports)
    ran: List[int] = []
    external.acquire()
    for number in range(6):
        external.deliver(ran.append, number)
    works = [handed.get(timeout=SOON) for _ in range(2)]
    for expected in range(2, 6):
        works.pop(0)()
        works.append(handed.get(timeout=SOON))
        assert handed.empty()
    for work in works:
        work()
    external.release()
    external.finish(SOON)
    assert ran == list(range(6))


def test_a_loop_that_has_stopped(reports: Reports) -> None:
    """Once nothing holds it any more, all is handed over at once, so that a loop that has
    stopped keeps no thread."""
    handed: List[Work] = []
    external = ExternalDispatcher(handed.append, "events", 1, reports)
    external.acquire()
    for _ in range(5):
        external.put(lambda: None)
    external.release()
    external.finish(SOON)
    assert len(handed) == 5
    assert "events" not in [one.name for one in threading.enumerate()]


def test_inline_and_then_raises(reports: Reports) -> None:
    """A function that runs the work and raises only then does not upset the count of what is
    handed over and not done."""
    handed: "queue.Queue[Work]" = queue.Queue()

    def hand_over(work: Work) -> None:
        if first:
            first.clear()
            work()
            raise RuntimeError("too late")
        handed.put(work)

    first, ran = [True], []  # type: List[bool], List[int]
    external = ExternalDispatcher(hand_over, "events", 1, reports)
    external.acquire()
    for number in range(3):
        external.deliver(ran.append, number)
    work = handed.get(timeout=SOON)
    with pytest.raises(queue.Empty):
        handed.get(timeout=0.1)
    work()
    handed.get(timeout=SOON)()
    external.release()
    external.finish(SOON)
    assert ran == [0, 1, 2]


def test_bytes_of_what_is_handed_over_count_until_the_loop_has_run_it(reports: Reports) -> None:
    """Then the reader goes on."""
    handed: "queue.Queue[Work]" = queue.Queue()
    external = ExternalDispatcher(handed.put, "events", None, reports, max_bytes=1)
    external.acquire()
    external.put(print, size=1)
    work = handed.get(timeout=SOON)
    reader = Background(external.wait_for_room, 4 * SOON, lambda: False)
    eventually(lambda: external._room.waiters)
    assert not external.has_room()
    work()
    assert external.has_room() and reader.result() and reader.seconds < SOON
    external.release()
    external.finish(SOON)


def test_release_hands_over_the_rest_at_once(reports: Reports) -> None:
    """Otherwise a loop that has stopped would keep the thread alive."""
    handed: List[Work] = []
    external = ExternalDispatcher(handed.append, "events", 1, reports)
    external.acquire()
    for _ in range(3):
        external.put(print)
    eventually(lambda: external._done.waiters)
    assert len(handed) == 1
    external.release()
    external.finish(SOON)
    assert len(handed) == 3
    assert "events" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize("wrong", ["thread", 1, b"manual"])
def test_option_that_is_none_of_the_kinds_is_refused(reports: Reports, wrong: Any) -> None:
    with pytest.raises(TypeError, match='^dispatch: expected None, "manual" or a function$'):
        make_dispatcher(wrong, "events", None, reports)


def test_coroutine_function_is_refused_by_the_name_of_the_option(reports: Reports) -> None:
    async def hand_over(work: Work) -> None: ...

    with pytest.raises(TypeError, match="^dispatch: "):
        make_dispatcher(hand_over, "events", None, reports)


def test_only_work_is_handed_over(reports: Reports) -> None:
    """Not what makes the thread check whether it may end."""
    handed: List[Work] = []
    external = ExternalDispatcher(handed.append, "events", None, reports)
    external.acquire()
    external.put(print)
    external.release()
    external.finish(SOON)
    assert len(handed) == 1


def test_room_for_the_reader_is_seen_before_the_loop_has_run_anything(reports: Reports) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def hand_over(work: Work) -> None:
        entered.set()
        go_on.wait(SOON)

    external = ExternalDispatcher(hand_over, "events", 2, reports)
    external.acquire()
    external.put(print)
    assert entered.wait(SOON)
    for _ in range(2):
        external.put(print)
    reader = Background(external.wait_for_room, 4 * SOON, lambda: False)
    eventually(lambda: external._room.waiters)
    go_on.set()
    assert reader.result() and reader.seconds < SOON
    external.release()
    external.finish(SOON)


def test_function_that_forks_and_raises_is_not_reported_in_the_child(
    reports: Reports, caplog: pytest.LogCaptureFixture
) -> None:
    threads: List[threading.Thread] = []

    def hand_over(work: Work) -> None:
        threads.append(threading.current_thread())
        fork()
        raise OSError

    external = ExternalDispatcher(hand_over, "events", None, reports)
    with PretendedFork() as fork:
        external.put(print)
        eventually(lambda: threads)
        threads[0].join(SOON)
        assert not threads[0].is_alive()
    assert errors(caplog) == [] and reports.errors == []


def test_a_loop_inside_a_handler(reports: Reports) -> None:
    """A handler may run its window's loop, as a message box does, in which later work is done;
    the rest of its own work goes on after it."""
    handed: "queue.Queue[Work]" = queue.Queue()
    external = ExternalDispatcher(handed.put, "events", None, reports)
    ran: List[Any] = []

    def message_box() -> None:
        ran.append("box opens")
        handed.get(timeout=SOON)()
        ran.append(("box closes", external.inside()))

    def event() -> None:
        external.call(message_box)
        external.call(ran.append, ("next handler of the same event",))

    external.put(event)
    external.deliver(ran.append, "later event")
    handed.get(timeout=SOON)()
    external.finish(SOON)
    assert ran == [
        "box opens",
        "later event",
        ("box closes", True),
        "next handler of the same event",
    ]
    assert not external.inside()


# Names.


class Callable_:
    def __call__(self) -> None:
        pass

    def method(self) -> None:
        pass


@pytest.mark.parametrize(
    "function, name",
    [
        (drain, "drain (" + __file__),
        (functools.partial(functools.partial(drain)), "drain (" + __file__),
        (Callable_().method, "Callable_.method (" + __file__),
        (Callable_(), "Callable_"),
        (Callable_, "Callable_"),
        (print, "print"),
        ([].append, "list.append"),
    ],
)
def test_name_of(function: Callable[..., Any], name: str) -> None:
    """A function is named as a person would look for it, with its place where it has one."""
    assert name_of(function).startswith(name)


@pytest.mark.parametrize("kind", ["thread", "function"])
def test_event_thread_keeps_nothing_of_work_that_is_done(reports: Reports, kind: str) -> None:
    """The next event of a quiet line may come hours later."""

    class Window:
        pass

    window = Window()
    kept = weakref.ref(window)
    dispatcher: EventThread = EventThread("events", None, reports)
    if kind == "function":
        dispatcher = ExternalDispatcher(lambda work: work(), "events", None, reports)
    done = threading.Event()
    dispatcher.acquire()
    dispatcher.deliver(lambda window: done.set(), window)
    del window
    assert done.wait(SOON)
    eventually(lambda: kept() is None)
    dispatcher.release()
    dispatcher.finish(SOON)
