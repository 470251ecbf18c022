"""The links of one CTI, and the outage that may lie between two of them."""

import threading
from typing import Callable, List, NamedTuple, Optional, Set

from .link import Link
from .restorer import Outage


class Ending(NamedTuple):
    """What ``Links.close`` found.

    :ivar links: every link that is not done.
    :ivar outage: the outage whose end is not told yet, if there is one.
    :ivar ended: whether it was this that ended it.
    """

    links: List[Link]
    outage: Optional[Outage]
    ended: bool


class Links:
    """At most one link is the one that commands go to; one whose session was destroyed or refused
    may still be saying goodbye beside it. Thread-safe. Runs nothing of others under its lock but
    what makes a link.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        # Guarded by the lock: the one that commands go to, all that are not done, and the outage
        # whose end is not told yet.
        self._current: Optional[Link] = None
        self._all: Set[Link] = set()
        self._outage: Optional[Outage] = None

    @property
    def current(self) -> Optional[Link]:
        """The link that commands go to."""
        return self._current

    @property
    def restoring(self) -> bool:
        """Whether there is an outage that goes on."""
        outage = self._outage
        return outage is not None and not outage.over.is_set()

    def expecting(self) -> bool:
        """Whether events may still come."""
        return bool(self._all) or self._outage is not None

    def wait(self, timeout: Optional[float]) -> None:
        """Until nothing is expected any more, or so many seconds."""
        with self._lock:
            self._changed.wait_for(lambda: not self.expecting(), timeout)

    def all_quiet(self) -> bool:
        """Whether there is nothing that nobody has closed."""
        return self._outage is None and all(link.quiet for link in self._all)

    def inside_restorer(self) -> bool:
        """Whether this is the thread that restores."""
        outage = self._outage
        return outage is not None and outage.inside()

    def for_session(
        self, start: Callable[[], Link], outage: Optional[Outage] = None
    ) -> Optional[Link]:
        """The link that a request for a session is to go to.

        :param start: makes one, if there is none.
        :param outage: that the request is to end.
        :returns: None when that outage is over already.
        """
        with self._lock:
            if outage is not None and outage.over.is_set():
                return None
            if self._current is None:
                self._current = start()
                self._all.add(self._current)
            self._current.sessions_asked += 1
            return self._current

    def session_answered(self, link: Link) -> None:
        """A request of ``for_session`` has its answer."""
        with self._lock:
            link.sessions_asked -= 1

    def lose(self, link: Link, restores: bool) -> Optional[Outage]:
        """The link has ended by itself. On its thread.

        :param restores: whether a session that is lost is to be restored, on that thread.
        :returns: the outage that begins with it, if one does.
        """
        with self._lock:
            if self._current is not link:
                return None
            self._current = None
            if self.restoring:
                link.is_event = False
            elif restores and link.in_session:
                self._outage = Outage(link.last_silence)
                return self._outage
            return None

    def drop(self, link: Link) -> bool:
        """The link is of no use: no command goes to it any more.

        :returns: whether one would have.
        """
        with self._lock:
            return self._drop(link)

    def drop_if_useless(self, link: Link, answering: int = 0) -> bool:
        """The same, if there is no session on it and none is asked for.

        :param answering: how many requests for a session are being answered just now.
        """
        with self._lock:
            useful = link.in_session or link.sessions_asked > answering
            return not useful and self._drop(link)

    def done(self, link: Link) -> None:
        """All that there was to tell of the link has been told."""
        with self._lock:
            self._all.discard(link)
            self._changed.notify_all()

    def close(self) -> Ending:
        """No command goes to any link any more, and nothing is restored."""
        with self._lock:
            links, outage = list(self._all), self._outage
            self._current = None
            # Under the same lock, so that no attempt begins in between.
            return Ending(links, outage, self._end_outage() is not None)

    def end_outage(self) -> Optional[Outage]:
        """Ends the outage that goes on, if one does; closed, or restored.

        :returns: the outage, for the one who has ended it.
        """
        with self._lock:
            return self._end_outage()

    def lose_session(self, outage: Outage) -> bool:
        """Ends the outage, with its end still to be told: lost.

        :returns: whether it was not over before.
        """
        with self._lock:
            was_over = outage.over.is_set()
            outage.over.set()
            return not was_over

    def told(self, outage: Outage) -> None:
        """The end of the outage has been told."""
        with self._lock:
            if self._outage is outage:
                self._outage = None
            self._changed.notify_all()

    def _drop(self, link: Link) -> bool:
        assert self._lock.locked()
        if self._current is not link:
            return False
        self._current = None
        return True

    def _end_outage(self) -> Optional[Outage]:
        assert self._lock.locked()
        outage = self._outage
        if outage is None or outage.over.is_set():
            return None
        outage.over.set()
        self._outage = None
        self._changed.notify_all()
        return outage
