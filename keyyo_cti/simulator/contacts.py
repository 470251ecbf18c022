"""The directory of the account: contacts and branches, as the Manager API shows them.

This module knows neither HTTP nor threads.
"""

from __future__ import annotations

import base64
import itertools
from typing import Any, Dict, Iterator, List, Optional

from .hal import Resource

NUMBER_FIELDS = (
    "default_number", "work_number", "mobile_number", "home_number",
    "work_speed_number", "mobile_speed_number", "home_speed_number",
)
TEXT_FIELDS = (
    "first_name", "company", "job", "email", "address", "zipcode", "city", "country",
)
FIELDS = (*TEXT_FIELDS, *NUMBER_FIELDS)


class ContactBook:
    """The contacts and the branches; all of it runs on the loop's thread."""

    def __init__(self) -> None:
        self._uids: Iterator[int] = itertools.count(1)
        self._contacts: Dict[str, Resource] = {}
        self._branches: Dict[str, Resource] = {}

    def add(
        self, name: str, branch: Optional[str], picture_bytes: int, fields: Dict[str, str]
    ) -> str:
        """Add a contact and return its uid.

        :param name: the family name.
        :param branch: the name of its branch, which is added if it is new.
        :param picture_bytes: the size of its picture.
        :param fields: some of `FIELDS`. The others are empty, or null for numbers.
        """
        uid = str(next(self._uids))
        found: Dict[str, Any] = {
            **dict.fromkeys(TEXT_FIELDS, ""), **dict.fromkeys(NUMBER_FIELDS), **fields}
        self._contacts[uid] = Resource("DirectoryContact", f"/directory_contacts/{uid}", {
            "uid": uid,
            "branch_uid": self._find_branch(branch),
            "name": name,
            **found,
            "base64_picture": base64.b64encode(bytes(picture_bytes)).decode("ascii"),
        })
        return uid

    def remove(self, uid: str) -> bool:
        """Remove a contact; return False if there is none."""
        return self._contacts.pop(uid, None) is not None

    def get_contacts(self) -> List[Resource]:
        """Return the contacts, oldest first."""
        return list(self._contacts.values())

    def get_branches(self) -> List[Resource]:
        """Return the branches, oldest first."""
        return list(self._branches.values())

    def _find_branch(self, name: Optional[str]) -> Optional[str]:
        if name is None:
            return None
        if name not in self._branches:
            uid = str(next(self._uids))
            path = f"/directory_branches/{uid}"
            self._branches[name] = Resource("DirectoryBranch", path, {"uid": uid, "name": name})
        return str(self._branches[name].fields["uid"])
