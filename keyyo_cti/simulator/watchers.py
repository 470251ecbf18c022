"""Waiting for conditions, which are checked at each change instead of by polling."""

from __future__ import annotations

import asyncio
from typing import Callable, List, Optional, Tuple, TypeVar

T = TypeVar("T")


class Watchers:
    """The tasks that wait for a condition; all methods run on the loop's thread."""

    def __init__(self) -> None:
        self._watchers: List[Tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def notify(self) -> None:
        """Check every condition after a change."""
        for met, future in self._watchers:
            if not future.done() and met():
                future.set_result(None)

    async def wait_for(
        self, find: Callable[[], Optional[T]], timeout: float, make_message: Callable[[], str]
    ) -> T:
        """Wait until `find` returns a value, and return it.

        :param find: examines the current state; None means not yet.
        :param timeout: seconds.
        :param make_message: makes the error message, which describes the final state.
        :raises TimeoutError: `find` returned None until the timeout.
        """
        found: List[T] = []

        def met() -> bool:
            seen = find()
            if seen is not None:
                found.append(seen)
            return seen is not None

        if met():
            return found[0]
        watcher = met, asyncio.get_running_loop().create_future()
        self._watchers.append(watcher)
        try:
            await asyncio.wait_for(watcher[1], timeout)
        except asyncio.TimeoutError:
            raise TimeoutError(make_message()) from None
        finally:
            self._watchers.remove(watcher)
        return found[0]
