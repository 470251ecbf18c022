"""Hides secrets in text for logs and stderr.

It knows the tokens, session ids and client secrets of this process, and the passwords of proxies.
A server may repeat them in any text, whole or in part.
"""

import os
import re
from typing import Dict, FrozenSet, Iterable, List, NamedTuple, Set
from urllib.parse import unquote, urlsplit

from .javascript import as_key

HIDDEN = "<hidden>"

#: Maximum number of secrets to remember. Otherwise a program that runs for years would leak.
_MAX_SECRETS = 4096

#: Characters of a fragment of a secret that is hidden on its own.
_FRAGMENT_LENGTH = 8

#: Characters of the shortest secret that is hidden inside a word. A shorter one is only hidden if
#: it is the whole word; otherwise a token of "1" would hide every number.
_MIN_INSIDE = 4

#: Values whose name says that they are secret: ``token=...``, ``"session_id": "..."``.
_NAMED = re.compile(
    r"""(?ix)
    ( (?: token | session_?id | passw(?:or)?d | secret | cookie | authorization | __ksid )
      (?: ["']? \s* = \s* ["']? | ["'] \s* : \s* ["']? | : \s* (?= \S{12} | \S*\d ) )
      (?: (?: bearer | basic ) \s+ )?
    | \b (?: bearer | basic ) \s+ (?= \S{12} | \S*\d )
    )
    [^\s"'&;,}\]]+
    """
)

#: The user name and password of a URL.
_USER_INFO = re.compile(r"//[^/\s@]+@")

_WORD = re.compile(r"\S+")

# A dict used as an ordered set, because its changes are atomic.
_secrets: Dict[str, None] = {}
_passwords: Dict[str, None] = {}

# Another object after each addition to the secrets.
_version = object()


class _Fragments(NamedTuple):
    """What to search for, without punctuation and in lower case.

    :ivar version: of the secrets.
    :ivar pieces: every piece of the long secrets.
    :ivar whole: the short secrets, and those of digits only, which are searched for as a whole.
        Otherwise their pieces would hide telephone numbers.
    """

    version: object
    pieces: FrozenSet[str]
    whole: FrozenSet[str]


_fragments = _Fragments(None, frozenset(), frozenset())


def hide(*secrets: object) -> None:
    """Remember secrets, so that ``redact`` hides them.

    Anything but a string or an integer is skipped, and so is an integer that Python does not
    write: the command that has it is refused.
    """
    global _version
    for secret in secrets:
        text = "" if isinstance(secret, float) else (as_key(secret) or "").strip()
        # A placeholder of an example is no secret: it would hide the words that explain it.
        if not text or (text.startswith("<") and text.endswith(">")):
            continue
        if text not in _secrets:
            _version = object()
        # The last one is the newest: those in use are not forgotten.
        _secrets.pop(text, None)
        _secrets[text] = None
    for oldest in list(_secrets)[: max(0, len(_secrets) - _MAX_SECRETS)]:
        _secrets.pop(oldest, None)


def hide_passwords(urls: Iterable[object]) -> None:
    """Remember the passwords in the URLs of proxies, of which there are few."""
    global _version
    for url in urls:
        try:
            password = urlsplit(str(url)).password if url else None
        except ValueError:
            continue
        for each in {password, unquote(password)} if password else ():
            if each not in _passwords:
                _passwords[each] = None
                _version = object()


def redact(text: str) -> str:
    """Return a text without secrets, not even a part of one."""
    text = _USER_INFO.sub(f"//{HIDDEN}@", _NAMED.sub(rf"\1{HIDDEN}", text))
    fragments = _get_fragments()
    if _is_found(text, fragments):
        for secret in [*_secrets, *_passwords]:
            if len(secret) >= _MIN_INSIDE:
                text = text.replace(secret, HIDDEN)
    text = _WORD.sub(
        lambda word: HIDDEN if _is_found(word.group(), fragments) else word.group(), text
    )
    # A server may put blanks into a secret.
    return HIDDEN if _is_found(text, fragments) else text


def _get_fragments() -> _Fragments:
    global _fragments
    fragments = _fragments
    if fragments.version is not _version:
        # Rarely, because it reads the whole environment.
        hide_passwords(
            value for name, value in list(os.environ.items()) if name.lower().endswith("_proxy")
        )
        # The version first: a secret that comes in between has a later one.
        _fragments = fragments = _split(_version, [*_secrets, *_passwords])
    return fragments


def _split(version: object, secrets: List[str]) -> _Fragments:
    pieces: Set[str] = set()
    whole: Set[str] = set()
    for secret in map(_normalize, secrets):
        if len(secret) < _FRAGMENT_LENGTH or secret.isdigit():
            whole.add(secret)
            continue
        cuts = range(len(secret) - _FRAGMENT_LENGTH + 1)
        found = (secret[cut : cut + _FRAGMENT_LENGTH] for cut in cuts)
        pieces.update(each for each in found if not each.isdigit())
    return _Fragments(version, frozenset(pieces), frozenset(whole - {""}))


def _is_found(text: str, fragments: _Fragments) -> bool:
    text = _normalize(text)
    cuts = range(len(text) - _FRAGMENT_LENGTH + 1)
    return (
        text in fragments.whole
        or any(text[cut : cut + _FRAGMENT_LENGTH] in fragments.pieces for cut in cuts)
        or any(each in text for each in fragments.whole if len(each) >= _MIN_INSIDE)
    )


def _normalize(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()
