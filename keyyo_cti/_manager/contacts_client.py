"""The part of ``ManagerClient`` for the directory of the account."""

from typing import Any, Dict, List, Mapping, Optional, Tuple

from .._directory.contact import Contact
from .._net import hal
from ..errors import ManagerError
from .api import Api
from .refusals import make_unreadable_error

#: Contacts that a page is asked for: each request takes seconds. With large pictures a page may be
#: too large, or take too long, so that fewer are asked for then.
_PAGE_SIZES = (500, 50, 5)

#: Contacts of one directory. Otherwise a server without an end would fill the memory.
_MAX_CONTACTS = 200_000

#: The errors of a page that is too large.
_TOO_LARGE = ("unreadable", "timeout")

_NUMBERS = ("default_number", "work_number", "mobile_number", "home_number")
_SHORT_NUMBERS = tuple(name.replace("_number", "_speed_number") for name in _NUMBERS)


class ContactsClient:
    """The directory of the account."""

    _api: Api

    def contacts(self) -> List[Contact]:
        """Return the contacts of the account's directory.

        A Contact has the whole ``name``; its ``family_name`` is what Keyyo calls name. Pictures
        are left out. Sources: ``GET /directory_contacts``, ``GET /directory_branches``.

        :raises KeyyoError: as for ``lines``.
        """
        reader = _Reader(self._read_branches())
        for size in _PAGE_SIZES:
            try:
                # Where a page was too large, the next ones are smaller.
                parameters = {"limit": str(size), "offset": str(reader.count)}
                for items in self._api.stream("directory_contacts", parameters, _MAX_CONTACTS):
                    reader.read(items)
                break
            except ManagerError as error:
                if error.error_code not in _TOO_LARGE or size == _PAGE_SIZES[-1]:
                    raise
        return list(reader.found.values())

    def _read_branches(self) -> Dict[str, str]:
        """Return the names of the branches, by their uids."""
        try:
            branches = self._api.get_all("directory_branches")
        except ManagerError as error:
            # Contacts without their branches are better than none.
            if error.error_code not in ("forbidden", "not_found", "unreadable"):
                raise
            return {}
        found = ((_read_text(each.get("uid")), _read_text(each.get("name"))) for each in branches)
        return {uid: name for uid, name in found if uid and name}


class _Reader:
    """Collects contacts.

    :param branches: the names of the branches, by their uids.
    :ivar count: items that were read, for the offset of the next one.
    :ivar found: the contacts, by uid, because pages overlap if the directory changes meanwhile.
    """

    def __init__(self, branches: Mapping[str, str]) -> None:
        self.count = 0
        self.found: Dict[object, Contact] = {}
        self._branches = branches
        # Many contacts have the same company, and with this the same string.
        self._shared: Dict[str, str] = {}

    def read(self, items: List[hal.Document]) -> None:
        """Add the contacts of a page."""
        for item in items:
            contact = self._read_contact(item)
            if contact.label or contact.numbers or contact.short_numbers:
                self.found[contact.uid or self.count] = contact
            self.count += 1
        if self.count > _MAX_CONTACTS:
            raise make_unreadable_error(f"it has more than {_MAX_CONTACTS} contacts")

    def _read_contact(self, item: hal.Document) -> Contact:
        texts = {name: self._share(_read_text(item.get(name))) for name in (
            "name", "first_name", "company", "job", "email", "address", "zipcode", "city",
            "country", "uid", "branch_uid",
        )}
        city = _join(" ", texts["zipcode"], texts["city"])
        return Contact(
            _join(" ", texts["first_name"], texts["name"]),
            texts["company"],
            _read_numbers(item, _NUMBERS),
            _read_numbers(item, _SHORT_NUMBERS),
            texts["first_name"],
            texts["name"],
            texts["job"],
            texts["email"],
            _join(", ", texts["address"], city, texts["country"]) or None,
            self._branches.get(texts["branch_uid"] or ""),
            texts["uid"],
        )

    def _share(self, text: Optional[str]) -> Optional[str]:
        return None if text is None else self._shared.setdefault(text, text)


def _read_numbers(item: hal.Document, names: Tuple[str, ...]) -> Tuple[str, ...]:
    found = (_read_text(item.get(name)) for name in names)
    # The default number is often one of the others.
    return tuple(dict.fromkeys(number for number in found if number))


def _read_text(value: Any) -> Optional[str]:
    """Return a text on one line; None for an empty one, and for what is no text."""
    # This API also sends numbers for texts.
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return " ".join(str(value).split()) or None


def _join(separator: str, *texts: Optional[str]) -> str:
    return separator.join(filter(None, texts))
