"""The tokens of OAuth2: the access token opens the account, the refresh token renews it."""

from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, Mapping, Optional, Tuple, Union

from .._net.http_request import is_token
from .._net.javascript import as_number
from .scopes import missing_scopes, read_granted, split_scopes


@dataclass(frozen=True)
class Tokens:
    """An access token, and what renews it. Its ``repr`` shows neither.

    :ivar access_token: opens the Manager API; visible ASCII characters.
    :ivar refresh_token: gets the next access token, or None when there is none. A refresh may
        bring another one in its place.
    :ivar expires_at: when the access token expires, in Unix seconds; None when nobody said.
    :ivar scope: the scopes that Keyyo granted, in its own words; None if unknown. It plays no
        part in a comparison of tokens.
    :raises ValueError: one of them cannot be what it should be.
    """

    access_token: str
    refresh_token: Optional[str] = None
    expires_at: Optional[float] = None
    scope: Optional[str] = field(default=None, compare=False)

    def __post_init__(self) -> None:
        # A wrong value is not shown: a token with a line break is a token all the same.
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

    def missing_scopes(self, asked: Union[str, Iterable[str]]) -> Tuple[str, ...]:
        """Return the scopes among these that Keyyo has not granted, as far as one can tell.

        :param asked: one string with blanks or commas, or several strings.
        """
        return missing_scopes(split_scopes(asked), self.scope)

    def good_at(self, time: float) -> bool:
        """Whether the access token is good at a time in Unix seconds, as far as one knows."""
        return self.expires_at is None or time < self.expires_at

    def to_dict(self) -> Dict[str, Any]:
        """Everything, as JSON knows it. These are secrets: keep them where nobody else reads."""
        return {
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "expires_at": self.expires_at,
            "scope": self.scope,
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> "Tokens":
        """The tokens that ``to_dict`` gave; fields that it does not know are passed over.

        :raises ValueError: there is no access token in it, or something impossible.
        """
        refresh_token, expires_at = kept.get("refresh_token"), kept.get("expires_at")
        scope = read_granted(kept.get("scope"))
        return cls(kept.get("access_token", ""), refresh_token, expires_at, scope)

    def __repr__(self) -> str:
        # Without the scope: those are words of the server, which may repeat a token.
        refresh_token = "None" if self.refresh_token is None else "<hidden>"
        return (
            f"Tokens(access_token=<hidden>, refresh_token={refresh_token}, "
            f"expires_at={self.expires_at!r})"
        )
