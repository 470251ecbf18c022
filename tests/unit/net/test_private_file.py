"""Files of secrets where other users are about: what is refused, and what is mended."""

from __future__ import annotations

import os
import sqlite3
import stat
import struct
import sys
import time
from pathlib import Path
from typing import Any, Callable, List

import pytest

from keyyo_cti import CTI
from keyyo_cti._client.session_store import FileCookie
from keyyo_cti._net.private_folder import make_private_folder, others_can_write
from keyyo_cti._oauth2.tokens import Tokens
from keyyo_cti.oauth2 import OAuth2Client
from keyyo_cti.token_file import TokenFile

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs modes and links of POSIX")
ROOT = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="only root can give a file away"
)

TOKENS = Tokens("access", "refresh")

#: A user who is not this one.
STRANGER = 54321


def token_file(path: Any) -> TokenFile:
    return TokenFile(OAuth2Client("me", "secret", "http://127.0.0.1/"), path)


def keep_token(path: Path) -> None:
    token_file(path).save(TOKENS)


def keep_cookie(path: Path) -> None:
    FileCookie(path, "https://example.com/cti", "__ksid", 60, time.time).save("id")


both = pytest.mark.parametrize("keep", [keep_token, keep_cookie])
Keep = Callable[[Path], None]


@POSIX
@both
@pytest.mark.fault(70)
@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o702, 0o757, 0o722])
def test_folder_that_others_can_write_to(tmp_path: Path, keep: Keep, mode: int) -> None:
    """A file is neither read nor made there, sticky or not, and the error says what to do."""
    folder = tmp_path / "shared"
    folder.mkdir()
    keep(folder / "file")
    before = (folder / "file").read_bytes()
    if mode == 0o722:
        if os.geteuid() != 0:
            pytest.skip("only root can give a folder to another group")
        os.chown(folder, -1, STRANGER)
    folder.chmod(mode)
    for name in ("file", "other"):
        with pytest.raises(OSError, match=f"chmod go-w {folder}"):
            keep(folder / name)
    assert (folder / "file").read_bytes() == before
    assert {each.name for each in folder.iterdir()} <= {"file", "file.lock"}
    folder.chmod(0o755)
    keep(folder / "file")


@POSIX
@both
@pytest.mark.fault(70)
def test_parent_that_others_can_write_to(tmp_path: Path, keep: Keep) -> None:
    """A folder above it counts too: others could put another folder in the place of this one.
    A sticky one is harmless, and so is a link to a good one."""
    shared = tmp_path / "shared"
    (shared / "mine").mkdir(parents=True, mode=0o700)
    shared.chmod(0o777)
    with pytest.raises(OSError, match=f"chmod go-w {shared}"):
        keep(shared / "mine" / "deep" / "file")
    assert list((shared / "mine").iterdir()) == []
    (tmp_path / "link").symlink_to(shared / "mine")
    with pytest.raises(OSError, match=f"chmod go-w {shared}"):
        keep(tmp_path / "link" / "file")
    shared.chmod(0o1777)
    keep(tmp_path / "link" / "file")
    assert (shared / "mine" / "file").exists()


@ROOT
@both
@pytest.mark.fault(70)
def test_folder_of_another_user(tmp_path: Path, keep: Keep) -> None:
    """A folder of another user is not trusted, whatever its mode, also above this one."""
    (tmp_path / "theirs" / "mine").mkdir(parents=True)
    os.chown(tmp_path / "theirs", STRANGER, -1)
    for path in (tmp_path / "theirs" / "file", tmp_path / "theirs" / "mine" / "file"):
        with pytest.raises(OSError, match="belongs to another user"):
            keep(path)


@POSIX
@both
@pytest.mark.fault(70)
@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o277, 0o777])
def test_parents_are_private_whatever_the_umask(tmp_path: Path, keep: Keep, umask: int) -> None:
    """Every folder that is made has 0700, and the file 0600."""
    before = os.umask(umask)
    try:
        keep(tmp_path / "a" / "b" / "c" / "file")
    finally:
        os.umask(before)
    for name in ("a", "a/b", "a/b/c"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "a" / "b" / "c" / "file").stat().st_mode) == 0o600


@POSIX
@pytest.mark.fault(70)
@pytest.mark.parametrize("keep, suffix", [
    (keep_token, "-journal"), (keep_token, "-wal"), (keep_token, "-shm"), (keep_cookie, ".lock"),
])
@pytest.mark.parametrize("what", ["link", "pipe", "folder", "writable", "of another"])
def test_planted_sibling(tmp_path: Path, keep: Keep, suffix: str, what: str) -> None:
    """What SQLite would read beside the file has to be this user's own, as the file has. So has
    the file that is locked in place of the cookie file."""
    path = tmp_path / "file"
    keep(path)
    before = path.read_bytes()
    sibling = tmp_path / f"file{suffix}"
    sibling.unlink(missing_ok=True)
    if what == "link":
        (tmp_path / "target").write_bytes(b"x")
        sibling.symlink_to(tmp_path / "target")
    elif what == "pipe":
        os.mkfifo(sibling)
    elif what == "folder":
        sibling.mkdir()
    else:
        sibling.write_bytes(b"x")
        sibling.chmod(0o666 if what == "writable" else 0o600)
        if what == "of another":
            if os.geteuid() != 0:
                pytest.skip("only root can give a file away")
            os.chown(sibling, STRANGER, -1)
    with pytest.raises(OSError, match=f"{tmp_path}/file"):
        keep(path)
    assert path.read_bytes() == before and os.path.lexists(sibling)


@POSIX
@both
@pytest.mark.fault(70)
def test_file_that_others_can_write_to(tmp_path: Path, keep: Keep) -> None:
    """A file into which others could have put an account of theirs is refused."""
    keep(tmp_path / "file")
    (tmp_path / "file").chmod(0o666)
    with pytest.raises(OSError, match="other users can write to it"):
        keep(tmp_path / "file")


@POSIX
@pytest.mark.fault(70)
@pytest.mark.parametrize("other", ["link", "file"])
def test_file_that_is_swapped_while_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    """What was looked at is what is opened."""
    path, target = tmp_path / "file", tmp_path / "target"
    keep_token(path)
    keep_token(target)
    connect = sqlite3.connect
    before = target.read_bytes()

    def swap(*arguments: Any, **named: Any) -> sqlite3.Connection:
        path.unlink()
        path.symlink_to(target) if other == "link" else os.link(target, path)
        connection: sqlite3.Connection = connect(*arguments, **named)
        return connection

    monkeypatch.setattr("sqlite3.connect", swap)
    with pytest.raises(OSError, match="was replaced while|not a regular file"):
        keep_token(path)
    assert target.read_bytes() == before


@POSIX
@pytest.mark.fault(70)
@pytest.mark.parametrize("planted", ["file", "file.tmp", "file.lock"])
def test_link_that_is_planted_while_a_cookie_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: str
) -> None:
    """A link is never followed, at whatever moment it comes: at most it is replaced."""
    target = tmp_path / "target"
    target.write_bytes(b"precious")
    keep_cookie(tmp_path / "file")
    real = os.open

    def swap(path: Any, flags: int, mode: int = 0o777) -> int:
        if Path(path).name == planted:
            monkeypatch.setattr(os, "open", real)
            Path(path).unlink(missing_ok=True)
            Path(path).symlink_to(target)
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", swap)
    with pytest.raises(OSError, match="cookie file"):
        keep_cookie(tmp_path / "file")
    assert target.read_bytes() == b"precious"


def allow_a_stranger_to_write(path: Path) -> None:
    """What ``setfacl -m u:54321:rwx`` does."""
    nobody = 0xFFFFFFFF
    entries = [(1, 7, nobody), (2, 7, STRANGER), (4, 5, nobody), (16, 7, nobody), (32, 5, nobody)]
    data = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    try:
        os.setxattr(path, "system.posix_acl_access", data)
    except (AttributeError, OSError):
        pytest.skip("no access control lists here")


@POSIX
@both
@pytest.mark.fault(70)
@pytest.mark.parametrize("what", ["folder", "parent", "file"])
def test_access_list_that_lets_others_write(
    tmp_path: Path, keep: Keep, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An access control list is not overlooked, though the group is this user's own."""
    monkeypatch.setattr("keyyo_cti._net.private_folder._is_private_group", lambda gid: True)
    folder = tmp_path / "above" / "mine"
    folder.mkdir(parents=True)
    keep(folder / "file")
    place = {"folder": folder, "parent": folder.parent, "file": folder / "file"}[what]
    allow_a_stranger_to_write(place)
    with pytest.raises(OSError, match="other users can write"):
        keep(folder / "file")
    place.chmod(0o600 if what == "file" else 0o700)
    keep(folder / "file")


@POSIX
@both
@pytest.mark.fault(70)
def test_folder_that_is_replaced_while_it_is_made(
    tmp_path: Path, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody is quicker than this program, and puts a link in the place of a folder."""
    real, elsewhere = os.mkdir, tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)

    def mkdir(path: Any, mode: int) -> None:
        monkeypatch.setattr(os, "mkdir", real)
        os.symlink(elsewhere, path)
        raise FileExistsError

    monkeypatch.setattr(os, "mkdir", mkdir)
    with pytest.raises(OSError, match="is not a folder any more"):
        keep(tmp_path / "new" / "file")
    assert list(elsewhere.iterdir()) == []


@POSIX
@pytest.mark.fault(70)
def test_private_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group with this user as its only member may write: many systems make one for each."""
    import grp
    import pwd

    class User:
        pw_name, pw_gid = "me", 4242

    class Group:
        gr_name = "me"
        gr_mem: List[str] = []

    monkeypatch.setattr(pwd, "getpwuid", lambda uid: User)
    monkeypatch.setattr(grp, "getgrgid", lambda gid: Group)

    def found(mode: int, gid: int) -> os.stat_result:
        return os.stat_result((mode, 0, 0, 1, os.geteuid(), gid, 0, 0, 0, 0))

    assert not others_can_write(found(0o775, 4242))
    assert others_can_write(found(0o777, 4242))
    assert others_can_write(found(0o775, 4243))
    assert not others_can_write(found(0o755, 4243))
    Group.gr_mem = ["me"]
    assert not others_can_write(found(0o775, 4242))
    Group.gr_mem = ["me", "you"]
    assert others_can_write(found(0o775, 4242))
    Group.gr_mem, Group.gr_name = [], "staff"
    assert others_can_write(found(0o775, 4242))
    assert not others_can_write(found(0o775, 0)), "root's group"
    monkeypatch.setattr(grp, "getgrgid", {}.__getitem__)
    assert others_can_write(found(0o775, 4242)), "a group without an entry"


@pytest.mark.fault(70)
def test_without_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are no owners and modes, as on Windows, files are kept all the same."""
    monkeypatch.delattr(os, "geteuid", raising=False)
    monkeypatch.delattr(os, "fchmod", raising=False)
    folder = tmp_path / "any"
    folder.mkdir()
    folder.chmod(0o777)
    keep_token(folder / "new" / "file")
    assert token_file(folder / "new" / "file").load() == TOKENS
    assert make_private_folder(folder) == Path(os.path.realpath(folder))


# Names.

NO_FILES = [":memory:", "", " ", ".", "file:tokens?mode=memory", "file::memory:", "a\0b"]


@pytest.mark.fault(70)
@pytest.mark.parametrize("name", NO_FILES)
@pytest.mark.parametrize("kind", [str, Path])
def test_name_that_is_no_file(name: str, kind: Callable[[str], Any]) -> None:
    """A name that SQLite takes for something else would lose the secret without a word."""
    with pytest.raises(ValueError, match="path: expected the path of a file"):
        token_file(kind(name))
    with pytest.raises(ValueError, match="cookie_file: expected the path of a file"):
        CTI(cookie_file=kind(name))


@pytest.mark.fault(70)
@pytest.mark.parametrize("path", [5, b"tokens", object()])
def test_name_that_is_no_path(path: Any) -> None:
    with pytest.raises(TypeError):
        token_file(path)
    with pytest.raises(TypeError):
        CTI(cookie_file=path)


@pytest.mark.fault(70)
def test_file_is_meant_where_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that changes its folder later, as a daemon does, finds the same file."""
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path)
    file = token_file("tokens")
    with CTI(cookie_file="cookie") as cti:
        monkeypatch.chdir(tmp_path / "there")
        file.save(TOKENS)
        assert not cti.session_exists()
        cti._client.session.on_create(None, _created())
    assert (tmp_path / "tokens").exists() and (tmp_path / "cookie").exists()
    assert list((tmp_path / "there").iterdir()) == []


@pytest.mark.fault(70)
def test_home_in_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that begins with ``~`` is in the home, and never in a folder of that name."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    keep_token(token_file("~/tokens").path)
    assert (tmp_path / "home" / "tokens").exists() and not (tmp_path / "~").exists()
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    with pytest.raises(ValueError, match="set HOME"):
        token_file("~/tokens")


def _created() -> Any:
    from keyyo_cti.results import wrap

    return wrap({"number": "33199000001", "now": 1, "session_id": "id"})
