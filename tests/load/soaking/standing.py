"""What a client's session is asked to keep, and whether it keeps it: subscriptions and the
auto-answer, which must survive a session that the server has destroyed."""

from __future__ import annotations

import random
import threading
from typing import Any, Callable, Dict, List, Optional, Sequence

from keyyo_cti import CTI, CommandTimeout, ConnectionClosed, KeyyoError

from .findings import LOST, Findings
from .patience import PATIENCE

#: How many subscriptions there may be at once.
_MOST = 3

#: How often in a row the server must keep something else before that is believed. While a
#: session is made anew, it does not keep everything yet.
_LOOKS = 4

_AUTO_ANSWER = "auto-answer"


class Standing:
    """The standing orders of one client, changed and looked at by one thread.

    :param others: the numbers that it may subscribe to.
    :param mark: waits until everything was told that had come to pass; whether there is a
        session.
    """

    def __init__(
        self,
        who: str,
        cti: CTI,
        others: Sequence[str],
        mark: Callable[[], bool],
        dice: random.Random,
        findings: Findings,
    ) -> None:
        self._who = who
        self._cti = cti
        self._others = others
        self._mark = mark
        self._dice = dice
        self._findings = findings
        self._lock = threading.Lock()
        # What is so, as far as it is known, and how often all of it came into doubt.
        self._known: Dict[str, Optional[bool]] = {}
        self._sessions = 0

    def doubt(self) -> None:
        """Nobody knows any more: the program asks for a session, or a new one has not done all
        that was asked of the old one."""
        with self._lock:
            self._sessions += 1
            self._known.clear()

    def change(self) -> None:
        """Changes something, and waits for the answer."""
        if self._dice.random() < 0.25:
            flag = self._dice.random() < 0.5
            self._set(_AUTO_ANSWER, flag, lambda: self._cti.set_auto_answer(flag))
            return
        number = self._dice.choice(self._others)
        with self._lock:
            there = [each for each in self._others if self._known.get(each)]
            known = self._known.get(number)
        if known is None:
            known = self._dice.random() < 0.6
        elif not known and len(there) >= _MOST:
            number, known = self._dice.choice(there), True
        if known:
            self._set(number, False, lambda: self._cti.unsubscribe(number))
        else:
            self._set(number, True, lambda: self._cti.subscribe(number))

    def look(self) -> None:
        """Looks whether the session keeps what it should."""
        problems: List[str] = []
        for _ in range(_LOOKS):
            try:
                problems = self._problems()
            except KeyyoError:
                # There is no session now, and the next look is soon enough.
                return
            if not problems:
                return
        for problem in problems:
            self._findings.add(LOST, self._who, problem)
        self.doubt()

    def _problems(self) -> List[str]:
        with self._lock:
            session = self._sessions
        kept = self._cti.get_subscriptions().result(PATIENCE).numbers
        flag = self._cti.get_auto_answer().result(PATIENCE).auto_answer
        marked = self._mark()
        with self._lock:
            if session != self._sessions or not marked:
                return []
            known = dict(self._known)
        wanted = known.pop(_AUTO_ANSWER, None)
        found = [] if wanted in (None, flag) else [f"auto-answer is {flag}, and should not be"]
        for number, subscribed in known.items():
            if subscribed is not None and subscribed != (number in kept):
                found.append(f"subscribed to {kept}; {number} should be there: {subscribed}")
        return found

    def _set(self, name: str, value: bool, ask: Callable[[], Any]) -> None:
        with self._lock:
            session, before = self._sessions, self._known.get(name)
            self._known[name] = None
        result: Optional[bool] = None
        try:
            ask().result(PATIENCE)
        except CommandTimeout:
            pass
        except ConnectionClosed as error:
            result = None if error.sent else before
        except KeyyoError:
            result = before
        else:
            result = value
        with self._lock:
            if session == self._sessions:
                self._known[name] = result
