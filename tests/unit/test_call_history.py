"""Records of the call history."""

from __future__ import annotations

import copy
import pickle
from typing import Any, Dict, Optional

import pytest

from keyyo_cti.call_history import CallRecord, HistoryDirection, read_record

LINE, FRIEND = "33199000001", "33199000102"

#: As Keyyo sends an incoming call: numbers as text, and "caller" often null.
SENT: Dict[str, Any] = {
    "call_id": "a-1", "start_time": "1700000000", "caller": f"+{FRIEND}", "caller_raw": FRIEND,
    "callee": f"+{LINE}", "callee_raw": LINE, "quantity": "61", "unit": "second",
}


def read(direction: HistoryDirection = "in", **changes: Any) -> CallRecord:
    record = read_record({**SENT, **changes}, LINE, direction)
    assert record is not None
    return record


def test_record_of_an_incoming_call_has_its_fields() -> None:
    record = read()
    assert (record.call_id, record.csi, record.start_time) == ("a-1", LINE, 1_700_000_000)
    assert (record.caller, record.callee, record.other) == (FRIEND, LINE, FRIEND)
    assert (record.direction, record.unit, record.seconds) == ("in", "second", 61)
    assert (record.answered, record.missed, record.fields["quantity"]) == (True, False, "61")
    assert str(record.start) == "2023-11-14 23:13:20+01:00"
    assert read("out").other == LINE


@pytest.mark.parametrize(
    ("direction", "quantity", "seconds", "answered", "missed"),
    [
        ("in", "0", 0, False, True), ("in", 0, 0, False, True), ("out", "0", 0, None, False),
        ("out", 5, 5, True, False), ("in", "7.0", 7, True, False), ("in", None, None, None, False),
        ("in", "many", None, None, False), ("in", True, None, None, False),
        ("in", "-1", None, None, False), ("in", "1e400", None, None, False),
        ("in", "1e30", None, None, False),
    ],
)
def test_quantity_in_any_form_gives_seconds_and_answered(
    direction: HistoryDirection,
    quantity: Any,
    seconds: Optional[int],
    answered: Optional[bool],
    missed: bool,
) -> None:
    record = read(direction, quantity=quantity)
    assert (record.seconds, record.answered, record.missed) == (seconds, answered, missed)


@pytest.mark.parametrize("unit", ["sms", "ko", "Mo", "mms", "textmms"])
def test_message_has_no_seconds_and_is_not_missed(unit: str) -> None:
    record = read(unit=unit, quantity="0")
    assert not record.is_call and not record.missed
    assert (record.unit, record.seconds, record.answered) == (unit, None, None)
    assert repr(record).endswith(f" {unit!r}>")


@pytest.mark.parametrize(
    ("fields", "caller"),
    [
        ({"caller_raw": None, "caller": f"+{FRIEND}"}, FRIEND),
        ({"caller_raw": "", "caller": "01 99 00 01 02"}, FRIEND),
        ({"caller_raw": int(FRIEND)}, FRIEND),
        ({"caller_raw": "7701"}, "7701"),
        ({"caller_raw": None, "caller": None}, None),
        ({"caller_raw": None, "caller": None, "actual_caller": "33199000009"}, "33199000009"),
        ({"caller_raw": None, "caller": " ", "actual_caller": "+33199000009"}, "33199000009"),
        ({"caller_raw": None, "caller": "anonymous", "actual_caller": "33199000009"}, None),
        ({"caller_raw": "Restricted", "caller": "x"}, None),
        ({"caller_raw": [1]}, FRIEND),
        ({"caller_raw": "1" * 100_000}, None),
        ({"caller_raw": "\ud800"}, None),
    ],
)
def test_caller_in_any_form_is_digits_or_none(
    fields: Dict[str, Any], caller: Optional[str]
) -> None:
    record = read(**fields)
    assert record.caller == caller
    assert ("hidden" in repr(record)) == (caller is None)


@pytest.mark.parametrize("start_time", [None, "", "0", 0, "soon", [], True, "1e400", -5])
def test_fields_without_a_date_are_no_record(start_time: Any) -> None:
    assert read_record({**SENT, "start_time": start_time}, LINE, "in") is None


def test_start_time_as_a_number_is_that_of_text() -> None:
    assert read(start_time=1_700_000_000) == read()


def test_call_id_that_is_missing_is_made_of_the_other_fields() -> None:
    first, second = read(call_id=None), read(call_id="", start_time="1700000001")
    assert first.call_id and first.call_id != second.call_id
    assert first == read(call_id=None)
    assert read(call_id=17).call_id == "17"


def test_records_of_the_same_content_are_equal_and_hashable() -> None:
    record = read()
    assert {record, read(), read(quantity="62")} == {record, read(quantity="62")}
    assert record != "a-1"


def test_record_cannot_be_changed_but_copied_and_pickled() -> None:
    record = read()
    with pytest.raises(AttributeError):
        record.seconds = 5
    with pytest.raises(AttributeError):
        del record.caller
    with pytest.raises(TypeError):
        record.fields["quantity"] = "0"  # type: ignore[index]
    assert pickle.loads(pickle.dumps(record)) == copy.deepcopy(record) == record


def test_record_of_an_account_reads_national_numbers_as_french() -> None:
    record = read_record({**SENT, "callee_raw": "0199000001"}, None, "in")
    assert record is not None and (record.csi, record.callee) == (None, LINE)
    mailbox = read_record({**SENT, "callee_raw": "0199000001"}, "office@example.org", "in")
    assert mailbox is not None and mailbox.callee == LINE
