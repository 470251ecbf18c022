"""What is printed: lines that are harmless, in colour only for eyes."""

import io

import pytest

from keyyo_cti.cli.terminal import Terminal, escape, read_lines


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.platform", "linux")


@pytest.mark.parametrize(
    "text, shown",
    [
        ("Élise -> Zoë", "Élise -> Zoë"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("two\nlines\r", "two\\nlines\\r"),
        ("left\u202eright", "left\\u202eright"),
        ("\x9b31m", "\\x9b31m"),
        (None, "None"),
    ],
)
def test_control_characters_are_escaped(text: object, shown: str) -> None:
    """Text from elsewhere cannot command the terminal; other letters stay."""
    assert escape(text) == shown


def test_a_terminal_gets_colours() -> None:
    """On a terminal there are colours."""
    assert Terminal(Tty()).colour("green", "yes") == "\x1b[32myes\x1b[0m"


def test_a_pipe_gets_none() -> None:
    """Elsewhere there are none."""
    assert Terminal(io.StringIO()).colour("green", "no") == "no"


@pytest.mark.parametrize("name, value", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_wants_no_colours_gets_none(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_COLOR is honoured, and so is a terminal that says it is dumb."""
    monkeypatch.setenv(name, value)
    assert Terminal(Tty()).colour("green", "no") == "no"


def test_the_old_console_of_windows_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows only the new terminal is trusted with colours."""
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.delenv("WT_SESSION", raising=False)
    assert Terminal(Tty()).colour("green", "no") == "no"
    monkeypatch.setenv("WT_SESSION", "x")
    assert Terminal(Tty()).colour("green", "yes") != "yes"


def test_overlong_line_is_cut_and_not_read_as_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyyo_cti.cli.terminal._MAX_LINE_LENGTH", 4)
    monkeypatch.setattr("sys.stdin", io.StringIO("abcdefghij\nxy\n"))
    assert list(read_lines()) == ["abcd", "xy\n"]


def test_a_letter_that_the_encoding_lacks_is_escaped() -> None:
    """A name with foreign letters is printed, whatever the encoding of the terminal."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="\n")
    Terminal(stream).print_line("Zoë")
    assert raw.getvalue() == b"Zo\\xeb\n"
