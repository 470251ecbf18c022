"""Commands that wait: each is completed exactly once, in order."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import inspect
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from concurrent.futures import as_completed
from concurrent.futures import wait as wait_for
from typing import Any, Callable, ContextManager, Iterator, List, Optional, Tuple

import pytest

from keyyo_cti._client.pending import CommandFuture, Pending, Request
from keyyo_cti._client.wire import dial
from keyyo_cti._net import process
from keyyo_cti._net.clock import NEVER, monotonic
from keyyo_cti._net.reentrant import new_lock
from keyyo_cti.errors import (
    CommandTimeout,
    ConnectionClosed,
    KeyyoError,
    from_server,
    invalid_params,
)

from ...helpers.background import SOON, Hand


class FakeDispatcher:
    """Stands for the event thread: calls at once."""

    def deliver(self, function: Callable[..., object], *arguments: Any) -> None:
        function(*arguments)

    def waiting_in_handler(self) -> ContextManager[None]:
        return contextlib.nullcontext()

    def answered(self, request: object) -> None:
        """Nothing: it counts no commands."""


class Delivered(FakeDispatcher):
    """Keeps what it is to call."""

    def __init__(self) -> None:
        self.calls: List[Tuple[Callable[..., object], Tuple[Any, ...]]] = []
        self.replied: List[object] = []

    def deliver(self, function: Callable[..., object], *arguments: Any) -> None:
        self.calls.append((function, arguments))

    def answered(self, request: object) -> None:
        self.replied.append(request)

    def run(self) -> None:
        calls, self.calls = self.calls, []
        for function, arguments in calls:
            function(*arguments)


def request(callback: Optional[Callable[..., object]] = None) -> Request:
    return Request(dial("33"), FakeDispatcher(), callback)


# A request.


def test_success() -> None:
    """A result completes the Future, and then the callback is called with it and no error."""
    seen: List[Any] = []
    asked = request(lambda *answer: seen.append((answer, asked.future.result(0))))
    asked.complete(None, 1)
    assert seen == [((None, 1), 1)]


def test_failure() -> None:
    """An error is raised by the Future, and is the callback's first argument."""
    seen: List[Any] = []
    asked, error = request(lambda *answer: seen.append(answer)), KeyyoError(400, "no")
    asked.complete(error, None)
    assert asked.future.exception(0) is error
    assert seen == [(error, None)]


def test_failure_of_a_command_with_a_number_says_how_to_write_it() -> None:
    """The error of the Future and of the callback has the hint, in the format of the line."""
    seen: List[Any] = []
    asked = Request(dial("01 99 02 00 00"), FakeDispatcher(), lambda *answer: seen.append(answer))
    asked.line = "33199000001"
    asked.complete(from_server({"status_code": 400, "message": "RPC invalid params"}), None)
    error = asked.future.exception(0)
    assert isinstance(error, KeyyoError) and error.hint is not None
    assert "number: write '33199020000', because the service wants digits only" in error.hint
    assert seen == [(error, None)]


def test_future_before_callback() -> None:
    """The Future is completed before the callback is even queued."""
    delivered = Delivered()
    asked = Request(dial("33"), delivered, print)
    asked.complete(None, 1)
    assert asked.future.result(0) == 1
    assert delivered.calls == [(print, (None, 1))]
    assert delivered.replied == [asked]


def test_no_callback() -> None:
    """Without a callback nothing is queued."""
    delivered = Delivered()
    Request(dial("33"), delivered).complete(None, 1)
    assert delivered.calls == []


def test_never_twice() -> None:
    """To complete a request again is loud, calls nobody, and changes nothing."""
    seen: List[Any] = []
    asked = request(lambda *answer: seen.append(answer))
    asked.complete(None, 1)
    for again in ((None, 2), (KeyyoError(400, "no"), None)):
        with pytest.raises(concurrent.futures.InvalidStateError):
            asked.complete(*again)
    assert asked.future.result(0) == 1
    assert seen == [(None, 1)]


def test_what_was_asked() -> None:
    """A request keeps what was asked, and how an answer is to be treated; so far nothing of it
    has left, and it opens no session unless somebody says so."""

    def react(*_: Any) -> None: ...

    command = dial("33")
    asked = Request(command, FakeDispatcher(), print, react)
    assert (asked.command, asked.callback, asked.react) == (command, print, react)
    assert Request(command, FakeDispatcher()).react is None
    assert asked.progress.begun is False and asked.opens_session is False


def test_the_desk_knows_who_waits() -> None:
    """While somebody waits for an answer, the desk knows, so that it can go on with its other
    work; by default he waits for as long as it takes."""
    attended: List[str] = []

    class Attending(FakeDispatcher):
        @contextlib.contextmanager
        def waiting_in_handler(self) -> Iterator[None]:
            attended.append("waits")
            asked.complete(None, 1)
            yield
            attended.append("has it")

    for name in ("result", "exception"):
        asked = Request(dial("33"), Attending())
        wait = getattr(asked.future, name)
        wait()
        assert attended == ["waits", "has it"]
        wait()
        assert attended == ["waits", "has it"], "nobody waits for what is there"
        attended.clear()
        assert inspect.signature(wait).parameters["timeout"].default is None


@pytest.mark.parametrize("error", [None, invalid_params("number", "expected another")])
def test_several_wait_for_one_answer(error: Optional[KeyyoError]) -> None:
    """All who wait for an answer are woken by it, whichever way they wait."""
    asked = request()
    ways: List[Callable[[], object]] = [
        lambda: asked.future.exception(SOON),
        lambda: asked.future.exception(),
        lambda: wait_for([asked.future], SOON).done,
        lambda: next(as_completed([asked.future], SOON)),
    ]
    with ThreadPoolExecutor(len(ways)) as pool:
        waiting = [pool.submit(way) for way in ways]
        asked.complete(error, None if error else 1)
        answers = [each.result(SOON) for each in waiting]
    assert answers == [error, error, {asked.future}, asked.future]


@pytest.mark.parametrize("error", [None, invalid_params("number", "expected another")])
def test_reply_just_before_two_waits_begin_ends_both_at_once(
    error: Optional[KeyyoError], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request()
    # A wait reads the clock for its deadline, then just before it blocks.
    steps: List[Callable[[], object]] = [
        lambda: None,
        lambda: asked.future.exception(SOON),
        lambda: None,
        lambda: asked.complete(error, None if error else 1),
    ]

    def now() -> float:
        steps.pop(0)()
        return 0.0

    monkeypatch.setattr(f"{CommandFuture.__module__}.monotonic", now)
    monkeypatch.setattr(f"{CommandFuture.__module__}._FIRST_WAIT", SOON)
    began = monotonic()
    assert asked.future.exception(SOON) is error
    assert monotonic() - began < SOON


def test_wait_in_a_forked_child_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = request()
    monkeypatch.setattr(process, "_forks", process.current() + 1)
    with pytest.raises(process.OtherProcess):
        asked.future.result(0)


def test_function_of_asyncio_that_raises_runs_again_where_callbacks_run() -> None:
    delivered = Delivered()
    asked = Request(dial("33"), delivered)

    def fail(_: object) -> None:
        raise RuntimeError("the loop is closed")

    fail.__module__ = "asyncio.futures"
    asked.future.add_done_callback(fail)
    asked.complete(None, 1)
    assert delivered.calls == [(fail, (asked.future,))]


def test_wait_in_a_signal_handler_that_interrupts_the_sdk_is_refused() -> None:
    with new_lock(), pytest.raises(RuntimeError, match="interrupted the SDK"):
        request().future.result(SOON)


@pytest.mark.parametrize("timeout", [0, -1, 0.01])
def test_wait_that_is_too_short(timeout: float) -> None:
    """Who does not wait for long enough gets a time-out, and the answer later."""
    asked = request()
    for wait in (asked.future.result, asked.future.exception):
        with pytest.raises(FutureTimeout):
            wait(timeout)
    asked.complete(None, 1)
    assert asked.future.result(timeout) == 1


def test_wait_of_any_length() -> None:
    """A time-out may be longer than any that the system knows."""
    asked = request()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(asked.future.result, 1e300)
        asked.complete(None, 1)
        assert waiting.result(SOON) == 1


def test_cannot_be_cancelled() -> None:
    """What is on the wire cannot be taken back."""
    asked = request()
    assert asked.future.running()
    assert not asked.future.cancel()
    asked.complete(None, 1)
    assert asked.future.result(0) == 1


def test_done_callbacks_run_where_callbacks_run() -> None:
    """What add_done_callback adds is queued like a callback, before the answer and after it."""
    delivered, seen = Delivered(), []  # type: Delivered, List[Any]
    asked = Request(dial("33"), delivered)
    asked.future.add_done_callback(seen.append)
    asked.complete(None, 1)
    asked.future.add_done_callback(seen.append)
    assert seen == []
    delivered.run()
    assert seen == [asked.future, asked.future]


def test_waiting_for_many() -> None:
    """concurrent.futures.wait and as_completed work with a command's Future."""
    first, second = request(), request()
    second.complete(None, 2)
    done, waiting = concurrent.futures.wait([first.future, second.future], timeout=0)
    assert (done, waiting) == ({second.future}, {first.future})
    first.complete(None, 1)
    ready = concurrent.futures.as_completed([first.future, second.future], timeout=1)
    assert {future.result() for future in ready} == {1, 2}


def test_asyncio() -> None:
    """A coroutine can await a command by asyncio.wrap_future."""

    async def main() -> Any:
        asked = request()
        wrapped = asyncio.wrap_future(asked.future)
        thread = threading.Thread(target=asked.complete, args=(None, 1))
        thread.start()
        try:
            return await asyncio.wait_for(wrapped, 5)
        finally:
            thread.join(5)

    assert asyncio.run(main()) == 1


# The table.


def test_ids() -> None:
    """Each request has an id of its own, from 1 on, also when others are gone."""
    pending = Pending(30, Hand())
    assert [pending.add(request()) for _ in range(3)] == [1, 2, 3]
    pending.take(3)
    assert pending.add(request()) == 4


def test_take() -> None:
    """A request can be taken once; an id that nobody waits for is None."""
    pending, asked = Pending(30, Hand()), request()
    number = pending.add(asked)
    assert number is not None
    assert pending.any() is True
    assert pending.take(number) is asked
    assert pending.any() is False
    assert pending.take(number) is None
    for unknown in (0, -1, 2, 10**30):
        assert pending.take(unknown) is None


def test_round_trip_of_an_answered_request_is_the_time_since_it_was_asked() -> None:
    """Requests that time out, and those that the end of the connection completes, have none."""
    clock = Hand()
    pending = Pending(30, clock)
    for _ in range(3):
        pending.add(request())
    clock.time += 2.5
    pending.take(1)
    assert pending.round_trip is None
    assert pending.take_answered(2) is not None and pending.round_trip == 2.5
    clock.time += 30
    assert pending.take_answered(2) is None
    assert len(pending.take_late(clock())) == 1 and pending.round_trip == 2.5


def test_known() -> None:
    """An id is known once it was given out, for ever, and no other is."""
    pending = Pending(30, Hand())
    assert not pending.was_issued(1)
    pending.add(request())
    pending.take(1)
    assert [pending.was_issued(number) for number in (-1, 0, 1, 2)] == [False, False, True, False]


def test_late() -> None:
    """Those whose deadline has come are taken, in the order they were asked, and once."""
    clock = Hand()
    pending = Pending(30, clock)
    asked = [request() for _ in range(4)]
    for one in asked:
        pending.add(one)
        clock.time += 10
    pending.take(2)
    assert [one.deadline for one in asked] == [130, 140, 150, 160]
    assert pending.take_late(129.9) == []
    assert pending.take_late(150) == [asked[0], asked[2]]
    assert pending.take_late(150) == []
    assert pending.take(1) is None
    assert pending.take_late(1000) == [asked[3]]


def test_due() -> None:
    """The table wants to be looked at when the first is late, and at the latest after a
    time-out, in which whatever comes meanwhile cannot be late."""
    clock = Hand()
    pending = Pending(30, clock)
    assert pending.due() == 130
    clock.time = 110
    assert pending.due() == 140
    pending.add(request())
    clock.time = 115
    pending.add(request())
    assert pending.due() == 140
    pending.take(1)
    assert pending.due() == 145
    clock.time = 200
    assert pending.due() == 145
    pending.take_late(200)
    assert pending.due() == 230


def test_deadline_is_counted_from_the_asking() -> None:
    """A request has no deadline before it is in the table."""
    asked = request()
    assert asked.deadline == NEVER
    Pending(30, Hand()).add(asked)
    assert asked.deadline == 130


def test_close() -> None:
    """Closing gives all, in the order they were asked, once; then nothing is added."""
    pending = Pending(30, Hand())
    asked = [request() for _ in range(5)]
    for one in asked:
        pending.add(one)
    pending.take(3)
    assert pending.close() == [asked[0], asked[1], asked[3], asked[4]]
    assert pending.close() == []
    late = request()
    assert pending.add(late) is None
    assert not late.future.done()
    assert pending.take(1) is None
    assert pending.take_late(10_000) == []
    assert pending.was_issued(5)


def test_request_that_is_added_while_the_table_closes_is_given_back_once() -> None:
    given: List[Request] = []

    def now() -> float:
        given.extend(pending.close())
        return 0.0

    pending = Pending(30, now)
    assert pending.add(request()) is None
    assert given == [] == pending.close()


def test_table_entered_again_in_the_midst_of_a_look_gives_each_once() -> None:
    """As a signal handler does that interrupts its own thread there."""
    pending = Pending(30, Hand())
    asked = [request() for _ in range(3)]
    for one in asked:
        pending.add(one)
    taken: List[Optional[Request]] = []
    added = request()

    class Now(float):
        def __ge__(self, other: float) -> bool:
            if not taken:
                taken.append(pending.take(2))
                pending.add(added)
                pending.due()
                taken.extend(pending.take_late(130))
            return super().__ge__(other)

    assert pending.take_late(Now(1000)) == []
    assert taken == [asked[1], asked[0], asked[2], added]
    assert pending.close() == []


class Race:
    """Threads that ask, and threads that race for what was asked."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.pending = Pending(1000, Hand())
        self.asked: List[Request] = []
        self.refused: List[Request] = []
        self.callbacks: List[int] = []
        self.loud: List[BaseException] = []
        self.many = threading.Event()

    def run(self) -> None:
        work = [self.ask] * 2 + [self.reply] * 3 + [self.late] + [self.close] * 2
        barrier = threading.Barrier(len(work))

        def one(number: int) -> None:
            try:
                barrier.wait(5)
                work[number](random.Random(self.seed * 100 + number))
            except BaseException as problem:
                self.loud.append(problem)

        threads = [threading.Thread(target=one, args=(number,)) for number in range(len(work))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

    def ask(self, _: random.Random) -> None:
        for _turn in range(300):
            one = Request(dial("33"), FakeDispatcher(), lambda *__: self.callbacks.append(1))
            self.asked.append(one)
            if self.pending.add(one) is None:
                self.refused.append(one)
            if len(self.asked) >= 400:
                self.many.set()

    def reply(self, chance: random.Random) -> None:
        for _ in range(2000):
            taken = self.pending.take(chance.randrange(1, 601))
            if taken is not None:
                taken.complete(None, 1)

    def late(self, _: random.Random) -> None:
        for now in range(0, 1200, 10):
            for taken in self.pending.take_late(now):
                taken.complete(CommandTimeout("call", 1), None)

    def close(self, _: random.Random) -> None:
        assert self.many.wait(5)
        self.pending.due()
        for taken in self.pending.close():
            taken.complete(ConnectionClosed(True), None)


@pytest.mark.promise(1)
@pytest.mark.parametrize("seed", range(5))
def test_exactly_once(seed: int) -> None:
    """While threads ask, and replies, deadlines and the end race for the same requests, each
    request is completed exactly once, and each callback called once."""
    race = Race(seed)
    race.run()
    assert not race.loud
    assert len(race.asked) == 600
    done = [one for one in race.asked if one.future.done()]
    assert len(done) == len(race.callbacks) == 600 - len(race.refused)
    assert not any(one.future.done() for one in race.refused)
