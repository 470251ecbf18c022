"""``keyyo-cti install-handler``: a click on a telephone link calls it, on Linux desktops."""

import argparse
import importlib.util
import os
import sys
from pathlib import Path
from typing import Dict, List

from .._net.state_folder import data_folder
from .desktop import find_dialogs
from .desktop_entry import TYPES, make_entry, name_key, read_previous
from .dial import parse_pattern
from .exit_codes import FAILED, OK, UsageError
from .invocation import find_absolute_program, format_command
from .login_file import LoginFile
from .mime_defaults import (
    find_default,
    read_list,
    read_text,
    remove_from_lists,
    replace_text,
    run_program,
    set_default,
)
from .parser import PROGRAM
from .terminal import Terminal, escape

#: The name of the desktop entry.
ENTRY = "keyyo-cti-dial.desktop"

_GUIDE = "docs/guides/telephone-links.md"

#: Systems without desktop entries -> the heading of the guide.
_OTHER_SYSTEMS = {"win32": ("Windows", "windows"), "darwin": ("macOS", "macos")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = (
        "A click on a link then opens a window that shows the number and asks before it calls. "
        f"On Windows and macOS, see {_GUIDE}."
    )
    parser.add_argument(
        "--uninstall", action="store_true", help="give back the programs that opened them before"
    )
    parser.add_argument("--csi", metavar="CSI", help="line of the account, if it has several")
    parser.add_argument(
        "--only",
        type=parse_pattern,
        metavar="REGEX",
        help="call only numbers that this matches as a whole, as for dial",
    )


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Run the command."""
    if sys.platform in _OTHER_SYSTEMS:
        name, anchor = _OTHER_SYSTEMS[sys.platform]
        raise UsageError(f"this is for Linux desktops; for {name}, see {_GUIDE}#{anchor}")
    if not arguments.uninstall:
        return _install(arguments, err)
    if arguments.csi is not None or arguments.only is not None:
        raise UsageError("--uninstall takes neither --csi nor --only")
    return _uninstall(err)


def _install(arguments: argparse.Namespace, err: Terminal) -> int:
    path = _find_entry()
    old = read_text(path)
    before = {mime: find_default(mime) for mime in TYPES}
    previous: Dict[str, str] = {}
    for mime in TYPES:
        # Of a second installation, the default before is this entry.
        previous.update(
            read_previous(old, mime) if before[mime] == ENTRY else _describe(mime, before[mime])
        )
    replace_text(path, make_entry(_make_command(arguments), previous))
    err.print_line(f"wrote {escape(path)}")
    _update_desktop(path.parent)
    failed = [mime for mime in TYPES if not set_default(ENTRY, mime)]
    for mime in TYPES:
        if mime in failed:
            err.print_line(
                f"{_name(mime)} links are still opened by {escape(find_default(mime) or 'none')}: "
                f"choose {PROGRAM} for them in the settings of your desktop"
            )
        else:
            known = read_previous(read_text(path), mime).get(name_key("Default", mime))
            other = f", instead of by {escape(known)}" if known else ""
            err.print_line(f"{_name(mime)} links are opened by {PROGRAM}{other}")
    for line in _find_obstacles():
        err.print_line(line)
    err.print_line(f"undo this with: {format_command('install-handler', '--uninstall')}")
    return FAILED if failed else OK


def _uninstall(err: Terminal) -> int:
    path = _find_entry()
    entry = read_text(path)
    previous = {mime: read_previous(entry, mime) for mime in TYPES}
    for mime in TYPES:
        remove_from_lists(ENTRY, mime, previous[mime].get(name_key("List", mime)))
    if not entry:
        err.print_line("it was not installed")
        return OK
    # Before the check below: xdg-mime chooses any program that has the type if no list names one.
    os.unlink(path)
    _update_desktop(path.parent)
    err.print_line(f"removed {escape(path)}")
    for mime in TYPES:
        default = previous[mime].get(name_key("Default", mime))
        if default and find_default(mime) == ENTRY:
            # It is in a list of the desktop's own.
            set_default(default, mime)
        now = find_default(mime)
        name = "no program" if now in ("", ENTRY) else now
        err.print_line(f"{_name(mime)} links are opened by {escape(name)}")
    return OK


def _describe(mime: str, default: str) -> Dict[str, str]:
    """Return the keys with what opens a type now."""
    own = read_list(mime, default)
    found = {} if own is None else {name_key("List", mime): own}
    return {**found, **({name_key("Default", mime): default} if default else {})}


def _make_command(arguments: argparse.Namespace) -> List[str]:
    """Return the words that call the number in a link, which is appended.

    After ``--``, a link cannot become an option.
    """
    options = ["--confirm"]
    if arguments.csi is not None:
        options.append(f"--csi={arguments.csi}")
    if arguments.only is not None:
        options.append(f"--only={arguments.only.pattern}")
    return [*find_absolute_program(), "dial", *options, "--"]


def _find_entry() -> Path:
    return data_folder() / "applications" / ENTRY


def _update_desktop(folder: Path) -> None:
    # Some desktops read only the cache that this program writes. It is often missing.
    run_program("update-desktop-database", str(folder))


def _find_obstacles() -> List[str]:
    """Return what prevents a call by a link, and what to do about it."""
    found = []
    if not find_dialogs() and importlib.util.find_spec("tkinter") is None:
        found.append("no window can ask you before a call: install zenity or kdialog")
    try:
        is_signed_in = LoginFile().load(allow_http=True) is not None
    except OSError:
        is_signed_in = False
    if not is_signed_in:
        found.append(f"you are not signed in: sign in with {format_command('login')}")
    return found


def _name(mime: str) -> str:
    return f"{mime.rpartition('/')[2]}:"
