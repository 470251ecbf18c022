"""A program with a CatchUp, and a history that a test writes."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, Iterator, List, Optional, Tuple

from keyyo_cti import CTI, Backoff
from keyyo_cti.call_history import CallRecord
from keyyo_cti.catch_up import CatchUp, CaughtUp
from keyyo_cti.simulator import Line, Simulator

from .probe import PATIENCE, Record

QUICK: Any = {"quiet": 0.3, "limit": 2.0}
BACKOFF = Backoff(first=0.01, longest=0.02)
BOB, CAROL = "33199020000", "33199020001"


class Books:
    """A history that a test writes. It has the call's records from then on."""

    def __init__(self) -> None:
        self.records: List[CallRecord] = []
        self.asked: List[Tuple[Optional[str], float, float]] = []
        self.error: Optional[BaseException] = None
        self.hangs: Optional[threading.Event] = None

    def history(self, csi: Optional[str], since: float, until: float) -> Iterator[CallRecord]:
        self.asked.append((csi, since, until))
        if self.hangs is not None:
            self.hangs.wait(PATIENCE)
        if self.error is not None:
            raise self.error
        return iter([each for each in self.records if since <= each.start_time < until])

    def write(self, caller: str, line: Line, start: float, seconds: int = 0) -> CallRecord:
        record = CallRecord(
            str(len(self.records)), line.number, start, caller, line.number, "in",
            seconds=seconds,
        )
        self.records.append(record)
        return record


class Program:
    """A program with a CatchUp: its events in order, and what it caught up."""

    def __init__(self, sim: Simulator, alice: Line, manager: Any, **options: Any) -> None:
        self.sim, self.alice = sim, alice
        self.told = Record()
        catch_up = CatchUp(manager, alice.number, **{**QUICK, **options.pop("catch_up", {})})
        options.setdefault("token_provider", lambda: sim.token(alice))
        self.cti = CTI(
            endpoint=sim.endpoint, cookie_auto=False, catch_up=catch_up, backoff=BACKOFF, **options
        )
        self.cti.onNewCall = lambda call: self.told.add((call.state, call.callref))
        self.cti.onRestored = lambda info: self.told.add(("restored", info))
        self.cti.onCaughtUp = lambda records: self.told.add(("caughtUp", records))
        self.cti.create_session(sim.token(alice)).result(PATIENCE)

    def of(self, kind: str) -> List[Any]:
        return [each for name, each in self.told.items if name == kind]

    def wait_for_records(self, count: int = 1) -> CaughtUp:
        self.told.wait(lambda _: len(self.of("caughtUp")) >= count, f"{count} of caughtUp")
        records: CaughtUp = self.of("caughtUp")[count - 1]
        return records

    def during_gap(self, act: Callable[[], object], wait: bool = True) -> None:
        """Cut the connection, act, and let it come back."""
        count = len(self.of("restored"))
        self.sim.faults.refuse("connect")
        self.sim.faults.close()
        self.sim.wait_for_session(self.alice, PATIENCE, counter=0)
        act()
        self.sim.faults.let_through("connect")
        if wait:
            self.told.wait(lambda _: len(self.of("restored")) > count, "restored")


def miss_a_call(sim: Simulator, books: Books, alice: Line) -> CallRecord:
    bob = sim.phone(BOB)
    bob.call(alice)
    bob.hang_up()
    return books.write(BOB, alice, time.time())
