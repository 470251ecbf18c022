"""The token file: private, whole, and shared by processes that lose nobody."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Iterator, List
from urllib.parse import parse_qsl

import pytest

from keyyo_cti._oauth2.tokens import Tokens
from keyyo_cti.account import AccountClient, TokensNotKept
from keyyo_cti.oauth2 import OAuth2Client
from keyyo_cti.token_file import TokenFile, default_file

from ..helpers import canaries
from ..helpers.canaries import ACCESS, CLIENT_SECRET, REFRESH, Watch
from ..helpers.running import Running

keyyo, watch = canaries.keyyo, canaries.watch

SOON = 40.0
TOKENS = Tokens(ACCESS, REFRESH, 1_700_000_000.5)
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs modes and links of POSIX")


def program(client_id: str = "me", token_url: str = "https://api.keyyo.com/token") -> OAuth2Client:
    return OAuth2Client(client_id, CLIENT_SECRET, "http://127.0.0.1/", token_url=token_url)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "tokens.sqlite3"


@pytest.fixture
def file(path: Path) -> TokenFile:
    return TokenFile(program(), path)


def test_default_file() -> None:
    """By default the file is in the user's state directory, in a folder of the SDK's own."""
    assert default_file().is_absolute()
    assert default_file().name == "tokens.sqlite3"
    assert "keyyo-cti" in default_file().parts
    assert TokenFile(program()).path == default_file()


def test_kept(file: TokenFile, path: Path) -> None:
    """What is saved is there for the next program, until it is replaced or deleted."""
    file.save(TOKENS)
    assert TokenFile(program(), str(path)).load() == TOKENS
    file.save(Tokens("other"))
    assert file.load() == Tokens("other")
    file.delete()
    assert file.load() is None


def test_what_was_granted_is_kept(file: TokenFile, path: Path) -> None:
    """The scopes come and go with the tokens."""
    file.save(Tokens(ACCESS, REFRESH, None, "cti_admin full_access_read_only"))
    kept = TokenFile(program(), path).load()
    assert kept is not None and kept.scope == "cti_admin full_access_read_only"
    file.save(TOKENS)
    kept = file.load()
    assert kept is not None and kept.scope is None
    file.save(Tokens(ACCESS, scope="cti_admin"))
    file.delete()
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM scopes").fetchone() == (0,)
    database.close()


def test_a_file_of_an_older_version(file: TokenFile, path: Path) -> None:
    """A file without scopes is read, and kept, as it is."""
    file.save(TOKENS)
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE scopes")
    database.close()
    assert file.load() == TOKENS
    file.save(Tokens(ACCESS, scope="cti_admin"))
    kept = file.load()
    assert kept is not None and kept.scope == "cti_admin"


def test_looking_makes_no_file(file: TokenFile, path: Path) -> None:
    """A program that only asks leaves no file behind."""
    assert file.load() is None
    file.delete()
    assert not path.parent.exists()


def test_no_server_gets_anothers(file: TokenFile, path: Path) -> None:
    """The tokens of each program and each server are apart."""
    file.save(TOKENS)
    simulator = TokenFile(program(token_url="http://127.0.0.1:1/token"), path)
    assert simulator.load() is None
    assert TokenFile(program("you"), path).load() is None
    simulator.delete()
    assert file.load() == TOKENS


@POSIX
@pytest.mark.fault(32)
@pytest.mark.promise(10)
def test_private_under_any_umask(file: TokenFile, path: Path) -> None:
    """With a umask of 0, the file is readable by its owner only; so it becomes, if it was not."""
    before = os.umask(0)
    try:
        file.save(TOKENS)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        path.chmod(0o644)
        file.load()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@POSIX
@pytest.mark.fault(32)
@pytest.mark.promise(10)
def test_symlink_and_pipe_refused(tmp_path: Path) -> None:
    """A link or a pipe in the place of the file is refused."""
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="link"):
        TokenFile(program(), tmp_path / "link").save(TOKENS)
    assert not (tmp_path / "target").exists()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        TokenFile(program(), tmp_path / "pipe").save(TOKENS)


def test_replaced_tokens_are_overwritten(file: TokenFile, path: Path) -> None:
    """What was replaced is not left in the file."""
    file.save(TOKENS)
    assert ACCESS.encode() in path.read_bytes()
    file.save(Tokens("other"))
    assert b"canary" not in path.read_bytes()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_damaged(file: TokenFile, path: Path, watch: Watch) -> None:
    """A file that is not ours any more is an OSError that names it and no secret."""
    file.save(TOKENS)
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE tokens SET access_token = 'canary canary'")
    with pytest.raises(OSError, match="token file is damaged") as caught:
        file.load()
    watch.see(caught.value, file)
    path.write_bytes(b"canary, and no database " * 100)
    for act in (file.load, file.delete, lambda: file.save(TOKENS)):
        with pytest.raises(OSError, match="tokens.sqlite3") as caught:
            act()
        watch.see(caught.value)


def test_nothing_is_changed_on_an_exception(file: TokenFile) -> None:
    """What was saved before an exception is undone."""
    file.save(TOKENS)
    with pytest.raises(KeyError):
        with file.locked() as locked:
            locked.save(Tokens("other"))
            raise KeyError
    assert file.load() == TOKENS


def test_held(file: TokenFile, path: Path) -> None:
    """While one holds them, others can read but not change them, and do not wait for ever."""
    file.save(TOKENS)
    impatient = TokenFile(program(), path, patience=0.01)
    with file.locked() as locked:
        locked.save(Tokens("other"))
        assert impatient.load() == TOKENS
        with pytest.raises(OSError, match="locked"):
            impatient.save(Tokens("mine"))
        with pytest.raises(TokensNotKept, match="locked"):
            AccountClient(program(), impatient).renewed(TOKENS)
    assert impatient.load() == Tokens("other")


# Two processes.


class Authority(http.server.ThreadingHTTPServer):
    """A token endpoint on this machine whose refresh tokens work once.

    :param life: seconds of an access token.
    """

    def __init__(self, life: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.life = life
        self.lock = threading.Lock()
        self.alive = REFRESH
        self.statuses: List[int] = []
        self.asked, self.answering = threading.Event(), threading.Event()
        self.answering.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/token"

    def answer(self, refresh_token: str) -> Any:
        with self.lock:
            good = refresh_token == self.alive
            self.statuses.append(200 if good else 400)
            if not good:
                return 400, {"error": "invalid_grant"}
            number = len(self.statuses)
            self.alive = f"refresh-{number}"
            return 200, {
                "access_token": f"access-{number}",
                "refresh_token": self.alive,
                "expires_in": self.life,
            }


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Authority

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status, fields = self.server.answer(dict(parse_qsl(form))["refresh_token"])
        self.server.asked.set()
        assert self.server.answering.wait(SOON)
        body = json.dumps(fields).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextlib.contextmanager
def serving(life: int) -> Iterator[Authority]:
    with Authority(life) as authority:
        thread = threading.Thread(target=authority.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield authority
        finally:
            authority.shutdown()
            thread.join()


#: A process of its own: wants access tokens, as soon as the other process is ready too.
WANT_TOKENS = """
import hashlib, sys
from keyyo_cti.account import AccountClient
from keyyo_cti.oauth2 import OAuth2Client
from keyyo_cti.token_file import TokenFile

url, path, secret, times = sys.argv[1:]
oauth2 = OAuth2Client("me", secret, "http://127.0.0.1/", token_url=url)
account = AccountClient(oauth2, TokenFile(oauth2, path))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(times)):
    print(hashlib.sha256(account.access_token().encode()).hexdigest())
"""


def want(authority: Authority, path: Path, times: int) -> List[List[str]]:
    """The digests of the access tokens that two processes get."""
    arguments = [sys.executable, "-c", WANT_TOKENS, authority.url, str(path), CLIENT_SECRET]
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [*arguments, str(times)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                )
            )
            for _ in range(2)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        got = [process.communicate(timeout=20)[0].split() for process in processes]
        assert [process.returncode for process in processes] == [0, 0]
    return got


@pytest.mark.slow
@pytest.mark.parametrize("life", [3600, 1])
def test_two_processes(path: Path, life: int) -> None:
    """Two processes that want new tokens at the same moment: with tokens that live, one refresh
    does for both; with tokens that are never fresh enough, each refresh uses the newest refresh
    token. None is refused, and the file has the one that is alive."""
    with serving(life) as authority:
        file = TokenFile(program(token_url=authority.url), path)
        file.save(Tokens(ACCESS, REFRESH, 0.0))
        first, second = want(authority, path, times=5)
        assert set(authority.statuses) == {200}
        kept = file.load()
        assert kept is not None and kept.refresh_token == authority.alive
    digest = hashlib.sha256(kept.access_token.encode()).hexdigest()
    if life == 3600:
        assert len(authority.statuses) == 1
        assert set(first) == set(second) == {digest}
    else:
        assert len(authority.statuses) == 10
        assert len({*first, *second}) == 10
        assert digest in (first[-1], second[-1])


#: A process with two threads: one wants new tokens, the other one only looks at the file.
LOOKS_MEANWHILE = """
import sys, threading
from keyyo_cti.account import AccountClient
from keyyo_cti.oauth2 import OAuth2Client
from keyyo_cti.token_file import TokenFile

url, path, secret = sys.argv[1:]
oauth2 = OAuth2Client("me", secret, "http://127.0.0.1/", token_url=url)
file = TokenFile(oauth2, path)
thread = threading.Thread(target=AccountClient(oauth2, file).access_token)
thread.start()
sys.stdin.readline()
file.load()
print("looked", flush=True)
thread.join()
"""


def test_who_only_looks_takes_no_lock_away(path: Path) -> None:
    """While a thread refreshes, another one of the same process may look at the tokens: no other
    process can hold them all the same."""
    with serving(3600) as authority:
        file = TokenFile(program(token_url=authority.url), path, patience=0.05)
        file.save(Tokens(ACCESS, REFRESH, 0.0))
        authority.answering.clear()
        with Running("-c", LOOKS_MEANWHILE, authority.url, str(path), CLIENT_SECRET) as running:
            assert authority.asked.wait(SOON)
            running.type("look")
            running.until("looked")
            with pytest.raises(OSError, match="locked"):
                with file.locked():
                    pass
            authority.answering.set()
            assert running.end() == 0
        assert authority.statuses == [200]


@pytest.mark.parametrize("way", ["the end of the program", "Ctrl-C"])
@POSIX
def test_a_refresh_that_has_begun_is_kept(path: Path, way: str) -> None:
    """A refresh whose answer is on its way is waited for and kept, though the program ends, or
    its user presses Ctrl-C: the old refresh token is dead."""
    program_text = """
import sys
from keyyo_cti.account import Account
from keyyo_cti.oauth2 import OAuth2Client
from keyyo_cti.token_file import TokenFile

url, path, secret, way = sys.argv[1:]
oauth2 = OAuth2Client("me", secret, "http://127.0.0.1/", token_url=url)
account = Account(oauth2, TokenFile(oauth2, path))
if way == "Ctrl-C":
    account.client.access_token()
else:
    account.access_token()
    sys.stdin.readline()
"""
    with serving(3600) as authority:
        file = TokenFile(program(token_url=authority.url), path)
        file.save(Tokens(ACCESS, REFRESH, 0.0))
        authority.answering.clear()
        arguments = ["-c", program_text, authority.url, str(path), CLIENT_SECRET, way]
        with Running(*arguments) as running:
            assert authority.asked.wait(SOON)
            if way == "Ctrl-C":
                running.interrupt()
                running.until("KeyboardInterrupt", "err")
            else:
                running.type("end")
            authority.answering.set()
            running.end()
        kept = file.load()
        assert kept is not None and kept.refresh_token == authority.alive


@POSIX
def test_a_place_that_takes_nothing_more(path: Path) -> None:
    """Where new tokens could not be kept, the old ones are not spent."""
    code = """
import resource, signal, sys
from keyyo_cti.account import AccountClient, TokensNotKept
from keyyo_cti.oauth2 import OAuth2Client
from keyyo_cti.token_file import TokenFile

url, path, secret = sys.argv[1:]
oauth2 = OAuth2Client("me", secret, "http://127.0.0.1/", token_url=url)
# As on a full disk.
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    AccountClient(oauth2, TokenFile(oauth2, path)).access_token()
except TokensNotKept as error:
    print(error, flush=True)
"""
    with serving(3600) as authority:
        file = TokenFile(program(token_url=authority.url), path)
        file.save(Tokens(ACCESS, REFRESH, 0.0))
        with Running("-c", code, authority.url, str(path), CLIENT_SECRET) as running:
            running.until("The tokens cannot be saved")
            assert running.end() == 0
        assert authority.statuses == []
        assert file.load() == Tokens(ACCESS, REFRESH, 0.0)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_a_file_of_somebody_else(path: Path) -> None:
    """A file that belongs to somebody else is not trusted with secrets."""
    path.parent.mkdir()
    path.touch()
    os.chown(path, 12345, -1)
    with pytest.raises(OSError, match="belongs to another user"):
        TokenFile(program(), path).load()


def test_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a home, tokens are not kept wherever the program happens to run."""
    monkeypatch.setattr("platformdirs.user_state_path", lambda *a, **k: Path("~/state"))
    with pytest.raises(OSError, match="no home directory"):
        TokenFile(program())
