"""The Future of an event that a program waits for."""

from typing import Any, Callable, Dict, List, Mapping, Optional, Protocol, Sequence, Tuple

from .._net.clock import NEVER, monotonic
from ..call import Call
from .pending import CallbackDispatcher, CommandFuture

#: An event of a call: the call, its fields then, and the number of the change.
CallChange = Tuple[Call, Mapping[str, Any], int]

#: Seconds. A greater integer may be too large for a float.
_MAX_TIMEOUT = 1e18


class Owner(Protocol):
    """The table of the Futures that wait for events."""

    def take(self, future: "EventFuture") -> bool:
        """Remove a Future; return False if another thread was faster."""

    def hold(self, future: "EventFuture") -> None:
        """Keep a Future although the program may drop it."""

    def ended(self, future: "EventFuture") -> None:
        """Note that a Future is complete."""

    def expire(self) -> None:
        """Fail the Futures whose deadlines have passed."""

    def show(self, change: CallChange) -> None:
        """Show an awaited event to the running handler."""


class EventFuture(CommandFuture):
    """The Future of an event. Unlike that of a command, it can be cancelled.

    :param owner: the table that it is in.
    :param key: its key there.
    :param events: the names of the events that complete it.
    :param check: accepts or refuses an event; None accepts all.
    :param timeout: seconds, None for no limit.
    :param call: the call whose events they are; None for those of the CTI.
    :ivar deadline: monotonic time at which it fails.
    :ivar since: the number of the last change that it leaves alone.
    :ivar tables: the tables in which the reader thread finds it.
    :ivar token: stands for it in the backlog, which must not keep it alive.
    :ivar change: the event that completed it, if it was one of a call.
    """

    _cancellable = True

    def __init__(
        self,
        owner: Owner,
        dispatcher: CallbackDispatcher,
        key: int,
        events: Sequence[str],
        check: Optional[Callable[..., object]] = None,
        timeout: Optional[float] = None,
        call: Optional[Call] = None,
    ) -> None:
        super().__init__(dispatcher, ", ".join(events))
        self._owner = owner
        self.key = key
        self.events = tuple(events)
        self.check = check
        self.timeout = timeout
        self.call = call
        self.deadline = NEVER if timeout is None else monotonic() + min(timeout, _MAX_TIMEOUT)
        self.since = 0
        self.tables: List[Dict[int, Any]] = []
        self.token = object()
        self.change: Optional[CallChange] = None

    def add_done_callback(self, fn: Callable[[Any], object]) -> None:
        super().add_done_callback(fn)
        # The program need not keep it, because the function is to be called.
        self._owner.hold(self)

    def cancel(self) -> bool:
        """Stop waiting. Return False if the event has come, or the wait has failed."""
        if self._owner.take(self):
            super().cancel()
            # Otherwise concurrent.futures.wait() would not notice.
            self.set_running_or_notify_cancel()
            self._answered.release()
            self._owner.ended(self)
        return self.cancelled()

    def result(self, timeout: Optional[float] = None) -> Any:
        value = super().result(timeout)
        if self.change is not None:
            self._owner.show(self.change)
        return value

    def _wait(self, timeout: Optional[float]) -> None:
        left = max(0.0, self.deadline - monotonic())
        if left == NEVER:
            super()._wait(timeout)
            return
        super()._wait(left if timeout is None else min(timeout, left))
        if not self.done() and monotonic() >= self.deadline:
            # Not only by the thread for it, which may not have been started.
            self._owner.expire()
