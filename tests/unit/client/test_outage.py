"""The attempts to restore a session, with answers that the test chooses."""

from __future__ import annotations

import threading
from typing import Any, Callable, ContextManager, List, Optional, Union

import pytest

from keyyo_cti._client.outage import Outage, Pauses, Restorer, Silence
from keyyo_cti._client.slow_call import warn_while_slow
from keyyo_cti._client.token_cache import CachedToken
from keyyo_cti._net.clock import Monotonic, monotonic_with_sleep
from keyyo_cti.backoff import Backoff
from keyyo_cti.errors import (
    CommandTimeout,
    ConnectionClosed,
    ConnectionFailed,
    KeyyoError,
    from_server,
)
from keyyo_cti.manager import ManagerError
from keyyo_cti.oauth2 import CredentialsRefused, OAuth2Error
from keyyo_cti.results import Restored

TOKEN_REFUSED = from_server({"status_code": 400, "message": "Invalid token, expired"})
FAILED = ConnectionClosed(sent=False)

Answer = Union[None, KeyyoError, Exception]

PLAIN = Backoff(first=1.0, longest=8.0, spread=0.0)


class Stop:
    """In place of the flag that ends the pauses: nothing waits, and the test sees the pauses."""

    def __init__(self, pass_time: Callable[[float], object] = lambda seconds: None) -> None:
        self.waited: List[float] = []
        self.is_closed = False
        self._pass_time = pass_time

    def is_set(self) -> bool:
        return self.is_closed

    def wait(self, timeout: float) -> bool:
        self.waited.append(timeout)
        self._pass_time(timeout)
        return self.is_closed


class Line:
    """A session whose connection was lost. Each attempt gets the next of the answers; None is a
    session, at which the outage is over."""

    def __init__(self, *answers: Answer, clock: Monotonic = lambda: 0.0) -> None:
        self.answers = list(answers)
        self.clock = clock
        self.tokens: List[str] = []
        self.lost: List[KeyyoError] = []
        self.failures: List[BaseException] = []
        self.goes_on = True
        self.pauses: Optional[Pauses] = None
        self.stop: Any = None

    def reconnect(self, outage: Outage, token: str) -> Optional[KeyyoError]:
        self.tokens.append(token)
        answer = self.answers.pop(0)
        if isinstance(answer, KeyyoError):
            return answer
        if answer is not None:
            raise answer
        assert self.pauses is not None
        self.pauses.restored()
        self.goes_on = False
        return None

    def report(self, outage: Outage, error: BaseException) -> None:
        self.failures.append(error)

    def restore(
        self,
        provide: Union[CachedToken, Callable[[], str]],
        backoff: Backoff = PLAIN,
        pass_time: Callable[[float], object] = lambda seconds: None,
    ) -> List[float]:
        """Run one outage to its end, and return the pauses."""
        token = provide if isinstance(provide, CachedToken) else CachedToken(provide)
        self.pauses = self.pauses or Pauses(backoff, self.clock)
        stop: Any = Stop(pass_time)
        self.stop, self.goes_on = stop, True
        restorer = Restorer(token, self.pauses, stop, self.reconnect, self.report)
        lost = restorer.restore(Outage(0.0, self.clock), lambda: self.goes_on)
        if lost is not None:
            self.lost.append(lost)
        waited: List[float] = stop.waited
        return waited


class Provider:
    """A program that has so many tokens, one after the other."""

    def __init__(self) -> None:
        self.calls = 0
        self.refused: List[str] = []

    def __call__(self) -> str:
        self.calls += 1
        return f"t{self.calls}"

    def invalidate(self, token: str) -> None:
        self.refused.append(token)


def test_at_once() -> None:
    """One pause, one token, one attempt: restored."""
    line, provider = Line(None), Provider()
    assert line.restore(provider, Backoff(first=0.5, spread=0.0)) == [0.5]
    assert (line.tokens, provider.calls, line.lost) == (["t1"], 1, [])


def test_pauses() -> None:
    """An attempt that fails is repeated after a pause, which grows up to the longest; the token
    is asked for once."""
    line, provider = Line(*[FAILED] * 6, None), Provider()
    assert line.restore(provider) == [1, 2, 4, 8, 8, 8, 8]
    assert (line.tokens, provider.calls) == (["t1"] * 7, 1)


@pytest.mark.fault(20)
def test_five_thousand_failures() -> None:
    """However often it fails, the stack stays flat and it goes on."""
    line = Line(*[FAILED] * 5000, None)
    assert len(line.restore(Provider())) == 5001
    assert line.lost == []


@pytest.mark.parametrize(
    "failure",
    [
        CommandTimeout("restore_session", 30),
        from_server({"status_code": 500, "message": "Internal error"}),
        from_server({"status_code": 400, "message": "Cannot treat action"}),
        from_server({"status_code": 429, "message": "Slow down"}),
        RuntimeError("can't start new thread"),
    ],
    ids=str,
)
def test_what_may_pass(failure: Answer) -> None:
    """Whatever may pass by itself is tried again, even want of a thread."""
    line = Line(failure, None)
    assert line.restore(Provider()) == [1, 2]
    assert line.lost == []


@pytest.mark.fault(23)
def test_refused_token() -> None:
    """A token that is refused is replaced at once, in the same attempt, and its provider told."""
    line, provider = Line(TOKEN_REFUSED, None), Provider()
    assert line.restore(provider) == [1]
    assert (line.tokens, provider.refused, line.lost) == (["t1", "t2"], ["t1"], [])


@pytest.mark.fault(23)
@pytest.mark.promise(8)
def test_refused_credentials() -> None:
    """When the fresh token is refused too, the session is lost, and nothing is tried again."""
    line, provider = Line(TOKEN_REFUSED, TOKEN_REFUSED), Provider()
    assert line.restore(provider) == [1]
    assert (line.tokens, line.lost) == (["t1", "t2"], [TOKEN_REFUSED])


class Time:
    """A clock that goes on only while something waits for it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def go_on(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.fault(68)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
@pytest.mark.parametrize("message", ["Too many sessions", "Forbidden", "<html>", "", "Invalid"])
def test_refusal_that_may_pass(status: int, message: str) -> None:
    """A refusal that Keyyo does not document is tried again for hours, with pauses."""
    refusal = from_server({"status_code": status, "message": message})
    now = Time()
    line = Line(*[refusal] * 130, None, clock=now)
    waited = line.restore(Provider(), Backoff(spread=0.0), now.go_on)
    assert line.lost == [] and line.tokens == ["t1"] * 131
    assert now() > 7200 and waited[:8] == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.fault(68)
@pytest.mark.parametrize(
    "message",
    ["Malformed request (missing required parameters)", "RPC invalid params", "Invalid token: no"],
)
def test_refusal_that_keyyo_documents(message: str) -> None:
    """A refusal with a documented message is permanent, as soon as a fresh token gets it too."""
    refusal = from_server({"status_code": 400, "message": message})
    line = Line(FAILED, refusal, refusal)
    assert line.restore(Provider()) == [1, 2]
    assert line.lost == [refusal]


@pytest.mark.parametrize("final", [True, False, None])
def test_refused_connection_ends_the_attempts_if_it_is_final(final: Optional[bool]) -> None:
    refusal = ConnectionFailed("Not any more")
    refusal.final = final
    line = Line(refusal, None)
    assert line.restore(Provider()) == ([1] if final else [1, 2])
    assert line.lost == ([refusal] if final else [])


@pytest.mark.fault(68)
@pytest.mark.parametrize(
    ("wish", "second"),
    [(0, 0.5), (5, 5), (300.5, 300.5), (1e9, 3600), (-1, 0.5), (None, 0.5), (float("nan"), 0.5)],
)
@pytest.mark.parametrize("who", ["server", "provider"])
def test_retry_after(wish: Optional[float], second: float, who: str) -> None:
    """The pause is as long as the server asks for, up to an hour, and the next is usual again."""
    busy: Any = KeyyoError(429, "Slow down")
    busy.retry_after = wish
    line = Line(None) if who == "provider" else Line(busy, None)
    refusals = [busy] if who == "provider" else []

    def provide() -> str:
        if refusals:
            raise refusals.pop()
        return "tok"

    assert line.restore(provide, Backoff(first=0.25, spread=0.0)) == [0.25, second]
    assert line.lost == []


@pytest.mark.fault(68)
def test_long_outage_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """An outage that goes on is named in a warning after ten minutes, and then ever more
    rarely."""
    refusal = from_server({"status_code": 403, "message": "Too many sessions"})
    now = Time()
    now.go_on(5000)
    line = Line(*[refusal] * 100, None, clock=now)
    line.restore(Provider(), Backoff(first=60, spread=0), now.go_on)
    assert [each.getMessage() for each in caplog.records if each.levelname == "WARNING"] == [
        f"the session has not been restored for {minutes} min: 403 Too many sessions; "
        "the SDK goes on trying"
        for minutes in (10, 20, 40, 80)
    ]


@pytest.mark.fault(69)
@pytest.mark.parametrize("hangs", ["token_provider", "token_provider.invalidate"])
def test_provider_that_hangs(caplog: pytest.LogCaptureFixture, hangs: str) -> None:
    """A provider that does not return is named after 30 s, and again after growing pauses."""
    named = threading.Semaphore(0)
    pauses: List[float] = []

    class Returned(threading.Event):
        """The tests' clock: three pauses are over at once, and the fourth when it is set."""

        def wait(self, timeout: Optional[float] = None) -> bool:
            assert timeout is not None
            pauses.append(timeout)
            if len(pauses) == 4:
                named.release()
            return len(pauses) >= 4 and super().wait(20)

    class Hanging(Provider):
        def __call__(self) -> str:
            return self.hang("token_provider") or super().__call__()

        def invalidate(self, token: str) -> None:
            self.hang("token_provider.invalidate")

        def hang(self, where: str) -> Optional[str]:
            if where == hangs:
                assert named.acquire(timeout=20)
                named.release()
            return None

    def watch(name: str, unwanted: Callable[[], bool]) -> ContextManager[None]:
        event = Returned if name == hangs else threading.Event
        return warn_while_slow(name, unwanted, 30.0, event)

    line = Line(TOKEN_REFUSED, None)
    line.restore(CachedToken(Hanging(), warn_while_slow=watch))
    assert [each.getMessage() for each in caplog.records] == [
        f"{hangs} has not returned for {seconds} s: the session cannot be restored meanwhile"
        for seconds in (30, 90, 210)
    ]
    assert pauses[:4] == [30, 60, 120, 240] and line.lost == []


class Final(KeyyoError):
    final = True


class NotFinal(KeyyoError):
    final = False


@pytest.mark.fault(68)
@pytest.mark.parametrize(
    "refusal",
    [KeyyoError(401, "no"), KeyyoError(403, "no"), Final(400, "invalid_grant"),
     KeyyoError(400, "csi: expected a string", "invalid_params"),
     CredentialsRefused(400, "dead", "invalid_grant")],
)
def test_provider_that_is_refused(refusal: KeyyoError) -> None:
    """A provider whose own credentials are refused ends it: only a person can help."""
    line = Line()

    def provide() -> str:
        raise refusal

    assert line.restore(provide) == [1]
    assert line.lost == [refusal] and line.failures == []


@pytest.mark.fault(68)
@pytest.mark.parametrize(
    "problem",
    [KeyyoError(503, "unreachable"), KeyyoError(429, "busy"), KeyyoError(404, "no page"),
     NotFinal(403, "a firewall"), ManagerError(403, "Forbidden", "forbidden"),
     ManagerError(401, "Unauthorized", "unauthorized"), OAuth2Error(403, "no tokens")],
    ids=repr,
)
def test_provider_without_a_network(problem: KeyyoError) -> None:
    """A provider that cannot reach its own server, or only a firewall, is asked again after a
    pause."""
    line, tries = Line(None), iter([problem, None])

    def provide() -> str:
        problem = next(tries)
        if problem is not None:
            raise problem
        return "tok"

    assert line.restore(provide) == [1, 2]
    assert line.tokens == ["tok"] and line.failures == []


@pytest.mark.parametrize("problem", [ValueError("oops"), SystemExit(1), KeyboardInterrupt()])
def test_provider_that_raises(problem: BaseException) -> None:
    """Anything else that it raises is reported, and it is asked again after a pause."""
    line, tries = Line(None), iter([problem, None])

    def provide() -> str:
        now = next(tries)
        if now is not None:
            raise now
        return "tok"

    assert line.restore(provide) == [1, 2]
    assert line.failures == [problem]


def test_provider_that_raises_each_time() -> None:
    """A mistake that it makes each time is reported once in an outage."""
    line, problems = Line(None, None), [ValueError("oops") for _ in range(4)]
    left = iter([*problems[:3], None, problems[3], None])

    def provide() -> str:
        problem = next(left)
        if problem is not None:
            raise problem
        return "tok"

    assert line.restore(provide) == [1, 2, 4, 8]
    line.pauses = None
    assert line.restore(provide) == [1, 2]
    assert line.failures == [problems[0], problems[3]]


@pytest.mark.parametrize("problem", [OSError("no network"), ConnectionError(), TimeoutError()])
def test_provider_whose_network_is_down(problem: OSError) -> None:
    """That there is no network for the provider either is no mistake of it: the attempt has
    failed, and that is all."""
    line = Line()

    def provide() -> str:
        raise problem

    line.restore(provide, Backoff(attempts=2))
    assert line.failures == []
    (error,) = line.lost
    assert error.error_code == "token_provider" and error.__cause__ is problem


def test_provider_that_cannot_be_told() -> None:
    """An ``invalidate`` that raises is reported, and the next attempt has a token of its own."""

    class Bad(Provider):
        def invalidate(self, token: str) -> None:
            raise ValueError("oops")

    line, provider = Line(TOKEN_REFUSED, None), Bad()
    assert line.restore(provider) == [1, 2]
    assert [str(failure) for failure in line.failures] == ["oops"]
    assert line.tokens == ["t1", "t2"]


def test_provider_that_returns_nothing() -> None:
    """A provider that returns no token is a mistake in the program, and ends it."""
    line = Line()
    assert line.restore(lambda: "") == [1]
    (error,) = line.lost
    assert error.error_code == "invalid_params" and "token_provider" in error.message


def test_end_of_attempts() -> None:
    """With a number of attempts, the last failure ends it."""
    line = Line(*[FAILED] * 3)
    assert line.restore(Provider(), Backoff(attempts=3, spread=0.0)) == [1, 2, 4]
    assert line.lost == [FAILED]


def test_closed_in_a_pause() -> None:
    """Closed in a pause, nothing is asked any more."""
    line, provider = Line(), Provider()

    def close(seconds: float) -> None:
        line.goes_on, line.stop.is_closed = False, True

    line.restore(provider, PLAIN, close)
    assert (line.tokens, provider.calls, line.lost) == ([], 0, [])


@pytest.mark.parametrize("answer", [FAILED, KeyyoError(401, "no")])
def test_closed_in_an_attempt(answer: KeyyoError) -> None:
    """Closed in an attempt, its failure means nothing."""

    class Closing(Line):
        def reconnect(self, outage: Outage, token: str) -> Optional[KeyyoError]:
            self.goes_on = False
            return super().reconnect(outage, token)

    line = Closing(answer)
    assert line.restore(Provider()) == [1] and line.lost == []


def test_attempt_that_neither_fails_nor_ends_the_outage_is_followed_by_another() -> None:
    class Undecided(Line):
        def reconnect(self, outage: Outage, token: str) -> Optional[KeyyoError]:
            return super().reconnect(outage, token) if outage.attempts == 2 else None

    line = Undecided(None)
    assert line.restore(Provider()) == [1, 2] and line.lost == []


@pytest.mark.fault(20)
@pytest.mark.promise(8)
def test_pauses_over_several_outages() -> None:
    """Pauses go on growing while connections do not last; one that lasts as long as the longest
    pause makes them small again."""
    now = Time()
    line = Line(*[None] * 5, clock=now)
    waited = []
    for lasted in (0.0, 0.0, 7.9, 8.0, 0.0):
        now.go_on(lasted)
        waited += line.restore(Provider())
    assert waited == [1, 2, 4, 1, 2]


def test_summary() -> None:
    """The gap runs from the last sign of life, before the loss was noticed, to the session."""
    times = iter([1000.0, 1007.0, 1008.0])
    made = Outage(60.0, lambda: next(times))
    assert made.summary() == Restored(gap=67.0, recreated=False)
    made.was_recreated()
    assert made.summary() == Restored(gap=68.0, recreated=True)


@pytest.mark.fault(58)
@pytest.mark.parametrize("round_trip, latency", [(0.2, 0.2), (30.0, 1.0), (-1.0, 0.0)])
def test_gap_begins_a_round_trip_before_the_last_frame_was_read(
    round_trip: float, latency: float
) -> None:
    """Neither the way of that frame nor the time until the loss is handled shortens the gap."""
    lost_at = monotonic_with_sleep() - 100.0
    gap = Outage.after(Silence(60.0, lost_at), round_trip).summary().gap
    assert 160.0 + latency <= gap < 160.0 + latency + 20.0


def test_what_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """An attempt that fails is logged at INFO, and the loss of the session as a warning, each
    with its reason, on the logger of the package."""
    caplog.set_level("INFO", "keyyo_cti")
    Line(FAILED, TOKEN_REFUSED, TOKEN_REFUSED).restore(Provider())
    assert [(each.name, each.levelname, each.getMessage()) for each in caplog.records] == [
        ("keyyo_cti", "INFO",
         f"attempt 1 to restore the session failed: {FAILED}"),
        ("keyyo_cti", "WARNING", f"the session is lost: {TOKEN_REFUSED}"),
    ]


def test_faults_are_told_as_such(caplog: pytest.LogCaptureFixture) -> None:
    """Who gives up after faults of the program or of the SDK says which."""

    def provide() -> str:
        raise ValueError("oops")

    once = Backoff(attempts=1)
    program, sdk = Line(), Line(RuntimeError("no thread"))
    program.restore(provide, once)
    sdk.restore(Provider(), once)
    found = [(each.status_code, each.message, each.error_code)
             for each in (*program.lost, *sdk.lost)]
    assert found == [
        (500, "token_provider raised ValueError", "token_provider"),
        (500, "The SDK failed: RuntimeError", "internal"),
    ]
    assert "the session cannot be asked for" in caplog.text and "no thread" in caplog.text


def test_first_pauses_are_the_first() -> None:
    """The first outage of a CTI begins with the first pause, at whatever time."""
    for seconds in (0.0, 5.0, 1e9):
        now = Time()
        now.go_on(seconds)
        assert Line(None, clock=now).restore(Provider()) == [1]
