"""The default programs of a Linux desktop: by xdg-mime, or in mimeapps.list without it."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Optional

from .._net.state_folder import config_folder
from .key_file import read_key, read_values, write_key

_DEFAULTS = "Default Applications"
_GROUPS = (_DEFAULTS, "Added Associations")

#: The name of an entry.
_ENTRY = re.compile(r"[^\s;/=]+\.desktop")

#: The variables with the folders of the user.
_FOLDERS = ("XDG_CONFIG_HOME", "XDG_DATA_HOME")

#: Seconds. The programs of a desktop may wait for a service that does not run.
_TIMEOUT = 20.0


def find_default(mime: str) -> str:
    """Return the entry that opens a type; empty if there is none."""
    if shutil.which("xdg-mime"):
        found = run_program("xdg-mime", "query", "default", mime)
        if found is not None:
            return found if _ENTRY.fullmatch(found) else ""
    return _first(read_list(mime))


def read_list(mime: str, default: Optional[str] = None) -> Optional[str]:
    """Return the user's own list of defaults for a type, or None.

    :param default: if there are several lists, the one that begins with it is meant, else the
        last one.
    """
    values = read_values(read_text(_list_file()), _DEFAULTS, mime)
    last = values[-1] if values else None
    return next((each for each in reversed(values) if _first(each) == default), last)


def set_default(entry: str, mime: str) -> bool:
    """Make an entry the default.

    :returns: True if it is the default now. A list of the desktop's own may win.
    """
    if shutil.which("xdg-mime"):
        run_program("xdg-mime", "default", entry, mime)
    own = read_list(mime)
    # xdg-mime changes and reads the first of several lists, but GLib reads the last one.
    if _first(own) != entry and (own is not None or find_default(mime) != entry):
        path = _list_file()
        replace_text(path, write_key(read_text(path), _DEFAULTS, mime, f"{entry};"))
    return find_default(mime) == entry


def remove_from_lists(entry: str, mime: str, before: Optional[str]) -> None:
    """Remove an entry from the user's lists, and give back what was there before.

    :param before: the user's own list of defaults at that time, or None.
    """
    path = _list_file()
    text = new = read_text(path)
    for group in _GROUPS:
        value = read_key(new, group, mime)
        if value is None or entry not in value.split(";"):
            continue
        # Otherwise the user has chosen another default since then.
        is_ours = group == _DEFAULTS and _first(value) == entry
        new = write_key(new, group, mime, _remove((before or "") if is_ours else value, entry))
    if new != text:
        replace_text(path, new)


def run_program(*command: str) -> Optional[str]:
    """Return what a program prints, or None if it fails."""
    # The specification ignores relative folders, as desktops do, but xdg-mime writes into them.
    ignored = [name for name in _FOLDERS if not os.path.isabs(os.environ.get(name, ""))]
    variables = {name: value for name, value in os.environ.items() if name not in ignored}
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT, check=True, env=variables,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip()


def read_text(path: Path) -> str:
    """Return the text of a file; empty if there is none."""
    try:
        # Whatever other programs have written stays as it is.
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def replace_text(path: Path, text: str) -> None:
    """Write a file as a whole or not at all."""
    # The file may be a link into a folder that the user keeps under version control.
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    file, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(file, "w", encoding="utf-8", errors="surrogateescape", newline="") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _list_file() -> Path:
    return config_folder() / "mimeapps.list"


def _first(value: Optional[str]) -> str:
    return next((each for each in (value or "").split(";") if each), "")


def _remove(value: str, entry: str) -> Optional[str]:
    """Return a list without an entry; None if nothing is left."""
    if entry not in value.split(";"):
        return value or None
    rest = [each for each in value.split(";") if each and each != entry]
    return "".join(f"{each};" for each in rest) or None
