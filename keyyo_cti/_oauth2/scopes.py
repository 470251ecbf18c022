"""OAuth2 scopes: how to request them, and which ones were not granted."""

import re
from typing import Any, FrozenSet, Iterable, Optional, Tuple, Union

#: Create CSI tokens, and change CTI plugins.
CTI_ADMIN = "cti_admin"
#: Read the account.
FULL_ACCESS_READ_ONLY = "full_access_read_only"
#: Change how calls are forwarded.
VOIP_PROFILES_ADMIN = "voip_profiles_admin"
SCOPES = (CTI_ADMIN, FULL_ACCESS_READ_ONLY)

SIGN_IN_AGAIN = "have the user authorize the application again"

#: Every scope that Keyyo documents, and the scopes that it includes.
_KNOWN = {
    "full_access": frozenset({FULL_ACCESS_READ_ONLY}),
    FULL_ACCESS_READ_ONLY: frozenset(),
    VOIP_PROFILES_ADMIN: frozenset(),
    CTI_ADMIN: frozenset(),
}

_SEPARATORS = re.compile(r"[\s,]+")

#: Keyyo's response separates scopes by blanks. Characters of a scope: RFC 6749, section 3.3.
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: +[\x21\x23-\x5b\x5d-\x7e]+)*")

_MAX_GRANTED_LENGTH = 1000


def split_scopes(scopes: Union[str, Iterable[str]]) -> Tuple[str, ...]:
    """Return the names of scopes, in their order, without duplicates.

    :param scopes: one string with blanks or commas, or several strings.
    :raises TypeError: it is neither.
    """
    parts = [scopes] if isinstance(scopes, str) else list(scopes)
    if not all(isinstance(part, str) for part in parts):
        raise TypeError("scope: expected a string, or several strings")
    names = [name for part in parts for name in _SEPARATORS.split(part) if name]
    return tuple(dict.fromkeys(names))


def read_granted(scope: Any) -> Optional[str]:
    """Return the ``scope`` of a response, or None if it does not list the granted scopes."""
    if not isinstance(scope, str) or len(scope) > _MAX_GRANTED_LENGTH:
        return None
    scope = scope.strip()
    return scope if _SCOPE.fullmatch(scope) else None


def missing_scopes(asked: Iterable[str], granted: Optional[str]) -> Tuple[str, ...]:
    """Return the requested scopes that were not granted, as far as known.

    Keyyo also responds with short names, such as ``a.user``. If it responds with undocumented
    names only, no scope counts as missing.

    :param asked: names of scopes; undocumented ones are ignored.
    :param granted: the ``scope`` of the response, None if unknown.
    """
    known = set(split_scopes(granted or "")) & _KNOWN.keys()
    if not known:
        return ()
    included: FrozenSet[str] = frozenset().union(*(_KNOWN[name] for name in known))
    return tuple(name for name in asked if name in _KNOWN and name not in known | included)


def describe_missing(missing: Iterable[str]) -> str:
    """Return a text that names the missing scopes."""
    names = list(missing)
    return f"the scope{'s' if len(names) > 1 else ''} {' and '.join(names)}"


def advise_consent(missing: Iterable[str]) -> str:
    """Return the advice for missing scopes."""
    return (
        f"check that Keyyo allows {describe_missing(missing)} to this client id, then have the "
        "user authorize the application again: a scope cannot be added to tokens that exist"
    )
