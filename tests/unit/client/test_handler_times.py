"""The slowest handler of the last day, by clocks that are set by hand."""

from __future__ import annotations

import gc
import threading
import weakref
from functools import partial
from typing import Any, List, Optional

import pytest

from keyyo_cti._client.dispatch import EventThread, ExternalDispatcher, PolledDispatcher, Work
from keyyo_cti._client.dispatcher import Dispatcher
from keyyo_cti._client.handler_times import HandlerTimes

HOUR, DAY = 3600.0, 86_400.0


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def works() -> List[Work]:
    """What a loop of the program has been handed."""
    return []


@pytest.fixture(params=["manual", "external"])
def dispatcher(request: pytest.FixtureRequest, clock: Clock, works: List[Work]) -> Dispatcher:
    each: Dispatcher = PolledDispatcher(None, print, clock)
    if request.param == "external":
        each = ExternalDispatcher(lambda work: work(), "events", None, print, clock)
    each._times = HandlerTimes(clock)
    return each


def run(dispatcher: Dispatcher, clock: Clock, seconds: float, event: str = "newCall") -> None:
    """Runs a handler that takes that long."""

    def handler() -> None:
        clock.now += seconds

    dispatcher.put(partial(dispatcher.call, handler, event=event))
    finish(dispatcher)


def finish(dispatcher: Dispatcher) -> None:
    if isinstance(dispatcher, PolledDispatcher):
        dispatcher.poll(0)
    else:
        dispatcher.finish(20.0)


def slowest(dispatcher: Dispatcher, clock: Clock) -> Any:
    return dispatcher.slowest(clock.now)


def test_slowest_of_none_is_none(dispatcher: Dispatcher, clock: Clock) -> None:
    assert slowest(dispatcher, clock) is None


def test_slowest_is_the_longest_of_the_hour(dispatcher: Dispatcher, clock: Clock) -> None:
    for seconds, event in ((1.0, "setup"), (3.0, "newCall"), (2.0, "release"), (3.0, "missed")):
        run(dispatcher, clock, seconds, event)
    found = slowest(dispatcher, clock)
    assert (found.event, found.seconds, found.running) == ("newCall", 3.0, False)
    assert "run.<locals>.handler (" in found.function
    assert found.ended_at == 104.0


def test_slowest_is_that_of_the_last_day(dispatcher: Dispatcher, clock: Clock) -> None:
    """When it is a day old, the next slowest of the hours after it takes its place."""
    run(dispatcher, clock, 9.0)
    first = clock.now
    for hour in range(1, 23):
        clock.now = first + hour * HOUR + 1
        run(dispatcher, clock, 5.0 - hour / 10)
    assert len(dispatcher._times._hours) <= 24
    clock.now = first + DAY - 1
    assert slowest(dispatcher, clock).seconds == 9.0
    clock.now = first + DAY
    assert slowest(dispatcher, clock).seconds == pytest.approx(4.9)
    clock.now = first + 2 * DAY
    assert slowest(dispatcher, clock) is None
    run(dispatcher, clock, 0.0)
    assert slowest(dispatcher, clock).seconds == 0.0


def test_hour_ends_before_the_call_that_ends_with_it(
    dispatcher: Dispatcher, clock: Clock
) -> None:
    run(dispatcher, clock, 9.0)
    first = clock.now
    clock.now = first + HOUR - 1
    run(dispatcher, clock, 1.0)
    clock.now = first + DAY
    assert slowest(dispatcher, clock).seconds == 1.0


def test_slowest_of_months_takes_bounded_memory(dispatcher: Dispatcher, clock: Clock) -> None:
    for number in range(500):
        clock.now += HOUR / 3
        run(dispatcher, clock, float(number % 7))
        assert len(dispatcher._times._hours) <= 26


def test_slowest_after_a_sleep_of_the_machine_keeps_no_hour_twice() -> None:
    """The dispatcher's clock stands still while the machine sleeps, that of the day does not."""
    real = Clock()
    times = HandlerTimes(real)
    times.record("newCall", print, 0.0, 5.0)
    real.now += 2 * DAY
    assert times.slowest(real.now) is None
    times.record("newCall", print, 10.0, 16.0)
    found = times.slowest(real.now)
    assert found is not None and found.seconds == 6.0 and len(times._hours) == 1


def test_slowest_that_raises_counts(dispatcher: Dispatcher, clock: Clock) -> None:
    def bad() -> None:
        clock.now += 2.0
        raise ValueError

    dispatcher.deliver(bad)
    finish(dispatcher)
    assert (slowest(dispatcher, clock).event, slowest(dispatcher, clock).seconds) == (
        "callback", 2.0
    )


def test_slowest_that_still_runs_is_shown_unless_one_took_longer(
    dispatcher: Dispatcher, clock: Clock
) -> None:
    run(dispatcher, clock, 3.0)
    seen: List[Any] = []

    def handler() -> None:
        for _ in range(3):
            clock.now += 1.5
            seen.append(slowest(dispatcher, clock))

    dispatcher.put(partial(dispatcher.call, handler, event="setup"))
    finish(dispatcher)
    assert [each.seconds for each in seen] == [3.0, 3.0, 4.5]
    assert [each.running for each in seen] == [False, False, True]
    assert slowest(dispatcher, clock)[:3:2] == ("setup", 4.5)


def test_slowest_keeps_no_object_of_the_program(dispatcher: Dispatcher, clock: Clock) -> None:
    class Window:
        def on_call(self) -> None:
            clock.now += 1.0

    window = Window()
    gone = weakref.ref(window)
    dispatcher.deliver(window.on_call)
    finish(dispatcher)
    del window
    gc.collect()
    assert gone() is None
    assert "Window.on_call" in slowest(dispatcher, clock).function


class Proxy:
    """An object that raises for any attribute, as proxies of remote objects may."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("no connection")

    def __call__(self) -> Optional[int]:
        return None


def test_handler_without_a_name_costs_no_event(dispatcher: Dispatcher, clock: Clock) -> None:
    ran: List[int] = []
    dispatcher.deliver(Proxy())
    dispatcher.deliver(ran.append, 1)
    finish(dispatcher)
    assert ran == [1]


@pytest.mark.parametrize("count", [0, 3])
def test_backlog_of_a_loop_counts_what_it_has_not_begun(count: int) -> None:
    works: List[Work] = []
    handed = threading.Semaphore(0)

    def hand_over(work: Work) -> None:
        works.append(work)
        handed.release()

    external = ExternalDispatcher(hand_over, "events", None, print)
    backlogs: List[int] = []
    for _ in range(count):
        external.deliver(lambda: backlogs.append(external.count_backlog()))
    for _ in range(count):
        assert handed.acquire(timeout=20.0)
    assert external.count_backlog() == count
    for work in list(works):
        work()
    assert backlogs == list(reversed(range(count))) and external.count_backlog() == 0
    external.finish(20.0)


def test_backlog_of_the_event_thread_is_what_waits() -> None:
    thread = EventThread("events", None, print)
    entered, release = threading.Event(), threading.Event()

    def block() -> None:
        entered.set()
        release.wait(20.0)

    thread.deliver(block)
    assert entered.wait(20.0)
    thread.deliver(print)
    assert thread.count_backlog() == 1
    release.set()
    thread.finish(20.0)
    assert thread.count_backlog() == 0


def test_slowest_that_raises_has_not_the_time_of_the_handler_of_error(clock: Clock) -> None:
    seen: List[Any] = []

    def bad() -> None:
        clock.now += 1.0
        raise ValueError

    def on_error(error: BaseException) -> None:
        clock.now += 5.0
        seen.append(slowest(polled, clock))

    def report(error: BaseException) -> object:
        return polled.call(on_error, (error,), "error")

    polled: Dispatcher = PolledDispatcher(None, report, clock)
    polled._times = HandlerTimes(clock)
    polled.put(partial(polled.call, bad, event="newCall"))
    polled.poll(0)
    seen.append(slowest(polled, clock))
    assert [(each.event, each.seconds, each.running) for each in seen] == [
        ("error", 5.0, True), ("error", 5.0, False)
    ]


def test_slowest_of_a_handler_with_a_loop_of_its_own_is_that_handler(
    clock: Clock, works: List[Work]
) -> None:
    seen: List[Any] = []

    def outer() -> None:
        clock.now += 3.0
        external._do(partial(external.call, lambda: seen.append(slowest(external, clock))), [])

    external = ExternalDispatcher(works.append, "events", None, print, clock)
    external._times = HandlerTimes(clock)
    external._do(partial(external.call, outer, event="newCall"), [])
    assert [(each.event, each.seconds, each.running) for each in seen] == [("newCall", 3.0, True)]


def test_slowest_of_two_threads_is_not_running_after_both_have_returned(clock: Clock) -> None:
    """A pool of threads may run work, and the first to begin is the first to end."""
    external = ExternalDispatcher(print, "events", None, print, clock)
    external._times = HandlerTimes(clock)
    began = [threading.Event() for _ in range(2)]
    ends = [threading.Event() for _ in range(2)]

    def block(number: int) -> None:
        began[number].set()
        assert ends[number].wait(20.0)

    threads = []
    for number in range(2):
        work = partial(external.call, block, (number,))
        threads.append(threading.Thread(target=external._do, args=(work, [])))
        threads[number].start()
        assert began[number].wait(20.0)
    for number in range(2):
        ends[number].set()
        threads[number].join(20.0)
    assert external.running() is None and not slowest(external, clock).running
