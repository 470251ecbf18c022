"""The demo: a true story, told in one order, and plainly told when it fails."""

import io
import re
from pathlib import Path
from typing import Callable

import pytest

from keyyo_cti import KeyyoError
from keyyo_cti.cli import demo, main
from keyyo_cti.cli.terminal import Terminal
from keyyo_cti.simulator import Simulator

ROOT = Path(__file__).parents[2]


def test_it_tells_both_scenarios_of_the_page_in_their_order(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The demo tells who does what, step by step as on Keyyo's page."""
    assert main(["demo"]) == 0
    said = capsys.readouterr()
    steps = [
        "Alice's application  is connected to the line 33199000001",
        "Alice's application  dials Bob, 33199020000",
        "Alice's telephone    goes off the hook by itself and calls Bob",
        "Alice's application  shows: ringing, Alice calls Bob",
        "Bob's telephone      rings",
        "Bob's telephone      is picked up",
        "Alice's application  shows: talking to Bob, 33199020000, rang ",
        "(they speak)",
        "Bob's telephone      hangs up",
        "Alice's application  shows: ended",
        "Alice's telephone    is idle again",
        "Bob's telephone      calls Alice",
        "Alice's application  shows: ringing, Bob calls Alice",
        "Alice's telephone    rings",
        "Alice's telephone    is picked up",
        "Alice's application  shows: talking to Bob, 33199020000, rang ",
        "(they speak)",
        "Alice's application  hangs up",
        "Alice's application  shows: ended",
        "Bob's telephone      is idle again",
        "Try next:",
    ]
    told = iter(said.out.splitlines())
    for step in steps:
        assert any(step in line for line in told), step
    assert said.err == ""


def test_tutorial_shows_what_the_demo_prints(capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs/tutorial.md").read_text("utf-8")
    _, heading, rest = page.partition("2. Incoming call")
    main(["demo"])
    printed = _without_times(capsys.readouterr().out)
    assert heading and _without_times((heading + rest).partition("```")[0]) in printed


def _without_times(text: str) -> str:
    return re.sub(r"\d+\.\d{3} s", "TIME", text)


def test_a_pipe_gets_no_colours(capsys: pytest.CaptureFixture[str]) -> None:
    """Piped, the demo is plain text."""
    main(["demo"])
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "fault",
    [
        lambda sim: sim.faults.fail("create_session", 400, "Invalid token"),
        lambda sim: sim.faults.fail("call", 400, "Cannot treat action"),
        lambda sim: sim.faults.fail("terminate_call", 400, "Cannot treat action"),
    ],
    ids=["no session", "no dialling", "no hanging up"],
)
def test_a_refused_command_ends_the_story(
    sim: Simulator, fault: Callable[[Simulator], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the server refuses is raised as it was refused."""
    # Where no event of the application comes first, the telephone would be waited for.
    monkeypatch.setattr(demo, "STEP_TIMEOUT", 0.5)
    fault(sim)
    with pytest.raises((KeyyoError, TimeoutError)):
        demo.play(sim, Terminal(io.StringIO()))


def test_an_event_that_does_not_come_is_named(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that does not happen is waited for up to a bound, and then named."""
    monkeypatch.setattr(demo, "STEP_TIMEOUT", 0.2)
    sim.faults.ignore("create_session")
    with pytest.raises(TimeoutError, match="has not seen a session within 0.2 s"):
        demo.play(sim, Terminal(io.StringIO()))


def test_a_failure_is_one_line_on_stderr_and_exit_code_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command says what failed, on stderr, and ends with 1."""

    def fail(*_: object) -> None:
        raise TimeoutError("Bob is out")

    monkeypatch.setattr(demo, "play", fail)
    assert main(["demo"]) == 1
    assert capsys.readouterr().err == "the demo failed: Bob is out\n"


def test_somebody_unknown_is_shown_by_number() -> None:
    """Who is not in the address book is shown as a number, with control characters escaped."""
    assert demo._get_name("33199020001\x1b[2J") == "33199020001\\x1b[2J"
