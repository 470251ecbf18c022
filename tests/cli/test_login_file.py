"""What ``keyyo-cti login`` knows a program by, what of it is kept, and who sees it."""

from __future__ import annotations

import logging
import os
import select
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional

import pytest
import requests

from keyyo_cti.cli.login_file import Login, LoginFile
from keyyo_cti.simulator import Simulator
from keyyo_cti.token_file import TokenFile, default_file

from ..helpers.form_browser import TIMEOUT
from ..helpers.running import DEADLINE, Running, environment
from .desk import (
    CLIENT_ID,
    SECRET,
    Desk,
    clicked,
    code_in,
    desk,
    free_redirect_uri,
    nothing,
    posix,
    url_of,
)

__all__ = ["desk"]

OTHER_SECRET = "canary-other-secret"

#: The command with its terminal as its own, as a shell starts it.
AT_A_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from keyyo_cti.cli import main
sys.exit(main(sys.argv[1:]))
"""


def tokens_there() -> List[str]:
    """The tokens that are kept."""
    login = LoginFile().load()
    assert login is not None
    tokens = TokenFile(login.make_oauth2_client(None)).load()
    assert tokens is not None and tokens.refresh_token is not None
    return [tokens.access_token, tokens.refresh_token]


# Who signs in.


def test_the_option_comes_before_the_environment(desk: Desk, sim: Simulator) -> None:
    """``--client-id`` counts for more than KEYYO_CLIENT_ID."""
    sim.oauth2_application("other-app", SECRET, [desk.redirect_uri])
    assert desk.paste(clicked, "--client-id", "other-app") == 0
    login = LoginFile().load()
    assert login == Login("other-app", SECRET, desk.redirect_uri, desk.server)
    assert SECRET not in repr(login)


def test_again_it_takes_what_it_took_before(desk: Desk) -> None:
    """The second time, nothing has to be said: not the program, its secret, nor the server."""
    assert desk.paste(clicked) == 0
    before = LoginFile().load()
    desk.know("", "")
    assert desk.enter(clicked, "login", "--paste") == 0
    assert LoginFile().load() == before


@pytest.mark.parametrize(
    "client_id, said", [("", "KEYYO_CLIENT_ID"), (CLIENT_ID, "KEYYO_CLIENT_SECRET")])
def test_what_is_missing_is_named(desk: Desk, client_id: str, said: str) -> None:
    """Without a terminal, a missing client id or secret is exit code 2 and one line."""
    desk.know(client_id, "")
    assert desk.paste(nothing) == 2
    [line] = desk.said.splitlines()
    assert said in line


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--server", "http://192.0.2.1"], "server: "),
        (["--server", "http://localhost.example"], "server: "),
        (["--server", "ftp://127.0.0.1"], "server: "),
        (["--server", "127.0.0.1:8080"], "server: "),
        (["--server", "https://me:canary@keyyo.example"], "server: "),
        (["--server", "http://127.0.0.1/?canary"], "server: "),
        (["--redirect-uri", " "], "redirect_uri: "),
        (["--client-id", " "], "client_id: "),
        (["--ca-certs", "/no/such/file"], "/no/such/file"),
    ],
)
def test_a_wrong_option_is_named(desk: Desk, arguments: List[str], said: str) -> None:
    """An option that cannot be is exit code 2 and one line, before anybody goes anywhere."""
    assert desk.paste(nothing, *arguments) == 2
    [line] = desk.said.splitlines()
    assert said in line and "canary" not in line


@pytest.mark.parametrize("patience", ["0", "-1", "nan", "inf", "soon"])
def test_patience_is_a_time(desk: Desk, patience: str) -> None:
    """A patience that is no time is called wrongly."""
    with pytest.raises(SystemExit) as end:
        desk.paste(nothing, "--patience", patience)
    assert end.value.code == 2


@pytest.mark.parametrize("other", ["server", "client"])
def test_the_secret_is_for_nobody_else(desk: Desk, other: str) -> None:
    """Signing in at another server, or as another program, asks for the secret anew: the one
    that is kept is sent to nobody else."""
    assert desk.paste(clicked) == 0
    desk.know("", "")
    with Simulator() as elsewhere:
        server = elsewhere.endpoint.rpartition("/")[0]
        change = ["--server", server] if other == "server" else ["--client-id", "other-app"]
        assert desk.enter(nothing, "login", "--paste", *change) == 2
        assert "the client secret is needed" in desk.said
        assert elsewhere.requested() == []


# At a terminal.


class Teletype:
    """What a person at a terminal types and sees."""

    def __init__(self) -> None:
        import pty

        self._person, self.terminal = pty.openpty()
        self.seen = ""

    def until(self, part: str) -> None:
        """Reads on until this is there."""
        end = time.monotonic() + DEADLINE
        while part not in self.seen:
            left = end - time.monotonic()
            assert left > 0 and select.select([self._person], [], [], left)[0], self.seen
            self.seen += os.read(self._person, 4096).decode()

    def type(self, text: str) -> None:
        os.write(self._person, text.encode())

    def close(self) -> None:
        os.close(self._person)
        os.close(self.terminal)


@pytest.fixture
def teletype() -> Iterator[Teletype]:
    """A terminal."""
    teletype = Teletype()
    yield teletype
    teletype.close()


@posix
def test_id_and_secret_are_asked_for_at_a_terminal(desk: Desk, teletype: Teletype) -> None:
    """A person is asked for the client id and the client secret, which is not shown."""
    desk.know("", "")
    arguments = desk.arguments("--no-browser")
    with Running("-c", AT_A_TERMINAL, *arguments, stdin=teletype.terminal) as login:
        login.until("client id", "err")
        teletype.type(f"{CLIENT_ID}\n")
        teletype.until(f"client secret of {CLIENT_ID} (it is not shown): ")
        teletype.type(f"{SECRET}\n")
        requests.get(clicked(url_of(login)), timeout=TIMEOUT)
        assert login.end() == 0
        assert SECRET not in teletype.seen


@posix
@pytest.mark.parametrize("key, status", [("\x03", 130), ("\x04", 2)], ids=["Ctrl-C", "Ctrl-D"])
def test_a_person_who_does_not_tell_the_secret(
    desk: Desk, teletype: Teletype, key: str, status: int
) -> None:
    """Ctrl-C at the secret is "stopped", and Ctrl-D is called wrongly; neither is a traceback."""
    desk.know(CLIENT_ID, "")
    with Running("-c", AT_A_TERMINAL, *desk.arguments(), stdin=teletype.terminal) as login:
        teletype.until("it is not shown")
        teletype.type(key)
        assert login.end() == status
        assert "Traceback" not in "".join(login.rest("err"))


# What is kept.


@posix
def test_only_the_owner_can_read_the_file(desk: Desk) -> None:
    """The file is for its owner only, and so is its folder, however generous the umask."""
    before = os.umask(0)
    try:
        assert desk.paste(clicked) == 0
    finally:
        os.umask(before)
    file = default_file()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert os.listdir(file.parent) == [file.name]


def test_a_second_login_replaces_the_first(desk: Desk, sim: Simulator) -> None:
    """After a second login, neither the secret nor the tokens of the first are in the file."""
    assert desk.paste(clicked) == 0
    gone = [SECRET, *tokens_there()]
    sim.oauth2_application(CLIENT_ID, OTHER_SECRET, [desk.redirect_uri])
    desk.know(CLIENT_ID, OTHER_SECRET)
    assert desk.paste(clicked) == 0
    there = default_file().read_bytes()
    assert all(secret.encode() in there for secret in [OTHER_SECRET, *tokens_there()])
    assert not any(secret.encode() in there for secret in gone)


def test_a_login_that_fails_leaves_the_first(desk: Desk) -> None:
    """A login that is not brought to its end changes nothing."""
    assert desk.paste(clicked) == 0
    before = default_file().read_bytes()
    assert desk.paste(lambda url: clicked(url, "Refuse")) == 4
    desk.know(CLIENT_ID, OTHER_SECRET)
    assert desk.paste(clicked) == 4
    assert default_file().read_bytes() == before


def test_two_logins_at_once(desk: Desk, sim: Simulator) -> None:
    """Two people who sign in at the same moment are both in, and the file is sound."""
    other_uri = free_redirect_uri()
    sim.oauth2_application(CLIENT_ID, SECRET, [desk.redirect_uri, other_uri])
    with desk.running() as one, desk.running("--redirect-uri", other_uri) as other:
        for url in [clicked(url_of(login)) for login in (one, other)]:
            requests.get(url, timeout=TIMEOUT)
        assert [one.end(), other.end()] == [0, 0]
    assert desk.enter(nothing, "lines") == 0


@pytest.mark.fault(51)
def test_a_server_in_clear_has_to_be_allowed_each_time(tmp_path: Path) -> None:
    """That it was allowed once is not kept."""
    elsewhere, file = "http://lab.test", LoginFile(tmp_path / "tokens")
    with pytest.raises(ValueError, match="server: .*--allow-http"):
        Login(CLIENT_ID, SECRET, "http://127.0.0.1:1/", elsewhere)
    login = Login(CLIENT_ID, SECRET, "http://127.0.0.1:1/", elsewhere, allow_http=True)
    file.save(login)
    with pytest.raises(OSError, match="server: .*--allow-http"):
        file.load()
    assert file.load(allow_http=True) == login
    assert login.make_oauth2_client(None).token_url.startswith(elsewhere)


@pytest.mark.parametrize("command", ["login --paste", "lines", "logout"])
@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE login SET client_id = NULL",
        "UPDATE login SET client_secret = NULL",
        "UPDATE login SET client_secret = ''",
        "UPDATE login SET client_secret = x'63616e617279'",
        "UPDATE login SET client_secret = CAST(x'63616e617279ff' AS TEXT)",
        "UPDATE login SET redirect_uri = NULL",
        "UPDATE login SET server = 'ftp://192.0.2.1'",
        "DROP TABLE login; CREATE TABLE login (something TEXT)",
        "",
    ],
)
def test_a_damaged_file_is_named(desk: Desk, damage: str, command: str) -> None:
    """A file that cannot be understood is exit code 1 and one line that names it, without a
    traceback and without a word of the secret, and nobody is sent anywhere."""
    file = LoginFile()
    file.save(Login(CLIENT_ID, SECRET, desk.redirect_uri, desk.server))
    if damage:
        with sqlite3.connect(file.path) as database:
            database.executescript(damage)
        database.close()
    else:
        file.path.write_bytes(b"canary" * 1000)
    desk.know("", "")
    assert desk.enter(nothing, *command.split()) == 1
    [line] = desk.said.splitlines()
    assert str(file.path) in line and "canary" not in line


def test_a_place_that_cannot_be_is_named(desk: Desk, tmp_path: Path) -> None:
    """Where nothing can be kept, the login fails with the name of the place and no token."""
    (tmp_path / "state").write_text("")
    assert desk.paste(clicked) == 1
    assert str(tmp_path / "state") in desk.said.splitlines()[-1]


# Who never gets to see it.


def _redirect(sim: Simulator) -> None:
    sim.faults.http("/oauth2/token.php", 302, headers={"Location": f"{sim.manager_url}/stolen"})


FAILURES: Dict[str, Callable[[Simulator], None]] = {
    "another secret": lambda sim: None,
    "500": lambda sim: sim.faults.http("/oauth2/token.php", 500, body="oops"),
    "echo": lambda sim: sim.faults.http(
        "/oauth2/token.php",
        400,
        body={"error": "invalid_client", "error_description": f"{OTHER_SECRET} is wrong"},
    ),
    "no token": lambda sim: sim.faults.http_garbage(
        "/oauth2/token.php", '{"access_token": "canary\\n"}'),
    "garbage": lambda sim: sim.faults.http_garbage("/oauth2/token.php"),
    "cut": lambda sim: sim.faults.http_cut("/oauth2/token.php"),
    "redirect": _redirect,
    "gone": lambda sim: sim.stop(),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_shows_no_secret(
    desk: Desk, sim: Simulator, caplog: pytest.LogCaptureFixture, failure: str
) -> None:
    """However the exchange fails, it is one line and exit code 1, or 4 where Keyyo refuses; the
    secret, the code and the tokens are on no screen, in no log at DEBUG, and not kept, and a
    redirect is not followed."""
    caplog.set_level(logging.DEBUG)
    desk.know(CLIENT_ID, OTHER_SECRET if failure in ("another secret", "echo") else SECRET)
    brought: List[str] = []

    def brings(url: str) -> str:
        brought.append(clicked(url))
        FAILURES[failure](sim)
        return brought[0]

    status = desk.paste(brings)
    assert status == (4 if failure in ("another secret", "echo") else 1)
    seen = desk.said + caplog.text
    assert "canary" not in seen and code_in(brought[0]) not in seen
    assert "stolen" not in caplog.text
    assert LoginFile().load() is None
    assert b"canary" not in (default_file().read_bytes() if default_file().exists() else b"")


@contextmanager
def loud(desk: Desk) -> Iterator[Running]:
    """The command, with every log at DEBUG on stderr."""
    program = (
        "import logging, sys; logging.basicConfig(level=logging.DEBUG); "
        "from keyyo_cti.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    with Running("-c", program, *desk.arguments()) as login:
        yield login


@pytest.mark.parametrize("failure", [None, "500"])
def test_a_process_shows_no_secret(desk: Desk, sim: Simulator, failure: Optional[str]) -> None:
    """Neither a login that goes well nor one that fails has the secret, the code or a token in
    what its process writes, logs included."""
    if failure is not None:
        FAILURES[failure](sim)
    with loud(desk) as login:
        brought = clicked(url_of(login))
        requests.get(brought, timeout=TIMEOUT)
        assert login.end() == (0 if failure is None else 1)
        seen = "\n".join(login.rest("err") + login.rest())
    secrets = [SECRET, code_in(brought), *(tokens_there() if failure is None else [])]
    assert "POST /oauth2/token.php" in seen
    assert not any(secret in seen for secret in secrets)


def test_back_to_keyyo_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--server keyyo`` is Keyyo again, after a login at a simulator; a slash at the end of an
    address makes no other server of it."""
    assert desk.enter(clicked, *desk.arguments("--paste", "--server", f"{desk.server}/")) == 0
    login = LoginFile().load()
    assert login is not None and login.server == desk.server
    desk.know("", "")
    assert desk.enter(nothing, "login", "--paste", "--server", "keyyo") == 2
    assert "KEYYO_CLIENT_SECRET" in desk.said
    desk.know(CLIENT_ID, SECRET)
    assert desk.enter(lambda url: "", "login", "--paste", "--server", "keyyo") == 2
    assert "https://ssl.keyyo.com/oauth2/authorize.php?" in desk.said


@posix
def test_a_place_that_cannot_be_written_to(desk: Desk, tmp_path: Path) -> None:
    """Where tokens cannot be kept, the user is not asked for a consent that would be in vain."""
    default_file().parent.parent.mkdir(parents=True)
    default_file().parent.write_text("a file where a folder should be")
    assert desk.paste(nothing) == 1
    assert "authorize.php" not in desk.said


def test_another_client_secret(desk: Desk, sim: Simulator) -> None:
    """When the kept secret is refused, it says how to give another."""
    assert desk.paste(clicked) == 0
    sim.oauth2_application(CLIENT_ID, OTHER_SECRET, [desk.redirect_uri])
    desk.know("", "")
    assert desk.paste(clicked) == 4
    assert "run first: keyyo-cti logout" in desk.said


def test_another_program_is_not_taken_where_the_last_one_was(desk: Desk) -> None:
    """After a login at a simulator, another program signs in at Keyyo: its secret is none of the
    simulator's business, whose port may be somebody else's by now."""
    assert desk.paste(clicked) == 0
    desk.know("my-real-app", OTHER_SECRET)
    assert desk.enter(lambda url: "", "login", "--paste") == 2
    assert "into your account at Keyyo" in desk.said
    assert "https://ssl.keyyo.com/oauth2/authorize.php?" in desk.said


@pytest.mark.slow
@posix
@pytest.mark.parametrize(
    "command, status",
    [("login --paste", 2), ("login --client-id x", 2), ("watch --token-file -", 2),
     ("lines >&-", 4)],
)
def test_closed_streams(desk: Desk, command: str, status: int) -> None:
    """Without stdin, or without stdout, there is no traceback."""
    desk.know(CLIENT_ID, "" if "client-id" in command else SECRET)
    code = f"exec {sys.executable} -m keyyo_cti {command} <&-"
    done = subprocess.run(
        ["sh", "-c", code], stderr=subprocess.PIPE, text=True, env=environment(), timeout=DEADLINE
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
