"""Brings back a session whose connection was lost: auto-restore."""

import logging
import threading
import time
from concurrent.futures import Future
from typing import Any, Callable, NamedTuple, Optional, Protocol

from .backoff import Backoff
from .clock import Monotonic, lasting
from .errors import KeyyoError
from .held_token import HeldToken

_log = logging.getLogger("keyyo_cti")

#: Seconds between two looks whether there is still something to restore.
_LOOK = 0.5

#: Status codes that refuse who asks, and not only this time.
_REFUSED = (401, 403)


class Restored(NamedTuple):
    """What ``restored`` tells.

    :ivar gap: seconds without events: from the last whole frame on the lost connection to the
        session on the new one. What happened meanwhile is not told later.
    :ivar recreated: whether the server had destroyed the session, so that a new one was made,
        with the same subscriptions and the same auto-answer.
    """

    gap: float
    recreated: bool


class Outage:
    """From the loss of a connection to what comes of it: restored, lost, or closed.

    Made on the thread that is going to restore.

    :param silence: seconds that the server had been silent when the connection was lost.
    :param clock: monotonic seconds, those included that the machine has slept.
    :ivar recreated: whether a new session had to be made; set by the reader.
    :ivar provider_failed: whether a mistake in the program's ``token_provider`` was reported.
    :ivar over: set once, when it has ended in one of the three.
    :ivar muted: whether its events are not wanted any more.
    """

    def __init__(self, silence: float, clock: Monotonic = lasting) -> None:
        self._clock = clock
        self._since = clock() - silence
        self._thread = threading.current_thread()
        self.recreated = False
        self.provider_failed = False
        self.over = threading.Event()
        self.muted = False

    def summary(self) -> Restored:
        """What is to be told if it is restored now."""
        return Restored(self._clock() - self._since, self.recreated)

    def inside(self) -> bool:
        """Whether this is the thread that restores: it runs the program's ``token_provider``."""
        return self._thread is threading.current_thread()

    def finish_close(self, until: float) -> None:
        """Waits until nobody restores any more. The program's ``token_provider`` cannot be
        interrupted; its thread ends when that comes back.

        :param until: monotonic time.
        """
        if not self.inside():
            self._thread.join(max(0.0, until - time.monotonic()))


class Reopener(Protocol):
    """Who asks for the session. All of it is called on the thread that restores."""

    def reopen(self, outage: Outage, token: str) -> "Future[Any]":
        """Asks for the session, or for a new one in its place. Its success ends the outage; after
        a failure nothing is left of its connection."""

    def give_up(self, outage: Outage, error: KeyyoError) -> None:
        """Ends the outage: the session is lost."""

    def provider_failed(self, outage: Outage, error: BaseException) -> None:
        """Reports what the program's ``token_provider`` raised, which is no want of a network."""


class Restorer:
    """Tries until an outage is over: one attempt at a time, with a pause before each.

    The pauses go on growing from one outage to the next, until a connection has lasted for as
    long as the longest of them: else a server that accepts and drops would be asked all the time.

    :param provide: see the option ``token_provider``.
    """

    def __init__(
        self,
        reopener: Reopener,
        provide: Callable[[], str],
        backoff: Backoff,
        clock: Monotonic = time.monotonic,
    ) -> None:
        self._reopener = reopener
        self._token = HeldToken(provide)
        self._backoff = backoff
        self._clock = clock
        self._one_at_a_time = threading.Lock()
        self._pauses = 0
        self._restored_at = -backoff.longest

    def run(self, outage: Outage) -> None:
        """Restores, in the calling thread. Returns when the outage is over, whoever ended it."""
        # A program's provider may still be at it for an outage that was closed.
        while not self._one_at_a_time.acquire(timeout=_LOOK):
            if outage.over.is_set():
                return
        try:
            self._restore(outage)
        except Exception as error:
            # A fault, but something must come of each outage.
            _log.exception("the session cannot be restored")
            kind = type(error).__name__
            self._reopener.give_up(outage, KeyyoError(500, f"The SDK failed: {kind}", "internal"))
        finally:
            self._one_at_a_time.release()

    def restored(self) -> None:
        """The session is back. From the thread that reads, before it can be lost again."""
        self._restored_at = self._clock()

    def _restore(self, outage: Outage) -> None:
        if self._clock() - self._restored_at >= self._backoff.longest:
            self._pauses = 0
        attempts = 0
        while not outage.over.wait(self._next_pause()):
            attempts += 1
            error = self._attempt(outage)
            if outage.over.is_set():
                break
            if error is None:
                continue
            if _in_vain(error) or attempts == self._backoff.attempts:
                _log.warning("the session is lost: %s", error)
                self._reopener.give_up(outage, error)
                return
            _log.info("attempt %d to restore the session failed: %s", attempts, error)

    def _next_pause(self) -> float:
        self._pauses += 1
        return self._backoff.length(self._pauses)

    def _attempt(self, outage: Outage) -> Optional[KeyyoError]:
        """Tries once.

        :returns: why it failed, or None.
        """
        error = self._ask(outage)
        if error is not None and _is_about_the_token(error):
            # That may have run out by the server's clock, or have been kept for too long by who
            # gave it; the next one is fresh.
            error = self._ask(outage)
        return error

    def _ask(self, outage: Outage) -> Optional[KeyyoError]:
        try:
            token = self._token.get()
        except KeyyoError as error:
            return error
        except BaseException as error:
            return self._provider_failed(outage, error)
        answer = self._reopen(outage, token)
        if answer is not None and _is_about_the_token(answer):
            try:
                self._token.refused()
            except BaseException as error:
                return self._provider_failed(outage, error)
        return answer

    def _reopen(self, outage: Outage, token: str) -> Optional[KeyyoError]:
        try:
            failure = self._reopener.reopen(outage, token).exception()
        except Exception as error:
            # Such as: no thread can be started now. That may be better next time.
            _log.exception("the session cannot be asked for")
            return KeyyoError(500, f"The SDK failed: {type(error).__name__}", "internal")
        assert failure is None or isinstance(failure, KeyyoError)
        return failure

    def _provider_failed(self, outage: Outage, error: BaseException) -> KeyyoError:
        # Without a network there is often none for the provider either; and a mistake that it
        # makes each time need not be told each time.
        if not isinstance(error, OSError) and not outage.provider_failed:
            outage.provider_failed = True
            self._reopener.provider_failed(outage, error)
        kind = type(error).__name__
        failure = KeyyoError(500, f"token_provider raised {kind}", "token_provider")
        failure.__cause__ = error
        return failure


def _is_about_the_token(error: KeyyoError) -> bool:
    return error.error_code == "invalid_csi_token"


def _in_vain(error: KeyyoError) -> bool:
    """Whether to try again is in vain: who asks is refused, with a fresh token too."""
    return error.final or error.status_code in _REFUSED or _is_about_the_token(error)
