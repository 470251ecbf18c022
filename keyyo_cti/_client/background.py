"""Work that blocks, done elsewhere, with its answer brought back to where callbacks run."""

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
from .callback import Callback
from .dispatch import Choice, EventThread, Manual, chosen
from .pending import Answer

_log = logging.getLogger("keyyo_cti")

#: Seconds after which ``wait`` looks again who runs callbacks.
_LOOK = 0.1

#: Seconds in which ``BackgroundClient.close`` returns.
_CLOSE = 2.0

_numbers: Iterator[int] = itertools.count(1)


Self = TypeVar("Self", bound="BackgroundClient")


class _Job(NamedTuple):
    """Work, and who waits for its answer."""

    work: Callable[[], Any]
    callback: Optional[Callback]
    future: "Future[Any]"


class Background:
    """Does one piece of work after the other, in a thread that lives while there is any.

    :param name: of its threads.
    :param dispatch: where callbacks run: None, ``"manual"``, or a function that is handed each
        piece of work.
    :raises TypeError: ``dispatch`` is none of these.
    """

    def __init__(self, name: str, dispatch: Choice = None) -> None:
        self._process = process.current()
        self._dispatcher = chosen(dispatch, f"{name}-events", None, _nobody)
        self._worker = EventThread(name, None, _nobody)
        self._closed = False
        # A dict, which changes in one step: a signal handler may ask on a thread that is here.
        self._unanswered: Dict[int, None] = {}
        self._answered = Wakeup()

    def ask(self, work: Callable[[], Any], callback: Optional[Callback] = None) -> "Future[Any]":
        """Has work done.

        :param work: what it returns is the result, which is not None; the KeyyoError that it
            raises is the error.
        :param callback: called as ``callback(error, result)``, after the Future is completed.
        :raises TypeError: the callback cannot be called.
        :raises RuntimeError: in a process that was forked off.
        """
        process.check(self._process)
        require_function_or_none("callback", callback)
        job = _Job(work, callback, Answer(self._dispatcher))
        try:
            self._hold()
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

    def _hold(self) -> None:
        self._dispatcher.hold()
        try:
            self._worker.hold()
        except BaseException:
            self._dispatcher.release()
            raise

    def poll(self, timeout: float) -> int:
        """Runs the callbacks that are due, in this thread; for ``dispatch="manual"``.

        :param timeout: seconds to wait for the first.
        :returns: how many were run.
        """
        return self._dispatcher.poll(timeout)

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Waits until all work is done and every callback has run; with ``dispatch="manual"``
        they run in here.

        :param timeout: seconds, None for no end.
        :returns: False when the time was up first.
        :raises RuntimeError: called in a callback, which would wait for itself.
        """
        process.check(self._process)
        if self._dispatcher.inside():
            raise RuntimeError("wait() in a callback would wait for itself")
        if isinstance(self._dispatcher, Manual):
            return self._poll_all(timeout)
        if timeout is not None:
            timeout = min(timeout, threading.TIMEOUT_MAX)
        return self._answered.wait_for(lambda: not self._unanswered, timeout)

    def close(self) -> None:
        """Does nothing any more: work that has not begun is answered with 400 ``closed``."""
        self._closed = True

    def finish(self, timeout: float) -> None:
        """Waits until no thread is left, as far as that does not mean to wait for oneself, and
        in a forked child for nothing."""
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
            left = _LOOK if until is None else until - monotonic()
            if left <= 0:
                return False
            if not self._dispatcher.poll(min(left, _LOOK)):
                # At once, when another thread is at it: then that one runs the callbacks.
                self._answered.wait_for(lambda: not self._unanswered, min(left, _LOOK))
        return True

    def _do(self, job: _Job) -> None:
        error, result = _outcome(_refuse if self._closed else job.work)
        # The work may have forked, in a saver of tokens: the parent's thread answers.
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
                self._dispatcher.call(job.callback, error, result)
        finally:
            self._unanswered.pop(id(job.future), None)
            self._answered.notify_all()
            self._dispatcher.release()


class BackgroundClient:
    """What asks Keyyo's web services by callbacks and Futures, over a client that blocks.

    Every method that asks takes ``callback(error, result)`` last, which may be left out, and
    returns a ``concurrent.futures.Future``; none waits for the network.

    :param what: is asked, for the names of its threads.
    :param dispatch: where callbacks run: None, ``"manual"``, or a function that is handed each
        piece of work, as for CTI.
    """

    def __init__(self, what: str, dispatch: Choice) -> None:
        self._background = Background(f"keyyo-cti-{what}-{next(_numbers)}", dispatch)

    def poll(self, timeout: float = 0) -> int:
        """Runs the callbacks that are due, in this thread; for ``dispatch="manual"``.

        :param timeout: seconds to wait for the first.
        :returns: how many were run.
        """
        return self._background.poll(timeout)

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Waits until everything is answered and every callback has run: the last line of a
        script.

        :param timeout: seconds, None for no end.
        :returns: False when the time was up first.
        :raises RuntimeError: called in a callback, which would wait for itself.
        """
        return self._background.wait(timeout)

    def close(self) -> None:
        """Asks no more: what waits is answered with 400 ``closed``.

        Returns within two seconds; a request that is on its way then ends with its timeout.
        """
        self._background.close()
        self._background.finish(_CLOSE)

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def _refuse() -> None:
    raise KeyyoError(400, "Closed: nothing more is asked", "closed")


def _outcome(work: Callable[[], Any]) -> Tuple[Optional[KeyyoError], Any]:
    try:
        return None, work()
    except KeyyoError as error:
        return error, None
    except BaseException as error:
        # A fault, but an answer is owed all the same.
        _log.exception("work in the background failed")
        fault = KeyyoError(500, f"The SDK failed: {type(error).__name__}", "internal")
        fault.__cause__ = error
        return fault, None


def _nobody(error: BaseException) -> None:
    """Is told of an exception in a callback, which was logged."""
