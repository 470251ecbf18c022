"""An account by callbacks and Futures. What a program sees; the client does it."""

from concurrent.futures import Future
from functools import partial
from typing import Any, Optional, Union, overload

from ._oauth2.token_store import TokenMemory, TokenStore
from ._oauth2.tokens import Tokens
from .background import BackgroundClient
from .callback import Callback, callback_last
from .literals import Dispatch
from .oauth2 import OAuth2, OAuth2Client
from .web.account import AccountClient, TokensNotKept

__all__ = ["Account", "AccountClient", "TokenMemory", "TokensNotKept"]


class Account(BackgroundClient):
    """An account that a user has let this program into. Give it to a ``Manager``.

    Access tokens are refreshed ahead of their expiry, once, however many threads want them, and
    with a ``TokenFile`` however many processes. If Keyyo sends a new refresh token, it is in the
    store before anybody gets the new access token.

    Every method that may ask Keyyo takes ``callback(error, result)`` last, which may be left
    out, and returns a ``concurrent.futures.Future``; none waits for the network. ``error`` is an
    OAuth2Error or None. ``client`` does the same by blocking.

    Source: OAuth2 of Keyyo.

    :param oauth2: the program's.
    :param store: where the tokens are: a ``TokenFile``, a ``TokenMemory``, or one's own.
    :param ahead: seconds before its expiry from which an access token is not given out any more.
    :param dispatch: where callbacks run: None, ``"manual"``, or a function that is handed each
        piece of work, as for CTI.
    """

    def __init__(
        self,
        oauth2: Union[OAuth2, OAuth2Client],
        store: TokenStore,
        *,
        ahead: float = 60.0,
        dispatch: Dispatch = None,
    ) -> None:
        super().__init__("account", dispatch)
        client = oauth2.client if isinstance(oauth2, OAuth2) else oauth2
        self.client = AccountClient(client, store, ahead=ahead)

    @overload
    def sign_in(
        self, code_or_redirected_url: str, callback: Optional[Callback[Tokens]] = None, /
    ) -> "Future[Tokens]": ...

    @overload
    def sign_in(
        self,
        code_or_redirected_url: str,
        state: Optional[str] = None,
        callback: Optional[Callback[Tokens]] = None,
        *,
        code_verifier: Optional[str] = None,
    ) -> "Future[Tokens]": ...

    def sign_in(
        self,
        code_or_redirected_url: str,
        state: Any = None,
        callback: Any = None,
        *,
        code_verifier: Optional[str] = None,
    ) -> "Future[Tokens]":
        """Get the first tokens, and keep them. See ``AccountClient.sign_in``.

        A WARNING is logged if Keyyo has granted less than was asked for.

        :param code_or_redirected_url: what the browser brought back.
        :param state: what ``OAuth2.authorization_url`` gave.
        :param code_verifier: what ``OAuth2.code_verifier`` gave, if another object made the URL.
        """
        state, callback = callback_last(state, callback)
        work = partial(
            self.client.sign_in, code_or_redirected_url, state, code_verifier=code_verifier
        )
        return self._background.ask(work, callback)

    def access_token(self, callback: Optional[Callback[str]] = None) -> "Future[str]":
        """An access token that is good for a while. See ``AccountClient.access_token``."""
        return self._background.ask(self.client.access_token, callback)

    def __repr__(self) -> str:
        return f"<Account of {self.client.oauth2!r}>"
