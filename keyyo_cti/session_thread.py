"""What is asked for the session itself: to create, restore and destroy it, and to bring it back
after its connection was lost."""

import logging
import threading
from concurrent.futures import Future
from functools import partial
from typing import Any, Callable, Optional, Protocol, Tuple, Union

from . import commands
from ._net.clock import Monotonic, monotonic
from .callback import Callback
from .commands import Command
from .connection import Link
from .dispatch import Dispatcher
from .errors import ConnectionClosed, ConnectionFailed, KeyyoError
from .links import Links
from .options import Options
from .outage import Outage, Restorer
from .pending import Reaction, Request
from .session import Session, explain_token, following

_log = logging.getLogger("keyyo_cti")


_BEING_DESTROYED = (
    "the connection was lost while the session was being destroyed; its state is unknown: create "
    "a new session if you need one"
)


class Board(Protocol):
    """What is needed of the switchboard here."""

    def request(
        self,
        make: Callable[..., Command],
        arguments: Tuple[Any, ...],
        callback: Optional[Callback],
    ) -> Request:
        """The request; with a wrong value in it, it has its answer already."""

    def ask(
        self,
        make: Callable[..., Command],
        arguments: Tuple[Any, ...],
        callback: Optional[Callback],
        reaction: Callable[[Link, Command], Optional[Reaction]],
    ) -> "Future[Any]":
        """Asks the server for something, if there is a connection."""

    def start_link(self, first: Optional[str] = None) -> Link:
        """Begin a connection.

        :param first: the transport to try before the others.
        """

    def refuse(self, request: Request) -> None:
        """Answers a command that finds no connection, behind those that were asked before."""

    def emit(self, source: Union[Link, Outage], name: str, *arguments: Any) -> None:
        """Emits an event of the CTI, where handlers run, unless its source is muted."""

    def emit_error(
        self, error: BaseException, source: Union[Link, Outage, None] = None
    ) -> None:
        """Emits ``error``, where handlers run, unless its source is muted."""


class SessionRequests:
    """Asks for the session, and makes of each answer what is to be made of it.

    :param links: on which it is asked.
    :param options: of which ``token_provider`` turns auto-restore on.
    """

    def __init__(
        self,
        board: Board,
        session: Session,
        links: Links,
        dispatcher: Dispatcher,
        options: Options,
        clock: Monotonic = monotonic,
    ) -> None:
        self._board = board
        self._session = session
        self._links = links
        self._dispatcher = dispatcher
        self._clock = clock
        # The transport of the last session. Where websockets are blocked in silence, a restore
        # that began with them would take five seconds each time.
        self._carrier: Optional[str] = None
        provide = options.token_provider
        self._restorer = None if provide is None else Restorer(self, provide, options.backoff)

    # From the program, on any thread.

    def create(self, token: Any, auto_answer: Any, callback: Optional[Callback]) -> "Future[Any]":
        """Asks for a new session."""
        request = self._board.request(commands.create_session, (token, auto_answer), callback)
        return self._open(request, self._session.on_create)

    def restore(self, token: Any, session_id: Any, callback: Optional[Callback]) -> "Future[Any]":
        """Asks for the session of before.

        :param session_id: of which session; None leaves it to the server.
        """
        # With cookies, a missing id is null, as in JavaScript: the server then answers with the
        # error on which the SDK falls back to create_session.
        arguments = (token, session_id, self._session.has_cookie)
        request = self._board.request(commands.restore_session, arguments, callback)
        return self._open(request, self._session.on_restore(token, session_id))

    def destroy(self, callback: Optional[Callback]) -> "Future[Any]":
        """Asks for the end of the session, on which the link ends too."""
        return self._board.ask(commands.destroy_session, (), callback, self._on_destroy)

    def noting(self, link: Link, command: Command) -> Optional[Reaction]:
        """The reaction that takes note of what the session was asked to keep."""
        if self._restorer is None:
            return None

        def react(error: Optional[KeyyoError], result: Any) -> None:
            if error is None and self._links.current is link:
                self._session.orders.heed(command, result)

        return react

    # From a link, on its thread.

    def answered(self, link: Link, error: Optional[KeyyoError]) -> None:
        """A request for a session has its answer, and its callback is queued."""
        self._links.session_answered(link)
        if error is not None:
            self._dispatcher.put(partial(self._close_if_useless, link))

    def ended(self, link: Link) -> None:
        """The link has ended. If a session is lost with it, an outage may begin."""
        link.outage = self._links.lose(link, self._restorer is not None)
        if link.outage is not None:
            self._dispatcher.hold()

    def gone(self, link: Link) -> None:
        """All that there was to do for the link is done. If an outage began with it, its thread
        has got another use: it restores, so that no thread has to be started for that."""
        if link.outage is None or self._restorer is None:
            return
        if link.unwanted:
            self.give_up(link.outage, ConnectionClosed(sent=True, hint=_BEING_DESTROYED))
        else:
            thread = threading.current_thread()
            thread.name = thread.name.replace("reader", "restorer")
            self._restorer.run(link.outage)

    # From the restorer, see ``restorer.Reopener``.

    def reopen(self, outage: Outage, token: str) -> "Future[Any]":
        def recreated() -> None:
            outage.recreated = True

        steps = self._session.reopening(token, recreated, partial(self._report, outage))
        request = self._board.request(partial(next, steps), (), None)
        return self._open(request, following(steps), outage)

    def give_up(self, outage: Outage, error: KeyyoError) -> None:
        if self._links.lose_session(outage):
            self._dispatcher.put(partial(self._lose, outage, error))
            self._dispatcher.release()

    def provider_failed(self, outage: Outage, error: BaseException) -> None:
        _log.error("%s in token_provider", type(error).__name__, exc_info=error)
        self._report(outage, error)

    # Inside.

    def _open(
        self, request: Request, react: Reaction, outage: Optional[Outage] = None
    ) -> "Future[Any]":
        """Asks for a session, on the link that there is or on a new one.

        :param outage: which it is to end, when it is the restorer that asks. The program does
            not ask meanwhile: the two would not know of each other's sessions.
        """
        if request.future.done():
            return request.future
        request.opens_session = True
        restores = outage is not None or request.command.action == "restore_session"
        start = partial(self._board.start_link, self._carrier if restores else None)
        try:
            link = self._links.for_session(start, outage)
        except RuntimeError as error:
            failure = ConnectionFailed("no thread can be started", "end some threads, try again")
            failure.__cause__ = error
            request.complete(failure, None)
            return request.future
        if link is None:
            self._board.refuse(request)
        else:
            request.react = partial(self._on_answer, link, request, react, outage)
            link.ask(request)
        return request.future

    def _on_answer(
        self,
        link: Link,
        request: Request,
        react: Reaction,
        outage: Optional[Outage],
        error: Optional[KeyyoError],
        result: Any,
    ) -> Optional[Command]:
        """Reacts to the answer to a request for a session, unless the link was closed meanwhile:
        then another may have a session of its own, which this one must not touch."""
        if self._links.current is not link:
            return None
        self._session.round_trip = self._clock() - request.asked_at
        answered, instead = request.command, react(error, result)
        if error is not None and instead is None:
            explain_token(error, answered)
        if error is None:
            self._links.session_opened(link)
            self._carrier = link.transport or self._carrier
            if outage is None:
                self._take_note(link, answered, result)
        if instead is None and outage is not None:
            self._attempted(link)
        return instead

    def _attempted(self, link: Link) -> None:
        """The restorer's commands have all been answered, or one was refused."""
        if link.in_session:
            self._restored(link)
        elif self._links.drop(link):
            # At once, whatever the handlers do: the next attempt has a link of its own.
            link.begin_close()

    def _take_note(self, link: Link, answered: Command, result: Any) -> None:
        """Takes note of what the program's session keeps; one of before has to be asked."""
        if self._restorer is None:
            return
        if answered.action == "create_session":
            self._session.orders.heed(answered, result)
            return
        for question in (commands.get_subscriptions(), commands.get_auto_answer()):
            link.ask(Request(question, self._dispatcher, react=self.noting(link, question)))

    def _on_destroy(self, link: Link, _: Command) -> Reaction:
        # From now on: should the connection go before the answer comes, nobody wants another.
        link.unwanted = True

        def react(error: Optional[KeyyoError], result: Any) -> None:
            if error is not None:
                link.unwanted = isinstance(error, ConnectionClosed)
            elif self._links.drop(link):
                self._session.on_destroy()
                link.begin_close()

        return react

    def _close_if_useless(self, link: Link) -> None:
        """A connection whose session was refused serves nothing, once the callback that was
        told so has not asked for another."""
        if self._links.drop_if_useless(link):
            link.begin_close()

    def _restored(self, link: Link) -> None:
        assert self._restorer is not None
        # Here, where the link cannot be lost again meanwhile.
        self._restorer.restored()
        outage = self._links.end_outage()
        if outage is not None:
            info = outage.summary()
            self._dispatcher.put(partial(self._board.emit, link, "restored", info))
            self._dispatcher.release()

    def _lose(self, outage: Outage, error: KeyyoError) -> None:
        try:
            self._board.emit(outage, "lost", error)
        finally:
            self._links.told(outage)

    def _report(self, outage: Outage, error: BaseException) -> None:
        if not outage.over.is_set():
            self._dispatcher.put(partial(self._board.emit_error, error, outage))
