"""Events as in JavaScript: ``on``, ``off``, ``addEventListener`` and ``on...`` attributes.

There is no lock: a signal handler may call ``on`` on a thread that is inside ``on``. Each change
of a dict or list is one atomic step.
"""

from functools import partial
from types import FunctionType
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    ClassVar,
    Dict,
    Generic,
    List,
    NoReturn,
    Optional,
    Protocol,
    Tuple,
    Type,
    TypeVar,
    overload,
)

from .._display.spelling import ask_back, fold, members, no_attribute, suggest
from .._net import process
from .._net.user_code import ASYNC_FLAGS, require_function, require_function_or_none

Handler = Callable[..., object]

# True in a forked child, where a change of handlers is checked: their threads may be the parent's.
# Elsewhere the check would cost time for nothing.
_is_child = False


def _after_fork() -> None:
    global _is_child
    _is_child = True


process.run_in_child(_after_fork)

H = TypeVar("H", bound=Handler)
F = TypeVar("F")

#: In place of a handler: ``on`` is used as a decorator. Not None, which is a mistake there.
_DECORATOR: Any = object()


class AnyHandler(Protocol):
    """A handler that accepts the arguments of any event."""

    # With Any instead of object, mypy would accept a handler of any signature.
    def __call__(self, *event: object) -> object:
        """Handle an event."""


class EventAttribute(Generic[H]):
    """The ``on...`` attribute of an event: one handler, or None.

    :param signature: the call of the handler, as text.
    :param when: a sentence that says when it is called.
    """

    def __init__(self, signature: str, when: str) -> None:
        self.__doc__ = f"{when} Called as ``{signature}``."

    def __set_name__(self, owner: Type[Any], name: str) -> None:
        self.slot = f"_{name}"

    @overload
    def __get__(self, emitter: None, owner: Type[Any]) -> "EventAttribute[H]": ...

    @overload
    def __get__(self, emitter: "Emitter", owner: Type[Any]) -> Optional[H]: ...

    def __get__(self, emitter: Optional["Emitter"], owner: Type[Any]) -> Any:
        return self if emitter is None else getattr(emitter, self.slot)

    def __set__(self, emitter: "Emitter", handler: Optional[H]) -> None:
        # For type checkers and object.__setattr__; programs go through Emitter.__setattr__.
        setattr(emitter, self.slot[1:], handler)

    def setter(self, owner: Type[Any]) -> Callable[[Any, Optional[Handler]], None]:
        """Return the function that stores a handler in an instance of ``owner``.

        The slot's own setter runs in C. Keyyo's example sets four handlers at every notification,
        so each Python call here would cost a tenth of the throughput.
        """
        slot = getattr(owner, self.slot, None)
        return partial(_store, self.slot) if slot is None else slot.__set__


def _store(slot: str, emitter: Any, handler: Optional[Handler]) -> None:
    object.__setattr__(emitter, slot, handler)


class Emitter:
    """An object with events.

    The handlers added with ``on`` run first, in order, then the ``on...`` attribute. A subclass
    lists its events, declares an ``EventAttribute`` for each, and may have a slot for each, such
    as ``_onNewCall``. Source: JavaScript SDK 1.1.
    """

    __slots__ = ()

    #: The names of its events.
    EVENTS: ClassVar[Tuple[str, ...]] = ()

    # Attribute name -> setter; event -> the name that holds its handler: a slot, or the attribute
    # itself if a subclass defines a method of that name.
    _setters: ClassVar[Dict[str, Callable[[Any, Optional[Handler]], None]]] = {}
    _holders: ClassVar[Dict[str, str]] = {}

    # Folded spelling, with and without "on" -> event.
    _spellings: ClassVar[Dict[str, str]] = {}

    #: What to do instead of copying or pickling an instance.
    _COPY_ADVICE: ClassVar[str] = "it belongs to this process"

    # A class attribute, because most emitters only have attributes. The first ``on`` gives the
    # instance a table of its own.
    _added: Optional[Dict[str, List[Handler]]] = None

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls._setters, cls._holders, cls._spellings = {}, {}, {}
        for event in cls.EVENTS:
            name = attribute_of(event)
            cls._spellings.update({fold(event): event, fold(name): event})
            attribute = getattr(cls, name)
            if isinstance(attribute, EventAttribute):
                cls._setters[name] = attribute.setter(cls)
                name = attribute.slot
            else:
                require_function_or_none(name, attribute)
            cls._holders[event] = name

    def __init__(self) -> None:
        for store in self._setters.values():
            store(self, None)

    if TYPE_CHECKING:
        # Each emitter has the types of its own handlers.
        on: Any
        addEventListener: Any
    else:

        def on(self, names: str, handler: Any = _DECORATOR) -> Any:
            """Add a handler for one event, or for several separated by commas.

            Without a handler, it returns a decorator: ``@cti.on("newCall")`` before a function.

            :param names: such as ``"newCall"`` or ``"connect, release"``.
            :param handler: called with the event's arguments; added twice, it is called twice.
            :raises TypeError: the event does not exist, or the handler cannot be called.
            :raises RuntimeError: in a forked child, if the parent opened the connection.
            """
            self._check_process()
            events = self._split(names)
            if handler is _DECORATOR:
                return partial(self._decorate, names)
            require_function("handler", handler)
            table: Dict[str, List[Handler]] = vars(self).setdefault("_added", {})
            for name in events:
                table.setdefault(name, []).append(handler)

        addEventListener = on

    def _decorate(self, names: str, handler: F) -> F:
        """Add a handler and return it, so that its name in the program stays the function."""
        self.on(names, handler)
        return handler

    def off(self, names: str, handler: Optional[Handler] = None) -> None:
        """Remove a handler that ``on`` added, once; without a handler, remove all of them.

        A handler that was not added is no error. ``on...`` attributes stay.

        :param names: as for ``on``.
        :param handler: the handler, or None for all.
        :raises TypeError: the event does not exist.
        :raises RuntimeError: as for ``on``.
        """
        self._check_process()
        events = self._split(names)
        table = self._added or {}
        for name in events:
            if handler is None:
                table.pop(name, None)
                continue
            try:
                table.get(name, []).remove(handler)
            except ValueError:
                pass

    removeEventListener = off

    def handlers(self, name: str) -> List[Handler]:
        """Return a copy of the handlers of an event, in order.

        A handler added or removed while they run has no effect on the current event.
        """
        attribute = getattr(self, self._holders[name])
        last = [] if attribute is None else [attribute]
        added = self._added
        return [*added.get(name, ()), *last] if added else last

    if not TYPE_CHECKING:
        # Hidden from type checkers, so that they find a misspelt ``on...`` attribute.
        def __setattr__(self, name: str, value: Any) -> None:
            store = self._setters.get(name)
            if store is not None:
                if _is_child:
                    self._check_process()
                # Plain functions, as nearly all handlers are, need no further check. It is written
                # out because a page sets four handlers at each notification.
                if (
                    type(value) is not FunctionType
                    or value.__code__.co_flags & ASYNC_FLAGS
                    or hasattr(value, "_is_coroutine_mark")
                    or hasattr(value, "_is_coroutine")
                ):
                    require_function_or_none(name, value)
                store(self, value)
                return
            if fold(name) in self._spellings or (name[:2] == "on" and name[2:3].isupper()):
                self._check_spelling(name)
            object.__setattr__(self, name, value)

        def __getattr__(self, name: str) -> Any:
            kind = type(self)
            if hasattr(kind, name):
                # A property has failed: again, for its own error.
                return object.__getattribute__(self, name)
            raise no_attribute(f"{kind.__name__} has no attribute {name!r}", name, members(kind))

    def __reduce__(self) -> NoReturn:
        # Without it, the error would be about a lock somewhere inside.
        name = type(self).__name__
        raise TypeError(f"a {name} cannot be copied or pickled: {self._COPY_ADVICE}")

    def _check_spelling(self, name: str) -> None:
        """Refuse an attribute that looks like an event, unless the class has it.

        A private name is the program's own, not a misspelt event.

        :raises AttributeError: no event has this attribute.
        """
        if name.startswith("_") or hasattr(type(self), name):
            return
        known = [attribute_of(event) for event in self.EVENTS]
        event = self._spellings.get(fold(name))
        meant = suggest(name, tuple(known)) if event is None else attribute_of(event)
        raise AttributeError(
            f"{type(self).__name__} has no event {name}: it has {', '.join(known)}"
            + ask_back(meant)
        )

    def _check_process(self) -> None:
        """Refuse a change of handlers in a forked child, where no handler would be called.

        :raises RuntimeError: the object belongs to the parent process.
        """

    def _split(self, names: str) -> List[str]:
        if not isinstance(names, str):
            got = type(names).__name__
            hint = f'; as a decorator, write @on("{self.EVENTS[0]}")' if callable(names) else ""
            raise TypeError(f"names: expected a string, got {got}{hint}")
        events = [name.strip() for name in names.split(",")]
        for name in events:
            if name not in self.EVENTS:
                known = ", ".join(self.EVENTS)
                meant = self._spellings.get(fold(name)) or suggest(name, self.EVENTS)
                raise TypeError(
                    f"{type(self).__name__} has no event {name!r}: it has {known}"
                    + ask_back(meant)
                )
        return events


def attribute_of(event: str) -> str:
    """Return the attribute of an event: ``newCall`` -> ``onNewCall``."""
    return f"on{event[0].upper()}{event[1:]}"
