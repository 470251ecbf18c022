"""A contact: a name, a company, and their telephone numbers."""

from typing import NamedTuple, Optional, Sequence, Tuple


class Contact(NamedTuple):
    """A person, a company or a line, with telephone numbers.

    :ivar name: the whole name, such as "Alice Example". In Keyyo's directory, ``name`` is the
        family name only.
    :ivar company: the company, or None.
    :ivar numbers: telephone numbers in any form.
    :ivar short_numbers: short numbers: of a line, or the speed numbers of a contact.
    :ivar first_name: the first name, or None.
    :ivar family_name: the family name, or None.
    :ivar job: the position in the company, or None.
    :ivar email: the e-mail address, or None.
    :ivar address: street, postal code, city and country, or None.
    :ivar branch: the branch of Keyyo's directory that the contact is in, or None.
    :ivar uid: the identifier at its source, or None.
    :ivar csi: of a line of the account; None for all others.
    """

    name: str
    company: Optional[str] = None
    numbers: Tuple[str, ...] = ()
    short_numbers: Tuple[str, ...] = ()
    first_name: Optional[str] = None
    family_name: Optional[str] = None
    job: Optional[str] = None
    email: Optional[str] = None
    address: Optional[str] = None
    branch: Optional[str] = None
    uid: Optional[str] = None
    csi: Optional[str] = None

    @property
    def label(self) -> Optional[str]:
        """The name with the company behind it, or one of both; None without any."""
        if self.name and self.company and self.company != self.name:
            return f"{self.name} ({self.company})"
        return self.name or self.company or None


def make_label(contacts: Sequence[Contact]) -> Optional[str]:
    """Return the label of contacts that share a number; None if none of them has a label."""
    if len(contacts) == 1:
        return contacts[0].label
    labels = list(dict.fromkeys(filter(None, (contact.label for contact in contacts))))
    if len(labels) <= 2:
        return " or ".join(labels) or None
    return f"{labels[0]} or {len(labels) - 1} others"
