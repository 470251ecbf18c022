"""The CSI token that a lost session is restored with."""

import threading
from contextlib import contextmanager
from typing import Any, Callable, ContextManager, Iterator, Optional

from .._net import process
from .._net.clock import Monotonic, lasting
from ..errors import invalid_params
from .slow_call import warn_while_slow

#: Seconds for which a token is used: it lives an hour, and opening a connection takes time.
_GOOD_FOR = 3300.0

#: Seconds between two looks whether the session is still wanted.
_POLL_INTERVAL = 0.5


class CachedToken:
    """Asks the program for a CSI token, and keeps it while it is good.

    For threads that restore. The program's function runs in one of them at a time: it may still
    run for a session that was closed. ``unwanted`` is True once the session was closed.

    :param provide: the program's function; see the option ``token_provider``.
    :param clock: monotonic seconds, including those that the machine has slept.
    """

    def __init__(
        self,
        provide: Callable[[], str],
        clock: Monotonic = lasting,
        warn_while_slow: Callable[..., ContextManager[None]] = warn_while_slow,
    ) -> None:
        self._provide = provide
        self._clock = clock
        self._warn_while_slow = warn_while_slow
        self._process = process.current()
        # No signal handler comes here: it would have to restore.
        self._lock = threading.Lock()
        self._given: Optional[str] = None
        self._token: Optional[str] = None
        self._asked_at = 0.0

    def get(self, unwanted: Callable[[], bool] = lambda: False) -> Optional[str]:
        """Return a token that is good, or None if it is unwanted before its turn comes.

        Runs the program's function, which may take its time. White space at the ends is removed:
        a file or a command that gives a token ends it with a line break, and the server would
        refuse that.

        :raises KeyyoError: 400 ``invalid_params``: what the function returned is no token.
        :raises OtherProcess: the function has forked, and this is the child.
        :raises Exception: whatever the function raises.
        """
        with self._locked(unwanted) as locked:
            if not locked:
                return None
            if self._token is None or self._clock() - self._asked_at >= _GOOD_FOR:
                self._token, self._asked_at = None, self._clock()
                with self._running("token_provider", unwanted):
                    token: Any = self._provide()
                self._given, self._token = token, _checked(token)
            return self._token

    def refused(self, unwanted: Callable[[], bool] = lambda: False) -> None:
        """Forget the token, which the server has refused.

        Tells the provider, if it has a method ``invalidate``, as ``TokenProvider`` has.

        :raises OtherProcess: that method has forked, and this is the child.
        :raises Exception: whatever that method raises.
        """
        with self._locked(unwanted) as locked:
            if not locked:
                return
            token, self._token, self._given = self._given, None, None
            invalidate = getattr(self._provide, "invalidate", None)
            if invalidate is not None:
                with self._running("token_provider.invalidate", unwanted):
                    # As the provider gave it: it may compare.
                    invalidate(token)

    @contextmanager
    def _locked(self, unwanted: Callable[[], bool]) -> Iterator[bool]:
        while not self._lock.acquire(timeout=_POLL_INTERVAL):
            if unwanted():
                yield False
                return
        try:
            yield True
        finally:
            self._lock.release()

    @contextmanager
    def _running(self, name: str, unwanted: Callable[[], bool]) -> Iterator[None]:
        """While the program's function runs, which may fork."""
        try:
            with self._warn_while_slow(name, unwanted):
                yield
        finally:
            process.check(self._process)


def _checked(token: Any) -> str:
    if not isinstance(token, str) or not token.strip():
        kind = "an empty string" if isinstance(token, str) else type(token).__name__
        error = invalid_params("token_provider", f"expected it to return a token, got {kind}")
        error.final = True
        raise error
    return token.strip()
