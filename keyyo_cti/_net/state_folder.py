"""The folders of a user: for persistent state, data and configuration."""

import os
from pathlib import Path
from typing import Callable

import platformdirs


def state_folder() -> Path:
    """Return the SDK's folder in the state directory of the platform.

    :raises OSError: the user has no home directory, as in a container with an arbitrary uid.
    """
    return _find(lambda: platformdirs.user_state_path("keyyo-cti", appauthor=False), "STATE")


def data_folder() -> Path:
    """Return the folder of the user's data of all programs.

    :raises OSError: as for ``state_folder``.
    """
    return _find(platformdirs.user_data_path, "DATA")


def config_folder() -> Path:
    """Return the folder of the user's configuration of all programs.

    :raises OSError: as for ``state_folder``.
    """
    return _find(platformdirs.user_config_path, "CONFIG")


def _find(find: Callable[[], Path], kind: str) -> Path:
    variable = f"XDG_{kind}_HOME"
    try:
        folder = find()
    except (RuntimeError, KeyError):
        folder = Path("~")
    # Without a home directory, the path begins with "~" or "/.local". Otherwise a folder named
    # "~" would appear in the current directory, or a folder in the root.
    chosen = Path(os.environ.get(variable, "")).is_absolute()
    if not folder.is_absolute() or (_homeless() and not chosen):
        raise OSError(f"there is no home directory: set HOME or {variable}")
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
