"""OAuth2 of Keyyo: how a program is let into an account, and stays let in.

``OAuth2`` works by callbacks and Futures, ``OAuth2Client`` by blocking.

``requests-oauthlib`` makes the authorization URL, and its ``oauthlib`` the forms of the token
requests. This SDK sends them itself: ``OAuth2Session.fetch_token`` and ``refresh_token`` log the
client secret and every token at DEBUG.
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
from ._net.clock import wall_clock
from ._net.http_request import HttpClient, SecretForm, checked_url
from ._net.retry_after import retry_after
from ._oauth2.answers import is_redirected_url, raise_refusal, read_code, read_tokens
from ._oauth2.authorizations import Authorizations, check_verifier
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

#: Why a code may be refused that nothing is wrong with.
_OTHER_PROCESS = (
    "if another process or object made the URL, give exchange its code_verifier, and its state"
)

_NO_STATE = "give exchange the state that authorization_url gave: Keyyo wants it"


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
        self._http = HttpClient(OAuth2Error, timeout, ca_certs)
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
        code = read_code(code_or_redirected_url, state)
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
        reply = self._http.send("POST", self.token_url, credentials)
        new = read_tokens(reply.fields(), old, asked_at) if reply.ok else None
        if new is None:
            raise_refusal(reply, credentials, retry_after(reply.headers, asked_at))
        return new

    def __repr__(self) -> str:
        return f"<OAuth2Client {self.client_id} at {self.token_url}>"


class OAuth2(BackgroundClient):
    """A program that Keyyo knows, and what it asks Keyyo's OAuth2 for.

    Every method that asks Keyyo takes ``callback(error, result)`` last, which may be left out,
    and returns a ``concurrent.futures.Future``; none waits for the network. ``error`` is an
    OAuth2Error or None. ``client`` does the same by blocking. An ``Account`` does what comes
    after it.

    Source: OAuth2 of Keyyo.

    :param client_id: the program's, as Keyyo gave it.
    :param client_secret: what Keyyo gave with it.
    :param redirect_uri: where the browser is sent afterwards, as Keyyo knows it.
    :param authorize_url: the page where the user allows it.
    :param token_url: where tokens come from: https, or http on this very machine.
    :param timeout: seconds that a request may take.
    :param dispatch: where callbacks run: None, ``"manual"``, or a function that is handed each
        piece of work, as for CTI.
    :param ca_certs: file or folder of the trusted certificate authorities.
    :param allow_http: True if a URL may be http on another machine, where secrets are sent in
        clear: for laboratories.
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
        """Return where to send the user's browser. It asks nobody.

        The URL asks for PKCE (RFC 7636). Exchange the code with the same object; a program that
        exchanges it in another process takes the ``code_verifier`` there.

        :param scope: what to ask for: one string with blanks or commas, or several.
        :returns: the URL, and the state: keep it for ``exchange``, with this user's browser.
        """
        return self.client.authorization_url(scope)

    def code_verifier(self, state: str) -> str:
        """Return the secret that ``exchange`` needs in another process, or after a restart.

        :param state: as ``authorization_url`` of this object gave it.
        :raises KeyyoError: this object made no such authorization, or has finished it.
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
        """The tokens for what the browser brought back. See ``OAuth2Client.exchange``.

        :param code_or_redirected_url: the URL that the browser was sent to, or only the code in
            it, as a person may have copied it.
        :param state: what ``authorization_url`` gave. A URL must bring the same, and Keyyo wants
            it too.
        :param code_verifier: what ``code_verifier`` gave, if another object made the URL.
        """
        state, callback = split_callback(state, callback)
        work = partial(
            self.client.exchange, code_or_redirected_url, state, code_verifier=code_verifier
        )
        return self._background.ask(work, callback)

    def refresh(
        self, tokens: Tokens, callback: Optional[Callback[Tokens]] = None
    ) -> "Future[Tokens]":
        """Return new tokens for old ones, perhaps with another refresh token. See
        ``OAuth2Client.refresh``; ``Account`` keeps the new ones safely.

        :param tokens: with a refresh token.
        """
        return self._background.ask(partial(self.client.refresh, tokens), callback)

    def __repr__(self) -> str:
        return f"<OAuth2 {self.client_id} at {self.token_url}>"


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
