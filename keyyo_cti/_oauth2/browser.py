"""Opens the user's browser on a URL that other users of the machine must not read.

Every user can read the arguments of a process. The browser therefore gets the name of a private
file, which redirects to the URL.
"""

import contextlib
import os
import sys
import tempfile
import threading
import webbrowser
from html import escape
from pathlib import Path
from typing import Iterator, Optional

_PAGE = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="referrer" content="no-referrer">'
    '<meta http-equiv="refresh" content="0; url={url}"><title>Signing in</title></head>'
    '<body><p><a href="{url}">Go on to the page where you sign in</a></p></body></html>'
)


@contextlib.contextmanager
def private_page(url: str) -> Iterator[str]:
    """Yield the URL of a private file that redirects a browser.

    :param url: target of the redirect.
    :raises OSError: the file cannot be created.
    """
    path = _write(_PAGE.format(url=escape(url)).encode("utf-8"))
    try:
        yield path.as_uri()
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def open_in_background(url: str) -> None:
    """Open the user's browser, without waiting for its end."""
    threading.Thread(target=_open, args=(url,), name="keyyo-cti-browser", daemon=True).start()


def _open(url: str) -> None:
    # The variable BROWSER may not name a command.
    with contextlib.suppress(Exception):
        webbrowser.open(url)


def _write(page: bytes) -> Path:
    handle, name = _make_file()
    path = Path(name)
    try:
        with open(handle, "wb") as file:
            file.write(page)
    except BaseException:
        # It may contain a part of the URL.
        path.unlink()
        raise
    return path


def _make_file() -> "tuple[int, str]":
    folder = _visible_folder()
    if folder is not None:
        with contextlib.suppress(OSError):
            return _make_file_in(folder)
    return _make_file_in(None)


def _make_file_in(folder: Optional[str]) -> "tuple[int, str]":
    # mkstemp makes it readable by its owner only, whatever the umask.
    return tempfile.mkstemp(prefix="keyyo-cti-", suffix=".html", dir=folder)


def _visible_folder() -> Optional[str]:
    """Return a folder that the browser of a snap can read; None without snaps.

    Such a browser sees neither /tmp nor hidden folders. Otherwise it shows "file not found".
    """
    if sys.platform != "linux" or not os.path.isdir("/snap"):
        return None
    return os.path.expanduser("~")
