"""The OAuth2 tokens of an account."""

from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, Mapping, Optional, Tuple, Union

from .._net import redaction
from .._net.http_request import is_token
from .._net.javascript import as_number
from .scopes import missing_scopes, read_granted, split_scopes


@dataclass(frozen=True)
class Tokens:
    """An access token and its refresh token. Its ``repr`` shows neither.

    :ivar access_token: for the Manager API; visible ASCII characters.
    :ivar refresh_token: for the next access token, or None. A refresh may replace it.
    :ivar expires_at: expiry of the access token in Unix seconds; None if unknown.
    :ivar scope: the scopes that Keyyo granted, in its own words; None if unknown. Comparisons
        ignore it.
    :raises ValueError: a value is impossible.
    """

    access_token: str
    refresh_token: Optional[str] = None
    expires_at: Optional[float] = None
    scope: Optional[str] = field(default=None, compare=False)

    def __post_init__(self) -> None:
        # Errors do not show the value: a token with a line break is still a secret.
        if not is_token(self.access_token):
            raise ValueError("access_token: expected visible ASCII characters")
        if self.refresh_token is not None and not is_token(self.refresh_token):
            raise ValueError("refresh_token: expected visible ASCII characters, or None")
        if isinstance(self.expires_at, str) or (
            self.expires_at is not None and as_number(self.expires_at) is None
        ):
            raise ValueError("expires_at: expected Unix seconds, or None")
        if self.scope is not None and read_granted(self.scope) != self.scope:
            raise ValueError("scope: expected names of scopes with blanks between, or None")
        redaction.hide(self.access_token, self.refresh_token)

    def missing_scopes(self, asked: Union[str, Iterable[str]]) -> Tuple[str, ...]:
        """Return the requested scopes that Keyyo has not granted, as far as known.

        :param asked: one string with blanks or commas, or several strings.
        """
        return missing_scopes(split_scopes(asked), self.scope)

    def good_at(self, time: float) -> bool:
        """Return True if the access token is valid at a Unix time, as far as known."""
        return self.expires_at is None or time < self.expires_at

    def to_dict(self) -> Dict[str, Any]:
        """Return the tokens as JSON values. Store them where no other user can read them."""
        return {
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "expires_at": self.expires_at,
            "scope": self.scope,
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> "Tokens":
        """Return the tokens of ``to_dict``; other fields are ignored.

        :raises ValueError: the access token is missing, or a value is impossible.
        """
        refresh_token, expires_at = kept.get("refresh_token"), kept.get("expires_at")
        scope = read_granted(kept.get("scope"))
        return cls(kept.get("access_token", ""), refresh_token, expires_at, scope)

    def __repr__(self) -> str:
        # Without the scope: these words of the server may repeat a token.
        refresh_token = "None" if self.refresh_token is None else "<hidden>"
        return (
            f"Tokens(access_token=<hidden>, refresh_token={refresh_token}, "
            f"expires_at={self.expires_at!r})"
        )
