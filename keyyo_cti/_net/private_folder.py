"""Folders in which no other user can put or replace a file of secrets.

SQLite opens a file and those beside it by name. So the names must be safe: the rule is that of
ssh for its keys. Each folder from the file up to the home directory, or to the root, belongs to
this user or to root, and nobody else can write to it. A folder above the last one may also be
sticky, as ``/tmp`` is: there nobody can replace what is another's.

Windows has no modes. There the folder of the user is private by itself.
"""

import os
import stat
from pathlib import Path
from typing import Iterator, List, Optional, Union

#: What SQLite takes for something else than a file.
_MEMORY = ":memory:"
_URI = "file:"


def file_path(name: str, path: Union[str, "os.PathLike[str]"], instead: str) -> Path:
    """Return the path of a file, as it is meant now: a later ``chdir`` does not change it.

    :param name: of the argument, for errors.
    :param instead: how to keep secrets in memory, for errors.
    :raises TypeError: it is no path.
    :raises ValueError: it is not the name of a file.
    """
    text = os.fspath(path)
    if not isinstance(text, str):
        raise TypeError(f"{name}: expected a path of text, got {type(text).__name__}")
    if text.strip().startswith((_MEMORY, _URI)):
        raise ValueError(f"{name}: expected the path of a file, got {text!r}: {instead}")
    if "\0" in text or text.strip() in ("", ".", ".."):
        raise ValueError(f"{name}: expected the path of a file, got {text!r}")
    if text == "~" or text.startswith(("~/", "~" + os.sep)):
        home = os.path.expanduser("~")
        if not os.path.isabs(home):
            raise ValueError(f"{name}: there is no home directory for {text!r}: set HOME")
        text = home + text[1:]
    return Path(os.path.abspath(text))


def make_private_folder(folder: Path) -> Path:
    """Make a folder, with its parents, for this user only, and return its real path.

    :param folder: an absolute path; links in it are followed once, here.
    :raises OSError: another user could put files there; the message says what to do.
    """
    missing: List[str] = []
    real = Path(os.path.realpath(folder))
    there = real
    while not there.exists() and there != there.parent:
        missing.append(there.name)
        there = there.parent
    _check(there, last=not missing)
    for name in reversed(missing):
        there = there / name
        _make(there)
    if missing:
        _check(real, last=True)
    return real


def others_can_write(found: os.stat_result, path: Union[Path, int, None] = None) -> bool:
    """True if another user than the owner and root can write to this file or folder.

    :param path: of the file, or its descriptor, if its access control list is to be looked at.
    """
    mode = stat.S_IMODE(found.st_mode)
    if mode & stat.S_IWOTH:
        return True
    # With an access control list, the bits of the group are the mask of all its entries.
    return bool(mode & stat.S_IWGRP) and not (
        _is_private_group(found.st_gid) and not _has_access_list(path)
    )


def open_private(path: Path, flags: int) -> int:
    """Open a file of secrets in a private folder, and return its descriptor.

    :param flags: as for ``os.open``.
    :raises OSError: it is not a file of this user's only.
    """
    # A link could lead to a file of another user's choice, and a pipe would block.
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
        flags |= getattr(os, name, 0)
    file = os.open(path, flags, 0o600)
    try:
        check_private(os.fstat(file), path, file)
    except BaseException:
        os.close(file)
        raise
    return file


def check_private(found: os.stat_result, path: Path, file: Optional[int] = None) -> None:
    """Check that a file is one that only this user can write to, and make its mode 0600.

    :param found: its ``lstat`` or ``fstat``.
    :param file: its descriptor, if it is open.
    :raises OSError: it is not; the message says what to do.
    """
    if not stat.S_ISREG(found.st_mode):
        raise OSError("not a regular file")
    if not has_modes():
        return
    if found.st_uid != os.geteuid():
        raise OSError("belongs to somebody else: remove it")
    if others_can_write(found, path if file is None else file):
        raise OSError(f"other users can write to it: remove it, or chmod 600 {path}")
    if stat.S_IMODE(found.st_mode) != 0o600:
        # Others could read it, or the umask has taken away what the owner needs.
        os.chmod(path if file is None else file, 0o600)


def reason(error: OSError) -> str:
    """Return the words of an error: the system's own have a number, and the path once more."""
    return str(error) if error.strerror is None else f"{error.strerror}: {error.filename}"


def has_modes() -> bool:
    """True if this system has owners and modes."""
    return hasattr(os, "geteuid")


def _make(folder: Path) -> None:
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        return
    if has_modes():
        # The umask may have taken away what the owner needs.
        os.chmod(folder, 0o700)


def _check(folder: Path, last: bool) -> None:
    if not has_modes():
        return
    for each in _up_to_home(folder):
        # Not stat: the links were followed before. One that is there now was put in between.
        found = each.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise OSError(f"{each} is no folder any more: it was replaced while it was opened")
        if found.st_uid not in (0, os.geteuid()):
            raise OSError(
                f"the folder {each} belongs to another user, who could replace the file: "
                "choose a folder of your own"
            )
        sticky = bool(found.st_mode & stat.S_ISVTX) and not (last and each == folder)
        if others_can_write(found, each) and not sticky:
            raise OSError(
                f"other users can write to the folder {each}, and could replace the file: "
                f"chmod go-w {each}, or choose a folder of your own"
            )


def _up_to_home(folder: Path) -> Iterator[Path]:
    """Yield a folder and those above it, up to the user's home or the root."""
    home = Path(os.path.realpath(os.path.expanduser("~")))
    for each in (folder, *folder.parents):
        yield each
        if each == home:
            return


def _has_access_list(path: Union[Path, int, None]) -> bool:
    """True if a file or folder has an access control list of POSIX, where Python can tell."""
    if path is None or not hasattr(os, "getxattr"):
        return False
    try:
        return bool(os.getxattr(path, "system.posix_acl_access"))
    except OSError:
        return False


def _is_private_group(gid: int) -> bool:
    """True if the group is root's, or has this user as its only member.

    Many systems give each user such a group, and a umask by which it can write.
    """
    if gid == 0:
        return True
    # Windows has neither.
    import grp
    import pwd

    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(gid)
    except KeyError:
        return False
    own = user.pw_gid == gid and group.gr_name == user.pw_name
    return own and set(group.gr_mem) <= {user.pw_name}
