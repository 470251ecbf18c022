"""The requests of a program, each checked before it is sent."""

from typing import Any, Callable, Optional, Tuple

from .._net.user_code import require_function_or_none
from ..errors import KeyyoError
from . import user_errors
from .callback import Callback
from .dial_guard import DialGuard
from .dispatch import Dispatcher
from .pending import Request
from .session import Session
from .wire import Command
from .wire_log import WireLog


class Requests:
    """Makes the requests of one client.

    :param check_process: raises in a process to which the client does not belong.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        session: Session,
        guard: DialGuard,
        wire_log: WireLog,
        check_process: Callable[[], object],
    ) -> None:
        self._dispatcher = dispatcher
        self._session = session
        self._guard = guard
        self._wire_log = wire_log
        self._check_process = check_process

    def make(
        self,
        make: Callable[..., Command],
        arguments: Tuple[Any, ...],
        callback: Optional[Callback],
    ) -> Request:
        """Return the request, already completed if a value is wrong or ``may_dial`` refuses."""
        self._check_process()
        require_function_or_none("callback", callback)
        if any(map(callable, arguments)):
            raise TypeError("a function where a value is expected: is an argument missing?")
        command = Command("refused")
        name = make.__name__.lstrip("_")
        try:
            command = make(*arguments)
            refusal = self._guard.refusal(command)
            # may_dial may have forked.
            self._check_process()
        except KeyyoError as error:
            # Its traceback leads to this frame and so to the Future, which would not be dropped
            # before the next garbage collection.
            refusal = error.with_traceback(None)
        request = Request(command, self._dispatcher, callback, name=name)
        request.line = self._session.number
        if callback is None:
            # Otherwise a failure would be silent, if the program drops the Future.
            request.future.watch(name, self._dispatcher.put_if_running)
        if refusal is None:
            self._dispatcher.expect(request)
        else:
            for observe in user_errors.on_refusal:
                observe(name, refusal)
            self._wire_log.note("a command is not sent: {}", refusal)
            request.complete(refusal, None)
        return request
