"""A client: a CTI, the threads that use it, and what is written of both."""

from __future__ import annotations

import queue
import random
import threading
import time
from concurrent.futures import Future
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

from keyyo_cti import CTI, ConnectionClosed, KeyyoError, UnreadableMessage
from keyyo_cti.backoff import Backoff
from keyyo_cti.simulator import Simulator

from .account import Account
from .commands import Chosen, Commands
from .diary import Closing, Diary, Ended
from .errands import Errands
from .findings import LOST, WRONG, Findings
from .handlers import Handlers
from .keeper import Keeper
from .mischief import Dismissed, Mischief
from .model import Model
from .patience import PATIENCE, patiently
from .provider import KeepingProvider, Provider
from .standing import Standing
from .tags import Tags
from .tally import Tally
from .truth import Truth
from .wiretap import Wiretap

_TRANSPORTS: Sequence[Optional[List[str]]] = (
    ["websocket"], ["xhr-streaming"], ["xhr-polling"], None,
)

_DISPATCH = ("thread", "thread", "manual", "function")


class Kind(NamedTuple):
    """What sort of client it is.

    :ivar transports: the option; None is for all, one after the other.
    :ivar restores: by itself, or by hand when it is disconnected.
    :ivar dispatch: "thread", "manual" or "function".
    :ivar keeps_token: whether its provider keeps a token until it is refused.
    :ivar cookies: whether it keeps its session in a cookie.
    :ivar max_backlog: the option.
    """

    transports: Optional[List[str]]
    restores: bool
    dispatch: str
    keeps_token: bool
    cookies: bool
    max_backlog: int

    def __str__(self) -> str:
        way = "/".join(self.transports or ["any transport"])
        how = "by itself" if self.restores else "by hand"
        return f"{way}, {self.dispatch}, restored {how}"


def kind_of(index: int) -> Kind:
    """That of the client of this number, so that few of them have much of it."""
    return Kind(
        transports=_TRANSPORTS[index % 4],
        restores=(index // 4 + index) % 4 != 3,
        dispatch=_DISPATCH[(index // 2) % 4],
        keeps_token=index % 2 == 0,
        cookies=index % 3 == 0,
        max_backlog=30 if index % 5 == 0 else 100_000,
    )


class Shared(NamedTuple):
    """What all clients have in common.

    :ivar seed: of all dice.
    :ivar lines: their numbers, by client.
    :ivar calm: set when the traffic ends.
    :ivar over: set when nobody opens a session any more.
    :ivar folder: for session cookies.
    :ivar faults: tells the last faults that a client met.
    :ivar faults_between: tells those of a time.
    :ivar lag: tells how late the machine was between two times.
    """

    sim: Simulator
    seed: int
    lines: Sequence[str]
    wiretap: Wiretap
    truth: Truth
    tags: Tags
    outcomes: Tally
    events: Tally
    findings: Findings
    calm: threading.Event
    over: threading.Event
    folder: str
    faults: Callable[[int], List[str]]
    faults_between: Callable[[int, float, float], List[str]]
    lag: Callable[[float, float], float]


class Client:
    """One client, on a line of its own.

    :param index: which one.
    :param threads: how many send commands.
    :param per_second: commands of each of them, on average.
    """

    def __init__(self, shared: Shared, index: int, threads: int, per_second: float) -> None:
        self.kind = kind_of(index)
        self.line = shared.lines[index]
        self.who = f"client {index} ({self.kind})"
        self._shared = shared
        self._index = index
        self._per_second = per_second
        self._closed = threading.Event()
        self._work: "queue.Queue[Callable[[], None]]" = queue.Queue()
        self.diary = Diary()
        self.errands = Errands(self.who, shared.outcomes, shared.findings)
        make = KeepingProvider if self.kind.keeps_token else Provider
        self.provider = make(
            self.who, lambda: patiently(lambda: shared.sim.token(self.line)),
            self._dice("provider"), shared.calm, shared.events, shared.findings)
        self.cti = CTI(self._options())
        others = [line for line in shared.lines if line != self.line]
        self.standing = Standing(
            self.who, self.cti, [*others, "callpark"], self.mark, self._dice("standing"),
            shared.findings)
        self.keeper = Keeper(
            self.who, self.cti, self.diary, self.provider, self.standing, self._dice("keeper"),
            self.kind.cookies, shared.calm, shared.over, shared.events, shared.findings)
        self.handlers = Handlers(
            self.who, self.cti, self.diary, self._dice("handlers"), shared.calm, shared.events,
            shared.findings)
        self.model = Model(
            self.who, self.line, self.kind.restores, shared.wiretap, self.errands,
            shared.findings, events_precede_close=self.kind.dispatch == "thread",
            is_meant=self._is_meant, may_lose=self._may_lose,
            faults=lambda: shared.faults(index))
        self.account = Account(
            self.who, self.kind.restores, lambda: shared.truth.of(self.line),
            lambda: shared.wiretap.garbled(self.line), shared.findings, self._answered_at,
            lambda begin, end: shared.faults_between(index, begin, end), shared.lag)
        self._commands = Commands(self.cti, self._dice("echo"), shared.lines)
        self._set_handlers()
        self._make_threads(threads)

    # From the stage.

    def start(self) -> None:
        for thread in (*self._keeping, *self._commanding):
            thread.start()

    def rest(self) -> None:
        """Waits until nobody sends commands any more, which are told so by `calm`."""
        for thread in self._commanding:
            self._join(thread)

    def is_back(self) -> bool:
        """Waits until there is a session that lasts; whether a command is answered then."""
        until = time.monotonic() + PATIENCE
        while self.keeper.settled.wait(max(0.0, until - time.monotonic())):
            left = max(0.0, until - time.monotonic())
            if self.diary.wait(lambda: self.cti.connected, left) and self.mark():
                return True
            if not left:
                break
        return False

    def mark(self) -> bool:
        """Sends a command, and waits until its callback was called: then all is told that was
        sent before the answer.

        :returns: whether it was answered with success.
        """
        called = threading.Event()
        future = self._ask(self._commands.echo, "callback", called.set)
        if not called.wait(PATIENCE):
            self._complain(LOST, f"a callback was not called within {PATIENCE:g} s")
            return False
        return future.exception(0) is None

    def read(self) -> None:
        """Has the model read on in the diary, which is forgotten as far as it is read."""
        entries = self.diary.tear_out()
        self.model.read(entries)
        self.account.read(entries)
        self.errands.settle()

    def close(self) -> None:
        """Closes for good, and waits for the threads."""
        self.diary.write(Closing)
        self.cti.close()
        self.diary.write(Ended, "closed late")
        self._closed.set()
        for thread in self._keeping:
            self._join(thread)

    # The threads.

    def _make_threads(self, commanders: int) -> None:
        self._commanding = [self._thread("standing", self._change_standing)]
        for number in range(commanders):
            dice = self._dice(f"commander {number}")
            self._commanding.append(self._thread(f"commander-{number}", self._commander(dice)))
        self._keeping = [self._thread("keeper", self.keeper.run)]
        if self.kind.dispatch == "manual":
            self._keeping.append(self._thread("poller", self._poll))
        elif self.kind.dispatch == "function":
            self._keeping.append(self._thread("worker", self._do_work))

    def _thread(self, name: str, run: Callable[[], None]) -> threading.Thread:
        return threading.Thread(target=run, name=f"soak-{self._index}-{name}", daemon=True)

    def _join(self, thread: threading.Thread) -> None:
        thread.join(PATIENCE)
        if thread.is_alive():
            self._complain(WRONG, f"{thread.name} does not end")

    def _commander(self, dice: random.Random) -> Callable[[], None]:
        commands = Commands(self.cti, dice, self._shared.lines)

        def run() -> None:
            while not self._shared.calm.wait(dice.expovariate(self._per_second)):
                future = self._ask(
                    commands.choose, dice.choice(("callback", "callback", "future")))
                if dice.random() < 0.2:
                    self._wait(future)

        return run

    def _change_standing(self) -> None:
        dice = self._dice("pace")
        while not self._shared.calm.wait(dice.expovariate(self._per_second / 4)):
            self.standing.change()
            if self.kind.restores and dice.random() < 0.5:
                self.standing.look()

    def _poll(self) -> None:
        while not self._closed.is_set():
            self.cti.poll(0.2)
        while self.cti.poll():
            pass

    def _do_work(self) -> None:
        while not (self._closed.is_set() and self._work.empty()):
            try:
                self._work.get(timeout=0.2)()
            except queue.Empty:
                pass

    # Commands.

    def _ask(
        self,
        choose: Callable[[int], Chosen],
        how: str,
        then: Optional[Callable[[], object]] = None,
    ) -> "Future[Any]":
        """Sends a command.

        :param how: "callback" or "future".
        :param then: what else the callback does.
        """
        tag = self._shared.tags.new()
        chosen = choose(tag)
        errand = self.errands.begin(
            chosen.what, tag, how == "callback", self.diary,
            then or (lambda: self.handlers.misbehave("a callback")))
        future: "Future[Any]" = chosen.ask(errand.callback if how == "callback" else None)
        errand.future = future
        return future

    def _wait(self, future: "Future[Any]") -> None:
        try:
            future.result(PATIENCE)
        except KeyyoError:
            pass
        except Exception as error:
            self._complain(LOST, f"a result() does not come: {error!r}")

    # Handlers.

    def _set_handlers(self) -> None:
        self.handlers.set()
        self.handlers.ask = lambda how: self._ask(self._commands.echo, how)
        self.handlers.wait = self._wait
        self.handlers.on_error = self._on_error
        if self.kind.restores:
            self.handlers.on_lost = self.keeper.fell
        else:
            self.handlers.on_disconnected = self.keeper.fell

    def _on_error(self, error: BaseException) -> None:
        if isinstance(error, KeyyoError):
            # A new session has not done what the old one had done, because of a fault.
            self.standing.doubt()

    def _is_meant(self, error: BaseException) -> bool:
        if isinstance(error, KeyyoError):
            return self.kind.restores and not isinstance(error, Dismissed)
        return isinstance(error, (Mischief, UnreadableMessage))

    def _may_lose(self, error: Any) -> bool:
        if isinstance(error, Dismissed):
            return True
        if isinstance(error, ConnectionClosed):
            # The connection went before the answer to destroy_session came.
            return error.sent and self.keeper.destroyed > 0
        refused = error.error_code == "invalid_csi_token"
        return refused and error.message in self._shared.wiretap.refused

    # Inside.

    def _answered_at(self, tag: int) -> Optional[float]:
        return self._shared.wiretap.answered_at(tag) if self.errands.answered(tag) else None

    def _options(self) -> Dict[str, Any]:
        options: Dict[str, Any] = {
            "endpoint": self._shared.sim.endpoint,
            "timeout": 5.0,
            "connect_timeout": 4.0,
            "ping_interval": 2.0,
            "heartbeat_timeout": 3.0,
            "max_ended_calls": None,
            "max_backlog": self.kind.max_backlog,
            "cookie_auto": self.kind.cookies,
            "proxies": {"no_proxy": "*"},
        }
        if self.kind.cookies:
            options["cookie_file"] = f"{self._shared.folder}/session-{self._index}"
        if self.kind.transports is not None:
            options["transports"] = self.kind.transports
        if self.kind.dispatch != "thread":
            manual = self.kind.dispatch == "manual"
            options["dispatch"] = "manual" if manual else self._work.put
        if self.kind.restores:
            options["token_provider"] = self.provider
            options["backoff"] = Backoff(first=0.05, longest=1.0)
        return options

    def _dice(self, what: str) -> random.Random:
        return random.Random(f"{self._shared.seed} {self._index} {what}")

    def _complain(self, kind: str, what: str) -> None:
        self._shared.findings.add(kind, self.who, what)
