"""Outages: when to try to restore a session, and when to give it up."""

from typing import Callable, NamedTuple, Optional

from .._net.clock import Monotonic, monotonic, monotonic_with_sleep, shorten_pause
from .._net.javascript import as_number
from .._net.log_thread import ThreadedLogger
from .._net.process import OtherProcess
from .._net.reentrant import Flag
from ..backoff import Backoff
from ..errors import KeyyoError
from ..results import Restored
from .server_clock import as_latency
from .token_cache import CachedToken

_log = ThreadedLogger("keyyo_cti")

#: Status codes with which ``token_provider`` reports refused credentials.
_REFUSED = (401, 403)

#: Error codes that the same request would get again. An error without a code, such as "Too many
#: sessions", may be transient, whatever its status. Close codes that are final are in
#: ``failure_hints.py``.
_PERMANENT = ("invalid_csi_token", "missing_parameter", "invalid_params")

#: Seconds of an outage until the first warning.
_FIRST_WARNING = 600.0

#: Maximum seconds of a server's ``Retry-After`` that the SDK honours.
_MAX_RETRY_AFTER = 3600.0


class Failure(NamedTuple):
    """The error of a failed attempt, and True if the next attempt would fail too."""

    error: KeyyoError
    permanent: bool


class Silence(NamedTuple):
    """The time from a server's last whole frame to the end of the connection.

    :ivar ended_at: that end in monotonic seconds, including the time that the machine was
        suspended.
    """

    seconds: float
    ended_at: float


class Outage:
    """The time from the loss of a connection until its session is restored, lost or closed.

    Only the session's thread uses it.

    :param silence: seconds that the server had been silent when the connection was lost.
    :param clock: monotonic seconds, including the time that the machine was suspended.
    :param noticed_at: time of the loss on that clock; now by default.
    :ivar recreated: True if a new session was created.
    :ivar provider_failed: True once an exception of ``token_provider`` was reported.
    :ivar attempts: number of attempts so far.
    """

    def __init__(
        self,
        silence: float,
        clock: Monotonic = monotonic_with_sleep,
        noticed_at: Optional[float] = None,
    ) -> None:
        self._clock = clock
        self._noticed = clock() if noticed_at is None else noticed_at
        self._since = self._noticed - silence
        self._warn_after = _FIRST_WARNING
        self.recreated = False
        self.provider_failed = False
        self.attempts = 0
        #: Seconds to wait before the next attempt, as the server asked.
        self.retry_after = 0.0

    @classmethod
    def after(cls, silence: Silence, round_trip: float) -> "Outage":
        """Return the outage after the end of a connection.

        Its gap begins a round trip before the last frame was read. An event that the server sent
        while that frame was on its way may be lost, too.

        :param round_trip: seconds, as measured last.
        """
        return cls(silence.seconds + as_latency(round_trip), noticed_at=silence.ended_at)

    def summary(self) -> Restored:
        """Return the argument of ``restored`` for a restore at this moment."""
        return Restored(self._clock() - self._since, self.recreated)

    def was_recreated(self) -> None:
        """Record that an attempt created a new session."""
        self.recreated = True

    def failed(self, error: KeyyoError) -> None:
        """Record a failed attempt that another one follows.

        Attempts are logged at INFO, so an outage of hours could go unnoticed. A warning comes
        after ten minutes, then at doubling intervals.
        """
        _log.info("attempt %d to restore the session failed: %s", self.attempts, error)
        self.retry_after = _read_retry_after(error)
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

    They keep growing from one outage to the next until a connection has lasted for the longest
    pause. Otherwise the client would hammer a server that accepts and drops.
    """

    def __init__(self, backoff: Backoff, clock: Monotonic = monotonic) -> None:
        self._backoff = backoff
        self._clock = clock
        self._taken = 0
        self._restored_at = -backoff.longest

    def begin(self) -> None:
        """Begin an outage, with short pauses again after a stable connection."""
        if self._clock() - self._restored_at >= self._backoff.longest:
            self._taken = 0

    def restored(self) -> None:
        """Record that the session is restored."""
        self._restored_at = self._clock()

    def next(self) -> float:
        """Return the next pause in seconds."""
        self._taken += 1
        return self._backoff.length(self._taken)

    def are_over(self, attempts: int) -> bool:
        """Return True if this attempt is the last."""
        return attempts == self._backoff.attempts


class Restorer:
    """Tries to restore a session, one attempt at a time, with a pause before each.

    :param stop: set when the session is closed.
    :param reconnect: opens a connection with a token and runs it to its end if the session was
        restored. Returns the error, or None.
    :param report: logs an exception of ``token_provider`` and tells the program.
    :param note: writes a line to the wire log.
    """

    def __init__(
        self,
        token: CachedToken,
        pauses: Pauses,
        stop: Flag,
        reconnect: Callable[[Outage, str], Optional[KeyyoError]],
        report: Callable[[Outage, BaseException], None],
        note: Callable[..., object] = lambda text, *values: None,
    ) -> None:
        self._token = token
        self._pauses = pauses
        self._stop = stop
        self._reconnect = reconnect
        self._report = report
        self._note = note

    def restore(self, outage: Outage, goes_on: Callable[[], bool]) -> Optional[KeyyoError]:
        """Try until the outage is over. Call it on the session's thread.

        :param goes_on: returns True until the outage is over.
        :returns: the error of a lost session; None if the session was restored or closed.
        :raises OtherProcess: ``token_provider`` has forked, and this is the child.
        """
        self._pauses.begin()
        while not self._stop.wait(shorten_pause(self._next_pause(outage))):
            outage.attempts += 1
            failure = self._attempt(outage)
            if failure is not None and _is_token_refused(failure.error) and goes_on():
                # The token may have expired on the server's clock, or the provider may have
                # returned an old one. The next token is fresh.
                failure = self._attempt(outage)
            if not goes_on():
                return None
            if failure is None:
                continue
            if failure.permanent or self._pauses.are_over(outage.attempts):
                _log.warning("the session is lost: %s", failure.error)
                return failure.error
            outage.failed(failure.error)
            self._note("the attempt failed: {}", failure.error)
        return None

    def _next_pause(self, outage: Outage) -> float:
        pause = max(self._pauses.next(), outage.retry_after)
        asked = ", as the server asks" if outage.retry_after >= pause > 0 else ""
        self._note(f"pause of {pause:.1f} s{asked}, then attempt {outage.attempts + 1} to restore")
        return pause

    def _attempt(self, outage: Outage) -> Optional[Failure]:
        """Try once.

        :returns: the failure, or None.
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
        if _is_token_refused(answer):
            try:
                self._token.refused(self._stop.is_set)
            except OtherProcess:
                raise
            except BaseException as error:
                return self._provider_raised(outage, error)
        return Failure(answer, answer.error_code in _PERMANENT or answer.final is True)

    def _ask(self, outage: Outage, token: str) -> Optional[KeyyoError]:
        try:
            return self._reconnect(outage, token)
        except Exception as error:
            # A bug, or a shortage of a resource that may be over at the next attempt.
            _log.exception("the session cannot be asked for")
            return KeyyoError(500, f"The SDK failed: {type(error).__name__}", "internal")

    def _provider_raised(self, outage: Outage, error: BaseException) -> Failure:
        # Without a network the provider often fails too, which is no mistake. A repeated mistake
        # is reported once per outage.
        if not isinstance(error, OSError) and not outage.provider_failed:
            outage.provider_failed = True
            self._report(outage, error)
        kind = type(error).__name__
        failure = KeyyoError(500, f"token_provider raised {kind}", "token_provider")
        failure.__cause__ = error
        return Failure(failure, False)


def _is_token_refused(error: KeyyoError) -> bool:
    return error.error_code == "invalid_csi_token"


def _is_permanent_for_provider(error: KeyyoError) -> bool:
    """Return True if another call of ``token_provider`` would fail too.

    Errors of the SDK's own web clients say so in ``final``, because a firewall may answer 401 or
    403 in Keyyo's place. For other errors the status decides.
    """
    if error.final is None:
        return error.status_code in _REFUSED or error.error_code == "invalid_params"
    return error.final


def _read_retry_after(error: KeyyoError) -> float:
    seconds = as_number(getattr(error, "retry_after", None))
    return 0.0 if seconds is None else min(max(0.0, seconds), _MAX_RETRY_AFTER)
