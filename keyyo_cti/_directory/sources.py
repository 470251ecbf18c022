"""The sources of a directory, and what is read from each."""

import os
from functools import partial
from typing import (
    Any,
    Callable,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Protocol,
    Union,
)

from .._net.user_code import find_owner, require_function
from ..results import LineInfo
from .contact import Contact
from .contact_file import ContactFile
from .feed import ReadContacts

_EXPECTED = (
    "a Manager, a CSVFile, a VCardFile, a mapping of names by number, or a function that returns "
    "one or returns Contacts"
)


class Account(Protocol):
    """An account with lines and a directory: a ``ManagerClient``."""

    def lines(self) -> List[LineInfo]:
        """Return the lines of the account."""

    def contacts(self) -> Iterable[Contact]:
        """Return the contacts of its directory."""


class AccountOwner(Protocol):
    """A client with callbacks for such an account: a ``Manager``."""

    @property
    def client(self) -> Account:
        """The blocking equivalent."""


class ContactSource(Protocol):
    """Anything with contacts: a ``CSVFile``, a ``VCardFile``, or an object of the program."""

    def contacts(self) -> Iterable[Contact]:
        """Return the contacts. It runs on a thread of the directory, and may wait."""


#: Contacts, or names by number.
Found = Union[Iterable[Contact], Mapping[str, str]]

Source = Union[Account, AccountOwner, ContactSource, Mapping[str, str], Callable[[], Found]]


class Opened(NamedTuple):
    """A source that can be read.

    :ivar name: for the log.
    :ivar read: returns contacts, or names by number.
    :ivar file: the file that is read, or None.
    """

    name: str
    read: ReadContacts
    file: Optional[ContactFile] = None


def open_sources(sources: Iterable[Any]) -> Iterator[Opened]:
    """Yield what is to be read. The lines of an account are apart from its contacts.

    Otherwise the lines would be without names where the directory cannot be read.

    :raises TypeError: one is no source.
    """
    for source in sources:
        account = find_owner(source, "contacts")
        contacts = getattr(account, "contacts", None)
        if isinstance(source, ContactFile):
            yield Opened(str(source.path), source.contacts, source)
        elif contacts is not None and hasattr(account, "lines"):
            yield Opened("the lines of the account", partial(_read_lines, account))
            yield Opened("the directory of the account", contacts)
        elif contacts is not None:
            require_function("contacts", contacts)
            yield Opened(type(source).__name__, contacts)
        elif isinstance(source, Mapping):
            yield Opened("a mapping", partial(dict, source))
        elif isinstance(source, (str, os.PathLike)):
            raise TypeError(f"expected CSVFile({source!r}) or VCardFile({source!r})")
        else:
            require_function("source", source, _EXPECTED)
            yield Opened(getattr(source, "__qualname__", type(source).__name__), source)


def _read_lines(account: Account) -> Iterator[Contact]:
    for line in account.lines():
        # The API may send a number in place of a string.
        short_numbers = () if line.short_number is None else (str(line.short_number),)
        yield Contact(
            str(line.name or ""),
            numbers=(str(line.csi),),
            short_numbers=tuple(filter(None, short_numbers)),
            csi=str(line.csi),
        )
