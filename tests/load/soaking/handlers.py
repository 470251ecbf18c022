"""A client's handlers: they write the diary, and now and then behave as handlers must not."""

from __future__ import annotations

import random
import threading
from typing import Any, Callable, Dict, List

from keyyo_cti import CTI, Call, KeyyoError
from keyyo_cti._display.dates import ENDED

from .diary import Diary, Disconnected, Lost, NewCall, Problem, Restored, StateEvent
from .findings import LOST, REPEATED, Findings
from .mischief import Mischief
from .tally import Tally

#: Seconds that a handler blocks at most.
_BLOCKS = 0.6


class Handlers:
    """The handlers of one client, and what they do beside writing.

    :param dice: of the thread that runs handlers.
    :param calm: set when handlers behave.
    :ivar ask: sends a command, by "callback" or by "future"; gives its Future.
    :ivar wait: waits for a Future.
    :ivar on_disconnected: what else is done then.
    :ivar on_lost: and then.
    :ivar on_error: and then.
    """

    def __init__(
        self,
        who: str,
        cti: CTI,
        diary: Diary,
        dice: random.Random,
        calm: threading.Event,
        tally: Tally,
        findings: Findings,
    ) -> None:
        self._who = who
        self._cti = cti
        self._diary = diary
        self._dice = dice
        self._calm = calm
        self._tally = tally
        self._findings = findings
        self.ask: Callable[[str], Any] = lambda how: None
        self.wait: Callable[[Any], None] = lambda future: None
        self.on_disconnected: Callable[[], None] = lambda: None
        self.on_lost: Callable[[], None] = lambda: None
        self.on_error: Callable[[BaseException], None] = lambda error: None
        # What was raised on purpose, by id, and is still to be told as `error`.
        self._raised: Dict[int, Mischief] = {}

    def set(self) -> None:
        """Sets all of them."""
        cti = self._cti
        cti.onNewCall = self._new_call
        cti.onDisconnected = self._disconnected
        cti.onRestored = self._restored
        cti.onLost = self._lost
        cti.onError = self._error

    def check_raised(self) -> None:
        """Every exception of a handler was told as ``error``."""
        for error in list(self._raised.values()):
            self._findings.add(LOST, self._who, f"no error event for {error!r}")

    def misbehave(self, where: str) -> None:
        """What a handler does in its own time."""
        if self._calm.is_set():
            return
        chance = self._dice.random()
        if chance < 0.02:
            self._tally.add("handlers that block")
            self._calm.wait(self._dice.uniform(0.05, _BLOCKS))
        elif chance < 0.06:
            self._tally.add("handlers that ask")
            self.ask("callback")
        elif chance < 0.08:
            self._tally.add("handlers that wait for a result")
            self.wait(self.ask("future"))
        elif chance < 0.11:
            self._tally.add("handlers that raise")
            mischief = Mischief(f"in {where}")
            self._raised[id(mischief)] = mischief
            raise mischief

    def _new_call(self, call: Call) -> None:
        self._diary.write(NewCall, dict(call.fields), call.stale)
        self._tally.add("newCall")
        if "attended" not in call.__dict__:
            self._attend(call)
        self.misbehave("newCall")

    def _attend(self, call: Any) -> None:
        call.attended = True
        for name, attribute in (
            ("setup", "onSetup"), ("connect", "onConnect"), ("release", "onRelease"),
            ("missed", "onMissed"),
        ):
            setattr(call, attribute, self._state_handler(call, name))

    def _state_handler(self, call: Call, name: str) -> Callable[[], None]:
        def handler() -> None:
            self._diary.write(StateEvent, call.callref, name, call.state)
            self._tally.add(name)
            self.misbehave(name)

        return handler

    def _disconnected(self) -> None:
        self._diary.write(Disconnected, len(fresh(self._cti.get_calls())))
        self._tally.add("disconnected")
        self.on_disconnected()
        self.misbehave("disconnected")

    def _restored(self, info: Any) -> None:
        self._diary.write(Restored, info.gap, info.recreated, info.at)
        self._tally.add("restored, recreated" if info.recreated else "restored")
        # So that there is something on each connection that tells which one it is.
        self.ask("callback")
        self.misbehave("restored")

    def _lost(self, error: KeyyoError) -> None:
        self._diary.write(Lost, error)
        self._tally.add("lost")
        self.on_lost()
        self.misbehave("lost")

    def _error(self, error: BaseException) -> None:
        self._diary.write(Problem, error)
        self._tally.add("error")
        self.on_error(error)
        raised = self._raised.pop(id(error), None)
        if isinstance(error, Mischief) and type(error) is Mischief and raised is not error:
            self._findings.add(REPEATED, self._who, f"error told again: {error!r}")


def fresh(calls: List[Call]) -> List[Call]:
    """The calls that go on and are not stale."""
    return [call for call in calls if call.state not in ENDED and not call.stale]
