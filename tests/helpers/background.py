"""What waits, in a thread of its own, and the time, which a test sets by hand."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, Optional, Tuple

#: Seconds that anything a test waits for may take on a loaded machine.
SOON = 20.0

#: Seconds in which what must not happen would happen.
A_WHILE = 0.05


class Background:
    """A function in a thread of its own, whose result or exception is waited for."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._value: Any = None
        self._error: Optional[BaseException] = None
        self.seconds = 0.0
        self._thread = threading.Thread(target=self._run, args=(function, arguments))
        self._thread.start()

    def _run(self, function: Callable[..., Any], arguments: Tuple[Any, ...]) -> None:
        began = time.monotonic()
        try:
            self._value = function(*arguments)
        except BaseException as error:
            self._error = error
        self.seconds = time.monotonic() - began

    def waits(self) -> bool:
        """Whether it has not ended after a while."""
        self._thread.join(A_WHILE)
        return self._thread.is_alive()

    def result(self) -> Any:
        self._thread.join(2 * SOON)
        assert not self._thread.is_alive(), "it hangs"
        if self._error is not None:
            raise self._error
        return self._value

    def error(self) -> Optional[BaseException]:
        self._thread.join(2 * SOON)
        assert not self._thread.is_alive(), "it hangs"
        return self._error


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time
