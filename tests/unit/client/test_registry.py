"""The registry of calls, beside a model of it."""

from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import Future
from typing import Any, Callable, Dict, List, Optional, Tuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keyyo_cti._client.callback import Callback
from keyyo_cti._client.duplicates import DUPLICATE, NEW, UPDATED
from keyyo_cti._client.registry import Registry
from keyyo_cti._client.wire import Command
from keyyo_cti.call import Call

STATES = ["SETUP", "CONNECT", "RELEASE", "MISSED", "OTHER", None, ["RELEASE"]]


class NoLine:
    """A line that is asked nothing."""

    def ask(
        self, make: Callable[..., Command], arguments: Any, callback: Optional[Callback]
    ) -> "Future[Any]":
        raise AssertionError

    def server_time(self) -> float:
        return 1_700_000_000.0

    def check_process(self) -> None:
        pass


LINE = NoLine()


class Views:
    """A registry, and whether this thread is inside a handler."""

    def __init__(self, max_ended: Optional[int] = None, **bounds: Any) -> None:
        self.inside = False
        self.registry = Registry(
            lambda callref: Call(LINE, callref, self.handling),
            max_ended, True, handling=self.handling, **bounds,
        )

    def handling(self) -> bool:
        return self.inside

    def seen(self, inside: bool) -> List[Tuple[str, Any, bool]]:
        """What a handler sees, or any other thread."""
        self.inside = inside
        calls = [(call.callref, call.state, call.stale) for call in self.registry.all()]
        for callref, state, _ in calls:
            call = self.registry.get(callref)
            assert call is not None
            assert (call["state"], call.type, call.fields["state"]) == (state,) * 3
            assert call.ended == (state in ("RELEASE", "MISSED")) and "state" in call
            assert f" {state}>" in repr(call)
        self.inside = False
        return calls


def make(callref: str) -> Call:
    return Call(LINE, callref)


def update(registry: Registry, callref: str, fields: Any) -> Tuple[Call, str]:
    """A notification that is received, and handled at once."""
    with registry.lock:
        change = registry.update(callref, fields)
    registry.handle(change)
    registry.settle(change)
    return change[0], change[1]


def mark_gap(registry: Registry) -> None:
    """A gap that is noticed, and handled at once."""
    registry.handle_gap(registry.mark_gap())


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
        call, what = update(registry, callref, {"callref": callref, "state": state})
        assert what == NEW
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
    call = update(registry, "r", {"state": "SETUP"})[0]
    assert update(registry, "r", {"state": "RELEASE"})[0] is call is registry.get("r")


def test_forgotten() -> None:
    """A call that was forgotten and comes again is a new one."""
    registry = Registry(make, 0)
    call = update(registry, "r", {"state": "RELEASE"})[0]
    assert registry.get("r") is None and registry.is_empty() and not registry.holds(call)
    again = update(registry, "r", {"state": "SETUP"})[0]
    assert again is not call and not registry.is_empty()
    assert registry.holds(again) and not registry.holds(call)


def test_unknown() -> None:
    """A call that is not known is None."""
    assert Registry(make, None).get("r") is None


def test_the_list_is_the_callers() -> None:
    """The list of calls is the caller's own, and does not change under his feet."""
    registry = Registry(make, None)
    update(registry, "r", {})
    seen = registry.all()
    update(registry, "s", {})
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
        update(registry, f"r{number % 40}", {"state": state})
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
    goes_on, over = update(registry, "a", CONNECT)[0], update(registry, "b", RELEASE)[0]
    assert not goes_on.stale
    mark_gap(registry)
    assert (goes_on.stale, over.stale) == (True, False)
    assert update(registry, "c", SETUP)[0].stale is False
    assert update(registry, "a", CONNECT)[1] == DUPLICATE
    assert not goes_on.stale
    mark_gap(registry)
    assert goes_on.stale and update(registry, "a", RELEASE)[1] == NEW
    assert not goes_on.stale


def test_told_again_after_a_gap() -> None:
    """What is told again of a call that was known before a gap changes nothing but its place."""
    registry = Registry(make, None, True)
    call = update(registry, "a", CONNECT)[0]
    mark_gap(registry)
    update(registry, "b", SETUP)
    assert update(registry, "a", SETUP) == (call, DUPLICATE)
    assert (call.state, registry.all()[-1]) == ("CONNECT", call)
    assert update(registry, "a", PARKED) == (call, UPDATED)
    assert call.callpark_slot == "1"
    assert update(registry, "a", RELEASE) == (call, NEW)


def test_told_again_without_a_gap() -> None:
    """Without a gap in between, and for a call that came after it, everything is news, as in
    JavaScript."""
    registry = Registry(make, None, True)
    for _ in range(2):
        assert update(registry, "a", CONNECT)[1] == NEW
    mark_gap(registry)
    for _ in range(2):
        assert update(registry, "b", CONNECT)[1] == NEW


def test_repeats_are_news_unless_they_are_known() -> None:
    """A registry that does not know repeats takes everything as news, after a gap too."""
    registry = Registry(make, None)
    update(registry, "a", CONNECT)
    mark_gap(registry)
    assert update(registry, "a", SETUP)[1] == NEW


def test_calls_that_nobody_tells_of_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls whose end fell into a gap are not kept for ever: of those that nobody tells of for
    two gaps, only the last so many are kept."""
    monkeypatch.setattr("keyyo_cti._client.registry._MAX_SILENT_CALLS", 2)
    views = Views(0)
    for gap in range(50):
        update(views.registry, f"r{gap}", CONNECT)
        mark_gap(views.registry)
    for inside in (False, True):
        assert [callref for callref, *_ in views.seen(inside)] == ["r47", "r48", "r49"]


def test_calls_that_go_on_are_kept_through_two_gaps() -> None:
    """A call that goes on is kept, and known again, though nobody told of it between two gaps."""
    registry = Registry(make, 0, True)
    call = update(registry, "a", CONNECT)[0]
    mark_gap(registry)
    mark_gap(registry)
    assert update(registry, "a", CONNECT) == (call, DUPLICATE)


def test_news_after_news() -> None:
    """What comes after news of a call is told as ever, as in JavaScript, until the next gap."""
    registry = Registry(make, None, True)
    update(registry, "a", SETUP)
    mark_gap(registry)
    assert update(registry, "a", SETUP)[1] == DUPLICATE
    for fields in (CONNECT, PARKED, SETUP, CONNECT, CONNECT):
        assert update(registry, "a", fields)[1] == NEW
    mark_gap(registry)
    assert update(registry, "a", CONNECT)[1] == DUPLICATE


def test_stage_before_the_gap() -> None:
    """How far a call had come is known through a state that nobody knows, and through another
    gap."""
    registry = Registry(make, None, True)
    update(registry, "a", CONNECT)
    mark_gap(registry)
    assert update(registry, "a", {**CONNECT, "state": "HOLD"})[1] == UPDATED
    mark_gap(registry)
    assert update(registry, "a", PARKED)[1] == UPDATED


def test_a_call_that_is_told_of_again_is_kept() -> None:
    """A call that is told of after each gap is kept through all of them."""
    registry = Registry(make, 0, True)
    call = update(registry, "a", CONNECT)[0]
    for _ in range(5):
        mark_gap(registry)
        assert update(registry, "a", CONNECT) == (call, DUPLICATE)
    assert registry.all() == [call]


def test_a_forgotten_call_is_news() -> None:
    """A call that was forgotten is a new one, though it was known before a gap."""
    registry = Registry(make, 0, True)
    update(registry, "a", CONNECT)
    mark_gap(registry)
    update(registry, "a", RELEASE)
    for _ in range(2):
        assert update(registry, "a", SETUP)[1] == NEW


def test_views_before_a_handler_has_run() -> None:
    """What was received is seen outside at once, and inside of handlers with its event: state,
    order, and whether the call is known at all."""
    views = Views()
    first = views.registry.update("a", {"state": "SETUP"})
    second = views.registry.update("b", {"state": "SETUP"})
    third = views.registry.update("a", {"state": "CONNECT", "callpark_slot": "3"})
    assert views.seen(inside=False) == [("b", "SETUP", False), ("a", "CONNECT", False)]
    assert views.seen(inside=True) == [] and views.registry.get("a") is first[0] is third[0]
    views.registry.handle(first)
    assert views.seen(inside=True) == [("a", "SETUP", False)]
    views.inside = True
    assert (first[0].callpark_slot, list(first[0])) == (None, ["state"])
    assert second[0].state is None and views.registry.get("b") is None
    views.registry.handle(second)
    views.registry.handle(third)
    assert (first[0].callpark_slot, list(first[0])) == ("3", ["state", "callpark_slot"])
    assert views.seen(inside=True) == views.seen(inside=False)


def test_views_of_a_call_that_is_forgotten_and_comes_again() -> None:
    """A call that was forgotten in the meantime is another object for its later events only."""
    views = Views(max_ended=0)
    changes = [views.registry.update("a", {"state": state}) for state in ("SETUP", "RELEASE")]
    changes.append(views.registry.update("a", {"state": "SETUP"}))
    old, new = changes[0][0], changes[2][0]
    assert old is changes[1][0] is not new and views.registry.get("a") is new
    for change, known, state in zip(changes, (old, None, new), ("SETUP", "RELEASE", "SETUP")):
        views.registry.handle(change)
        views.inside = True
        assert views.registry.get("a") is known and change[0].state == state
        views.inside = False
    assert old.state == "RELEASE"


def test_views_of_a_gap() -> None:
    """A gap is seen outside at once, and inside of handlers where it lies between two events. A
    repeat is decided once: it changes no view but in its place."""
    views = Views()
    before = views.registry.update("a", CONNECT)
    gap = views.registry.mark_gap()
    assert views.seen(inside=False) == [("a", "CONNECT", True)]
    repeat = views.registry.update("a", SETUP)
    other = views.registry.update("b", RELEASE)
    last = views.registry.mark_gap()
    assert repeat[1] == DUPLICATE and before[0].stale and not other[0].stale
    views.registry.handle(before)
    assert views.seen(inside=True) == [("a", "CONNECT", False)]
    views.registry.handle_gap(gap)
    assert views.seen(inside=True) == [("a", "CONNECT", True)]
    views.registry.handle(repeat)
    assert views.seen(inside=True) == [("a", "CONNECT", False)]
    views.registry.handle(other)
    views.registry.handle_gap(last)
    assert views.seen(inside=True) == views.seen(inside=False) == [
        ("a", "CONNECT", True), ("b", "RELEASE", False),
    ]


@settings(deadline=None, derandomize=True, database=None, max_examples=60)
@given(
    st.none() | st.integers(0, 4),
    st.lists(st.none() | st.tuples(st.sampled_from("abcdef"), st.sampled_from(STATES[:5]))),
)
def test_views_in_the_end(max_ended: Optional[int], updates: List[Any]) -> None:
    """Whatever comes, gaps (None) too, handlers see it in turn as it was received."""
    views = Views(max_ended, max_active=3)
    changes: List[Any] = []
    expected: List[Any] = []
    for each in updates:
        if each is None:
            changes.append(views.registry.mark_gap())
        else:
            changes.append(views.registry.update(each[0], {"state": each[1], "n": len(expected)}))
        expected.append(views.seen(inside=False))
    for change, seen in zip(changes, expected):
        handle(views.registry, change)
        assert views.seen(inside=True) == seen


def handle(registry: Registry, change: Any) -> None:
    """Handle an update or a gap."""
    if isinstance(change[0], Call):
        registry.handle(change)
    else:
        registry.handle_gap(change)


@pytest.mark.slow
@pytest.mark.fault(82)
@settings(deadline=None, derandomize=True, database=None, max_examples=300)
@given(
    st.none() | st.integers(0, 4),
    st.lists(
        st.tuples(
            st.none() | st.tuples(st.sampled_from("abcd"), st.sampled_from(STATES[:5])),
            st.booleans(),
            st.integers(0, 3),
        ),
        max_size=40,
    ),
)
@example(None, [(("b", "CONNECT"), False, 0), (None, False, 0), (("b", "SETUP"), True, 0)])
@example(None, [
    (("a", "RELEASE"), False, 0), (None, False, 0), (("a", "SETUP"), False, 0), (None, True, 0),
])
def test_view_of_handlers_never_goes_back(max_ended: Optional[int], changes: List[Any]) -> None:
    """Some changes are handled at once, because the program's dispatch has raised, and the others
    wait in its queue: no call goes back, and the view is right once the queue is empty."""
    views = Views(max_ended, max_active=3, in_order=False)
    registry = views.registry
    waiting: List[Any] = []
    last: Dict[Call, int] = {}

    def look() -> None:
        views.inside = True
        for call in registry.all():
            assert call["n"] >= last.get(call, 0)
            last[call] = call["n"]
        views.inside = False

    for number, (each, raises, then_run) in enumerate(changes):
        if each is None:
            change: Any = registry.mark_gap()
        else:
            change = registry.update(each[0], {"state": each[1], "n": number})
        if raises:
            handle(registry, change)
        else:
            waiting.append(change)
        look()
        for _ in range(min(then_run, len(waiting))):
            handle(registry, waiting.pop(0))
            look()
    for change in waiting:
        handle(registry, change)
        look()
    assert sorted(views.seen(inside=True)) == sorted(views.seen(inside=False))


@pytest.mark.fault(82)
def test_large_call_that_a_gap_makes_stale_stays_stale_when_its_handlers_return() -> None:
    views, large = Views(in_order=False), {**CONNECT, "padding": "x" * 2**20}
    change = views.registry.update("a", large, 2**21)
    views.registry.handle(change)
    views.registry.handle_gap(views.registry.mark_gap())
    views.registry.settle(change)
    assert views.seen(inside=True) == [("a", "CONNECT", True)]


def test_most_active_calls(caplog: pytest.LogCaptureFixture) -> None:
    """Of calls that never end, the last so many are kept, a few at a time are forgotten, and
    that is a warning now and then."""
    registry = Registry(make, None, max_active=200)
    update(registry, "over", RELEASE)
    for number in range(1000):
        update(registry, str(number), CONNECT)
        active = len(registry.all()) - 1
        assert 198 <= active <= 200 if number >= 200 else active == number + 1
    kept = [call.callref for call in registry.all()]
    assert kept[0] == "over" and kept[1:] == [str(n) for n in range(1001 - len(kept), 1000)]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_call_that_is_too_large_is_not_kept_whole() -> None:
    """Handlers see all of a large notification; what is kept of it are its documented fields,
    as far as they are short."""
    views, large = Views(), {**CONNECT, "padding": "x" * 2**20, "caller": "y" * 2**20}
    change = views.registry.update("a", large, 2**21)
    views.registry.handle(change)
    views.inside = True
    assert dict(change[0].fields) == large
    views.registry.settle(change)
    assert dict(change[0].fields) == CONNECT
    views.inside = False
    assert dict(change[0].fields) == CONNECT
    views.registry.mark_gap()
    assert views.registry.update("a", large, 2**21)[1] == DUPLICATE
    views.registry.skip(views.registry.update("b", large, 2**21))
    views.inside = True
    assert [dict(call.fields) for call in views.registry.all()] == [CONNECT, CONNECT]


class Kept(Dict[str, Any]):
    """Fields that a weak reference can watch."""


@pytest.mark.parametrize("in_order", [True, False])
def test_fields_of_past_notifications_are_freed(in_order: bool) -> None:
    registry, seen = Views(in_order=in_order).registry, []
    for state in ("CONNECT", "SETUP", "RELEASE", "SETUP", "RELEASE"):
        fields = Kept(state=state, setup_date=1, connect_date=2, release_date=3)
        update(registry, "a", fields)
        mark_gap(registry)
        seen.append(weakref.ref(fields))
    del fields
    gc.collect()
    assert [index for index, ref in enumerate(seen) if ref() is not None] == [2]


class Ref(str):
    """A callref that a weak reference can watch."""


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.parametrize("skips", [True, False])
def test_callrefs_of_forgotten_calls_are_freed(in_order: bool, skips: bool) -> None:
    registry = Views(max_ended=0, in_order=in_order).registry
    callref = Ref("a")
    watched = weakref.ref(callref)
    for fields in (CONNECT, RELEASE):
        change = registry.update(callref, fields)
        (registry.skip if skips else registry.handle)(change)
    del callref, change
    gc.collect()
    assert watched() is None


def test_call_with_news_after_two_gaps_is_no_longer_among_the_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("keyyo_cti._client.registry._MAX_SILENT_CALLS", 1)
    registry = Registry(make, 0, True)
    call = update(registry, "a", CONNECT)[0]
    mark_gap(registry)
    mark_gap(registry)
    update(registry, "b", CONNECT)
    for _ in range(2):
        update(registry, "a", CONNECT)
        mark_gap(registry)
    assert registry.get("a") is call and registry.get("b") is not None


@pytest.mark.parametrize("most_silent", [0, 1], ids=["silent", "active"])
def test_forgotten_call_that_comes_again_is_news(
    monkeypatch: pytest.MonkeyPatch, most_silent: int
) -> None:
    monkeypatch.setattr("keyyo_cti._client.registry._MAX_SILENT_CALLS", most_silent)
    registry = Registry(make, None, True, max_active=1)
    for callref in "ab":
        update(registry, callref, CONNECT)
        mark_gap(registry)
        mark_gap(registry)
    for _ in range(2):
        assert update(registry, "a", CONNECT)[1] == NEW


def test_call_that_goes_on_after_its_end_is_not_forgotten_as_an_ended_one() -> None:
    registry = Registry(make, 1)
    for callref, fields in (("a", RELEASE), ("a", CONNECT), ("b", RELEASE), ("c", RELEASE)):
        update(registry, callref, fields)
    assert [call.callref for call in registry.all()] == ["a", "c"]


@pytest.mark.fault(82)
@pytest.mark.parametrize(
    ("bounds", "changes", "order"),
    [
        ({}, [("a", CONNECT), ("b", RELEASE), None], [2, 0, 1]),
        ({}, [("a", CONNECT), None, ("a", SETUP), ("a", RELEASE)], [3, 0, 1, 2]),
        ({"max_ended": 0}, [("a", CONNECT), ("a", RELEASE), ("a", SETUP)], [2, 0, 1]),
        ({"max_ended": 1}, [("a", RELEASE), ("b", RELEASE), ("b", RELEASE)], [0, 2, 1]),
        ({"max_active": 1}, [("a", CONNECT), ("b", CONNECT)], [1, 0]),
    ],
)
def test_changes_that_overtake_others_end_in_the_latest_view(
    bounds: Any, changes: List[Any], order: List[int]
) -> None:
    views = Views(in_order=False, **bounds)
    registry = views.registry
    made = [registry.update(*each) if each else registry.mark_gap() for each in changes]
    for index in order:
        handle(registry, made[index])
    assert views.seen(inside=True) == views.seen(inside=False)


@pytest.mark.parametrize("in_order", [True, False])
def test_awaited_events_are_shown_until_the_next_change(in_order: bool) -> None:
    views = Views(in_order=in_order)
    registry = views.registry
    first, gap = registry.update("a", SETUP), registry.mark_gap()
    other, *later = [registry.update(ref, CONNECT) for ref in "cab"]

    def show_ahead(*changes: Any) -> List[Any]:
        for call, _, fields, _, number, _ in changes:
            registry.show_ahead(call, fields, number)
        return views.seen(inside=True)

    assert show_ahead(first) == [("a", "SETUP", False)]
    registry.handle(first)
    ahead = [("a", "CONNECT", False), ("b", "CONNECT", False)]
    assert show_ahead(*later, first) == ahead
    registry.handle_gap(gap)
    assert views.seen(inside=True) == [("a", "SETUP", True)]
    assert show_ahead(*later) == ahead
    registry.handle(other)
    assert views.seen(inside=True) == [("a", "SETUP", True), ("c", "CONNECT", False)]


def test_handler_that_runs_later_events_inside_never_takes_a_call_back() -> None:
    views = Views()
    registry = views.registry
    first = registry.update("a", {**SETUP, "padding": "x"}, 2**21)
    second = registry.update("a", CONNECT)
    registry.handle(first)
    registry.handle(second)
    registry.settle(second)
    registry.settle(first)
    assert views.seen(inside=True) == [("a", "CONNECT", False)]


def test_awaited_event_that_a_close_skips_inside_the_handler_is_news_later() -> None:
    registry = Views().registry
    first, awaited = registry.update("a", SETUP), registry.update("b", CONNECT)
    registry.handle(first)
    registry.show_ahead(awaited[0], awaited[2], awaited[4])
    registry.skip(awaited)
    assert registry.unnotified == {"b": None}


CONNECTED: Dict[str, Any] = {"callref": "a", "state": "CONNECT", "setup_date": 5}


@pytest.mark.parametrize(
    "skipped, expected",
    [
        ({**CONNECTED, "callpark_slot": "2"}, UPDATED),
        ({**CONNECTED, "state": "RELEASE", "release_date": 9}, NEW),
        ({**CONNECTED, "setup_date": 7}, NEW),
        (CONNECTED, DUPLICATE),
    ],
)
def test_repetition_of_what_a_close_has_skipped(skipped: Dict[str, Any], expected: str) -> None:
    """No state event comes twice: a repetition of skipped news is news only if the call has come
    further than handlers were told, or is another one."""
    registry = Views().registry
    registry.handle(registry.update("a", CONNECTED))
    mark_gap(registry)
    registry.skip(registry.update("a", skipped))
    mark_gap(registry)
    told = []
    for _ in range(2):
        update = registry.update("a", dict(skipped))
        registry.handle(update)
        told.append(registry.kind_for_handlers(update))
    assert told == [expected, DUPLICATE]


PARKED_2 = {**CONNECTED, "callpark_slot": "2"}
RINGING = {**CONNECTED, "state": "SETUP"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([CONNECTED, None, "skip", PARKED_2, None, {**CONNECTED, "setup_date": 7}], [NEW, NEW]),
        ([RINGING, None, "skip", CONNECTED, "skip", PARKED_2, None, PARKED_2], [NEW, NEW]),
        ([RINGING, None, "skip", CONNECTED, None, RINGING, CONNECTED], [NEW, DUPLICATE, NEW]),
        (
            [RINGING, None, "skip", CONNECTED, None, CONNECTED, "skip", PARKED_2, None, PARKED_2],
            [NEW, NEW, UPDATED],
        ),
    ],
    ids=["another call", "skipped twice", "older repetition", "skipped again"],
)
def test_news_after_what_a_close_has_skipped(changes: List[Any], expected: List[str]) -> None:
    registry, told, steps = Views().registry, [], iter(changes)
    for change in steps:
        if change is None:
            mark_gap(registry)
        elif change == "skip":
            registry.skip(registry.update("a", dict(next(steps))))
        else:
            update = registry.update("a", dict(change))
            registry.handle(update)
            told.append(registry.kind_for_handlers(update))
    assert told == expected


@pytest.mark.fault(79)
def test_call_whose_repetition_was_news_is_told_as_usual_up_to_the_next_gap() -> None:
    """Handlers hear of a call that a close has skipped by a repetition; a change after that has
    its state event, as any other change of a call that had news."""
    registry = Views().registry
    registry.handle(registry.update("a", {**CONNECTED, "state": "SETUP"}))
    mark_gap(registry)
    registry.skip(registry.update("a", CONNECTED))
    mark_gap(registry)

    def tell(**fields: Any) -> str:
        update = registry.update("a", {**CONNECTED, **fields})
        registry.handle(update)
        return registry.kind_for_handlers(update)

    assert [tell(), tell(callpark_slot="2"), tell(callpark_slot="3")] == [NEW, NEW, NEW]
    mark_gap(registry)
    assert [tell(callpark_slot="3"), tell(callpark_slot="4")] == [DUPLICATE, UPDATED]
    registry.skip(registry.update("a", {**CONNECTED, "callpark_slot": "5"}))
    mark_gap(registry)
    assert [tell(callpark_slot="5"), tell(callpark_slot="6")] == [UPDATED, UPDATED]
