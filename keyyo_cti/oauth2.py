"""OAuth2 of Keyyo: a program gets tokens for an account and refreshes them.

``OAuth2`` uses callbacks and Futures, ``OAuth2Client`` blocks.

``requests-oauthlib`` makes the authorization URL, and its ``oauthlib`` the forms of the token
requests. This SDK sends them itself, because ``OAuth2Session.fetch_token`` and ``refresh_token``
log the client secret and every token at DEBUG.
"""

import logging
import os
from concurrent.futures import Future
from functools import partial
from typing import Any, Callable, Dict, Iterable, Optional, Tuple, Union, overload
from urllib.parse import urlsplit, urlunsplit

from oauthlib.oauth2 import WebApplicationClient
from requests_oauthlib import OAuth2Session

from ._client.background import BackgroundClient
from ._client.callback import Callback, split_callback
from ._client.literals import Dispatch
from ._display.error_page import extend_hint
from ._net import redaction
from ._net.clock import wall_clock
from ._net.http_request import HttpClient, SecretForm, check_url
from ._net.retry_after import read_retry_after
from ._oauth2.authorizations import Authorizations, check_verifier
from ._oauth2.responses import is_redirected_url, raise_refusal, read_code, read_tokens
from ._oauth2.scopes import (
    CTI_ADMIN,
    FULL_ACCESS_READ_ONLY,
    SCOPES,
    SIGN_IN_AGAIN,
    advise_consent,
    describe_missing,
    split_scopes,
)
from ._oauth2.tokens import Tokens
from .errors import CredentialsRefused, OAuth2Error, invalid_params

__all__ = [
    "AUTHORIZE_URL",
    "CTI_ADMIN",
    "FULL_ACCESS_READ_ONLY",
    "SCOPES",
    "SIGN_IN_AGAIN",
    "TOKEN_URL",
    "CredentialsRefused",
    "OAuth2",
    "OAuth2Client",
    "OAuth2Error",
    "Tokens",
    "is_redirected_url",
]

_log = logging.getLogger("keyyo_cti")

AUTHORIZE_URL = "https://ssl.keyyo.com/oauth2/authorize.php"
TOKEN_URL = "https://api.keyyo.com/oauth2/token.php"

#: Advice for a refused code that may itself be valid.
_OTHER_PROCESS = (
    "if another process or object made the URL, pass its code_verifier and its state to exchange"
)

_NO_STATE = "pass the state from authorization_url to exchange: Keyyo requires it"


class OAuth2Client:
    """A program's registration with Keyyo, and its OAuth2 requests. Blocking, thread-safe.

    Source: OAuth2 of Keyyo.

    :param client_id: the program's id from Keyyo.
    :param client_secret: the program's secret from Keyyo.
    :param redirect_uri: the registered URL that the browser is redirected to.
    :param authorize_url: the page where the user authorizes the program.
    :param token_url: the URL of token requests: https, or http on this machine.
    :param timeout: seconds that a request may take.
    :param ca_certs: file or folder of the trusted certificate authorities.
    :param allow_http: True if a URL may be http on another machine, where secrets are sent in
        clear text: for laboratories.
    :param wall: returns the time in Unix seconds.
    :raises TypeError: an argument is of a wrong type.
    :raises ValueError: an argument has an invalid value.
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
        self.client_id = _check_text("client_id", client_id)
        self.redirect_uri = _check_text("redirect_uri", redirect_uri)
        self.authorize_url = check_url("authorize_url", authorize_url, allow_http)
        self.token_url = check_url("token_url", token_url, allow_http)
        self._client_secret = _check_text("client_secret", client_secret)
        redaction.hide(client_secret)
        self._http = HttpClient(OAuth2Error, timeout, ca_certs)
        self._wall = wall
        self._authorizations = Authorizations()

    def authorization_url(self, scope: Union[str, Iterable[str]] = SCOPES) -> Tuple[str, str]:
        """Return the URL for the user's browser, and its state. Sends no request.

        The URL uses PKCE (RFC 7636). Exchange the code with the same object, or pass
        ``code_verifier`` to the process that exchanges it.

        :param scope: the scopes to request: one string with blanks or commas, or several strings.
        :returns: the URL, and the state; keep it for ``exchange``, tied to this user's browser.
        :raises TypeError: ``scope`` is neither.
        """
        state, authorization = self._authorizations.begin(split_scopes(scope))
        # Keyyo reads "scopes", separated by commas, and ignores OAuth2's "scope". Otherwise the
        # tokens would lack scopes.
        wanted = {"scopes": ",".join(authorization.scopes)} if authorization.scopes else {}
        # oauthlib accepts only https. The constructor has checked that http is on this machine.
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
        """Return the secret that ``exchange`` needs in another process or after a restart.

        Keep it with the state. ``exchange`` of this object has it already.

        :param state: the state from ``authorization_url`` of this object.
        :raises KeyyoError: this object made no such authorization, or has completed it.
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
        """Exchange a code for tokens. A code is valid once, and for a short time.

        A WARNING is logged if Keyyo granted less than was requested; the ``scope`` of the tokens
        says what it granted.

        :param code_or_redirected_url: the URL that the browser was redirected to, or only the
            code in it, as a person may copy it.
        :param state: the state from ``authorization_url``. A URL must contain the same state, and
            Keyyo requires it too.
        :param code_verifier: the result of ``code_verifier``, if another object made the URL.
        :returns: the tokens.
        :raises CredentialsRefused: the user or Keyyo has refused.
        :raises OAuth2Error: the URL answers another request, or Keyyo sent no response.
        """
        code = read_code(code_or_redirected_url, state)
        authorization = self._authorizations.get(state)
        verified = authorization is not None or code_verifier is not None
        try:
            tokens = self._request_tokens(self._make_code_form(code, state, code_verifier), None)
        except OAuth2Error as error:
            if error.error_code == "invalid_grant" and not verified:
                error.hint = extend_hint(error.hint, f"; {_OTHER_PROCESS}")
            if error.error_code == "invalid_request" and not state:
                error.hint = _NO_STATE
            raise
        self._authorizations.end(state)
        _warn_of_missing(tokens.missing_scopes(authorization.scopes if authorization else ()))
        return tokens

    def refresh(self, tokens: Tokens) -> Tokens:
        """Return new tokens for old ones.

        Keyyo may replace the refresh token: save the new one before anything else, as ``Account``
        does. Without a new one, the old one stays. The request is sent once only, because the
        server may have handled a request whose response was lost.

        :param tokens: tokens with a refresh token.
        :raises CredentialsRefused: there is no refresh token, or Keyyo has refused it.
        :raises OAuth2Error: Keyyo sent no response, or an unreadable one.
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
        return self._request_tokens(credentials, tokens)

    def _make_code_form(
        self, code: str, state: Optional[str], code_verifier: Optional[str]
    ) -> SecretForm:
        verifier = check_verifier(code_verifier)
        authorization = self._authorizations.get(state)
        if verifier is None and authorization is not None:
            verifier = authorization.verifier
        # Keyyo's table requires the state, its example the redirect URI: both are sent.
        optional: Dict[str, Any] = {"state": state, "code_verifier": verifier}
        form = WebApplicationClient(self.client_id).prepare_request_body(
            code=code,
            redirect_uri=self.redirect_uri,
            client_secret=self._client_secret,
            **{name: value for name, value in optional.items() if value},
        )
        return SecretForm(form, self._client_secret, code, *filter(None, [verifier]))

    def _request_tokens(self, credentials: SecretForm, old: Optional[Tokens]) -> Tokens:
        asked_at = self._wall()
        reply = self._http.send("POST", self.token_url, credentials)
        new = read_tokens(reply.fields(), old, asked_at) if reply.ok else None
        if new is None:
            raise_refusal(reply, credentials, read_retry_after(reply.headers, asked_at))
        return new

    def __repr__(self) -> str:
        return f"<OAuth2Client {self.client_id} at {self.token_url}>"


class OAuth2(BackgroundClient):
    """A program's registration with Keyyo, and its OAuth2 requests.

    Every method that sends a request takes an optional ``callback(error, result)`` last and
    returns a ``concurrent.futures.Future``. ``error`` is an OAuth2Error or None. ``client`` is the
    blocking equivalent. An ``Account`` uses it to sign in and to refresh tokens.

    Source: OAuth2 of Keyyo.

    :param client_id: the program's id from Keyyo.
    :param client_secret: the program's secret from Keyyo.
    :param redirect_uri: the registered URL that the browser is redirected to.
    :param authorize_url: the page where the user authorizes the program.
    :param token_url: the URL of token requests: https, or http on this machine.
    :param timeout: seconds that a request may take.
    :param dispatch: where callbacks run: None, ``"manual"``, or a function that receives each
        piece of work, as for CTI.
    :param ca_certs: file or folder of the trusted certificate authorities.
    :param allow_http: True if a URL may be http on another machine, where secrets are sent in
        clear text: for laboratories.
    :raises TypeError: an argument is of a wrong type.
    :raises ValueError: an argument has an invalid value.
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
        dispatch: Dispatch = None,
        ca_certs: Union[str, "os.PathLike[str]", None] = None,
        allow_http: bool = False,
    ) -> None:
        super().__init__("oauth2", dispatch)
        self.client = OAuth2Client(
            client_id,
            client_secret,
            redirect_uri,
            authorize_url=authorize_url,
            token_url=token_url,
            timeout=timeout,
            ca_certs=ca_certs,
            allow_http=allow_http,
        )
        self.client_id = client_id
        self.token_url = self.client.token_url

    def authorization_url(self, scope: Union[str, Iterable[str]] = SCOPES) -> Tuple[str, str]:
        """Return the URL for the user's browser, and its state. Sends no request.

        See ``OAuth2Client.authorization_url``.

        :param scope: the scopes to request: one string with blanks or commas, or several strings.
        :returns: the URL, and the state; keep it for ``exchange``, tied to this user's browser.
        """
        return self.client.authorization_url(scope)

    def code_verifier(self, state: str) -> str:
        """Return the secret that ``exchange`` needs in another process or after a restart.

        :param state: the state from ``authorization_url`` of this object.
        :raises KeyyoError: this object made no such authorization, or has completed it.
        """
        return self.client.code_verifier(state)

    @overload
    def exchange(
        self, code_or_redirected_url: str, callback: Optional[Callback[Tokens]] = None, /
    ) -> "Future[Tokens]": ...

    @overload
    def exchange(
        self,
        code_or_redirected_url: str,
        state: Optional[str] = None,
        callback: Optional[Callback[Tokens]] = None,
        *,
        code_verifier: Optional[str] = None,
    ) -> "Future[Tokens]": ...

    def exchange(
        self,
        code_or_redirected_url: str,
        state: Any = None,
        callback: Any = None,
        *,
        code_verifier: Optional[str] = None,
    ) -> "Future[Tokens]":
        """Exchange a code for tokens. See ``OAuth2Client.exchange``.

        :param code_or_redirected_url: the URL that the browser was redirected to, or only the
            code in it, as a person may copy it.
        :param state: the state from ``authorization_url``. A URL must contain the same state, and
            Keyyo requires it too.
        :param code_verifier: the result of ``code_verifier``, if another object made the URL.
        :returns: a Future of Tokens.
        """
        state, callback = split_callback(state, callback)
        work = partial(
            self.client.exchange, code_or_redirected_url, state, code_verifier=code_verifier
        )
        return self._background.ask(work, callback)

    def refresh(
        self, tokens: Tokens, callback: Optional[Callback[Tokens]] = None
    ) -> "Future[Tokens]":
        """Request new tokens for old ones. See ``OAuth2Client.refresh``.

        ``Account`` also saves the new ones.

        :param tokens: tokens with a refresh token.
        :returns: a Future of Tokens, perhaps with another refresh token.
        """
        return self._background.ask(partial(self.client.refresh, tokens), callback)

    def __repr__(self) -> str:
        return f"<OAuth2 {self.client_id} at {self.token_url}>"


def _check_text(name: str, value: Any) -> str:
    # The message leaves the value out: it may be secret.
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
