"""Python's names for the variables, functions and attributes of a program."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from typing import Collection, Dict, Iterable, List, Optional, Set, Tuple

from . import keyyo
from .places import Places
from .scopes import Binding
from .syntax import FUNCTIONS, Node

#: Functions of Python that no translation uses, and that are good names.
_FREE = frozenset({
    "id", "filter", "hash", "slice", "dir", "bin", "hex", "help", "license", "credits", "exit",
    "open", "compile", "eval", "exec", "bytes", "pow", "copyright", "quit", "delattr",
})

#: What the translation itself uses, so that no variable may have these names.
TAKEN = frozenset({
    *keyword.kwlist, *dir(builtins), "match", "case", "json", "re", "math", "time", "threading",
    "random", "logging", "requests", "functools", "datetime", "timezone", "timedelta", "urllib",
    "partial", "sys", "os", "Decimal", "ROUND_HALF_UP", "Any", "self", "cls", "html", "base64",
    "Keyyo", "KeyyoError", "ConnectionFailed", "RangeError", "URIError", "EvalError",
    # Of the page, and of what stands in for it.
    "page", "document", "window", "Promise", "promised", "fetch", "local_storage",
    "session_storage", "set_timeout", "set_interval", "clear_timer", "queue_microtask",
    "Headers", "URLSearchParams", "caught_value", "thrown", "Page", "Thrown", "jquery", "missing",
    "confirm",
}) - _FREE

_AMBIGUOUS = {"l": "l_", "O": "O_", "I": "I_"}


def snake(name: str) -> str:
    """Return a name in snake_case; constants and names of classes stay as they are."""
    if name.isascii() and name.isalnum() and name.islower():
        return name
    # Python takes names for equal that are equal in this form.
    name = unicodedata.normalize("NFKC", name)
    name = name.replace("$", "_").lstrip("#") if name.strip("_$#") else "dollar"
    if re.fullmatch(r"_*[A-Z][A-Z0-9_]*", name):
        return name
    if re.fullmatch(r"[A-Z][a-zA-Z0-9]*", name):
        return name
    words = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", words)
    return words.lower() if words.isascii() else name


def legal(name: str) -> str:
    """Return a name that Python allows here."""
    name = _AMBIGUOUS.get(name, name)
    if not name.isidentifier():
        name = re.sub(r"\W", "_", name)
        name = name if name.isidentifier() else f"_{name}"
    return f"{name}_" if name in TAKEN or name.startswith("js_") else name


def legal_name(name: str) -> str:
    """Return an attribute that Python allows."""
    return f"{name}_" if keyword.iskeyword(name) else name


class Names:
    """Gives each variable and each attribute its name.

    :param inlined: functions whose body becomes a part of the function around them.
    :param known: names that are defined elsewhere, in Python.
    """

    def __init__(
        self, bindings: Iterable[Binding], inlined: Set[int], known: Collection[str]
    ) -> None:
        self._inlined = inlined
        self._known = known
        self._attributes: Dict[str, str] = {}
        self._attribute_owner: Dict[str, str] = {}
        self._by_js: Dict[str, str] = {}
        self._owner_of: Dict[str, str] = {}
        self._in: Dict[Tuple[Optional[int], str], List[Binding]] = {}
        ordered = sorted(bindings, key=lambda each: each.node.start if each.node else -1)
        for binding in ordered:
            binding.python = self._base(binding)
        self.used = {binding.python for binding in ordered}
        self._local: List[Tuple[str, Optional[Node]]] = []
        self._places: Dict[str, Places] = {}
        self._numbers: Dict[str, int] = {}
        self._fresh: Set[str] = set()
        # By a base and a function: the number of the last name, as those before it are taken.
        self._last: Dict[Tuple[str, Optional[int]], int] = {}
        self._meant: Dict[Tuple[str, Optional[int]], List[Binding]] = {}
        for binding in ordered:
            self._note_uses(binding)
        for binding in ordered:
            self._separate(binding)
        for binding in ordered:
            self._places.setdefault(binding.python, Places()).add(self.owner(binding))

    def _base(self, binding: Binding) -> str:
        name = binding.name
        if binding.kind == "free":
            python = name if name.isidentifier() and not keyword.iskeyword(name) else legal(name)
            if python not in self._known and legal(snake(name)) in self._known:
                python = legal(snake(name))
            self._owner_of.setdefault(python, name)
            return python
        if name in self._by_js:
            return self._by_js[name]
        python = legal(snake(name))
        while self._owner_of.get(python, name) != name:
            python += "_"
        self._owner_of[python] = name
        self._by_js[name] = python
        return python

    def knows(self, name: Node) -> bool:
        """True for a name that is defined already, such as one of an earlier cell."""
        return name.binding.kind == "free" and name.binding.python in self._known

    def home(self, function: Optional[Node]) -> Optional[Node]:
        """Return the function that a function's variables are part of in Python."""
        while function is not None and id(function) in self._inlined:
            function = function.inside(FUNCTIONS)
        return function

    def owner(self, binding: Binding) -> Optional[Node]:
        """Return the Python function whose variable it is; None for the module."""
        return self.home(binding.owner)

    def _separate(self, binding: Binding) -> None:
        """Give a variable that hides another of the same Python function a name of its own."""
        home = self.owner(binding)
        place = id(home) if home is not None else None
        clashes = any(
            _overlap(each, binding) for each in self._in.get((place, binding.python), [])
        )
        if clashes or self._hides_outer(binding, home):
            base = "each" if _is_inlined_parameter(binding, self._inlined) else binding.python
            binding.python = self.fresh(base)
        self._in.setdefault((place, binding.python), []).append(binding)

    def _note_uses(self, binding: Binding) -> None:
        """Record in which functions the name means this variable of another function."""
        owner = self.owner(binding)
        homes = {
            self.home(each.scope.function) for each in binding.reads + binding.writes
        }
        for home in homes:
            if home is not None and home is not owner:
                self._meant.setdefault((binding.name, id(home)), []).append(binding)

    def _hides_outer(self, binding: Binding, home: Optional[Node]) -> bool:
        """True for a variable of a block in a function that uses an outer one of its name, too."""
        if home is None or binding.scope.node is binding.owner:
            return False
        return bool(self._meant.get((binding.name, id(home))))

    def fresh(self, base: str) -> str:
        """Return a name that nothing else has."""
        name, number = legal(base), self._numbers.get(base, 2)
        while name in self.used or name in TAKEN:
            name = f"{base}_{number}"
            number += 1
        self._numbers[base] = number
        self.used.add(name)
        self._fresh.add(name)
        return name

    def mark(self) -> int:
        """Return a state to go back to."""
        return len(self._local)

    def reset(self, state: int) -> None:
        """Free the names that were given since the mark."""
        if len(self._local) > state:
            self._last.clear()
        while len(self._local) > state:
            name, home = self._local.pop()
            self._places[name].remove(home)

    def local(self, base: str, function: Optional[Node]) -> str:
        """Return a name for a function in a function, which others elsewhere may have, too."""
        base = legal(base)
        home = self.home(function)
        key = base, id(home) if home is not None else None
        number = self._last.get(key, 1)
        name = base if number == 1 else f"{base}_{number}"
        while name in self._fresh or self._is_near(name, home):
            number += 1
            name = f"{base}_{number}"
        self._last[key] = number
        self._local.append((name, home))
        self._places.setdefault(name, Places()).add(home)
        self.used.add(name)
        return name

    def _is_near(self, name: str, home: Optional[Node]) -> bool:
        return name in self._places and self._places[name].touch(home)

    def attribute(self, name: str) -> str:
        """Return the name of an attribute of the program's own classes."""
        if name in keyyo.RESERVED:
            return name
        if name not in self._attributes:
            python = ("_" if name.startswith("#") else "") + snake(name)
            python = python if python.isidentifier() else re.sub(r"\W", "_", python)
            python = python if python.isidentifier() else f"_{python}"
            if keyword.iskeyword(python) or re.fullmatch(r"__\w*__", python):
                python = f"{python}_"
            while self._attribute_owner.get(python, name) != name or python in keyyo.RESERVED:
                python += "_"
            self._attribute_owner[python] = name
            self._attributes[name] = python
        return self._attributes[name]


def _overlap(one: Binding, other: Binding) -> bool:
    """True unless the scopes are beside each other."""
    a, b = one.scope.node, other.scope.node
    return (a.start <= b.start and b.end <= a.end) or (b.start <= a.start and a.end <= b.end)


def _is_inlined_parameter(binding: Binding, inlined: Set[int]) -> bool:
    return binding.kind == "param" and id(binding.owner) in inlined


#: Methods whose callback has this name.
_CALLBACKS = {
    "setTimeout": "later", "setInterval": "tick", "forEach": "each", "map": "mapped",
    "filter": "wanted", "sort": "compare", "reduce": "reduced", "then": "then", "catch": "failed",
    "finally": "settled", "find": "found", "some": "matches", "every": "matches",
    "replace": "replacement", "each": "each", "ready": "ready", "addEventListener": "listener",
    "on": "listener", "requestAnimationFrame": "frame",
}


def function_name(node: Node) -> str:
    """Return a name for a function without one, from where it is used."""
    parent = node.parent
    assert parent is not None
    if parent.kind == "arguments" and parent.parent is not None:
        return _callback_name(node, parent.parent)
    if parent.kind == "assignment_expression":
        left = parent["left"]
        if left.kind == "member_expression":
            name = snake(left["property"].text)
            return f"on_{name[2:]}" if re.fullmatch(r"on[a-z]+", name) else name
        return snake(left.text) if left.kind == "identifier" else "handler"
    if parent.kind == "pair":
        return snake(parent["key"].text.strip("\"'"))
    if node.kind == "method_definition":
        return snake(node["name"].text)
    if parent.kind == "return_statement":
        return "inner"
    return "callback"


def _callback_name(node: Node, call: Node) -> str:
    if call.kind == "new_expression":
        return "executor"
    function = call["function"] if "function" in call.fields else call
    name = function["property"].text if function.kind == "member_expression" else function.text
    if name in keyyo.METHODS:
        return keyyo.METHODS[name].word
    first = call["arguments"].kids[0] if "arguments" in call.fields else None
    if name in ("on", "addEventListener", "one", "bind") and first is not None:
        if first.kind == "string":
            event = re.split(r"\W", first.text.strip("\"'"))[0]
            return f"on_{snake(event)}" if event else "listener"
    if name in ("click", "submit", "change", "keyup", "keydown", "input", "blur", "focus"):
        return f"on_{name}"
    if name in _CALLBACKS:
        return _CALLBACKS[name]
    return _participle(snake(name))


def _participle(word: str) -> str:
    """Return what has been done once a function has called back: ``started`` for ``start``."""
    if not re.fullmatch(r"[a-z]{3,}", word) or word in ("callback", "function"):
        return "callback"
    if word.endswith("e"):
        return f"{word}d"
    if re.search(r"[^aeiou]y$", word):
        return f"{word[:-1]}ied"
    return "callback" if word.endswith(("ed", "ing", "s")) else f"{word}ed"
