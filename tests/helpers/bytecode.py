"""Compiled modules that the programs and workers of a run share, away from the sources."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_FOLDER = "PYTHONPYCACHEPREFIX"


def share_bytecode() -> None:
    """Give the processes that this one starts a folder for compiled modules.

    Otherwise each of them compiles the package anew where PYTHONDONTWRITEBYTECODE keeps files
    away from the sources, which takes longer than most of them run.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None) and not os.environ.get(_FOLDER):
        folder = os.environ[_FOLDER] = tempfile.mkdtemp(prefix="keyyo-bytecode-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
