"""An account that a user has let this program into: a good access token, whenever one is needed.

``Account`` works by callbacks and Futures, ``AccountClient`` by blocking.
"""

import contextlib
import copy
import traceback
from concurrent.futures import Future
from functools import partial
from typing import Any, Callable, Iterator, NamedTuple, NoReturn, Optional, Union, overload

from ._client.background import BackgroundClient
from ._client.callback import Callback, split_callback
from ._client.literals import Dispatch
from ._net.clock import wall_clock
from ._net.single_flight import SingleFlight, WaitsForItself
from ._oauth2.scopes import SIGN_IN_AGAIN
from ._oauth2.token_store import HeldTokens, TokenMemory, TokenStore
from ._oauth2.tokens import Tokens
from .errors import CredentialsRefused, KeyyoError, TokensNotKept
from .oauth2 import OAuth2, OAuth2Client

__all__ = ["Account", "AccountClient", "TokenMemory", "TokensNotKept"]


class _Unsaved(NamedTuple):
    """Tokens that are not kept yet.

    :ivar replaced: those in whose place they belong.
    :ivar anyway: they belong in the place of any.
    """

    tokens: Tokens
    replaced: Optional[Tokens] = None
    anyway: bool = False


class _Refusal(NamedTuple):
    """A refresh token that Keyyo has refused, and how."""

    tokens: Tokens
    error: CredentialsRefused


class AccountClient:
    """Hands out access tokens, and refreshes them ahead of their expiry. Blocking, thread-safe.

    A refresh is done once, however many threads want it, and with a ``TokenFile`` however many
    processes. If Keyyo sends a new refresh token, it is in the store before anybody gets the new
    access token; if Keyyo sends none, the old one stays. A refresh token that Keyyo has refused
    is not sent again by the same client. A refresh that has begun goes on to its end, even if the
    caller is interrupted or the program ends: the old refresh token may be of no use any more.

    Source: OAuth2 of Keyyo.

    :param oauth2: the program's.
    :param store: where the tokens are: a ``TokenFile``, a ``TokenMemory``, or one's own.
    :param ahead: seconds before its expiry from which an access token is not given out any more.
    :param wall: the clock, in Unix seconds.
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

    def sign_in(
        self,
        code_or_redirected_url: str,
        state: Optional[str] = None,
        *,
        code_verifier: Optional[str] = None,
    ) -> Tokens:
        """Get the first tokens, and keep them. See ``OAuth2.exchange``.

        A WARNING is logged if Keyyo has granted less than was asked for.

        :param code_or_redirected_url: what the browser brought back.
        :param state: what ``OAuth2.authorization_url`` gave.
        :param code_verifier: what ``OAuth2.code_verifier`` gave, if another object made the URL.
        :raises OAuth2Error: see there; also TokensNotKept.
        """
        exchange = partial(self.oauth2.exchange, code_or_redirected_url, state)
        if code_verifier is not None:
            exchange = partial(exchange, code_verifier=code_verifier)
        return self._flights.do(partial(self._exchange, exchange), alone=True)

    def access_token(self) -> str:
        """An access token that is good for a while.

        :raises CredentialsRefused: nobody has signed in, or Keyyo has refused.
        :raises OAuth2Error: there is no answer from Keyyo; also TokensNotKept.
        """
        return self.tokens().access_token

    def tokens(self) -> Tokens:
        """The same, with all that belongs to it."""
        tokens = self._load() if self._unsaved is None else None
        if tokens is not None and self._good(tokens):
            return tokens
        return self._flights.do(partial(self._renew, tokens))

    def renewed(self, refused: Tokens) -> Tokens:
        """Other tokens than these, whose access token was refused before its time.

        :param refused: as ``tokens`` gave them.
        :raises OAuth2Error: as for ``access_token``.
        """
        tokens = self._flights.do(partial(self._renew, refused))
        if tokens != refused:
            return tokens
        # Another thread's renewal, which began before these were refused.
        return self._flights.do(partial(self._renew, refused), alone=True)

    def _good(self, tokens: Tokens) -> bool:
        return tokens.good_at(self._wall() + self._ahead)

    def _load(self) -> Optional[Tokens]:
        try:
            return self._store.load()
        except Exception as error:
            _not_kept(error)

    @contextlib.contextmanager
    def _held(self) -> Iterator[HeldTokens]:
        try:
            with self._store.held() as held:
                yield held
        except KeyyoError:
            raise
        except Exception as error:
            _not_kept(error)

    def _exchange(self, exchange: Callable[[], Tokens]) -> Tokens:
        tokens = exchange()
        self._unsaved = _Unsaved(tokens, anyway=True)
        self._save_unsaved()
        return tokens

    def _renew(self, stale: Optional[Tokens]) -> Tokens:
        self._save_unsaved()
        with self._held() as held:
            tokens = held.load()
            if tokens is None:
                raise CredentialsRefused(
                    401, "Nobody has signed in", "not_signed_in", SIGN_IN_AGAIN
                )
            # Another thread or process may have refreshed them while this one waited.
            if tokens != stale and self._good(tokens):
                return tokens
            held.reserve()
            new = self._ask(tokens)
            # Keyyo may have replaced the old refresh token, so that these are all that there is.
            self._unsaved = _Unsaved(new, tokens)
            held.save(new)
        # Only now: the end of the with statement is what makes them safe.
        self._unsaved = None
        return new

    def _save_unsaved(self) -> None:
        unsaved = self._unsaved
        if unsaved is None:
            return
        with self._held() as held:
            # Unless somebody has signed in anew meanwhile.
            if unsaved.anyway or held.load() == unsaved.replaced:
                held.save(unsaved.tokens)
        self._unsaved = None

    def _ask(self, tokens: Tokens) -> Tokens:
        refusal = self._refusal
        if refusal is not None and refusal.tokens.refresh_token == tokens.refresh_token:
            raise copy.copy(refusal.error)
        try:
            return self.oauth2.refresh(tokens)
        except CredentialsRefused as error:
            if error.error_code == "invalid_grant":
                # A copy, for the error itself holds on to the stack that it came up.
                self._refusal = _Refusal(tokens, copy.copy(error))
            raise

    def __repr__(self) -> str:
        return f"<AccountClient of {self.oauth2!r}>"


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
        state, callback = split_callback(state, callback)
        work = partial(
            self.client.sign_in, code_or_redirected_url, state, code_verifier=code_verifier
        )
        return self._background.ask(work, callback)

    def access_token(self, callback: Optional[Callback[str]] = None) -> "Future[str]":
        """An access token that is good for a while. See ``AccountClient.access_token``."""
        return self._background.ask(self.client.access_token, callback)

    def __repr__(self) -> str:
        return f"<Account of {self.client.oauth2!r}>"


def _not_kept(error: Exception) -> NoReturn:
    # The words of OSError name the file. Others might repeat what could not be kept, so that only
    # the place is told from which they came.
    harmless = isinstance(error, (OSError, WaitsForItself))
    words = f": {error}" if harmless else f" at {_place(error)}"
    raise TokensNotKept(
        500,
        f"The tokens cannot be kept or read: {type(error).__name__}{words}",
        "not_kept",
        "see to the place where they are kept, and try again before this program ends",
    ) from (error if harmless else None)


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"
