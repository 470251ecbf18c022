"""A page that runs JavaScript in Node, on the stand-in for Keyyo's SDK (``tests/node``)."""

from __future__ import annotations

import json
import queue
import time
from typing import Any, List

from .node_programs import NodeProgram
from .running import DEADLINE


class Page(NodeProgram):
    """One Node process, in which one page is open after the other.

    :ivar said: what the present page has written to its console.
    :ivar raised: the exceptions that nothing in the page caught.
    """

    def __init__(self) -> None:
        super().__init__("page.js")
        self.said: List[str] = []
        self.raised: List[str] = []

    def open(self, endpoint: str, **settings: Any) -> None:
        """Open a new page.

        :param settings: ``names`` that its code finds, ``cookies``, and the time ``now``.
        """
        # What the page before it still says, if its test failed, is not this one's.
        self.leave()
        self.said, self.raised = [], []
        self._order("open", {"endpoint": endpoint, **settings})

    def run(self, code: str) -> None:
        """Run a script, and wait for its end."""
        self._order("run", code)

    def wait_for(self, said: int, raised: int = 0) -> List[str]:
        """Return what was said, once so much has come or the deadline has passed.

        :param said: how many lines.
        :param raised: how many exceptions.
        """
        until = time.monotonic() + DEADLINE
        while len(self.said) < said or len(self.raised) < raised:
            left = until - time.monotonic()
            if left <= 0:
                break
            self._read(left)
        return self.said

    def leave(self) -> None:
        """Leave the page."""
        self._order("leave", True)

    def _order(self, name: str, argument: Any) -> None:
        self.type(json.dumps({name: argument}))
        until = time.monotonic() + DEADLINE
        while self._read(max(0.0, until - time.monotonic())) != {"done": name}:
            assert time.monotonic() < until, f"{name!r} did not end"

    def _read(self, timeout: float) -> Any:
        try:
            line = self._queues["out"].get(timeout=timeout)
        except queue.Empty:
            return None
        assert line is not None, "\n".join(self.rest("err"))
        message = json.loads(line)
        for kind, kept in [("said", self.said), ("raised", self.raised)]:
            if kind in message:
                kept.append(message[kind])
        return message
