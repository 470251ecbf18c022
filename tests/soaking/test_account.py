"""The account can fail: it finds what was neither told nor in an announced gap, and no more."""

from __future__ import annotations

import random
import threading
from typing import Any, Callable, Dict, Iterator, List, Optional

import pytest

from keyyo_cti import CTI, UnreadableMessage
from keyyo_cti.backoff import Backoff
from keyyo_cti.restorer import Outage, Restored
from keyyo_cti.simulator import Line, Simulator
from keyyo_cti.sockjs import Unreadable
from keyyo_cti.switchboard import Switchboard

from .account import BY_ERRORS, IN_GAPS, MARGIN, OFF, TOLD, Account
from .diary import (
    Called,
    Diary,
    Disconnected,
    Ended,
    Entry,
    Lost,
    NewCall,
    Opened,
    Opening,
    Problem,
)
from .diary import Restored as Back
from .diary import StateEvent
from .errands import Errands, What
from .findings import LOST, OUTSIDE, REPEATED, Findings
from .handlers import Handlers
from .lag import Lag
from .model import Model
from .moments import restorations_timed
from .tags import as_number
from .tally import Tally
from .truth import Change, Truth
from .wiretap import Wiretap

PATIENCE = 20.0


# The account alone.


class Book:
    """Changes and a diary as a test writes them, by the second."""

    def __init__(self, restores: bool = True) -> None:
        self.findings = Findings()
        self.changes: List[Change] = []
        self.garbled: List[Change] = []
        self.answers: Dict[int, float] = {}
        self.lag = 0.0
        self.account = Account(
            "alice", restores, lambda: self.changes, lambda: self.garbled, self.findings,
            self.answers.get, lag=lambda begin, end: self.lag)

    def happens(self, *at: float, state: str = "SETUP") -> None:
        """Calls, each named after its second."""
        self.changes += [Change(each, call(each, state)) for each in at]

    def told(self, *at: float, late: float = 0.0, state: str = "SETUP") -> None:
        self.write(*(NewCall(each + late, call(each, state), False) for each in at))

    def write(self, *entries: Entry) -> None:
        self.account.read(list(entries))

    def counts(self) -> Dict[str, int]:
        return dict(self.account.settle())

    def found(self) -> List[str]:
        return [finding.kind for finding in self.findings.first()]


def call(at: float, state: str = "SETUP") -> Dict[str, Any]:
    return {"callref": str(at), "state": state}


def test_change_that_was_told_is_good_however_late() -> None:
    book = Book()
    book.write(Opened(0))
    book.happens(1, 2)
    book.told(1, 2, late=7)
    assert book.counts() == {TOLD: 2} and book.found() == []


@pytest.mark.parametrize("told", [[1, 3], [1]])
def test_change_that_was_not_told_is_found(told: List[float]) -> None:
    book = Book()
    book.write(Opened(0))
    book.happens(1, 2)
    book.told(*told)
    assert book.counts() == {TOLD: 1, OUTSIDE: 1} and book.found() == [OUTSIDE]


def test_change_in_an_announced_gap_is_good_and_beside_it_is_found() -> None:
    """The gap ends when the session was back, not when that was told."""
    book = Book()
    book.write(Opened(0))
    book.happens(2 - 2 * MARGIN, 2, 3, 4, 4.5)
    book.write(Disconnected(4, 0), Back(9, 2.0, False, 4.0))
    assert book.counts() == {IN_GAPS: 3, OUTSIDE: 2} and book.found() == [OUTSIDE, OUTSIDE]


@pytest.mark.parametrize("told_at, excused", [(4.0, True), (3.0, False)])
def test_change_behind_a_frame_that_was_read_late_is_in_the_gap(
    told_at: float, excused: bool
) -> None:
    """What came in the last frame shows when the server sent that, however busy the machine."""
    book = Book()
    book.write(Opened(0))
    book.happens(1, 2, 2.5)
    book.told(1)
    book.write(NewCall(told_at, call(2), False), Disconnected(4.1, 0), Back(5, 1.0, False, 5.0))
    assert book.counts() == {TOLD: 2, (IN_GAPS if excused else OUTSIDE): 1}


@pytest.mark.parametrize("lag, excused", [(0.4, True), (0.1, False)])
def test_gap_may_begin_as_late_as_the_machine_runs_threads(lag: float, excused: bool) -> None:
    book = Book()
    book.lag = lag
    book.write(Opened(0))
    book.happens(3)
    book.write(Disconnected(4.1, 0), Back(5, 1.0, False, 5.0))
    assert book.counts() == {(IN_GAPS if excused else OUTSIDE): 1}


def test_lag_is_the_worst_of_its_time() -> None:
    times = iter([10.02, 10.34, 10.39])
    lag = Lag(lambda: next(times))
    began = 10.0
    for _ in range(3):
        began = lag.note(began)
    assert lag.worst(0, 20) == pytest.approx(0.3) and lag.worst(10.35, 20) == pytest.approx(0.03)
    assert lag.worst(0, 10.2) == 0.0


def test_change_in_a_gap_that_is_told_afterwards_was_told() -> None:
    book = Book()
    book.write(Opened(0))
    book.happens(3)
    book.write(Back(4, 2.0, False, 4.0))
    book.told(3, late=2)
    assert book.counts() == {TOLD: 1}


def test_changes_that_are_alike_are_told_one_by_one() -> None:
    """What was told of the change outside of the gap does not count for the one in it."""
    book = Book()
    book.write(Opened(0), Back(4, 2.0, False, 4.0))
    same = call(3)
    book.changes += [Change(3, same), Change(5, same)]
    book.write(NewCall(6, same, False))
    assert book.counts() == {TOLD: 1, IN_GAPS: 1} and book.found() == []


@pytest.mark.parametrize("restores, found", [(True, []), (False, [OUTSIDE])])
def test_change_back_to_what_was_told_may_be_passed_over(
    restores: bool, found: List[str]
) -> None:
    """Parked and unparked in a gap, a call is as it was told: that is no news to who restores by
    itself."""
    book = Book(restores)
    book.write(Opened(0))
    same = call(1)
    book.changes += [Change(1, same), Change(5, same)]
    book.write(NewCall(1, same, False))
    assert book.counts()[TOLD] == len([1, 5]) - len(found) and book.found() == found


@pytest.mark.parametrize(
    "end", [Ended(6, "closed"), Lost(6, None), Disconnected(6, 0)])
def test_change_while_the_program_has_no_session_need_not_be_told(end: Any) -> None:
    """From the last change that was told before the end, to the next session."""
    book = Book(restores=not isinstance(end, Disconnected))
    book.happens(1, 3, 4, 7, 9, 11)
    book.write(Opened(2))
    book.told(3)
    book.write(end, Opening(8), Opened(10))
    assert book.counts() == {OFF: 4, TOLD: 1, OUTSIDE: 1} and book.found() == [OUTSIDE]


def test_change_before_an_answer_that_came_must_be_told_before_an_end_too() -> None:
    book = Book()
    book.answers[5] = 3.5
    book.happens(3, 4)
    book.write(Opened(2), Called(5, 5), Ended(6, "closed"))
    assert book.counts() == {OUTSIDE: 1, OFF: 1}


def test_drop_that_is_restored_is_no_gap_by_itself() -> None:
    """Only what was announced counts."""
    book = Book()
    book.happens(3)
    book.write(Opened(0), Disconnected(2, 0))
    assert book.counts() == {OUTSIDE: 1}


@pytest.mark.parametrize("garbled", [True, False])
@pytest.mark.parametrize("error, good", [
    (UnreadableMessage("broken"), True), (ValueError("in a handler"), False), (None, False)])
def test_error_excuses_the_one_message_that_was_garbled(
    garbled: bool, error: Optional[Exception], good: bool
) -> None:
    book = Book()
    book.write(Opened(0))
    book.happens(2, 3)
    if garbled:
        book.garbled.append(Change(2.1, call(2)))
    if error is not None:
        book.write(Problem(2.5, error))
    book.told(3)
    excused = garbled and good
    assert book.counts() == {TOLD: 1, (BY_ERRORS if excused else OUTSIDE): 1}
    assert book.found() == ([] if excused else [OUTSIDE])


def test_one_error_excuses_one_message() -> None:
    book = Book()
    book.write(Opened(0), Problem(2.5, UnreadableMessage("broken")))
    book.happens(2, 2.2)
    book.garbled += [Change(2.1, call(2)), Change(2.3, call(2.2))]
    assert book.counts() == {BY_ERRORS: 1, OUTSIDE: 1}


def test_finding_shows_what_happened_around_it() -> None:
    book = Book()
    book.write(Opened(0))
    book.happens(2)
    book.write(Disconnected(4, 0), Back(5, 2.5, False, 5.0))
    book.counts()
    (finding,) = book.findings.first()
    assert finding.what.startswith("not told, 0.400 s before the next gap: ")
    assert any("2.400 to 5.000, in announced gaps" in line for line in finding.context)


# With the SDK, and with faults of the SDK's own that are planted.


class Rig:
    """One client of a simulator, with all that looks at it."""

    def __init__(self, sim: Simulator, line: Line) -> None:
        self.findings, self.diary = Findings(), Diary()
        self.line, self._sim = line, sim
        self._wiretap, self._truth = Wiretap(self.findings), Truth([line.number])
        sim.add_witness(self._wiretap)
        sim.add_call_witness(self._truth)
        self.cti = CTI(
            endpoint=sim.endpoint, cookie_auto=False, token_provider=lambda: sim.token(line),
            backoff=Backoff(first=0.01, longest=0.02), heartbeat_timeout=1.0)
        calm = threading.Event()
        calm.set()
        handlers = Handlers(
            "alice", self.cti, self.diary, random.Random(1), calm, Tally(), self.findings)
        handlers.set()
        self._errands = Errands("alice", Tally(), self.findings)
        meant = (UnreadableMessage, Unreadable)
        self._model = Model(
            "alice", line.number, True, self._wiretap, self._errands, self.findings,
            is_meant=lambda error: isinstance(error, meant))
        self._account = Account(
            "alice", True, lambda: self._truth.of(line.number),
            lambda: self._wiretap.garbled(line.number), self.findings,
            self._wiretap.answered_at)
        self._bob = sim.phone("33199020000")
        self.diary.write(Opening)
        self.cti.create_session(sim.token(line)).result(PATIENCE)
        self.diary.write(Opened)

    def call(self) -> None:
        """A call rings, and is over."""
        self._bob.call(self.line)
        self._bob.hang_up()

    def wait_for(self, kind: Any, count: int = 1) -> None:
        def there() -> bool:
            entries = self.diary._entries
            return len([each for each in entries if isinstance(each, kind)]) >= count

        assert self.diary.wait(there, PATIENCE)

    def verdict(self) -> List[str]:
        """The kinds of findings, in the end."""
        # What comes before the answer has been told when its callback is called.
        done = threading.Event()
        number = as_number(1)
        errand = self._errands.begin(What("int_to_local"), 1, True, self.diary, done.set)
        errand.future = self.cti.int_to_local(number, errand.callback)
        assert done.wait(PATIENCE)
        self.cti.close()
        self.diary.write(Ended, "closed")
        entries = self.diary.tear_out()
        self._model.read(entries)
        self._account.read(entries)
        self.counts = dict(self._account.settle())
        return sorted({finding.kind for finding in self.findings.first()})


@pytest.fixture
def quick() -> Iterator[Simulator]:
    with Simulator(heartbeat=0.05) as sim, restorations_timed():
        yield sim


@pytest.fixture
def rig(quick: Simulator) -> Iterator[Rig]:
    rig = Rig(quick, quick.line("33199000001"))
    yield rig
    rig.cti.close()


def has_an_outage(quick: Simulator, rig: Rig) -> None:
    """A call that is told, one in a silence that ends with the connection, and one after it."""
    rig.call()
    rig.wait_for(StateEvent, 2)
    quick.faults.silence()
    rig.call()
    quick.faults.drop()
    rig.wait_for(Back)
    rig.call()
    rig.wait_for(StateEvent, 4)


@pytest.mark.promise(3)
@pytest.mark.fault(79)
def test_outage_of_the_sdk_is_announced(quick: Simulator, rig: Rig) -> None:
    has_an_outage(quick, rig)
    assert rig.verdict() == []
    assert rig.counts == {TOLD: 4, IN_GAPS: 2}


@pytest.mark.fault(79)
def test_gap_that_is_too_short_is_found(
    quick: Simulator, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = Outage.summary

    def shortened(outage: Outage) -> Restored:
        info: Any = summary(outage)
        short = info._replace(gap=0.0)
        short.at = info.at
        return short  # type: ignore[no-any-return]

    monkeypatch.setattr(Outage, "summary", shortened)
    rig.call()
    rig.wait_for(StateEvent, 2)
    quick.faults.silence()
    rig.call()
    rig.wait_for(Back)
    assert rig.verdict() == [OUTSIDE]
    assert rig.counts == {TOLD: 2, OUTSIDE: 2}


@pytest.mark.fault(79)
def test_event_that_the_sdk_drops_is_found(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the model, which sees that a later one was told, and by the account."""
    _plant(monkeypatch, lambda receive, fields: fields["state"] != "SETUP" and receive())
    rig.call()
    rig.wait_for(StateEvent)
    assert rig.verdict() == [LOST, OUTSIDE]
    assert rig.counts == {TOLD: 1, OUTSIDE: 1}


@pytest.mark.fault(79)
def test_last_event_that_the_sdk_drops_is_found(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the account alone: of what was sent last nobody else knows whether it came."""
    _plant(monkeypatch, lambda receive, fields: fields["state"] == "SETUP" and receive())
    rig.call()
    rig.wait_for(StateEvent)
    rig.call()
    rig.wait_for(StateEvent, 2)
    assert rig.verdict() == [LOST, OUTSIDE]


@pytest.mark.fault(79)
def test_event_that_the_sdk_tells_twice_is_found(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    _plant(monkeypatch, lambda receive, fields: [receive(), receive()])
    rig.call()
    rig.wait_for(StateEvent, 4)
    assert rig.verdict() == [REPEATED]


@pytest.mark.fault(79)
@pytest.mark.parametrize("part", ["message", "frame", "text"])
def test_message_that_was_garbled_is_announced_by_an_error(
    quick: Simulator, rig: Rig, part: str
) -> None:
    rig.call()
    quick.faults.garble(part=part)
    rig.call()
    rig.wait_for(StateEvent, 3)
    assert rig.verdict() == []
    assert rig.counts == {TOLD: 3, BY_ERRORS: 1}


@pytest.mark.fault(79)
@pytest.mark.parametrize("then", ["reset", "drop", "silence"])
def test_frame_that_was_cut_is_in_the_announced_gap(
    quick: Simulator, rig: Rig, then: str
) -> None:
    rig.call()
    rig.wait_for(StateEvent, 2)
    quick.faults.cut(then=then)
    rig.call()
    rig.wait_for(Back)
    rig.call()
    rig.wait_for(StateEvent, 4)
    assert rig.verdict() == []
    assert rig.counts == {TOLD: 4, IN_GAPS: 2}


def _plant(
    monkeypatch: pytest.MonkeyPatch,
    do: Callable[[Callable[[], object], Dict[str, Any]], object],
) -> None:
    """Does something else when the SDK takes in a notification."""
    receive = Switchboard.receive

    def planted(board: Any, link: Any, callref: str, fields: Any, size: int) -> None:
        do(lambda: receive(board, link, callref, fields, size), fields)

    monkeypatch.setattr(Switchboard, "receive", planted)
