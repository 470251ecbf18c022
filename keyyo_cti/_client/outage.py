"""A lost session: when it is tried again, and when it is given up."""

import logging
from typing import Callable, NamedTuple, Optional

from .._net.clock import Monotonic, lasting, monotonic
from .._net.javascript import as_number
from .._net.process import OtherProcess
from .._net.reentrant import Flag
from ..backoff import Backoff
from ..errors import KeyyoError
from ..results import Restored
from .token_cache import CachedToken

_log = logging.getLogger("keyyo_cti")

#: Status codes by which the program's ``token_provider`` says that its credentials are refused.
_REFUSED = (401, 403)

#: Codes of the CTI's documented messages that the same request gets again. A message without a
#: code, such as "Too many sessions", may pass, whatever its status.
_PERMANENT = ("invalid_csi_token", "missing_parameter", "invalid_params")

#: Seconds of an outage until the first warning that it goes on.
_FIRST_WARNING = 600.0

#: Seconds up to which a server's ``Retry-After`` is honoured.
_MAX_RETRY_AFTER = 3600.0


class Failure(NamedTuple):
    """Why an attempt to restore failed, and True if the next one would fail alike."""

    error: KeyyoError
    permanent: bool


class Outage:
    """From the loss of a connection until its session is restored, lost or closed.

    For the session's thread.

    :param silence: seconds that the server had been silent when the connection was lost.
    :param clock: monotonic seconds, including those that the machine has slept.
    :ivar recreated: True if a new session had to be created.
    :ivar provider_failed: True if a mistake in the program's ``token_provider`` was reported.
    :ivar attempts: how many attempts have failed.
    """

    def __init__(self, silence: float, clock: Monotonic = lasting) -> None:
        self._clock = clock
        self._noticed = clock()
        self._since = self._noticed - silence
        self._warn_after = _FIRST_WARNING
        self.recreated = False
        self.provider_failed = False
        self.attempts = 0
        #: Seconds that the server wants to be left alone.
        self.retry_after = 0.0

    def summary(self) -> Restored:
        """Return what ``restored`` carries if the session is restored now."""
        return Restored(self._clock() - self._since, self.recreated)

    def was_recreated(self) -> None:
        """Note that a new session was created, if only for one attempt."""
        self.recreated = True

    def failed(self, error: KeyyoError) -> None:
        """Note that an attempt has failed, after which there will be another.

        Attempts are logged at INFO only, so that an outage of hours would go unnoticed. So there
        is a warning after ten minutes, and again, ever more rarely.
        """
        _log.info("attempt %d to restore the session failed: %s", self.attempts, error)
        self.retry_after = _retry_after(error)
        lasted = self._clock() - self._noticed
        if lasted >= self._warn_after:
            while self._warn_after <= lasted:
                self._warn_after *= 2
            _log.warning(
                "the session has not been restored for %.0f min: %s; the SDK goes on trying",
                lasted / 60,
                error,
            )


class Pauses:
    """The pauses between the attempts of one client.

    They go on growing from one outage to the next, until a connection has lasted for as long as
    the longest of them. Otherwise a server that accepts and drops would be asked all the time.
    """

    def __init__(self, backoff: Backoff, clock: Monotonic = monotonic) -> None:
        self._backoff = backoff
        self._clock = clock
        self._taken = 0
        self._restored_at = -backoff.longest

    def begin(self) -> None:
        """A session was lost."""
        if self._clock() - self._restored_at >= self._backoff.longest:
            self._taken = 0

    def restored(self) -> None:
        """The session is restored."""
        self._restored_at = self._clock()

    def next(self) -> float:
        """Return the seconds of the next pause."""
        self._taken += 1
        return self._backoff.length(self._taken)

    def are_over(self, attempts: int) -> bool:
        """True if there is no attempt after this one."""
        return attempts == self._backoff.attempts


class Restorer:
    """Tries to restore a session: one attempt at a time, with a pause before each.

    :param stop: set once the session was closed.
    :param reconnect: opens a connection with a token, and serves it to its end if the session was
        restored. It returns why it was not, or None.
    :param report: gets what the program's ``token_provider`` raised by mistake.
    """

    def __init__(
        self,
        token: CachedToken,
        pauses: Pauses,
        stop: Flag,
        reconnect: Callable[[Outage, str], Optional[KeyyoError]],
        report: Callable[[Outage, BaseException], None],
    ) -> None:
        self._token = token
        self._pauses = pauses
        self._stop = stop
        self._reconnect = reconnect
        self._report = report

    def restore(self, outage: Outage, goes_on: Callable[[], bool]) -> Optional[KeyyoError]:
        """Try until the outage is over. On the session's thread.

        :param goes_on: True until it is over.
        :returns: the error with which the session is lost, or None if it was restored or closed.
        :raises OtherProcess: the program's ``token_provider`` has forked, and this is the child.
        """
        self._pauses.begin()
        while not self._stop.wait(max(self._pauses.next(), outage.retry_after)):
            outage.attempts += 1
            failure = self._attempt(outage)
            if failure is not None and _is_about_the_token(failure.error) and goes_on():
                # The token may have expired by the server's clock, or the provider may have kept
                # it for too long; the next one is fresh.
                failure = self._attempt(outage)
            if not goes_on():
                return None
            if failure is None:
                continue
            if failure.permanent or self._pauses.are_over(outage.attempts):
                _log.warning("the session is lost: %s", failure.error)
                return failure.error
            outage.failed(failure.error)
        return None

    def _attempt(self, outage: Outage) -> Optional[Failure]:
        """Try once.

        :returns: why it failed, or None.
        """
        try:
            token = self._token.get(self._stop.is_set)
        except OtherProcess:
            raise
        except KeyyoError as error:
            return Failure(error, _is_permanent_for_provider(error))
        except BaseException as error:
            return self._provider_raised(outage, error)
        answer = None if token is None else self._ask(outage, token)
        if answer is None:
            return None
        if _is_about_the_token(answer):
            try:
                self._token.refused(self._stop.is_set)
            except OtherProcess:
                raise
            except BaseException as error:
                return self._provider_raised(outage, error)
        return Failure(answer, answer.error_code in _PERMANENT)

    def _ask(self, outage: Outage, token: str) -> Optional[KeyyoError]:
        try:
            return self._reconnect(outage, token)
        except Exception as error:
            # A bug, or a lack of something that there may be more of next time.
            _log.exception("the session cannot be asked for")
            return KeyyoError(500, f"The SDK failed: {type(error).__name__}", "internal")

    def _provider_raised(self, outage: Outage, error: BaseException) -> Failure:
        # Without a network there is often none for the provider either; and a mistake that it
        # makes each time need not be reported each time.
        if not isinstance(error, OSError) and not outage.provider_failed:
            outage.provider_failed = True
            _log.error("%s in token_provider", type(error).__name__, exc_info=error)
            self._report(outage, error)
        kind = type(error).__name__
        failure = KeyyoError(500, f"token_provider raised {kind}", "token_provider")
        failure.__cause__ = error
        return Failure(failure, False)


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
    seconds = as_number(getattr(error, "retry_after", None))
    return 0.0 if seconds is None else min(max(0.0, seconds), _MAX_RETRY_AFTER)
