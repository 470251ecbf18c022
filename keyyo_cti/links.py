"""The links of one CTI, and the outage that may lie between two of them."""

import threading
from typing import Callable, Dict, List, NamedTuple, Optional, Set

from .connection import Link
from .outage import Outage
from .pending import Request


class Ending(NamedTuple):
    """What ``Links.close`` found.

    :ivar links: every link that is not done.
    :ivar outages: the one that was going on, and those whose end is not told yet.
    :ivar was_restoring: whether one was going on.
    """

    links: List[Link]
    outages: List[Outage]
    was_restoring: bool


class Links:
    """At most one link is the one that commands go to; one whose session was destroyed or refused
    may still be saying goodbye beside it. Thread-safe. Runs nothing of others under its lock but
    what makes a link.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        # Guarded by the lock: the link that commands go to, all that are not done, the outage
        # that goes on, and those that ended in a loss which is not told yet.
        self._current: Optional[Link] = None
        self._all: Set[Link] = set()
        self._outage: Optional[Outage] = None
        self._losses: Set[Outage] = set()
        # For links that no command goes to any more, while some of their own have no answer:
        # the commands that were asked later and found no link, in order.
        self._behind: Dict[Link, List[Request]] = {}
        # Whether the program was told of the last drop and has opened no session since.
        self._handles_drop = False

    @property
    def current(self) -> Optional[Link]:
        """The link that commands go to."""
        return self._current

    @property
    def restoring(self) -> bool:
        """Whether there is an outage."""
        return self._outage is not None

    def expecting(self) -> bool:
        """Whether events may still come."""
        return bool(self._all or self._losses or self._handles_drop) or self._outage is not None

    def wait(self, timeout: Optional[float]) -> None:
        """Until nothing is expected any more, or so many seconds."""
        with self._lock:
            self._changed.wait_for(lambda: not self.expecting(), timeout)

    def all_quiet(self) -> bool:
        """Whether there is nothing that nobody has closed."""
        with self._lock:
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
        :returns: None when there is another outage than that, or that is over.
        """
        with self._lock:
            if self._outage is not outage:
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
        """The link has ended. On its thread.

        :param restores: whether a session that is lost is to be restored, on that thread.
        :returns: the outage that begins with it, if one does.
        """
        with self._lock:
            if not self._drop(link) or self._outage is not None:
                return None
            link.is_event = True
            if restores and link.in_session:
                self._outage = Outage(link.last_silence)
            return self._outage

    def drop(self, link: Link) -> bool:
        """The link is of no use: no command goes to it any more.

        :returns: whether one would have.
        """
        with self._lock:
            return self._drop(link)

    def drop_if_useless(self, link: Link) -> bool:
        """The same, if there is no session on it and none is asked for."""
        with self._lock:
            return not (link.in_session or link.sessions_asked) and self._drop(link)

    def session_opened(self, link: Link) -> None:
        """There is a session on the link."""
        with self._lock:
            link.in_session = True
            self._handles_drop = False
            for other in self._all:
                other.followed = other is not link

    def done(self, link: Link, handled: bool = False) -> None:
        """All that there was to tell of the link has been told.

        :param handled: whether it was a drop that nothing restores, and a handler was told: the
            program may be about to open another session, on a timer of its own.
        """
        with self._lock:
            self._all.discard(link)
            if handled and not (link.quiet or link.followed):
                self._handles_drop = True
            self._changed.notify_all()

    def defer(self, request: Request) -> bool:
        """A command has found no link. If commands that were asked before it have no answer
        yet, it gets its own behind them.

        :returns: whether it does; otherwise it can be answered now.
        """
        with self._lock:
            for behind in reversed(list(self._behind.values())):
                behind.append(request)
                return True
            return False

    def take_behind(self, link: Link) -> List[Request]:
        """The commands that wait behind those of the link, all of which have their answers. To
        be asked again once these are answered, until there are none."""
        with self._lock:
            behind = self._behind.get(link)
            if not behind:
                self._behind.pop(link, None)
                return []
            self._behind[link] = []
            return behind

    def end_outage(self) -> Optional[Outage]:
        """Ends the outage, if there is one: the session is back.

        :returns: the outage, for the one who has ended it.
        """
        with self._lock:
            return self._end_outage()

    def lose_session(self, outage: Outage) -> bool:
        """Ends the outage: the session is lost, which is still to be told.

        :returns: whether it was not over before.
        """
        with self._lock:
            if self._outage is not outage:
                return False
            self._losses.add(outage)
            return self._end_outage() is not None

    def told(self, outage: Outage) -> None:
        """The loss has been told."""
        with self._lock:
            self._losses.discard(outage)
            self._changed.notify_all()

    def close(self) -> Ending:
        """No command goes to any link any more, and nothing is restored."""
        with self._lock:
            links, outages = list(self._all), list(self._losses)
            for link in links:
                # Under the same lock, or a drop that is being told could keep wait() waiting.
                link.quiet = True
            self._handles_drop = False
            self._changed.notify_all()
            if self._current is not None:
                self._drop(self._current)
            # Under the same lock, so that no attempt begins in between.
            outage = self._end_outage()
            if outage is not None:
                outages.append(outage)
            return Ending(links, outages, outage is not None)

    def _drop(self, link: Link) -> bool:
        assert self._lock.locked()
        if self._current is not link:
            return False
        self._current = None
        self._behind[link] = []
        return True

    def _end_outage(self) -> Optional[Outage]:
        assert self._lock.locked()
        outage, self._outage = self._outage, None
        if outage is not None:
            outage.over.set()
            self._changed.notify_all()
        return outage
