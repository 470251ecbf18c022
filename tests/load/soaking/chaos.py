"""Does the faults of a plan to a simulator."""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
from collections import deque
from typing import Callable, Deque, Iterator, List, Optional, Sequence, Tuple

from keyyo_cti.simulator import Simulator

from .findings import WRONG, Findings
from .junk import DEADLY, JUNK
from .patience import patiently
from .plan import Fault
from .provider import Provider
from .tally import Tally
from .wiretap import Wiretap

#: How many faults are remembered.
_KEPT = 5000

#: How many of them a finding shows.
_SHOWN = 60

#: Actions that are refused for their token.
_OPENING = ("create_session", "restore_session")


class Chaos:
    """The thread that does the faults, and takes away those that last.

    Each method that begins with ``do_`` is a kind of fault. It gives what takes it away again,
    if there is something to take away.

    :param lines: of the clients.
    :param providers: of the clients.
    :param stop: set when there are to be no more.
    """

    def __init__(
        self,
        sim: Simulator,
        faults: Iterator[Fault],
        lines: Sequence[str],
        providers: Sequence[Provider],
        wiretap: Wiretap,
        dice: random.Random,
        stop: threading.Event,
        findings: Findings,
    ) -> None:
        self._sim = sim
        self._faults = faults
        self._lines = lines
        self._providers = providers
        self._wiretap = wiretap
        self._dice = dice
        self._stop = stop
        self._findings = findings
        self._undoing: List[Tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self.tally = Tally()
        self._done: Deque[Tuple[float, Fault]] = deque(maxlen=_KEPT)
        self._thread = threading.Thread(target=self._run, name="soak-chaos", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        """Waits for the thread, which `stop` ends, and takes every fault away."""
        self._thread.join()
        for _, _, undo in self._undoing:
            patiently(undo)
        # Before those that are silent can speak again, see `_end_silence`.
        patiently(self._sim.faults.drop)
        patiently(self._sim.faults.clear)

    def last(self, client: int) -> List[str]:
        """The last faults that a client met, and those that all did, for who wonders."""
        return [
            f"{at:12.3f} {fault.kind} {fault.detail}, for {fault.lasts:g} s"
            for at, fault in list(self._done)[-_SHOWN:] if fault.client in (None, client)
        ]

    def between(self, client: int, begin: float, end: float) -> List[str]:
        """The faults that a client met between two monotonic times, and those that all did."""
        return [
            f"{at:12.3f} {fault.kind} {fault.detail}, for {fault.lasts:g} s"
            for at, fault in list(self._done)
            if fault.client in (None, client) and begin <= at <= end
        ]

    def _run(self) -> None:
        began = time.monotonic()
        for fault in self._faults:
            if not self._wait_until(began + fault.at):
                return
            try:
                self._do(fault)
            except Exception as error:
                self._findings.add(WRONG, "chaos", f"{fault} cannot be done: {error!r}")

    def _wait_until(self, due: float) -> bool:
        """Takes away what is due until then; whether to go on."""
        while True:
            first = self._undoing[0][0] if self._undoing else due
            if self._stop.wait(max(0.0, min(first, due) - time.monotonic())):
                return False
            if first > due:
                return True
            if not self._undoing:
                return True
            _, _, undo = heapq.heappop(self._undoing)
            patiently(undo)

    def _do(self, fault: Fault) -> None:
        do: Callable[[Fault], Optional[Callable[[], object]]] = getattr(self, f"do_{fault.kind}")
        undo = patiently(lambda: do(fault))
        self.tally.add(fault.kind)
        self._done.append((time.monotonic(), fault))
        if undo is not None:
            ends = time.monotonic() + fault.lasts
            heapq.heappush(self._undoing, (ends, next(self._order), undo))

    def _line(self, fault: Fault) -> str:
        assert fault.client is not None
        return self._lines[fault.client]

    # On open connections.

    def do_drop(self, fault: Fault) -> None:
        self._sim.faults.drop(self._line(fault))

    def do_drop_all(self, fault: Fault) -> None:
        self._sim.faults.drop()

    def do_reset(self, fault: Fault) -> None:
        self._sim.faults.reset(self._line(fault))

    def do_close(self, fault: Fault) -> None:
        code, reason = fault.detail
        self._sim.faults.close(code, reason, self._line(fault))

    def do_silence(self, fault: Fault) -> Callable[[], object]:
        self._sim.faults.silence(self._line(fault))
        return self._end_silence(fault)

    def do_stop_reading(self, fault: Fault) -> Callable[[], object]:
        self._sim.faults.stop_reading(self._line(fault))
        return self._end_silence(fault)

    def do_cut(self, fault: Fault) -> Optional[Callable[[], object]]:
        then = fault.detail[0]
        self._sim.faults.cut(self._line(fault), then=then)
        return self._end_silence(fault) if then == "silence" else None

    def do_garble(self, fault: Fault) -> None:
        self._sim.faults.garble(self._line(fault), part=fault.detail[0])

    def do_garbage(self, fault: Fault) -> None:
        self._sim.faults.garbage(JUNK[fault.detail[0]], self._line(fault))

    def do_deadly_garbage(self, fault: Fault) -> None:
        self._sim.faults.garbage(DEADLY[fault.detail[0]], self._line(fault))

    def do_repeat(self, fault: Fault) -> None:
        """Notifies again what was notified before: the last state of a call, or an older one."""
        told = self._wiretap.told(self._line(fault))
        again = [self._dice.choice(told) for _ in range(fault.detail[0]) if told]
        if again:
            messages = [{"notify": "call", "call": dict(call)} for call in again]
            self._sim.push(self._line(fault), *messages, packed=self._dice.random() < 0.5)

    # Before the answer to a command.

    def do_drop_on(self, fault: Fault) -> None:
        self._sim.faults.drop(self._line(fault), on=fault.detail[0])

    def do_reset_on(self, fault: Fault) -> None:
        self._sim.faults.reset(self._line(fault), on=fault.detail[0])

    def do_close_on(self, fault: Fault) -> None:
        self._sim.faults.close(line=self._line(fault), on=fault.detail[0])

    def do_garbage_on(self, fault: Fault) -> None:
        junk = self._dice.choice(list(JUNK.values()))
        self._sim.faults.garbage(junk, self._line(fault), on=fault.detail[0])

    def do_silence_on(self, fault: Fault) -> Callable[[], object]:
        self._sim.faults.silence(self._line(fault), on=fault.detail[0])
        return self._end_silence(fault)

    def do_fail(self, fault: Fault) -> None:
        action, status, message = fault.detail
        self._sim.faults.fail(action, status, message, self._line(fault))

    def do_ignore(self, fault: Fault) -> None:
        self._sim.faults.ignore(fault.detail[0], self._line(fault), times=1)

    # On what opens.

    def do_stall(self, fault: Fault) -> Callable[[], object]:
        self._sim.faults.stall(fault.detail[0])
        return lambda: self._sim.faults.let_through(fault.detail[0])

    def do_refuse(self, fault: Fault) -> Callable[[], object]:
        what, status, reset = fault.detail
        self._sim.faults.refuse(what, status, reset=reset)
        return lambda: self._sim.faults.let_through(what)

    def do_maintenance_page(self, fault: Fault) -> Callable[[], object]:
        self._sim.faults.page(fault.detail[0])
        return lambda: self._sim.faults.let_through(fault.detail[0])

    def do_firewall_page(self, fault: Fault) -> Callable[[], object]:
        what, status = fault.detail
        self._sim.faults.page(what, status, "<html>Access denied by the firewall</html>")
        return lambda: self._sim.faults.let_through(what)

    def do_proxy_time_out(self, fault: Fault) -> Callable[[], object]:
        what, seconds = fault.detail
        self._sim.faults.time_out(what, seconds)
        return lambda: self._sim.faults.let_through(what)

    def do_too_many_sessions(self, fault: Fault) -> None:
        self._sim.faults.fail(fault.detail[0], 403, "Too many sessions")

    def do_fail_opening(self, fault: Fault) -> None:
        action, status, message, times = fault.detail
        self._sim.faults.fail(action, status, message, times=times)

    def do_ignore_opening(self, fault: Fault) -> None:
        action, times = fault.detail
        self._sim.faults.ignore(action, times=times)

    def do_drop_on_opening(self, fault: Fault) -> None:
        self._sim.faults.drop(on=fault.detail[0])

    def do_reset_on_opening(self, fault: Fault) -> None:
        self._sim.faults.reset(on=fault.detail[0])

    def do_refuse_token(self, fault: Fault) -> None:
        action = self._dice.choice(_OPENING)
        self._sim.faults.fail(action, 400, "Invalid token (expired)")

    # On what lasts.

    def do_forget_session(self, fault: Fault) -> None:
        self._sim.faults.forget_sessions(self._line(fault))

    def do_expire_token(self, fault: Fault) -> None:
        self._end_token(fault, self._sim.expire_token)

    def do_revoke_token(self, fault: Fault) -> None:
        self._end_token(fault, self._sim.revoke_token)

    def do_restart(self, fault: Fault) -> Callable[[], object]:
        """A server that goes down with all its sessions, and comes back on the same port. The
        telephones go on meanwhile."""
        self._sim.faults.refuse("connect")
        self._sim.faults.drop()
        self._sim.faults.forget_sessions()
        return lambda: self._sim.faults.let_through("connect")

    def _end_silence(self, fault: Fault) -> Callable[[], object]:
        """How a silence ends: with the connection. TCP loses nothing of a connection that goes
        on, and a client could not know of what a server has left out."""
        return lambda: self._sim.faults.drop(self._line(fault))

    def _end_token(self, fault: Fault, end: Callable[[str], None]) -> None:
        assert fault.client is not None
        token = self._providers[fault.client].current
        if token is not None:
            try:
                end(token)
            except ValueError:
                pass  # Revoked before.
