"""The parts of a simulator that its public methods reach from any thread."""

from __future__ import annotations

from typing import Callable, NamedTuple, Optional, TypeVar

from .arguments import require_seconds
from .exchange import Exchange
from .serving import ServerThread
from .watchers import Watchers

T = TypeVar("T")

_WAIT_MARGIN = 5.0
"""Seconds added to the caller's timeout, so that the loop's own timeout comes first."""


class Runtime(NamedTuple):
    """The parts of a running simulator that telephones and lines need."""

    thread: ServerThread
    exchange: Exchange
    watchers: Watchers

    def wait(
        self, find: Callable[[], Optional[T]], timeout: float, make_message: Callable[[], str]
    ) -> T:
        """Wait until `find` returns a value, and return it; not on the loop's thread.

        :param find: examines the current state; None means not yet.
        :param timeout: seconds.
        :param make_message: makes the error message, which describes the final state.
        :raises TimeoutError: `find` returned None until the timeout.
        """
        require_seconds(timeout, "timeout")
        return self.thread.wait(
            lambda: self.watchers.wait_for(find, timeout, make_message), timeout + _WAIT_MARGIN)
