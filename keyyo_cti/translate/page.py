"""One thread for handlers, timers and promises, as a page has it.

A translated program imports this where it uses timers or promises. Its CTI hands all handlers and
callbacks to ``page.dispatch``, and they run, one at a time, in the page's thread. Nothing runs
before ``with page:`` or ``page.start()``, so that the main thread finishes its part first, as a
script of a page does.
"""

from __future__ import annotations

import functools
from typing import Any, Callable, Optional

from .fetch import Headers, URLSearchParams, fetch
from .page_loop import Page, Timer, Work, page
from .promise import Promise, Thrown, caught_value, promised, thrown

__all__ = [
    "Headers", "Page", "Promise", "Thrown", "URLSearchParams", "caught_value", "clear_timer",
    "fetch", "page", "promised", "queue_microtask", "set_interval", "set_timeout", "thrown",
]


def set_timeout(
    function: Callable[..., object], milliseconds: float = 0, *arguments: Any
) -> Timer:
    """Call a function once after so many milliseconds."""
    return page.after(Timer(functools.partial(function, *arguments)), (milliseconds or 0) / 1000)


def set_interval(
    function: Callable[..., object], milliseconds: float = 0, *arguments: Any
) -> Timer:
    """Call a function every so many milliseconds."""
    seconds = (milliseconds or 0) / 1000
    return page.after(Timer(functools.partial(function, *arguments), seconds), seconds)


def clear_timer(timer: Optional[Timer] = None) -> None:
    """Cancel a timer, if it is one."""
    if isinstance(timer, Timer):
        timer.cancelled = True


def queue_microtask(function: Work) -> None:
    """Call a function after the present piece of work."""
    page.microtask(function)
