"""vCards of three versions, as telephones and address books write them."""

from __future__ import annotations

from pathlib import Path
from typing import List

import pytest

from keyyo_cti.directory import Contact, VCardFile


def read(path: Path, content: "str | bytes") -> List[Contact]:
    path = path / "contacts.vcf"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return VCardFile(path).contacts()


def card(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VCARD", *lines, "END:VCARD", ""])


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ["VERSION:2.1", "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Exampl=C3=A9;Zo=C3=AB;;;",
             "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Zo=C3=AB =", "Exampl=C3=A9",
             "TEL;CELL;PREF:+33199000001", "TEL;WORK;VOICE:0199000002", "TEL;HOME;FAX:0199000003",
             "PHOTO;ENCODING=BASE64;JPEG:/9j/4AAQ", " SkZJRgABAQ", ""],
            Contact("Zoë Examplé", None, ("+33199000001", "0199000002"), first_name="Zoë",
                    family_name="Examplé"),
        ),
        (
            ["VERSION:2.1", "N;QUOTED-PRINTABLE;CHARSET=ISO-8859-1:Ex=E9;Zo=EB", "TEL:0199000001"],
            Contact("Zoë Exé", None, ("0199000001",), first_name="Zoë", family_name="Exé"),
        ),
        (
            ["VERSION:3.0", "FN:Zoë Exa", " mple", "N:Example;Zoë;;;",
             "ORG:Ex\\, Ltd\\; Paris;Sales",
             "item1.TEL;type=CELL;type=VOICE;type=pref:01 99 00 00 01", "item1.X-ABLabel:mobile",
             "TEL;TYPE=WORK,FAX:0199000002", "TEL;TYPE=\"work,voice,fax\":0199000003",
             "TITLE:Head\\nof sales", "EMAIL;TYPE=INTERNET:zoe@example.org", "UID:7"],
            Contact("Zoë Example", "Ex, Ltd; Paris", ("01 99 00 00 01", "0199000003"),
                    first_name="Zoë", family_name="Example", job="Head of sales",
                    email="zoe@example.org", uid="7"),
        ),
        (
            ["VERSION:4.0", "FN:Zoë", "KIND:individual",
             'TEL;VALUE=uri;PREF=1;TYPE="voice,home":tel:+33-1-99-00-00-01;ext=102',
             "tel;value=uri:tel:+33199000002", "TEL:0199000001", "tel;value=uri:tel:+33199000002"],
            Contact("Zoë", None, ("+33-1-99-00-00-01", "+33199000002", "0199000001")),
        ),
        (["VERSION:3.0", "ORG:Ex", "TEL;X-A=\"a:b;c\":0199000001"],
         Contact("", "Ex", ("0199000001",))),
    ],
)
def test_card_of_each_version_is_read(
    tmp_path: Path, lines: List[str], expected: Contact
) -> None:
    assert read(tmp_path, card(*lines)) == [expected]
    # Also with the line ends of Unix, and behind a byte order mark.
    assert read(tmp_path, b"\xef\xbb\xbf" + card(*lines).replace("\r", "").encode()) == [expected]


def test_several_cards_are_read_and_a_card_in_a_card_is_not(tmp_path: Path) -> None:
    inner = card("FN:Assistant", "TEL:0199000009").strip()
    cards = [
        card("FN:Alice", "AGENT:", inner, "TEL:0199000001"),
        "BEGIN:VCARD\nFN:Bob\nTEL:0199000002\n",  # Without its end.
        "END:VCARD\nTEL:0199000009\n",
        card("FN:Carol", "no property", ":", ";:", "TEL", "TEL:"),
        card("VERSION:3.0"),
        "BEGIN:VCARD\nFN:Dora",
    ]
    found = read(tmp_path, "".join(cards))
    assert [(each.name, each.numbers) for each in found] == [
        ("Alice", ("0199000001",)), ("Bob", ("0199000002",)), ("Carol", ()), ("Dora", ())]


def test_latin_1_and_unknown_charset_are_read(tmp_path: Path) -> None:
    lines = ["N;ENCODING=QUOTED-PRINTABLE;CHARSET=X-NONE:Zo=EB", "TITLE:Zoë", "TEL:0199000001"]
    [zoe] = read(tmp_path, card(*lines).encode("latin-1"))
    assert (zoe.name, zoe.job) == ("Zoë", "Zoë")


def test_file_without_a_card_is_refused_and_an_empty_one_is_not(tmp_path: Path) -> None:
    assert read(tmp_path, "") == []
    with pytest.raises(ValueError, match="contacts.vcf has no vCard"):
        read(tmp_path, "name,phone\nZoë,0199000001\n")
