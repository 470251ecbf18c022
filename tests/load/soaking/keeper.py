"""Keeps a client's session: opens it, brings it back where the SDK does not, and now and then
ends it."""

from __future__ import annotations

import random
import threading
import time
from typing import Any, Callable, List, Optional

from keyyo_cti import CTI, KeyyoError

from .diary import LATE, Closing, Diary, Ended, Opened, Opening
from .findings import LOST, WRONG, Findings
from .patience import PATIENCE
from .provider import Provider
from .standing import Standing
from .tally import Tally

#: Seconds between two ends that the program wants, on average.
_BETWEEN_ENDS = 40.0

#: Seconds by which ``close()`` has returned.
_TOO_LATE = 30.0


class Keeper:
    """The thread that has to do with the session of one client.

    :param calm: set when the program ends no session any more.
    :param over: set when it opens none any more.
    """

    def __init__(
        self,
        who: str,
        cti: CTI,
        diary: Diary,
        provider: Provider,
        standing: Standing,
        dice: random.Random,
        cookies: bool,
        calm: threading.Event,
        over: threading.Event,
        tally: Tally,
        findings: Findings,
    ) -> None:
        self._who = who
        self._cti = cti
        self._diary = diary
        self._provider = provider
        self._standing = standing
        self._dice = dice
        self._cookies = cookies
        self._calm = calm
        self._over = over
        self._tally = tally
        self._findings = findings
        self._fallen = threading.Event()
        #: Set while there is a session, and nothing but a fault will end it.
        self.settled = threading.Event()
        self._session_id: Optional[str] = None
        #: How often the program has asked for the end of its session.
        self.destroyed = 0

    def fell(self) -> None:
        """There is no session any more, and the SDK will not bring it back."""
        self._fallen.set()

    def run(self) -> None:
        """Keeps it, until all is over."""
        while not self._over.is_set():
            if not self._open():
                self._over.wait(self._dice.uniform(0.05, 0.4))
            elif not self._last():
                self._end()

    def _last(self) -> bool:
        """Whether the session has come to an end that nobody here wanted; else it is time that
        somebody does."""
        until = time.monotonic() + self._dice.expovariate(1 / _BETWEEN_ENDS)
        while not self._calm.is_set() and time.monotonic() < until:
            if self._fallen.wait(min(1.0, until - time.monotonic())):
                return True
        if not self._calm.is_set():
            return False
        self.settled.set()
        while not self._fallen.wait(1.0) and not self._over.is_set():
            pass
        self.settled.clear()
        return True

    # Opening.

    def _open(self) -> bool:
        """Asks for a session; whether there is one."""
        token = self._provider.plain()
        # Before anything can be asked of the new session.
        self._standing.doubt()
        self._diary.write(Opening)
        if self._session_id is not None and self._dice.random() < 0.8:
            session_id = None if self._cookies else self._session_id
            error = self._answered(
                lambda done: self._cti.restore_session(token, session_id, done))
            if error is not None and error.error_code == "invalid_session_id":
                self._session_id = None
        else:
            error = self._answered(lambda done: self._cti.create_session(token, done))
        if error is None:
            self._session_id = self._cti.session_id
        return error is None

    def _answered(
        self, ask: Callable[[Callable[[Any, Any], None]], Any]
    ) -> Optional[KeyyoError]:
        called = threading.Event()
        errors: List[Optional[KeyyoError]] = []

        def done(error: Optional[KeyyoError], result: Any) -> None:
            errors.append(error)
            if error is None:
                # An end that was told before was that of an attempt which failed.
                self._fallen.clear()
                self._diary.write(Opened)
            called.set()

        ask(done)
        self._wait(called, "a request for a session")
        return errors[0] if errors else KeyyoError(500, "never called back")

    # Ending.

    def _end(self) -> None:
        chance = self._dice.random()
        if chance < 0.2:
            self._close()
        elif chance < 0.4:
            thread = threading.Thread(target=self._close, name="soak-closer", daemon=True)
            thread.start()
            thread.join()
        elif chance < 0.6:
            self._close_in_a_callback()
        else:
            self._destroy()

    def _close(self) -> None:
        self._tally.add("close()")
        self._diary.write(Closing)
        began = time.monotonic()
        self._cti.close()
        took = time.monotonic() - began
        if took > _TOO_LATE:
            self._findings.add(WRONG, self._who, f"close() took {took:.1f} s")
        self._ended("closed" if took < LATE else "closed late")

    def _close_in_a_callback(self) -> None:
        self._tally.add("close() in a callback")
        called = threading.Event()

        def close(error: Optional[KeyyoError], result: Any) -> None:
            self._diary.write(Closing)
            self._cti.close()
            self._ended("closed inside")
            called.set()

        self._cti.ping(close)
        self._wait(called, "a ping")

    def _destroy(self) -> None:
        self._tally.add("destroy_session")
        self.destroyed += 1
        called = threading.Event()
        gone: List[bool] = []

        def destroyed(error: Optional[KeyyoError], result: Any) -> None:
            if error is None:
                gone.append(True)
                self._ended("destroyed")
            called.set()

        self._cti.destroy_session(destroyed)
        self._wait(called, "destroy_session")
        if gone:
            self._session_id = None
        elif not self._last():
            self._close()

    def _ended(self, how: str) -> None:
        self._diary.write(Ended, how)
        self._provider.excuse()

    def _wait(self, called: threading.Event, what: str) -> None:
        if not called.wait(PATIENCE):
            self._findings.add(LOST, self._who, f"the callback of {what} was never called")
