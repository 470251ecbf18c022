"""The methods of `Simulator` for the directory of the account."""

from __future__ import annotations

from typing import Optional

from .arguments import require_integer, require_one_of, require_text
from .contacts import FIELDS
from .serving import ServerThread
from .website import Website

MAX_PICTURE_BYTES = 10_000_000


class ContactMethods:
    """The part of `Simulator` for contacts."""

    _thread: ServerThread
    _website: Website

    def contact(
        self,
        name: str,
        *,
        branch: Optional[str] = None,
        picture_bytes: int = 20_000,
        **fields: str,
    ) -> str:
        """Add a contact to the directory of the account, and return its uid.

        :param name: the family name, as in Keyyo's directory.
        :param branch: the name of its branch; a new one is added.
        :param picture_bytes: the size of its picture, which is in every response.
        :param fields: other fields of Keyyo, such as ``first_name``, ``company``,
            ``default_number``, ``mobile_number`` and ``work_speed_number``.
        :raises TypeError: an argument has the wrong type.
        :raises ValueError: the name is empty, or a field is unknown.
        """
        require_text(name, "name")
        require_integer(picture_bytes, "picture_bytes", 0, MAX_PICTURE_BYTES)
        for field, value in fields.items():
            require_one_of(field, FIELDS, "field")
            if not isinstance(value, str):
                raise TypeError(f"{field}: expected a string, got {type(value).__name__}")
        book = self._website.contact_book
        return self._thread.call(book.add, name, branch, picture_bytes, fields)

    def remove_contact(self, uid: str) -> None:
        """Remove a contact from the directory.

        :raises ValueError: there is none with this uid.
        """
        if not self._thread.call(self._website.contact_book.remove, uid):
            raise ValueError(f"uid: there is no contact {uid!r}")
