"""``keyyo-cti dial`` with a link of a web page, which a stranger wrote."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyyo_cti.cli import desktop as desktop_module
from keyyo_cti.cli import main
from keyyo_cti.simulator import Line, Phone, Simulator

from ..helpers.running import DEADLINE, environment
from .desktop import Desktop
from .kept import Capture, keep_login, run

if sys.platform == "win32":
    pytest.skip("needs POSIX", allow_module_level=True)

from .tty import Tty

BOB = "33199020000"
LINK = f"tel:+{BOB}"


@pytest.fixture(autouse=True)
def no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def login(sim: Simulator, alice: Line) -> None:
    keep_login(sim)


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, login: None) -> Desktop:
    return Desktop(tmp_path / "programs", monkeypatch)


@pytest.mark.usefixtures("login")
@pytest.mark.parametrize(
    "link",
    ["tel:+33-1-99-02-00-00", "TEL://0199020000", "callto:+33199020000?call",
     "callto://0199020000", "tel:%2B33%C2%A0199020000", "tel:0199020000;phone-context=+33"],
)
def test_link_is_called(
    sim: Simulator, alice: Line, bob: Phone, capsys: Capture, link: str
) -> None:
    said = run(capsys, "dial", link)
    assert said == (0, [], [f"connected as {alice.number}", f"calling {BOB}"])
    assert [each["number"] for each in sim.received("call")] == [BOB]


@pytest.mark.usefixtures("login")
def test_extension_of_a_link_is_named(bob: Phone, capsys: Capture) -> None:
    said = run(capsys, "dial", f"{LINK};ext=12")
    assert said.status == 0 and said.err[0].startswith("the extension 12 is not dialled")


@pytest.mark.usefixtures("login")
@pytest.mark.parametrize("options", [[], ["--only", ".*"], ["--confirm"]])
@pytest.mark.parametrize(
    "link",
    ["tel:*21*33199020000%23", "tel:%1b[2J33199020000", "callto:\u202ebob\x1b]0;x\x07", "sip:bob",
     "tel:33199020000;isub=1", "tel:--follow", "tel:\udcff"],
)
def test_link_that_is_refused_sends_nothing(
    sim: Simulator, capsys: Capture, link: str, options: List[str]
) -> None:
    said = run(capsys, "dial", *options, "--", link)
    assert (said.status, said.out, len(said.err)) == (2, [], 1)
    assert "is not dialled" in said.err[0] and said.err[0].isprintable()
    assert sim.received() == [] and sim.sessions() == []


@pytest.mark.usefixtures("login")
def test_local_number_of_another_country_is_not_called(sim: Simulator, capsys: Capture) -> None:
    said = run(capsys, "dial", "tel:02079460000;phone-context=+44")
    assert said.status == 2 and "a local number of +44" in said.err[-1]
    assert sim.received("call") == [] and sim.sessions() == []


@pytest.mark.fault(71)
@pytest.mark.usefixtures("login")
@pytest.mark.parametrize(
    ("link", "status"),
    [("tel:+33-1-99-02-00-00", 0), ("tel:01%2099020000", 0), ("callto:0033199020000", 0),
     ("tel:+33899000000", 1), ("tel:0899000000", 1), ("tel:+44-1234-5678", 1), ("tel:3900", 1)],
)
def test_only_compares_the_number_of_a_link_as_it_is_dialled(
    sim: Simulator, bob: Phone, capsys: Capture, link: str, status: int
) -> None:
    said = run(capsys, "dial", "--only", "33[1-79][0-9]{8}", link)
    assert said.status == status and ("[not_allowed]" in said.err[-1]) == bool(status)
    assert len(sim.received("call")) == (0 if status else 1)


def test_confirm_calls_after_a_yes(bob: Phone, capsys: Capture, desktop: Desktop) -> None:
    desktop.add("zenity", 0)
    said = run(capsys, "dial", "--confirm", "--", f"{LINK};ext=12;x")
    assert said.status == 0
    bob.wait_until("ringing")
    *options, text = desktop.seen("zenity")
    assert {"--question", "--no-markup", "--default-cancel"} <= {*options}
    question, *notes = text.splitlines()
    assert question == "--text=Call +33 1 99 02 00 00?"
    assert notes[0].startswith("The extension 12") and notes[1] == "Left out of the link: x."


@pytest.mark.parametrize("program", ["zenity", "kdialog"])
def test_confirm_sends_nothing_after_a_no(
    sim: Simulator, capsys: Capture, desktop: Desktop, program: str
) -> None:
    """Nor is a failure shown: the user knows."""
    desktop.add(program, 1)
    desktop.add("notify-send")
    assert run(capsys, "dial", "--confirm", LINK) == (1, [], ["not called"])
    assert sim.received() == [] and desktop.seen("notify-send") == []


def test_confirm_asks_with_the_program_of_the_desktop(
    capsys: Capture, desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "KDE")
    desktop.add("zenity", 0)
    desktop.add("kdialog", 1)
    assert run(capsys, "dial", "--confirm", LINK).err == ["not called"]
    assert desktop.seen("zenity") == []


def test_confirm_without_an_answer_is_a_no(
    sim: Simulator, capsys: Capture, desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desktop_module, "_ANSWER_TIMEOUT", 0.2)
    desktop.add("zenity", 0, action="exec /bin/sleep 60")
    assert run(capsys, "dial", "--confirm", LINK).err == ["not called"]
    assert sim.received() == []


@pytest.mark.parametrize("status", [None, 2, 255])
def test_confirm_that_cannot_ask_calls_nothing(
    sim: Simulator, capsys: Capture, desktop: Desktop, status: int
) -> None:
    """A window that could not be opened is no yes."""
    if status is not None:
        desktop.add("zenity", status)
    said = run(capsys, "dial", "--confirm", LINK)
    assert said.status == 1 and said.err[-1].startswith("nothing is called")
    assert sim.received() == []


@pytest.mark.usefixtures("login")
def test_confirm_without_a_screen_and_a_terminal_calls_nothing(
    sim: Simulator, capsys: Capture
) -> None:
    said = run(capsys, "dial", "--confirm", LINK)
    assert said.status == 1 and "you cannot be asked" in said.err[-1]
    assert sim.received() == []


@pytest.mark.parametrize("number", ["--follow", "bob", "*21#", "1" * 16])
def test_confirm_takes_only_digits(capsys: Capture, desktop: Desktop, number: str) -> None:
    """Also of a text that is no link: what the window shows must be what is called."""
    desktop.add("zenity", 0)
    said = run(capsys, "dial", "--confirm", "--", number)
    assert said.status == 2 and "is no telephone number" in said.err[-1]
    assert all("--question" not in each for each in desktop.seen("zenity"))


@pytest.mark.parametrize("link", ["tel:<b>1</b>", LINK])
def test_confirm_shows_a_failure_without_a_terminal(
    alice: Line, capsys: Capture, desktop: Desktop, link: str
) -> None:
    """A refusal of the link, and one of the service."""
    alice.phone_registered = False
    desktop.add("zenity", 0)
    desktop.add("notify-send")
    said = run(capsys, "dial", "--confirm", "--", link)
    assert said.status in (1, 2)
    *options, text = desktop.seen("notify-send")
    assert options[-2] == "--" and "<" not in text
    assert ("&lt;b&gt;1" in text) if link != LINK else ("Cannot treat action" in text)


def test_confirm_shows_a_missing_login(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop = Desktop(tmp_path / "programs", monkeypatch)
    desktop.add("zenity", 0)
    desktop.add("notify-send")
    assert run(capsys, "dial", "--confirm", LINK).status == 4
    text = desktop.seen("notify-send")[-1]
    assert "you are not signed in" in text and "sign in with: keyyo-cti login" in text


def test_confirm_shows_a_fault_of_the_program(
    capsys: Capture, desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("keyyo_cti.cli.dial.make_session_config", fail)
    desktop.add("zenity", 0)
    desktop.add("notify-send")
    with pytest.raises(RuntimeError):
        run(capsys, "dial", "--confirm", LINK)
    assert desktop.seen("notify-send")[-1] == "a fault of this program: RuntimeError: boom"


def test_failure_is_in_a_window_or_in_the_log_without_notifications(
    capsys: Capture, desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    import syslog

    logged: List[str] = []
    monkeypatch.setattr(syslog, "syslog", lambda level, text: logged.append(text))
    desktop.add("notify-send", 1)
    desktop.add("zenity", 0)
    run(capsys, "dial", "--confirm", "tel:")
    assert "--error" in desktop.seen("zenity") and logged == []
    desktop.add("zenity", 1)
    run(capsys, "dial", "--confirm", "tel:")
    assert len(logged) == 1 and "it contains no number" in logged[0]


@pytest.mark.slow
@pytest.mark.usefixtures("login")
@pytest.mark.parametrize(("typed", "status"), [(b"y\n", 0), (b"\n", 1), (b"n\n", 1)])
def test_confirm_asks_on_the_terminal_without_a_screen(
    sim: Simulator, bob: Phone, typed: bytes, status: int
) -> None:
    command = [sys.executable, "-m", "keyyo_cti", "dial", "--confirm", LINK]
    with Tty(*command) as tty:
        tty.until_shown("Call +33 1 99 02 00 00? [y/N]")
        assert sim.received() == []
        tty.press(typed)
        assert tty.end() == status
    assert len(sim.received("call")) == (1 if status == 0 else 0)


@pytest.mark.slow
@pytest.mark.parametrize("link", [LINK, "tel:#"])
def test_confirm_without_any_stream_asks_and_shows_failures(
    bob: Phone, desktop: Desktop, link: str
) -> None:
    """As a desktop may start it, and as pythonw does on Windows."""
    desktop.add("zenity", 0)
    closed = 'exec "$@" <&- >&- 2>&-'
    command = [sys.executable, "-m", "keyyo_cti", "dial", "--confirm", "--", link]
    done = subprocess.run(["/bin/sh", "-c", closed, "sh", *command], env=environment(),
                          timeout=DEADLINE)
    if link == LINK:
        bob.wait_until("ringing")
    assert done.returncode == (0 if link == LINK else 2)
    assert ("--error" in desktop.seen("zenity")) == (link != LINK)


@settings(deadline=None, derandomize=True, database=None)
@given(st.sampled_from(["", "tel:", "callto:"]), st.text(st.characters(blacklist_categories=())))
def test_any_text_of_a_stranger_is_asked_about_or_refused(scheme: str, text: str) -> None:
    """It is never an option, nor an exception. Nobody can be asked here."""
    assert main(["dial", "--confirm", "--", scheme + text]) in (1, 2)
