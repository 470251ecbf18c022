"""A person who signs in: what is known before, what is on the screen, and what is typed."""

from __future__ import annotations

import socket
import sys
from typing import Callable, List
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from keyyo_cti.cli import main
from keyyo_cti.simulator import Line, Simulator

from ..helpers.form_browser import TIMEOUT, read
from ..helpers.running import Running

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
Brings = Callable[[str], str]

CLIENT_ID = "my-app"
SECRET = "canary-client-secret"

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")


def free_redirect_uri() -> str:
    """One at a port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}/callback"


def clicked(url: str, button: str = "Allow") -> str:
    """Where a click on the consent page sends the browser."""
    return read(requests.get(url, timeout=TIMEOUT)).click(button).headers["Location"]


def code_in(url: str) -> str:
    return parse_qs(urlsplit(url).query)["code"][0]


class Desk:
    """A program that the simulator knows, and a person who signs in with it.

    :ivar said: what was on the screen.
    """

    def __init__(self, sim: Simulator, capsys: Capture, monkeypatch: Patch) -> None:
        self.server = sim.endpoint.rpartition("/")[0]
        self.redirect_uri = free_redirect_uri()
        sim.oauth2_application(CLIENT_ID, SECRET, [self.redirect_uri])
        self.said = ""
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        self.know(CLIENT_ID, SECRET)

    def know(self, client_id: str, client_secret: str) -> None:
        """Has these in the environment; an empty one is as good as none."""
        self._monkeypatch.setenv("KEYYO_CLIENT_ID", client_id)
        self._monkeypatch.setenv("KEYYO_CLIENT_SECRET", client_secret)

    def arguments(self, *more: str) -> List[str]:
        return ["login", "--server", self.server, "--redirect-uri", self.redirect_uri, *more]

    def paste(self, brings: Brings, *more: str) -> int:
        """Signs in, in this process, with what is brought for the URL on the screen."""
        return self.enter(brings, *self.arguments("--paste", *more))

    def enter(self, brings: Brings, *arguments: str) -> int:
        """Enters a command, in this process."""
        self._monkeypatch.setattr("sys.stdin", _Person(self, brings))
        self.said = ""
        status = main(list(arguments))
        self.read()
        return status

    def read(self) -> str:
        """What is on the screen by now."""
        self.said += "".join(self._capsys.readouterr())
        return self.said

    def running(self, *more: str, **variables: str) -> Running:
        """Signs in, in a process."""
        return Running("-m", "keyyo_cti", *self.arguments(*more), **variables)


class _Person:
    """Stands for stdin, which is no terminal."""

    def __init__(self, desk: Desk, brings: Brings) -> None:
        self._desk = desk
        self._brings = brings

    def isatty(self) -> bool:
        return False

    def readline(self) -> str:
        [url] = [line for line in self._desk.read().splitlines() if "authorize.php" in line]
        return self._brings(url.strip()) + "\n"


@pytest.fixture
def desk(sim: Simulator, alice: Line, capsys: Capture, monkeypatch: Patch) -> Desk:
    """A desk on a machine without a browser."""
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return Desk(sim, capsys, monkeypatch)


def url_of(running: Running) -> str:
    """The URL that it shows."""
    return running.until("/oauth2/authorize.php?", "err").strip()


def nothing(url: str) -> str:
    raise AssertionError("nobody was to be asked")
