"""The CSI token for restores."""

import threading
from contextlib import contextmanager
from typing import Any, Callable, ContextManager, Iterator, Optional

from .._display.dates import as_date
from .._net import process, redaction
from .._net.clock import Monotonic, monotonic_with_sleep
from ..errors import invalid_params
from .slow_call import warn_while_slow

#: Seconds that a token lives.
_LIFE = 3600.0

#: Seconds before its end at which a token is replaced. Opening a connection takes time.
_AHEAD = 300.0

_MAX_AGE = _LIFE - _AHEAD

#: Seconds between two checks whether the session is still wanted.
_POLL_INTERVAL = 0.5


class CachedToken:
    """Gets CSI tokens from ``token_provider`` and caches the last one.

    Session threads use it. The provider runs in one of them at a time, perhaps still for a session
    that was closed. ``unwanted`` returns True once the caller's session is closed.

    :param provide: the option ``token_provider``.
    :param clock: monotonic seconds, including the time that the machine was suspended.
    """

    def __init__(
        self,
        provide: Callable[[], str],
        clock: Monotonic = monotonic_with_sleep,
        warn_while_slow: Callable[..., ContextManager[None]] = warn_while_slow,
    ) -> None:
        self._provide = provide
        self._clock = clock
        self._warn_while_slow = warn_while_slow
        self._process = process.current()
        # A plain lock: no signal handler calls this code.
        self._lock = threading.Lock()
        self._given: Optional[str] = None
        self._token: Optional[str] = None
        self._asked_at = 0.0

    def good_until(self, now: float) -> Optional[float]:
        """Return the Unix time until which the token of the next restore is good.

        None if there is no token, or if that is unknown. The provider knows best, if it has a
        method ``good_until``, as ``TokenProvider``. Otherwise a token lives an hour from its
        request. From any thread, without the lock: a provider may hold it for minutes.

        :param now: Unix time in seconds.
        """
        try:
            known = getattr(self._provide, "good_until", None)
            until = self._compute_expiry(now) if known is None else as_date(known())
        except Exception:
            # Of the program's method. Not logged: a monitor may ask each second.
            return None
        return until if until is not None and until > now else None

    def _compute_expiry(self, now: float) -> Optional[float]:
        # Before the token: if it is replaced in between, the time is too early, and not too late.
        asked_at = self._asked_at
        return None if self._token is None else now + _LIFE - (self._clock() - asked_at)

    def get(self, unwanted: Callable[[], bool] = lambda: False) -> Optional[str]:
        """Return a valid token, or None if the session was closed first.

        It runs the provider, which may block. White space at the ends is removed: a token from a
        file or a command ends with a line break, which the server would refuse.

        :raises KeyyoError: 400 ``invalid_params``: the provider did not return a token.
        :raises OtherProcess: the provider has forked, and this is the child.
        :raises Exception: any exception of the provider.
        """
        with self._locked(unwanted) as locked:
            if not locked:
                return None
            if self._token is None or self._clock() - self._asked_at >= _MAX_AGE:
                self._token, self._asked_at = None, self._clock()
                with self._running("token_provider", unwanted):
                    token: Any = self._provide()
                self._given, self._token = token, _check(token)
                redaction.hide(token)
            return self._token

    def refused(self, unwanted: Callable[[], bool] = lambda: False) -> None:
        """Drop the token, because the server has refused it.

        It calls the provider's method ``invalidate``, if there is one, as in ``TokenProvider``.

        :raises OtherProcess: the method has forked, and this is the child.
        :raises Exception: any exception of the method.
        """
        with self._locked(unwanted) as locked:
            if not locked:
                return
            token, self._token, self._given = self._given, None, None
            invalidate = getattr(self._provide, "invalidate", None)
            if invalidate is not None:
                with self._running("token_provider.invalidate", unwanted):
                    # Unchanged, as the provider returned it: it may compare tokens.
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
        """Watch a function of the program, which may fork."""
        try:
            with self._warn_while_slow(name, unwanted):
                yield
        finally:
            process.check(self._process)


def _check(token: Any) -> str:
    if not isinstance(token, str) or not token.strip():
        kind = "an empty string" if isinstance(token, str) else type(token).__name__
        error = invalid_params("token_provider", f"expected it to return a token, got {kind}")
        error.final = True
        raise error
    return token.strip()
