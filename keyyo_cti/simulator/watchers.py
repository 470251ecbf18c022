"""Waiting for a condition, checked at each change and never by the clock."""

from __future__ import annotations

import asyncio
from typing import Callable, List, Optional, Tuple, TypeVar

T = TypeVar("T")


class Watchers:
    """Those who wait for something to become so. All methods belong to the loop's thread."""

    def __init__(self) -> None:
        self._watchers: List[Tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def changed(self) -> None:
        """Something has changed: look whether anyone need wait no longer."""
        for met, future in self._watchers:
            if not future.done() and met():
                future.set_result(None)

    async def until(
        self, find: Callable[[], Optional[T]], timeout: float, complaint: Callable[[], str]
    ) -> T:
        """Wait until `find` gives something, and give that.

        :param find: looks at the present state; None means not yet.
        :param timeout: seconds.
        :param complaint: says, in the end, what was seen instead.
        :raises TimeoutError: nothing was found in time.
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
            raise TimeoutError(complaint()) from None
        finally:
            self._watchers.remove(watcher)
        return found[0]
