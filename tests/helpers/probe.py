"""What a test sees of a CTI: its events and callbacks in order, and a way to wait for them."""

import threading
import time
from typing import Any, Callable, List, Optional, Tuple

from keyyo_cti import CTI, Call, KeyyoError

#: Seconds that anything a test waits for may take on a loaded machine.
PATIENCE = 40.0


def eventually(condition: Callable[[], object]) -> None:
    """Looks again and again until a condition holds that nobody tells of."""
    until = time.monotonic() + PATIENCE
    look = threading.Event()
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        look.wait(0.005)


class Record:
    """A list that is appended to by one thread and waited on by another."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.items: List[Any] = []

    def add(self, item: Any) -> None:
        with self._changed:
            self.items.append(item)
            self._changed.notify_all()

    def wait(self, until: Callable[[List[Any]], object], what: str = "it") -> None:
        """Waits until the items fulfil a condition."""
        with self._changed:
            if not self._changed.wait_for(lambda: until(self.items), PATIENCE):
                raise AssertionError(f"waited in vain for {what}: {self.items}")

    def wait_for_count(self, count: int) -> List[Any]:
        self.wait(lambda items: len(items) >= count, f"{count} items")
        return self.items


class Seen(Record):
    """Every event of a CTI: ``("newCall", state)``, ``("setup", callref)``, ...,
    ``("disconnected",)``, ``("restored", info)``, ``("lost", error)``, ``("error", exception)``;
    and with ``callback`` every answer,
    ``("callback", name, error, result)``."""

    def __init__(self, cti: CTI) -> None:
        super().__init__()
        cti.onNewCall = self._new_call
        cti.onDisconnected = lambda: self.add(("disconnected",))
        cti.onRestored = lambda info: self.add(("restored", info))
        cti.onLost = lambda error: self.add(("lost", error))
        cti.onError = lambda error: self.add(("error", error))

    def _new_call(self, call: Call) -> None:
        self.add(("newCall", call.state))
        call.onSetup = lambda: self.add(("setup", call.callref))
        call.onConnect = lambda: self.add(("connect", call.callref))
        call.onRelease = lambda: self.add(("release", call.callref))
        call.onMissed = lambda: self.add(("missed", call.callref))

    def callback(self, name: object = None) -> Callable[[Optional[KeyyoError], Any], None]:
        """A callback that is recorded under a name."""

        def called(error: Optional[KeyyoError], result: Any) -> None:
            assert (error is None) != (result is None), "exactly one of the two is set"
            self.add(("callback", name, error, result))

        return called

    def of(self, kind: str) -> List[Tuple[Any, ...]]:
        """The items of one kind, in order."""
        return [item for item in self.items if item[0] == kind]

    def wait_for(self, kind: str, count: int = 1) -> Tuple[Any, ...]:
        """Waits for so many items of a kind, and gives the last of them."""
        self.wait(lambda _: len(self.of(kind)) >= count, f"{count} of {kind}")
        return self.of(kind)[count - 1]
