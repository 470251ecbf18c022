"""Exceptions of the program's own functions: logged, and printed if no log handler gets them."""

import logging
from typing import Callable, List

from . import stderr_log

_log = logging.getLogger("keyyo_cti")

#: Called with a name and an error, on any thread; it must not block or raise.
Observer = Callable[[str, BaseException], object]

#: Observers of exceptions that functions of the program raise. The test kit adds its own.
on_exception: List[Observer] = []

#: Observers of commands that the SDK refuses, because a value is wrong, without sending them.
on_refusal: List[Observer] = []


def log(where: str, error: BaseException) -> None:
    """Log an exception with its traceback.

    :param where: the function that raised it.
    """
    tell_observers(where, error)
    _log.error("%s in %s", type(error).__name__, where, exc_info=error)


def tell_observers(where: str, error: BaseException) -> None:
    """Tell the observers of an exception that is logged elsewhere."""
    for observe in on_exception:
        observe(where, error)


def show(where: str, error: BaseException) -> None:
    """Print an exception to stderr, unless a logging handler of the program has it.

    Only for an exception that no handler of ``error`` gets. Otherwise a mistake would be silent
    in a program that has not configured logging.
    """
    # A level set by the program is a decision. The flag "disabled" is often set by a dictConfig.
    is_off = _log.level > logging.ERROR or _log.manager.disable >= logging.ERROR
    if not is_off and not stderr_log.is_seen(_log, logging.ERROR):
        what = f"keyyo_cti: {type(error).__name__} in {where}"
        stderr_log.write(f"{what}\n{stderr_log.format_error(error)}")
