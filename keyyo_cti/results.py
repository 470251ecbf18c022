"""Results: the server's objects, with fields by attribute and by key."""

from typing import TYPE_CHECKING, Any, Dict, Iterable, List, NamedTuple, NoReturn, Optional

from ._display.secret_fields import is_secret
from ._display.spelling import no_attribute


class Result(Dict[str, Any]):
    """An object of the server: ``res.number`` is ``res["number"]``.

    Its ``repr`` never shows a session id or a token, so it can be printed and logged.

    Type checkers know only the documented fields, which the subclasses declare, so that they find
    a misspelt one. Any other field is there by key: ``res["number"]``. The subclasses are for type
    checkers: at run time the server's objects are of this class.
    """

    __slots__ = ()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            # Names with two underscores are Python's: otherwise a server's "__deepcopy__" would
            # be called.
            if name in self and not name.startswith("__"):
                return self[name]
            # Documented fields of a result may be absent; those of a call are other ones.
            if name in _KNOWN and not isinstance(self, Fields):
                return None
            text = f"no field {name!r} in this result: {sorted(self)}"
            raise no_attribute(text, name, (*self, *sorted(_KNOWN)))

    def __dir__(self) -> Iterable[str]:
        fields = (name for name in self if isinstance(name, str) and name.isidentifier())
        return sorted({*super().__dir__(), *fields})

    def __repr__(self) -> str:
        fields = ", ".join(
            f"{name}=<hidden>" if is_secret(name) else f"{name}={value!r}"
            for name, value in self.items()
        )
        return f"{type(self).__name__}({fields})"

    def _repr_html_(self) -> str:
        from ._display import html

        return html.render_result(self)


class Fields(Result):
    """The fields of a call or of an error, read-only.

    A copy is a Result, which can be changed; so is one that was pickled.
    """

    __slots__ = ()

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("these fields are read-only: change a copy of them, dict(fields)")

    if not TYPE_CHECKING:
        __setitem__ = __delitem__ = __ior__ = _refuse
        clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> Any:
        return Result, (dict(self),)


class SessionInfo(Result):
    """The result of ``create_session`` and ``restore_session``.

    :ivar number: the line's number, a string.
    :ivar now: server time in Unix seconds.
    :ivar session_id: the id of a new session; None if an older one was restored.
    """

    __slots__ = ()

    number: str
    now: int
    session_id: Optional[str]


class Subscriptions(Result):
    """The result of ``get_subscriptions``.

    :ivar numbers: lines of the same organisation, and perhaps ``"callpark"``.
    """

    __slots__ = ()

    numbers: List[str]


class AutoAnswer(Result):
    """The result of ``get_auto_answer``.

    :ivar auto_answer: True if the line's telephone answers by itself.
    """

    __slots__ = ()

    auto_answer: bool


class ConvertedNumber(Result):
    """The result of ``int_to_local`` and ``local_to_int``.

    :ivar number: the number in the other form, a string.
    """

    __slots__ = ()

    number: str


#: Fields of documented results. A missing one is None, as it is ``undefined`` in JavaScript. Any
#: other name is a mistake and raises.
_KNOWN = frozenset({"number", "now", "session_id", "numbers", "auto_answer"})


class LineInfo(Result):
    """A telephone line, from ``Manager.lines`` and ``Manager.line``.

    :ivar csi: the line's number in international format.
    :ivar name: the line's name, or None.
    :ivar short_number: the line's short number, or None.
    """

    __slots__ = ()

    csi: str
    name: Optional[str]
    short_number: Optional[str]


class PluginInfo(Result):
    """A CTI plugin of a line, from ``Manager.cti_plugins`` and ``Manager.enable_plugin``.

    :ivar name: the plugin's name, such as ``websocket``.
    :ivar enabled: True if it is enabled.
    """

    __slots__ = ()

    name: Optional[str]
    enabled: bool


class ProfileInfo(Result):
    """A profile of a line, from ``Manager.profiles`` and ``Manager.force_profile``.

    :ivar identifier: of the profile; ``default`` always exists.
    :ivar name: the profile's name, or None.
    :ivar forced: True if it is in force until further notice.
    :ivar backup_number: the number for calls while the line is unreachable, or None.
    :ivar forward_unconditionally_number: the number for all calls, or None.
    :ivar forward_on_no_answer_number: the number for calls after ``forward_delay``, or None.
    :ivar forward_delay: as Keyyo sent it, or None.
    :ivar forward_to_voicemail: True if the voicemail takes calls.
    """

    __slots__ = ()

    identifier: str
    name: Optional[str]
    forced: bool
    backup_number: Optional[str]
    forward_unconditionally_number: Optional[str]
    forward_on_no_answer_number: Optional[str]
    forward_delay: Any
    forward_to_voicemail: bool


class NoResult(Result):
    """A result of null.

    It is false and equal to None and to ``{}``, and its documented fields are None. It is not None
    itself: exactly one of a callback's arguments is not None, so ``err is None`` and ``res is not
    None`` both mean success.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True if other is None else super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __repr__(self) -> str:
        return "NoResult()"


class Restored(NamedTuple):
    """The argument of ``restored``.

    :ivar gap: seconds without events, from the last whole frame of the lost connection to the
        session on the new one. It includes a round trip (at most 1 s) before that frame was read,
        because an event behind it may have been sent by then. Events in the gap are not notified
        later.
    :ivar recreated: True if the server had destroyed the session, and a new one was created with
        the same subscriptions and auto-answer.
    """

    gap: float
    recreated: bool


def wrap(value: Any) -> Any:
    """Return the value with each object in it as a Result; None becomes a NoResult."""
    if value is None:
        return NoResult()
    return _wrap(value)


def _wrap(value: Any) -> Any:
    # Without recursion: JSON may be nested deeper than Python's stack.
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
