"""Checks and names of the program's functions."""

from functools import partial
from types import AsyncGeneratorType, CoroutineType
from typing import Any, Callable

#: ``inspect.CO_COROUTINE`` and ``CO_ASYNC_GENERATOR``; ``inspect`` alone would double the time
#: that ``import keyyo_cti`` takes.
ASYNC_FLAGS = 0x80 | 0x200

#: Set by ``inspect.markcoroutinefunction``, Cython, ``asyncio.coroutine`` and AsyncMock.
_ASYNC_MARKS = ("_is_coroutine_mark", "_is_coroutine")

_ADVICE = (
    "it would never run, because no event loop awaits it. Pass a plain function that starts "
    "the coroutine on your loop, for example with asyncio.run_coroutine_threadsafe"
)


def require_function(name: str, value: Any, expected: str = "a function") -> None:
    """Refuse a value that a thread cannot call.

    :param name: of the argument, for the message.
    :raises TypeError: it is not callable, or a coroutine function.
    """
    if not callable(value):
        raise TypeError(f"{name}: expected {expected}, got {type(value).__name__}")
    if is_async(value):
        raise TypeError(f"{name}: expected {expected}, got a coroutine function; {_ADVICE}")


def require_function_or_none(name: str, value: Any) -> None:
    """Refuse a value that is neither None nor callable by a thread.

    :raises TypeError: as ``require_function``.
    """
    if value is not None:
        require_function(name, value, "a function or None")


def find_owner(source: Any, method: str) -> Any:
    """Return the blocking client of a ``Manager``, or else the object itself.

    The methods of a Manager return Futures. The attribute ``client`` of another object may be
    anything.

    :param method: the name of the method that the result is wanted for.
    """
    client = getattr(source, "client", None)
    return client if callable(getattr(client, method, None)) else source


def is_async(function: Any) -> bool:
    """Return True if a call only makes a coroutine or an asynchronous generator."""
    function = _unwrap(function)
    if _has_async_code(function):
        return True
    # An object with "async def __call__". Calling a class makes an object.
    method = None if isinstance(function, type) else getattr(type(function), "__call__", None)
    return _has_async_code(_unwrap(method))


def refuse_coroutine(result: Any) -> None:
    """Refuse a returned coroutine, for example of ``lambda call: f(call)``.

    :raises TypeError: the result is a coroutine or an asynchronous generator.
    """
    if type(result) is CoroutineType:
        # Otherwise Python warns "never awaited" later, at an unrelated place.
        result.close()
        raise TypeError(f"the function returned a coroutine: {_ADVICE}")
    if type(result) is AsyncGeneratorType:
        raise TypeError(f"the function returned an asynchronous generator: {_ADVICE}")


def name_of(function: Callable[..., object]) -> str:
    """Return a function's name, file and line."""
    inner: Any = function
    try:
        if isinstance(function, partial):
            inner = function.func
        code = getattr(inner, "__code__", None)
        where = f" ({code.co_filename}:{code.co_firstlineno})" if code is not None else ""
        return f"{getattr(inner, '__qualname__', type(inner).__name__)}{where}"
    except Exception:
        # A proxy object may raise for any attribute. Its name is not worth an event.
        return type(inner).__name__


def _unwrap(function: Any) -> Any:
    """Return the function inside partials and bound methods."""
    while True:
        if isinstance(function, partial):
            function = function.func
        elif hasattr(function, "__func__"):
            function = function.__func__
        else:
            return function


def _has_async_code(function: Any) -> bool:
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    if isinstance(flags, int) and flags & ASYNC_FLAGS:
        return True
    # A Mock has every attribute; only those in its __dict__ count.
    own = getattr(function, "__dict__", None) or {}
    return any(mark in own for mark in _ASYNC_MARKS)
