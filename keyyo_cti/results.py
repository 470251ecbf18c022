"""What a callback gets as ``res``: the server's objects, by attribute and by key."""

from typing import Any, Dict, List

#: Fields of documented results. One that the server left out is None, as it is ``undefined``
#: in JavaScript; any other name is a mistake and raises.
_KNOWN = frozenset({"number", "now", "session_id", "numbers", "auto_answer"})

#: Parts of the names of what is secret.
_SECRET = ("session_id", "token")


class Result(Dict[str, Any]):
    """An object of the server: ``res.number`` is ``res["number"]``.

    Its ``repr`` never shows a session id or a token, so that it can be printed and logged.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            if name in _KNOWN:
                return None
            raise AttributeError(f"no field {name!r} in this result: {sorted(self)}") from None

    def __repr__(self) -> str:
        fields = ", ".join(
            f"{name}=<hidden>" if is_secret(name) else f"{name}={value!r}"
            for name, value in self.items()
        )
        return f"Result({fields})"

    def _repr_html_(self) -> str:
        from . import showing

        return showing.result(self)


class NoResult(Result):
    """A result of null, which stands in for None.

    It is false, equal to None and to ``{}``, and its documented fields are None. It is not None
    itself: exactly one of a callback's two arguments is not None, so that ``err is None`` and
    ``res is not None`` both mean success.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True if other is None else super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __repr__(self) -> str:
        return "NoResult()"


def is_secret(name: Any) -> bool:
    """True if a field with this name is secret."""
    return any(part in str(name).lower() for part in _SECRET)


def wrap(value: Any) -> Any:
    """Return the value with every object in it as a Result; None becomes a NoResult."""
    if value is None:
        return NoResult()
    return _wrap(value)


def _wrap(value: Any) -> Any:
    # Without recursion: JSON may be nested more deeply than Python's stack.
    top = [value]
    left: List[Any] = [top]
    while left:
        container = left.pop()
        places = container if isinstance(container, dict) else range(len(container))
        for place in places:
            inner = container[place]
            if isinstance(inner, dict):
                container[place] = inner = Result(inner)
            elif isinstance(inner, list):
                container[place] = inner = list(inner)
            else:
                continue
            left.append(inner)
    return top[0]
