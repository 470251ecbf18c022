"""The restorer, beside an owner that answers what the test says."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import Any, Callable, ContextManager, List, Optional, Union

import pytest

from keyyo_cti.backoff import Backoff
from keyyo_cti.errors import CommandTimeout, ConnectionClosed, KeyyoError, from_server
from keyyo_cti.manager import ManagerError
from keyyo_cti.oauth2 import CredentialsRefused, OAuth2Error
from keyyo_cti.outage import Outage, Restored, Restorer
from keyyo_cti.slow_call import warn_while_slow

TOKEN_REFUSED = from_server({"status_code": 400, "message": "Invalid token, expired"})
FAILED = ConnectionClosed(sent=False)

Answer = Union[None, KeyyoError, Exception]


class Pauses:
    """In place of an outage's event: nobody waits, and the test sees how long they would have."""

    def __init__(self) -> None:
        self.waited: List[float] = []
        self._set = False

    def set(self) -> None:
        self._set = True

    def is_set(self) -> bool:
        return self._set

    def wait(self, timeout: float) -> bool:
        self.waited.append(timeout)
        return self._set


class FakeReopener:
    """Answers each attempt with the next of the answers; None is a session, at which the outage
    is over."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.tokens: List[str] = []
        self.lost: List[KeyyoError] = []
        self.failures: List[BaseException] = []
        self.restorer: Optional[Restorer] = None

    def reopen(self, outage: Outage, token: str) -> "Future[Any]":
        self.tokens.append(token)
        answer = self.answers.pop(0)
        future: "Future[Any]" = Future()
        if isinstance(answer, KeyyoError):
            future.set_exception(answer)
        elif answer is not None:
            raise answer
        else:
            if self.restorer is not None:
                self.restorer.restored()
            outage.over.set()
            future.set_result({})
        return future

    def give_up(self, outage: Outage, error: KeyyoError) -> None:
        outage.over.set()
        self.lost.append(error)

    def provider_failed(self, outage: Outage, error: BaseException) -> None:
        self.failures.append(error)


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


def outage() -> Any:
    """An outage in which nobody waits."""
    made: Any = Outage(0.0)
    made.over = Pauses()
    return made


PLAIN = Backoff(first=1.0, longest=8.0, spread=0.0)


def run(owner: FakeReopener, provide: Callable[[], str], backoff: Backoff = PLAIN) -> List[float]:
    """Runs one outage to its end, and gives the pauses."""
    made = outage()
    Restorer(owner, provide, backoff, lambda: 0.0).run(made)
    waited: List[float] = made.over.waited
    return waited


def test_at_once() -> None:
    """One pause, one token, one attempt: restored."""
    owner, provider = FakeReopener(None), Provider()
    assert run(owner, provider) == [1]
    assert (owner.tokens, provider.calls, owner.lost) == (["t1"], 1, [])


def test_pauses() -> None:
    """An attempt that fails is repeated after a pause, which grows up to the longest; the token
    is asked for once."""
    owner, provider = FakeReopener(*[FAILED] * 6, None), Provider()
    assert run(owner, provider) == [1, 2, 4, 8, 8, 8, 8]
    assert (owner.tokens, provider.calls) == (["t1"] * 7, 1)


@pytest.mark.fault(20)
def test_five_thousand_failures() -> None:
    """However often it fails, the stack stays flat and it goes on."""
    owner = FakeReopener(*[FAILED] * 5000, None)
    assert len(run(owner, Provider())) == 5001
    assert owner.lost == []


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
    owner = FakeReopener(failure, None)
    assert run(owner, Provider()) == [1, 2]
    assert owner.lost == []


@pytest.mark.fault(23)
def test_refused_token() -> None:
    """A token that is refused is replaced at once, in the same attempt, and its provider told."""
    owner, provider = FakeReopener(TOKEN_REFUSED, None), Provider()
    assert run(owner, provider) == [1]
    assert (owner.tokens, provider.refused, owner.lost) == (["t1", "t2"], ["t1"], [])


@pytest.mark.fault(23)
@pytest.mark.promise(8)
def test_refused_credentials() -> None:
    """When the fresh token is refused too, the session is lost, and nothing is tried again."""
    owner, provider = FakeReopener(TOKEN_REFUSED, TOKEN_REFUSED), Provider()
    assert run(owner, provider) == [1]
    assert (owner.tokens, owner.lost) == (["t1", "t2"], [TOKEN_REFUSED])


class Time:
    """A clock that goes on only while somebody waits for it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def outage(self) -> Any:
        """An outage whose waits take no time but this clock's."""
        made = outage()
        wait = made.over.wait

        def wait_by_the_clock(timeout: float) -> bool:
            self.now += timeout
            over: bool = wait(timeout)
            return over

        made.over.wait = wait_by_the_clock
        return made


@pytest.mark.fault(68)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
@pytest.mark.parametrize("message", ["Too many sessions", "Forbidden", "<html>", "", "Invalid"])
def test_refusal_that_may_pass(status: int, message: str) -> None:
    """A refusal that Keyyo does not document is tried again for hours, with pauses."""
    refusal = from_server({"status_code": status, "message": message})
    owner, now = FakeReopener(*[refusal] * 130, None), Time()
    made = now.outage()
    Restorer(owner, Provider(), Backoff(spread=0.0), now).run(made)
    assert owner.lost == [] and owner.tokens == ["t1"] * 131
    assert now() > 7200 and made.over.waited[:8] == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.fault(68)
@pytest.mark.parametrize(
    "message",
    ["Malformed request (missing required parameters)", "RPC invalid params", "Invalid token: no"],
)
def test_refusal_that_keyyo_documents(message: str) -> None:
    """A refusal with a documented message is permanent, as soon as a fresh token gets it too."""
    refusal = from_server({"status_code": 400, "message": message})
    owner = FakeReopener(FAILED, refusal, refusal)
    assert run(owner, Provider()) == [1, 2]
    assert owner.lost == [refusal]


@pytest.mark.fault(68)
@pytest.mark.parametrize(
    ("wish", "pauses"),
    [(0, [1, 2]), (5, [1, 5]), (300.5, [1, 300.5]), (1e9, [1, 3600]), (-1, [1, 2]),
     (None, [1, 2]), (float("nan"), [1, 2])],
)
@pytest.mark.parametrize("who", ["server", "provider"])
def test_retry_after(wish: Optional[float], pauses: List[float], who: str) -> None:
    """The pause is as long as the server asks for, up to an hour, and the next is usual again."""
    busy: Any = KeyyoError(429, "Slow down")
    busy.retry_after = wish
    owner = FakeReopener(None) if who == "provider" else FakeReopener(busy, None)
    refusals = [busy] if who == "provider" else []

    def provide() -> str:
        if refusals:
            raise refusals.pop()
        return "tok"

    assert run(owner, provide) == pauses
    assert owner.lost == []


@pytest.mark.fault(68)
def test_long_outage_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """An outage that goes on is named in a warning after ten minutes, and then ever more
    rarely."""
    refusal = from_server({"status_code": 403, "message": "Too many sessions"})
    owner, now = FakeReopener(*[refusal] * 100, None), Time()
    Restorer(owner, Provider(), Backoff(first=60, spread=0), now).run(now.outage())
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

    owner = FakeReopener(TOKEN_REFUSED, None)
    Restorer(owner, Hanging(), PLAIN, lambda: 0.0, watch).run(outage())
    assert [each.getMessage() for each in caplog.records] == [
        f"{hangs} has not returned for {seconds} s: the session cannot be restored meanwhile"
        for seconds in (30, 90, 210)
    ]
    assert pauses[:4] == [30, 60, 120, 240] and owner.lost == []


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
    owner = FakeReopener()

    def provide() -> str:
        raise refusal

    assert run(owner, provide) == [1]
    assert owner.lost == [refusal] and owner.failures == []


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
    owner, tries = FakeReopener(None), iter([problem, None])

    def provide() -> str:
        problem = next(tries)
        if problem is not None:
            raise problem
        return "tok"

    assert run(owner, provide) == [1, 2]
    assert owner.tokens == ["tok"] and owner.failures == []


@pytest.mark.parametrize("problem", [ValueError("oops"), SystemExit(1), KeyboardInterrupt()])
def test_provider_that_raises(problem: BaseException) -> None:
    """Anything else that it raises is reported, and it is asked again after a pause."""
    owner, tries = FakeReopener(None), iter([problem, None])

    def provide() -> str:
        now = next(tries)
        if now is not None:
            raise now
        return "tok"

    assert run(owner, provide) == [1, 2]
    assert owner.failures == [problem]


def test_provider_that_raises_each_time() -> None:
    """A mistake that it makes each time is reported once in an outage."""
    owner, problems = FakeReopener(None, None), [ValueError("oops") for _ in range(4)]
    left = iter([*problems[:3], None, problems[3], None])

    def provide() -> str:
        problem = next(left)
        if problem is not None:
            raise problem
        return "tok"

    assert run(owner, provide) == [1, 2, 4, 8]
    assert run(owner, provide) == [1, 2]
    assert owner.failures == [problems[0], problems[3]]


@pytest.mark.parametrize("problem", [OSError("no network"), ConnectionError(), TimeoutError()])
def test_provider_whose_network_is_down(problem: OSError) -> None:
    """That there is no network for the provider either is no mistake of it: the attempt has
    failed, and that is all."""
    owner = FakeReopener()

    def provide() -> str:
        raise problem

    run(owner, provide, Backoff(attempts=2))
    assert owner.failures == []
    (error,) = owner.lost
    assert error.error_code == "token_provider" and error.__cause__ is problem


def test_fault_of_our_own() -> None:
    """Whatever goes wrong in the restorer itself, something comes of the outage."""

    def jitter() -> float:
        raise ValueError("oops")

    owner = FakeReopener()
    run(owner, Provider(), Backoff(jitter=jitter))
    (error,) = owner.lost
    assert (error.status_code, error.error_code) == (500, "internal")


@pytest.mark.promise(8)
def test_one_at_a_time() -> None:
    """While the provider of an outage that was closed is still at it, another outage waits; it
    is given up in vain when it is over itself."""
    inside, go = threading.Event(), threading.Event()
    most: List[int] = []

    def provide() -> str:
        most.append(1)
        inside.set()
        assert len(most) == 1 or go.is_set(), "two at once"
        assert go.wait(20)
        return "tok"

    owner = FakeReopener(None, None)
    restorer = Restorer(owner, provide, Backoff(first=0.001, longest=0.001))
    outages = [Outage(0.0) for _ in range(3)]
    threads = [threading.Thread(target=restorer.run, args=[each]) for each in outages]
    threads[0].start()
    assert inside.wait(20)
    outages[0].over.set()
    for thread in threads[1:]:
        thread.start()
    outages[1].over.set()
    threads[1].join(20)
    assert not threads[1].is_alive() and threads[0].is_alive() and threads[2].is_alive()
    go.set()
    for thread in threads:
        thread.join(20)
    assert outages[2].over.is_set() and len(owner.answers) == 0


def test_provider_that_cannot_be_told() -> None:
    """An ``invalidate`` that raises is reported, and the next attempt has a token of its own."""

    class Bad(Provider):
        def invalidate(self, token: str) -> None:
            raise ValueError("oops")

    owner, provider = FakeReopener(TOKEN_REFUSED, None), Bad()
    assert run(owner, provider) == [1, 2]
    assert [str(failure) for failure in owner.failures] == ["oops"]
    assert owner.tokens == ["t1", "t2"]


def test_provider_that_returns_nothing() -> None:
    """A provider that returns no token is a mistake in the program, and ends it."""
    owner = FakeReopener()
    assert run(owner, lambda: "") == [1]
    (error,) = owner.lost
    assert error.error_code == "invalid_params" and "token_provider" in error.message


def test_end_of_attempts() -> None:
    """With a number of attempts, the last failure ends it."""
    owner = FakeReopener(*[FAILED] * 3)
    assert run(owner, Provider(), Backoff(attempts=3, spread=0.0)) == [1, 2, 4]
    assert owner.lost == [FAILED]


def test_closed_in_a_pause() -> None:
    """Closed in a pause, nothing is asked any more."""
    owner, provider, made = FakeReopener(), Provider(), outage()
    made.over.set()
    Restorer(owner, provider, PLAIN).run(made)
    assert (owner.tokens, provider.calls, owner.lost) == ([], 0, [])


@pytest.mark.parametrize("answer", [FAILED, KeyyoError(401, "no")])
def test_closed_in_an_attempt(answer: KeyyoError) -> None:
    """Closed in an attempt, its failure means nothing."""

    class Closing(FakeReopener):
        def reopen(self, outage: Outage, token: str) -> "Future[Any]":
            outage.over.set()
            return super().reopen(outage, token)

    owner = Closing(answer)
    run(owner, Provider())
    assert owner.lost == []


@pytest.mark.fault(20)
@pytest.mark.promise(8)
def test_pauses_over_several_outages() -> None:
    """Pauses go on growing while connections do not last; one that lasts as long as the longest
    pause makes them small again."""
    now = 1000.0
    owner = FakeReopener(*[None] * 5)
    restorer = owner.restorer = Restorer(owner, Provider(), PLAIN, lambda: now)
    waited = []
    for lasted in (0.0, 0.0, 7.9, 8.0, 0.0):
        now += lasted
        made = outage()
        restorer.run(made)
        waited += made.over.waited
    assert waited == [1, 2, 4, 1, 2]


def test_summary() -> None:
    """The gap runs from the last sign of life, before the loss was noticed, to the session."""
    times = iter([1000.0, 1007.0])
    made = Outage(60.0, lambda: next(times))
    made.recreated = True
    assert made.summary() == Restored(gap=67.0, recreated=True)


def test_whose_thread() -> None:
    """An outage knows the thread that restores, and does not wait for itself."""
    made = Outage(0.0)
    assert made.inside()
    made.finish_close(float("inf"))
    others: List[Optional[bool]] = []
    thread = threading.Thread(target=lambda: others.append(made.inside()))
    thread.start()
    thread.join(10)
    assert others == [False]


def test_what_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """An attempt that fails is logged at INFO, and the loss of the session as a warning, each
    with its reason, on the logger of the package."""
    caplog.set_level("INFO", "keyyo_cti")
    run(FakeReopener(FAILED, TOKEN_REFUSED, TOKEN_REFUSED), Provider())
    assert [(each.name, each.levelname, each.getMessage()) for each in caplog.records] == [
        ("keyyo_cti", "INFO",
         "attempt 1 to restore the session failed: 400 Connexion closed"),
        ("keyyo_cti", "WARNING", f"the session is lost: {TOKEN_REFUSED}"),
    ]


def test_faults_are_told_as_such(caplog: pytest.LogCaptureFixture) -> None:
    """Who gives up after faults of the program or of the SDK says which."""

    def provide() -> str:
        raise ValueError("oops")

    once = Backoff(attempts=1)
    program, sdk = FakeReopener(), FakeReopener(RuntimeError("no thread"))
    run(program, provide, once)
    run(sdk, Provider(), once)
    found = [(each.status_code, each.message, each.error_code)
             for each in (*program.lost, *sdk.lost)]
    assert found == [
        (500, "token_provider raised ValueError", "token_provider"),
        (500, "The SDK failed: RuntimeError", "internal"),
    ]
    assert "the session cannot be asked for" in caplog.text and "no thread" in caplog.text


def test_new_outage() -> None:
    """A new outage goes on, and nothing is known of it but since when."""
    made = Outage(0.0)
    assert not made.over.is_set() and not made.muted
    assert not made.recreated and not made.provider_failed


def test_first_pauses_are_the_first() -> None:
    """The first outage of a CTI begins with the first pause, at whatever time."""
    for now in (0.0, 5.0, 1e9):
        owner, made = FakeReopener(None), outage()
        Restorer(owner, Provider(), PLAIN, lambda now=now: now).run(made)  # type: ignore[misc]
        assert made.over.waited == [1]


def test_finish_close() -> None:
    """Who closes waits for the thread that restores, as long as there is time."""
    made: List[Outage] = []
    ready, go = threading.Event(), threading.Event()

    def restore() -> None:
        made.append(Outage(0.0))
        ready.set()
        go.wait(20)

    thread = threading.Thread(target=restore)
    thread.start()
    assert ready.wait(20)
    began = time.monotonic()
    made[0].finish_close(began + 0.05)
    made[0].finish_close(began - 1000)
    assert time.monotonic() - began < 10 and thread.is_alive()
    threading.Timer(0.05, go.set).start()
    made[0].finish_close(time.monotonic() + 20)
    assert not thread.is_alive()
