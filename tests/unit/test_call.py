"""A call: its fields, its durations, its commands."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import sys
import weakref
from concurrent.futures import Future
from typing import Any, Callable, Dict, List, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyyo_cti._client.call_list import Calls
from keyyo_cti._client.callback import Callback
from keyyo_cti._client.wire import Command
from keyyo_cti.call import Call
from keyyo_cti.errors import KeyyoError

from ..helpers.methods import CALLREF, USES, WRONG, Method, Use, name_use


class FakeLine:
    """Keeps what it is asked, and has the time that it is given."""

    def __init__(self, time: float = 0.0) -> None:
        self.time = time
        self.sent: List[Dict[str, Any]] = []
        self.callbacks: List[Optional[Callback]] = []

    def ask(
        self, make: Callable[..., Command], arguments: Any, callback: Optional[Callback]
    ) -> "Future[Any]":
        future: "Future[Any]" = Future()
        self.callbacks.append(callback)
        try:
            self.sent.append(json.loads(make(*arguments).encode(1)))
        except KeyyoError as error:
            future.set_exception(error)
        return future

    def server_time(self) -> float:
        return self.time

    def check_process(self) -> None:
        pass


@pytest.fixture
def line() -> FakeLine:
    return FakeLine()


@pytest.fixture
def call(line: FakeLine) -> Call:
    return Call(line, "ref-1")


def answered(error: Optional[KeyyoError], result: Any) -> None:
    """A callback."""


def test_fields(call: Call) -> None:
    """What the server sent is there by attribute and by key, unknown fields included."""
    call.update({"callref": "ref-1", "caller": "33", "codec": {"name": "g722"}})
    assert (call.callref, call.caller, call["caller"]) == ("ref-1", "33", "33")
    assert getattr(call, "codec") == {"name": "g722"}


@pytest.mark.parametrize(
    "name",
    ["caller", "callee", "state", "type", "setup_date", "connect_date", "release_date"]
    + ["callpark_slot"],
)
def test_not_known_yet(call: Call, name: str) -> None:
    """A documented attribute that the server has not sent is None."""
    assert getattr(call, name) is None


def test_slip_of_the_pen(call: Call) -> None:
    """Any other attribute raises, and says what there is."""
    call.update({"caller": "33"})
    with pytest.raises(AttributeError, match=r"'calle' .*\['caller'\]"):
        getattr(call, "calle")
    with pytest.raises(KeyError):
        call["callee"]


def test_update_replaces(call: Call) -> None:
    """A field that is not sent any more is gone, as in JavaScript."""
    call.update({"caller": "33", "callpark_slot": 3})
    call.update({"caller": "34"})
    assert (call.caller, call.callpark_slot) == ("34", None)
    assert dict(call.fields) == {"caller": "34"}


def test_fields_are_read_only(call: Call) -> None:
    """The fields can be looked at as a whole, and what is seen does not change."""
    call.update({"caller": "33"})
    seen = call.fields
    with pytest.raises(TypeError, match="read-only"):
        seen["caller"] = "34"  # type: ignore[index]
    call.update({})
    assert seen == {"caller": "33"}


FIELDS = {"callref": "ref-1", "caller": "33", "state": "SETUP", "codec": {"name": "g722"}}


@pytest.mark.parametrize(
    "read",
    [
        dict, lambda call: {**call}, lambda call: {name: call[name] for name in call.keys()},
        lambda call: dict(call.fields),
        lambda call: json.loads(json.dumps(call.fields)),
        lambda call: json.loads(json.dumps(dict(call))),
        lambda call: copy.copy(call.fields), lambda call: copy.deepcopy(call.fields),
        lambda call: pickle.loads(pickle.dumps(call.fields)),
        lambda call: {name: call.get(name) for name in call},
    ],
)
def test_call_can_be_read_as_a_dict(call: Call, read: Any) -> None:
    call.update(dict(FIELDS))
    taken = read(call)
    call.update({"callref": "ref-1", "state": "CONNECT"})
    assert taken == FIELDS


def test_get_has_a_default_for_what_was_not_sent(call: Call) -> None:
    call.update({"caller": None})
    assert call.get("caller", "?") is None and call.get("callee") is None
    assert call.get("callee", "?") == "?" and "callee" not in call and "caller" in call


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, pickle.dumps])
def test_copy_and_pickle_of_a_call_say_what_to_take_instead(call: Call, twin: Any) -> None:
    for value in (call, [call], {"call": call}):
        if twin is copy.copy and value is not call:
            continue  # A shallow copy holds the same Call.
        with pytest.raises(TypeError, match=r"Call cannot be .*: dict\(call\) or call.fields"):
            twin(value)


@pytest.mark.parametrize(
    "name, meant",
    [
        ("hangup", "hang_up"), ("hangUp", "hang_up"), ("getDuration", "get_duration"),
        ("CallRef", "callref"), ("call_ref", "callref"), ("setupDate", "setup_date"),
        ("supervisedTransfer", "supervised_transfer"), ("Caller", "caller"), ("codecs", "codec"),
        ("on_setup", "onSetup"), ("isStale", "stale"),
    ],
)
def test_misspelt_name_is_suggested(call: Call, name: str, meant: str) -> None:
    call.update(dict(FIELDS))
    with pytest.raises(AttributeError, match=rf"{name!r} .*; did you mean {meant}\?"):
        getattr(call, name)
    assert not hasattr(call, name) and getattr(call, name, 3) == 3


@pytest.mark.parametrize("name", ["items", "values", "copy"])
def test_other_methods_of_a_dict_are_those_of_the_fields(call: Call, name: str) -> None:
    with pytest.raises(AttributeError, match=rf"use call\.fields\.{name}\(\)"):
        getattr(call, name)
    assert callable(getattr(call.fields, name))


@pytest.mark.parametrize(
    "name, words",
    [
        ("hang_up", "each call in it has hang_up"), ("hangUp", "each call in it has hang_up"),
        ("caller", "each call in it has caller"), ("length", r"use len\(calls\)"),
        ("apend", "did you mean append"), ("weather", "'weather'$"),
        ("_repr_png_", "'_repr_png_'$"),
    ],
)
def test_list_of_calls_names_what_its_calls_have(line: FakeLine, name: str, words: str) -> None:
    with pytest.raises(AttributeError, match=words):
        getattr(Calls([Call(line, "a")]), name)


def test_copy_of_a_list_of_calls_holds_the_same_calls(line: FakeLine) -> None:
    calls = Calls([Call(line, "a")])
    assert copy.copy(calls) == calls == calls.copy()


def test_type_is_state(call: Call) -> None:
    """type is the same as state, as in the page's own example."""
    call.update({"state": "CONNECT"})
    assert call.type == call.state == "CONNECT"


def test_attributes_of_the_programs_own(call: Call) -> None:
    """A program may keep things of its own at a call, and they survive the notifications."""
    setattr(call, "note", "a good customer")
    call.update({"caller": "33"})
    assert getattr(call, "note") == "a good customer"


def test_the_servers_names_do_no_harm(call: Call) -> None:
    """A field of the server's with the name of a method or of our own does not replace it."""
    call.update({"answer": 1, "_line": 2, "_fields": 3, "callref": "other", "onSetup": 4})
    assert callable(call.answer)
    assert call.callref == "ref-1"
    assert call.onSetup is None
    assert call["answer"] == 1


@pytest.mark.parametrize(
    "state, ended",
    [
        ("SETUP", False),
        ("CONNECT", False),
        ("RELEASE", True),
        ("MISSED", True),
        ("release", False),
        (None, False),
        (["RELEASE"], False),
        ({}, False),
    ],
)
def test_ended(call: Call, state: Any, ended: bool) -> None:
    """A call is over once it is released or missed, whatever else the server calls a state."""
    call.update({"state": state})
    assert call.ended is ended


def test_repr(call: Call) -> None:
    """A call prints as who calls whom and how it stands."""
    assert repr(call) == "<Call ref-1 ? -> ? unknown>"
    call.update({"caller": "33", "callee": "34", "state": "SETUP"})
    assert repr(call) == "<Call ref-1 33 -> 34 SETUP>"


SETUP, CONNECT, RELEASE, NOW = 1000, 1010, 1070, 1100


@pytest.mark.parametrize(
    "fields, talking, ringing",
    [
        ({}, 0, 0),
        ({"state": "SETUP", "setup_date": SETUP}, 0, 100),
        ({"state": "CONNECT", "setup_date": SETUP, "connect_date": CONNECT}, 90, 10),
        (
            {
                "state": "RELEASE",
                "setup_date": SETUP,
                "connect_date": CONNECT,
                "release_date": RELEASE,
            },
            60,
            10,
        ),
        ({"state": "RELEASE", "setup_date": SETUP, "release_date": RELEASE}, 0, 70),
        ({"state": "MISSED", "setup_date": SETUP, "release_date": RELEASE}, 0, 70),
        (
            {
                "state": "MISSED",
                "setup_date": SETUP,
                "connect_date": RELEASE,
                "release_date": RELEASE,
            },
            0,
            70,
        ),
        ({"setup_date": str(SETUP), "connect_date": f"{CONNECT}.5"}, 89, 10),
        ({"setup_date": SETUP, "connect_date": None, "release_date": None}, 0, 100),
        ({"setup_date": NOW + 50, "connect_date": NOW + 60}, 0, 10),
        ({"setup_date": RELEASE, "connect_date": SETUP, "release_date": SETUP}, 0, 0),
        ({"setup_date": "noon", "connect_date": True}, 0, 0),
        ({"setup_date": SETUP, "connect_date": "noon"}, 0, 100),
    ],
)
def test_durations(fields: Dict[str, Any], talking: int, ringing: int) -> None:
    """Talking lasts from the pick-up, ringing from the set-up to the pick-up; both last to the
    end or to now, in whole seconds of the server, and never less than none."""
    call = Call(FakeLine(NOW), "ref")
    call.update(fields)
    assert (call.get_duration(), call.get_ringing_duration()) == (talking, ringing)
    assert type(call.get_duration()) is type(call.get_ringing_duration()) is int


ANY_DATE: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just([])
)


@settings(deadline=None, derandomize=True, database=None, max_examples=60)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "setup_date": ANY_DATE,
            "connect_date": ANY_DATE,
            "release_date": ANY_DATE,
            "state": st.sampled_from(["SETUP", "CONNECT", "RELEASE", "MISSED"]),
        },
    )
)
def test_any_dates(fields: Dict[str, Any]) -> None:
    """Whatever dates the server sends, the durations are whole seconds and not negative."""
    call = Call(FakeLine(1.7e9), "ref")
    call.update(fields)
    for duration in (call.get_duration(), call.get_ringing_duration()):
        assert type(duration) is int
        assert duration >= 0


@pytest.mark.fault(38)
@pytest.mark.parametrize("unknown", [0, "0", 0.0, "", "noon", None, -5, True, [], {}])
@pytest.mark.parametrize(
    "state, date, talking, ringing",
    [
        ("SETUP", "connect_date", 0, 100),
        ("SETUP", "release_date", 0, 100),
        ("CONNECT", "release_date", 90, 10),
        ("CONNECT", "setup_date", 90, 0),
        ("RELEASE", "connect_date", 0, 70),
        ("RELEASE", "setup_date", 60, 0),
        ("RELEASE", "release_date", 90, 10),
        ("MISSED", "connect_date", 0, 70),
        ("MISSED", "release_date", 0, 100),
    ],
)
def test_date_that_is_none_is_unknown(
    state: str, date: str, talking: int, ringing: int, unknown: Any
) -> None:
    """0, "" and junk are no dates: neither the year 1970 nor an end. An end without a date is
    when it was notified."""
    fields: Dict[str, Any] = {"state": state, "setup_date": SETUP}
    if state in ("CONNECT", "RELEASE"):
        fields["connect_date"] = CONNECT
    if state in ("RELEASE", "MISSED"):
        fields["release_date"] = RELEASE
    line = FakeLine(NOW)
    call = Call(line, "ref")
    call.update({**fields, date: unknown})
    assert (call.get_duration(), call.get_ringing_duration()) == (talking, ringing)
    line.time += 50
    counts = state in ("SETUP", "CONNECT")
    assert call.get_duration() == talking + (50 if talking and counts else 0)
    assert call.get_ringing_duration() == ringing + (50 if state == "SETUP" else 0)


@pytest.mark.fault(38)
@pytest.mark.parametrize("state", ["RELEASE", "MISSED"])
@pytest.mark.parametrize("dates", [{}, {"release_date": ""}, {"connect_date": CONNECT}])
def test_ended_call_never_counts_up(state: str, dates: Dict[str, Any]) -> None:
    """Without a date of its own, a call ended when that was received, also if it is notified
    again; and a date that comes later is better."""
    line = FakeLine(NOW)
    call = Call(line, "ref")
    call.update({"state": state, "setup_date": SETUP, **dates})
    at_first = call.get_duration(), call.get_ringing_duration()
    line.time += 50
    call.update({"state": state})
    assert (call.get_duration(), call.get_ringing_duration()) == at_first
    line.time += 50
    assert (call.get_duration(), call.get_ringing_duration()) == at_first
    assert call.release_date is None
    call.update({"state": state, "setup_date": SETUP, **dates, "release_date": RELEASE})
    talked = 60 if state == "RELEASE" and "connect_date" in dates else 0
    assert call.get_duration() == talked


@pytest.mark.fault(38)
def test_dates_that_are_not_sent_any_more_still_count() -> None:
    """The attribute is gone, as in JavaScript; durations keep the last known date."""
    call = Call(FakeLine(NOW), "ref")
    call.update({"state": "SETUP", "setup_date": SETUP})
    call.update({"state": "CONNECT", "connect_date": CONNECT})
    assert (call.setup_date, call.connect_date) == (None, CONNECT)
    assert (call.get_duration(), call.get_ringing_duration()) == (90, 10)
    call.update({"state": "CONNECT", "callpark_slot": "3"})
    assert (call.connect_date, call.callpark_slot) == (None, "3")
    assert (call.get_duration(), call.get_ringing_duration()) == (90, 10)
    call.update({"state": "RELEASE", "release_date": RELEASE})
    assert dict(call.fields) == {"state": "RELEASE", "release_date": RELEASE}
    assert (call.get_duration(), call.get_ringing_duration()) == (60, 10)


def test_end_that_is_told_again_without_its_date_stays() -> None:
    """A call that is told to have ended again did not end later."""
    line = FakeLine(NOW)
    call = Call(line, "ref")
    dates = {"setup_date": SETUP, "connect_date": CONNECT}
    call.update({"state": "RELEASE", **dates, "release_date": RELEASE})
    line.time += 50
    call.update({"state": "RELEASE", **dates})
    assert (call.get_duration(), call.get_ringing_duration()) == (60, 10)


@pytest.mark.parametrize(
    "fields, ringing",
    [
        ({"state": "SETUP", "setup_date": NOW - 5}, 5),
        ({"state": "MISSED", "setup_date": NOW - 5}, 5),
        ({"state": "SETUP"}, 0),
    ],
)
def test_dates_of_another_call_of_that_reference_do_not_count(
    fields: Dict[str, Any], ringing: int
) -> None:
    """A reference that is given to another call brings none of the old one's dates."""
    call = Call(FakeLine(NOW), "ref")
    call.update({
        "state": "RELEASE", "setup_date": SETUP, "connect_date": CONNECT, "release_date": RELEASE,
    })
    call.update(fields)
    assert (call.get_duration(), call.get_ringing_duration()) == (0, ringing)


def test_dates_too_far_apart(call: Call) -> None:
    """Even dates whose distance is no number any more have a duration."""
    call.update({"connect_date": -1.7e308, "release_date": 1.7e308, "setup_date": -1.7e308})
    assert call.get_duration() >= 0
    assert call.get_ringing_duration() >= 0


def of_call(line: FakeLine, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Return the arguments with a Call where a method takes one."""
    return {
        name: Call(line, value) if name == "second_call" else value
        for name, value in arguments.items()
    }


@pytest.mark.parametrize(
    ("method", "use"), [each for each in USES if each[0].owner == "Call"], ids=name_use
)
@pytest.mark.parametrize("callback", [None, answered])
def test_command(
    line: FakeLine, method: Method, use: Use, callback: Optional[Callback]
) -> None:
    """Each method asks for its action with the call's reference; the callback comes last,
    directly after what is given of the optional arguments, or not at all."""
    given_last = () if callback is None else (callback,)
    call, arguments = Call(line, CALLREF), of_call(line, use.arguments)
    future = getattr(call, method.name)(*arguments.values(), *given_last)
    assert isinstance(future, Future)
    assert line.sent == [
        {"action": method.action, "id": 1, "call_ref": CALLREF, **use.fields}
    ]
    assert line.callbacks == [callback]


def test_optional_arguments_by_keyword(line: FakeLine, call: Call) -> None:
    """Optional arguments can be given by keyword, with and without a callback."""
    call.park("caller", slot=2, callback=answered)
    call.park("caller", callback=answered)
    call.supervised_transfer("callee", to="33", invite_timer=5)
    call.supervised_transfer("callee", to="33", callback=answered)
    assert [sent.get("slot") for sent in line.sent] == [2, None, None, None]
    assert [sent.get("invite_timer") for sent in line.sent] == [None, None, 5, None]
    assert line.callbacks == [answered, answered, None, answered]


@pytest.mark.parametrize("second", [None, "ref-2", 3, {"callref": "ref-2"}])
def test_merge_with_no_call(line: FakeLine, call: Call, second: Any) -> None:
    """A second call that is none is refused, and nothing is sent."""
    error = call.merge("caller", second, "callee").exception(0)
    assert isinstance(error, KeyyoError)
    assert (error.status_code, error.error_code) == (400, "invalid_params")
    assert error.message.startswith("second_call: expected a Call, got ")
    assert line.sent == []


def test_merge_with_a_call_of_another(line: FakeLine, call: Call) -> None:
    """So is a call of another CTI."""
    error = call.merge("caller", Call(FakeLine(), "ref-2"), "callee").exception(0)
    assert isinstance(error, KeyyoError)
    assert error.message == "second_call: expected a Call of the same CTI"
    assert line.sent == []


@pytest.mark.parametrize(
    ("method", "argument"), [each for each in WRONG if each[0].owner == "Call"], ids=name_use
)
def test_wrong_value(line: FakeLine, method: Method, argument: str) -> None:
    """A wrong value goes to the Future as 400 invalid_params that names the argument."""
    call = Call(line, CALLREF)
    before = of_call(line, method.before(argument)).values()
    after = of_call(line, method.after(argument)).values()
    for value in method.wrong[argument]:
        error = getattr(call, method.name)(*before, value, *after, answered).exception(0)
        assert (error.status_code, error.error_code) == (400, "invalid_params")
        assert error.message.startswith(f"{argument}: expected ")
    assert line.sent == []


@pytest.mark.skipif(
    not hasattr(sys, "get_int_max_str_digits"), reason="this Python writes any integer")
@pytest.mark.parametrize("huge", [10 ** 5000, -10 ** 5000], ids=["huge", "huge and negative"])
def test_slot_that_python_refuses_to_write(line: FakeLine, call: Call, huge: int) -> None:
    error = call.park("caller", huge).exception(0)
    assert isinstance(error, KeyyoError)
    assert error.message.startswith("slot: expected ") and line.sent == []


@pytest.mark.parametrize("name", ["transfer", "supervised_transfer", "park", "merge"])
def test_missing_argument(call: Call, name: str) -> None:
    """An argument that is left out raises TypeError at once."""
    with pytest.raises(TypeError):
        getattr(call, name)()


def test_events(call: Call) -> None:
    """A call has just its four events."""
    call.on("setup, connect, release, missed", print)
    call.onSetup = call.onConnect = call.onRelease = call.onMissed = print
    assert call.handlers("missed") == [print, print]
    with pytest.raises(AttributeError, match="onHangup"):
        setattr(call, "onHangup", print)
    with pytest.raises(AttributeError, match="did you mean onSetup"):
        setattr(call, "on_setup", print)
    with pytest.raises(TypeError, match="newCall"):
        call.on("newCall", print)


def test_nothing_keeps_a_call(line: FakeLine) -> None:
    """A call that nobody holds is gone at once, without waiting for the garbage collector."""
    gc.disable()
    try:
        call = Call(line, "ref")
        call.onSetup = print
        gone = weakref.ref(call)
        del call
        assert gone() is None
    finally:
        gc.enable()


def test_a_list_of_calls(line: FakeLine) -> None:
    """The list of calls is a list, equal to one, and so is a part of it."""
    several = [Call(line, "a"), Call(line, "b"), Call(line, "c")]
    calls = Calls(several)
    assert isinstance(calls, list)
    assert calls == several
    assert calls[1] is several[1]
    assert calls[-2:] == several[-2:]
    assert type(calls[-2:]) is Calls


def test_repr_commands_no_terminal() -> None:
    """What a server may put into a call is printed as text, in one line."""
    call = Call(FakeLine(), "c\x1b[2J")
    call.update({"caller": "\x1b[31mevil\n", "callee": ["\x07"], "state": "SETUP\r"})
    assert repr(call).isprintable() and "evil" in repr(call)
