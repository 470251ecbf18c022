"""OAuth2 of Keyyo by callbacks and Futures. What a program sees; the client does it."""

import os
from concurrent.futures import Future
from functools import partial
from typing import Any, Iterable, Optional, Tuple, Union, overload

from ._oauth2.answers import (
    AUTHORIZE_URL,
    CTI_ADMIN,
    FULL_ACCESS_READ_ONLY,
    SCOPES,
    TOKEN_URL,
    CredentialsRefused,
    OAuth2Client,
    OAuth2Error,
)
from ._oauth2.tokens import Tokens
from .background import BackgroundClient
from .callback import Callback, callback_last
from .literals import Dispatch

__all__ = [
    "AUTHORIZE_URL",
    "CTI_ADMIN",
    "FULL_ACCESS_READ_ONLY",
    "SCOPES",
    "TOKEN_URL",
    "CredentialsRefused",
    "OAuth2",
    "OAuth2Client",
    "OAuth2Error",
    "Tokens",
]


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
        state, callback = callback_last(state, callback)
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
