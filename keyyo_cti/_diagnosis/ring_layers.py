"""The layers between a telephone and a handler, each judged by what was seen while it rang."""

from concurrent.futures import TimeoutError as NoAnswer
from contextlib import ExitStack
from typing import Callable, List, Optional, Sequence

from .._client.dispatcher import SLOW
from .._display.error_page import advise
from .._net.clock import monotonic
from .._net.redaction import redact
from .._net.reentrant import Wakeup
from ..call import Call
from ..cti import CTI
from ..errors import (
    CommandTimeout,
    ConnectionClosed,
    KeyyoError,
    SessionEnded,
    UnknownNotification,
    shorten,
)
from .call_watch import CallWatch, describe_error
from .faults import Fault, NotSeen, describe

#: Seconds for a reply that shows whether the connection is alive.
_REPLY_TIMEOUT = 5.0

#: Maximum seconds to destroy the session of the test.
_DESTROY_TIMEOUT = 1.0

#: Seconds after which a notification is called late. The dates of calls are whole seconds.
_LATE = 3

#: Characters of a list of numbers, of the parties of a call, of a server's words.
_MAX_TEXT_LENGTH = 200

_RUN_AGAIN = 'try again; "keyyo-cti diagnose --ring --debug" shows each message'


class RingLayers:
    """The checks of a ring test, in the order in which a call passes them.

    :param csi: the line that is called.
    :param numbers: the line's number and its short number.
    :param timeout: seconds to wait for the call.
    :param changed: notified of each change, and when the test is stopped.
    :param is_stopped: returns True once the wait is to end.
    :param on_ready: called when the line may be called.
    :param recheck: checks again what the call did not need to pass; it raises Fault.
    """

    def __init__(
        self,
        csi: str,
        numbers: Sequence[str],
        timeout: float,
        changed: Wakeup,
        is_stopped: Callable[[], bool],
        on_ready: Callable[[], object],
        recheck: Callable[[], object],
    ) -> None:
        self._csi = csi
        self._numbers = numbers
        self._timeout = timeout
        self._changed = changed
        self._is_stopped = is_stopped
        self._on_ready = on_ready
        self._recheck = recheck
        self._until = 0.0
        self._began = 0.0
        self._is_excused = False
        self._own_handler = False
        self._cti: Optional[CTI] = None
        self._watch: Optional[CallWatch] = None
        self._stack = ExitStack()

    def close(self) -> None:
        """End the test: leave the program's CTI as it was, or close the test's own."""
        self._stack.close()

    # Session.

    def open_session(
        self, cti: CTI, token: str, handler: Optional[Callable[[Call], object]]
    ) -> str:
        """Open the session of the test.

        :param cti: a CTI of the test's own.
        :param handler: the program's handler of ``newCall``, or None.
        """
        self._stack.enter_context(cti)
        self._own_handler = handler is None
        cti.onNewCall = handler or _handle
        # The diagnosis reports what a handler raises. Otherwise it would be printed as well.
        cti.onError = _handle
        # Before the session. Otherwise a first notification could be missed.
        self._watch = self._stack.enter_context(CallWatch(cti, self._numbers, self._changed))
        number = cti.create_session(token).result().number
        self._stack.callback(_destroy, cti)
        self._cti = cti
        if number and not cti.same_number(number, self._csi):
            raise Fault(
                "wrong_line", f"the session is of {_shorten(number)}, not of {self._csi}",
                "give each line its own CSI token", final=True,
            )
        return f"a session was opened as {number}"

    def use_session(self, cti: CTI) -> str:
        """Take the session of the program's CTI."""
        if not cti.connected:
            raise Fault(
                "no_session", "your CTI has no session",
                "call its create_session, and begin the test once the session is open", final=True,
            )
        self._cti = cti
        self._watch = self._stack.enter_context(CallWatch(cti, self._numbers, self._changed))
        return f"your CTI has a session of {cti.number}"

    # Subscription.

    def check_subscription(self) -> Optional[str]:
        """Check that the session has the line among its subscriptions."""
        if self._cti is None:
            return None
        listed = self._list_subscriptions()
        if not any(self._cti.same_number(each, own) for each in listed for own in self._numbers):
            shown = _shorten(", ".join(listed)) or "no line"
            raise Fault(
                "not_subscribed", f"the session is subscribed to {shown}, not to {self._csi}",
                f'subscribe to it: cti.subscribe("{self._csi}")',
            )
        return f"the session is subscribed to {self._csi}"

    def _list_subscriptions(self) -> List[str]:
        assert self._cti is not None
        try:
            numbers = self._cti.get_subscriptions().result(_REPLY_TIMEOUT).numbers
        except (NoAnswer, CommandTimeout):
            raise Fault(
                "connection_silent", "the server does not answer, although the connection is open",
                "the network is gone, or a proxy or a firewall holds the messages back: "
                f"{_RUN_AGAIN}",
            ) from None
        except ConnectionClosed as error:
            raise _make_lost_fault(error) from None
        except KeyyoError as error:
            advice = advise(error, "try again later")
            raise Fault("subscription_refused", _shorten(describe(error)), advice) from None
        listed = numbers if isinstance(numbers, list) else []
        return [each for each in listed if isinstance(each, str)]

    # Frame and call.

    def wait_for_frame(self, is_excused: bool) -> Optional[str]:
        """Wait until the server sends anything but a reply.

        :param is_excused: True if an earlier fault explains why nothing comes.
        """
        watch = self._get_watch()
        if watch is None:
            return None
        self._is_excused = is_excused
        self._began = monotonic()
        self._until = self._began + self._timeout
        self._call_on_ready()
        self._wait(watch, lambda: watch.has_frame)
        if not watch.has_frame:
            self._check_connection(watch, lambda: watch.has_frame)
            if not watch.has_frame:
                raise self._make_silence_fault("no_frame", "no call of {} was notified in {:g} s")
            return "a notification came, but only after the session had been asked for a reply"
        if watch.call is not None:
            return "a notification of a call came"
        if watch.others:
            return "a notification of another line's call came"
        return f"a message came that is no call: {_shorten(watch.unreadable)}"

    def _call_on_ready(self) -> None:
        try:
            self._on_ready()
        except KeyyoError as error:
            # As any other mistake in it. A KeyyoError would be taken for a finding.
            raise RuntimeError(f"on_ready failed: {error}") from error

    def wait_for_call(self) -> Optional[str]:
        """Wait for ``newCall`` with a call of the line."""
        watch = self._get_watch()
        if watch is None:
            return None
        self._wait(watch, lambda: watch.call is not None)
        if watch.call is None:
            self._explain_no_call(watch)
        assert watch.call is not None
        return _shorten(watch.parties) + _describe_delay(watch.call)

    def _explain_no_call(self, watch: CallWatch) -> None:
        """Raise the reason why no call of the line came; return if one comes meanwhile."""
        self._check_end(watch)
        if watch.others:
            others = _shorten(", ".join(watch.others))
            raise Fault(
                "other_line", f"calls of other lines were notified: {others}; none of {self._csi}",
                f"call {self._csi} itself, or diagnose the line that was called", final=True,
            )
        if not isinstance(watch.unreadable, UnknownNotification):
            raise Fault(
                "unreadable_frame",
                f"the server sent something that cannot be read: {_shorten(watch.unreadable)}",
                f"{_RUN_AGAIN}. Report what it shows", final=True,
            )
        self._check_connection(watch, lambda: watch.call is not None)
        if watch.call is None:
            raise self._make_silence_fault("no_call", "no call of {} was notified in {:g} s")

    def _get_watch(self) -> Optional[CallWatch]:
        """Return what watches the session, or None if there is no session."""
        return None if self._cti is None else self._watch

    def _wait(self, watch: CallWatch, condition: Callable[[], bool]) -> None:
        watch.wait(
            lambda: condition() or watch.end is not None or self._is_stopped(),
            self._until - monotonic(),
        )

    def _check_end(self, watch: CallWatch) -> None:
        """Raise if the wait has ended before its time."""
        if watch.end is not None:
            raise _make_lost_fault(watch.end)
        if self._is_stopped():
            seconds = monotonic() - self._began
            raise NotSeen(f"none came in the {seconds:.1f} s before the test was stopped")

    def _check_connection(self, watch: CallWatch, has_come: Callable[[], bool]) -> None:
        """Raise the reason why nothing came, if the session or the Manager shows one."""
        self._check_end(watch)
        try:
            self.check_subscription()
        except Fault as fault:
            if has_come() or (self._is_excused and fault.check is None):
                return
            fault.final = True
            if fault.word != "connection_silent":
                fault.check = fault.check or "subscription"
            raise
        if not (has_come() or self._is_excused):
            self._recheck()

    def _make_silence_fault(self, word: str, silence: str) -> Exception:
        silence = silence.format(self._csi, self._timeout)
        if self._is_excused:
            return NotSeen(f"{silence}; mend the fault before first")
        return Fault(
            word, f"{silence}, although the server answers on this connection",
            "did the line's telephone ring? If it did not, the call has not reached the line: "
            "check the number that was called, forwarding, do-not-disturb and the telephone. If "
            "it rang, Keyyo does not notify the line's calls: ask Keyyo",
            final=True,
        )

    # Handler.

    def wait_for_handler(self) -> Optional[str]:
        """Wait until the handlers of the notification have returned."""
        watch = self._get_watch()
        if watch is None:
            return None
        watch.wait(lambda: watch.handled_after is not None or self._is_stopped(), SLOW)
        names = watch.name_handlers()
        if watch.handler_error is not None:
            raise Fault(
                "handler_raised", describe_error(watch.handler_error),
                "mend the handler: what it did not do for this call, it will not do for others",
            )
        if watch.handled_after is None:
            self._explain_block(watch)
        if not names:
            raise Fault(
                "no_handler", "no handler of newCall is set",
                "set cti.onNewCall before create_session, and on the CTI that has the session",
            )
        if watch.handled_after is None:
            raise Fault(
                "handler_not_run", f"the program has run no handler for {SLOW:g} s",
                'with dispatch="manual", call cti.poll() again and again; a dispatch function has '
                "to run each piece of work that it receives",
            )
        after = f"{watch.handled_after * 1000:.1f} ms after the notification"
        if self._own_handler:
            return f"the test's own handler ran {after}"
        return f"{names} returned {after}"

    def _explain_block(self, watch: CallWatch) -> None:
        """Raise the reason why the handlers have not returned, if something runs."""
        if self._is_stopped():
            raise NotSeen("it had not returned when the test was stopped")
        block = watch.describe_block()
        if block is not None:
            raise Fault(
                "handler_blocked", block,
                "let handlers return at once, and do the work on a thread of your own",
            )


def _shorten(text: object) -> str:
    """Return text for a person, without secrets that a server may repeat."""
    return shorten(redact(str(text)), _MAX_TEXT_LENGTH)


def _describe_delay(call: Call) -> str:
    """Return how late a notification of a ringing call is, "" if it is not."""
    seconds = call.get_ringing_duration() if call.state == "SETUP" else 0
    late = f", {seconds} s after the call began: something holds notifications back"
    return late if seconds >= _LATE else ""


def _make_lost_fault(error: BaseException) -> Fault:
    # SessionEnded says no more than that.
    reason = "" if isinstance(error, SessionEnded) else f": {_shorten(error)}"
    return Fault(
        "connection_lost", f"the session was opened, and lost while the test waited{reason}",
        f"check the network; {_RUN_AGAIN}", final=True, check="session",
    )


def _handle(event: object) -> None:
    """Do nothing: that it was called is all that matters."""


def _destroy(cti: CTI) -> None:
    try:
        cti.destroy_session().result(_DESTROY_TIMEOUT)
    except (KeyyoError, NoAnswer):
        # The server ends the session after a while.
        pass
