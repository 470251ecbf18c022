"""The members of a CTI that JavaScript lacks, and the types of its handlers."""

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Callable, Literal, Optional, Union, overload

from ..call import Call, Conversation
from ..errors import KeyyoError
from ..results import Restored
from .cti_types import OnCTI
from .emitter import Emitter
from .literals import CTIEvent

if TYPE_CHECKING:
    from ..catch_up import CaughtUp
    from ..health import Health
else:
    # For typing.get_type_hints. The classes are loaded with the client: to import them here would
    # double the time of "import keyyo_cti".
    CaughtUp = Health = Any


class CTIAdditions(Emitter):
    """Python's own members of a CTI."""

    _client: Any

    if TYPE_CHECKING:
        on: OnCTI
        addEventListener: OnCTI

        def off(
            self, names: Union[CTIEvent, str], handler: Optional[Callable[..., object]] = None
        ) -> None:
            """Remove a handler that ``on`` added, once; without a handler, remove all of them."""

        removeEventListener = off

    @overload
    def wait_for(
        self,
        event: Literal["newCall"],
        check: Optional[Callable[[Call], object]] = None,
        timeout: Optional[float] = None,
    ) -> "Future[Call]": ...

    @overload
    def wait_for(
        self,
        event: Literal["restored"],
        check: Optional[Callable[[Restored], object]] = None,
        timeout: Optional[float] = None,
    ) -> "Future[Restored]": ...

    @overload
    def wait_for(
        self,
        event: Literal["lost"],
        check: Optional[Callable[[KeyyoError], object]] = None,
        timeout: Optional[float] = None,
    ) -> "Future[KeyyoError]": ...

    @overload
    def wait_for(
        self,
        event: Literal["error"],
        check: Optional[Callable[[Exception], object]] = None,
        timeout: Optional[float] = None,
    ) -> "Future[Exception]": ...

    @overload
    def wait_for(
        self,
        event: Literal["disconnected"],
        check: Optional[Callable[[], object]] = None,
        timeout: Optional[float] = None,
    ) -> "Future[None]": ...

    @overload
    def wait_for(
        self,
        event: Literal["conversationEnded"],
        check: Optional[Callable[[Conversation], object]] = None,
        timeout: Optional[float] = None,
    ) -> "Future[Conversation]": ...

    @overload
    def wait_for(
        self,
        event: Literal["caughtUp"],
        check: "Optional[Callable[[CaughtUp], object]]" = None,
        timeout: Optional[float] = None,
    ) -> "Future[CaughtUp]": ...

    def wait_for(
        self,
        event: str,
        check: Optional[Callable[..., object]] = None,
        timeout: Optional[float] = None,
    ) -> "Future[Any]":
        """Return a Future that completes with the argument of the next event.

        Begin it before the command that causes the event. In a handler, the next event is the
        first one behind the event that it handles. The Future completes before handlers run, so
        that a handler can wait for it. Cancel one that you no longer need: without a timeout, it
        would wait until the session ends.

        It fails with EventTimeout after the timeout, and with SessionEnded when the session is
        closed, destroyed or lost. It lives on while a lost session is restored; an event that
        comes in the gap does not complete it.

        :param event: ``newCall``, ``restored``, ``lost``, ``error``, ``disconnected``,
            ``conversationEnded`` or ``caughtUp``.
        :param check: a function that gets what a handler would get, and returns True for the
            event that is meant. It runs on the thread that reads, without a lock, and sees the
            call as it is in this event. It must return at once, and cannot wait for replies. If
            it raises, the exception is logged, and the Future fails with it.
        :param timeout: seconds; None for no limit.
        :raises TypeError: the event does not exist, or the check cannot be called.
        """
        self._check_process()
        future: "Future[Any]" = self._client.waits.begin(self._split(event), check, timeout)
        return future

    def health(self) -> "Health":
        """Return the health of this CTI: its connection, drops, gaps, backlog, slow handlers.

        ``str()`` of it is one line. It only reads: it sends nothing, waits for nothing and takes
        no lock. Call it from any thread and at any time, for example in a signal handler, in
        handlers, before the first session and after ``close()``. In a forked child it is that of
        a new CTI.
        """
        health: "Health" = self._client.health()
        return health

    def same_number(self, first: Any, second: Any) -> bool:
        """Return True if two numbers, each in any form, are of the same telephone.

        ``33199020000``, ``+33 1 99 02 00 00`` and ``01 99 02 00 00`` are the same, and so is a
        line's short number if the option ``lines`` has it. A hidden number is no other's.
        """
        normalize = self._client.lines.normalize
        number = normalize(first)
        return number is not None and number == normalize(second)
