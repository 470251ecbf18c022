"""Brings back a session whose connection was lost: auto-restore."""

import logging
import threading
from concurrent.futures import Future
from typing import Any, Callable, ContextManager, NamedTuple, Optional, Protocol

from ._net.clock import Monotonic, lasting, monotonic
from .backoff import Backoff
from .dates import as_seconds
from .errors import KeyyoError
from .slow_call import warn_while_slow
from .token_cache import HeldToken

_log = logging.getLogger("keyyo_cti")

#: Seconds between two looks whether there is still something to restore.
_LOOK = 0.5

#: Status codes by which the program's ``token_provider`` says that its credentials are refused.
_REFUSED = (401, 403)

#: Codes of the CTI's documented messages that the same request gets again. A message without a
#: code, such as "Too many sessions", may pass, whatever its status.
_PERMANENT = ("invalid_csi_token", "missing_parameter", "invalid_params")

#: Seconds of an outage until the first warning that it goes on.
_FIRST_WARNING = 600.0

#: Seconds up to which a server's ``Retry-After`` is honoured.
_MAX_RETRY_AFTER = 3600.0


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
            self._thread.join(max(0.0, until - monotonic()))


class Reopener(Protocol):
    """Who asks for the session. All of it is called on the thread that restores."""

    def reopen(self, outage: Outage, token: str) -> "Future[Any]":
        """Asks for the session, or for a new one in its place. Its success ends the outage; after
        a failure nothing is left of its connection."""

    def give_up(self, outage: Outage, error: KeyyoError) -> None:
        """Ends the outage: the session is lost."""

    def provider_failed(self, outage: Outage, error: BaseException) -> None:
        """Reports what the program's ``token_provider`` raised, which is no want of a network."""


class _Failure(NamedTuple):
    """Why an attempt failed, and True if the next one would fail alike."""

    error: KeyyoError
    permanent: bool


class _LongOutage:
    """Warnings that an outage goes on: after ten minutes, and again, ever more rarely.

    Attempts that fail are logged at INFO only, so that an outage of hours would go unnoticed.
    """

    def __init__(self, clock: Monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._after = _FIRST_WARNING

    def failed(self, error: KeyyoError) -> None:
        """Note that an attempt has failed."""
        lasted = self._clock() - self._since
        if lasted >= self._after:
            while self._after <= lasted:
                self._after *= 2
            _log.warning(
                "the session has not been restored for %.0f min: %s; the SDK goes on trying",
                lasted / 60,
                error,
            )


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
        clock: Monotonic = monotonic,
        warn_while_slow: Callable[..., ContextManager[None]] = warn_while_slow,
    ) -> None:
        self._warn_while_slow = warn_while_slow
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
        attempts, wish = 0, 0.0
        warning = _LongOutage(self._clock)
        while not outage.over.wait(max(self._next_pause(), wish)):
            attempts += 1
            failure = self._attempt(outage)
            if outage.over.is_set():
                break
            if failure is None:
                continue
            error, permanent = failure
            if permanent or attempts == self._backoff.attempts:
                _log.warning("the session is lost: %s", error)
                self._reopener.give_up(outage, error)
                return
            _log.info("attempt %d to restore the session failed: %s", attempts, error)
            warning.failed(error)
            wish = _retry_after(error)

    def _next_pause(self) -> float:
        self._pauses += 1
        return self._backoff.length(self._pauses)

    def _attempt(self, outage: Outage) -> "Optional[_Failure]":
        """Try once.

        :returns: why it failed, or None.
        """
        failure = self._ask(outage)
        if failure is not None and _is_about_the_token(failure.error):
            # The token may have expired by the server's clock, or the provider may have kept it
            # for too long; the next one is fresh.
            failure = self._ask(outage)
        return failure

    def _ask(self, outage: Outage) -> "Optional[_Failure]":
        try:
            with self._watch("token_provider", outage):
                token = self._token.get()
        except KeyyoError as error:
            return _Failure(error, _is_permanent_for_provider(error))
        except BaseException as error:
            return _Failure(self._provider_failed(outage, error), False)
        answer = self._reopen(outage, token)
        if answer is None:
            return None
        if _is_about_the_token(answer):
            try:
                with self._watch("token_provider.invalidate", outage):
                    self._token.refused()
            except BaseException as error:
                return _Failure(self._provider_failed(outage, error), False)
        return _Failure(answer, answer.error_code in _PERMANENT)

    def _watch(self, name: str, outage: Outage) -> ContextManager[None]:
        return self._warn_while_slow(name, outage.over.is_set)

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


def _is_permanent_for_provider(error: KeyyoError) -> bool:
    """True if ``token_provider`` says that asking again does not help.

    The SDK's own web clients say so by ``final``, because a firewall may answer 401 or 403 in
    Keyyo's place. For an error that does not say, the status counts.
    """
    if error.final is None:
        return error.status_code in _REFUSED or error.error_code == "invalid_params"
    return error.final


def _retry_after(error: KeyyoError) -> float:
    """Return the seconds that the server wants to be left alone."""
    seconds = as_seconds(getattr(error, "retry_after", None))
    return 0.0 if seconds is None else min(max(0.0, seconds), _MAX_RETRY_AFTER)
