"""What a notebook shows of calls, results and errors."""

from __future__ import annotations

import sys
import time
from html.parser import HTMLParser
from typing import Any, Dict, List, Set

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyyo_cti._client.call_list import Calls
from keyyo_cti._display import html
from keyyo_cti._display.names import set_shown
from keyyo_cti.call import Call
from keyyo_cti.errors import (
    CommandTimeout,
    ConnectionClosed,
    KeyyoError,
    SessionEnded,
    from_server,
)
from keyyo_cti.results import Result, wrap

from ...helpers.running import Running
from ..test_call import FakeLine

ALICE, BOB = "33199000001", "33199020000"
NOW = 1_700_000_000
SCRIPT = "<script>alert(1)</script>"

#: All that showing makes by itself.
TAGS = {"div", "table", "tr", "td", "th", "span", "b", "br", "code"}


class Page(HTMLParser):
    """A page as a browser would read it: its elements, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Set[str] = set()
        self.attributes: Set[str] = set()
        self.words: List[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def read(thing: Any) -> Page:
    """What a notebook shows of a thing; of nothing but text and our own elements."""
    page = Page(thing._repr_html_())
    assert page.tags <= TAGS
    assert page.attributes <= {"style"}
    return page


def a_call(now: float = NOW, **fields: Any) -> Call:
    call = Call(FakeLine(now), "ref-1")
    call.update({"caller": BOB, "callee": ALICE, **fields})
    return call


def clock(date: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(date))


def test_a_call() -> None:
    """A call shows who with whom, in numbers as people write them, when, in local time, and for
    how long."""
    call = a_call(
        state="RELEASE", setup_date=NOW, connect_date=NOW + 7, release_date=NOW + 3_672
    )
    assert read(call).text == (
        f"ended from +33 1 99 02 00 00 to +33 1 99 00 00 01 began {clock(NOW)} rang 0:07 "
        f"talked 1:01:05 ended {clock(NOW + 3_672)} callref ref-1"
    )


def test_a_call_that_goes_on() -> None:
    """Durations run up to now while the call goes on."""
    call = a_call(NOW + 65, state="SETUP", setup_date=NOW)
    assert "rang 1:05" in read(call).text
    call = a_call(NOW + 65, state="CONNECT", setup_date=NOW, connect_date=NOW + 5)
    assert "rang 0:05 talked 1:00" in read(call).text


@pytest.mark.parametrize(
    "state, word",
    [("SETUP", "ringing"), ("CONNECT", "talking"), ("RELEASE", "ended"), ("MISSED", "missed")],
)
def test_states(state: str, word: str) -> None:
    """Each state is a word in a colour of its own."""
    call = a_call(state=state)
    assert read(call).text.startswith(word)
    colours = {colour for _, colour in html.STATES.values()}
    assert len(colours) == 4
    assert html.STATES[state][1] in call._repr_html_()


@pytest.mark.parametrize("state, word", [("HOLD", "HOLD"), (None, "unknown"), (["A"], "['A']")])
def test_other_states(state: Any, word: str) -> None:
    """A state that nobody knows is shown as it is."""
    assert read(a_call(state=state)).text.startswith(word)


def test_remarks() -> None:
    """A parked call says where, and a stale one that it may have ended."""
    call = a_call(state="CONNECT", callpark_slot="3")
    call.stale = True
    assert "parked in slot 3, may have ended" in read(call).text


def test_today() -> None:
    """What was today is shown without the day."""
    now = time.time()
    assert html.render_date(now) == clock(now).split()[1]


def test_calls() -> None:
    """The list of calls is a table with a row for each; its plain repr stays a list's."""
    calls: Any = Calls([a_call(state="MISSED"), a_call(state="SETUP")])
    calls.append(None)
    shown = read(calls).text
    assert shown.index("missed") < shown.index("ringing") < shown.index("None")
    assert repr(calls) == repr(list(calls))
    assert read(Calls()).text == "no calls"


def test_many_calls() -> None:
    """Of thousands of calls, the last hundred are shown, and how many came before them."""
    calls = Calls([a_call(caller=f"no-{number:04}") for number in range(1_000)])
    shown = read(calls).text
    assert "900 calls before these" in shown
    assert "no-0899" not in shown
    assert "no-0900" in shown and "no-0999" in shown


@pytest.mark.fault(33)
@pytest.mark.promise(10)
@pytest.mark.parametrize("field", ["caller", "callee", "state", "callpark_slot", "setup_date"])
@pytest.mark.parametrize("value", [SCRIPT, [SCRIPT], {SCRIPT: SCRIPT}, "\" onload='x'"])
def test_hostile_fields(field: str, value: Any) -> None:
    """Whatever a field of a call holds is text."""
    call = a_call(**{field: value})
    for thing in (call, Calls([call])):
        assert str(value) in read(thing).text


@pytest.mark.fault(33)
@pytest.mark.promise(10)
def test_hostile_callref() -> None:
    """So is a call's reference."""
    assert SCRIPT in read(Call(FakeLine(), SCRIPT)).text


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
CALL_FIELDS = (
    "caller", "callee", "state", "setup_date", "connect_date", "release_date", "callpark_slot"
)


@pytest.mark.slow
@settings(deadline=None, derandomize=True, database=None, max_examples=100)
@given(st.fixed_dictionaries({}, optional={name: ANY_JSON for name in CALL_FIELDS}))
def test_any_call(fields: Dict[str, Any]) -> None:
    """Whatever the server sends of a call can be shown, and sent on as UTF-8."""
    call = Call(FakeLine(NOW), "ref")
    call.update(fields)
    for thing in (call, Calls([call])):
        read(thing)
        thing._repr_html_().encode("utf-8")


@pytest.mark.slow
@settings(deadline=None, derandomize=True, database=None, max_examples=100)
@given(ANY_JSON)
def test_any_result_and_error(value: Any) -> None:
    """So can whatever it sends as a result, or as an error."""
    result = wrap({"number": value, "now": value, "numbers": [value], "x": {"y": value}})
    for thing in (result, from_server(value), from_server({"message": value})):
        read(thing)
        thing._repr_html_().encode("utf-8")


def test_a_lone_surrogate() -> None:
    """What is no Unicode text is escaped."""
    assert "\\ud800" in read(a_call(caller="\ud800")).text


def test_a_long_name() -> None:
    """A name as long as a message is cut."""
    assert len(read(a_call(caller="x" * 1_000_000)).text) < 500


def test_a_thing_that_cannot_be_written() -> None:
    """A thing of the program's own that has no text is shown by its kind."""

    class Shy:
        def __str__(self) -> str:
            raise RuntimeError

    assert "<Shy>" in read(a_call(caller=Shy())).text


def test_a_date_out_of_this_world() -> None:
    """A date that no calendar has is shown as it was sent."""
    assert "1e+300" in read(a_call(setup_date=1e300)).text


def test_a_result() -> None:
    """A result is a table of its fields, numbers and the time as people write them."""
    result = wrap({"number": ALICE, "now": NOW, "numbers": [ALICE, "callpark"], "x": {"y": 1}})
    assert read(result).text == (
        f"number +33 1 99 00 00 01 now {clock(NOW)} "
        "numbers +33 1 99 00 00 01 callpark x y 1"
    )
    assert read(Result()).text == "empty"


@pytest.mark.promise(10)
@pytest.mark.parametrize("name", ["session_id", "token", "csi_token", "Access_Token"])
def test_secrets(name: str) -> None:
    """No session id and no token is shown, at whatever depth."""
    secret: Any = {name: "CANARY"}
    for thing in (wrap(secret), wrap({"a": [secret]}), Result(a={"b": [secret]})):
        assert "CANARY" not in thing._repr_html_()
    assert "hidden" in read(wrap(secret)).text
    assert "CANARY" not in repr(wrap({"a": [secret]}))


def test_a_deep_result() -> None:
    """A result is shown down to a depth at which nobody is lost."""
    deep: Any = "CANARY"
    for _ in range(5_000):
        deep = [deep]
    shown = read(Result(a=deep)).text
    assert "…" in shown and "CANARY" not in shown


def test_a_long_result() -> None:
    """A long result is cut, and says so."""
    shown = read(wrap({"numbers": [str(number) for number in range(10_000)]})).text
    assert "and 9900 more" in shown
    assert len(shown) < 1_000


def test_an_error() -> None:
    """An error shows its status, the server's words, its code and its hint."""
    shown = read(KeyyoError(400, f"No {SCRIPT}", "code", "hint & more")).text
    assert shown == f"400 No {SCRIPT} code hint & more"
    assert read(KeyyoError(500, "Oops")).text == "500 Oops"
    assert "408" in read(CommandTimeout("call", 1)).text


@pytest.mark.parametrize("sent, words", [(False, "it was never sent"), (True, "unknown")])
def test_a_closed_connection(sent: bool, words: str) -> None:
    """The end of the connection says what became of the command."""
    assert words in read(ConnectionClosed(sent, "hint")).text
    ended = read(SessionEnded("newCall", "closed")).text
    assert "closed" in ended and words not in ended, "wait_for sends nothing"


def test_nothing_is_imported_before_it_is_needed() -> None:
    """``import keyyo_cti``, and its notebook too, import nothing of what shows things."""
    program = (
        "import sys; import keyyo_cti, keyyo_cti.notebook; print([name for name in "
        "('keyyo_cti._display.html', 'phonenumbers', 'matplotlib', 'ipywidgets', 'IPython') "
        "if name in sys.modules])"
    )
    with Running("-c", program) as running:
        assert running.end() == 0, running.rest("err")
        assert running.rest() == ["[]"]


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without phonenumbers, numbers are shown as they are."""
    from keyyo_cti._display import telephone_number

    telephone_number._grouped.cache_clear()
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    assert f"from {BOB}" in read(a_call()).text
    telephone_number._grouped.cache_clear()


class Names:
    """One name for every number."""

    def name_of(self, number: Any) -> str:
        return "<b>Bob</b> \u202e& Co"


def test_tables_of_calls_show_names_beside_numbers_as_text() -> None:
    set_shown(Names())
    try:
        shown = [read(a_call()), read(Calls([a_call()]))]
    finally:
        set_shown(None)
    for page in shown:
        assert page.text.count("<b>Bob</b> \\u202e& Co +33 1 99 0") == 2
    assert "Bob" not in read(a_call()).text
