"""Authorizations whose code has not come yet, and PKCE (RFC 7636), which protects the code."""

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

#: Authorizations that are kept until their code comes. A web application may have many, and
#: users never finish some of them.
_MAX_AUTHORIZATIONS = 10_000


class Authorization(NamedTuple):
    """What the exchange of a code needs to know of the URL that a browser was sent to.

    :ivar verifier: a secret. It proves that the exchange comes from where the URL was made.
    :ivar scopes: that were asked for.
    """

    verifier: str
    scopes: Tuple[str, ...] = ()

    @property
    def challenge(self) -> str:
        """The S256 challenge of the verifier, for the URL."""
        digest = hashlib.sha256(self.verifier.encode("ascii")).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")

    def __repr__(self) -> str:
        return f"<Authorization for {' '.join(self.scopes)}>"


class Authorizations:
    """The authorizations of one application, by their state; the oldest are discarded."""

    def __init__(self) -> None:
        self._by_state: "OrderedDict[str, Authorization]" = OrderedDict()

    def begin(self, scopes: Tuple[str, ...]) -> Tuple[str, Authorization]:
        """Make an authorization with a state of its own."""
        state = secrets.token_urlsafe(32)
        authorization = Authorization(secrets.token_urlsafe(48), scopes)
        # Without a lock, which a fork could leave held: each step is atomic.
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
    """Return a code verifier that a program has kept, or None if there is none.

    :raises KeyyoError: it cannot be one.
    """
    if code_verifier is None:
        return None
    # The value is not shown: it is a secret.
    if not isinstance(code_verifier, str) or not _VERIFIER.fullmatch(code_verifier):
        raise invalid_params("code_verifier", "expected what code_verifier() of OAuth2 gave")
    return code_verifier
