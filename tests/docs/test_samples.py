"""Every sample shows what it says, and none shows it when it does not happen."""

import ast
import re
import shutil
from pathlib import Path

import pytest

from keyyo_cti.simulator import Line, Simulator

from ..helpers.running import ROOT, Running

SAMPLES = ROOT / "samples"

PAGE_SAMPLES = sorted(SAMPLES.glob("js/[0-9]*.py"))

needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="needs redis-server"
)

#: Those that end when somebody closes their window, and what others stand on.
NOT_BY_THEMSELVES = ("desktop", "desktop_qt", "whose_line")

RUNNABLE = [
    pytest.param(path, id=path.stem, marks=[needs_redis] if path.stem == "fan_out" else [])
    for path in PAGE_SAMPLES + sorted(SAMPLES.glob("*.py"))
    if path.stem not in NOT_BY_THEMSELVES
]

BOB = "33199020000"

#: The examples of Keyyo's page, in its order.
PAGE = """
    basic_usage constructor create_session restore_session restore_session_by_id
    destroy_session subscribe unsubscribe get_subscriptions set_auto_answer get_auto_answer
    dial send_message get_calls get_call handle_call_events attributes errors
    setup connect release missed answer hang_up reject transfer supervised_transfer merge
    pause park unpark get_ringing_duration get_duration call_attributes
""".split()


@pytest.mark.slow
@pytest.mark.parametrize("path", RUNNABLE)
def test_it_happens_on_the_simulator(path: Path) -> None:
    """The sample ends by itself with exit code 0, and complains of nothing."""
    with Running(str(path)) as running:
        assert running.end() == 0, running.rest("err")
        assert running.rest("err") == []
        assert running.rest() != []


#: What those print that need not look real.
EXPECTED = {
    "with_asyncio": ["connected as 33199000001", "33199020000 calls", "answered", "ended"],
    "who_calls": ["from 33199020000 missed", "to 33199020000 answered"],
    "health_over_http": ["33199000001 connected after 1 drop"],
    "wait_for_answer": ["it rings at 33199020000", "answered", "it is over"],
    "screen_pop": [
        "33199000001 rings: 33199020000 calls for 33199020000",
        "33199000002 rings: 33199000001 calls for 33199020000",
        "ended: 3 calls of 33199020000 33199000001 33199000002",
    ],
    "dial_links": [
        "connected as 33199000001",
        "calling 33199020000",
        "the link 'tel:*21*33199030000%23' is not dialled: it is a service code, which changes "
        "the line instead of calling",
    ],
    "worker_pool": [
        "call-1: 33199020000 called 33199000001: RELEASE",
        "a gap",
        "call-2: 33199020000 called 33199000001: UNKNOWN",
        "call-4: 33199020000 called 33199000001: MISSED",
        "call-2: 33199020000 called 33199000001: RELEASE",
        "cdr-00000007: 33199020001 called 33199000001: MISSED",
    ],
}


@needs_redis
def test_fan_out_counts() -> None:
    """Each event of each line was handled once, although a worker was killed."""
    with Running(str(SAMPLES / "fan_out.py")) as running:
        assert running.end() == 0, running.rest("err")
        assert running.rest() == [
            f"3319900000{line} {state}: 5"
            for line in (1, 2, 3)
            for state in ("CONNECT", "RELEASE", "SETUP")
        ]


@pytest.mark.parametrize("name", EXPECTED)
def test_it_prints_what_is_expected(name: str) -> None:
    """On the simulator, what such a sample prints is known beforehand."""
    with Running(str(SAMPLES / f"{name}.py")) as running:
        assert running.end() == 0, running.rest("err")
        assert running.rest() == EXPECTED[name]


def test_ring_test_shows_each_layer_in_order() -> None:
    with Running(str(SAMPLES / "does_it_ring.py")) as running:
        assert running.end() == 0, running.rest("err")
        text = "\n".join(running.rest())
    # Not by lines: the handler prints on another thread, so a line may hold the text of both.
    assert re.findall(r"\d s  (\w+) +(\w+)", text) == [("good", check) for check in (
        "account", "line", "plugin", "telephone", "token", "session", "subscription", "frame",
        "newCall", "handler",
    )]


def test_every_example_of_the_page_is_there() -> None:
    """There is one sample for each example of the page, in its order."""
    names = [path.stem for path in PAGE_SAMPLES]
    assert names == [f"{number:02}_{name}" for number, name in enumerate(PAGE, start=1)]


def test_the_table_has_every_sample() -> None:
    """The table in the README says of each sample what its docstring says."""
    readme = (SAMPLES / "README.md").read_text(encoding="utf-8")
    for path in PAGE_SAMPLES:
        about = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert f"| [`{path.name}`](js/{path.name}) | {about} |" in readme


def test_every_program_is_in_the_readme() -> None:
    """The README leads to each sample that is no example of the page, too."""
    readme = (SAMPLES / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in SAMPLES.glob("*.py") if f"({path.name})" not in readme] == []


@pytest.mark.parametrize("name", [
    "who_calls", "wait_for_answer", "does_it_ring", "dial_links", "screen_pop",
    "health_over_http", "test_missed_calls",
])
def test_sample_of_what_every_program_writes_first_is_short(name: str) -> None:
    assert len((SAMPLES / f"{name}.py").read_text(encoding="utf-8").splitlines()) < 40


def test_every_link_of_the_table_leads_somewhere() -> None:
    """No sample in the table is missing."""
    links = re.findall(r"\]\(([^)]+)\)", (SAMPLES / "README.md").read_text(encoding="utf-8"))
    assert links
    assert all((SAMPLES / link).exists() for link in links)


# What a sample stands on tells the truth.


def on_keyyo(sim: Simulator, alice: Line, sample: str, **more: str) -> Running:
    """A sample that is given a token and an endpoint."""
    keyyo = {"KEYYO_CSI_TOKEN": sim.token(alice), "KEYYO_ENDPOINT": sim.endpoint}
    return Running(str(SAMPLES / sample), **keyyo, **more)


def program(directory: Path, text: str) -> Running:
    """A sample of the test's own."""
    path = directory / "sample.py"
    path.write_text(f"import sys\nsys.path.insert(0, {str(SAMPLES / 'js')!r})\n{text}")
    return Running(str(path))


@pytest.mark.slow
@pytest.mark.parametrize(
    "text, complaint",
    [
        ("import stage; print('401'); stage.expect('1')", "expected '1', saw '401'"),
        ("import stage; print('error'); print(1); stage.expect('1')", "expected '1', saw 'error'"),
        ("import stage; stage.PATIENCE = 0.1; stage.expect('1')",
         "expected '1', but nothing came within 0.1 s"),
        ("import stage; cti = stage.connect(); call = stage.ringing_call(cti); "
         "stage.PATIENCE = 0.1; stage.see(call, 'CONNECT')", "expected a call in CONNECT"),
        ("import stage; cti = stage.connect(); stage.PATIENCE = 0.1; stage._next_call(cti, 'X')",
         "no call came within 0.1 s"),
        ("import stage; cti = stage.connect(); "
         "cti.send_message(stage.bob.number, 'Hi').result(5); stage.bob.reads('Hello')",
         "expected the message 'Hello', got 'Hi'"),
    ],
)
def test_what_does_not_happen_is_a_failure(tmp_path: Path, text: str, complaint: str) -> None:
    """A sample that does not see what it shows says so and ends with another exit code."""
    with program(tmp_path, text) as running:
        assert running.end() == 1
        assert complaint in "\n".join(running.rest("err"))


def test_a_mistake_in_a_handler_is_seen(tmp_path: Path) -> None:
    """What a sample's callback raises is on stderr."""
    text = (
        "import stage; stage.connect().ping(lambda err, res: print(1 / 0)); "
        "stage.PATIENCE = 0.5; stage.expect('1')"
    )
    with program(tmp_path, text) as running:
        assert running.end() == 1
        assert "ZeroDivisionError: division by zero" in running.rest("err")


def test_on_keyyo_it_acts_on_a_call_that_people_make(sim: Simulator, alice: Line) -> None:
    """With a token, a sample asks for a call, says that it acts on it, and does so."""
    bob = sim.phone(BOB)
    with on_keyyo(sim, alice, "js/24_hang_up.py") as running:
        running.until("please, at another telephone, call your line", "err")
        running.until("the next call of 33199000001 is the one that this example acts on", "err")
        bob.call(alice)
        running.until("at the telephone of your line, answer the call", "err")
        alice.phone.pick_up()
        assert running.end() == 0
    assert [call.state for call in sim.calls()] == ["RELEASE"]


@pytest.mark.parametrize(
    "sample",
    ["12_dial", "13_send_message", "26_transfer", "27_supervised_transfer"],
)
def test_on_keyyo_no_stranger_is_disturbed(sim: Simulator, alice: Line, sample: str) -> None:
    """With a token, a sample that reaches a number of the page stops before it connects."""
    with on_keyyo(sim, alice, f"js/{sample}.py") as running:
        assert running.end() == 1
        assert "write a number of your own" in "\n".join(running.rest("err"))
    assert sim.received() == []


def test_on_keyyo_a_number_of_ones_own_is_reached(sim: Simulator, alice: Line) -> None:
    """A number that the user allows is called."""
    allowed = {"KEYYO_MAY_REACH": "33172587948"}
    with on_keyyo(sim, alice, "js/12_dial.py", **allowed) as running:
        assert running.end() == 0
    assert sim.wait_for_action("call")["number"] == "33172587948"


def test_on_keyyo_asyncio_answers_the_next_call(sim: Simulator, alice: Line) -> None:
    """With a token, the sample for asyncio answers a call of the line."""
    bob = sim.phone(BOB)
    with on_keyyo(sim, alice, "with_asyncio.py") as running:
        sim.wait_for_session(alice, 30)
        bob.call(alice)
        bob.wait_until("talking", 30)
        alice.phone.hang_up()
        assert running.end() == 0, running.rest("err")


def test_alice_and_bob_asks_whom_to_call(sim: Simulator, alice: Line) -> None:
    """With a token but without a number, Alice's program calls nobody."""
    with on_keyyo(sim, alice, "alice_and_bob.py") as running:
        assert running.end() == 1
        assert "whom to call?" in running.until("", "err")
    assert sim.received() == []
