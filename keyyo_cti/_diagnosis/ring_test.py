"""The options of a ring test."""

from typing import Any, Callable, Optional, Union

from .._net.reentrant import Wakeup
from .._net.user_code import require_function_or_none
from ..call import Call
from ..cti import CTI
from ..errors import invalid_params
from .findings import Finding

#: Maximum seconds of a ring test, so that its token and its session last.
_MAX_TIMEOUT = 3600.0


class RingTest:
    """A test of all that a call passes, while the line is called from some telephone.

    For one diagnosis, on whose thread ``on_ready`` and ``on_finding`` run; what they raise ends
    it. It finds the first layer that a call does not pass: no frame comes, or none that is a call
    of the line, or its handlers do not return.

    :param timeout: maximum seconds to wait for the call, at most an hour.
    :param handler: your handler of ``newCall``, to be tried in a session of the test's own.
    :param cti: your CTI with its session, whose own handlers are tried. Without it, the test opens
        a session of its own, and destroys it.
    :param on_ready: called without arguments when the line may be called.
    :param on_finding: called with each Finding at once. A later one with the same ``check``
        replaces the earlier one: a session that was opened may be lost.
    :raises TypeError: an argument is of a wrong type.
    :raises ValueError: ``timeout`` is out of range, or there are both ``handler`` and ``cti``.
    """

    def __init__(
        self,
        timeout: float = 60.0,
        *,
        handler: Optional[Callable[[Call], object]] = None,
        cti: Optional[CTI] = None,
        on_ready: Optional[Callable[[], object]] = None,
        on_finding: Optional[Callable[[Finding], object]] = None,
    ) -> None:
        if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
            raise TypeError(f"timeout: expected seconds, got {type(timeout).__name__}")
        if not 0 < timeout <= _MAX_TIMEOUT:
            raise ValueError(f"timeout: expected more than 0 and at most {_MAX_TIMEOUT:g} s")
        functions = {"handler": handler, "on_ready": on_ready, "on_finding": on_finding}
        for name, function in functions.items():
            require_function_or_none(name, function)
        if not (cti is None or isinstance(cti, CTI)):
            raise TypeError(f"cti: expected a CTI or None, got {type(cti).__name__}")
        if cti is not None and handler is not None:
            raise ValueError("handler: a CTI has its own handlers; give either of them")
        self.timeout = timeout
        self.handler = handler
        self.cti = cti
        self.on_ready = on_ready or _do_nothing
        self.on_finding = on_finding or _do_nothing
        self.stopped = False
        self.changed = Wakeup()

    def stop(self) -> None:
        """End the wait; the diagnosis has what was seen. From any thread or signal handler."""
        self.stopped = True
        self.changed.notify_all()


#: What ``diagnose`` takes for a ring test: one, seconds, or True for a test of 60 seconds.
Ring = Union[RingTest, float, None]


def read_ring(ring: Any) -> Optional[RingTest]:
    """Return the ring test that a program asks for, or None.

    :raises KeyyoError: the value is none of ``Ring``.
    """
    if isinstance(ring, RingTest):
        return ring
    if ring is None or isinstance(ring, bool):
        return RingTest() if ring else None
    try:
        return RingTest(ring)
    except (TypeError, ValueError) as error:
        problem = str(error).partition(": ")[2]
        raise invalid_params("ring", f"{problem}, or a RingTest") from None


def _do_nothing(*_: Any) -> None:
    """Do nothing."""
