"""Lines and telephones for tests and demos, usable from any thread."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Tuple, TypeVar, Union

from .exchange import IDLE, PHONE_STATES, Message, Subscriber
from .numbers import is_number
from .runtime import Runtime

T = TypeVar("T")

NumberLike = Union["Line", "Phone", str]


def parse_number(value: NumberLike, argument: str = "number") -> str:
    """Return the number of a line or a telephone, or a string of digits unchanged.

    :raises TypeError: it is none of them.
    :raises ValueError: the string is not a number.
    """
    if isinstance(value, (Line, Phone)):
        return value.number
    if not isinstance(value, str):
        raise TypeError(
            f"{argument}: expected a Line, a Phone or a string, got {type(value).__name__}")
    if not is_number(value):
        raise ValueError(f"{argument}: expected 2 to 15 digits, got {value!r}")
    return value


class Phone:
    """A telephone. `Simulator.phone` and `Line.phone` return one.

    Every method works from any thread. It raises `RuntimeError` if the simulator is not running,
    and the subclass `NotPossible` if the telephone cannot do it now.
    """

    def __init__(self, runtime: Runtime, subscriber: Subscriber) -> None:
        self._runtime = runtime
        self._subscriber = subscriber

    def __repr__(self) -> str:
        return f"<Phone {self.number}>"

    @property
    def number(self) -> str:
        """The number of the telephone."""
        return self._subscriber.number

    @property
    def state(self) -> str:
        """The first of its states in the order "talking", "ringing", "calling", "parked", "idle".
        """
        return self._runtime.thread.call(self._get_states)[0]

    @property
    def messages(self) -> Tuple[Message, ...]:
        """The received text messages, oldest first, each with `sender` and `text`."""
        return self._runtime.thread.call(lambda: tuple(self._subscriber.messages))

    def call(self, to: NumberLike) -> str:
        """Dial a number by hand.

        :param to: a line, a telephone or a number.
        :returns: the callref of the new call.
        :raises NotPossible: the telephone is busy, or none is registered.
        """
        number = parse_number(to, "to")
        exchange = self._runtime.exchange
        call = self._runtime.thread.call(exchange.call_by_hand, self._subscriber, number)
        return call.record.callref

    def pick_up(self) -> None:
        """Answer the oldest ringing call.

        :raises NotPossible: the telephone does not ring.
        """
        self._runtime.thread.call(self._runtime.exchange.pick_up, self._subscriber)

    def hang_up(self) -> None:
        """End the latest conversation; without one, a parked, outgoing or ringing call.

        :raises NotPossible: there is nothing to hang up.
        """
        self._runtime.thread.call(self._runtime.exchange.hang_up, self._subscriber)

    def wait_until(self, state: str, timeout: float = 5.0) -> None:
        """Wait until the telephone is in a state, possibly one of several.

        :param state: "talking", "ringing", "calling", "parked" or "idle".
        :param timeout: seconds.
        :raises ValueError: there is no such state.
        :raises TimeoutError: it did not reach the state; the message lists the states seen.
        """
        if state not in PHONE_STATES:
            expected = ", ".join(PHONE_STATES)
            raise ValueError(f"state: expected one of {expected}; got {state!r}")
        self._wait(lambda: True if state in self._get_states() else None, timeout, state)

    def wait_for_message(self, timeout: float = 5.0, *, count: int = 1) -> Message:
        """Wait for text message number `count` and return it.

        :param timeout: seconds.
        :param count: 1 is the first message since the start.
        :raises TimeoutError: fewer messages arrived.
        """
        if count < 1:
            raise ValueError(f"count: expected 1 or more, got {count!r}")
        inbox = self._subscriber.messages
        what = f"in possession of {count} messages"
        return self._wait(lambda: inbox[count - 1] if len(inbox) >= count else None, timeout, what)

    def _wait(self, find: Callable[[], Optional[T]], timeout: float, what: str) -> T:
        seen: List[str] = []

        def find_and_record() -> Optional[T]:
            now = "+".join(self._get_states())
            if not seen or seen[-1] != now:
                seen.append(now)
            return find()

        def make_message() -> str:
            return f"telephone {self.number} is not {what} after {timeout} s: saw {seen}"

        return self._runtime.wait(find_and_record, timeout, make_message)

    def _get_states(self) -> List[str]:
        states = {leg.state for leg in self._runtime.exchange.find_legs(self._subscriber)}
        return [state for state in PHONE_STATES if state in states] or [IDLE]


class Line:
    """A line of the account. `Simulator.line` returns one; its settings can change at any time."""

    def __init__(self, runtime: Runtime, subscriber: Subscriber) -> None:
        self._runtime = runtime
        self._subscriber = subscriber
        self.phone = Phone(runtime, subscriber)

    def __repr__(self) -> str:
        return f"<Line {self.number} {self._subscriber.name!r}>"

    @property
    def number(self) -> str:
        """Its CSI, which is its number in international format."""
        return self._subscriber.number

    @property
    def name(self) -> str:
        """The name of its owner."""
        return self._subscriber.name

    @property
    def short_number(self) -> Optional[str]:
        """The number that other lines can dial."""
        return self._subscriber.short_number

    @property
    def organisation(self) -> str:
        """Its organisation; lines can subscribe only to lines of the same one."""
        return self._subscriber.organisation

    @organisation.setter
    def organisation(self, name: str) -> None:
        self.set(organisation=name)

    @property
    def plugin_enabled(self) -> bool:
        """True if the CTI plugin is enabled; enabling it works for sessions created afterwards."""
        return self._subscriber.plugin_enabled

    @plugin_enabled.setter
    def plugin_enabled(self, enabled: bool) -> None:
        self.set(plugin_enabled=enabled)

    @property
    def phone_registered(self) -> bool:
        """True if a telephone is registered; without one the line cannot ring or dial."""
        return self._subscriber.phone_registered

    @phone_registered.setter
    def phone_registered(self, registered: bool) -> None:
        self.set(phone_registered=registered)

    def set(self, **settings: Any) -> None:
        """Change several settings at once.

        :param settings: any of name, short_number, organisation, plugin_enabled and
            phone_registered.
        :raises TypeError: there is no such setting, or its value has the wrong type.
        :raises ValueError: the short number is not a number.
        """
        for name, value in settings.items():
            _check_setting(name, value)

        def change() -> None:
            for name, value in settings.items():
                setattr(self._subscriber, name, value)

        self._runtime.thread.call(change)


_SETTINGS: Dict[str, type] = {
    "name": str,
    "short_number": str,
    "organisation": str,
    "plugin_enabled": bool,
    "phone_registered": bool,
}


def _check_setting(name: str, value: Any) -> None:
    if name not in _SETTINGS:
        raise TypeError(f"{name}: a line has no such setting; it has {', '.join(_SETTINGS)}")
    expected = _SETTINGS[name]
    if not isinstance(value, expected):
        raise TypeError(f"{name}: expected {expected.__name__}, got {type(value).__name__}")
    if name == "short_number" and not is_number(value):
        raise ValueError(f"{name}: expected 2 to 15 digits, got {value!r}")
