"""When the history is asked, and when an answer is certain."""

from __future__ import annotations

import logging
from typing import Any, Dict, List, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyyo_cti import KeyyoError
from keyyo_cti._catch_up.findings import Gap
from keyyo_cti._catch_up.inquiry import Answer, Inquiry, Request, Timing
from keyyo_cti._catch_up.matching import ToldCall
from keyyo_cti._net.clock import NEVER
from keyyo_cti.call_history import CallRecord

from .town import a_record, a_told

TIMING = Timing(quiet=60, limit=300, margin=60, tolerance=5)
HOUR = 3600.0


class Asked:
    """An inquiry, its clock, and its history. Unix time is monotonic time plus a million."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.error: Optional[BaseException] = None
        # Each with the time from which the history has it.
        self.books: List[Any] = []
        self.told: List[ToldCall] = []
        self.windows: List[Any] = []
        self.asked_at: List[float] = []
        self.inquiry = Inquiry(TIMING, self.ask, lambda: self.told, lambda: self.now)

    def ask(self, since: float, until: float) -> List[CallRecord]:
        self.windows.append((since - 1e6, until - 1e6))
        self.asked_at.append(self.now)
        if self.error is not None:
            raise self.error
        return [each for at, each in self.books if at <= self.now]

    def write(self, start: float, appears: float = 0.0, **more: Any) -> CallRecord:
        record = a_record(str(len(self.books)), start + 1e6, **more)
        self.books.append((appears, record))
        return record

    def end_gap(self, seconds: float = 30.0) -> None:
        self.inquiry.add(Gap(self.now - seconds + 1e6, self.now + 1e6))

    def run(self, until: float) -> List[Answer]:
        """Poll whenever it is due, up to a time."""
        answers = []
        while self.inquiry.due <= until:
            self.now = max(self.now, self.inquiry.due)
            answer = self.inquiry.poll()
            if answer is not None:
                answers.append(answer)
        self.now = until
        return answers


@pytest.fixture
def asked() -> Asked:
    return Asked()


def ids(answers: List[Answer]) -> List[List[str]]:
    return [[record.call_id for record in answer.findings.untold] for answer in answers]


def test_empty_history_is_asked_with_growing_pauses_and_answers_after_quiet(asked: Asked) -> None:
    asked.end_gap()
    assert asked.run(1059.9) == [] and len(asked.windows) == 5
    assert ids(asked.run(1060)) == [[]]
    assert set(asked.windows) == {(970 - 60, 1000 + 60)}
    assert asked.inquiry.due == NEVER


def test_record_that_appears_late_is_reported_once_it_has_settled(asked: Asked) -> None:
    asked.write(980, appears=1050)
    asked.end_gap()
    assert asked.run(1100) == []
    assert ids(asked.run(1150)) == [["0"]]
    asked.end_gap(200)
    assert ids(asked.run(1400)) == [[]]


def test_history_that_does_not_settle_answers_at_the_limit_and_about_the_rest_once(
    asked: Asked,
) -> None:
    for number in range(20):
        asked.write(971 + number, appears=1010 + 20 * number)
    asked.end_gap()
    assert asked.run(1299) == []
    early = ids(asked.run(1301))
    assert len(early) == 1 and len(early[0]) in (11, 12)
    late = ids(asked.run(2000))
    assert len(late) == 1 and early[0] + late[0] == [str(number) for number in range(20)]
    assert asked.inquiry.due == NEVER


@pytest.mark.parametrize("delay", [0, 3, 6, 9, 12])
@pytest.mark.parametrize("ring", [0, 4])
@pytest.mark.parametrize("stale", [False, True])
def test_call_that_goes_on_at_the_limit_has_not_ended(delay: int, ring: int, stale: bool) -> None:
    """Its seconds so far would fit into the gap: they are told late, and leave out its ringing."""
    asked = Asked()
    connect = 995
    if stale:
        asked.told = [a_told(connect - ring + 1e6, connect=connect + 1e6, stale=True)]

    def history(since: float, until: float) -> List[CallRecord]:
        seconds = int(asked.now - delay) - connect
        return [a_record("1", connect - ring + 1e6, seconds)] if seconds >= 0 else []

    asked.inquiry = Inquiry(
        Timing(quiet=1.5, limit=8, margin=60, tolerance=5), history, lambda: asked.told,
        lambda: asked.now,
    )
    asked.end_gap()
    answers = asked.run(1100)
    assert [(each.findings.untold, each.findings.ends) for each in answers] == [([], [])]
    assert asked.inquiry.due == NEVER


def test_call_that_ran_at_the_limit_of_its_gap_is_reported_with_the_gap_of_its_end() -> None:
    asked = Asked()
    asked.inquiry = Inquiry(
        Timing(quiet=1.5, limit=8, margin=60, tolerance=5),
        lambda since, until: [a_record("1", 994 + 1e6, int(min(asked.now, 1042)) - 998)],
        lambda: asked.told, lambda: asked.now,
    )
    asked.end_gap()
    assert ids(asked.run(1040)) == [[]]
    asked.now = 1050
    asked.end_gap(10)
    assert ids(asked.run(1100)) == [["1"]]


SHORT = Timing(quiet=2, limit=8, margin=60, tolerance=1)


@pytest.mark.parametrize("stale", [True, False])
@pytest.mark.parametrize("timing, rings, settled", [(TIMING, 70, 1108), (SHORT, 5, 1006)])
@pytest.mark.parametrize("answered", [True, False])
def test_call_that_may_still_ring_is_not_reported_as_missed(
    stale: bool, timing: Timing, rings: int, settled: float, answered: bool
) -> None:
    """Until it is answered, the history lists it without seconds, like a missed call."""
    asked = Asked()
    asked.inquiry = Inquiry(timing, asked.ask, lambda: asked.told, lambda: asked.now)
    asked.told = [a_told(988 + 1e6, stale=True)] if stale else []
    asked.write(988)
    asked.end_gap(10)
    assert asked.run(1000 + rings) == []
    if answered:
        # The CTI tells it.
        asked.told = [a_told(988 + 1e6, 1000 + rings + 1e6)]
    answer, = asked.run(1000 + timing.limit)
    found = [*answer.findings.untold, *(record for _, record in answer.findings.ends)]
    assert [each.call_id for each in found] == ([] if answered else ["0"])
    assert answered or asked.asked_at[-1] >= settled


def test_missed_call_that_was_told_holds_no_answer_up(asked: Asked) -> None:
    asked.told = [a_told(995 + 1e6, seconds=0)]
    asked.write(995)
    asked.end_gap(3)
    assert ids(asked.run(1060)) == [[]]


@pytest.mark.parametrize("lasts", [0.0, 3.0])
def test_connection_that_flaps_has_an_answer_about_each_gap_within_the_bound(
    asked: Asked, lasts: float
) -> None:
    """Each second and a half. A request may last longer than that."""
    ends: List[float] = []
    answered: Dict[float, float] = {}
    found: List[str] = []
    request: Optional[Request] = None
    kept, ready_at, until = 0, 0.0, 1000 + HOUR / 4
    while asked.now < until + 400:
        if asked.now < until:
            asked.write(asked.now - 1, seconds=1, caller=f"3319903{len(ends):04}")
            asked.end_gap(1)
            ends.append(asked.now + 1e6)
        for _ in range(15):
            asked.now += 0.1
            if request is None and asked.now >= asked.inquiry.due:
                request, ready_at = asked.inquiry.begin(), asked.now + lasts
                request.run()
            if request is None or asked.now < ready_at:
                continue
            answer, request = asked.inquiry.end(request), None
            if answer is not None:
                found += [record.call_id for record in answer.findings.untold]
                for end in ends:
                    if any(gap.since <= end <= gap.until for gap in answer.gaps):
                        answered.setdefault(end, asked.now + 1e6)
        kept = max(kept, len(asked.inquiry._gaps) + len(asked.inquiry._added))
    assert sorted(found, key=int) == [str(number) for number in range(len(ends))]
    assert max(answered[end] - end for end in ends) < TIMING.limit + 2 * lasts + 1
    assert kept <= 110 and len(asked.windows) < len(ends)


def test_gaps_during_a_request_that_hangs_are_bounded(asked: Asked) -> None:
    asked.end_gap()
    request = asked.inquiry.begin()
    for number in range(1000):
        asked.now += 10
        asked.end_gap(1)
        asked.write(asked.now, seconds=1)
    assert len(asked.inquiry._added) <= 100 and asked.inquiry.since == 970 + 1e6
    request.run()
    answer = asked.inquiry.end(request)
    answers = ([] if answer is None else [answer]) + asked.run(asked.now + HOUR)
    found = [each for answer in ids(answers) for each in answer]
    assert sorted(found, key=int) == [str(number) for number in range(1000)]


def test_partial_record_is_replaced_by_the_whole_one(asked: Asked) -> None:
    asked.books = [(0, a_record("1", 975 + 1e6, 5)), (1030, a_record("1", 975 + 1e6, 20))]
    asked.ask = lambda since, until: [  # type: ignore[method-assign]
        max((each for at, each in asked.books if at <= asked.now), key=lambda each: each.seconds)
    ]
    asked.inquiry = Inquiry(TIMING, asked.ask, lambda: [], lambda: asked.now)
    asked.end_gap()
    assert asked.run(1110) == []
    answer, = asked.run(1120)
    assert [record.seconds for record in answer.findings.untold] == [20]


def test_gaps_that_follow_quickly_have_one_answer(asked: Asked) -> None:
    asked.write(980)
    asked.end_gap()
    asked.run(1030)
    asked.inquiry.is_down = True
    asked.write(1040)
    asked.run(1050)
    asked.inquiry.is_down = False
    asked.end_gap()
    answers = asked.run(1500)
    assert ids(answers) == [["0", "1"]] and len(answers[0].gaps) == 2


def test_only_the_last_reported_records_are_remembered(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyyo_cti._catch_up.inquiry._MAX_IDS", 2)
    for number in range(4):
        asked.write(asked.now - 5)
        asked.end_gap(10)
        assert ids(asked.run(asked.now + 400)) == [[str(number)]]
    assert list(asked.inquiry.reported) == ["2", "3"]


def test_endless_gaps_do_not_hold_up_the_answer_and_repeat_nothing(asked: Asked) -> None:
    answers = []
    for number in range(30):
        asked.write(asked.now - 5, appears=asked.now + 31)
        asked.end_gap(10)
        answers += asked.run(asked.now + 40)
    answers += asked.run(asked.now + 400)
    found = [each for answer in ids(answers) for each in answer]
    assert sorted(found, key=int) == [str(number) for number in range(30)]
    assert [gap for answer in answers for gap in answer.gaps] == sorted(
        {gap for answer in answers for gap in answer.gaps}
    )
    assert len(answers) > 3


@pytest.mark.parametrize("final, waits", [(True, False), (None, True), (False, True)])
def test_failure_is_answered_once_and_logged_once(
    asked: Asked, caplog: pytest.LogCaptureFixture, final: Optional[bool], waits: bool
) -> None:
    asked.error = KeyyoError(403, "insufficient_scope")
    asked.error.final = final
    asked.end_gap()
    early = asked.run(1200)
    assert bool(early) is not waits
    answers = early + asked.run(1400)
    assert [answer.error for answer in answers] == [asked.error] and ids(answers) == [[]]
    assert [each.levelno for each in caplog.records] == [logging.WARNING]


def test_failure_after_records_answers_with_what_is_known(asked: Asked) -> None:
    asked.write(980)
    asked.write(985, appears=1055)
    asked.end_gap()
    asked.run(1100)
    asked.error = OSError("the network is dead")
    answers = asked.run(1400)
    assert ids(answers) == [["0"]]
    error = answers[0].error
    assert error is not None and error.__cause__ is asked.error and "OSError" in str(error)


def test_event_after_a_failure_has_the_calls_of_both_gaps(asked: Asked) -> None:
    asked.write(980)
    asked.error = KeyyoError(503, "unavailable")
    asked.end_gap()
    assert ids(asked.run(1400)) == [[]] and asked.inquiry.since == 970 + 1e6
    asked.error = None
    asked.write(1390)
    asked.end_gap()
    assert ids(asked.run(1800)) == [["0", "1"]] and asked.inquiry.since is None
    asked.end_gap()
    assert ids(asked.run(2200)) == [[]]


def test_dead_network_during_the_next_outage_loses_nothing(asked: Asked) -> None:
    asked.write(980)
    asked.error = KeyyoError(503, "unavailable")
    asked.end_gap()
    asked.run(1010)
    asked.inquiry.is_down = True
    assert asked.run(1000 + HOUR) == []
    asked.inquiry.is_down, asked.error = False, None
    asked.write(1000 + HOUR / 2)
    asked.end_gap(HOUR - 10)
    answers = asked.run(1000 + 2 * HOUR)
    assert ids(answers) == [["0", "1"]]
    assert [answer.error for answer in answers] == [None]


def test_call_that_runs_through_two_gaps_is_reported_with_the_second(asked: Asked) -> None:
    asked.books = [(0, a_record("1", 980 + 1e6, 200))]
    asked.end_gap()
    assert ids(asked.run(1150)) == [[]]
    asked.now = 1190
    asked.inquiry.add(Gap(1160 + 1e6, 1190 + 1e6))
    assert ids(asked.run(1400)) == [["1"]]
    assert asked.windows[-1][0] <= 980


def test_running_call_of_the_last_moments_is_not_reported(asked: Asked) -> None:
    """It goes on after the gap, though its seconds so far would still fit."""
    asked.inquiry = Inquiry(
        TIMING._replace(quiet=2), lambda since, until: [
            a_record("1", 998 + 1e6, int(min(asked.now, 1030) - 998))
        ], lambda: asked.told, lambda: asked.now,
    )
    asked.end_gap()
    assert ids(asked.run(1400)) == [[]]


def test_window_reaches_back_to_the_start_of_a_stale_call(asked: Asked) -> None:
    asked.told = [a_told(500 + 1e6, connect=510 + 1e6, stale=True)]
    asked.books = [(0, a_record("1", 500 + 1e6, 470))]
    asked.end_gap()
    answer, = asked.run(1100)
    assert asked.windows[0] == (440, 1060)
    assert [record.call_id for _, record in answer.findings.ends] == ["1"]
    # A call without news for days would make every window as long.
    asked.told = [a_told(1e6 - 30 * HOUR, stale=True)]
    asked.inquiry.past.clear()
    asked.end_gap()
    asked.run(1400)
    assert asked.windows[-1] == (1070 - 60, 1100 + 60)


GAPS = st.lists(st.tuples(st.integers(1, 200), st.integers(1, 200)), min_size=1, max_size=8)


@given(GAPS, st.integers(0, 50), st.lists(st.booleans(), max_size=40))
def test_any_gaps_and_failures_report_each_call_once(
    gaps: List[Any], delay: int, failures: List[bool]
) -> None:
    """Each second of every gap has a call of its own; the history fails now and then."""
    asked, fails, answers = Asked(), iter(failures), []
    history = asked.ask

    def ask(since: float, until: float) -> List[CallRecord]:
        asked.error = OSError() if next(fails, False) else None
        return history(since, until)

    asked.inquiry = Inquiry(TIMING, ask, lambda: asked.told, lambda: asked.now)
    for heard, missed in gaps:
        answers += asked.run(asked.now + heard)
        asked.inquiry.is_down, begin = True, asked.now
        for second in range(0, missed, 20):
            asked.write(begin + second, begin + second + delay, caller=f"3319903{second:04}")
        answers += asked.run(asked.now + missed)
        asked.inquiry.is_down = False
        asked.end_gap(missed)
    answers += asked.run(asked.now + HOUR)
    found = [each for answer in ids(answers) for each in answer]
    assert sorted(found, key=int) == [record.call_id for _, record in asked.books]
    assert len([gap for answer in answers for gap in answer.gaps]) == len(gaps)


def test_gap_that_ends_during_a_request_is_asked_about_by_the_next_one(asked: Asked) -> None:
    """Its own limit is over when the request ends, which said nothing about it."""
    asked.end_gap()
    asked.now = asked.inquiry.due
    request = asked.inquiry.begin()
    assert asked.inquiry.due == NEVER
    asked.now = 1100
    asked.end_gap(20)
    assert asked.inquiry.since == 970 + 1e6
    asked.write(1090)
    asked.now = 1500
    answer = asked.inquiry.end(request)
    assert answer is None or len(answer.gaps) == 1
    asked.now = 1500
    assert [each for answer in ids(asked.run(2000)) for each in answer] == ["0"]


def test_request_that_ends_after_its_gap_is_forgotten_answers_nothing(asked: Asked) -> None:
    asked.write(980)
    asked.end_gap()
    request = asked.inquiry.begin()
    asked.inquiry.forget()
    asked.now = 1400
    asked.end_gap(1)
    request.run()
    assert asked.inquiry.end(request) is None and ids(asked.run(1500)) == [[]]


@pytest.mark.parametrize("hours, lasts, expected", [
    (1, 1, ["1"]),
    # It has ended before the gap, when the CTI told its end.
    (4, 1, []),
])
@pytest.mark.parametrize("fails", [False, True])
def test_call_that_ran_behind_a_gap_is_looked_for_until_its_end(
    asked: Asked, hours: int, lasts: int, expected: List[str], fails: bool
) -> None:
    start = asked.now - hours * HOUR
    asked.inquiry.running["1"] = start + 1e6
    if fails:
        asked.error = OSError("the network is dead")
        asked.end_gap()
        assert ids(asked.run(1400)) == [[]] and "1" in asked.inquiry.running
    asked.error = None
    asked.books.append((0.0, a_record("1", start + 1e6, int(lasts * HOUR))))
    asked.end_gap()
    assert ids(asked.run(2000)) == [expected] and asked.inquiry.running == {}
    assert asked.windows[-1][0] == start - 60


@pytest.mark.parametrize(("start", "hours", "expected"), [
    (980, 1, ["0"]), (980, 3, ["0"]),
    # A call that lasts for longer is looked for only if the history lists it meanwhile.
    (980, 5, []),
    # The CTI has told these.
    (960, 1, []), (1020, 1, []), (999, 1, []),
])
def test_call_that_is_listed_at_its_end_only_is_told_with_the_gap_of_its_end(
    asked: Asked, start: float, hours: int, expected: List[str]
) -> None:
    end = 1000 + hours * HOUR
    asked.write(start, appears=end, seconds=int(end - 10 - start))
    asked.end_gap()
    assert ids(asked.run(end - 60)) == [[]]
    asked.now = end
    asked.end_gap()
    assert ids(asked.run(end + 400)) == [expected]
    asked.end_gap()
    assert ids(asked.run(end + 1000)) == [[]]


def test_call_that_ran_more_than_a_day_ago_is_not_looked_for(asked: Asked) -> None:
    asked.inquiry.running["1"] = asked.now - 25 * HOUR + 1e6
    asked.end_gap()
    assert ids(asked.run(2000)) == [[]] and asked.inquiry.running == {}
    assert asked.windows[-1][0] == 970 - 60
