"""The desktop entry that starts this program for a link. Pure.

It is written as the Desktop Entry Specification says. What was the default before is in keys of
its own, so that an uninstall can give it back.
"""

import re
from typing import Dict, Optional, Sequence

from .exit_codes import CommandFailed
from .key_file import read_key

GROUP = "Desktop Entry"

#: The types of ``tel:`` and ``callto:`` links.
TYPES = ("x-scheme-handler/tel", "x-scheme-handler/callto")

#: A word without a character that has a meaning in Exec. xdg-open reads no quotes, so that a
#: word which does not need them has none.
_PLAIN = re.compile(r"[\w@%+=:,./\[\]{}^-]+", re.ASCII)

_RESERVED = re.compile(r'["`$\\]')


def make_entry(command: Sequence[str], previous: Dict[str, str]) -> str:
    """Return the text of the entry.

    :param command: the words that call the number in a link, which is appended.
    :param previous: further keys.
    :raises CommandFailed: a word cannot be written into an entry.
    """
    for word in command:
        if not word.isprintable():
            raise CommandFailed(f"{word!r} cannot be written into a desktop entry: rename it")
    if "=" in command[0] or "%" in command[0]:
        # The specification forbids the one, and GLib does not find a program with the other.
        raise CommandFailed(
            f"the path of a program in a desktop entry has no = and no %: move {command[0]!r}"
        )
    keys = {
        "Type": "Application",
        "Version": "1.0",
        "Name": "keyyo-cti",
        "Comment": "Call the number of a tel: or callto: link on a Keyyo line",
        # Without the program, desktops ignore the entry. Otherwise a click would do nothing.
        "TryExec": _escape(command[0]),
        "Exec": f"{quote_command(command)} %u",
        "Terminal": "false",
        "NoDisplay": "true",
        "MimeType": "".join(f"{each};" for each in TYPES),
        **previous,
    }
    lines = [f"[{GROUP}]", *(f"{name}={value}" for name, value in keys.items())]
    return "\n".join(lines) + "\n"


def quote_command(words: Sequence[str]) -> str:
    """Return words as the value of Exec."""
    return _escape(" ".join(map(_quote, words)))


def name_key(kind: str, mime: str) -> str:
    """Return the name of a key that has the default before.

    :param kind: "Default" for the program, "List" for the user's own list.
    """
    return f"X-Keyyo-{kind}-{mime.rpartition('/')[2]}"


def read_previous(entry: str, mime: str) -> Dict[str, str]:
    """Return the keys of an entry with the default before."""
    names = [name_key(kind, mime) for kind in ("Default", "List")]
    found: Dict[str, Optional[str]] = {name: read_key(entry, GROUP, name) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _quote(word: str) -> str:
    # A single % would begin a field code, such as %u.
    word = word.replace("%", "%%")
    if _PLAIN.fullmatch(word):
        return word
    return '"' + _RESERVED.sub(lambda found: f"\\{found[0]}", word) + '"'


def _escape(value: str) -> str:
    """Return a string as the value of any key: after the quoting, a backslash is doubled."""
    return value.replace("\\", "\\\\")
