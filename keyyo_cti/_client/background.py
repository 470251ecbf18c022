"""Blocking work on a thread, whose results are passed to callbacks and Futures."""

import itertools
import logging
import threading
from concurrent.futures import Future
from functools import partial
from typing import Any, Callable, Dict, Iterator, NamedTuple, Optional, Tuple, TypeVar

from .._net import process
from .._net.clock import monotonic
from .._net.reentrant import Wakeup, interrupts_itself
from .._net.user_code import require_function_or_none
from ..errors import KeyyoError
from . import user_errors
from .callback import Callback
from .dispatch import Choice, EventThread, PolledDispatcher, make_dispatcher
from .pending import CommandFuture

_log = logging.getLogger("keyyo_cti")

#: Seconds between two checks in ``wait``, because another thread may run the callbacks.
_POLL_INTERVAL = 0.1

#: Maximum seconds of ``BackgroundClient.close``.
_CLOSE_TIMEOUT = 2.0

_numbers: Iterator[int] = itertools.count(1)


Self = TypeVar("Self", bound="BackgroundClient")


class _Job(NamedTuple):
    """Work, with the callback and the Future for its result."""

    work: Callable[[], Any]
    callback: Optional[Callback]
    future: CommandFuture


class Background:
    """Runs work one piece after the other, on a thread that lives while there is any.

    :param name: prefix of its threads' names.
    :param dispatch: where callbacks run: None, ``"manual"``, or a function that receives each
        piece of work.
    :raises TypeError: ``dispatch`` is none of these.
    """

    def __init__(self, name: str, dispatch: Choice = None) -> None:
        self._process = process.current()
        self._dispatcher = make_dispatcher(dispatch, f"{name}-events", None, _ignore)
        self._worker = EventThread(name, None, _ignore)
        self._closed = False
        # A dict, because its changes are atomic: a signal handler may ask on this very thread.
        self._unanswered: Dict[int, None] = {}
        self._answered = Wakeup()

    def ask(self, work: Callable[[], Any], callback: Optional[Callback] = None) -> "Future[Any]":
        """Queue work.

        :param work: returns the result, which is not None, or raises KeyyoError.
        :param callback: called as ``callback(error, result)`` after the Future is completed.
        :returns: the Future of the result.
        :raises TypeError: the callback cannot be called.
        :raises RuntimeError: in a forked child.
        """
        process.check(self._process)
        require_function_or_none("callback", callback)
        job = _Job(work, callback, CommandFuture(self._dispatcher, _get_name(work)))
        if callback is None:
            job.future.watch(_get_name(work), self._dispatcher.put_if_running)
        try:
            self._acquire()
        except RuntimeError as error:
            failure = KeyyoError(500, "No thread can be started: try again later", "internal")
            failure.__cause__ = error
            job.future.set_exception(failure)
            if callback is not None:
                self._dispatcher.deliver(callback, failure, None)
            return job.future
        self._unanswered[id(job.future)] = None
        self._worker.put(partial(self._do, job))
        self._worker.release()
        return job.future

    def _acquire(self) -> None:
        self._dispatcher.acquire()
        try:
            self._worker.acquire()
        except BaseException:
            self._dispatcher.release()
            raise

    def poll(self, timeout: float) -> int:
        """Run the due callbacks on this thread; for ``dispatch="manual"``.

        :param timeout: maximum seconds to wait for the first.
        :returns: the number of callbacks that ran.
        """
        return self._dispatcher.poll(timeout)

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Wait until all work is done and every callback has run.

        With ``dispatch="manual"`` the callbacks run in this call.

        :param timeout: maximum seconds, or None for no limit.
        :returns: False if the timeout was over first.
        :raises RuntimeError: called in a callback, which would wait for itself.
        """
        process.check(self._process)
        if self._dispatcher.inside():
            raise RuntimeError("wait() in a callback would wait for itself")
        if isinstance(self._dispatcher, PolledDispatcher):
            return self._poll_all(timeout)
        if timeout is not None:
            timeout = min(timeout, threading.TIMEOUT_MAX)
        return self._answered.wait_for(lambda: not self._unanswered, timeout)

    def close(self) -> None:
        """Refuse further work: work that has not begun fails with 400 ``closed``."""
        self._closed = True

    def finish(self, timeout: float) -> None:
        """Wait for the end of the threads, except on one of them.

        In a forked child it returns at once.

        :param timeout: maximum seconds.
        """
        if self._process != process.current():
            return
        if self._dispatcher.inside() or self._worker.inside() or interrupts_itself():
            return
        until = monotonic() + timeout
        self._worker.finish(timeout)
        self._dispatcher.finish(max(0.0, until - monotonic()))

    def _poll_all(self, timeout: Optional[float]) -> bool:
        until = None if timeout is None else monotonic() + timeout
        while self._unanswered:
            left = _POLL_INTERVAL if until is None else until - monotonic()
            if left <= 0:
                return False
            if not self._dispatcher.poll(min(left, _POLL_INTERVAL)):
                # If another thread is polling, that thread runs the callbacks.
                self._answered.wait_for(lambda: not self._unanswered, min(left, _POLL_INTERVAL))
        return True

    def _do(self, job: _Job) -> None:
        error, result = _outcome(_refuse if self._closed else job.work)
        # The work may have forked, for example in a saver of tokens; the parent completes it.
        process.check(self._process)
        if error is not None:
            job.future.set_exception(error)
        else:
            job.future.set_result(result)
        self._dispatcher.put(partial(self._answer, job, error, result))

    def _answer(
        self, job: _Job, error: Optional[KeyyoError], result: Any
    ) -> None:
        try:
            if job.callback is not None:
                self._dispatcher.call(job.callback, (error, result))
        finally:
            self._unanswered.pop(id(job.future), None)
            self._answered.notify_all()
            self._dispatcher.release()


class BackgroundClient:
    """The base of clients of Keyyo's web services with callbacks and Futures.

    Every method that sends a request takes an optional ``callback(error, result)`` last and
    returns a ``concurrent.futures.Future``. None of them blocks.

    :param what: the service, for the names of its threads.
    :param dispatch: where callbacks run: None, ``"manual"``, or a function that receives each
        piece of work, as for CTI.
    """

    def __init__(self, what: str, dispatch: Choice) -> None:
        self._background = Background(f"keyyo-cti-{what}-{next(_numbers)}", dispatch)

    def poll(self, timeout: float = 0) -> int:
        """Run the due callbacks on this thread; for ``dispatch="manual"``.

        :param timeout: maximum seconds to wait for the first.
        :returns: the number of callbacks that ran.
        """
        return self._background.poll(timeout)

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Wait until every request is answered and every callback has run.

        It is the last line of a script.

        :param timeout: maximum seconds, or None for no limit.
        :returns: False if the timeout was over first.
        :raises RuntimeError: called in a callback, which would wait for itself.
        """
        return self._background.wait(timeout)

    def close(self) -> None:
        """Send no more requests; waiting ones fail with 400 ``closed``.

        It returns within two seconds. A request under way ends with its own timeout.
        """
        self._background.close()
        self._background.finish(_CLOSE_TIMEOUT)

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def _get_name(work: Callable[[], Any]) -> str:
    """Return the name of the method behind the work, for people."""
    function = work.func if isinstance(work, partial) else work
    return getattr(function, "__name__", "a request")


def _refuse() -> None:
    raise KeyyoError(400, "Closed: no more requests are sent", "closed")


def _outcome(work: Callable[[], Any]) -> Tuple[Optional[KeyyoError], Any]:
    try:
        return None, work()
    except KeyyoError as error:
        # Its traceback leads to the frames of this thread and so to the Future, which would not be
        # dropped before the next garbage collection.
        return error.with_traceback(None), None
    except BaseException as error:
        # A bug, or a mistake in the program's source of tokens. The callback must run all the
        # same.
        _log.exception("work in the background failed")
        user_errors.show("work in the background", error)
        fault = KeyyoError(500, f"The SDK failed: {type(error).__name__}", "internal")
        fault.__cause__ = error
        return fault, None


def _ignore(error: BaseException) -> None:
    """Do nothing with an exception of a callback: it is already logged."""
