"""Links with telephone numbers, which strangers write."""

from __future__ import annotations

from typing import List, Optional, Tuple
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from keyyo_cti._display.telephone_link import LinkError, TelephoneLink, parse_link
from keyyo_cti._display.telephone_number import is_dialable

BOB = "33199020000"
ALICE = "33199000001"

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=300)

#: Any text, also what the command line makes of bytes that are not UTF-8.
ANY_TEXT = st.text(st.characters(blacklist_categories=()))


def read(text: str) -> TelephoneLink:
    link = parse_link(text)
    assert link is not None
    return link


@pytest.mark.parametrize(
    "text",
    [
        "tel:+33199020000", "TEL:+33-1-99-02-00-00", "tel:+33.1.99.02.00.00",
        "Tel:(+33)199020000", "tel://+33199020000", "tel:///+33199020000", "tel:0033199020000",
        "tel:+33%201%2099020000", "tel:33199020000",
        "tel:%2B33199020000", "tel:+33 1 99\u00a002\u202f00 00", "tel:+33%C2%A0199020000",
        " tel:+33199020000\n", "\u202atel:+33199020000\u202c", "tel:\u200e+33199020000\u200f",
        "tel:+33%20(0)1-99-02-00-00", "callto:+33199020000", "CALLTO://+33199020000",
        "callto://+33199020000/", "callto:tel:+33199020000", "callto://tel://+33199020000",
        "callto:+33199020000?call", "tel:+33199020000;phone-context=example.com",
    ],
)
def test_link_with_an_international_number_gives_its_digits(text: str) -> None:
    assert read(text) == TelephoneLink(BOB)
    assert read(text).resolve(ALICE) == BOB


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("tel:01-99-02-00-00", BOB), ("callto://0199020000", BOB), ("tel:7701", "7701"),
        ("tel:0199020000;phone-context=+33", BOB), ("tel:0199020000;Phone-Context=%2B33-1", BOB),
        ("callto:0199020000", BOB),
    ],
)
def test_link_with_a_local_number_is_one_of_the_line(text: str, number: str) -> None:
    assert read(text).resolve(ALICE) == number
    assert read(text).notes == ()


@pytest.mark.parametrize("own", ["442079460000", "7701", None])
def test_local_number_of_another_country_is_refused(own: Optional[str]) -> None:
    with pytest.raises(LinkError, match="local number of .33, and this line is not there"):
        read("tel:0199020000;phone-context=+33").resolve(own)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("tel:+33199020000;ext=12", "the extension 12 is not dialled"),
        ("tel:+33199020000;EXT=1-2", "the extension 12 is not dialled"),
        ("callto:+33199020000;ext=12", "the extension 12 is not dialled"),
        ("tel:+33199020000;tgrp=a;x", "left out of the link: tgrp, x"),
        ("callto:+33199020000+type=phone", "left out of the link: type"),
        ("callto:+33199020000?chat&topic=a", "left out of the link: chat, topic"),
        ("tel:+33199020000?%E2%80%AEx&it is free;b", "left out of the link: ?, ?, b"),
    ],
)
def test_part_of_a_link_that_is_not_dialled_is_in_a_note(text: str, note: str) -> None:
    [said] = read(text).notes
    assert said.startswith(note)
    assert read(text).number == BOB


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("tel:", "no number"), ("tel://", "no number"), ("callto:", "no number"),
        ("tel:;ext=1", "no number"), ("tel:*21*33199020000%23", "service code"),
        ("tel:%2A%2306%23", "service code"), ("tel:*#06#", "service code"),
        ("callto:##002#", "service code"), ("tel:33199020000#", "service code"),
        ("callto:bob", "letters"), ("callto:sip:bob@example.com", "letters"),
        ("tel:1-800-FLOWERS", "letters"), ("tel:0x1f", "letters"),
        ("tel:33199020000,,12", "no number of"), ("tel:+33+199020000", "no number of"),
        ("tel:--follow", "letters"), ("tel:-", "no number"), ("tel:$(reboot)", "letters"),
        ("tel:%252B33199020000", "letters"), ("tel:+%zz", "letters"), ("tel:%", "no number of"),
        ("tel:33199020000%3Bext=1", "letters"), ("tel:1234567890123456", "at most 15"),
        ("tel:+", "no number of"), ("tel:%ff", "not UTF-8"), ("tel:\u0663\u0663", "no number of"),
        ("tel:33199020000%0A", "control character"), ("tel:3319902%1B[2J0000", "control"),
        ("tel:33\t199", "control character"), ("tel:33199020000;x=%00", "control character"),
        ("tel:33199020000;isub=1", "ISDN subaddress"), ("tel:33199020000;ext=", "extension"),
        ("tel:33199020000;ext=1;ext=2", "twice"), ("tel:33199020000;ext=a", "extension"),
        ("tel:7042;phone-context=example.com", "valid only at"),
        ("tel:7042;phone-context=", "valid only at"), ("tel:7042;phone-context=+", "valid only"),
        ("sip:bob@example.com", "only tel: and callto:"), ("javascript:1", "only tel: and"),
        ("file:///etc/passwd", "only tel: and"), ("tel:" + "1" * 2000, "more than 1000"),
    ],
)
def test_link_that_cannot_be_dialled_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(LinkError, match=reason) as refused:
        parse_link(text)
    said = str(refused.value)
    assert said.isprintable() and len(said) < 300


@pytest.mark.parametrize("text", ["", "33199020000", "+33 1", "--follow", "bob", "tel", "1:2"])
def test_text_without_a_scheme_is_no_link(text: str) -> None:
    assert parse_link(text) is None


@st.composite
def links(draw: st.DrawFn) -> Tuple[str, str]:
    """A number, and a link of one of the forms that web pages and programs write."""
    number = draw(st.from_regex(r"[1-9][0-9]{1,14}", fullmatch=True))
    between = st.sampled_from(["", "", "-", ".", " ", "\u00a0", "\u202f", "(", ")", "\u200e"])
    digits: List[str] = [draw(between) + digit for digit in number]
    written = draw(st.sampled_from(["+", "00", ""])) + "".join(digits)
    # In +33 (0)1, the zero is not dialled.
    assume("(0)" not in written)
    if draw(st.booleans()):
        written = quote(written, safe="+" if draw(st.booleans()) else "")
    scheme = draw(st.sampled_from(["tel:", "tel://", "TEL:", "callto:", "callto://", "CallTo:"]))
    return number, scheme + written + draw(st.sampled_from(["", ";phone-context=+33", "?call"]))


@PURE
@given(links())
def test_link_that_was_made_of_a_number_gives_back_that_number(link: Tuple[str, str]) -> None:
    number, text = link
    assert read(text).number == number


@PURE
@given(st.sampled_from(["", "tel:", "callto:", "tel:+331;ext=", "tel:1;phone-context="]), ANY_TEXT)
def test_any_text_is_digits_or_an_error_that_says_why(start: str, text: str) -> None:
    try:
        link = parse_link(start + text)
    except LinkError as error:
        assert str(error).isprintable() and len(str(error)) < 400
        return
    if link is not None:
        assert is_dialable(link.number) and "".join(link.notes).isprintable()
