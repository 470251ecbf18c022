"""Where commands go out and calls come in: what stands behind one CTI."""

import atexit
import itertools
import os
import sys
import threading
import time
import weakref
from concurrent.futures import Future
from functools import partial
from typing import Any, Callable, List, Optional, Set, Tuple

from . import commands
from .call import Call
from .clock import ServerClock
from .commands import CallNotification, Command
from .dispatch import Manual, chosen
from .errors import KeyyoError
from .events import Emitter
from .link import Link, not_connected
from .options import Options
from .pending import Callback, Reaction, Request
from .registry import Registry
from .session import Session, cookie_for

#: Seconds that ``close`` waits at most, whatever a handler does meanwhile, so that it returns
#: within two.
_CLOSE = 1.8

#: Seconds; more than that no wait can take.
_FOR_EVER = threading.TIMEOUT_MAX / 2

_STATE_EVENTS = {"SETUP": "setup", "CONNECT": "connect", "RELEASE": "release", "MISSED": "missed"}

_numbers = itertools.count(1)

_alive: "weakref.WeakSet[Switchboard]" = weakref.WeakSet()


class Switchboard:
    """Connects commands to the link that there is, and what comes in to handlers.

    There is at most one link that commands go to; one whose session was destroyed or refused
    may still be saying goodbye beside it.

    :param cti: whose events ``newCall``, ``disconnected`` and ``error`` are.
    """

    def __init__(self, cti: Emitter, options: Options) -> None:
        self._cti = cti
        self._options = options
        self._process = os.getpid()
        self._number = next(_numbers)
        self._clock = ServerClock()
        self.session = Session(cookie_for(options), self._clock)
        self._registry = Registry(partial(Call, self), options.max_ended_calls)
        self._dispatcher = chosen(
            options.dispatch,
            f"keyyo-cti-events-{self._number}",
            options.max_backlog,
            self.emit_error,
        )
        self._lock = threading.Lock()
        # Guarded by the lock: the link that commands go to, and every link that is not done.
        self._link: Optional[Link] = None
        self._links: Set[Link] = set()
        self._over = threading.Condition(self._lock)
        _alive.add(self)

    # From the program, on any thread.

    def ask(
        self,
        make: Callable[..., Command],
        arguments: Tuple[Any, ...],
        callback: Optional[Callback],
    ) -> "Future[Any]":
        """Asks the server for something, if there is a connection.

        :param make: makes the command of the arguments, or refuses them.
        """
        return self._ask(make, arguments, callback, None)

    def create_session(
        self, token: Any, auto_answer: Any, callback: Optional[Callback]
    ) -> "Future[Any]":
        """Asks for a new session."""
        arguments = (token, auto_answer)
        return self._open(commands.create_session, arguments, callback, self.session.on_create)

    def restore_session(
        self, token: Any, session_id: Any, callback: Optional[Callback]
    ) -> "Future[Any]":
        """Asks for the session of before, by default that of the cookie."""
        self._check_process()
        if session_id is None:
            session_id = self.session.remembered()
        react = self.session.on_restore(token, session_id)
        return self._open(commands.restore_session, (token, session_id), callback, react)

    def destroy_session(self, callback: Optional[Callback]) -> "Future[Any]":
        """Asks for the end of the session, on which the link ends too."""
        return self._ask(commands.destroy_session, (), callback, self._on_destroy)

    def calls(self) -> Registry:
        """The calls that are known."""
        self._check_process()
        return self._registry

    def server_time(self) -> float:
        """The server's Unix time in seconds."""
        return self._clock.now()

    @property
    def connected(self) -> bool:
        """Whether there is a session on the link that commands go to."""
        link = self._link
        return link is not None and link.in_session

    @property
    def transport(self) -> Optional[str]:
        """The transport of the link that commands go to."""
        link = self._link
        return None if link is None else link.transport

    def session_exists(self) -> bool:
        """Whether a session id is known, or remembered."""
        self._check_process()
        return self.session.session_id is not None or self.session.remembered() is not None

    def begin_close(self) -> List[Link]:
        """Begins to close every link there is, and gives them; waits for nothing."""
        with self._lock:
            links = list(self._links)
            self._link = None
        for link in links:
            link.begin_close()
        return links

    def close(self, until: Optional[float] = None) -> None:
        """See ``CTI.close``.

        :param until: monotonic time by which it returns.
        """
        self._check_process()
        until = time.monotonic() + _CLOSE if until is None else until
        # Those and no others: another thread may be opening one that is not to be closed.
        links = self.begin_close()
        for link in links:
            link.finish_close(until)
        if not self._dispatcher.inside():
            self._dispatcher.finish(max(0.0, until - time.monotonic()))
        for link in links:
            link.muted = True

    def wait(self, timeout: Optional[float]) -> bool:
        """See ``CTI.wait``."""
        self._check_process()
        if self._dispatcher.inside():
            raise RuntimeError("wait() in a handler would wait for itself")
        until = None if timeout is None else time.monotonic() + min(timeout, _FOR_EVER)
        try:
            while self._links:
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    return False
                self._wait_some(left)
        except KeyboardInterrupt:
            self.close()
            raise KeyboardInterrupt("the connection is closed") from None
        return True

    def poll(self, timeout: float) -> int:
        """See ``CTI.poll``."""
        self._check_process()
        return self._dispatcher.poll(timeout)

    # From a link, see ``link.Owner``.

    def deliver(self, link: Link, notification: CallNotification) -> None:
        """Updates the call and runs its handlers at once, so that they see this very state."""
        if link.muted:
            return
        call = self._registry.update(notification.callref, notification.fields)
        self._emit(link, self._cti, "newCall", call)
        state = notification.fields.get("state")
        event = _STATE_EVENTS.get(state) if isinstance(state, str) else None
        if event is not None:
            self._emit(link, call, event)

    def emit_error(self, error: BaseException) -> None:
        for handler in self._cti.handlers("error"):
            self._dispatcher.call(handler, error)

    def session_answered(self, link: Link, error: Optional[KeyyoError]) -> None:
        with self._lock:
            link.sessions_asked -= 1
        if error is not None:
            self._dispatcher.put(partial(self._close_if_useless, link))

    def ended(self, link: Link) -> None:
        with self._lock:
            if self._link is link:
                self._link = None

    def after_end(self, link: Link) -> None:
        try:
            if not link.quiet:
                self._emit(link, self._cti, "disconnected")
        finally:
            with self._lock:
                self._links.discard(link)
                self._over.notify_all()

    # Inside.

    def _ask(
        self,
        make: Callable[..., Command],
        arguments: Tuple[Any, ...],
        callback: Optional[Callback],
        reaction: Optional[Callable[[Link], Reaction]],
    ) -> "Future[Any]":
        request = self._request(make, arguments, callback)
        if request.future.done():
            return request.future
        with self._lock:
            link = self._link
        if link is None:
            request.complete(not_connected(), None)
        else:
            request.react = reaction(link) if reaction is not None else None
            link.ask(request)
        return request.future

    def _open(
        self,
        make: Callable[..., Command],
        arguments: Tuple[Any, ...],
        callback: Optional[Callback],
        react: Reaction,
    ) -> "Future[Any]":
        """Asks for a session, on the link that there is or on a new one."""
        request = self._request(make, arguments, callback)
        if request.future.done():
            return request.future
        request.opens_session = True
        with self._lock:
            link = self._link or self._start_link()
            link.sessions_asked += 1
        request.react = partial(self._on_session, link, react)
        link.ask(request)
        return request.future

    def _request(
        self,
        make: Callable[..., Command],
        arguments: Tuple[Any, ...],
        callback: Optional[Callback],
    ) -> Request:
        """The request; with a wrong value in it, it has its answer already."""
        self._check_process()
        if callback is not None and not callable(callback):
            kind = type(callback).__name__
            raise TypeError(f"callback: expected a function or None, got {kind}")
        if any(callable(argument) for argument in arguments):
            raise TypeError("a function where a value is expected: is an argument missing?")
        try:
            return Request(make(*arguments), self._dispatcher, callback)
        except KeyyoError as error:
            refused = Request(Command("refused"), self._dispatcher, callback)
            refused.complete(error, None)
            return refused

    def _start_link(self) -> Link:
        assert self._lock.locked()
        name = f"keyyo-cti-reader-{self._number}"
        link = Link(self, self._options, self._dispatcher, name)
        self._dispatcher.hold()
        try:
            link.start()
        except BaseException:
            self._dispatcher.release()
            raise
        self._link = link
        self._links.add(link)
        return link

    def _on_session(
        self, link: Link, react: Reaction, error: Optional[KeyyoError], result: Any
    ) -> Optional[Command]:
        """Reacts to the answer to a request for a session, unless the link was closed meanwhile:
        then another may have a session of its own, which this one must not touch."""
        if self._link is not link:
            return None
        instead = react(error, result)
        if error is None:
            link.in_session = True
        return instead

    def _on_destroy(self, link: Link) -> Reaction:
        def react(error: Optional[KeyyoError], result: Any) -> None:
            if error is not None or self._link is not link:
                return
            self.session.on_destroy()
            self.ended(link)
            link.begin_close()

        return react

    def _close_if_useless(self, link: Link) -> None:
        """A connection whose session was refused serves nothing, once the callback that was
        told so has not asked for another."""
        with self._lock:
            if self._link is not link or link.sessions_asked or link.in_session:
                return
            self._link = None
        link.begin_close()

    def _emit(self, link: Link, emitter: Emitter, name: str, *arguments: Any) -> None:
        for handler in emitter.handlers(name):
            if not link.muted:
                self._dispatcher.call(handler, *arguments)

    def _wait_some(self, timeout: Optional[float]) -> None:
        """Until something happens that ``wait`` wants to know, or the time is up."""
        if sys.platform == "win32":
            # There, Ctrl-C does not end a wait on a lock.
            timeout = min(timeout or 1.0, 1.0)
        if isinstance(self._dispatcher, Manual):
            self._dispatcher.poll(1.0 if timeout is None else timeout)
            return
        with self._lock:
            self._over.wait_for(lambda: not self._links, timeout)

    def _check_process(self) -> None:
        # First of all, and without a lock: a lock may have been held when the process forked.
        if os.getpid() != self._process:
            raise RuntimeError(
                "this CTI belongs to the parent process: make another one after fork"
            )

    def _unclosed(self) -> bool:
        """Whether there is a connection, in this process, that nobody has closed."""
        return self._process == os.getpid() and not all(link.quiet for link in self._links)


@atexit.register
def _close_all() -> None:
    """A program that just ends says goodbye to the server, and its threads are gone before the
    interpreter takes away what they print to."""
    until = time.monotonic() + _CLOSE
    unclosed = [switchboard for switchboard in list(_alive) if switchboard._unclosed()]
    for switchboard in unclosed:
        switchboard.begin_close()
    for switchboard in unclosed:
        switchboard.close(until)
