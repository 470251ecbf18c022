"""The CSI token that a lost session is restored with, by a clock that is set by hand."""

from __future__ import annotations

import threading
from typing import Any, Callable, List, Optional

import pytest

from keyyo_cti._client.token_cache import CachedToken
from keyyo_cti._net import process, redaction
from keyyo_cti.errors import KeyyoError


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Provider:
    """A program that gives a new token each time."""

    def __init__(self) -> None:
        self.given: List[str] = []
        self.invalidated: List[Optional[str]] = []

    def __call__(self) -> str:
        self.given.append(f"CANARY-{len(self.given)}")
        return self.given[-1]

    def invalidate(self, token: Optional[str]) -> None:
        self.invalidated.append(token)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider() -> Provider:
    return Provider()


def test_held(provider: Provider, clock: Clock) -> None:
    """A token is asked for when it is wanted first, and held while it is good: for 55 of its 60
    minutes."""
    cache = CachedToken(provider, clock)
    assert provider.given == []
    assert [cache.get(), cache.get()] == ["CANARY-0"] * 2
    assert "CANARY" not in redaction.redact(" CANARY-0 ")
    clock.now += 3299
    assert cache.get() == "CANARY-0"
    clock.now += 1
    assert cache.get() == "CANARY-1"


def test_age(provider: Provider, clock: Clock) -> None:
    """A token is as old as its asking: a provider that takes its time makes it no younger."""

    def slow() -> str:
        clock.now += 3400
        return provider()

    cache = CachedToken(slow, clock)
    cache.get()
    assert cache.get() == "CANARY-1"


def test_refused(provider: Provider, clock: Clock) -> None:
    """A token that was refused is not used again, and its provider is told."""
    cache = CachedToken(provider, clock)
    cache.get()
    cache.refused()
    assert provider.invalidated == ["CANARY-0"]
    assert cache.get() == "CANARY-1"


def test_provider_that_cannot_be_told(clock: Clock) -> None:
    """A plain function need not be told."""
    tokens = iter(["a", "b"])
    cache = CachedToken(lambda: next(tokens), clock)
    assert cache.get() == "a"
    cache.refused()
    assert cache.get() == "b"


def test_provider_that_raises(provider: Provider, clock: Clock) -> None:
    """What a provider raises comes out, and a token that is too old is not used instead."""
    fails = False

    def provide() -> str:
        if fails:
            raise OSError("no network")
        return provider()

    cache = CachedToken(provide, clock)
    cache.get()
    clock.now += 4000
    fails = True
    for _ in range(2):
        with pytest.raises(OSError, match="no network"):
            cache.get()
    fails = False
    assert cache.get() == "CANARY-1"


@pytest.mark.fault(69)
@pytest.mark.parametrize("returned", ["tok\n", "  tok", "tok\r\n", "\ttok \n\n"])
def test_white_space_at_the_ends_is_removed(returned: str, clock: Clock) -> None:
    """A token that was read with its line break is used without; the provider is told of it as
    it gave it."""

    class Reading:
        refused: List[str] = []

        def __call__(self) -> str:
            return returned

        def invalidate(self, token: str) -> None:
            self.refused.append(token)

    provide = Reading()
    cache = CachedToken(provide, clock)
    assert cache.get() == cache.get() == "tok"
    cache.refused()
    assert provide.refused == [returned]


@pytest.mark.parametrize(
    ("returned", "said"),
    [(None, "NoneType"), ("", "an empty string"), (" \n", "an empty string"), (b"tok", "bytes")],
)
def test_no_token(returned: Any, said: str, clock: Clock) -> None:
    """A provider that returns no token is a mistake that trying again does not mend, and the
    error says which."""
    cache = CachedToken(lambda: returned, clock)
    with pytest.raises(KeyyoError) as raised:
        cache.get()
    assert raised.value.error_code == "invalid_params" and raised.value.final
    said = f"token_provider: expected it to return a token, got {said}"
    assert raised.value.message == said


def test_repr(provider: Provider, clock: Clock) -> None:
    """Its repr shows no token."""
    cache = CachedToken(provider, clock)
    cache.get()
    assert "CANARY" not in repr(cache)


@pytest.mark.parametrize("raises", [False, True])
def test_child_of_a_provider_that_forks_is_refused(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, raises: bool
) -> None:
    def fork(*_: Any) -> str:
        monkeypatch.setattr(process, "_forks", process.current() + 1)
        if raises:
            raise OSError("no network")
        return "tok"

    with pytest.raises(process.OtherProcess):
        CachedToken(fork, clock).get()


@pytest.mark.promise(8)
def test_provider_runs_in_one_thread_at_a_time(clock: Clock) -> None:
    """While it still runs for a session that was closed, another session waits, until it is
    closed too."""
    inside, go, closed = threading.Event(), threading.Event(), threading.Event()
    running: List[int] = []

    def provide() -> str:
        running.append(1)
        inside.set()
        assert len(running) == 1 or go.is_set(), "two at once"
        assert go.wait(20)
        return "tok"

    provide.invalidate = running.append  # type: ignore[attr-defined]
    cache = CachedToken(provide, clock)
    unwanted = [lambda: True, closed.is_set, lambda: False]
    tokens: List[Optional[str]] = []

    def get(unwanted: Callable[[], bool]) -> None:
        tokens.append(cache.get(unwanted))

    threads = [threading.Thread(target=get, args=[each]) for each in unwanted]
    threads[0].start()
    assert inside.wait(20)
    for thread in threads[1:]:
        thread.start()
    closed.set()
    threads[1].join(20)
    cache.refused(closed.is_set)
    assert tokens == [None] and threads[0].is_alive() and threads[2].is_alive()
    go.set()
    for thread in threads:
        thread.join(20)
    assert tokens == [None, "tok", "tok"] and running == [1]


class Knowing(Provider):
    """A provider that knows how long its token is good."""

    until: Any = None

    def good_until(self) -> Any:
        if isinstance(self.until, Exception):
            raise self.until
        return self.until


def test_good_until_of_a_cached_token_is_an_hour_after_its_request(
    provider: Provider, clock: Clock
) -> None:
    cache = CachedToken(provider, clock)
    assert cache.good_until(5e8) is None and provider.given == []
    cache.get()
    assert cache.good_until(5e8) == 5e8 + 3600
    clock.now += 3599
    assert cache.good_until(5e8) == 5e8 + 1
    clock.now += 1
    assert cache.good_until(5e8) is None
    cache.get()
    cache.refused()
    assert cache.good_until(5e8) is None


@pytest.mark.parametrize(
    ("until", "expected"),
    [(5e8 + 90, 5e8 + 90), (5e8, None), (4e8, None), (None, None), ("soon", None), (True, None),
     (float("nan"), None), (RuntimeError("canary"), None)],
)
def test_good_until_is_what_the_provider_knows(
    clock: Clock, until: Any, expected: Optional[float]
) -> None:
    provider = Knowing()
    provider.until = until
    cache = CachedToken(provider, clock)
    assert cache.good_until(5e8) == expected
    cache.get()
    assert cache.good_until(5e8) == expected


def test_good_until_does_not_wait_for_a_provider_that_hangs(clock: Clock) -> None:
    entered, release = threading.Event(), threading.Event()

    def hang() -> str:
        entered.set()
        release.wait(20.0)
        return "CANARY"

    cache = CachedToken(hang, clock)
    getter = threading.Thread(target=cache.get)
    getter.start()
    assert entered.wait(20.0)
    assert cache.good_until(5e8) is None
    release.set()
    getter.join(20.0)
    assert cache.good_until(5e8) == 5e8 + 3600
