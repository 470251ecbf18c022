"""Runs the program's check of an event, mostly on the reader thread."""

import threading
from typing import Any, Callable, Optional, Sequence

from .._net.clock import monotonic
from .._net.log_thread import ThreadedLogger
from .._net.user_code import name_of, refuse_coroutine, require_function_or_none
from . import user_errors

_log = ThreadedLogger("keyyo_cti")

#: Seconds after which a warning names a check.
_SLOW_CHECK = 1.0

_local = threading.local()


def is_running() -> bool:
    """Return True if this thread runs a check, which must not wait for replies."""
    return getattr(_local, "check", None) is not None


def run(check: Callable[..., object], arguments: Sequence[Any]) -> bool:
    """Return True if a check accepts an event.

    :raises BaseException: whatever the check raises; TypeError if it is a coroutine function.
    """
    outer: Optional[Callable[..., object]] = getattr(_local, "check", None)
    _local.check, began = check, monotonic()
    try:
        result = check(*arguments)
        refuse_coroutine(result)
        return bool(result)
    finally:
        _local.check = outer
        took = monotonic() - began
        if took >= _SLOW_CHECK:
            _log.warning(
                "%s, a check of wait_for, took %.1f s: nothing is read meanwhile; let it return "
                "at once, and do the rest after result()", name_of(check), took,
            )


def log(check: Callable[..., object], error: BaseException) -> None:
    """Log the exception of a check that is handled now.

    The program may never ask for the outcome of its wait.
    """
    where = name_of(check)
    user_errors.tell_observers(where, error)
    _log.exception("%s in %s", type(error).__name__, where)


def check_arguments(check: Any, timeout: Any) -> None:
    """Refuse a wrong ``check`` or ``timeout`` of ``wait_for``.

    :raises TypeError: it has the wrong type.
    :raises ValueError: the timeout is negative or not a number.
    """
    if isinstance(check, (int, float)):
        raise TypeError(f"check: expected a function or None; write timeout={check}")
    require_function_or_none("check", check)
    if timeout is None:
        return
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        kind = type(timeout).__name__
        raise TypeError(f"timeout: expected a number of seconds or None, got {kind}")
    if not timeout >= 0:
        raise ValueError(f"timeout: expected 0 seconds or more, got {timeout}")
