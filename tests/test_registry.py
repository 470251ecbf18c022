"""The registry of calls, beside a model of it."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any, Callable, Dict, List, Optional, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyyo_cti.call import Call
from keyyo_cti.callback import Callback
from keyyo_cti.commands import Command
from keyyo_cti.registry import Registry
from keyyo_cti.retelling import CHANGE, NEWS, REPEAT

STATES = ["SETUP", "CONNECT", "RELEASE", "MISSED", "OTHER", None, ["RELEASE"]]


class NoLine:
    """A line that is asked nothing."""

    def ask(
        self, make: Callable[..., Command], arguments: Any, callback: Optional[Callback]
    ) -> "Future[Any]":
        raise AssertionError

    def server_time(self) -> float:
        return 1_700_000_000.0


LINE = NoLine()


def make(callref: str) -> Call:
    return Call(LINE, callref)


class Model:
    """The same as a list: slow, and plain."""

    def __init__(self, max_ended: Optional[int]) -> None:
        self.max_ended = max_ended
        self.calls: List[Tuple[str, Any]] = []

    def update(self, callref: str, state: Any) -> None:
        self.calls = [pair for pair in self.calls if pair[0] != callref]
        self.calls.append((callref, state))
        ended = [pair for pair in self.calls if pair[1] in ("RELEASE", "MISSED")]
        if self.max_ended is not None:
            for pair in ended[: max(0, len(ended) - self.max_ended)]:
                self.calls.remove(pair)


@settings(deadline=None, derandomize=True, database=None, max_examples=60)
@given(
    st.none() | st.integers(0, 4),
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(STATES)), max_size=60),
)
def test_model(max_ended: Optional[int], updates: List[Tuple[str, Any]]) -> None:
    """Calls are in the order of their last notification; of the ended ones the last so many are
    kept, and one that goes on is never forgotten."""
    registry, model = Registry(make, max_ended), Model(max_ended)
    known: Dict[str, Call] = {}
    for callref, state in updates:
        call, what = registry.update(callref, {"callref": callref, "state": state})
        assert what == NEWS
        model.update(callref, state)
        assert (call.callref, call.state) == (callref, state)
        assert known.get(callref, call) is call
        assert [(kept.callref, kept.state) for kept in registry.all()] == model.calls
        known = {kept.callref: kept for kept in registry.all()}
        for name in "abcdefgh":
            assert registry.get(name) is known.get(name)


def test_the_same_object() -> None:
    """A call is one object for as long as it is known."""
    registry = Registry(make, None)
    call = registry.update("r", {"state": "SETUP"}).call
    assert registry.update("r", {"state": "RELEASE"}).call is call is registry.get("r")


def test_forgotten() -> None:
    """A call that was forgotten and comes again is a new one."""
    registry = Registry(make, 0)
    call = registry.update("r", {"state": "RELEASE"}).call
    assert registry.get("r") is None
    assert registry.update("r", {"state": "SETUP"}).call is not call


def test_unknown() -> None:
    """A call that is not known is None."""
    assert Registry(make, None).get("r") is None


def test_the_list_is_the_callers() -> None:
    """The list of calls is the caller's own, and does not change under his feet."""
    registry = Registry(make, None)
    registry.update("r", {})
    seen = registry.all()
    registry.update("s", {})
    assert len(seen) == 1
    seen.clear()
    assert len(registry.all()) == 2


@pytest.mark.parametrize("max_ended", [None, 10])
def test_read_while_written(max_ended: Optional[int]) -> None:
    """Other threads read whole states while one writes."""
    registry = Registry(make, max_ended)
    done = threading.Event()
    problems: List[BaseException] = []

    def read() -> None:
        try:
            while not done.is_set():
                refs = [call.callref for call in registry.all()]
                assert len(refs) == len(set(refs))
                registry.get("r3")
        except BaseException as problem:
            problems.append(problem)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(2000):
        state = "RELEASE" if number % 3 else "SETUP"
        registry.update(f"r{number % 40}", {"state": state})
    done.set()
    for reader in readers:
        reader.join(5)
    assert not problems


SETUP = {"state": "SETUP", "setup_date": 1}
CONNECT = {"state": "CONNECT", "setup_date": 1}
PARKED = {**CONNECT, "callpark_slot": "1"}
RELEASE = {"state": "RELEASE", "setup_date": 1}


def test_stale() -> None:
    """After a gap, a call that went on is stale until it is told of again; one that has ended
    is not, and neither is a new one."""
    registry = Registry(make, None, True)
    goes_on, over = registry.update("a", CONNECT).call, registry.update("b", RELEASE).call
    assert not goes_on.stale
    registry.mark_gap()
    assert (goes_on.stale, over.stale) == (True, False)
    assert registry.update("c", SETUP).call.stale is False
    assert registry.update("a", CONNECT).what == REPEAT
    assert not goes_on.stale
    registry.mark_gap()
    assert goes_on.stale and registry.update("a", RELEASE).what == NEWS
    assert not goes_on.stale


def test_told_again_after_a_gap() -> None:
    """What is told again of a call that was known before a gap changes nothing but its place."""
    registry = Registry(make, None, True)
    call = registry.update("a", CONNECT).call
    registry.mark_gap()
    registry.update("b", SETUP)
    assert registry.update("a", SETUP) == (call, REPEAT)
    assert (call.state, registry.all()[-1]) == ("CONNECT", call)
    assert registry.update("a", PARKED) == (call, CHANGE)
    assert call.callpark_slot == "1"
    assert registry.update("a", RELEASE) == (call, NEWS)


def test_told_again_without_a_gap() -> None:
    """Without a gap in between, and for a call that came after it, everything is news, as in
    JavaScript."""
    registry = Registry(make, None, True)
    for _ in range(2):
        assert registry.update("a", CONNECT).what == NEWS
    registry.mark_gap()
    for _ in range(2):
        assert registry.update("b", CONNECT).what == NEWS


def test_repeats_are_news_unless_they_are_known() -> None:
    """A registry that does not know repeats takes everything as news, after a gap too."""
    registry = Registry(make, None)
    registry.update("a", CONNECT)
    registry.mark_gap()
    assert registry.update("a", SETUP).what == NEWS


def test_calls_that_nobody_tells_of_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls whose end fell into a gap are not kept for ever: of those that nobody tells of for
    two gaps, only the last so many are kept."""
    monkeypatch.setattr("keyyo_cti.registry._MOST_SILENT", 2)
    registry = Registry(make, 0, True)
    for gap in range(50):
        registry.update(f"r{gap}", CONNECT)
        registry.mark_gap()
    assert [call.callref for call in registry.all()] == ["r47", "r48", "r49"]


def test_calls_that_go_on_are_kept_through_two_gaps() -> None:
    """A call that goes on is kept, and known again, though nobody told of it between two gaps."""
    registry = Registry(make, 0, True)
    call = registry.update("a", CONNECT).call
    registry.mark_gap()
    registry.mark_gap()
    assert registry.update("a", CONNECT) == (call, REPEAT)


def test_news_after_news() -> None:
    """What comes after news of a call is told as ever, as in JavaScript, until the next gap."""
    registry = Registry(make, None, True)
    registry.update("a", SETUP)
    registry.mark_gap()
    assert registry.update("a", SETUP).what == REPEAT
    for fields in (CONNECT, PARKED, SETUP, CONNECT, CONNECT):
        assert registry.update("a", fields).what == NEWS
    registry.mark_gap()
    assert registry.update("a", CONNECT).what == REPEAT


def test_stage_before_the_gap() -> None:
    """How far a call had come is known through a state that nobody knows, and through another
    gap."""
    registry = Registry(make, None, True)
    registry.update("a", CONNECT)
    registry.mark_gap()
    assert registry.update("a", {**CONNECT, "state": "HOLD"}).what == CHANGE
    registry.mark_gap()
    assert registry.update("a", PARKED).what == CHANGE


def test_a_call_that_is_told_of_again_is_kept() -> None:
    """A call that is told of after each gap is kept through all of them."""
    registry = Registry(make, 0, True)
    call = registry.update("a", CONNECT).call
    for _ in range(5):
        registry.mark_gap()
        assert registry.update("a", CONNECT) == (call, REPEAT)
    assert registry.all() == [call]


def test_a_forgotten_call_is_news() -> None:
    """A call that was forgotten is a new one, though it was known before a gap."""
    registry = Registry(make, 0, True)
    registry.update("a", CONNECT)
    registry.mark_gap()
    registry.update("a", RELEASE)
    for _ in range(2):
        assert registry.update("a", SETUP).what == NEWS
