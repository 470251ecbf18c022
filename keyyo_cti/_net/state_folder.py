"""The folder for persistent state of a user's programs."""

import os
from pathlib import Path

import platformdirs


def state_folder() -> Path:
    """Return the SDK's folder in the state directory of the platform.

    :raises OSError: the user has no home directory, as in a container with an arbitrary uid.
    """
    try:
        folder = platformdirs.user_state_path("keyyo-cti", appauthor=False)
    except (RuntimeError, KeyError):
        folder = Path("~")
    # Without a home directory, the path begins with "~" or "/.local". Otherwise a folder named
    # "~" would appear in the current directory, or a folder in the root.
    chosen = Path(os.environ.get("XDG_STATE_HOME", "")).is_absolute()
    if not folder.is_absolute() or (_homeless() and not chosen):
        raise OSError("there is no home directory: set HOME or XDG_STATE_HOME")
    return folder


def can_make_folder(folder: Path) -> bool:
    """Return True if this user can write to the folder, or create it."""
    there = folder
    while not os.path.lexists(there) and there != there.parent:
        there = there.parent
    return os.path.isdir(there) and os.access(there, os.W_OK | os.X_OK)


def _homeless() -> bool:
    home = Path(os.path.expanduser("~"))
    return os.name == "posix" and (not home.is_absolute() or home == Path(home.anchor))
