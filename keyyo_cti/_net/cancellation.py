"""The handle that ends a connection wherever it waits."""

import threading
from contextlib import contextmanager
from typing import Callable, Iterator, List


class Abort:
    """Pulled once, from any thread, to end a wait for a name, a handshake, or a socket.

    Whoever waits registers what wakes it. A hook runs under the lock: once ``waking`` is left,
    its hook is not running and will not run. Hooks must not block.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hooks: List[Callable[[], object]] = []
        self._pulled = False

    @property
    def pulled(self) -> bool:
        return self._pulled

    def pull(self) -> None:
        """Wakes everyone who waits now, and at once everyone who comes later."""
        with self._lock:
            if not self._pulled:
                self._pulled = True
                for hook in self._hooks:
                    hook()

    @contextmanager
    def waking(self, hook: Callable[[], object]) -> Iterator[None]:
        """Calls the hook if the handle is pulled, now or before the block is left."""
        self.add(hook)
        try:
            yield
        finally:
            self.remove(hook)

    def add(self, hook: Callable[[], object]) -> None:
        with self._lock:
            self._hooks.append(hook)
            if self._pulled:
                hook()

    def remove(self, hook: Callable[[], object]) -> None:
        with self._lock:
            self._hooks.remove(hook)
