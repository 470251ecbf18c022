"""The session cookie, in a jar and in a file."""

from __future__ import annotations

import contextlib
import http.cookiejar
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Callable, Iterator, List

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from keyyo_cti._client import session_store
from keyyo_cti._client.session_store import FileCookie, JarCookie, SessionCookie, default_file
from keyyo_cti._net.clock import monotonic
from keyyo_cti._net.private_folder import open_private

from ...helpers.running import Running

DAY = 86_400

ENDPOINT = "https://ws.keyyo.com/cti"

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs modes and links of POSIX")

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=40)


class Wall:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "sessions.json"


def in_file(file: Path, wall: Wall, name: str = "__ksid", endpoint: str = ENDPOINT) -> FileCookie:
    return FileCookie(file, endpoint, name, 60, wall)


JARS = [http.cookiejar.CookieJar, requests.cookies.RequestsCookieJar]


@pytest.fixture(params=["file", *JARS])
def cookie(request: Any, file: Path, wall: Wall) -> SessionCookie:
    """A cookie for 60 days, in each of the places where one can be."""
    if request.param == "file":
        return in_file(file, wall)
    return JarCookie(request.param(), "__ksid", 60, wall)


def test_none_at_first(cookie: SessionCookie) -> None:
    """At first there is no session id, and forgetting it is no error."""
    assert cookie.load() is None
    cookie.delete()
    assert cookie.load() is None


def test_kept(cookie: SessionCookie) -> None:
    """A session id is kept until it is replaced or forgotten."""
    cookie.save("first")
    assert cookie.load() == "first"
    cookie.save("second")
    assert cookie.load() == "second"
    cookie.delete()
    assert cookie.load() is None


def test_expiry(cookie: SessionCookie, wall: Wall) -> None:
    """A session id is forgotten when its days are over, and not before."""
    cookie.save("id")
    wall.time += 60 * DAY - 1
    assert cookie.load() == "id"
    wall.time += 1
    assert cookie.load() is None


def test_expiry_counts_from_the_last_save(cookie: SessionCookie, wall: Wall) -> None:
    """To keep a session id again gives it all its days again."""
    cookie.save("id")
    wall.time += 59 * DAY
    cookie.save("id")
    wall.time += 59 * DAY
    assert cookie.load() == "id"


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder of one example's own: pytest's is shared by all examples of a test."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


#: Also what UTF-8 cannot carry.
TEXT = st.text(st.characters(), min_size=1)


@PURE
@given(TEXT, TEXT)
def test_any_text_in_a_file(name: str, session_id: str) -> None:
    """Any name and any session id come back from a file as they were."""
    with scratch() as folder:
        in_file(folder / "f", Wall(), name).save(session_id)
        assert in_file(folder / "f", Wall(), name).load() == session_id
        assert in_file(folder / "f", Wall(), name + "x").load() is None


@PURE
@given(TEXT, TEXT)
def test_any_text_in_a_jar(name: str, session_id: str) -> None:
    """Any name and any session id come back from a jar as they were."""
    jar = http.cookiejar.CookieJar()
    JarCookie(jar, name, 60, Wall()).save(session_id)
    assert JarCookie(jar, name, 60, Wall()).load() == session_id
    assert JarCookie(jar, name + "x", 60, Wall()).load() is None


def test_names_are_apart(file: Path, wall: Wall) -> None:
    """Cookies of several names, and of several endpoints, do not touch each other."""
    jar = http.cookiejar.CookieJar()
    cookies: List[SessionCookie] = [
        in_file(file, wall, "a"),
        in_file(file, wall, "b"),
        in_file(file, wall, "a", "http://localhost/cti"),
        JarCookie(jar, "a", 60, wall),
        JarCookie(jar, "b", 60, wall),
    ]
    for number, cookie in enumerate(cookies):
        cookie.save(str(number))
    cookies[0].delete()
    cookies[3].delete()
    assert [cookie.load() for cookie in cookies] == [None, "1", "2", None, "4"]


def test_another_program_reads_it(file: Path, wall: Wall) -> None:
    """What one object kept in a file, another one finds."""
    in_file(file, wall).save("id")
    assert in_file(file, wall).load() == "id"


# The jar.


URLS = ["https://ws.keyyo.com/cti", "https://example.com/", "http://localhost/"]


@pytest.mark.parametrize("url", [*URLS, "https://localhost:8443/a/b", "https://127.0.0.1/"])
@pytest.mark.parametrize("make", JARS)
def test_never_sent(make: Callable[[], http.cookiejar.CookieJar], url: str) -> None:
    """A jar that also serves HTTP requests sends the session id to nobody."""
    jar = make()
    JarCookie(jar, "__ksid", 60).save("CANARY")
    request = urllib.request.Request(url)
    jar.add_cookie_header(request)
    assert request.get_header("Cookie") is None


@pytest.mark.parametrize("url", URLS)
def test_never_sent_by_requests(url: str) -> None:
    """Nor does a session of requests whose jar it is."""
    with requests.Session() as session:
        JarCookie(session.cookies, "__ksid", 60).save("CANARY")
        prepared = session.prepare_request(requests.Request("GET", url))
    assert "Cookie" not in prepared.headers


@pytest.mark.parametrize("make", JARS)
def test_a_hosts_cookie_of_the_same_name(
    make: Callable[[], http.cookiejar.CookieJar], wall: Wall
) -> None:
    """A cookie of the same name that a host has set is not taken for ours, nor removed."""
    jar = make()
    jar.set_cookie(
        requests.cookies.create_cookie("sid", "theirs", domain="example.com")  # type: ignore
    )
    cookie = JarCookie(jar, "sid", 60, wall)
    assert cookie.load() is None
    cookie.save("ours")
    assert cookie.load() == "ours"
    cookie.delete()
    assert cookie.load() is None
    assert [(left.domain, left.value) for left in jar] == [("example.com", "theirs")]


@pytest.mark.parametrize("make", JARS)
def test_saved_id_replaces_one_that_was_added_by_hand(
    make: Callable[[], http.cookiejar.CookieJar], wall: Wall
) -> None:
    jar = make()
    jar.set_cookie(requests.cookies.create_cookie("sid", "by hand"))  # type: ignore
    cookie = JarCookie(jar, "sid", 60, wall)
    assert cookie.load() == "by hand"
    cookie.save("new")
    assert cookie.load() == "new" and [left.value for left in jar] == ["new"]


@pytest.mark.parametrize("make", [http.cookiejar.MozillaCookieJar, http.cookiejar.LWPCookieJar])
def test_jar_in_a_file(make: Callable[[str], Any], tmp_path: Path) -> None:
    """A jar that its owner saves and loads again still has the session id."""
    jar = make(str(tmp_path / "jar"))
    JarCookie(jar, "__ksid", 60).save("id")
    jar.save()
    again = make(str(tmp_path / "jar"))
    again.load()
    assert JarCookie(again, "__ksid", 60).load() == "id"


# The file.


def test_default_file() -> None:
    """By default the file is in the user's state directory, in a folder of the SDK's own."""
    assert default_file().is_absolute()
    assert default_file().name == "sessions.json"
    assert "keyyo-cti" in default_file().parts


def test_reading_makes_no_file(file: Path, wall: Wall) -> None:
    """A program that only asks leaves no file behind."""
    in_file(file, wall).load()
    in_file(file, wall).delete()
    assert not file.parent.exists()


@POSIX
@pytest.mark.fault(32)
@pytest.mark.promise(10)
def test_private_under_any_umask(file: Path, wall: Wall) -> None:
    """With a umask of 0, the file is readable by its owner only, and so is its folder."""
    before = os.umask(0)
    try:
        in_file(file, wall).save("id")
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert {path.name for path in file.parent.iterdir()} == {file.name, f"{file.name}.lock"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()} == {0o600}


@POSIX
def test_made_private_again(file: Path, wall: Wall) -> None:
    """A file that became readable by others is made private when it is next used."""
    in_file(file, wall).save("id")
    file.chmod(0o644)
    assert in_file(file, wall).load() == "id"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@POSIX
@pytest.mark.fault(32)
@pytest.mark.promise(10)
@pytest.mark.parametrize("there", [False, True])
def test_symlink_refused(tmp_path: Path, wall: Wall, there: bool) -> None:
    """A symbolic link in the place of the file is refused, whether it leads anywhere or not, and
    what it leads to is not touched."""
    target, link = tmp_path / "target", tmp_path / "link"
    if there:
        target.write_bytes(b"")
    link.symlink_to(target)
    with pytest.raises(OSError, match="link"):
        in_file(link, wall).save("id")
    if there:
        with pytest.raises(OSError, match="link"):
            in_file(link, wall).load()
        with pytest.raises(OSError, match="link"):
            in_file(link, wall).delete()
        assert target.read_bytes() == b""
    assert target.exists() is there


@POSIX
def test_pipe_refused(tmp_path: Path, wall: Wall) -> None:
    """So is what is no regular file."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        in_file(tmp_path / "pipe", wall).save("id")


def test_folder_refused(tmp_path: Path, wall: Wall) -> None:
    """A folder in the place of the file is an OSError that names it."""
    with pytest.raises(OSError, match=tmp_path.name):
        in_file(tmp_path, wall).save("id")


#: What is in no cookie file of ours.
OTHERS = {
    "text": b"CANARY, and no JSON",
    "cut": b'[["e", "n", "CANARY", 1',
    "object": b'{"CANARY": 1}',
    "row": b'[["CANARY", 1]]',
    "number": b"7",
    "large": b'[["e", "n", "CANARY", 1%s]]' % (b"0" * 400),
    "deep": b"[" * 100_000,
    "endless": b"[" + b" " * 10_000_000 + b"]",
    "no text": b"\xff\xfe",
    "database": b"SQLite format 3\0 CREATE TABLE CANARY",
    "no database": b"CREATE TABLE cookie (CANARY)",
}


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize(
    "act", [FileCookie.load, FileCookie.delete, lambda cookie: cookie.save("CANARY-new")]
)
def test_corrupt_file(
    file: Path, wall: Wall, content: bytes, act: Callable[[FileCookie], object]
) -> None:
    """A file that is not ours any more is an OSError that names the file and no secret."""
    cookie = in_file(file, wall)
    cookie.save("CANARY-old")
    file.write_bytes(content)
    with pytest.raises(OSError, match="sessions.json") as caught:
        act(cookie)
    assert "CANARY" not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
    assert file.read_bytes() == content


@pytest.mark.parametrize("tokens", [False, True])
def test_database_of_an_earlier_version(file: Path, wall: Wall, tokens: bool) -> None:
    """The SQLite file of an earlier version is replaced; its sessions ended with its programs.
    One in which somebody also keeps tokens is refused, and stays as it is."""
    file.parent.mkdir(mode=0o700)
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE IF NOT EXISTS cookie (endpoint TEXT, name TEXT)")
        if tokens:
            database.execute("CREATE TABLE IF NOT EXISTS tokens (client_id TEXT)")
    before = file.read_bytes()
    cookie = in_file(file, wall)
    if tokens:
        for act in (cookie.load, cookie.delete, partial(cookie.save, "id")):
            with pytest.raises(OSError, match="choose another cookie_file"):
                act()
        assert file.read_bytes() == before
    else:
        assert cookie.load() is None
        cookie.save("id")
        assert cookie.load() == "id"


def test_empty_file(file: Path, wall: Wall) -> None:
    """An empty file is one without cookies."""
    file.parent.mkdir()
    file.touch()
    cookie = in_file(file, wall)
    assert cookie.load() is None
    cookie.save("id")
    assert cookie.load() == "id"


def test_expired_ones_leave_the_file(file: Path, wall: Wall) -> None:
    """A session id that has expired does not stay in the file for ever."""
    in_file(file, wall, "old").save("CANARY")
    wall.time += 61 * DAY
    in_file(file, wall, "new").save("id")
    assert b"CANARY" not in file.read_bytes()


#: A process of its own, that dies at one step of a change.
DIE = """
import os, sys
from pathlib import Path
from keyyo_cti._client import session_store

path, endpoint, step = sys.argv[1:]
where, name = (os, "replace") if step == "replace" else (session_store.json, "dumps")
if step == "behind":
    real = os.replace
    os.replace = lambda *paths: (real(*paths), os._exit(9))
else:
    setattr(where, name, lambda *arguments: os._exit(9))
os.umask(0)
session_store.FileCookie(Path(path), endpoint, "a", 60).save("new")
"""


@POSIX
@pytest.mark.fault(32)
@pytest.mark.parametrize("step", ["dumps", "replace", "behind"])
def test_killed_in_the_middle(file: Path, step: str) -> None:
    """A process that is killed in the middle of a change leaves the file as it was; one that
    gets to the end has changed it. Others cannot read what it leaves, and need not wait."""
    FileCookie(file, ENDPOINT, "a", 60).save("old")
    done = subprocess.run(
        [sys.executable, "-c", DIE, str(file), ENDPOINT, step],
        timeout=20,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.returncode == 9
    assert {stat.S_IMODE(each.stat().st_mode) for each in file.parent.iterdir()} == {0o600}
    cookie = FileCookie(file, ENDPOINT, "a", 60)
    assert cookie.load() == ("new" if step == "behind" else "old")
    cookie.save("newer")
    assert cookie.load() == "newer"
    assert {each.name for each in file.parent.iterdir()} == {file.name, f"{file.name}.lock"}


#: A process of its own: many cookies, as soon as the other process is ready too.
KEEP_MANY = """
import sys
from pathlib import Path
from keyyo_cti._client.session_store import FileCookie

path, endpoint, name = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
for number in range(10):
    FileCookie(Path(path), endpoint, f"{name}{number}", 60).save(f"{name}-{number}")
"""


@pytest.mark.fault(32)
def test_two_processes(file: Path) -> None:
    """Two processes that keep cookies at the same time lose none."""
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", KEEP_MANY, str(file), ENDPOINT, name],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                )
            )
            for name in "ab"
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            process.communicate(timeout=20)
        assert [process.returncode for process in processes] == [0, 0]
    for name in "ab":
        for number in range(10):
            kept = FileCookie(file, ENDPOINT, f"{name}{number}", 60).load()
            assert kept == f"{name}-{number}"


def test_change_while_another_process_holds_the_lock_fails_in_time(
    file: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_store, "_LOCK_TIMEOUT", 0.01)
    cookie = in_file(file, wall)
    cookie.save("old")
    with session_store._locked(file, monotonic() + 20):
        with pytest.raises(OSError, match="another process holds the lock for too long"):
            cookie.save("new")
        assert sys.platform == "win32" or cookie.load() == "old"
    cookie.save("new")
    assert cookie.load() == "new"


@POSIX
def test_lock_ends_with_the_change_though_a_forked_child_has_its_descriptor(
    file: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: List[int] = []

    def open_and_fork(*arguments: Any) -> int:
        opened.append(open_private(*arguments))
        forked.callback(os.close, os.dup(opened[-1]))
        return opened[-1]

    monkeypatch.setattr(session_store, "open_private", open_and_fork)
    monkeypatch.setattr(session_store, "_LOCK_TIMEOUT", 0.01)
    with contextlib.ExitStack() as forked:
        in_file(file, wall).save("old")
        with pytest.raises(OSError):
            os.fstat(opened[0])
        in_file(file, wall).save("new")
        assert in_file(file, wall).load() == "new"


class SlowReplace:
    """os.replace, which waits the first time until the test goes on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._real = os.replace
        self.inside, self.go_on = threading.Event(), threading.Event()
        self.times = 0
        self.fails: List[BaseException] = []
        monkeypatch.setattr(os, "replace", self)

    def __call__(self, *paths: Any) -> None:
        self.times += 1
        self.inside.set()
        assert self.go_on.wait(20)
        if self.fails:
            raise self.fails.pop()
        self._real(*paths)


def wait_for_changes(file: Path, count: int) -> None:
    """Until so many changes wait for the one that is being made."""
    pause = threading.Event()
    waiting = session_store._pending_changes[os.getpid(), file]
    for _ in range(20_000):
        if len(waiting.changes) == count:
            return
        pause.wait(0.001)
    raise AssertionError(f"{len(waiting.changes)} changes wait, not {count}")


def test_a_crowd_of_threads(
    file: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What many threads keep at the same moment is kept in one go: otherwise some would find the
    file locked for too long."""
    monkeypatch.setattr("keyyo_cti._client.session_store._LOCK_TIMEOUT", 20)
    kept = [in_file(file, wall, f"cookie {number}") for number in range(50)]
    replace = SlowReplace(monkeypatch)
    with ThreadPoolExecutor(50) as pool:
        saved = [pool.submit(kept[0].save, "0")]
        assert replace.inside.wait(20)
        saved += [pool.submit(kept[number].save, str(number)) for number in range(1, 50)]
        wait_for_changes(file, 49)
        replace.go_on.set()
    assert [each.result() for each in saved] == [None] * 50
    assert replace.times == 2
    assert [cookie.load() for cookie in kept] == [str(number) for number in range(50)]


def test_a_thread_that_takes_too_long(
    file: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that has waited for too long is told so, and its change is not made later."""
    monkeypatch.setattr("keyyo_cti._client.session_store._LOCK_TIMEOUT", 0.01)
    replace = SlowReplace(monkeypatch)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(in_file(file, wall, "a").save, "1")
        assert replace.inside.wait(20)
        with pytest.raises(OSError, match="sessions.json: other threads' changes"):
            in_file(file, wall, "b").save("2")
        replace.go_on.set()
        assert first.result(20) is None
    in_file(file, wall, "c").save("3")
    assert [in_file(file, wall, name).load() for name in "abc"] == ["1", None, "3"]


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=repr
)
def test_a_change_that_fails(
    file: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """Each thread whose change was in the failed attempt makes its own, or is told that it
    failed; nothing of it comes later."""
    replace = SlowReplace(monkeypatch)
    replace.fails = [error]
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(in_file(file, wall, "a").save, "1")
        assert replace.inside.wait(20)
        second = pool.submit(in_file(file, wall, "b").save, "2")
        wait_for_changes(file, 1)
        replace.go_on.set()
        assert type(first.exception(20)) is type(error)
        assert second.result(20) is None
    in_file(file, wall, "c").save("3")
    assert [in_file(file, wall, name).load() for name in "abc"] == [None, "2", "3"]


def test_change_that_another_thread_failed_to_make_is_made_by_its_own(
    file: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_store, "_LOCK_TIMEOUT", 20)
    replace = SlowReplace(monkeypatch)
    replace.fails = [OSError(28, "No space left on device"), OSError(5, "I/O error")]
    with ThreadPoolExecutor(3) as pool:
        saved = [pool.submit(in_file(file, wall, "a").save, "id")]
        assert replace.inside.wait(20)
        saved += [pool.submit(in_file(file, wall, name).save, "id") for name in "bc"]
        wait_for_changes(file, 2)
        replace.go_on.set()
    failed = [each.exception(20) is not None for each in saved]
    assert failed in ([True, False, True], [True, True, False])
    loaded = [in_file(file, wall, name).load() for name in "abc"]
    assert loaded == [None if each else "id" for each in failed]


FORK = """
import os, signal, sys, threading, warnings
from pathlib import Path
from keyyo_cti._client import session_store
from keyyo_cti._client.session_store import FileCookie
warnings.simplefilter("ignore")
path, real = Path(sys.argv[1]), os.replace
inside, leave = threading.Event(), threading.Event()

def stay(*paths):
    inside.set()
    leave.wait(20)
    real(*paths)

os.replace = stay
saving = threading.Thread(target=FileCookie(path, "e", "parent", 60).save, args=("by the parent",))
saving.start()
inside.wait(20)
child = os.fork()
if child == 0:
    signal.alarm(10)
    os.replace = real
    session_store._LOCK_TIMEOUT = 9
    print("forked", flush=True)
    FileCookie(path, "e", "n", 60).save("by the child")
    os._exit(0)
sys.stdin.readline()
leave.set()
saving.join()
FileCookie(path, "e", "n2", 60).save("again by the parent")
print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_fork_while_another_thread_keeps_a_cookie(file: Path) -> None:
    """A child that is forked while another thread writes can write as soon as that is done, and
    does not hold up its parent."""
    with Running("-c", FORK, str(file)) as program:
        program.until("forked")
        program.type("go on")
        assert program.until("") == "0"
        assert program.end() == 0
    loaded = [FileCookie(file, "e", name, 60).load() for name in ("parent", "n", "n2")]
    assert loaded == ["by the parent", "by the child", "again by the parent"]


@pytest.mark.parametrize("act", [FileCookie.load, FileCookie.delete, FileCookie.__repr__])
def test_repr_shows_nothing(file: Path, wall: Wall, act: Callable[[FileCookie], Any]) -> None:
    """No cookie shows its session id by being printed."""
    cookie = in_file(file, wall)
    cookie.save("CANARY")
    act(cookie)
    jar = JarCookie(http.cookiejar.CookieJar(), "a", 60, wall)
    jar.save("CANARY")
    assert "CANARY" not in f"{cookie!r} {jar!r} {cookie} {jar}"
