"""Folders in which no other user can create or replace a file of secrets.

SQLite opens files by name, so the names must be safe, by ssh's rule for its keys. Each folder, up
to the home directory or the root, belongs to this user or to root. No other user can write to it.
A parent folder may be sticky, as ``/tmp`` is, where users cannot replace each other's files.

On Windows, which has no modes, the user's folder is private by itself.
"""

import os
import stat
from pathlib import Path
from typing import Iterator, List, Optional, Union

#: Names that SQLite does not treat as files.
_MEMORY = ":memory:"
_URI = "file:"


def file_path(name: str, path: Union[str, "os.PathLike[str]"], instead: str) -> Path:
    """Return the absolute path of a file, which a later ``chdir`` does not change.

    :param name: of the argument, for errors.
    :param instead: how to keep secrets in memory, for errors.
    :raises TypeError: it is not a path.
    :raises ValueError: it does not name a file.
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
    """Create a folder, with its parents, for this user only, and return its real path.

    :param folder: an absolute path. Its links are followed once, here.
    :raises OSError: another user could create files there; the message says what to do.
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
    """Return True if users other than the owner and root can write to a file or folder.

    :param path: or the descriptor, to check the access control list too.
    """
    mode = stat.S_IMODE(found.st_mode)
    if mode & stat.S_IWOTH:
        return True
    # With an access control list, the group bits are the mask of all its entries.
    return bool(mode & stat.S_IWGRP) and not (
        _is_private_group(found.st_gid) and not _has_access_list(path)
    )


def open_private(path: Path, flags: int) -> int:
    """Open a file of secrets in a private folder, and return its descriptor.

    :param flags: as for ``os.open``.
    :raises OSError: it is not a private file of this user.
    """
    # Otherwise a link could lead to a file of another user's choice, and a pipe would block.
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
    """Check that only this user can write to a file, and set its mode to 0600.

    :param found: its ``lstat`` or ``fstat``.
    :param file: its descriptor, if it is open.
    :raises OSError: another user can write to it; the message says what to do.
    """
    if not stat.S_ISREG(found.st_mode):
        raise OSError("not a regular file")
    if not has_modes():
        return
    if found.st_uid != os.geteuid():
        raise OSError("belongs to another user: remove it")
    if others_can_write(found, path if file is None else file):
        raise OSError(f"other users can write to it: remove it, or chmod 600 {path}")
    if stat.S_IMODE(found.st_mode) != 0o600:
        # Others could read it, or the umask has removed a permission of the owner.
        os.chmod(path if file is None else file, 0o600)


def reason(error: OSError) -> str:
    """Return the message of an error, without the errno and a second path."""
    return str(error) if error.strerror is None else f"{error.strerror}: {error.filename}"


def has_modes() -> bool:
    """Return True if this system has owners and modes."""
    return hasattr(os, "geteuid")


def _make(folder: Path) -> None:
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        return
    if has_modes():
        # The umask may have removed a permission of the owner.
        os.chmod(folder, 0o700)


def _check(folder: Path, last: bool) -> None:
    if not has_modes():
        return
    for each in _up_to_home(folder):
        # Not stat: the links were resolved before. A link here was created since then.
        found = each.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise OSError(f"{each} is not a folder any more: it was replaced during the opening")
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
    """Return True if a file has a POSIX access control list, as far as Python can tell."""
    if path is None or not hasattr(os, "getxattr"):
        return False
    try:
        return bool(os.getxattr(path, "system.posix_acl_access"))
    except OSError:
        return False


def _is_private_group(gid: int) -> bool:
    """Return True if the group is root's, or this user is its only member.

    Many systems give each user such a group, and a umask that lets it write.
    """
    if gid == 0:
        return True
    # Not available on Windows.
    import grp
    import pwd

    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(gid)
    except KeyError:
        return False
    own = user.pw_gid == gid and group.gr_name == user.pw_name
    return own and set(group.gr_mem) <= {user.pw_name}
