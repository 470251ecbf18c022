"""Events as in JavaScript: ``on``, ``off``, ``addEventListener`` and ``on...`` attributes."""

import os
import threading
from functools import lru_cache
from typing import Any, Callable, ClassVar, Dict, List, Optional, Tuple

from .user_code import require_function, require_function_or_none

Handler = Callable[..., object]

# Handlers are set rarely and from any thread; a lock for each call would cost its memory.
_changing = threading.Lock()


def _after_fork() -> None:
    """Another thread of the parent's may have held the lock; in the child there is none."""
    global _changing
    _changing = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Emitter:
    """Something with events.

    The handlers that ``on`` adds run first, in the order they were added, then the ``on...``
    attribute. Source: JavaScript SDK 1.1.
    """

    __slots__ = ("_handlers",)

    #: The names of its events.
    EVENTS: ClassVar[Tuple[str, ...]] = ()

    #: True if a subclass has a method in place of an ``on...`` attribute.
    _has_methods: ClassVar[bool] = False

    _handlers: Optional[Dict[str, List[Handler]]]

    def __init_subclass__(cls) -> None:
        for name in map(attribute_of, cls.EVENTS):
            method = getattr(cls, name)
            if not isinstance(method, property):
                require_function_or_none(name, method)
                cls._has_methods = True

    def __init__(self) -> None:
        self._handlers = None

    def on(self, names: str, handler: Handler) -> None:
        """Adds a handler for one event, or for several with commas between their names.

        :param names: for example ``"newCall"`` or ``"connect, release"``.
        :param handler: is called with what the event carries. The same one added twice is
            called twice.
        :raises TypeError: there is no such event, or the handler cannot be called.
        """
        events = self._split(names)
        require_function("handler", handler)
        with _changing:
            # A new table each time: an event under way goes on with the one it has.
            table = dict(self._handlers or {})
            for name in events:
                table[name] = table.get(name, []) + [handler]
            self._handlers = table

    def off(self, names: str, handler: Optional[Handler] = None) -> None:
        """Removes a handler that ``on`` added, once, or without a handler all of them.

        One that is not there is no error. ``on...`` attributes stay.

        :raises TypeError: there is no such event.
        """
        events = self._split(names)
        with _changing:
            table = dict(self._handlers or {})
            for name in events:
                table[name] = _without(table.get(name, []), handler)
            self._handlers = table

    addEventListener = on
    removeEventListener = off

    def handlers(self, name: str) -> List[Handler]:
        """Who is to be called for an event now, in order."""
        table = self._handlers
        if self._has_methods:
            method = getattr(self, attribute_of(name))
            return [*((table or {}).get(name) or ()), *([] if method is None else [method])]
        if not table:
            return []
        added, attribute = table.get(name), table.get(f"={name}")
        if added and attribute:
            return added + attribute
        return added or attribute or []

    def __setattr__(self, name: str, value: Any) -> None:
        if name[:2] == "on" and name[2:3].isupper() and not hasattr(type(self), name):
            known = ", ".join(attribute_of(event) for event in self.EVENTS)
            raise AttributeError(f"{type(self).__name__} has no event {name}: it has {known}")
        object.__setattr__(self, name, value)

    def _split(self, names: str) -> List[str]:
        if not isinstance(names, str):
            raise TypeError(f"names: expected a string, got {type(names).__name__}")
        events = [name.strip() for name in names.split(",")]
        for name in events:
            if name not in self.EVENTS:
                known = ", ".join(self.EVENTS)
                raise TypeError(f"{type(self).__name__} has no event {name!r}: it has {known}")
        return events


@lru_cache(maxsize=None)
def attribute_of(name: str) -> str:
    """``newCall`` -> ``onNewCall``."""
    return f"on{name[0].upper()}{name[1:]}"


def event_attribute(name: str, signature: str, when: str) -> Any:
    """The ``on...`` attribute of an event: one handler, or None.

    :param signature: how the handler is called.
    :param when: the sentence that says when.
    """
    slot = f"={name}"

    def get(self: Emitter) -> Optional[Handler]:
        found = self._handlers.get(slot) if self._handlers else None
        return found[0] if found else None

    def set_(self: Emitter, handler: Optional[Handler]) -> None:
        require_function_or_none(attribute_of(name), handler)
        with _changing:
            table = dict(self._handlers or {})
            table[slot] = [] if handler is None else [handler]
            self._handlers = table

    return property(get, set_, doc=f"{when} Called as ``{signature}``.")


def _without(handlers: List[Handler], handler: Optional[Handler]) -> List[Handler]:
    if handler is None:
        return []
    at = handlers.index(handler) if handler in handlers else len(handlers)
    return handlers[:at] + handlers[at + 1 :]
