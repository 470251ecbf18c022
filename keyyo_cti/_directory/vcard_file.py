"""Contacts in a file of vCards, versions 2.1, 3.0 and 4.0."""

import quopri
import re
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional
from urllib.parse import unquote

from .contact import Contact
from .contact_file import ContactFile

#: The name of a property, without its group, as in ``item1.TEL``.
_NAME = re.compile(r"(?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]+)")

#: A parameter: ``;TYPE="voice,home"``, ``;CELL``.
_PARAMETER = re.compile(r';([^=:;"]*)(?:=((?:"[^"]*"|[^:;"])*))?')

#: A character behind a backslash.
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

#: A semicolon between the parts of a value.
_BETWEEN_PARTS = re.compile(r"(?<!\\);")

#: Types of numbers that no person answers.
_OTHER_TYPES = {"FAX", "PAGER", "MODEM", "BBS", "ISDN-DATA"}

_TEXTS = {"FN": "name", "TITLE": "job", "EMAIL": "email", "UID": "uid"}


class VCardFile(ContactFile):
    """Contacts in a file of vCards (``.vcf``), as telephones and address books export it.

    Versions 2.1, 3.0 and 4.0 may be mixed. Numbers of fax machines and pagers are left out.

    :param path: the file, resolved now; a later ``chdir`` does not change it.
    :raises TypeError: ``path`` is not a path.
    """

    def _parse(self, text: str) -> List[Contact]:
        contacts = [_make_contact(card) for card in _split_cards(_read_properties(text))]
        if not contacts and text.strip():
            raise ValueError(f"{self.path} has no vCard: expected lines BEGIN:VCARD")
        return [contact for contact in contacts if contact is not None]


class _Property(NamedTuple):
    """A line of a vCard.

    :ivar name: in upper case.
    :ivar types: its types, in upper case.
    :ivar value: decoded, but with its backslashes.
    """

    name: str
    types: "frozenset[str]"
    value: str


def _read_properties(text: str) -> Iterator[_Property]:
    for line in _unfold(text):
        name = _NAME.match(line)
        if name is None:
            continue
        types, encoding, charset, end = set(), "", "", name.end()
        for found in iter(lambda: _PARAMETER.match(line, end), None):
            end = found.end()
            parameter, value = found[1].strip().upper(), (found[2] or "").strip('"')
            # Version 2.1 leaves the name of a parameter out.
            if not value:
                types.add(parameter)
                encoding = "QUOTED-PRINTABLE" if parameter == "QUOTED-PRINTABLE" else encoding
            elif parameter == "TYPE":
                types.update(value.upper().replace('"', "").split(","))
            elif parameter == "ENCODING":
                encoding = value.upper()
            elif parameter == "CHARSET":
                charset = value
        if line[end : end + 1] == ":":
            value = line[end + 1 :]
            if encoding == "QUOTED-PRINTABLE":
                value = _decode_quoted(value, charset)
            yield _Property(name[1].upper(), frozenset(types), value)


def _unfold(text: str) -> Iterator[str]:
    """Yield the lines, with those that go on in the next ones in one piece."""
    parts: List[str] = []
    is_quoted = False
    # Not splitlines(), which also splits at characters that may be in a name.
    for line in re.split(r"\r\n|\n|\r", text):
        if is_quoted and parts and parts[-1].endswith("="):
            # A soft line break of quoted-printable.
            parts[-1] = parts[-1][:-1]
            parts.append(line)
        elif line[:1] in (" ", "\t") and parts:
            parts.append(line[1:])
        else:
            yield "".join(parts)
            parts = [line]
            is_quoted = "QUOTED-PRINTABLE" in line.partition(":")[0].upper()
    yield "".join(parts)


def _decode_quoted(value: str, charset: str) -> str:
    content = quopri.decodestring(value.encode("utf-8", "replace"))
    for each in (charset, "utf-8"):
        try:
            if each:
                return content.decode(each)
        except (LookupError, UnicodeError):
            continue
    return content.decode("latin-1")


def _split_cards(properties: Iterable[_Property]) -> Iterator[List[_Property]]:
    """Yield the properties of each card, without those of a card in a card."""
    card: Optional[List[_Property]] = None
    depth = 0
    for each in properties:
        mark = each.value.strip().upper() == "VCARD"
        if mark and each.name == "BEGIN":
            nested = card is not None and bool(card) and card[-1].name == "AGENT"
            if nested:
                depth += 1
            else:
                # Without its END, the card before ends here.
                if card is not None:
                    yield card
                card, depth = [], 0
        elif mark and each.name == "END":
            if depth:
                depth -= 1
            elif card is not None:
                yield card
                card = None
        elif card is not None and not depth:
            card.append(each)
    if card is not None:
        yield card


def _make_contact(card: Iterable[_Property]) -> Optional[Contact]:
    """Return the contact of a card; None if it has neither a name nor a number."""
    numbers: Dict[str, None] = {}
    texts: Dict[str, str] = {}
    for each in card:
        if each.name == "TEL" and ("VOICE" in each.types or not each.types & _OTHER_TYPES):
            number = _read_number(each.value)
            if number:
                numbers[number] = None
        elif each.name == "N":
            parts = [_unescape(part) for part in _BETWEEN_PARTS.split(each.value)]
            family, first = (parts + ["", ""])[:2]
            texts.update(family_name=family, first_name=first)
        elif each.name == "ORG":
            texts.setdefault("company", _unescape(_BETWEEN_PARTS.split(each.value)[0]))
        elif each.name in _TEXTS:
            texts.setdefault(_TEXTS[each.name], _unescape(each.value))
    texts = {field: text for field, text in texts.items() if text}
    names = (texts.get("first_name"), texts.get("family_name"))
    name = texts.pop("name", "") or " ".join(filter(None, names))
    if not (name or texts.get("company") or numbers):
        return None
    return Contact(name, numbers=tuple(numbers), **texts)  # type: ignore[arg-type]


def _read_number(value: str) -> str:
    """Return a number, also of a tel: URI, without its parameters."""
    number = _unescape(value)
    if number[:4].lower() == "tel:":
        number = unquote(number[4:].partition(";")[0])
    return number


def _unescape(value: str) -> str:
    """Return text without backslashes, on one line."""
    text = _ESCAPED.sub(lambda found: " " if found[1] in "nN" else found[1], value)
    return " ".join(text.split())
