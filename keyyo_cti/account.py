"""Accounts: a valid access token for a program that a user has authorized.

``Account`` uses callbacks and Futures, ``AccountClient`` blocks.
"""

import contextlib
import copy
import traceback
from concurrent.futures import Future
from functools import partial
from typing import (
    Any,
    Callable,
    Hashable,
    Iterator,
    NamedTuple,
    NoReturn,
    Optional,
    Union,
    overload,
)

from ._client.background import BackgroundClient
from ._client.callback import Callback, split_callback
from ._client.literals import Dispatch
from ._net.clock import wall_clock
from ._net.single_flight import SingleFlight, WaitsForItself
from ._oauth2.scopes import SIGN_IN_AGAIN
from ._oauth2.token_store import LockedTokens, TokenMemory, TokenStore
from ._oauth2.tokens import Tokens
from .errors import CredentialsRefused, KeyyoError, TokensNotKept
from .oauth2 import OAuth2, OAuth2Client

__all__ = ["Account", "AccountClient", "TokenMemory", "TokensNotKept"]


class _Unsaved(NamedTuple):
    """Tokens that are not saved yet.

    :ivar replaced: the tokens that they replace.
    :ivar anyway: True if they replace any tokens.
    """

    tokens: Tokens
    replaced: Optional[Tokens] = None
    anyway: bool = False


class _Refusal(NamedTuple):
    """A refresh token that Keyyo has refused, and the error."""

    tokens: Tokens
    error: CredentialsRefused


class AccountClient:
    """Returns access tokens, and refreshes them before they expire. Blocking, thread-safe.

    A refresh happens once for all threads, and with a ``TokenFile`` once for all processes. A new
    refresh token is saved before the new access token is returned; without a new one, the old one
    stays. The client never sends a refused refresh token again. A refresh that has begun is
    completed even if the caller is interrupted or the program ends, because the old refresh token
    may already be invalid.

    Source: OAuth2 of Keyyo.

    :param oauth2: an OAuth2Client, the program's registration.
    :param store: the storage of the tokens: a ``TokenFile``, a ``TokenMemory``, or your own.
    :param ahead: seconds before its expiry at which an access token is refreshed.
    :param wall: returns the time in Unix seconds.
    """

    def __init__(
        self,
        oauth2: OAuth2Client,
        store: TokenStore,
        *,
        ahead: float = 60.0,
        wall: Callable[[], float] = wall_clock,
    ) -> None:
        self.oauth2 = oauth2
        self._store = store
        self._ahead = ahead
        self._wall = wall
        self._flights: SingleFlight[Tokens] = SingleFlight("keyyo-cti-refresh", to_its_end=True)
        self._unsaved: Optional[_Unsaved] = None
        self._refusal: Optional[_Refusal] = None

    @property
    def key(self) -> Hashable:
        """Equal for two clients with the tokens of the same account, as far as known."""
        # An object of the program's own tells nothing but that it is another one.
        store = getattr(self._store, "path", None) or id(self._store)
        return self.oauth2.client_id, str(store)

    def sign_in(
        self,
        code_or_redirected_url: str,
        state: Optional[str] = None,
        *,
        code_verifier: Optional[str] = None,
    ) -> Tokens:
        """Exchange a code for the first tokens and save them. See ``OAuth2.exchange``.

        A WARNING is logged if Keyyo granted less than was requested.

        :param code_or_redirected_url: the URL that the browser was redirected to, or its code.
        :param state: the state from ``OAuth2.authorization_url``.
        :param code_verifier: the result of ``OAuth2.code_verifier``, if another object made the
            URL.
        :returns: the tokens.
        :raises OAuth2Error: as for ``exchange``; also TokensNotKept.
        """
        exchange = partial(self.oauth2.exchange, code_or_redirected_url, state)
        if code_verifier is not None:
            exchange = partial(exchange, code_verifier=code_verifier)
        return self._flights.do(partial(self._exchange, exchange), alone=True)

    def access_token(self) -> str:
        """Return an access token that is valid for at least ``ahead`` seconds.

        :raises CredentialsRefused: no user has signed in, or Keyyo has refused.
        :raises OAuth2Error: Keyyo sent no response; also TokensNotKept.
        """
        return self.tokens().access_token

    def tokens(self) -> Tokens:
        """Return the tokens with such an access token; errors as for ``access_token``."""
        tokens = self._load() if self._unsaved is None else None
        if tokens is not None and self._is_valid(tokens):
            return tokens
        return self._flights.do(partial(self._renew, tokens))

    def renewed(self, refused: Tokens) -> Tokens:
        """Return other tokens, because the access token of these was refused early.

        :param refused: the result of ``tokens``.
        :raises OAuth2Error: as for ``access_token``.
        """
        tokens = self._flights.do(partial(self._renew, refused))
        if tokens != refused:
            return tokens
        # Another thread's refresh, which began before these tokens were refused.
        return self._flights.do(partial(self._renew, refused), alone=True)

    def _is_valid(self, tokens: Tokens) -> bool:
        return tokens.good_at(self._wall() + self._ahead)

    def _load(self) -> Optional[Tokens]:
        try:
            return self._store.load()
        except Exception as error:
            _raise_not_saved(error)

    @contextlib.contextmanager
    def _lock_tokens(self) -> Iterator[LockedTokens]:
        try:
            with self._store.locked() as locked:
                yield locked
        except KeyyoError:
            raise
        except Exception as error:
            _raise_not_saved(error)

    def _exchange(self, exchange: Callable[[], Tokens]) -> Tokens:
        tokens = exchange()
        self._unsaved = _Unsaved(tokens, anyway=True)
        self._save_unsaved()
        return tokens

    def _renew(self, stale: Optional[Tokens]) -> Tokens:
        self._save_unsaved()
        with self._lock_tokens() as locked:
            tokens = locked.load()
            if tokens is None:
                raise CredentialsRefused(
                    401, "No user has signed in", "not_signed_in", SIGN_IN_AGAIN
                )
            # Another thread or process may have refreshed them during the wait.
            if tokens != stale and self._is_valid(tokens):
                return tokens
            locked.reserve()
            new = self._refresh(tokens)
            # Keyyo may have revoked the old refresh token, so these are the only valid tokens.
            self._unsaved = _Unsaved(new, tokens)
            locked.save(new)
        # Only now: the tokens are saved at the end of the with statement.
        self._unsaved = None
        return new

    def _save_unsaved(self) -> None:
        unsaved = self._unsaved
        if unsaved is None:
            return
        with self._lock_tokens() as locked:
            # Unless a user has signed in again in between.
            if unsaved.anyway or locked.load() == unsaved.replaced:
                locked.save(unsaved.tokens)
        self._unsaved = None

    def _refresh(self, tokens: Tokens) -> Tokens:
        refusal = self._refusal
        if refusal is not None and refusal.tokens.refresh_token == tokens.refresh_token:
            raise copy.copy(refusal.error)
        try:
            return self.oauth2.refresh(tokens)
        except CredentialsRefused as error:
            if error.error_code == "invalid_grant":
                # A copy, because the error itself refers to its traceback.
                self._refusal = _Refusal(tokens, copy.copy(error))
            raise

    def __repr__(self) -> str:
        return f"<AccountClient of {self.oauth2!r}>"


class Account(BackgroundClient):
    """Access tokens of an account. Pass it to a ``Manager``.

    A token is refreshed before it expires, once for all threads, and with a ``TokenFile`` once for
    all processes. A new refresh token is saved before the new access token is returned.

    Every method that sends a request takes an optional ``callback(error, result)`` last and
    returns a ``concurrent.futures.Future``. ``error`` is an OAuth2Error or None. ``client`` is the
    blocking equivalent.

    Source: OAuth2 of Keyyo.

    :param oauth2: an OAuth2 or OAuth2Client, the program's registration.
    :param store: the storage of the tokens: a ``TokenFile``, a ``TokenMemory``, or your own.
    :param ahead: seconds before its expiry at which an access token is refreshed.
    :param dispatch: where callbacks run: None, ``"manual"``, or a function that receives each
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
        """Exchange a code for the first tokens and save them. See ``AccountClient.sign_in``.

        A WARNING is logged if Keyyo granted less than was requested.

        :param code_or_redirected_url: the URL that the browser was redirected to, or its code.
        :param state: the state from ``OAuth2.authorization_url``.
        :param code_verifier: the result of ``OAuth2.code_verifier``, if another object made the
            URL.
        :returns: a Future of Tokens.
        """
        state, callback = split_callback(state, callback)
        work = partial(
            self.client.sign_in, code_or_redirected_url, state, code_verifier=code_verifier
        )
        return self._background.ask(work, callback)

    def access_token(self, callback: Optional[Callback[str]] = None) -> "Future[str]":
        """Request a valid access token, a string. See ``AccountClient.access_token``."""
        return self._background.ask(self.client.access_token, callback)

    def __repr__(self) -> str:
        return f"<Account of {self.client.oauth2!r}>"


def _raise_not_saved(error: Exception) -> NoReturn:
    # An OSError's message names the file. Other messages may contain the tokens, so only their
    # origin is shown.
    harmless = isinstance(error, (OSError, WaitsForItself))
    words = f": {error}" if harmless else f" at {_find_origin(error)}"
    raise TokensNotKept(
        500,
        f"The tokens cannot be saved or read: {type(error).__name__}{words}",
        "not_kept",
        "check the place where they are stored, and try again before this program ends",
    ) from (error if harmless else None)


def _find_origin(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"
