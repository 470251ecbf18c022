"""The whole soak: everything is set up, let loose for a while, brought to rest, and compared."""

from __future__ import annotations

import random
import socket
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, NamedTuple

from keyyo_cti._display.dates import ENDED
from keyyo_cti.simulator import Simulator

from .chaos import Chaos
from .client import Client, Shared
from .findings import LOST, REPEATED, WRONG, Findings
from .lag import Lag
from .leftovers import Leftovers
from .moments import restorations_timed
from .patience import PATIENCE, patiently
from .plan import plan
from .tags import Tags
from .tally import Tally
from .town import Town
from .truth import Truth
from .wiretap import Wiretap

#: Seconds between two looks of the model, and between two reports.
_LOOK, _REPORT = 3.0, 30.0

#: Seconds after which an unanswered call is missed, and after which a session that nobody is
#: connected to is destroyed.
_RING, _SESSION = 2.0, 3.0

#: How often rest is looked for in the end, before it is given up.
_TRIES = 8


@dataclass(frozen=True)
class Settings:
    """What a soak is to be like.

    :ivar seconds: of traffic and faults.
    :ivar clients: how many.
    :ivar faults_per_second: on average.
    :ivar seed: of all that is random.
    :ivar threads: of each client that send commands.
    :ivar commands_per_second: of each of these threads.
    :ivar people: with telephones.
    :ivar deeds_per_second: of each of them.
    """

    seconds: float
    clients: int
    faults_per_second: float
    seed: int
    threads: int = 3
    commands_per_second: float = 2.0
    people: int = 3
    deeds_per_second: float = 6.0


class Figures(NamedTuple):
    """What came of it.

    :ivar seconds: of traffic and faults.
    :ivar lag: how late the machine was at its worst, in seconds.
    :ivar changes: of calls, by what came of them.
    """

    seconds: float
    lag: float
    changes: Mapping[str, int]
    faults: Mapping[str, int]
    deeds: Mapping[str, int]
    outcomes: Mapping[str, int]
    events: Mapping[str, int]
    connections: Mapping[str, int]
    findings: Findings


class Stage:
    """A soak, once.

    :param say: is told how it goes, in lines.
    """

    def __init__(self, settings: Settings, say: Callable[[str], object]) -> None:
        self._settings = settings
        self._say = say
        self._findings = Findings(say)
        self._calm, self._over = threading.Event(), threading.Event()
        self._outcomes, self._events = Tally(), Tally()
        self._wiretap = Wiretap(self._findings)
        self._lag = Lag()

    def run(self) -> Figures:
        """Lets it go, and gives the figures."""
        with Leftovers(self._findings), tempfile.TemporaryDirectory() as folder:
            with restorations_timed(), Simulator(
                port=_port(), heartbeat=0.5, disconnect_delay=2.0, stream_limit=16 * 1024,
                session_timer=_SESSION, ring_timeout=_RING, park_slots=20,
            ) as sim:
                try:
                    with self._lag:
                        return self._play(sim, folder)
                finally:
                    self._calm.set()
                    self._over.set()

    def _play(self, sim: Simulator, folder: str) -> Figures:
        settings = self._settings
        lines = [sim.line(f"33199000{number:03d}") for number in range(1, settings.clients + 1)]
        numbers = [line.number for line in lines]
        sim.on_traffic(self._wiretap)
        truth = Truth(numbers)
        sim.on_call_change(truth)
        shared = Shared(
            sim, settings.seed, numbers, self._wiretap, truth, Tags(), self._outcomes,
            self._events, self._findings, self._calm, self._over, folder,
            lambda index: chaos.last(index),
            lambda index, begin, end: chaos.between(index, begin, end), self._lag.worst)
        clients = [
            Client(shared, index, settings.threads, settings.commands_per_second)
            for index in range(settings.clients)
        ]
        town = Town(
            sim, lines, settings.people, settings.deeds_per_second, settings.seed, self._calm,
            self._findings)
        chaos = Chaos(
            sim, plan(settings.seed, settings.clients, settings.faults_per_second), numbers,
            [client.provider for client in clients], self._wiretap,
            random.Random(f"{settings.seed} chaos"), self._calm, self._findings)
        began = time.monotonic()
        for client in clients:
            client.start()
        town.start()
        chaos.start()
        self._watch(clients, chaos, began)
        self._calm.set()
        town.join()
        chaos.finish()
        seconds = time.monotonic() - began
        self._rest(sim, clients)
        self._over.set()
        for client in clients:
            client.close()
        self._settle(clients)
        changes: "Counter[str]" = Counter()
        for client in clients:
            changes += client.account.settle()
        return Figures(
            seconds, self._lag.worst(began, time.monotonic()),
            dict(changes.most_common()), chaos.tally.counts(),
            town.tally.counts(), self._outcomes.counts(),
            self._events.counts(), self._wiretap.connections(), self._findings)

    def _watch(self, clients: List[Client], chaos: Chaos, began: float) -> None:
        report_at = began + _REPORT
        ends = began + self._settings.seconds
        while True:
            left = ends - time.monotonic()
            if left <= 0:
                return
            self._calm.wait(min(_LOOK, left))
            for client in clients:
                client.read()
            if time.monotonic() >= report_at:
                report_at += _REPORT
                self._report(clients, chaos, began)

    def _report(self, clients: List[Client], chaos: Chaos, began: float) -> None:
        connected = sum(client.cti.connected for client in clients)
        counts = self._findings.counts()
        self._say(
            f"{time.monotonic() - began:6.0f} s: {chaos.tally.total()} faults, "
            f"{self._outcomes.total()} commands, {self._events.counts().get('newCall', 0)} calls "
            f"notified, {connected} of {len(clients)} connected; lost {counts[LOST]}, "
            f"repeated {counts[REPEATED]}, wrong {counts[WRONG]}")

    # The end.

    def _rest(self, sim: Simulator, clients: List[Client]) -> None:
        """Everybody is dropped once more, comes back, and must know then what the server knows."""
        for client in clients:
            client.rest()
        if not self._all_back(clients):
            return
        for client in clients:
            if client.kind.restores:
                client.standing.look()
        patiently(sim.faults.drop)
        for _ in range(_TRIES):
            if not self._all_back(clients):
                return
            before = self._when_nothing_rings(sim)
            if all([client.mark() for client in clients]) and before == _going_on(sim):
                for client in clients:
                    client.read()
                    self._compare(client, before)
                return
        self._findings.add(WRONG, "the soak", "there was no rest in the end")

    def _all_back(self, clients: List[Client]) -> bool:
        """Whether every client has a session again."""
        away = [client for client in clients if not client.is_back()]
        for client in away:
            self._findings.add(LOST, client.who, "does not come back")
        return not away

    def _when_nothing_rings(self, sim: Simulator) -> Dict[str, Mapping[str, Any]]:
        """The calls that go on, once none of them will change by itself."""
        until = time.monotonic() + PATIENCE
        while True:
            calls = _going_on(sim)
            ringing = any(call["state"] == "SETUP" for call in calls.values())
            if not ringing or time.monotonic() > until:
                return calls
            self._wiretap.wait_for_a_passage(0.5)

    def _compare(self, client: Client, going_on: Dict[str, Mapping[str, Any]]) -> None:
        """What a client knows, against what its model says, and against the server's truth."""
        model = client.model
        model.finish()
        known = {call.callref: call for call in client.cti.get_calls()}
        for ref in sorted({*known, *model.memory.calls} - model.unheard):
            knows = dict(known[ref].fields) if ref in known else None
            if knows != model.memory.calls.get(ref):
                self._findings.add(
                    WRONG, client.who,
                    f"knows {knows}, and was told {model.memory.calls.get(ref)}")
        stale = {ref for ref, call in known.items() if call.stale}
        wrong = (stale ^ model.memory.stale) - model.unheard
        if wrong:
            self._findings.add(
                WRONG, client.who, f"wrongly stale: {sorted(wrong & stale)}, "
                f"wrongly not stale: {sorted(wrong - stale)}")
        for callref, call in known.items():
            if call.state in ENDED or call.stale:
                continue
            if dict(call.fields) != going_on.get(callref):
                self._findings.add(
                    LOST, client.who,
                    f"{dict(call.fields)} is {going_on.get(callref)} by now, and nobody said so")
        self._compare_restored(client, set(known) - stale, going_on)

    def _compare_restored(
        self, client: Client, known: "set[str]", going_on: Dict[str, Mapping[str, Any]]
    ) -> None:
        """A session that was restored is told again all the calls that go on at its numbers."""
        wire = client.model.wire
        if wire is None or wire.opened_by != "restore_session":
            return
        for callref, call in going_on.items():
            if client.line in (call["caller"], call["callee"]) and callref not in known:
                self._findings.add(LOST, client.who, f"{dict(call)} was not told again")

    def _settle(self, clients: List[Client]) -> None:
        heard = self._wiretap.heard
        for client in clients:
            client.read()
            client.errands.settle_all()
            client.handlers.check_raised()
            for tag in client.errands.unseen():
                if tag in heard:
                    self._findings.add(
                        WRONG, client.who, f"command {tag} was never sent, and came in")
            self._count(client)
            if client.model.life.state != "closed":
                self._findings.add(WRONG, client.who, f"is {client.model.life.state} in the end")

    def _count(self, client: Client) -> None:
        """No more commands may have come in than were sent; of some that is all that is known."""
        for action, heard in self._wiretap.heard_of(client.line).items():
            sent = client.errands.sent(action)
            if sent and heard > sent:
                self._findings.add(
                    REPEATED, client.who, f"{action} came in {heard} times, and was sent {sent}")


def _going_on(sim: Simulator) -> Dict[str, Mapping[str, Any]]:
    calls = patiently(sim.calls)
    return {call.callref: call.as_wire() for call in calls if call.state not in ENDED}


def _port() -> int:
    """A port below those that the system gives to clients: while nobody listens, one of them
    could be given this one, and then connect to itself."""
    dice = random.Random()
    while True:
        port = dice.randrange(15_000, 30_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
