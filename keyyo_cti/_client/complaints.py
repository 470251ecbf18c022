"""The messages of one connection that cannot be read: logged, and told to the program."""

from typing import Callable

from .._net.clock import NEVER, Monotonic
from .._net.log_thread import ThreadedLogger
from .._net.rate_limit import RateLimit
from .._sockjs import Unreadable
from ..errors import UnknownNotification, UnreadableMessage, plain
from .notifications import EventSource
from .unknown_kinds import UnknownKinds
from .wire_log import WireLog

_log = ThreadedLogger("keyyo_cti")

#: Unreadable messages that are reported one by one in each period of seconds. The rest is only
#: counted: one frame may hold a million of them.
_MOST = 100
_PERIOD = 10.0


class Complaints:
    """Reports the messages of one connection that cannot be read. For its reader thread.

    :param disturb: notes that a notification may be missing.
    :param wait_for_room: waits until the handlers' backlog has room.
    """

    def __init__(
        self,
        source: EventSource,
        wire_log: WireLog,
        disturb: Callable[[], object],
        wait_for_room: Callable[[], object],
        clock: Monotonic,
    ) -> None:
        self._source = source
        self._wire_log = wire_log
        self._disturb = disturb
        self._wait_for_room = wait_for_room
        self._clock = clock
        self._limit = RateLimit(_MOST, _PERIOD, clock)
        self._unknown_kinds = UnknownKinds()

    def add(self, error: Exception) -> None:
        """Report a message, or count it if there were too many."""
        if isinstance(error, Unreadable):
            # The program need not tell a bad frame from a bad message.
            error = UnreadableMessage(str(error))
        self._disturb()
        self.sum_up(self._clock())
        if self._limit.allows():
            self._report(error)

    def add_unknown(self, error: UnknownNotification) -> None:
        """Report a notification of an unknown kind, once for each kind; log the others."""
        if self._unknown_kinds.is_new(error.kind):
            self.add(error)
        else:
            # Only its kind: its content may be secret.
            _log.debug("ignored a notification of the kind %s", plain(error.kind))
            self._wire_log.note("<- notification of the kind {}, ignored", error.kind)

    def sum_up(self, now: float, wait: bool = True) -> None:
        """Report how many messages were only counted, when it is time.

        :param wait: False if the connection has ended, and the backlog need not have room.
        """
        if now >= self.due() and self._limit.left_out:
            count = self._limit.take_left_out()
            self._report(UnreadableMessage(f"{count} more messages that cannot be read"), wait)

    def due(self) -> float:
        """Return the monotonic time at which to call ``sum_up``."""
        due = self._limit.due()
        return NEVER if due is None else due

    def _report(self, error: Exception, wait: bool = True) -> None:
        _log.warning("the server sent something that cannot be read: %s", error)
        self._wire_log.note("<- unreadable: {}", error)
        if wait:
            self._wait_for_room()
        self._source.post_error(error)
