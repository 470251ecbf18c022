"""Where commands go out and calls come in: what stands behind one CTI."""

import itertools
import os
import threading
from concurrent.futures import Future
from functools import partial
from typing import Any, Callable, List, Mapping, Optional, Tuple, Union

from ._net.clock import monotonic
from .at_exit import CLOSE
from .call import Call
from .callback import Callback
from .commands import Command
from .connection import Link
from .connection_failed import not_connected
from .dates import latest_date
from .dial_guard import DialGuard
from .dispatch import Manual, chosen
from .errors import KeyyoError
from .events import Emitter
from .links import Links
from .options import Options
from .outage import Outage
from .pending import Reaction, Request
from .registry import Registry, Update
from .retelling import CHANGE, REPEAT
from .server_clock import ServerClock
from .session import Session, cookie_for
from .session_thread import SessionRequests
from .user_code import require_function_or_none

#: Seconds; more than that no wait can take.
_FOR_EVER = threading.TIMEOUT_MAX / 2

_STATE_EVENTS = {"SETUP": "setup", "CONNECT": "connect", "RELEASE": "release", "MISSED": "missed"}

_numbers = itertools.count(1)


class Switchboard:
    """Connects commands to the link that there is, and what comes in to handlers.

    :param cti: whose events ``newCall``, ``disconnected``, ``restored``, ``lost`` and ``error``
        are.
    """

    def __init__(self, cti: Emitter, options: Options) -> None:
        self._cti = cti
        self._options = options
        self._process = os.getpid()
        self._number = next(_numbers)
        self._clock = ServerClock()
        self.session = Session(cookie_for(options), self._clock)
        self._dispatcher = chosen(
            options.dispatch,
            f"keyyo-cti-events-{self._number}",
            options.max_backlog,
            self.emit_error,
            options.max_backlog_bytes,
        )
        self._guard = DialGuard(options.may_dial, self._report)
        inside = self._dispatcher.inside
        self._registry = Registry(
            partial(Call, self, handling=inside),
            options.max_ended_calls,
            options.token_provider is not None,
            options.max_active_calls,
            inside,
            # A function of the program may raise for one piece of work while others wait.
            in_order=not callable(options.dispatch),
        )
        # The link whose notifications the latest view shows; guarded by the registry's lock.
        self._heard: Optional[Link] = None
        self._links = Links()
        self.sessions = SessionRequests(
            self, self.session, self._links, self._dispatcher, options
        )

    # From the program, on any thread.

    def ask(
        self,
        make: Callable[..., Command],
        arguments: Tuple[Any, ...],
        callback: Optional[Callback],
        reaction: Optional[Callable[[Link, Command], Optional[Reaction]]] = None,
    ) -> "Future[Any]":
        """Asks the server for something, if there is a connection.

        :param make: makes the command of the arguments, or refuses them.
        :param reaction: what the SDK itself does with the answer.
        """
        request = self.request(make, arguments, callback)
        if request.future.done():
            return request.future
        link, restoring = self._links.current, self._links.restoring
        if link is None or restoring:
            self.refuse(request)
        else:
            request.react = (reaction or self.sessions.noting)(link, request.command)
            link.ask(request)
        return request.future

    def request(
        self,
        make: Callable[..., Command],
        arguments: Tuple[Any, ...],
        callback: Optional[Callback],
    ) -> Request:
        """The request; with a wrong value in it, or a number that ``may_dial`` does not allow, it
        has its answer already.

        :param make: makes the command of the arguments, or refuses them.
        """
        self._check_process()
        require_function_or_none("callback", callback)
        if any(map(callable, arguments)):
            raise TypeError("a function where a value is expected: is an argument missing?")
        try:
            command = make(*arguments)
            refusal = self._guard.refusal(command)
        except KeyyoError as error:
            refusal = error
        if refusal is None:
            request = Request(command, self._dispatcher, callback)
            self._dispatcher.expect(request)
            return request
        refused = Request(Command("refused"), self._dispatcher, callback)
        refused.complete(refusal, None)
        return refused

    def remembered(self) -> Optional[str]:
        """The session id of the cookie, if there is one."""
        self._check_process()
        return self.session.remembered()

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
        link = self._links.current
        return link is not None and link.in_session and not self._links.restoring

    @property
    def transport(self) -> Optional[str]:
        """The transport of the link that commands go to."""
        link = self._links.current
        return None if link is None else link.transport

    def session_exists(self) -> bool:
        """True if the cookie holds a session id."""
        return self.remembered() is not None

    def begin_close(self) -> List[Union[Link, Outage]]:
        """Begins to close every link there is, ends the outage that there may be, and gives
        them; waits for nothing."""
        links, outages, was_restoring = self._links.close()
        if was_restoring:
            self._dispatcher.release()
        for link in links:
            link.begin_close()
        return [*links, *outages]

    def close(self, until: Optional[float] = None) -> None:
        """See ``CTI.close``.

        :param until: monotonic time by which it returns.
        """
        self._check_process()
        until = monotonic() + CLOSE if until is None else until
        # Those and no others: another thread may be opening one that is not to be closed.
        ending = self.begin_close()
        for each in ending:
            each.finish_close(until)
        if not self._dispatcher.inside():
            self._dispatcher.finish(max(0.0, until - monotonic()))
        for each in ending:
            each.muted = True

    def unclosed(self) -> bool:
        """Whether there is a connection, in this process, that nobody has closed."""
        return self._process == os.getpid() and not self._links.all_quiet()

    def wait(self, timeout: Optional[float]) -> bool:
        """See ``CTI.wait``."""
        self._check_process()
        if self._dispatcher.inside() or self._links.inside_restorer():
            raise RuntimeError("wait() in a handler would wait for itself")
        until = None if timeout is None else monotonic() + min(timeout, _FOR_EVER)
        try:
            while self._links.expecting():
                left = None if until is None else until - monotonic()
                if left is not None and left <= 0:
                    return False
                self._wait_some(left)
        except KeyboardInterrupt:
            self.close()
            raise KeyboardInterrupt("the connection is closed") from None
        except SystemExit:
            self.close()
            raise
        return True

    def poll(self, timeout: float) -> int:
        """See ``CTI.poll``."""
        self._check_process()
        return self._dispatcher.poll(timeout)

    # From a link, see ``link.Owner``.

    def receive(self, link: Link, callref: str, fields: Mapping[str, Any], size: int) -> None:
        """Updates the latest view, and queues the same for the handlers."""
        self._clock.learn(latest_date(fields))
        with self._registry.lock:
            if link is self._heard or self._hear(link):
                update = self._registry.update(callref, fields, size)
                self._dispatcher.put(partial(self._deliver, link, update), size)

    def _hear(self, link: Link) -> bool:
        """Makes a link the one whose notifications count, unless it is an old one that is
        closing while another one is heard already."""
        if self._heard is not None:
            if link.quiet:
                return False
            self._mark_gap()
        self._heard = link
        return True

    def _mark_gap(self) -> None:
        if self._registry.is_empty():
            return
        gap = self._registry.mark_gap()
        self._dispatcher.put(partial(self._registry.handle_gap, gap))

    def _deliver(self, link: Link, update: Update) -> None:
        """Moves the view of handlers, and at once runs the handlers of that very state."""
        if link.muted:
            self._registry.skip(update)
            return
        self._registry.handle(update)
        call, what, fields, kept, _ = update
        if self._registry.untold:
            what = self._registry.retold(update)
        if what == REPEAT:
            self._registry.settle(update)
            return
        try:
            self._emit(link, self._cti, "newCall", call)
            state = fields.get("state")
            event = _STATE_EVENTS.get(state) if isinstance(state, str) else None
            if event is not None and what != CHANGE:
                self._emit(link, call, event)
        finally:
            if kept is not fields:
                self._registry.settle(update)

    def emit_error(
        self, error: BaseException, source: Union[Link, Outage, None] = None
    ) -> None:
        for handler in self._cti.handlers("error"):
            if source is None or not source.muted:
                self._dispatcher.call(handler, error)

    def session_answered(self, link: Link, error: Optional[KeyyoError]) -> None:
        self.sessions.answered(link, error)

    def ended(self, link: Link) -> None:
        # Before any command of the link is answered, and before another link can begin.
        with self._registry.lock:
            # The link may have been heard though its session came to nothing. Otherwise it would
            # count as heard from here on, and the drop of the next one would mark no gap.
            if self._heard is link or (self._heard is None and link.in_session):
                self._heard = None
                self._mark_gap()
        self.sessions.ended(link)

    def refuse(self, request: Request) -> None:
        if not self._links.defer(request):
            request.complete(not_connected(self._links.restoring), None)

    def answered(self, link: Link) -> None:
        while True:
            behind = self._links.take_behind(link)
            if not behind:
                return
            for request in behind:
                request.complete(not_connected(self._links.restoring), None)

    def after_end(self, link: Link) -> None:
        handled = False
        try:
            if link.is_event:
                handled = self._emit(link, self._cti, "disconnected")
                handled = handled and not self._dispatcher.alone()
        finally:
            self._links.done(link, handled and self._options.token_provider is None)

    def gone(self, link: Link) -> None:
        self.sessions.gone(link)

    # From the session's requests.

    def start_link(self, first: Optional[str] = None) -> Link:
        name = f"keyyo-cti-reader-{self._number}"
        link = Link(self, self._options, self._dispatcher, name, first=first)
        self._dispatcher.hold()
        try:
            link.start()
        except BaseException:
            self._dispatcher.release()
            raise
        return link

    def emit(self, source: Union[Link, Outage], name: str, *arguments: Any) -> None:
        self._emit(source, self._cti, name, *arguments)

    # Inside.

    def _report(self, error: BaseException) -> None:
        """Emit ``error`` where handlers run."""
        self._dispatcher.put(partial(self.emit_error, error))

    def _emit(
        self, source: Union[Link, Outage], emitter: Emitter, name: str, *arguments: Any
    ) -> bool:
        """Calls the handlers of an event.

        :returns: whether there was one.
        """
        handled = False
        for handler in emitter.handlers(name):
            if not source.muted:
                self._dispatcher.call(handler, *arguments)
                handled = True
        return handled

    def _wait_some(self, timeout: Optional[float]) -> None:
        """Until something happens that ``wait`` wants to know, or the time is up."""
        # Ctrl-C does not end a wait on a lock on Windows, nor one that begins at that very moment.
        timeout = min(1.0 if timeout is None else timeout, 1.0)
        if isinstance(self._dispatcher, Manual):
            # What another thread does away with is no work that would wake this one.
            self._dispatcher.poll(timeout)
            return
        self._links.wait(timeout)

    def _check_process(self) -> None:
        # First of all, and without a lock: a lock may have been held when the process forked.
        if os.getpid() != self._process:
            raise RuntimeError(
                "this CTI belongs to the parent process: make another one after fork"
            )
