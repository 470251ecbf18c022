"""The desktop entry of ``install-handler``, and the files that it edits."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
from pathlib import Path
from typing import Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyyo_cti.cli.desktop_entry import GROUP, make_entry, quote_command
from keyyo_cti.cli.exit_codes import CommandFailed
from keyyo_cti.cli.key_file import read_key, write_key

from ..helpers.running import DEADLINE

#: Each character that has a meaning in an entry or in a shell; the pattern has field codes too.
NASTY = "my bin\\ $HOME `id` \"q\" 'q' ~ # ; & | < > * ? ( ) é"
PATTERN = f"{NASTY} %u %%f %"


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"needs {program}")


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("/opt/keyyo/bin/keyyo-cti", "/opt/keyyo/bin/keyyo-cti"), ("--", "--"),
        ("--only=33[1-79][0-9]{8}", "--only=33[1-79][0-9]{8}"), ("/my bin/x", '"/my bin/x"'),
        ("33|44", '"33|44"'),
        ("100%u", "100%%u"), ('a"b', r'"a\\"b"'), ("a$b`c", r'"a\\$b\\`c"'),
        (r"a\d", r'"a\\\\d"'), ("a'b", '''"a'b"'''), ("", '""'), ("é", '"é"'),
    ],
)
def test_word_is_quoted_as_the_specification_says(word: str, quoted: str) -> None:
    assert quote_command([word]) == quoted


@pytest.mark.parametrize("program", ["/a\nb", "/a\x1bb", "/a\udcffb", "/a=b/x", "/a%u/x"])
def test_program_that_no_entry_can_name_is_refused(program: str) -> None:
    with pytest.raises(CommandFailed, match="desktop entry"):
        make_entry([program], {})


@needs("desktop-file-validate")
def test_entry_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "keyyo-cti-dial.desktop"
    previous = {"X-Keyyo-List-tel": "a.desktop;"}
    path.write_text(make_entry([f"/{NASTY}", "dial", PATTERN, "--"], previous))
    done = subprocess.run(
        ["desktop-file-validate", path], capture_output=True, text=True, timeout=DEADLINE
    )
    assert (done.returncode, done.stdout) == (0, "")


@needs("gio")
@pytest.mark.parametrize("link", ["tel:+33199020000", "tel:$(id);--x%20 'a'"])
def test_desktop_starts_the_program_with_the_link_as_one_argument(
    tmp_path: Path, link: str
) -> None:
    """GLib's reading of the entry, with a path of nothing but traps."""
    program = tmp_path / NASTY / "keyyo-cti"
    seen, entry = tmp_path / "seen", tmp_path / "keyyo-cti-dial.desktop"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nprintf '%s\\0' \"$@\" > '{seen}'\n")
    program.chmod(0o755)
    entry.write_text(make_entry([str(program), "dial", f"--only={PATTERN}", "--"], {}))
    os.mkfifo(seen)
    # gio ends before the program does. Opened for both, the pipe needs no writer to be opened.
    with open(os.open(seen, os.O_RDWR), "rb") as reader:
        subprocess.run(["gio", "launch", entry, link], check=True, timeout=DEADLINE)
        arguments = b""
        while arguments.count(b"\0") < 4:
            assert select.select([reader], [], [], DEADLINE)[0]
            arguments += os.read(reader.fileno(), 65536)
    assert arguments.decode().split("\0")[:-1] == ["dial", f"--only={PATTERN}", "--", link]


FILE = "# mine\n[A]\nk = 1\n other=2\n\n[B]\nk=3\n[A]\nk=4\n"


@pytest.mark.parametrize(
    ("group", "key", "value", "after"),
    [
        ("A", "k", "9", "# mine\n[A]\nk=9\n other=2\n\n[B]\nk=3\n[A]\n"),
        ("A", "k", None, "# mine\n[A]\n other=2\n\n[B]\nk=3\n[A]\n"),
        ("B", "k", "9", FILE.replace("k=3", "k=9")),
        ("B", "new", "9", FILE.replace("[B]\n", "[B]\nnew=9\n")),
        ("C", "new", "9", f"{FILE}\n[C]\nnew=9\n"),
        ("C", "new", None, FILE),
    ],
)
def test_write_key_leaves_all_other_lines_as_they_are(
    group: str, key: str, value: Optional[str], after: str
) -> None:
    assert write_key(FILE, group, key, value) == after


def test_read_key_of_a_file_with_groups() -> None:
    assert read_key(FILE, "A", "k") == "4" and read_key(FILE, "A", "other") == "2"
    assert read_key(FILE, "B", "other") is None and read_key("", "A", "k") is None


@settings(deadline=None, derandomize=True, database=None)
@given(st.text(st.sampled_from("[]AB=;k \n#\r"), max_size=60), st.sampled_from(["A", "B", "k"]))
def test_key_of_any_file_is_read_as_it_was_written(text: str, group: str) -> None:
    assert read_key(write_key(text, group, "k", "a;b"), group, "k") == "a;b"
    assert read_key(write_key(text, group, "k", None), group, "k") is None


def test_entry_keeps_its_keys() -> None:
    entry = make_entry(["/a\\b"], {"X-Keyyo-Default-tel": "other.desktop"})
    assert read_key(entry, GROUP, "X-Keyyo-Default-tel") == "other.desktop"
    assert read_key(entry, GROUP, "TryExec") == "/a\\\\b"
