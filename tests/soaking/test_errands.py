"""What came of a command is looked at: once, with one of the two, and the same everywhere."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, List, Optional

import pytest

from keyyo_cti import CommandTimeout, ConnectionClosed, ConnectionFailed, KeyyoError
from keyyo_cti.results import wrap

from .diary import Called, Diary
from .errands import (
    DONE,
    FAILED,
    REFUSED,
    TIMED_OUT,
    UNKNOWN,
    UNSENT,
    Errand,
    Errands,
    What,
)
from .findings import LOST, REPEATED, WRONG, Findings
from .tally import Tally

ECHO = What("int_to_local", "get_int_to_local_numbers", echo="33199000001")
INVALID_PARAMS = KeyyoError(400, "message: expected a string", "invalid_params")


class House:
    """The errands of one client, and what is found."""

    def __init__(self) -> None:
        self.tally, self.findings, self.diary = Tally(), Findings(), Diary()
        self.errands = Errands("alice", self.tally, self.findings)

    def begin(self, what: What = ECHO, has_callback: bool = True, tag: int = 1) -> Errand:
        return self.errands.begin(what, tag, has_callback, self.diary)

    def found(self) -> List[str]:
        return [finding.kind for finding in self.findings.first()]


@pytest.fixture
def house() -> House:
    return House()


def done(error: Optional[KeyyoError] = None, result: Any = None) -> "Future[Any]":
    future: "Future[Any]" = Future()
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
    return future


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, DONE),
        (KeyyoError(400, "RPC invalid params", "invalid_params"), REFUSED),
        (CommandTimeout("ping", 1.0), TIMED_OUT),
        (ConnectionClosed(True), UNKNOWN),
        (ConnectionClosed(False), UNSENT),
        (ConnectionFailed("why"), FAILED),
    ],
)
@pytest.mark.parametrize("has_callback", [True, False])
def test_outcomes(
    house: House, error: Optional[KeyyoError], outcome: str, has_callback: bool
) -> None:
    """What comes of a command is told by its callback or by its Future; both are good."""
    errand = house.begin(has_callback=has_callback)
    result = wrap({"number": "33199000001"}) if error is None else None
    errand.future = done(error, result)
    assert errand.outcome() == outcome
    if has_callback:
        errand.callback(error, result)
    house.errands.settle()
    assert house.found() == [] and house.tally.counts() == {outcome: 1}
    answered = outcome in (DONE, REFUSED)
    assert house.errands.answered(1) == answered
    assert house.errands.calls_back(1) == (has_callback and outcome != TIMED_OUT)
    unseen = outcome in (UNSENT, FAILED)
    assert house.errands.unseen() == ([1] if unseen else [])
    assert house.errands.sent("get_int_to_local_numbers") == (0 if unseen else 1)
    written = [entry for entry in house.diary.tear_out() if isinstance(entry, Called)]
    assert len(written) == has_callback


def test_invalid(house: House) -> None:
    """A command that the SDK refuses must not be seen; one that it should refuse must be."""
    errand = house.begin(What("send_message", invalid=True))
    errand.callback(INVALID_PARAMS, None)
    errand.future = done(INVALID_PARAMS)
    house.errands.settle()
    assert house.errands.unseen() == [1] and house.found() == []
    errand = house.begin(What("send_message", invalid=True), tag=2)
    errand.callback(None, 1)
    errand.future = done(None, 1)
    house.errands.settle()
    assert house.found() == [WRONG]


@pytest.mark.parametrize("settled", [True, False])
def test_doubled_callback(house: House, settled: bool) -> None:
    """A callback that is called again is a repetition, however late."""
    errand = house.begin(What("ping"))
    errand.future = done(None, 1)
    errand.callback(None, 1)
    if settled:
        house.errands.settle()
    errand.callback(None, 1)
    house.errands.settle()
    assert house.found() == [REPEATED]
    assert len(house.diary.tear_out()) == 1


def test_never_called(house: House) -> None:
    """A callback that is never called is a loss, and so is a Future without an end."""
    house.begin(tag=1).future = done(None, 1)
    errand = house.begin(What("ping"), tag=2)
    errand.future = Future()
    errand.callback(None, 1)
    house.begin(has_callback=False, tag=3).future = Future()
    house.errands.settle()
    assert house.found() == [] and house.tally.total() == 0, "they are waited for"
    house.errands.settle_all()
    assert house.found() == [LOST, LOST, LOST]


ERROR = KeyyoError(500, "no")


@pytest.mark.parametrize(
    ("called", "future"),
    [
        ((None, wrap({"number": "2"})), done(None, wrap({"number": "1"}))),
        ((ERROR, None), done(KeyyoError(500, "no"))),
        ((None, 1), done(ERROR)),
        ((ERROR, 1), done(ERROR)),
        ((None, None), done(None, None)),
    ],
)
def test_callback_and_future_that_differ(house: House, called: Any, future: Any) -> None:
    """Callback and Future get the very same, and exactly one of error and result."""
    errand = house.begin(What("ping"))
    errand.future = future
    errand.callback(*called)
    house.errands.settle()
    assert house.found() == [WRONG]


def test_answer_of_another_command(house: House) -> None:
    """An answer that belongs to another command is found."""
    errand = house.begin(has_callback=False)
    errand.future = done(None, wrap({"number": "33199000002"}))
    house.errands.settle()
    assert house.found() == [WRONG]
