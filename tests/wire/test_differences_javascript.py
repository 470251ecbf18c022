"""Each row of "All differences" in samples/PORTING.md, on the side of JavaScript.

What the recordings show is read from them. The rest runs on the stand-in, which passes the
recordings. The last tests bind the rows to the tests of both sides, both ways.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Set

import pytest

from keyyo_cti.simulator.sockjs import Connection

from ..docs.guide import PROSE, differences
from ..helpers.javascript_page import Page
from ..helpers.node_programs import missing
from ..helpers.scripted_server import ScriptedServer, reply
from .agreeing import NOW, call_then_reply, notification
from .test_golden import SCENARIOS

_MISSING = missing()

TESTS = Path(__file__).parent.parent

Scene = Callable[[ScriptedServer], None]


class Shown(NamedTuple):
    """What a row says of JavaScript, as a script.

    :ivar code: the script, in a page whose `cti` has a session.
    :ivar said: what it writes to the console.
    :ivar then: what the server does once it has run.
    :ivar raised: a part of the exceptions that nothing catches.
    """

    code: str
    said: List[str]
    then: Scene = lambda server: None
    raised: List[str] = []


def pushes(*messages: Dict[str, Any]) -> Scene:
    """Send notifications."""
    return lambda server: server.push(*messages)


def closes(server: ScriptedServer) -> None:
    """Close the connection."""
    server.do(lambda connection: connection.close(3000, "Go away!"))


RANG = pushes(notification("SETUP"), notification("CONNECT"), notification("RELEASE"))

#: A row -> scripts that show it.
SCRIPTS: Dict[int, List[Shown]] = {
    1: [Shown("setTimeout(function() { console.log('still open'); }, 20);", ["still open"])],
    2: [Shown(
        "cti.onDisconnected = function() {"
        " setTimeout(function() { console.log('still open'); }, 20); };",
        ["still open"], closes,
    )],
    5: [Shown(
        "cti.onNewCall = function() { setTimeout(function() { console.log('timer'); }, 0);"
        " var end = Date.now() + 30; while (Date.now() < end); console.log('handler'); };",
        ["handler", "timer"], pushes(notification("SETUP")),
    )],
    8: [Shown("var start = Date.now(); setTimeout(function() {"
              " console.log(Date.now() - start < 5000); }, 50);", ["true"])],
    9: [Shown("console.log(cti.dial('33172587948', function() { }));", ["undefined"])],
    10: [Shown(
        "cti.onNewCall = function() { console.log('handler'); };"
        " await new Promise(function(resolve) { cti.dial('33172587948', resolve); });"
        " console.log('after');",
        ["handler", "after"],
    )],
    11: [Shown("cti.dial('33172587948');", [], raised=["callback is not a function"])],
    12: [Shown(
        "cti.onNewCall = function(call, more) { console.log(typeof call, typeof more);"
        " call.onSetup = function() { console.log(arguments.length); }; };",
        ["object undefined", "0"], pushes(notification("SETUP")),
    )],
    13: [Shown("cti.dial('', function(err, res) { console.log(err || res); });"
               " cti.dial(33172587948, function(err, res) { console.log(err || res); });",
               ["1", "1"])],
    16: [Shown("var fresh = new Keyyo.CTI();"
               " await new Promise(function(resolve) { cti.destroy_session(resolve); });"
               " fresh.ping(function(err, res) { console.log('opened', res); });",
               ["opened 1"])],
    18: [Shown("cti.send_message('33172587948', 'null', function(err, res) {"
               " console.log(err, res); });", ["null null"])],
    19: [Shown("cti.onNewCall = function(call) { console.log(call.weather, call.connect_date); };",
               ["undefined undefined"], pushes(notification("SETUP")))],
    20: [Shown("console.log(cti.connected, cti.number, cti.session_id, Keyyo.CSB.connected);",
               ["undefined undefined undefined true"])],
    21: [Shown("cti.onNewCall = function(call) {"
               " console.log(call.type, call.type != 'RELEASE'); };",
               ["undefined true"], pushes(notification("RELEASE")))],
    22: [Shown(
        "cti.onNewCall = function(call) { console.log('new', call.date);"
        " call.onSetup = function() { console.log('setup', call.date); };"
        " call.onConnect = function() { console.log('connect', call.date); };"
        " call.onRelease = function() { console.log('release', call.date); }; };",
        ["new undefined", "setup undefined", "new undefined", "connect 2", "new undefined",
         "release 1"],
        pushes(notification("SETUP", setup_date=1),
               notification("CONNECT", setup_date=1, connect_date=2),
               notification("RELEASE", setup_date=1)),
    )],
    23: [Shown("new Keyyo.CTI({ cookie_nam: 'a' }); cti.onNewcall = function() { };"
               " cti.on('newcall', function() { }); console.log('no error');", ["no error"])],
    24: [Shown(
        "var days = function(text) { var found = /expires=(.*)/.exec(text);"
        " return found ? Math.round((Date.parse(found[1]) - Date.now()) / 86400000) : 'none'; };"
        " Object.defineProperty(document, 'cookie', { set: function(text) {"
        " console.log(days(text)); } });"
        " for (const value of [null, '30', 0]) { await new Promise(function(resolve) {"
        " new Keyyo.CTI({ cookie_expires: value }).create_session('token', resolve); }); }",
        ["60", "30", "none"],
    )],
    25: [Shown("cti.create_session('token', function(err, res) {"
               " console.log(JSON.stringify(res)); });",
               ['{"number":"33199000001","now":1700000000,"session_id":"s-1"}'])],
    26: [Shown("Date.now = function() { return 1700000500000; };"
               " cti.onNewCall = function(call) { console.log(call.get_duration()); };",
               ["500"], pushes(notification("CONNECT", connect_date=NOW)))],
    27: [Shown(
        "var kept = []; cti.onNewCall = function(call) { kept.push(call);"
        " if (call.state == 'SETUP') { call.onRelease = function() { console.log('lost'); }; }"
        " if (call.state == 'RELEASE') { console.log(kept[0].state, kept[0] === call); } };",
        ["SETUP false"], RANG,
    )],
    28: [Shown(
        "cti.onNewCall = function(call) { if (call.callref == 'a') {"
        " call.on('connect', function() { console.log('a handler of a'); }); } };",
        ["a handler of a"],
        pushes(notification("SETUP", "a"), notification("CONNECT", "b")),
    ), Shown(
        "cti.onNewCall = function(call) {"
        " call.on('release', function() { console.log('over'); }); };",
        ["over"] * 3, RANG,
    )],
    29: [Shown(
        "var log = function() { console.log('called'); }; cti.on('newCall', log);"
        " cti.removeEventListener('newCall', log); console.log(cti.off);",
        ["undefined", "called"], pushes(notification("SETUP")),
    )],
    30: [Shown(
        "var added = false; cti.on('newCall', function(call) { if (!added) { added = true;"
        " cti.on('newCall', function() { console.log('added', call.state); }); } });",
        ["added SETUP"], pushes(notification("SETUP")),
    )],
    31: [Shown(
        "cti.on('newCall', function(call) { call.onSetup = function() { console.log('setup'); };"
        " throw new Error('a mistake'); });"
        " cti.on('newCall', function() { console.log('next'); });",
        [], pushes(notification("SETUP")), ["a mistake"],
    )],
    32: [Shown("var calls = cti.get_calls(); cti.onNewCall = function() {"
               " console.log(calls.length, calls === cti.get_calls()); };",
               ["1 true"], pushes(notification("SETUP")))],
    34: [Shown("cti.onDisconnected = function() { console.log('disconnected'); };"
               " cti.destroy_session(function() { });", ["disconnected"], closes)],
    35: [Shown("cti.on('error', function() { console.log('error'); });"
               " cti.onNewCall = function() { throw new Error('a mistake'); };",
               [], pushes(notification("SETUP")), ["a mistake"])],
    36: [Shown("cti.onNewCall = function(call) {"
               " call.onSetup = function() { console.log('rings'); }; };",
               ["rings", "rings"], pushes(notification("SETUP"), notification("SETUP")))],
    37: [Shown(
        "var second = new Keyyo.CTI();"
        " second.on('newCall', function() { console.log('also of the first'); });"
        " await new Promise(function(resolve) { second.ping(function(err, res) {"
        " console.log('on its connection', res); resolve(); }); });",
        ["on its connection 1", "also of the first"], pushes(notification("SETUP")),
    ), Shown(
        "console.log(cti.session_exists()); new Keyyo.CTI({ cookie_auto: false });"
        " console.log(cti.session_exists());", ["true", "false"],
    )],
    38: [Shown(
        "var other = new Keyyo.CTI({ endpoint: 'http://127.0.0.1:9/cti' });"
        " await new Promise(function(resolve) { cti.destroy_session(resolve); });"
        " other.onDisconnected = function() { console.log('disconnected'); };"
        " other.create_session('token', function() { console.log('callback'); });",
        ["disconnected"],
    )],
    42: [Shown(
        "cti.restore_session('token', 'mine', function(err, res) { console.log(res.number); });",
        ["33199000001"],
    )],
    43: [Shown("document.cookie = '__ksid=older'; new Keyyo.CTI({ cookie_auto: false });"
               " console.log(document.cookie);", [""])],
}

# The handler that holds up a timer holds up all of the page.
SCRIPTS[6] = SCRIPTS[5]

#: What those that speak of the wire have sent, the first command of that action.
SENT = {
    13: {"action": "call", "number": ""},
    42: {"action": "restore_session", "session_id": "s-1"},
}

#: Rows without a script -> what of the browser or of time no script can show.
NO_SCRIPT = {
    3: "leaving a page",
    4: "a page has one thread",
    7: "a page does not fork",
    14: "waiting without an end",
    39: "waiting without an end",
    40: "a ping every five minutes",
    41: "waiting without an end",
    45: "the transports of a browser",
    46: "the proxies of a browser",
    47: "the tokens of a page",
}


def recorded(name: str) -> Any:
    """Return what a recording expects."""
    [found] = [scenario for scenario in SCENARIOS if scenario["name"] == name]
    return found["expect"]


CLOSED = {"status_code": 400, "message": "Connexion closed"}
REFUSED = {"status_code": 400, "message": "Cannot treat action"}

#: A row, or a sentence of the guide -> what a recording of the real SDK shows of it.
RECORDED: Dict[Any, Callable[[], bool]] = {
    13: lambda: recorded("empty_token")["sent"][0]["token"] == "",
    15: lambda: recorded("dial_refused")["callbacks"][1]["err"] == REFUSED,
    17: lambda: [each["err"] for each in recorded("close_answers_every_pending_command")[
        "callbacks"]][1:] == [CLOSED, CLOSED],
    19: lambda: "connect_date" not in recorded("incoming_missed")["calls"][0],
    21: lambda: not any("type" in call for each in SCENARIOS for call in each["expect"]["calls"]),
    26: lambda: values("durations_while_talking") == [85, 5],
    27: lambda: [kind for kind, _ in recorded("parked_call_slot")["events"]] == [
        "newCall", "connect", "newCall", "connect"],
    33: lambda: len(recorded("calls_kept_after_destroy_and_create")["calls"]) == 1,
    44: lambda: recorded("create_session_own_cookie_name")["cookies"] == {
        "my_session_name": "s-1"},
    "`get_call` of an unknown call is `null`":
        lambda: values("get_calls_and_get_call")[2] is None,
    "without `cookie_auto` it is always false":
        lambda: values("exists_without_cookies") == [False],
    "it makes a new session when the server does not know the old one": lambda: [
        each["action"] for each in recorded("restore_session_falls_back_to_create_on_401")["sent"]
    ] == ["restore_session", "create_session"],
    "None has an argument": lambda: ["missed", "c1"] in recorded("incoming_missed")["events"],
}


def values(name: str) -> List[Any]:
    """Return what the methods of a recording returned."""
    return [each["value"] for each in recorded(name)["returns"]]


@pytest.mark.parametrize("row", list(RECORDED), ids=str)
def test_recording_shows_the_row(row: Any) -> None:
    assert row in ROWS or row in PROSE
    assert RECORDED[row]()


def answer(connection: Connection, command: Dict[str, Any]) -> None:
    """Agree to everything, and to a message "null" with null."""
    if command.get("message") == "null":
        reply(connection, command, None)
    else:
        call_then_reply(connection, command)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A Node process for all scripts."""
    with Page() as running:
        yield running


@pytest.mark.skipif(_MISSING is not None, reason=_MISSING or "")
@pytest.mark.parametrize(
    ("row", "shown"),
    [pytest.param(row, shown, id=str(row)) for row, all_ in SCRIPTS.items() for shown in all_],
)
def test_script_shows_the_row(page: Page, row: int, shown: Shown) -> None:
    with ScriptedServer(answer) as server:
        page.open(server.endpoint)
        page.run("cti = new Keyyo.CTI(); await new Promise((resolve) =>"
                 " cti.create_session('token', resolve));")
        page.run(shown.code)
        shown.then(server)
        page.wait_for(len(shown.said), len(shown.raised))
        # What comes before the answer would be seen, too.
        page.run("if (Keyyo.CSB.connected) { await new Promise((next) => cti.ping(next)); }")
        said = page.said
        page.leave()
    assert said == shown.said
    assert len(page.raised) == len(shown.raised)
    assert all(part in error for part, error in zip(shown.raised, page.raised))
    if row in SENT:
        [first, *_] = [command for command in server.received.items
                       if command["action"] == SENT[row]["action"]]
        assert {**first, **SENT[row]} == first


# The rows and their tests are bound both ways.

#: Rows whose Python side is shown where the rest of their subject is tested.
ELSEWHERE = {
    3: ("wire/test_scripts.py", "test_goodbye_at_the_end"),
    6: ("wire/test_handlers.py", "test_handler_that_blocks"),
    7: ("wire/test_scripts.py", "test_fork"),
    36: ("wire/test_restoring.py", "test_fifty_drops_that_repeat_the_last_three_states"),
    40: ("wire/test_liveness.py", "test_silent_server"),
    41: ("wire/test_restoring.py", "test_restored"),
    44: ("unit/client/test_session_store.py", "test_made_private_again"),
    46: ("wire/test_certificates.py", "test_no_option_turns_it_off"),
    47: ("unit/test_manager.py", "test_domain_masks"),
}

ROWS = {row.number for row in differences()}


def shown_in_python() -> Set[int]:
    """Return the rows that the tests of ``test_differences_of_*.py`` bear as a mark."""
    found: Set[int] = set()
    paths = sorted((TESTS / "wire").glob("test_differences_of_*.py"))
    modules = [ast.parse(path.read_text("utf-8")) for path in paths]
    for function in [each for module in modules for each in module.body]:
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
            marks = [ast.unparse(mark) for mark in function.decorator_list]
            rows = re.findall(r"pytest\.mark\.difference\((\d+)\)", " ".join(marks))
            assert len(rows) == 1, f"{function.name} shows no row"
            found.add(int(rows[0]))
    return found


def test_every_row_has_a_test_in_python() -> None:
    """A row without a test fails, and so does a test without a row."""
    assert shown_in_python() | set(ELSEWHERE) == ROWS


@pytest.mark.parametrize(("path", "name"), ELSEWHERE.values())
def test_elsewhere_is_there(path: str, name: str) -> None:
    """That test has not been renamed or moved."""
    module = ast.parse((TESTS / path).read_text("utf-8"))
    assert name in {each.name for each in module.body if isinstance(each, ast.FunctionDef)}


def test_every_row_has_a_script_or_a_recording() -> None:
    """Where no script can show a row, the reason is said."""
    shown = {row for row in [*SCRIPTS, *RECORDED] if isinstance(row, int)}
    assert shown | set(NO_SCRIPT) == ROWS
    assert shown & set(NO_SCRIPT) == set()


def test_only_what_a_page_cannot_do_has_an_empty_cell() -> None:
    assert {row.number for row in differences() if not row.js} == {7}
