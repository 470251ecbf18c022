"""Work that blocks, done elsewhere, with its answer where callbacks run."""

from __future__ import annotations

import queue
import threading
from functools import partial
from typing import Any, List, Optional, Tuple

import pytest

from keyyo_cti import KeyyoError
from keyyo_cti._client.background import Background
from keyyo_cti._client.dispatch import Work
from keyyo_cti._net import process

SOON = 20.0

Answer = Tuple[Optional[KeyyoError], Any]


def threads(name: str) -> List[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith(name)]


@pytest.fixture
def background() -> Background:
    return Background("background")


@pytest.fixture
def answers() -> "queue.Queue[Answer]":
    return queue.Queue()


def test_result(background: Background, answers: "queue.Queue[Answer]") -> None:
    """What work returns is in the Future, and goes to the callback."""
    future = background.ask(lambda: 5, lambda *answer: answers.put(answer))
    assert future.result(SOON) == 5
    assert answers.get(timeout=SOON) == (None, 5)
    assert background.ask(lambda: []).result(SOON) == []
    background.finish(SOON)


def test_error(background: Background, answers: "queue.Queue[Answer]") -> None:
    """The KeyyoError that it raises is the error."""
    error = KeyyoError(404, "no")

    def fail() -> None:
        raise error

    future = background.ask(fail, lambda *answer: answers.put(answer))
    assert future.exception(SOON) is error
    assert answers.get(timeout=SOON) == (error, None)
    background.finish(SOON)


@pytest.mark.parametrize("failure", [ZeroDivisionError("oops"), SystemExit(3)])
def test_fault(
    background: Background, caplog: pytest.LogCaptureFixture, failure: BaseException
) -> None:
    """Whatever else it raises is logged, and an answer is owed all the same."""

    def fail() -> None:
        raise failure

    error = background.ask(fail).exception(SOON)
    assert isinstance(error, KeyyoError)
    assert (error.status_code, error.error_code) == (500, "internal")
    assert error.__cause__ is failure
    assert type(failure).__name__ in caplog.text
    assert background.ask(lambda: 5).result(SOON) == 5
    background.finish(SOON)


def test_future_first(background: Background) -> None:
    """When the callback runs, its Future is completed already, and what was added to the Future
    runs in the same thread."""
    names: "queue.Queue[str]" = queue.Queue()
    asked = threading.Event()

    def work() -> int:
        assert asked.wait(SOON)
        return 5

    def callback(error: Optional[KeyyoError], result: Any) -> None:
        assert future.result(0) == result
        names.put(threading.current_thread().name)

    future = background.ask(work, callback)
    future.add_done_callback(lambda done: names.put(threading.current_thread().name))
    asked.set()
    assert [names.get(timeout=SOON) for _ in range(2)] == ["background-events"] * 2
    background.finish(SOON)


def test_in_order(background: Background) -> None:
    """Work is done one after the other, and answered in that order."""
    got: List[int] = []
    for number in range(50):
        background.ask(partial(int, number), lambda error, result: got.append(result))
    assert background.wait(SOON)
    assert got == list(range(50))
    background.finish(SOON)


def test_threads_while_there_is_work(background: Background) -> None:
    """Threads live while there is work, and no longer."""
    assert threads("background") == []
    go_on = threading.Event()
    background.ask(lambda: go_on.wait(SOON))
    assert sorted(threads("background")) == ["background", "background-events"]
    go_on.set()
    background.finish(SOON)
    assert threads("background") == []
    assert background.ask(lambda: 5).result(SOON) == 5
    background.finish(SOON)
    assert threads("background") == []


def test_callback_that_raises(background: Background, caplog: pytest.LogCaptureFixture) -> None:
    """An exception in a callback is logged, and stops nothing."""

    def fail(error: object, result: object) -> None:
        raise ZeroDivisionError("in the callback")

    background.ask(lambda: 5, fail)
    assert background.wait(SOON)
    assert "in the callback" in caplog.text
    assert background.ask(lambda: 6).result(SOON) == 6
    background.finish(SOON)


def test_wait(background: Background) -> None:
    """Waiting ends when everything is answered, or the time is up."""
    assert background.wait(0)
    go_on = threading.Event()
    background.ask(lambda: go_on.wait(SOON))
    assert not background.wait(0.01)
    go_on.set()
    assert background.wait()
    background.finish(SOON)


def test_waiting_in_a_callback(background: Background) -> None:
    """Waiting in a callback would never end, and is refused; finishing there waits for nobody."""
    raised: List[BaseException] = []

    def callback(error: object, result: object) -> None:
        background.finish(SOON)
        with pytest.raises(RuntimeError, match="wait for itself") as caught:
            background.wait()
        raised.append(caught.value)

    background.ask(lambda: 5, callback)
    assert background.wait(SOON)
    assert len(raised) == 1
    background.finish(SOON)


def test_finishing_in_the_work(background: Background) -> None:
    """Nor does work wait for its own thread."""

    def work() -> int:
        background.finish(SOON)
        return 5

    assert background.ask(work).result(SOON) == 5
    background.finish(SOON)


def test_finish_in_time(background: Background) -> None:
    """Finishing ends when its time is up, and what is under way goes on."""
    go_on = threading.Event()
    future = background.ask(lambda: go_on.wait(SOON))
    background.finish(0.01)
    assert not future.done()
    go_on.set()
    background.finish(SOON)
    assert future.done()


# Where callbacks run.


def test_manual() -> None:
    """With "manual" callbacks run in poll() or wait(), in that thread."""
    background = Background("background", "manual")
    names: List[str] = []

    def callback(error: object, result: object) -> None:
        names.append(threading.current_thread().name)

    background.ask(lambda: 5, callback)
    assert background.poll(SOON) == 1
    background.ask(lambda: 5, callback)
    assert background.wait()
    assert names == [threading.current_thread().name] * 2
    go_on = threading.Event()
    background.ask(lambda: go_on.wait(SOON), callback)
    assert not background.wait(0.01)
    go_on.set()
    assert background.wait(SOON)
    background.finish(SOON)


def test_foreign() -> None:
    """With a function, it is handed each piece of work."""
    handed: "queue.Queue[Work]" = queue.Queue()
    background = Background("background", handed.put)
    got: List[int] = []
    background.ask(lambda: 5, lambda error, result: got.append(result))
    work = handed.get(timeout=SOON)
    assert got == []
    work()
    assert got == [5]
    background.finish(SOON)


@pytest.mark.parametrize("dispatch", ["thread", 5])
def test_dispatch(dispatch: Any) -> None:
    """Anything else is a mistake."""
    with pytest.raises(TypeError, match="dispatch"):
        Background("background", dispatch)


def test_poll_without_manual(background: Background) -> None:
    """Polling makes sense with "manual" only."""
    with pytest.raises(RuntimeError, match="manual"):
        background.poll(0)


# What cannot be asked.


def test_not_a_callback(background: Background) -> None:
    """What cannot be called is a TypeError, and no thread is started."""
    with pytest.raises(TypeError, match="callback: expected a function or None, got int"):
        background.ask(lambda: 5, 5)  # type: ignore[arg-type]
    assert threads("background") == []


def test_after_fork(background: Background, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a forked process, whose threads are gone, it says so instead of hanging."""
    monkeypatch.setattr(process, "_forks", 1)
    with pytest.raises(RuntimeError, match="after fork"):
        background.ask(lambda: 5)


def test_no_thread_to_be_had(background: Background, monkeypatch: pytest.MonkeyPatch) -> None:
    """When no thread can be started, the callback comes all the same, and the next is not stuck
    behind."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "background":
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        answers: "queue.Queue[Any]" = queue.Queue()
        future = background.ask(lambda: 5, lambda err, res: answers.put((err, res)))
        error = future.exception(SOON)
        assert "No thread can be started" in str(error)
        assert answers.get(timeout=SOON) == (error, None)
    assert background.wait(0)
    assert background.ask(lambda: 6).result(SOON) == 6
    background.finish(SOON)
