"""The evidence of a ring test: what a CTI receives and handles while its line is called."""

from typing import Any, Callable, List, Optional, Sequence

from .._client.dispatcher import Dispatcher
from .._client.notifications import STATE_EVENTS
from .._net.clock import monotonic
from .._net.redaction import redact
from .._net.reentrant import Wakeup
from .._net.user_code import name_of
from ..call import Call
from ..cti import CTI
from ..errors import UnknownNotification, UnreadableMessage, shorten

#: Calls of other lines that are named.
_MAX_OTHERS = 3

#: Characters of a number.
_MAX_VALUE_LENGTH = 40

#: Characters of the message of a handler's exception.
_MAX_MESSAGE_LENGTH = 200


class CallWatch:
    """Watches a CTI until it has handled a call of the line. Use it in a ``with`` statement.

    It adds no handler, so that it sees the program's handlers as they are. The reader thread and
    the handlers' thread call it.

    :param cti: the CTI, with a session or before it.
    :param numbers: those of the line.
    :param changed: notified of each change.
    :ivar call: the first notified call of the line.
    :ivar parties: state, caller and callee of that notification.
    :ivar others: notified calls of other lines, as text.
    :ivar unreadable: why the server's first message that is no call cannot be read.
    :ivar handler_error: what a handler of the call has raised.
    :ivar handled_after: seconds from the notification to the end of its handlers; None before.
    """

    def __init__(self, cti: CTI, numbers: Sequence[str], changed: Wakeup) -> None:
        self.call: Optional[Call] = None
        self.parties = ""
        self.others: List[str] = []
        self.unreadable: Optional[BaseException] = None
        self.handler_error: Optional[BaseException] = None
        self.handled_after: Optional[float] = None
        self._handlers: List[Callable[..., object]] = []
        self._cti = cti
        self._numbers = numbers
        self._changed = changed
        self._notified_at = 0.0
        self._dispatcher: Dispatcher = cti._client._dispatcher
        self._waits: List[Any] = []

    def __enter__(self) -> "CallWatch":
        self._waits = [
            self._cti.wait_for("newCall", self._on_call),
            self._cti.wait_for("error", self._on_error),
        ]
        self._waits[0].add_done_callback(lambda _: self._changed.notify_all())
        return self

    def __exit__(self, *_: Any) -> None:
        for wait in self._waits:
            wait.cancel()

    @property
    def has_frame(self) -> bool:
        """True if the server has sent anything but replies."""
        return self.call is not None or bool(self.others) or self.unreadable is not None

    @property
    def end(self) -> Optional[BaseException]:
        """The error of a session that has ended before a call of the line, or None."""
        wait = self._waits[0]
        if self.call is not None or not wait.done() or wait.cancelled():
            return None
        error: Optional[BaseException] = wait.exception(0)
        return error

    def name_handlers(self) -> str:
        """Return the names of the handlers that the call had, "" if it had none."""
        return ", ".join(map(name_of, self._handlers))

    def describe_block(self) -> Optional[str]:
        """Return what keeps the handlers from running, or None if nothing runs."""
        running = self._dispatcher.running()
        if running is None:
            return None
        seconds, waiting = monotonic() - running.since, self._dispatcher.waiting()
        behind = f"; {waiting} events and callbacks wait behind it" if waiting else ""
        return f"{name_of(running.function)} has been running for {seconds:.1f} s{behind}"

    def wait(self, condition: Callable[[], object], timeout: float) -> bool:
        """Wait for a condition. Return False after the timeout."""
        return self._changed.wait_for(condition, max(0.0, timeout))

    # On the thread that reads.

    def _on_call(self, call: Call) -> bool:
        sides = call.caller, call.callee
        is_ours = any(self._cti.same_number(side, own) for side in sides for own in self._numbers)
        if not is_ours:
            if len(self.others) < _MAX_OTHERS:
                self.others.append(f"{_show(call.caller)} -> {_show(call.callee)}")
            self._changed.notify_all()
            return False
        self._notified_at = monotonic()
        self.parties = f"{_show(call.state)} {_show(call.caller)} -> {_show(call.callee)}"
        self._handlers = self._find_handlers(call)
        self.call = call
        # Behind the handlers of this notification, which are queued already.
        self._dispatcher.deliver(self._on_handled)
        return True

    def _find_handlers(self, call: Call) -> List[Callable[..., object]]:
        event = STATE_EVENTS.get(_show(call.state))
        return self._cti.handlers("newCall") + ([] if event is None else call.handlers(event))

    # On the thread that runs handlers.

    def _on_handled(self) -> None:
        self.handled_after = monotonic() - self._notified_at
        self._changed.notify_all()

    def _on_error(self, error: BaseException) -> bool:
        if isinstance(error, UnreadableMessage):
            # On the thread that reads. An unknown notification explains less than a broken one.
            if self.unreadable is None or isinstance(self.unreadable, UnknownNotification):
                self.unreadable = error
        elif self.call is not None and self.handled_after is None and _is_of_user_code(error):
            self.handler_error = self.handler_error or error
        self._changed.notify_all()
        return False


def _show(value: object) -> str:
    """Return a field of a call, which may be anything."""
    return shorten(value, _MAX_VALUE_LENGTH) if isinstance(value, str) else "?"


def _is_of_user_code(error: BaseException) -> bool:
    """Return True if a handler or a callback has raised an exception, not the SDK itself."""
    traceback = error.__traceback__
    return traceback is not None and traceback.tb_frame.f_code is Dispatcher.call.__code__


def describe_error(error: BaseException) -> str:
    """Return the exception of a handler in words, with the place in the program."""
    traceback = error.__traceback__ and error.__traceback__.tb_next
    where = ""
    if traceback is not None:
        code = traceback.tb_frame.f_code
        where = f", in {code.co_name} ({code.co_filename}:{traceback.tb_lineno})"
    return f"{type(error).__name__}: {_read_message(error)}{where}"


def _read_message(error: BaseException) -> str:
    try:
        return shorten(redact(str(error)), _MAX_MESSAGE_LENGTH)
    except Exception:
        # Of the program's own exception. Otherwise it would end the test without a report.
        return "its message cannot be read"
