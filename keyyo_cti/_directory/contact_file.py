"""Files with contacts: their text in any usual encoding, and whether they have changed."""

import codecs
import os
import stat
from abc import ABC, abstractmethod
from pathlib import Path
from typing import List, Optional, Tuple, Union

from .contact import Contact

#: Bytes of one file. Otherwise a wrong path could fill the memory.
_MAX_FILE_BYTES = 256 * 1024 * 1024

#: Byte order marks, as Excel writes them.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

#: Differs after a change: time of the change, size and inode of the file.
Stamp = Tuple[int, int, int]


class ContactFile(ABC):
    """A file with contacts.

    :param path: the file, resolved now; a later ``chdir`` does not change it.
    :raises TypeError: ``path`` is not a path.
    """

    def __init__(self, path: Union[str, "os.PathLike[str]"]) -> None:
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"path: expected a path, got {type(path).__name__}")
        self.path = Path(os.path.abspath(path))

    def contacts(self) -> List[Contact]:
        """Read the file.

        :returns: its contacts.
        :raises OSError: it cannot be read.
        :raises ValueError: it is not such a file.
        """
        return self._parse(_read_text(self.path))

    def stamp(self) -> Optional[Stamp]:
        """Return a value that differs after a change; None if there is no file."""
        try:
            status = os.stat(self.path)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    @abstractmethod
    def _parse(self, text: str) -> List[Contact]:
        """Return the contacts in the text of the file."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}>"


def _read_text(path: Path) -> str:
    status = os.stat(path)
    # A pipe or a device may never end.
    if not stat.S_ISREG(status.st_mode):
        raise OSError(f"{path} is not a regular file")
    if status.st_size > _MAX_FILE_BYTES:
        raise OSError(f"{path} has more than {_MAX_FILE_BYTES} bytes")
    return decode(path.read_bytes())


def decode(content: bytes) -> str:
    """Return text in UTF-8, in UTF-16 with a byte order mark, or in Windows' or ISO's Latin 1."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    for encoding in ("utf-8", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")
