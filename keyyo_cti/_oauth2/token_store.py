"""Stores for the tokens of an account."""

import contextlib
import os
import threading
from typing import Callable, ContextManager, Iterator, Optional, Protocol

from .._net.user_code import refuse_coroutine, require_function
from .tokens import Tokens


class LockedTokens(Protocol):
    """The tokens of a store, while its lock is held."""

    def load(self) -> Optional[Tokens]:
        """Return the tokens, or None without any."""

    def reserve(self) -> None:
        """Check, as far as possible, that ``save`` will succeed.

        Before ``save``, Keyyo may replace the stored refresh token, which is then useless.
        """

    def save(self, tokens: Tokens) -> None:
        """Replace the tokens."""


class TokenStore(Protocol):
    """A store for the tokens of one account.

    Its methods may raise any exception, best OSError, without a token in the message.
    """

    def load(self) -> Optional[Tokens]:
        """Return the tokens, or None without any, without waiting for the lock."""

    def locked(self) -> ContextManager[LockedTokens]:
        """Lock the tokens for the block. Saved tokens are safe after its end."""


class TokenMemory:
    """A store in the memory of this process, which passes each change to a function first.

    :param tokens: the initial tokens.
    :param save: stores the tokens permanently, called as ``save(tokens)`` by one thread at a time.
    :raises TypeError: ``save`` is not a function, or a coroutine function.
    """

    def __init__(
        self,
        tokens: Optional[Tokens] = None,
        save: Callable[[Tokens], object] = lambda tokens: None,
    ) -> None:
        require_function("save", save)
        self._tokens = tokens
        self._save = save
        self._lock = threading.Lock()
        self._process = os.getpid()

    def load(self) -> Optional[Tokens]:
        return self._tokens

    @contextlib.contextmanager
    def locked(self) -> Iterator[LockedTokens]:
        """Lock the tokens for the block.

        :raises OSError: in a forked process.
        """
        if os.getpid() != self._process:
            # A refresh in one process may invalidate the refresh token of the other.
            raise OSError("tokens in memory cannot be shared between processes: TokenFile can")
        with self._lock:
            yield self

    def reserve(self) -> None:
        """Do nothing: the function cannot be checked before its call."""

    def save(self, tokens: Tokens) -> None:
        """Replace the tokens, after the function has stored them."""
        refuse_coroutine(self._save(tokens))
        self._tokens = tokens
