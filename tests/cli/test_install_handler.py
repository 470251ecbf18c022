"""``keyyo-cti install-handler`` on a desktop of the test's own, with xdg-mime and without."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

from keyyo_cti.cli.invocation import find_absolute_program
from keyyo_cti.cli.mime_defaults import replace_text
from keyyo_cti.simulator import Line, Phone, Simulator
from keyyo_cti.token_file import default_file

from ..helpers.running import DEADLINE, ROOT
from .desktop import Desktop
from .kept import Capture, keep_login, run

if sys.platform in ("win32", "darwin"):
    pytest.skip("needs a Linux desktop", allow_module_level=True)

TEL, CALLTO = "x-scheme-handler/tel", "x-scheme-handler/callto"
OURS = "keyyo-cti-dial.desktop"

has_xdg = shutil.which("xdg-mime") is not None
needs_xdg = pytest.mark.skipif(not has_xdg, reason="needs xdg-mime")


@pytest.fixture(params=[pytest.param("xdg-mime", marks=needs_xdg), "without"])
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory with two programs; xdg-mime is there, or missing."""
    for name in ("DATA", "CONFIG", "DATA_DIRS", "CONFIG_DIRS"):
        variable = f"XDG_{name}" if "_" in name else f"XDG_{name}_HOME"
        monkeypatch.setenv(variable, str(tmp_path / name.lower()))
    for name in ("XDG_CURRENT_DESKTOP", "DESKTOP_SESSION", "DISPLAY", "KDE_FULL_SESSION"):
        monkeypatch.delenv(name, raising=False)
    applications = tmp_path / "data" / "applications"
    applications.mkdir(parents=True)
    for name in ("other", "more"):
        (applications / f"{name}.desktop").write_text(
            f"[Desktop Entry]\nType=Application\nName={name}\nExec=true %u\n"
            f"MimeType={TEL};{CALLTO};\n"
        )
    if request.param == "without":
        monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    return tmp_path


def entry(home: Path) -> Path:
    return home / "data" / "applications" / OURS


def mimeapps(home: Path) -> Path:
    path = home / "config" / "mimeapps.list"
    path.parent.mkdir(exist_ok=True)
    return path


def default(mime: str) -> str:
    """What xdg-mime itself says, if it is there."""
    if os.environ["PATH"].endswith("nothing"):
        from keyyo_cti.cli.mime_defaults import find_default

        return find_default(mime)
    command = ["xdg-mime", "query", "default", mime]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=DEADLINE
    ).stdout.strip()


LISTS: Dict[str, str] = {
    "no list": "",
    "another default": f"[Default Applications]\n{TEL}=other.desktop;more.desktop;\ntext/x=a\n",
    "other groups": f"# mine\n[Added Associations]\n{TEL}=more.desktop;\n\n[Mine]\nx=y\n",
}


@pytest.mark.parametrize("before", LISTS)
@pytest.mark.parametrize("times", [1, 2])
def test_uninstall_gives_back_what_was_there_before(
    home: Path, capsys: Capture, before: str, times: int
) -> None:
    if before != "no list":
        mimeapps(home).write_text(LISTS[before])
    expected = {mime: default(mime) for mime in (TEL, CALLTO)}
    for _ in range(times):
        said = run(capsys, "install-handler")
        assert said.status == 0 and said.err[0] == f"wrote {entry(home)}"
    assert [default(TEL), default(CALLTO)] == [OURS, OURS]
    assert ("instead of by other.desktop" in said.err[1]) == (before == "another default")

    said = run(capsys, "install-handler", "--uninstall")
    assert said.status == 0 and said.err[0] == f"removed {entry(home)}"
    assert {mime: default(mime) for mime in expected} == expected
    assert not entry(home).exists() and OURS not in mimeapps(home).read_text()
    kept = [line for line in mimeapps(home).read_text().splitlines() if line]
    assert [line for line in LISTS[before].splitlines() if line] == [
        line for line in kept if line != "[Default Applications]" or line in LISTS[before]
    ]
    assert run(capsys, "install-handler", "--uninstall").err == ["it was not installed"]


@pytest.mark.parametrize("folder", ["relative", ""])
def test_variable_without_an_absolute_folder_is_ignored(
    home: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setenv("HOME", str(home / "alice"))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, folder)
    said = run(capsys, "install-handler")
    assert (said.status, said.err[1]) == (0, "tel: links are opened by keyyo-cti")
    assert run(capsys, "install-handler", "--uninstall").status == 0
    left = (home / "alice" / ".config" / "mimeapps.list").read_text()
    assert OURS not in left and not (home / "relative").exists()


@pytest.mark.parametrize("between", ["", "[Mine]\nx=y\n[Default Applications]\n"])
def test_list_that_is_there_twice_is_one_that_gives_back_the_default(
    home: Path, capsys: Capture, between: str
) -> None:
    """xdg-mime reads the first one, GLib the last one."""
    mimeapps(home).write_text(
        f"[Default Applications]\n{TEL}=other.desktop\n{between}{TEL}=more.desktop\n"
    )
    expected = default(TEL)
    run(capsys, "install-handler")
    assert mimeapps(home).read_text().count(f"{TEL}=") == 1 and default(TEL) == OURS
    run(capsys, "install-handler", "--uninstall")
    assert default(TEL) == expected and OURS not in mimeapps(home).read_text()


@pytest.mark.parametrize("home", ["without"], indirect=True)
def test_list_with_line_breaks_of_windows_keeps_them(home: Path, capsys: Capture) -> None:
    text = f"[Default Applications]\r\n{TEL}=more.desktop;\r\n"
    mimeapps(home).write_bytes(text.encode())
    run(capsys, "install-handler")
    assert b"\n" not in mimeapps(home).read_bytes().replace(b"\r\n", b"")
    run(capsys, "install-handler", "--uninstall")
    assert mimeapps(home).read_bytes() == text.encode()


def test_uninstall_leaves_a_default_that_was_chosen_since_then(
    home: Path, capsys: Capture
) -> None:
    run(capsys, "install-handler")
    chosen = f"[Default Applications]\n{TEL}=more.desktop;{OURS};\n{CALLTO}=more.desktop\n"
    mimeapps(home).write_text(chosen)
    said = run(capsys, "install-handler", "--uninstall")
    assert said.status == 0 and "tel: links are opened by more.desktop" in said.err
    assert mimeapps(home).read_text() == chosen.replace(f"{OURS};", "")


def test_installed_entry_confirms_and_cannot_get_an_option(home: Path, capsys: Capture) -> None:
    run(capsys, "install-handler", "--csi", "33199000001", "--only", "33[1-79][0-9]{8}")
    lines = entry(home).read_text().splitlines()
    program = " ".join(find_absolute_program())
    assert os.path.isabs(program) and f"TryExec={find_absolute_program()[0]}" in lines
    assert (
        f'Exec={program} dial --confirm --csi=33199000001 --only=33[1-79][0-9]{{8}} -- %u'
    ) in lines
    assert "NoDisplay=true" in lines and f"MimeType={TEL};{CALLTO};" in lines
    assert stat.S_IMODE(entry(home).stat().st_mode) == 0o644


@pytest.mark.parametrize("home", ["without"], indirect=True)
def test_list_that_is_a_link_stays_a_link(home: Path, capsys: Capture) -> None:
    """Without xdg-mime, which replaces it by a file."""
    kept = home / "kept"
    kept.write_text("# caf\xe9\r\n[Default Applications]\r\n", encoding="latin-1")
    mimeapps(home).symlink_to(kept)
    assert run(capsys, "install-handler").status == 0
    assert run(capsys, "install-handler", "--uninstall").status == 0
    assert mimeapps(home).is_symlink()
    assert kept.read_bytes() == b"# caf\xe9\r\n[Default Applications]\r\n"


@pytest.mark.parametrize("has_script", [True, False])
def test_program_is_the_one_of_this_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_script: bool
) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    script = tmp_path / "keyyo-cti"
    if has_script:
        script.touch(0o755)
    expected = (str(script),) if has_script else (sys.executable, "-m", "keyyo_cti")
    assert find_absolute_program() == expected
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["bin/keyyo-cti"])
    assert find_absolute_program() == (str(tmp_path / "bin" / "keyyo-cti"),)


def test_list_of_the_desktop_that_wins_is_a_failure(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user has to choose then, and is told so."""
    desktop = Desktop(tmp_path / "programs", monkeypatch)
    desktop.add("xdg-mime", action="echo other.desktop")
    said = run(capsys, "install-handler")
    assert said.status == 1
    assert said.err[1] == (
        "tel: links are still opened by other.desktop: choose keyyo-cti for them in the settings "
        "of your desktop"
    )


def test_install_says_what_is_missing(
    sim: Simulator, alice: Line, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    Desktop(tmp_path / "programs", monkeypatch)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    said = run(capsys, "install-handler")
    assert "no window can ask you before a call: install zenity or kdialog" in said.err
    assert "you are not signed in: sign in with keyyo-cti login" in said.err
    keep_login(sim)
    assert not any("signed in" in line for line in run(capsys, "install-handler").err)
    default_file().write_bytes(b"garbage" * 1000)
    assert "you are not signed in: sign in with keyyo-cti login" in run(
        capsys, "install-handler").err


def test_list_that_cannot_be_replaced_stays_and_leaves_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mimeapps.list"
    path.write_text("old")

    def fail(*_: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="full"):
        replace_text(path, "new")
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize("option", [["--csi", "33199000001"], ["--only", "33.*"]])
def test_uninstall_takes_no_other_option(capsys: Capture, option: List[str]) -> None:
    assert run(capsys, "install-handler", "--uninstall", *option).status == 2


@pytest.mark.parametrize("system, heading", [("win32", "windows"), ("darwin", "macos")])
def test_other_systems_are_sent_to_the_guide(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, system: str, heading: str
) -> None:
    monkeypatch.setattr("keyyo_cti.cli.install_handler.sys.platform", system)
    said = run(capsys, "install-handler")
    assert said.status == 2 and said.err[0].endswith(f"telephone-links.md#{heading}")


def test_home_that_does_not_exist_is_named(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", "/")
    said = run(capsys, "install-handler")
    assert said == (1, [], ["there is no home directory: set HOME or XDG_DATA_HOME"])


@needs_xdg
@pytest.mark.slow
@pytest.mark.parametrize("home", ["xdg-mime"], indirect=True)
@pytest.mark.parametrize("opener", [["xdg-open"], ["gio", "open"]], ids=" ".join)
@pytest.mark.parametrize("link", ["tel:+33-1-99-02-00-00", "callto://+33199020000"])
def test_link_that_is_opened_calls_after_a_yes(
    home: Path, sim: Simulator, alice: Line, bob: Phone, capsys: Capture,
    monkeypatch: pytest.MonkeyPatch, opener: List[str], link: str,
) -> None:
    """The whole way, from a desktop's own program that opens a link to a telephone that rings."""
    if shutil.which(opener[0]) is None:
        pytest.skip(f"needs {opener[0]}")
    keep_login(sim)
    path = os.environ["PATH"]
    desktop = Desktop(home / "programs", monkeypatch)
    desktop.add("zenity", 0)
    monkeypatch.setenv("PATH", f"{desktop.folder}:{path}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    assert run(capsys, "install-handler", "--only", "33[1-79][0-9]{8}").status == 0
    subprocess.run([*opener, link], check=True, timeout=DEADLINE)
    bob.wait_until("ringing", DEADLINE)
    assert "--text=Call +33 1 99 02 00 00?" in desktop.seen("zenity")
    sim.wait_for_session(alice, counter=0)
