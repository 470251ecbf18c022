"""OAuth2 of Keyyo: how a program is let into an account, and stays let in.

``requests-oauthlib`` makes the authorization URL, and its ``oauthlib`` the forms of the token
requests. They are sent by this SDK's own hand: ``OAuth2Session.fetch_token`` and
``refresh_token`` log the client secret and every token at DEBUG.
"""

import hmac
import logging
import os
import re
from typing import Any, Callable, Dict, Iterable, Mapping, NoReturn, Optional, Tuple, Union
from urllib.parse import parse_qs, urlsplit, urlunsplit

from oauthlib.oauth2 import WebApplicationClient
from requests_oauthlib import OAuth2Session

from .._net.clock import as_seconds, wall_clock
from .._net.http_request import Reply, RequestFailed, SecretForm, Web, checked_url
from ..backoff import retry_after
from ..errors import invalid_params
from .authorizations import Authorizations, check_verifier
from .scopes import (
    CTI_ADMIN,
    FULL_ACCESS_READ_ONLY,
    SCOPES,
    advise_consent,
    describe_missing,
    read_granted,
    split_scopes,
)
from .tokens import Tokens

__all__ = [
    "AUTHORIZE_URL",
    "CTI_ADMIN",
    "FULL_ACCESS_READ_ONLY",
    "SCOPES",
    "SIGN_IN_AGAIN",
    "TOKEN_URL",
    "CredentialsRefused",
    "OAuth2Client",
    "OAuth2Error",
    "is_redirected_url",
]

_log = logging.getLogger("keyyo_cti")

AUTHORIZE_URL = "https://ssl.keyyo.com/oauth2/authorize.php"
TOKEN_URL = "https://api.keyyo.com/oauth2/token.php"

SIGN_IN_AGAIN = "have the user authorize the application again"

#: Why a code may be refused that nothing is wrong with.
_OTHER_PROCESS = (
    "if another process or object made the URL, give exchange its code_verifier, and its state"
)

_NO_STATE = "give exchange the state that authorization_url gave: Keyyo wants it"

#: In an address that a browser was sent to.
_ANSWER = re.compile(r"[?&](code|error|state)=")

#: What Keyyo says when the same request will never do, and what to do instead.
_FINAL = {
    "invalid_grant": "it has expired, was used already, or was revoked: " + SIGN_IN_AGAIN,
    "invalid_client": "check the client id and the client secret",
    "unauthorized_client": "check what Keyyo allows to this client id",
    "access_denied": "the user has not allowed it",
}

#: Statuses below 500 of a server that is busy.
_BUSY = (408, 429)

_FOREIGN = "a firewall or a gateway may have answered in Keyyo's place: then try again later"


class OAuth2Error(RequestFailed):
    """Keyyo gave no tokens. ``error_code`` is OAuth2's ``error`` where Keyyo sent one."""


class CredentialsRefused(OAuth2Error):
    """Keyyo does not let this program in, and will not when it asks again: only a person can
    help, as ``hint`` says."""

    final = True


class OAuth2Client:
    """A program that Keyyo knows, and what it asks Keyyo's OAuth2 for. Blocking, thread-safe.

    Source: OAuth2 of Keyyo.

    :param client_id: the program's, as Keyyo gave it.
    :param client_secret: what Keyyo gave with it.
    :param redirect_uri: where the browser is sent afterwards, as Keyyo knows it.
    :param authorize_url: the page where the user allows it.
    :param token_url: where tokens come from: https, or http on this very machine.
    :param timeout: seconds that a request may take.
    :param ca_certs: file or folder of the trusted certificate authorities.
    :param allow_http: True if a URL may be http on another machine, where secrets are sent in
        clear: for laboratories.
    :param wall: the clock, in Unix seconds.
    :raises TypeError: an argument is of a wrong kind.
    :raises ValueError: an argument has an impossible value.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        redirect_uri: str,
        *,
        authorize_url: str = AUTHORIZE_URL,
        token_url: str = TOKEN_URL,
        timeout: float = 10.0,
        ca_certs: Union[str, "os.PathLike[str]", None] = None,
        allow_http: bool = False,
        wall: Callable[[], float] = wall_clock,
    ) -> None:
        self.client_id = _text("client_id", client_id)
        self.redirect_uri = _text("redirect_uri", redirect_uri)
        self.authorize_url = checked_url("authorize_url", authorize_url, allow_http)
        self.token_url = checked_url("token_url", token_url, allow_http)
        self._client_secret = _text("client_secret", client_secret)
        self._web = Web(OAuth2Error, timeout, ca_certs)
        self._wall = wall
        self._authorizations = Authorizations()

    def authorization_url(self, scope: Union[str, Iterable[str]] = SCOPES) -> Tuple[str, str]:
        """Return where to send the user's browser.

        The URL asks for PKCE (RFC 7636). Exchange the code with the same object; a program that
        exchanges it in another process takes the ``code_verifier`` there.

        :param scope: what to ask for: one string with blanks or commas, or several.
        :returns: the URL, and the state: keep it for ``exchange``, with this user's browser.
        :raises TypeError: ``scope`` is neither.
        """
        state, authorization = self._authorizations.begin(split_scopes(scope))
        # Keyyo reads "scopes", separated by commas, and ignores OAuth2's own "scope": the tokens
        # would then lack what was asked for.
        wanted = {"scopes": ",".join(authorization.scopes)} if authorization.scopes else {}
        # oauthlib takes https alone; that http leads to this very machine was seen to before.
        parts = urlsplit(self.authorize_url)
        secure = urlunsplit(parts._replace(scheme="https"))
        client = WebApplicationClient(self.client_id)
        with OAuth2Session(client=client, redirect_uri=self.redirect_uri) as session:
            url, _ = session.authorization_url(
                secure,
                state,
                code_challenge=authorization.challenge,
                code_challenge_method="S256",
                **wanted,
            )
        return urlunsplit(urlsplit(url)._replace(scheme=parts.scheme)), state

    def code_verifier(self, state: str) -> str:
        """Return the secret that ``exchange`` needs in another process, or after a restart.

        Keep it with the state. ``exchange`` of this same object knows it.

        :param state: as ``authorization_url`` of this object gave it.
        :raises KeyyoError: this object made no such authorization, or has finished it.
        """
        authorization = self._authorizations.get(state)
        if authorization is None:
            raise invalid_params("state", "expected one that authorization_url() gave")
        return authorization.verifier

    def exchange(
        self,
        code_or_redirected_url: str,
        state: Optional[str] = None,
        *,
        code_verifier: Optional[str] = None,
    ) -> Tokens:
        """Return the tokens for what the browser brought back. It works once, and soon after.

        A WARNING is logged if Keyyo has granted less than was asked for. The ``scope`` of the
        tokens says what it has granted.

        :param code_or_redirected_url: the URL that the browser was sent to, or only the code in
            it, as a person may have copied it.
        :param state: what ``authorization_url`` gave. A URL must bring the same, and Keyyo wants
            it too.
        :param code_verifier: what ``code_verifier`` gave, if another object made the URL.
        :raises CredentialsRefused: the user or Keyyo has refused.
        :raises OAuth2Error: the URL is not the answer to this request, or there is no answer
            from Keyyo.
        """
        code = _code(_brought(code_or_redirected_url), state)
        authorization = self._authorizations.get(state)
        verified = authorization is not None or code_verifier is not None
        try:
            tokens = self._ask(self._code_form(code, state, code_verifier), None)
        except OAuth2Error as error:
            if error.error_code == "invalid_grant" and not verified:
                error.hint = f"{error.hint}; {_OTHER_PROCESS}"
            if error.error_code == "invalid_request" and not state:
                error.hint = _NO_STATE
            raise
        self._authorizations.end(state)
        _warn_of_missing(tokens.missing_scopes(authorization.scopes if authorization else ()))
        return tokens

    def refresh(self, tokens: Tokens) -> Tokens:
        """Return new tokens for old ones.

        Keyyo may replace the refresh token: keep the new one safely before anything else is done,
        as ``Account`` does. If Keyyo sends none, the old one stays.

        The request is sent once, because the server may have handled one that got no answer.

        :param tokens: with a refresh token.
        :raises CredentialsRefused: there is no refresh token, or Keyyo has refused it.
        :raises OAuth2Error: there is no answer that could be understood.
        """
        if not isinstance(tokens, Tokens):
            raise invalid_params("tokens", f"expected Tokens, got {type(tokens).__name__}")
        if tokens.refresh_token is None:
            raise CredentialsRefused(
                401, "There is no refresh token", "no_refresh_token", SIGN_IN_AGAIN
            )
        client = WebApplicationClient(self.client_id)
        credentials = SecretForm(
            client.prepare_refresh_body(
                refresh_token=tokens.refresh_token,
                redirect_uri=self.redirect_uri,
                client_id=self.client_id,
                client_secret=self._client_secret,
            ),
            self._client_secret,
            tokens.refresh_token,
            tokens.access_token,
        )
        return self._ask(credentials, tokens)

    def _code_form(
        self, code: str, state: Optional[str], code_verifier: Optional[str]
    ) -> SecretForm:
        verifier = check_verifier(code_verifier)
        authorization = self._authorizations.get(state)
        if verifier is None and authorization is not None:
            verifier = authorization.verifier
        # Keyyo's table asks for the state, its example for the redirect URI: both are sent.
        optional: Dict[str, Any] = {"state": state, "code_verifier": verifier}
        form = WebApplicationClient(self.client_id).prepare_request_body(
            code=code,
            redirect_uri=self.redirect_uri,
            client_secret=self._client_secret,
            **{name: value for name, value in optional.items() if value},
        )
        return SecretForm(form, self._client_secret, code, *filter(None, [verifier]))

    def _ask(self, credentials: SecretForm, old: Optional[Tokens]) -> Tokens:
        asked_at = self._wall()
        reply = self._web.send("POST", self.token_url, credentials)
        new = _tokens(reply.fields(), old, asked_at) if reply.good else None
        if new is None:
            _refuse(reply, credentials, retry_after(reply.headers, asked_at))
        return new

    def __repr__(self) -> str:
        return f"<OAuth2Client {self.client_id} at {self.token_url}>"


def _text(name: str, value: Any) -> str:
    # The value is not shown: it may be a secret.
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected a string, got {type(value).__name__}")
    try:
        value.encode()
    except UnicodeError:
        raise ValueError(f"{name}: expected text") from None
    if not value.strip():
        raise ValueError(f"{name}: expected a string that is not empty")
    return value


def _warn_of_missing(missing: Tuple[str, ...]) -> None:
    if missing:
        _log.warning(
            "Keyyo has not granted %s: %s", describe_missing(missing), advise_consent(missing)
        )


def is_redirected_url(text: str) -> bool:
    """Return True if a text is an address that a browser was sent to, and not a bare code."""
    return "://" in text or _ANSWER.search(text) is not None


def _brought(code_or_redirected_url: Any) -> str:
    if not isinstance(code_or_redirected_url, str) or not code_or_redirected_url.strip():
        raise invalid_params("code_or_redirected_url", "expected a string that is not empty")
    # A terminal may have given bytes that are no text; no code has them.
    return code_or_redirected_url.strip().encode("utf-8", "replace").decode()


def _code(code_or_redirected_url: str, state: Optional[str]) -> str:
    """The authorization code, if it is ours."""
    if not is_redirected_url(code_or_redirected_url):
        return code_or_redirected_url
    # Browsers show an address without its beginning, and people copy it so.
    answer = parse_qs(code_or_redirected_url.partition("#")[0].partition("?")[2])
    [theirs] = answer.get("state", [""])[-1:]
    if not state or not hmac.compare_digest(theirs.encode(), state.encode()):
        raise OAuth2Error(
            400,
            "The state in the URL is not that of this authorization",
            "invalid_state",
            "the URL answers another request, perhaps an attacker's: " + SIGN_IN_AGAIN,
        )
    if "error" in answer:
        _raise_error(400, {name: values[-1] for name, values in answer.items()})
    if "code" not in answer:
        raise OAuth2Error(
            400, "There is no code in the URL", "invalid_request", "give the whole URL"
        )
    return answer["code"][-1]


def _tokens(fields: Mapping[str, Any], old: Optional[Tokens], asked_at: float) -> Optional[Tokens]:
    """Return the tokens of an answer, or None if it is not one. A refresh token that is not
    replaced stays."""
    access_token = fields.get("access_token")
    refresh_token = fields.get("refresh_token") or (old.refresh_token if old else None)
    seconds = as_seconds(fields.get("expires_in"))
    expires_at = None if seconds is None else asked_at + seconds
    # A refresh that does not say it grants what was granted before (RFC 6749, section 5.1).
    scope = read_granted(fields.get("scope")) or (old.scope if old else None)
    try:
        return Tokens(access_token or "", refresh_token, expires_at, scope)
    except ValueError:
        return None


def _refuse(reply: Reply, credentials: SecretForm, seconds: Optional[float]) -> NoReturn:
    """Raise the error that an answer without tokens stands for.

    :param seconds: what ``Retry-After`` asked for.
    """
    said = _said(reply.fields(), credentials.hide)
    if "error" in said:
        _raise_error(400 if reply.good else reply.status, said, seconds)
    busy = reply.status in _BUSY or reply.status >= 500
    raise OAuth2Error(
        502 if reply.good else reply.status,
        f"The answer has no tokens: {reply.status} {credentials.hide(reply.phrase)}",
        None if busy else "unreadable",
        "try again later" if busy else f"check the token_url; {_FOREIGN}",
        retry_after=seconds,
    )


def _said(answer: Mapping[str, Any], hide: Callable[[str], str]) -> Dict[str, str]:
    """Those words of an answer that say why there are no tokens."""
    names = ("error", "error_description")
    said = {name: hide(answer[name]) for name in names if isinstance(answer.get(name), str)}
    if answer.get("error") in _FINAL:
        # A person may have pasted a code that is part of the word.
        said["error"] = answer["error"]
    return said


def _raise_error(
    status: int, said: Mapping[str, str], seconds: Optional[float] = None
) -> NoReturn:
    code, reason = said["error"], said.get("error_description") or None
    # A server that is down or busy refuses nobody, whatever it says besides.
    final = code in _FINAL and status < 500 and status not in _BUSY
    kind = CredentialsRefused if final else OAuth2Error
    words = reason or code or "Refused without a reason"
    hint = _FINAL[code] if final else None
    raise kind(status, words, code or None, hint, reason=reason, retry_after=seconds)
