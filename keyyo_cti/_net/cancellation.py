"""The handle that ends a connection wherever it waits."""

from contextlib import contextmanager
from typing import Callable, Iterator, List

from .reentrant import new_lock


class CancelToken:
    """Cancelled once, from any thread, to end a wait for a name, a handshake, or a socket.

    Whoever waits registers what wakes it. A hook runs under the lock: once ``on_cancel`` is left,
    its hook is not running and will not run. Hooks must not block, and may run twice.
    """

    def __init__(self) -> None:
        # A pull by a signal handler, or by ``__del__``, may interrupt any of these on the thread
        # that holds it: it runs the hooks that are there, and whoever adds one looks behind it.
        self._lock = new_lock()
        self._hooks: List[Callable[[], object]] = []
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        """Wakes everyone who waits now, and at once everyone who comes later."""
        with self._lock:
            if not self._cancelled:
                self._cancelled = True
                for hook in list(self._hooks):
                    hook()

    @contextmanager
    def on_cancel(self, hook: Callable[[], object]) -> Iterator[None]:
        """Calls the hook if the token is cancelled, now or before the block is left."""
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
