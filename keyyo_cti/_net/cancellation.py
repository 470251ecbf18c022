"""The token that cancels a connection wherever it waits."""

from contextlib import contextmanager
from typing import Callable, Iterator, List

from .reentrant import new_lock


class CancelToken:
    """A token that any thread cancels, once, to end the waits of a connection.

    A waiter registers a hook that wakes it. Hooks run under the lock: after ``on_cancel``, its
    hook does not run. Hooks must not block, and may run twice.
    """

    def __init__(self) -> None:
        # Reentrant: a signal handler or ``__del__`` may cancel on the thread that holds the lock.
        # It runs the hooks of the list; ``add`` checks the flag after it appends.
        self._lock = new_lock()
        self._hooks: List[Callable[[], object]] = []
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        """Wake all waiters, and every later one at once."""
        with self._lock:
            if not self._cancelled:
                self._cancelled = True
                for hook in list(self._hooks):
                    hook()

    @contextmanager
    def on_cancel(self, hook: Callable[[], object]) -> Iterator[None]:
        """Call the hook if the token is cancelled, before or during the block."""
        self.add(hook)
        try:
            yield
        finally:
            self.remove(hook)

    def add(self, hook: Callable[[], object]) -> None:
        with self._lock:
            self._hooks.append(hook)
            if self._cancelled:
                hook()

    def remove(self, hook: Callable[[], object]) -> None:
        with self._lock:
            self._hooks.remove(hook)
