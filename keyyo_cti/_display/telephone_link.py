"""Reads ``tel:`` and ``callto:`` links, as web pages and desktop programs write them. Pure.

A link comes from a stranger. A number of digits comes out of it, or an error; whatever else the
link contains is an error or a note for the user.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional, Tuple
from urllib.parse import unquote

from .._net.text import shorten
from .telephone_number import is_dialable, parse_number, remove_separators, skip_separators

#: A link of any scheme.
_LINK = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)

#: What stands before the number. ``tel://`` and ``callto:tel:`` are wrong, but common.
_START = re.compile(r"(?:(?:callto:/{0,2})?tel:|callto:)/{0,2}", re.IGNORECASE)

#: Skype's parameters, as in ``callto:+33199020000+type=phone``.
_SKYPE = re.compile(r"(?<=[0-9)])\+(?=[a-z])", re.IGNORECASE)

#: The name of a parameter that is shown. "call" is Skype's word for what is done anyway.
_NAME = re.compile(r"[a-z0-9-]{1,20}")

#: Characters of a link, and of a part of it in a message.
_MAX_LENGTH = 1000
_MAX_SHOWN = 60

#: In place of the number: a name of Skype, or a number in letters.
_LETTERS = re.compile(r"[^\W\d_]")


class LinkError(ValueError):
    """The link cannot be dialled; the message says why. Escape it before it is shown."""


@dataclass(frozen=True)
class TelephoneLink:
    """The number in a link, in digits.

    :ivar context: the beginning of the numbers among which a local number is valid, such as 33.
    :ivar notes: what the call leaves out of the link, and what the user can do about it.
    """

    number: str
    context: Optional[str] = None
    notes: Tuple[str, ...] = ()

    def resolve(self, own: Any) -> str:
        """Return the number to dial.

        :param own: the line's number, which has the country of a local number.
        :raises LinkError: the local number is valid in another country.
        """
        if self.context is not None and not str(own).startswith(self.context):
            raise LinkError(
                f"{self.number} is a local number of +{self.context}, and this line is not there: "
                "dial it with its country code"
            )
        return parse_number(self.number, own)


def parse_link(text: str) -> Optional[TelephoneLink]:
    """Return what a link says; None if the text is no link of any scheme.

    :raises LinkError: nothing can be dialled by the link.
    """
    text = skip_separators(text).rstrip()
    if not _LINK.match(text):
        return None
    if len(text) > _MAX_LENGTH:
        raise _refuse(text, f"it has more than {_MAX_LENGTH} characters")
    start = _START.match(text)
    if start is None:
        raise _refuse(text, "only tel: and callto: links are dialled")
    written, parameters = _split(text[start.end():])
    named: Dict[str, str] = {}
    for each in parameters:
        name, _, value = each.partition("=")
        name = _decode(text, name).strip().lower()
        if name in named:
            raise _refuse(text, f"it has {name!r} twice")
        named[name] = _decode(text, value)
    written = _decode(text, written)
    number = _parse_number(text, written)
    context = named.pop("phone-context", None)
    is_local = not remove_separators(written).startswith(("+", "00"))
    local_to = _parse_context(text, context) if is_local and context is not None else None
    return TelephoneLink(number, local_to, tuple(_note(text, named)))


def _split(rest: str) -> Tuple[str, List[str]]:
    """Return the number and the parameters, before any of it is decoded."""
    written, _, query = rest.partition("?")
    number, *parameters = written.split(";")
    number, *skype = _SKYPE.split(number)
    return number, [each for each in (*skype, *parameters, *re.split("[&;]", query)) if each]


def _decode(link: str, text: str) -> str:
    """Return a part of a link without its percent-encoding, which is removed only once."""
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise _refuse(link, "its percent-encoding is not UTF-8") from None
    if any(unicodedata.category(each) == "Cc" for each in decoded):
        raise _refuse(link, "it contains a control character")
    return decoded


def _parse_number(link: str, written: str) -> str:
    number = parse_number(written, None)
    if is_dialable(number):
        return number
    if "*" in written or "#" in written:
        # Such as *21*33199020000#, which forwards all calls of the line.
        raise _refuse(link, "it is a service code, which changes the line instead of calling")
    if not remove_separators(written):
        raise _refuse(link, "it contains no number")
    if _LETTERS.search(written):
        raise _refuse(link, "it contains letters in place of a number")
    raise _refuse(link, f"{shorten(written, _MAX_SHOWN)!r} is no number of at most 15 digits")


def _parse_context(link: str, written: str) -> str:
    context = remove_separators(written)
    if context.startswith("+") and is_dialable(context[1:]):
        return context[1:]
    shown = shorten(written, _MAX_SHOWN)
    raise _refuse(link, f"its number is valid only at {shown!r}, where this line may not be")


def _note(link: str, named: Dict[str, str]) -> Iterator[str]:
    """Yield the notes about the parameters that are left."""
    if "isub" in named:
        # Without it the call would reach another device.
        raise _refuse(link, "it has an ISDN subaddress (isub), which this service cannot dial")
    extension = named.pop("ext", None)
    if extension is not None:
        digits = remove_separators(extension)
        if not is_dialable(digits):
            raise _refuse(link, f"its extension {shorten(extension, _MAX_SHOWN)!r} is no number")
        yield (
            f"the extension {digits} is not dialled: dial it on your telephone when the call is "
            "answered"
        )
    # Any other name could be a sentence that misleads the user.
    others = [name if _NAME.fullmatch(name) else "?" for name in named if name != "call"]
    if others:
        yield f"left out of the link: {', '.join(others)}"


def _refuse(link: str, reason: str) -> LinkError:
    return LinkError(f"the link {shorten(link, _MAX_SHOWN)!r} is not dialled: {reason}")
