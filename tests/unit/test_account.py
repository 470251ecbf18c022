"""An account: refreshed once, kept before it is used, and told when it is over."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from inspect import signature
from typing import Any, Callable, Iterator, List, Optional, Tuple

import pytest

from keyyo_cti._oauth2.token_store import LockedTokens, TokenMemory
from keyyo_cti._oauth2.tokens import Tokens
from keyyo_cti.account import Account, AccountClient, TokensNotKept
from keyyo_cti.oauth2 import CredentialsRefused, OAuth2Client, OAuth2Error

from ..helpers import canaries
from ..helpers.canaries import ACCESS, CLIENT_SECRET, REFRESH, Watch

keyyo, watch = canaries.keyyo, canaries.watch

NOW = 1_700_000_000.0
THREADS = 8
SOON = 20.0
GOOD = Tokens(ACCESS, REFRESH, NOW + 3600)
STALE = Tokens(ACCESS, REFRESH, NOW + 59)


class Authority(OAuth2Client):
    """Keyyo's OAuth2, without the wire: its refresh tokens rotate, and the old one is dead."""

    def __init__(self, life: float = 3600.0) -> None:
        super().__init__("me", CLIENT_SECRET, "http://127.0.0.1/", wall=lambda: NOW)
        self.alive = {REFRESH}
        self.life = life
        self.issued = 0
        self.asked: List[Optional[str]] = []
        self.before: Callable[[], object] = lambda: None

    def refresh(self, tokens: Tokens) -> Tokens:
        self.asked.append(tokens.refresh_token)
        self.before()
        if tokens.refresh_token not in self.alive:
            raise CredentialsRefused(400, "Dead", "invalid_grant", "sign in again")
        self.alive.remove(tokens.refresh_token)
        return self._issue()

    def exchange(
        self,
        code_or_redirected_url: str,
        state: Optional[str] = None,
        *,
        code_verifier: Optional[str] = None,
    ) -> Tokens:
        return self._issue()

    def _issue(self) -> Tokens:
        self.issued += 1
        refresh_token = f"canary-refresh-{self.issued}"
        self.alive.add(refresh_token)
        return Tokens(f"canary-access-{self.issued}", refresh_token, NOW + self.life)


class Keeper:
    """The caller's saver: keeps tokens, and fails when it is told to."""

    def __init__(self) -> None:
        self.kept: List[Tokens] = []
        self.fails: Optional[BaseException] = None

    def __call__(self, tokens: Tokens) -> None:
        if self.fails is not None:
            raise self.fails
        self.kept.append(tokens)


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


def account(
    authority: Authority, keeper: Keeper, tokens: Optional[Tokens] = STALE
) -> AccountClient:
    return AccountClient(authority, TokenMemory(tokens, keeper), wall=lambda: NOW)


def test_good(authority: Authority, keeper: Keeper) -> None:
    """A token that is good for a while is handed out as it is."""
    assert account(authority, keeper, GOOD).access_token() == ACCESS
    assert account(authority, keeper, Tokens(ACCESS)).access_token() == ACCESS
    assert (authority.asked, keeper.kept) == ([], [])


def test_ahead(authority: Authority, keeper: Keeper) -> None:
    """One that is about to expire is refreshed, and the new ones are kept."""
    mine = account(authority, keeper)
    assert mine.access_token() == "canary-access-1"
    assert mine.access_token() == "canary-access-1"
    assert authority.asked == [REFRESH]
    assert keeper.kept == [mine.tokens()]


@pytest.mark.parametrize("left, is_refreshed", [(60.1, False), (60, True), (0, True)])
def test_access_token_is_refreshed_a_minute_before_its_end(
    authority: Authority, keeper: Keeper, left: float, is_refreshed: bool
) -> None:
    account(authority, keeper, Tokens(ACCESS, REFRESH, NOW + left)).access_token()
    assert authority.asked == [REFRESH] * is_refreshed


def test_both_kinds_of_account_refresh_equally_early() -> None:
    kinds: Tuple[Callable[..., object], ...] = (Account, AccountClient)
    assert len({signature(kind).parameters["ahead"].default for kind in kinds}) == 1


def test_refused_access_token(authority: Authority, keeper: Keeper) -> None:
    """An access token that was refused before its time is replaced, but not one that was
    replaced already."""
    mine = account(authority, keeper, GOOD)
    new = mine.renewed(GOOD)
    assert new.access_token == "canary-access-1"
    assert mine.renewed(GOOD) == new
    assert authority.asked == [REFRESH]


def test_memory_without_a_saver(authority: Authority) -> None:
    """A program that keeps no tokens needs no saver."""
    mine = AccountClient(authority, TokenMemory(STALE), wall=lambda: NOW)
    assert mine.access_token() == "canary-access-1"


def test_kept_before_anybody_sees_them(authority: Authority) -> None:
    """While they are being kept, no thread has the new tokens."""
    keeping, kept = threading.Event(), threading.Event()

    def keep(tokens: Tokens) -> None:
        keeping.set()
        assert kept.wait(SOON)

    mine = AccountClient(authority, TokenMemory(STALE, keep), wall=lambda: NOW)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(mine.access_token)
        assert keeping.wait(SOON)
        second = pool.submit(mine.access_token)
        assert not first.done() and not second.done()
        kept.set()
        assert first.result(SOON) == second.result(SOON) == "canary-access-1"


def test_one_refresh_for_many_threads(authority: Authority, keeper: Keeper) -> None:
    """Threads that all want one at the same moment cause one refresh, and get the same."""
    mine = account(authority, keeper)
    together = threading.Barrier(THREADS)

    def ask() -> str:
        together.wait(SOON)
        return mine.access_token()

    with ThreadPoolExecutor(THREADS) as pool:
        got = [future.result(SOON) for future in [pool.submit(ask) for _ in range(THREADS)]]
    assert set(got) == {"canary-access-1"}
    assert authority.asked == [REFRESH]


def test_final(authority: Authority, keeper: Keeper, watch: Watch) -> None:
    """A refresh token that Keyyo has refused is not sent again; the error is the same, but not
    the very same object, whose traceback would grow."""
    authority.alive.clear()
    mine = account(authority, keeper)
    errors = []
    for _ in range(3):
        with pytest.raises(CredentialsRefused) as caught:
            mine.access_token()
        errors.append(caught.value)
    assert authority.asked == [REFRESH]
    assert len({str(error) for error in errors}) == 1
    assert len(set(map(id, errors))) == 3
    watch.see(mine, *errors)


def test_signing_in(authority: Authority, keeper: Keeper) -> None:
    """Without tokens, a person has to sign in; then there are some, and they are kept."""
    mine = account(authority, keeper, None)
    with pytest.raises(CredentialsRefused) as caught:
        mine.access_token()
    assert caught.value.error_code == "not_signed_in"
    tokens = mine.sign_in("https://app.example/?code=1&state=2", "2")
    assert keeper.kept == [tokens]
    assert mine.tokens() == tokens


def test_signing_in_again(authority: Authority, keeper: Keeper) -> None:
    """After a refusal, signing in again makes everything good."""
    authority.alive.clear()
    mine = account(authority, keeper)
    with pytest.raises(CredentialsRefused):
        mine.access_token()
    tokens = mine.sign_in("code")
    assert mine.tokens() == tokens


def test_signing_in_during_a_refresh(authority: Authority, keeper: Keeper) -> None:
    """Tokens of one who signs in while others are refreshed are not taken for those."""
    under_way, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        under_way.set()
        assert go_on.wait(SOON)

    authority.before = wait
    mine = account(authority, keeper)
    with ThreadPoolExecutor(2) as pool:
        refresh = pool.submit(mine.access_token)
        assert under_way.wait(SOON)
        sign_in = pool.submit(mine.sign_in, "code")
        go_on.set()
        assert refresh.result(SOON) in ("canary-access-1", "canary-access-2")
        tokens = sign_in.result(SOON)
    assert keeper.kept[-1] == mine.tokens() == tokens


def test_no_answer_is_not_final(authority: Authority, keeper: Keeper) -> None:
    """When Keyyo could not be reached, the next call tries again."""
    mine = account(authority, keeper)

    def fail() -> None:
        raise OAuth2Error(503, "unreachable", "unreachable")

    authority.before = fail
    with pytest.raises(OAuth2Error, match="unreachable"):
        mine.access_token()
    authority.before = lambda: None
    assert mine.access_token() == "canary-access-1"


# A saver that fails.


@pytest.mark.parametrize("failure", [OSError(28, "disk full"), RuntimeError("no")])
def test_unsaved(
    authority: Authority, keeper: Keeper, watch: Watch, failure: Exception
) -> None:
    """New tokens that could not be kept are given to nobody, nor lost: the next call has them
    kept first, and does not refresh again."""
    mine = account(authority, keeper)
    keeper.fails = failure
    for _ in range(2):
        with pytest.raises(TokensNotKept) as caught:
            mine.access_token()
        assert caught.value.error_code == "not_kept"
        if isinstance(failure, OSError):
            assert caught.value.__cause__ is failure
        else:
            # Its words might be those of what could not be kept.
            assert caught.value.__cause__ is None and caught.value.__suppress_context__
            assert f"RuntimeError at {__file__}:" in caught.value.message
        assert type(failure).__name__ in caught.value.message
        watch.see(caught.value)
    keeper.fails = None
    assert mine.access_token() == "canary-access-1"
    assert [tokens.access_token for tokens in keeper.kept] == ["canary-access-1"]
    assert authority.asked == [REFRESH]


def test_unsaved_and_stale(keeper: Keeper) -> None:
    """When they have expired meanwhile, they are kept first and refreshed then, with the refresh
    token that is alive."""
    authority = Authority(life=10.0)
    mine = account(authority, keeper)
    for fails in [OSError("full"), OSError("full"), None]:
        keeper.fails = fails
        with contextlib.suppress(TokensNotKept):
            mine.access_token()
    assert [tokens.access_token for tokens in keeper.kept] == [
        "canary-access-1", "canary-access-2"
    ]
    assert authority.asked == [REFRESH, "canary-refresh-1"]


def test_second_save_fails() -> None:
    """The same when the refresh after that cannot be kept in turn."""
    authority = Authority(life=10.0)
    outcomes: Iterator[bool] = iter([False, True, False, True, True])
    kept: List[str] = []

    def save(tokens: Tokens) -> None:
        if not next(outcomes):
            raise OSError("full")
        kept.append(tokens.access_token)

    mine = AccountClient(authority, TokenMemory(STALE, save), wall=lambda: NOW)
    for _ in range(2):
        with pytest.raises(TokensNotKept):
            mine.access_token()
    assert mine.access_token() == "canary-access-3"
    assert kept == ["canary-access-1", "canary-access-2", "canary-access-3"]
    assert authority.asked == [REFRESH, "canary-refresh-1", "canary-refresh-2"]


def test_unsaved_and_signed_in_elsewhere(authority: Authority) -> None:
    """Unkept tokens do not replace those of somebody who has signed in anew meanwhile."""
    store = Forgetful(STALE)
    mine = AccountClient(authority, store, wall=lambda: NOW)
    with pytest.raises(TokensNotKept):
        mine.access_token()
    store.tokens, store.fails = Tokens("theirs", "theirs", NOW + 3600), False
    assert mine.access_token() == "theirs"


def test_unsaved_sign_in(authority: Authority, keeper: Keeper) -> None:
    """Tokens of one who has signed in are not lost either: the code works once. They take the
    place of any others, also of those that could not be kept before."""
    mine = account(authority, keeper)
    keeper.fails = OSError("full")
    with pytest.raises(TokensNotKept):
        mine.access_token()
    with pytest.raises(TokensNotKept):
        mine.sign_in("code")
    keeper.fails = None
    assert mine.access_token() == "canary-access-2"
    assert [tokens.access_token for tokens in keeper.kept] == ["canary-access-2"]


def test_kept_for_good_before_the_next_refresh() -> None:
    """When unkept tokens could be kept at last, they stay kept, though the next refresh fails:
    a store may undo what belongs to a failure."""
    authority = Authority(life=10.0)
    store = Forgetful(STALE)
    mine = AccountClient(authority, store, wall=lambda: NOW)
    with pytest.raises(TokensNotKept):
        mine.access_token()
    store.fails = False
    authority.alive.clear()
    with pytest.raises(CredentialsRefused):
        mine.access_token()
    assert store.tokens is not None and store.tokens.access_token == "canary-access-1"


class Forgetful:
    """A store whose changes fail when they are to be made safe."""

    def __init__(self, tokens: Optional[Tokens]) -> None:
        self.tokens = tokens
        self.fails = True

    def load(self) -> Optional[Tokens]:
        return self.tokens

    @contextlib.contextmanager
    def locked(self) -> Iterator[LockedTokens]:
        held = TokenMemory(self.tokens)
        yield held
        if self.fails:
            raise OSError("disk full")
        self.tokens = held.load()


def test_commit_fails(authority: Authority) -> None:
    """Nor are they given out when the store fails in the very end."""
    store = Forgetful(STALE)
    mine = AccountClient(authority, store, wall=lambda: NOW)
    with pytest.raises(TokensNotKept, match="disk full"):
        mine.access_token()
    assert store.tokens == STALE
    store.fails = False
    assert mine.access_token() == "canary-access-1"
    assert authority.asked == [REFRESH]


def test_unreadable_store(authority: Authority, watch: Watch) -> None:
    """A store that cannot be read is named, not hidden."""

    class Broken(TokenMemory):
        def load(self) -> Any:
            raise OSError("disk is gone")

    with pytest.raises(TokensNotKept, match="OSError: disk is gone") as caught:
        AccountClient(authority, Broken()).access_token()
    watch.see(caught.value)


def test_saver_that_asks_for_a_token(authority: Authority) -> None:
    """A saver that wants a token waits for itself: it is told so, and does not hang."""
    mine: AccountClient

    def save(tokens: Tokens) -> None:
        mine.access_token()

    mine = AccountClient(authority, TokenMemory(STALE, save), wall=lambda: NOW)
    with pytest.raises(TokensNotKept) as caught:
        mine.access_token()
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_nothing_is_asked_that_could_not_be_kept(authority: Authority) -> None:
    """A store that sees beforehand that it will fail keeps the refresh token from being spent."""

    class Full(TokenMemory):
        def reserve(self) -> None:
            raise OSError(28, "disk full")

    mine = AccountClient(authority, Full(STALE), wall=lambda: NOW)
    with pytest.raises(TokensNotKept, match="disk full"):
        mine.access_token()
    assert authority.asked == []


def test_refused_tokens_are_not_given_again(authority: Authority) -> None:
    """Whoever brings refused tokens gets others, though a renewal that began before the refusal
    ends with just these."""
    mine = AccountClient(authority, TokenMemory(GOOD), wall=lambda: NOW)
    began, go_on = threading.Event(), threading.Event()

    def of_before() -> Tokens:
        began.set()
        assert go_on.wait(SOON)
        return GOOD

    with ThreadPoolExecutor(2) as pool:
        before = pool.submit(mine._flights.do, of_before)
        assert began.wait(SOON)
        renewed = pool.submit(mine.renewed, GOOD)
        go_on.set()
        assert before.result(SOON) == GOOD
        assert renewed.result(SOON) != GOOD


def test_a_wrong_secret_may_become_a_right_one(authority: Authority) -> None:
    """Only a refused refresh token is final: who mends the client secret need not start anew."""
    mine = AccountClient(authority, TokenMemory(STALE), wall=lambda: NOW)

    def refuse() -> None:
        authority.before = lambda: None
        raise CredentialsRefused(401, "No", "invalid_client")

    authority.before = refuse
    with pytest.raises(CredentialsRefused):
        mine.access_token()
    assert mine.access_token() == "canary-access-1"


async def keep_later(tokens: Tokens) -> None: ...


@pytest.mark.parametrize("save", [keep_later, None, "file"])
def test_saver_that_keeps_nothing_is_refused(save: Any) -> None:
    with pytest.raises(TypeError, match="save: expected a function"):
        TokenMemory(GOOD, save)


def test_saver_that_returns_a_coroutine_keeps_nothing(authority: Authority) -> None:
    """The tokens are not kept then, which is said; they are not lost."""
    mine = AccountClient(authority, TokenMemory(STALE, lambda new: keep_later(new)),
                         wall=lambda: NOW)
    with pytest.raises(TokensNotKept):
        mine.access_token()
    assert authority.issued == 1
    with pytest.raises(TokensNotKept):
        mine.access_token()
    assert authority.issued == 1
