"""OAuth2: applications, authorization codes, access tokens and refresh tokens.

`Authority` grants and checks access; the clock is an argument. The pages are in `consent`, the
routes in `oauth2_site`.
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Dict, FrozenSet, Iterable, Mapping, Optional, Tuple, TypeVar, Union
from urllib.parse import urlsplit

from .arguments import require_text
from .clock import Clock

CTI_ADMIN = "cti_admin"
FULL_ACCESS_READ_ONLY = "full_access_read_only"
FULL_ACCESS = "full_access"
VOIP_PROFILES_ADMIN = "voip_profiles_admin"
SCOPES = {
    CTI_ADMIN: "Control the CTI: tokens for lines, and their CTI plugins",
    FULL_ACCESS_READ_ONLY: "Read everything in the account",
    FULL_ACCESS: "Read and change the account",
    VOIP_PROFILES_ADMIN: "Change how calls are forwarded",
}
"""The scopes, each with the text of the consent page."""

CTI_SCOPES = (CTI_ADMIN, FULL_ACCESS_READ_ONLY)
"""The scopes that a CTI application needs."""

S256 = "S256"

CODE_LIFETIME = 60.0
"""Seconds until an authorization code expires."""

_LOOPBACK = re.compile(r"http://(?:127\.0\.0\.1|\[::1\]|localhost)(?::([0-9]{1,5}))?(?=[/?]|$)")

Scopes = FrozenSet[str]
Fields = Mapping[str, str]
Grant = TypeVar("Grant")


class OAuth2Error(Exception):
    """A refused request, as an OAuth2 error.

    :param error: the code, for example "invalid_grant".
    :param description: the reason, without secrets.
    :param status: of the HTTP response.
    """

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


class NotRedirectable(Exception):
    """An authorization request whose redirect URI is not registered, so that it gets no redirect.
    """


class BadAccessToken(Exception):
    """An access token that is unknown, revoked or expired."""


@dataclass(frozen=True)
class Application:
    """A program that is registered to request access to accounts.

    :param client_id: its name.
    :param client_secret: its password.
    :param redirect_uris: the allowed redirect URIs, each compared as a whole, but for the host
        and the port of one on loopback.
    :param scopes: the scopes that it may request.
    :param default_scopes: the scopes of a request without ``scopes``.
    :raises TypeError: a field has the wrong type.
    :raises ValueError: a field is empty, a redirect URI is relative or has a fragment, or a scope
        is unknown.
    """

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uris: Tuple[str, ...]
    scopes: Scopes = frozenset(SCOPES)
    default_scopes: Scopes = frozenset({FULL_ACCESS_READ_ONLY})

    def __post_init__(self) -> None:
        require_text(self.client_id, "client_id")
        require_text(self.client_secret, "client_secret")
        if not self.redirect_uris:
            raise ValueError("redirect_uris: expected one or more")
        for uri in self.redirect_uris:
            parts = urlsplit(require_text(uri, "redirect_uris"))
            if not parts.scheme or "#" in uri:
                raise ValueError(
                    f"redirect_uris: expected absolute URIs without a fragment, got {uri!r}")
        unknown = self.scopes - SCOPES.keys()
        if unknown or not self.scopes:
            raise ValueError(f"scopes: expected one or more of {', '.join(SCOPES)}")
        if not self.default_scopes <= self.scopes:
            raise ValueError("default_scopes: expected some of the scopes")

    def accepts(self, redirect_uri: str) -> bool:
        """Return True if a redirect URI is registered, on loopback with any port (RFC 8252, 7.3).
        """
        if redirect_uri in self.redirect_uris:
            return True
        place = _get_loopback_place(redirect_uri)
        return place is not None and place in map(_get_loopback_place, self.redirect_uris)


DEFAULT_APPLICATION = Application(
    "keyyo-cti",
    "not-a-secret",
    ("http://127.0.0.1:8080/callback", "http://localhost:8080/callback"),
)
"""The application that every simulator registers at its start."""


def parse_scopes(scopes: Union[str, Iterable[str]]) -> Scopes:
    """Return scopes given as one string with blanks or commas, or one by one."""
    return frozenset(scopes.replace(",", " ").split() if isinstance(scopes, str) else scopes)


@dataclass(frozen=True)
class _Code:
    client_id: str
    redirect_uri: str
    scopes: Scopes
    expires: float
    state: str
    challenge: Optional[str]


@dataclass(frozen=True)
class _Access:
    scopes: Scopes
    expires: float


@dataclass(frozen=True)
class _Refresh:
    client_id: str
    scopes: Scopes


class Authority:
    """The authority that grants access to the account and checks it.

    :param clock: returns the time in Unix seconds.
    :param access_token_lifetime: seconds until an access token expires.
    :param rotate_refresh_tokens: True if a refresh replaces the refresh token.
    """

    def __init__(
        self, clock: Clock, *, access_token_lifetime: float, rotate_refresh_tokens: bool
    ) -> None:
        self._clock = clock
        self._access_token_lifetime = access_token_lifetime
        self._rotate_refresh_tokens = rotate_refresh_tokens
        self._applications: Dict[str, Application] = {}
        self._codes: Dict[str, _Code] = {}
        self._access: Dict[str, _Access] = {}
        self._refresh: Dict[str, _Refresh] = {}
        self._grantable: Optional[Scopes] = None
        self.newest = DEFAULT_APPLICATION
        self.register(DEFAULT_APPLICATION)

    def register(self, application: Application) -> None:
        """Register an application; replace one with the same client id."""
        self._applications[application.client_id] = application
        self.newest = application

    def grant_only(self, scopes: Optional[Scopes]) -> None:
        """Limit future grants to these scopes; None removes the limit."""
        self._grantable = scopes

    # Authorizing

    def find_applicant(self, request: Fields) -> Application:
        """Return the application that sends an authorization request.

        :raises NotRedirectable: it is unknown, or the redirect URI is not registered for it.
        """
        application = self._applications.get(request.get("client_id", ""))
        if application is None:
            raise NotRedirectable(
                f'No application is registered under the client_id "{request.get("client_id")}".')
        redirect_uri = request.get("redirect_uri", "")
        if not application.accepts(redirect_uri):
            raise NotRedirectable(
                f'The redirect_uri "{redirect_uri}" is not registered for the application '
                f"{application.client_id}. It has registered: "
                f"{', '.join(application.redirect_uris)}.")
        return application

    def read_scopes(self, application: Application, request: Fields) -> Scopes:
        """Return the scopes of an authorization request, or the application's default.

        Like Keyyo, it reads ``scopes``, separated by commas, and ignores OAuth2's ``scope``.

        :raises OAuth2Error: a parameter is missing or wrong, or the application may not request a
            scope.
        """
        if request.get("response_type") != "code":
            raise OAuth2Error("unsupported_response_type", 'The response_type must be "code"')
        _require(request, "state")
        _read_challenge(request)
        asked = request.get("scopes", "")
        scopes = frozenset(asked.split(",")) if asked else application.default_scopes
        if not scopes <= application.scopes:
            raise OAuth2Error("invalid_scope", "The application may not ask for this scope")
        return scopes

    def issue_code(self, application: Application, request: Fields) -> str:
        """Return a new authorization code, valid once and for `CODE_LIFETIME`.

        :param request: a valid authorization request; see `find_applicant` and `read_scopes`.
        """
        scopes = self.read_scopes(application, request)
        if self._grantable is not None:
            scopes &= self._grantable
        code = secrets.token_urlsafe(24)
        self._codes[code] = _Code(
            application.client_id,
            request["redirect_uri"],
            scopes,
            self._clock() + CODE_LIFETIME,
            request["state"],
            _read_challenge(request),
        )
        return code

    # Tokens

    def answer_token_request(self, request: Fields) -> Dict[str, Any]:
        """Return the response to a token request.

        :raises OAuth2Error: the request is refused.
        """
        application = self._authenticate(request)
        grant_type = _require(request, "grant_type")
        if grant_type == "authorization_code":
            return self._redeem(application, request)
        if grant_type == "refresh_token":
            return self._renew(application, request)
        raise OAuth2Error("unsupported_grant_type", "The grant type is not supported")

    def grant(self, application: Application, scopes: Scopes) -> Dict[str, Any]:
        """Return new tokens, in the form of a token response."""
        token = secrets.token_urlsafe(32)
        self._refresh[token] = _Refresh(application.client_id, scopes)
        return {**self._grant_access(scopes), "refresh_token": token}

    def _grant_access(self, scopes: Scopes) -> Dict[str, Any]:
        lifetime = self._access_token_lifetime
        token = secrets.token_urlsafe(32)
        self._access[token] = _Access(scopes, self._clock() + lifetime)
        return {
            "access_token": token,
            "expires_in": int(lifetime),
            "token_type": "bearer",
            "scope": " ".join(sorted(scopes)),
        }

    def _authenticate(self, request: Fields) -> Application:
        application = self._applications.get(request.get("client_id", ""))
        if application is None or application.client_secret != request.get("client_secret"):
            raise OAuth2Error("invalid_client", "The client credentials are wrong", 401)
        return application

    def _redeem(self, application: Application, request: Fields) -> Dict[str, Any]:
        redirect_uri = _require(request, "redirect_uri")
        code = _require(request, "code")
        state = _require(request, "state")
        grant = _find_grant(self._codes, "code", code, application)
        if grant.redirect_uri != redirect_uri:
            raise OAuth2Error("invalid_grant", "The redirect_uri is not the one of the code")
        if grant.state != state:
            raise OAuth2Error("invalid_grant", "The state is not the one of the code")
        _check_verifier(grant.challenge, request.get("code_verifier"))
        del self._codes[code]
        if self._clock() >= grant.expires:
            raise OAuth2Error("invalid_grant", "The authorization code has expired")
        return self.grant(application, grant.scopes)

    def _renew(self, application: Application, request: Fields) -> Dict[str, Any]:
        token = _require(request, "refresh_token")
        if not application.accepts(_require(request, "redirect_uri")):
            raise OAuth2Error("invalid_grant", "The redirect_uri is not the application's")
        scopes = _find_grant(self._refresh, "refresh token", token, application).scopes
        if not self._rotate_refresh_tokens:
            return self._grant_access(scopes)
        del self._refresh[token]
        return self.grant(application, scopes)

    # Checking and ending

    def get_scopes(self, access_token: str) -> Scopes:
        """Return the scopes of an access token.

        :raises BadAccessToken: it is unknown, revoked or expired; the message says which.
        """
        access = self._access.get(access_token)
        if access is None:
            raise BadAccessToken("The access token is not valid")
        if self._clock() >= access.expires:
            raise BadAccessToken("The access token has expired")
        return access.scopes

    def revoke_access(self, access_token: str) -> None:
        """Make an access token invalid, as if it had never been issued.

        :raises ValueError: this authority did not issue it.
        """
        if self._access.pop(access_token, None) is None:
            raise ValueError("token: not an access token that this simulator issued")

    def expire_refresh_tokens(self) -> None:
        """Make every refresh token invalid; access tokens stay valid."""
        self._refresh.clear()


def _get_loopback_place(uri: str) -> Optional[str]:
    """Return path and query of a URI on loopback; None for any other URI."""
    found = _LOOPBACK.match(uri)
    return uri[found.end():] if found and (found[1] is None or int(found[1]) < 65_536) else None


def _require(request: Fields, name: str) -> str:
    value = request.get(name)
    if not value:
        raise OAuth2Error("invalid_request", f"The parameter {name} is missing")
    return value


def _read_challenge(request: Fields) -> Optional[str]:
    """Return the PKCE challenge of an authorization request; None without PKCE."""
    challenge, method = request.get("code_challenge"), request.get("code_challenge_method")
    if challenge is None and method is None:
        return None
    if not challenge or method != S256:
        raise OAuth2Error(
            "invalid_request", f"Expected code_challenge, and code_challenge_method {S256}")
    return challenge


def _check_verifier(challenge: Optional[str], verifier: Optional[str]) -> None:
    """Check PKCE: the verifier must match the challenge, or both must be absent."""
    if challenge is None and verifier is None:
        return
    digest = sha256((verifier or "").encode()).digest()
    computed = urlsafe_b64encode(digest).rstrip(b"=")
    if not verifier or not hmac.compare_digest(computed, (challenge or "").encode()):
        raise OAuth2Error("invalid_grant", "The code_verifier does not fit the code_challenge")


def _find_grant(
    grants: Mapping[str, Union[_Code, _Refresh]], name: str, secret: str, application: Application
) -> Any:
    grant = grants.get(secret)
    if grant is None or grant.client_id != application.client_id:
        raise OAuth2Error(
            "invalid_grant", f"The {name} is unknown, used up or another application's")
    return grant
