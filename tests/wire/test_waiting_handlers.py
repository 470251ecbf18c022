"""A handler that waits for an answer gets it, though the backlog is full, however it waits."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Callable, Dict, Iterator, List

import pytest

from keyyo_cti import CTI, Call, ConnectionClosed, KeyyoError
from keyyo_cti._client.backlog import WAITING_FACTOR, Backlog

from ..helpers.probe import PATIENCE, Record, eventually
from ..helpers.scripted_server import ScriptedServer, session
from .test_handlers import notification

#: More than may wait.
EVENTS = 20


def by_wait(cti: CTI) -> Any:
    done, _ = concurrent.futures.wait([cti.ping()], PATIENCE)
    return [future.result(0) for future in done][0]


def by_wait_for_all(cti: CTI) -> Any:
    done, left = concurrent.futures.wait([cti.ping() for _ in range(3)], PATIENCE)
    return int(len(done) == 3 and not left)


def by_as_completed(cti: CTI) -> Any:
    return next(concurrent.futures.as_completed([cti.ping()], PATIENCE)).result(0)


def by_asyncio(cti: CTI) -> Any:
    async def ask() -> Any:
        return await asyncio.wait_for(asyncio.wrap_future(cti.ping()), PATIENCE)

    return asyncio.run(ask())


def by_asyncio_gather(cti: CTI) -> Any:
    async def ask() -> Any:
        answers = [asyncio.wrap_future(cti.ping()) for _ in range(2)]
        return (await asyncio.wait_for(asyncio.gather(*answers), PATIENCE))[-1]

    return asyncio.run(ask())


def by_loop_of_another_thread(cti: CTI) -> Any:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def ask() -> Any:
        return await asyncio.wrap_future(cti.ping())

    try:
        return asyncio.run_coroutine_threadsafe(ask(), loop).result(PATIENCE)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


def by_looking(cti: CTI) -> Any:
    answer, pause, until = cti.ping(), threading.Event(), time.monotonic() + PATIENCE
    while not answer.done() and time.monotonic() < until:
        pause.wait(0.001)
    return answer.result(0)


def by_thread(cti: CTI) -> Any:
    answers: List[Any] = []
    thread = threading.Thread(target=lambda: answers.append(cti.ping().result(PATIENCE)))
    thread.start()
    thread.join(PATIENCE)
    return answers[0]


def by_pool(cti: CTI) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: cti.ping().result(PATIENCE)).result(PATIENCE)


def by_event_of_a_thread(cti: CTI) -> Any:
    answered = threading.Event()

    def ask() -> None:
        concurrent.futures.wait([cti.ping()], PATIENCE)
        answered.set()

    thread = threading.Thread(target=ask)
    thread.start()
    there = answered.wait(PATIENCE)
    thread.join(PATIENCE)
    return int(there)


def by_result(cti: CTI) -> Any:
    return cti.ping().result(PATIENCE)


def by_exception(cti: CTI) -> Any:
    return int(cti.ping().exception(PATIENCE) is None)


WAYS: Dict[str, Callable[[CTI], Any]] = {
    name: way for name, way in globals().items() if name.startswith("by_")
}


@pytest.mark.fault(41)
@pytest.mark.promise(4)
@pytest.mark.parametrize("dispatch", [None, "manual"], ids=["event thread", "polled"])
@pytest.mark.parametrize("way", WAYS)
def test_full_backlog_while_a_handler_waits_gives_the_answer(way: str, dispatch: Any) -> None:
    """Whatever way a handler waits, the answer comes from behind more events than may wait."""
    options: Dict[str, Any] = {"max_backlog": 1, "timeout": 3.0, "dispatch": dispatch}
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint, **options) as cti:
        answers, pushed = Record(), threading.Event()

        def ask(call: Call) -> None:
            assert pushed.wait(PATIENCE)
            answers.add(WAYS[way](cti))

        cti.onError = answers.add
        cti.onNewCall = ask
        cti.create_session("tok").result(PATIENCE)
        server.push(*[notification(str(n)) for n in range(EVENTS)])
        pushed.set()
        if dispatch == "manual":
            while len(answers.items) < EVENTS:
                assert cti.poll(PATIENCE)
        assert answers.wait_for_count(EVENTS) == [1] * EVENTS


@pytest.mark.fault(41)
def test_full_backlog_while_a_handler_waits_for_an_older_command() -> None:
    """A handler may wait for what was asked before it ran, too."""
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint, max_backlog=1) as cti:
        asked: "Future[Any]" = Future()
        done = Record()

        def wait(call: Call) -> None:
            done.add(len(concurrent.futures.wait([asked.result(PATIENCE)], PATIENCE).done))

        cti.create_session("tok").result(PATIENCE)
        cti.onNewCall = wait
        server.push(*[notification(str(n)) for n in range(EVENTS)])
        asked.set_result(cti.ping())
        assert done.wait_for_count(EVENTS) == [1] * EVENTS


@pytest.mark.fault(41)
def test_full_backlog_without_poll_gives_the_answer_to_a_command() -> None:
    """With manual dispatch, a program that waits in the thread that polls gets its answer."""
    options: Dict[str, Any] = {"max_backlog": 1, "dispatch": "manual", "timeout": 3.0}
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint, **options) as cti:
        cti.create_session("tok").result(PATIENCE)
        server.push(*[notification(str(n)) for n in range(EVENTS)])
        assert cti.ping().result(PATIENCE) == 1
        assert len(cti.get_calls()) == EVENTS


@pytest.mark.fault(83)
@pytest.mark.parametrize("inside", [True, False])
def test_backlog_overflows_only_while_a_handler_waits(inside: bool) -> None:
    """Without a handler that waits, reading stops at the bound, and the events can go."""
    backlog = Backlog(None, 100)
    if inside:
        backlog.expect("a", asked_inside=True)
    else:
        backlog.waiting_handlers["handler"] = None
    for _ in range(WAITING_FACTOR * 100):
        assert backlog.has_room() and not backlog.overflows()
        backlog.put(print, 1)
    assert not backlog.has_room() and backlog.overflows()
    backlog.answered("a")
    backlog.waiting_handlers.clear()
    assert not backlog.has_room() and not backlog.overflows()


@contextlib.contextmanager
def handlers_run(cti: CTI, dispatch: Any) -> Iterator[None]:
    """Polls in a thread, if that is for the program."""
    over = threading.Event()

    def poll() -> None:
        while not over.is_set():
            cti.poll(0.05)

    poller = threading.Thread(target=poll)
    if dispatch == "manual":
        poller.start()
    yield
    over.set()
    if dispatch == "manual":
        poller.join(PATIENCE)


@pytest.mark.fault(83)
@pytest.mark.parametrize("dispatch", [None, "manual"], ids=["event thread", "polled"])
@pytest.mark.parametrize("way", ["by_result", "by_exception", "by_wait", "by_asyncio"])
@pytest.mark.usefixtures("transport")
def test_events_behind_a_handler_that_waits_in_vain_end_the_connection(
    way: str, dispatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The server answers nothing and sends events without end: at the limit the handler gets the
    end of the connection, one warning says why, and what was received is handled."""
    asked, outcome, received = threading.Event(), Record(), Record()
    most = 100_000

    def answer(connection: Any, command: Any) -> None:
        if command["action"] == "ping":
            asked.set()
        else:
            session(connection, command)

    options: Dict[str, Any] = {
        "max_backlog": 1, "max_backlog_bytes": most, "dispatch": dispatch, "ping_auto": False,
    }
    with ScriptedServer(answer) as server, CTI(
        endpoint=server.endpoint, **options
    ) as cti, contextlib.ExitStack() as stack:

        def ask(call: Call) -> None:
            received.add(call.callref)
            if call.callref == "first":
                try:
                    outcome.add(WAYS[way](cti))
                except KeyyoError as error:
                    outcome.add(error)

        cti.onNewCall = ask
        cti.create_session("tok").result(PATIENCE)
        stack.enter_context(handlers_run(cti, dispatch))
        server.push(notification("first"))
        assert asked.wait(PATIENCE)
        for number in range(0, 1000, 10):
            server.push(*[notification(str(each)) for each in range(number, number + 10)])
        (error,) = outcome.wait_for_count(1)
        assert error == 0 if way == "by_exception" else isinstance(error, ConnectionClosed)
        eventually(lambda: not cti.connected)
        count = len(cti.get_calls())
        received.wait_for_count(count)
        assert received.items == ["first", *map(str, range(count - 1))]
        # A notification counts as a KiB.
        assert WAITING_FACTOR * most / 1024 < count < WAITING_FACTOR * most / 1024 + 3
    warnings = [each for each in caplog.records if "max_backlog_bytes" in each.getMessage()]
    assert len(warnings) == 1


def test_backlog_has_room_again_when_a_handler_has_ended() -> None:
    """The bound is raised while a command of the running handler has no answer, and as before
    once it is answered or the handler has returned."""
    backlog = Backlog(1)
    backlog.put(print, 1)
    assert not backlog.has_room()
    ends: List[Callable[[], None]] = [
        lambda: backlog.answered("a"), lambda: backlog.handler_ended(["a"]),
    ]
    for end in ends:
        backlog.expect("a", asked_inside=True)
        for _ in range(200_000):
            backlog.put(print, 1)
        assert backlog.has_room()
        end()
        assert not backlog.has_room()


def test_backlog_reserve_for_other_threads_is_bounded() -> None:
    """For a command of another thread there is a reserve, of events and of bytes."""
    for size in (1, 10_000):
        backlog = Backlog(1, 100)
        backlog.expect("a", asked_inside=False)
        count = 0
        while backlog.has_room():
            backlog.put(print, size)
            count += 1
        assert count == min(100_001, 64 * 1024 * 1024 // size + 1)
        backlog.answered("a")
        assert not backlog.has_room()


def test_backlog_counts_bytes() -> None:
    """What waits is bounded in bytes; each is counted until it is released."""
    backlog = Backlog(None, 100)
    backlog.put(print, 60)
    assert backlog.has_room()
    backlog.put(print, 60)
    assert not backlog.has_room()
    assert backlog.take() == (print, 60) and not backlog.has_room()
    backlog.release(60)
    assert backlog.has_room() and backlog.waiting() == 1
