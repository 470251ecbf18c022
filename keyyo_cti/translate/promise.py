"""Promises of JavaScript, whose callbacks run in the thread of the page."""

from __future__ import annotations

import functools
import threading
from typing import Any, Awaitable, Callable, Generator, Iterable, List, Optional, Tuple

from .page_loop import log, page


class Thrown(Exception):
    """Carries a value that is no exception through ``raise``."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value


def thrown(value: Any) -> BaseException:
    """Return what ``raise`` takes for a value that is thrown."""
    return value if isinstance(value, BaseException) else Thrown(value)


def caught_value(error: BaseException) -> Any:
    """Return the value that was thrown."""
    return error.value if isinstance(error, Thrown) else error


_PENDING, _FULFILLED, _REJECTED = "pending", "fulfilled", "rejected"


#: Held while a promise is settled or asked. Otherwise a callback that another thread adds at that
#: moment is lost. No user code runs under it.
_LOCK = threading.Lock()


class Promise:
    """A promise of JavaScript, whose callbacks run in the page's thread.

    :param executor: called at once with the functions ``resolve`` and ``reject``.
    """

    def __init__(self, executor: Optional[Callable[..., object]] = None) -> None:
        self._state = _PENDING
        self._value: Any = None
        self._resolved = False
        self._handled = False
        self._reactions: List[Tuple[Callable[[Any], object], Callable[[Any], object]]] = []
        if executor is not None:
            try:
                executor(self._resolve, self._reject)
            except Exception as error:
                self._reject(caught_value(error))

    def _resolve(self, value: Any = None, *_: Any) -> None:
        if self._resolved:
            return
        self._resolved = True
        if isinstance(value, Promise):
            promise = value
            page.microtask(lambda: promise._react(self._fulfill, self._refuse))
        else:
            self._fulfill(value)

    def _reject(self, reason: Any = None, *_: Any) -> None:
        if not self._resolved:
            self._resolved = True
            self._refuse(reason)

    def _fulfill(self, value: Any) -> None:
        self._settle(_FULFILLED, value)

    def _refuse(self, reason: Any) -> None:
        self._settle(_REJECTED, reason)
        if not self._handled:
            page.microtask(lambda: page.microtask(self._complain))

    def _complain(self) -> None:
        if not self._handled:
            log.error("a promise was rejected, and nothing catches it: %s", self._value)

    def _settle(self, state: str, value: Any) -> None:
        with _LOCK:
            self._state, self._value = state, value
            reactions, self._reactions = self._reactions, []
        for on_value, on_error in reactions:
            self._schedule(on_value if state == _FULFILLED else on_error)

    def _schedule(self, reaction: Callable[[Any], object]) -> None:
        page.microtask(lambda: reaction(self._value))

    def _react(
        self, on_value: Callable[[Any], object], on_error: Callable[[Any], object]
    ) -> None:
        self._handled = True
        with _LOCK:
            if self._state == _PENDING:
                self._reactions.append((on_value, on_error))
                return
        self._schedule(on_value if self._state == _FULFILLED else on_error)

    def then(
        self,
        on_value: Optional[Callable[..., Any]] = None,
        on_error: Optional[Callable[..., Any]] = None,
    ) -> "Promise":
        """Call one of the functions when settled; return a promise of its result."""
        promise = Promise()

        def run(function: Optional[Callable[..., Any]], value: Any, failed: bool) -> None:
            if not callable(function):
                (promise._reject if failed else promise._resolve)(value)
                return
            try:
                result = function(value)
            except Exception as error:
                promise._reject(caught_value(error))
            else:
                promise._resolve(result)

        self._react(lambda value: run(on_value, value, False), lambda e: run(on_error, e, True))
        return promise

    def catch(self, on_error: Optional[Callable[..., Any]] = None) -> "Promise":
        """Call the function with the error; return a promise of its result."""
        return self.then(None, on_error)

    def finally_(self, function: Callable[[], Any]) -> "Promise":
        """Call the function in either case; return a promise of the same value or error."""

        def passed(value: Any) -> Any:
            return Promise.resolve(function()).then(lambda _: value)

        def failed(reason: Any) -> Any:
            return Promise.resolve(function()).then(lambda _: Promise.reject(reason))

        return self.then(passed, failed)

    def __await__(self) -> Generator["Promise", Any, Any]:
        return (yield self)

    @classmethod
    def resolve(cls, value: Any = None) -> "Promise":
        """Return a promise of a value, or the promise that the value is."""
        if isinstance(value, Promise):
            return value
        promise = cls()
        promise._resolve(value)
        return promise

    @classmethod
    def reject(cls, reason: Any = None) -> "Promise":
        """Return a rejected promise."""
        promise = cls()
        promise._reject(reason)
        return promise

    @classmethod
    def all(cls, values: Iterable[Any]) -> "Promise":
        """Return a promise of all values, or of the first error."""
        return cls._gather(values, lambda value: value, None)

    @classmethod
    def all_settled(cls, values: Iterable[Any]) -> "Promise":
        """Return a promise of what became of all."""
        return cls._gather(
            values,
            lambda value: {"status": "fulfilled", "value": value},
            lambda reason: {"status": "rejected", "reason": reason},
        )

    @classmethod
    def _gather(
        cls, values: Iterable[Any], keep: Callable[[Any], Any],
        keep_error: Optional[Callable[[Any], Any]],
    ) -> "Promise":
        promises = [cls.resolve(value) for value in values]
        found: List[Any] = [None] * len(promises)
        left = len(promises)
        result = cls()

        def store(index: int, value: Any) -> None:
            nonlocal left
            found[index] = value
            left -= 1
            if left == 0:
                result._resolve(found)

        for index, promise in enumerate(promises):
            failed = result._reject if keep_error is None else (
                lambda reason, index=index: store(index, keep_error(reason))
            )
            promise.then(lambda value, index=index: store(index, keep(value)), failed)
        if not promises:
            result._resolve(found)
        return result

    @classmethod
    def race(cls, values: Iterable[Any]) -> "Promise":
        """Return a promise of what is settled first."""
        result = cls()
        for value in list(values):
            cls.resolve(value).then(result._resolve, result._reject)
        return result

    @classmethod
    def any(cls, values: Iterable[Any]) -> "Promise":
        """Return a promise of the first value, or of the last error."""
        promises = [cls.resolve(value) for value in values]
        result, left = cls(), len(promises)

        def failed(reason: Any) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                result._reject(ValueError("All promises were rejected"))

        for promise in promises:
            promise.then(result._resolve, failed)
        return result


def promised(function: Callable[..., Awaitable[Any]]) -> Callable[..., Promise]:
    """Have a coroutine function start at once, as JavaScript's do, and return a promise."""

    @functools.wraps(function)
    def start(*arguments: Any, **named: Any) -> Promise:
        promise = Promise()
        coroutine: Any = function(*arguments, **named)

        def step(send: Callable[[], Any]) -> None:
            try:
                awaited = send()
            except StopIteration as stop:
                promise._resolve(stop.value)
            except Exception as error:
                promise._reject(caught_value(error))
            else:
                awaited._react(
                    lambda value: step(lambda: coroutine.send(value)),
                    lambda reason: step(lambda: coroutine.throw(thrown(reason))),
                )

        step(lambda: coroutine.send(None))
        return promise

    return start
