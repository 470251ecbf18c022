"""Stands in for the page of a translated program: it prints what would be shown.

A translated program imports these names where its JavaScript used the browser. Elements are found
by their selector, keep what is set on them, and call their handlers when a program calls, for
example, ``document.getElementById("dial").onsubmit(event)`` or ``element.click()``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional

import platformdirs

#: Properties that hold text until they are set.
_TEXTS = frozenset({
    "value", "textContent", "innerText", "innerHTML", "className", "title", "placeholder", "href",
    "hash", "search", "src", "id", "cookie", "name", "type", "pathname", "key", "origin", "host",
    "hostname", "outerHTML", "language", "userAgent",
})

_FLAGS = frozenset({"checked", "disabled", "hidden", "selected"})

#: What is shown; other properties are only kept.
_SHOWN = frozenset({
    "textContent", "innerText", "innerHTML", "title", "className", "value", "hidden", "disabled",
})

_FINDERS = frozenset({
    "getElementById", "querySelector", "querySelectorAll", "getElementsByClassName",
    "getElementsByTagName", "find", "closest", "children", "parent", "get", "eq", "first", "last",
})

_LISTENERS = frozenset({"addEventListener", "on", "one", "bind"})

_EVENTS = frozenset({
    "click", "submit", "change", "keyup", "keydown", "keypress", "input", "focus", "blur",
    "mouseenter", "mouseleave",
})

#: Setters of jQuery that read without an argument.
_ACCESSORS = {"val": "value", "text": "textContent", "html": "innerHTML"}


class Element:
    """An element, or another object of the page.

    :param path: how the program found it.
    """

    def __init__(self, path: str) -> None:
        object.__setattr__(self, "_path", path)
        object.__setattr__(self, "_kept", {})
        object.__setattr__(self, "_handlers", {})

    def __repr__(self) -> str:
        return f"<{self._path}>"

    def __str__(self) -> str:
        return str(self._path)

    def __setattr__(self, name: str, value: Any) -> None:
        self._kept[name] = value
        if name in _SHOWN and not callable(value):
            _show(f"{self._path}.{name} = {_plain(value)}")

    def __getattr__(self, name: str) -> Any:
        kept: Dict[str, Any] = object.__getattribute__(self, "_kept")
        if name.startswith("__"):
            raise AttributeError(name)
        if name in kept:
            return kept[name]
        if name in _TEXTS:
            return ""
        if name in _FLAGS:
            return False
        if name == "length":
            return 1
        if name.startswith("on") and name.islower() and name not in _LISTENERS | {"one"}:
            return None
        kept[name] = found = self._member(name)
        return found

    def _member(self, name: str) -> Any:
        if name in _UTILITIES and self._path in ("$", "jQuery"):
            return _UTILITIES[name]
        if name in _FINDERS:
            return lambda *selector: self._find(name, *selector)
        if name in _LISTENERS:
            return self._listen
        if name in _EVENTS:
            return lambda *handler: self._listen(name, *handler) if handler else self._fire(name)
        if name in _ACCESSORS:
            return lambda *value: self._access(_ACCESSORS[name], *value)
        if name in ("createElement", "createTextNode"):
            return lambda text="": Element(f"<{text}>" if name == "createElement" else text)
        if name == "preventDefault":
            return lambda: None
        return Element(f"{self._path}.{name}")

    def _find(self, name: str, *selector: Any) -> Any:
        text = str(selector[0]) if selector else name
        if name == "getElementById":
            text = f"#{text}"
        found = element(text)
        return [found] if name in ("querySelectorAll", "getElementsByClassName",
                                   "getElementsByTagName") else found

    def _listen(self, names: Any, *handlers: Any) -> "Element":
        for name in str(names).replace(",", " ").split():
            for handler in handlers:
                if callable(handler):
                    self._handlers.setdefault(name.partition(".")[0], []).append(handler)
        return self

    def _fire(self, name: str, event: Any = None) -> None:
        """Call the handlers of an event, as the browser does."""
        event = event if event is not None else Event(name, self)
        handler = self._kept.get(f"on{name}")
        for each in ([handler] if callable(handler) else []) + self._handlers.get(name, []):
            each(event)

    def _access(self, name: str, *value: Any) -> Any:
        if not value:
            return getattr(self, name)
        setattr(self, name, value[0])
        return self

    def __call__(self, *arguments: Any) -> Any:
        if self._path in ("$", "jQuery"):
            first = arguments[0] if arguments else ""
            return first if isinstance(first, Element) else element(str(first))
        shown = ", ".join(_plain(each) for each in arguments)
        _show(f"{self._path}({shown})")
        return Element(f"{self._path}(...)") if not self._path.endswith("(...)") else self

    def __getitem__(self, key: Any) -> Any:
        return self if key == 0 else getattr(self, str(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        setattr(self, str(key), value)

    def keys(self) -> List[str]:
        """Return what the program has set, for ``**element``."""
        return [name for name, each in self._kept.items() if not isinstance(each, Element)]

    def __iter__(self) -> Iterator["Element"]:
        return iter([self])

    def __bool__(self) -> bool:
        return True


class Event(Element):
    """What a handler of the page gets."""

    def __init__(self, name: str, target: Element) -> None:
        super().__init__(f"event {name}")
        self._kept.update(type=name, target=target, currentTarget=target)


def _show(text: str) -> None:
    print(f"page: {text}", flush=True)


def _plain(value: Any) -> str:
    """Return a value on one line and without control characters."""
    if callable(value) and not isinstance(value, Element):
        return "function"
    text = str(value)
    return "".join(each if each.isprintable() else " " for each in text)


def _each(values: Any, function: Callable[[Any, Any], Any]) -> Any:
    """Call a function with the place and the value of each element, until it returns False."""
    pairs = values.items() if isinstance(values, dict) else enumerate(list(values))
    for key, value in pairs:
        if function(key, value) is False:
            break
    return values


#: Functions of jQuery that need no page.
_UTILITIES: Dict[str, Callable[..., Any]] = {
    "each": _each,
    "trim": lambda text: "" if text is None else str(text).strip(),
    "map": lambda values, function: [function(each, i) for i, each in enumerate(values)],
    "grep": lambda values, function: [
        each for i, each in enumerate(values) if function(each, i)
    ],
    "inArray": lambda value, values: values.index(value) if value in values else -1,
    "isArray": lambda value: isinstance(value, list),
}

_elements: Dict[str, Element] = {}


def element(selector: str) -> Element:
    """Return the element of a selector, the same each time; a tag makes a new one."""
    if selector.startswith("<"):
        return Element(selector)
    return _elements.setdefault(selector, Element(selector))


def missing(name: str) -> Element:
    """Return a stub for a library or an object that only a browser has."""
    return Element(name)


def confirm(question: str) -> bool:
    """Ask a question; only "y" agrees."""
    try:
        return input(f"{question} [y/N] ").strip().lower() == "y"
    except EOFError:
        return False


window = Element("window")
document = Element("document")
navigator = Element("navigator")
location = Element("location")
history = Element("history")
screen = Element("screen")
jquery = Element("$")


class Storage:
    """Texts that a program keeps.

    :param path: a function that returns the file that holds them; None keeps them in memory.
    """

    def __init__(self, path: Optional[Callable[[], Path]] = None) -> None:
        self._path = path
        self._kept: Optional[Dict[str, str]] = None

    def _values(self) -> Dict[str, str]:
        if self._kept is None:
            self._kept = {}
            if self._path is not None and self._path().exists():
                try:
                    self._kept = dict(json.loads(self._path().read_text("utf-8")))
                except (ValueError, OSError):
                    self._kept = {}
        return self._kept

    def _save(self) -> None:
        if self._path is None:
            return
        path = self._path()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_suffix(".new")
        temporary.touch(mode=0o600, exist_ok=True)
        temporary.write_text(json.dumps(self._values()), "utf-8")
        temporary.replace(path)

    def get_item(self, name: str) -> Optional[str]:
        """Return a text, or None."""
        return self._values().get(name)

    def set_item(self, name: str, value: Optional[str]) -> None:
        """Keep a text."""
        self._values()[name] = "undefined" if value is None else value
        self._save()

    def remove_item(self, name: str) -> None:
        """Forget a text."""
        self._values().pop(name, None)
        self._save()

    def clear(self) -> None:
        """Forget all texts."""
        self._values().clear()
        self._save()


def _storage_file() -> Path:
    return Path(platformdirs.user_state_dir("keyyo-cti", appauthor=False)) / "local_storage.json"


local_storage = Storage(_storage_file)
session_storage = Storage()
