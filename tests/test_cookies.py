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
from pathlib import Path
from typing import Any, Callable, Iterator, List

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from keyyo_cti import private_database
from keyyo_cti.cookies import FileCookie, JarCookie, SessionCookie, default_file

from .running import Running

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
    return tmp_path / "state" / "sessions.sqlite3"


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


#: SQLite and a jar keep any text; what UTF-8 cannot carry is a matter of its own, below.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@PURE
@given(TEXT, TEXT)
def test_any_text_in_a_file(name: str, session_id: str) -> None:
    """Any name and any session id come back from a file as they were."""
    with scratch() as folder:
        in_file(folder / "f", Wall(), name).save(session_id)
        assert in_file(folder / "f", Wall(), name).load() == session_id
        assert in_file(folder / "f", Wall(), name + "x").load() is None


@PURE
@given(st.text(min_size=1), st.text(min_size=1))
def test_any_text_in_a_jar(name: str, session_id: str) -> None:
    """Any name and any session id come back from a jar as they were."""
    jar = http.cookiejar.CookieJar()
    JarCookie(jar, name, 60, Wall()).save(session_id)
    assert JarCookie(jar, name, 60, Wall()).load() == session_id
    assert JarCookie(jar, name + "x", 60, Wall()).load() is None


def test_what_utf8_cannot_carry(cookie: SessionCookie) -> None:
    """A session id that cannot be written as UTF-8 is kept, or refused with OSError, so that the
    session goes on without a cookie."""
    with contextlib.suppress(OSError):
        cookie.save("\ud800")
        assert cookie.load() == "\ud800"


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
    assert default_file().name == "sessions.sqlite3"
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
    assert [path.name for path in file.parent.iterdir()] == [file.name]


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


def _corrupt(file: Path) -> None:
    file.write_bytes(b"CANARY, and no database " * 100)


def _truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])


def _other_table(file: Path) -> None:
    file.unlink()
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE cookie (something TEXT)")


@pytest.mark.parametrize("harm", [_corrupt, _truncate, _other_table])
@pytest.mark.parametrize(
    "act", [FileCookie.load, FileCookie.delete, lambda cookie: cookie.save("CANARY-new")]
)
def test_corrupt_file(
    file: Path, wall: Wall, harm: Callable[[Path], None], act: Callable[[FileCookie], object]
) -> None:
    """A file that is not ours any more is an OSError that names the file and no secret."""
    cookie = in_file(file, wall)
    cookie.save("CANARY-old")
    harm(file)
    with pytest.raises(OSError, match="sessions.sqlite3") as caught:
        act(cookie)
    assert "CANARY" not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"


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
    with contextlib.closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT name FROM cookie").fetchall() == [("new",)]


#: A process of its own, that dies behind so many statements of a change.
DIE = """
import contextlib, os, sys
from pathlib import Path
from keyyo_cti import cookies

path, endpoint, left = sys.argv[1], sys.argv[2], int(sys.argv[3])
opened = cookies.opened

class Table:
    def __init__(self, table):
        self._table = table

    def execute(self, *arguments):
        global left
        self._table.execute(*arguments)
        left -= 1
        if not left:
            os._exit(9)

@contextlib.contextmanager
def dying(*arguments):
    with opened(*arguments) as table:
        yield Table(table)

os.umask(0)
cookies.opened = dying
cookies.FileCookie(Path(path), endpoint, "a", 60).save("new")
"""


@POSIX
@pytest.mark.fault(32)
@pytest.mark.parametrize("statements", [1, 2, 3, 4])
def test_killed_in_the_middle(file: Path, statements: int) -> None:
    """A process that is killed in the middle of a change leaves the file as it was; one that
    gets to the end has changed it. Nothing that it leaves can be read by others."""
    FileCookie(file, ENDPOINT, "a", 60).save("old")
    done = subprocess.run(
        [sys.executable, "-c", DIE, str(file), ENDPOINT, str(statements)],
        timeout=20,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    killed = statements <= 3
    assert done.returncode == (9 if killed else 0)
    assert {stat.S_IMODE(each.stat().st_mode) for each in file.parent.iterdir()} == {0o600}
    assert FileCookie(file, ENDPOINT, "a", 60).load() == ("old" if killed else "new")


#: A process of its own: many cookies, as soon as the other process is ready too.
KEEP_MANY = """
import sys
from pathlib import Path
from keyyo_cti import private_database
from keyyo_cti.cookies import FileCookie

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


def test_a_crowd_of_threads(
    file: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What many threads keep at the same moment is kept in one transaction: each in its own,
    some would find the file locked for too long."""
    inside, go_on = threading.Event(), threading.Event()
    times: List[int] = []

    @contextlib.contextmanager
    def opened(*arguments: Any) -> Iterator[sqlite3.Connection]:
        times.append(1)
        inside.set()
        assert go_on.wait(20)
        with private_database.opened(*arguments) as table:
            yield table

    monkeypatch.setattr("keyyo_cti.cookies.opened", opened)
    monkeypatch.setattr("keyyo_cti.cookies._PATIENCE", 20)
    kept = [in_file(file, wall, f"cookie {number}") for number in range(50)]
    with ThreadPoolExecutor(50) as pool:
        saved = [pool.submit(kept[0].save, "0")]
        assert inside.wait(20)
        saved += [pool.submit(kept[number].save, str(number)) for number in range(1, 50)]
        pause = threading.Event()
        for _ in range(20_000):
            if len(kept[0]._changes._wanted) == 49:
                break
            pause.wait(0.001)
        go_on.set()
    assert [each.result() for each in saved] == [None] * 50
    assert len(times) == 2
    monkeypatch.undo()
    assert [cookie.load() for cookie in kept] == [str(number) for number in range(50)]


def test_one_bad_cookie_costs_no_other(file: Path, wall: Wall) -> None:
    """What the file cannot keep is refused before it comes together with what others keep."""
    for name, session_id in (("__ksid", "\ud800"), ("\ud800", "s-1")):
        cookie = in_file(file, wall, name)
        with pytest.raises(OSError, match="UTF-8"):
            cookie.save(session_id)
    assert not file.exists()


FORK = """
import os, signal, sys, threading, warnings
from pathlib import Path
from keyyo_cti import cookies, private_database
from keyyo_cti import private_database
from keyyo_cti.cookies import FileCookie
warnings.simplefilter("ignore")
path = Path(sys.argv[1])
FileCookie(path, "e", "n", 60).save("before")
inside, leave = threading.Event(), threading.Event()

def stay(change):
    with cookies._looking_up, private_database._creating:
        inside.set()
        leave.wait(20)

busy = cookies._changes_of(path)
busy._commit = lambda changes, timeout: stay(changes)
threading.Thread(target=busy.make, args=((), 20)).start()
inside.wait(20)
child = os.fork()
if child == 0:
    signal.alarm(10)
    FileCookie(path, "e", "n", 60).save("by the child")
    os._exit(0)
print(os.waitpid(child, 0)[1], flush=True)
leave.set()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_fork_while_another_thread_keeps_a_cookie(file: Path) -> None:
    """A child that is forked while another thread is about to write can write at once."""
    with Running("-c", FORK, str(file)) as program:
        assert program.until("") == "0"
        assert program.end() == 0
    assert FileCookie(file, "e", "n", 60).load() == "by the child"


@pytest.mark.parametrize("act", [FileCookie.load, FileCookie.delete, FileCookie.__repr__])
def test_repr_shows_nothing(file: Path, wall: Wall, act: Callable[[FileCookie], Any]) -> None:
    """No cookie shows its session id by being printed."""
    cookie = in_file(file, wall)
    cookie.save("CANARY")
    act(cookie)
    jar = JarCookie(http.cookiejar.CookieJar(), "a", 60, wall)
    jar.save("CANARY")
    assert "CANARY" not in f"{cookie!r} {jar!r} {cookie} {jar}"
