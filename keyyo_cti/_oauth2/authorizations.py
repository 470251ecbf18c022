"""Pending authorizations, and PKCE (RFC 7636), which protects their codes."""

import hashlib
import re
import secrets
from base64 import urlsafe_b64encode
from collections import OrderedDict
from contextlib import suppress
from typing import Any, NamedTuple, Optional, Tuple

from ..errors import invalid_params

#: Characters of a code verifier by RFC 7636, section 4.1.
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")

#: Maximum number of pending authorizations. A web application may have many, and users never
#: finish some of them.
_MAX_AUTHORIZATIONS = 10_000


class Authorization(NamedTuple):
    """A pending authorization, for the exchange of its code.

    :ivar verifier: a secret, which proves that the exchange comes from the maker of the URL.
    :ivar scopes: the requested scopes.
    """

    verifier: str
    scopes: Tuple[str, ...] = ()

    @property
    def challenge(self) -> str:
        """The S256 challenge of the verifier, for the authorization URL."""
        digest = hashlib.sha256(self.verifier.encode("ascii")).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")

    def __repr__(self) -> str:
        return f"<Authorization for {' '.join(self.scopes)}>"


class Authorizations:
    """The pending authorizations of one application, by state. The oldest are discarded."""

    def __init__(self) -> None:
        self._by_state: "OrderedDict[str, Authorization]" = OrderedDict()

    def begin(self, scopes: Tuple[str, ...]) -> Tuple[str, Authorization]:
        """Make an authorization with a new state, and return both."""
        state = secrets.token_urlsafe(32)
        authorization = Authorization(secrets.token_urlsafe(48), scopes)
        # Each step is atomic. A lock could stay held after a fork.
        self._by_state[state] = authorization
        while len(self._by_state) > _MAX_AUTHORIZATIONS:
            with suppress(KeyError):
                self._by_state.popitem(last=False)
        return state, authorization

    def get(self, state: Optional[str]) -> Optional[Authorization]:
        """Return the authorization with this state, or None."""
        return None if state is None else self._by_state.get(state)

    def end(self, state: Optional[str]) -> None:
        """Discard the authorization with this state."""
        if state is not None:
            self._by_state.pop(state, None)


def check_verifier(code_verifier: Any) -> Optional[str]:
    """Check a code verifier that a program has kept, and return it.

    :raises KeyyoError: the value is impossible.
    """
    if code_verifier is None:
        return None
    # The error does not show the value, which is a secret.
    if not isinstance(code_verifier, str) or not _VERIFIER.fullmatch(code_verifier):
        raise invalid_params("code_verifier", "expected the value of OAuth2.code_verifier()")
    return code_verifier
