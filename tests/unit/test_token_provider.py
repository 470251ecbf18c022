"""A fresh CSI token, whenever a session needs one."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Iterable, List, Optional

import pytest

from keyyo_cti._oauth2.tokens import Tokens
from keyyo_cti.manager import CSIToken, Manager, ManagerClient, ManagerError
from keyyo_cti.token_provider import TokenProvider

from ..helpers import canaries
from ..helpers.canaries import Watch

keyyo, watch = canaries.keyyo, canaries.watch

NOW = 1_700_000_000.0
CSI = "33199000001"
SOON = 20.0


class Clock:
    """A clock that is set by hand."""

    def __init__(self, time: float) -> None:
        self.time = time

    def __call__(self) -> float:
        return self.time


class NoAccount:
    """Nobody asks it."""

    def tokens(self) -> Tokens:
        raise AssertionError

    def renewed(self, refused: Tokens) -> Tokens:
        raise AssertionError


class Mint(ManagerClient):
    """Mints tokens with numbers.

    :param life: seconds, from the server's point of view.
    """

    def __init__(self, life: float = 3600.0) -> None:
        super().__init__(NoAccount())
        self.life = life
        self.asked: List[Any] = []
        self.before: Callable[[], object] = lambda: None

    def csi_token(self, csi: str, domain_masks: Iterable[str] = ()) -> CSIToken:
        self.asked.append((csi, domain_masks))
        number = len(self.asked)
        self.before()
        return CSIToken(csi, f"canary-{number}", NOW + self.life)


@pytest.fixture
def mint() -> Mint:
    return Mint()


@pytest.fixture
def monotonic() -> Clock:
    return Clock(5.0)


@pytest.fixture
def wall() -> Clock:
    return Clock(NOW)


@pytest.fixture
def provider(mint: Mint, monotonic: Clock, wall: Clock) -> TokenProvider:
    return TokenProvider(mint, CSI, monotonic=monotonic, wall=wall)


def test_kept(provider: TokenProvider, mint: Mint, watch: Watch) -> None:
    """A token is kept while it is good, and not shown."""
    assert provider() == provider() == "canary-1"
    assert mint.asked == [(CSI, ())]
    watch.see(provider)


@pytest.mark.parametrize("clock", ["monotonic", "wall"])
def test_old(provider: TokenProvider, monotonic: Clock, wall: Clock, clock: str) -> None:
    """It is replaced in time, though one clock stood still: a laptop slept, or somebody set the
    clock."""
    assert provider() == "canary-1"
    moved = {"monotonic": monotonic, "wall": wall}[clock]
    moved.time += 3299
    assert provider() == "canary-1"
    moved.time += 2
    assert provider() == "canary-2"


def test_good_until_is_the_end_of_the_cached_token(
    provider: TokenProvider, monotonic: Clock, wall: Clock, mint: Mint
) -> None:
    """By the wall clock as it is now, of whichever clock has moved further."""
    assert provider.good_until() is None
    mint.life = 600.0
    provider()
    assert provider.good_until() == NOW + 600
    monotonic.time += 100
    assert provider.good_until() == NOW + 500
    wall.time += 150
    assert provider.good_until() == NOW + 600
    provider.invalidate()
    assert provider.good_until() is None and len(mint.asked) == 1


def test_server_ahead(monotonic: Clock, wall: Clock) -> None:
    """A server whose clock is a day ahead does not make a token live for a day."""
    provider = TokenProvider(Mint(86_400.0), CSI, monotonic=monotonic, wall=wall)
    assert provider() == "canary-1"
    monotonic.time += 3301
    assert provider() == "canary-2"


def test_short_life(mint: Mint, provider: TokenProvider) -> None:
    """A token that is never good for long enough is handed out all the same, once."""
    mint.life = 60.0
    assert [provider(), provider()] == ["canary-1", "canary-2"]


def test_another(provider: TokenProvider) -> None:
    """Another one can be asked for at once."""
    assert provider() == "canary-1"
    assert provider.refresh() == "canary-2"
    assert provider() == "canary-2"


@pytest.mark.parametrize(
    ("refused", "next_token"), [("canary-1", "canary-2"), (None, "canary-2"), ("old", "canary-1")]
)
def test_invalidate(provider: TokenProvider, refused: Optional[str], next_token: str) -> None:
    """One that was refused is forgotten, but not the one that has replaced it meanwhile."""
    provider.invalidate(refused)
    assert provider() == "canary-1"
    provider.invalidate(refused)
    assert provider() == next_token


def test_domain_masks(mint: Mint) -> None:
    """Domain masks go into every token."""
    provider = TokenProvider(mint, CSI, iter(["a.example"]))
    provider()
    provider.refresh()
    assert mint.asked == [(CSI, ("a.example",))] * 2
    with pytest.raises(TypeError, match="domain_masks"):
        TokenProvider(mint, CSI, "a.example")
    wrong: Any = NoAccount()
    with pytest.raises(TypeError, match="expected a Manager, got NoAccount"):
        TokenProvider(wrong, CSI)


@pytest.mark.promise(8)
def test_one_for_many_threads(provider: TokenProvider, mint: Mint) -> None:
    """Threads that all want one at the same moment cause one to be minted."""
    together = threading.Barrier(8)

    def ask() -> str:
        together.wait(SOON)
        return provider()

    with ThreadPoolExecutor(8) as pool:
        got = [future.result(SOON) for future in [pool.submit(ask) for _ in range(8)]]
    assert set(got) == {"canary-1"}
    assert len(mint.asked) == 1


def test_failure(provider: TokenProvider, mint: Mint) -> None:
    """A failure goes to whoever asked, and the next call tries again."""

    def fail() -> None:
        raise ManagerError(403, "no", "forbidden")

    mint.before = fail
    with pytest.raises(ManagerError):
        provider()
    mint.before = lambda: None
    assert provider() == "canary-2"


def test_of_a_manager(monkeypatch: pytest.MonkeyPatch, mint: Mint) -> None:
    """It takes a Manager too, and waits for none of its threads: so it works in a callback."""
    manager = Manager(NoAccount())
    monkeypatch.setattr(manager, "client", mint)
    assert TokenProvider(manager, CSI)() == "canary-1"
