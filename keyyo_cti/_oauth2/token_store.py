"""Where the tokens of an account are kept."""

import contextlib
import os
import threading
from typing import Callable, ContextManager, Iterator, Optional, Protocol

from .._net.user_code import refuse_coroutine, require_function
from .tokens import Tokens


class LockedTokens(Protocol):
    """Kept tokens that nobody else changes meanwhile."""

    def load(self) -> Optional[Tokens]:
        """The tokens, or None when there are none."""

    def reserve(self) -> None:
        """Check, as far as possible, that ``save`` will succeed. When it is called, the refresh
        token that is kept may have been replaced at Keyyo, and would be of no use any more."""

    def save(self, tokens: Tokens) -> None:
        """Keeps tokens in place of those that there are."""


class TokenStore(Protocol):
    """Keeps the tokens of one account. Its methods may raise whatever they like, best OSError,
    with no token in the message."""

    def load(self) -> Optional[Tokens]:
        """The tokens, or None when there are none; without waiting for who changes them."""

    def locked(self) -> ContextManager[LockedTokens]:
        """The tokens, while no one else can change them. What is saved is safe when the ``with``
        statement has ended."""


class TokenMemory:
    """Tokens in the memory of this process. Every change is first handed to a function.

    :param tokens: those that there are.
    :param save: called as ``save(tokens)``, at one time by one thread; what keeps them for good.
    :raises TypeError: ``save`` is no function, or a coroutine function, which would keep nothing.
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
        """:raises OSError: in a process that was forked off."""
        if os.getpid() != self._process:
            # A refresh in one process may replace the refresh token of the other.
            raise OSError("tokens in memory cannot be shared between processes: TokenFile can")
        with self._lock:
            yield self

    def reserve(self) -> None:
        """Nothing: what a function can keep, nobody can see before."""

    def save(self, tokens: Tokens) -> None:
        """Keeps tokens, once the function has."""
        refuse_coroutine(self._save(tokens))
        self._tokens = tokens
