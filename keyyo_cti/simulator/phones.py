"""Lines and telephones as a test or a person plays them, from any thread."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple, TypeVar, Union

from .exchange import IDLE, PHONE_STATES, Exchange, Message, Station
from .numbers import is_number
from .serving import ServerThread
from .watchers import Watchers

T = TypeVar("T")

NumberLike = Union["Line", "Phone", str]

GRACE = 5.0
"""Seconds by which a caller's thread outwaits the wait that it asked the loop for."""


def number_of(value: NumberLike, argument: str = "number") -> str:
    """The number that a line, a telephone or a string of digits stands for.

    :raises TypeError: it is none of them.
    :raises ValueError: the string is no number.
    """
    if isinstance(value, (Line, Phone)):
        return value.number
    if not isinstance(value, str):
        raise TypeError(
            f"{argument}: expected a Line, a Phone or a string, got {type(value).__name__}")
    if not is_number(value):
        raise ValueError(f"{argument}: expected 2 to 15 digits, got {value!r}")
    return value


def require_seconds(value: float, argument: str) -> float:
    """A duration of more than no seconds.

    :raises TypeError: it is no number.
    :raises ValueError: it is not above 0.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{argument}: expected seconds, got {type(value).__name__}")
    if not value > 0:
        raise ValueError(f"{argument}: expected more than 0 seconds, got {value!r}")
    return value


class World(NamedTuple):
    """What the telephones are made of."""

    thread: ServerThread
    exchange: Exchange
    watchers: Watchers

    def wait(
        self, find: Callable[[], Optional[T]], timeout: float, complaint: Callable[[], str]
    ) -> T:
        """Wait, on any thread but the loop's own, until `find` gives something.

        :param find: looks at the present state; None means not yet.
        :param timeout: seconds.
        :param complaint: says, in the end, what was seen instead.
        :raises TimeoutError: nothing was found in time.
        """
        require_seconds(timeout, "timeout")
        return self.thread.wait(
            lambda: self.watchers.until(find, timeout, complaint), timeout + GRACE)


class Phone:
    """A telephone in someone's hands. `Simulator.phone` and `Line.phone` give one.

    Every method can be called from any thread. They raise `RuntimeError` when the simulator is
    not running, and its subclass `NotPossible` when the telephone cannot do it now.
    """

    def __init__(self, world: World, station: Station) -> None:
        self._world = world
        self._station = station

    def __repr__(self) -> str:
        return f"<Phone {self.number}>"

    @property
    def number(self) -> str:
        """The number it answers to."""
        return self._station.number

    @property
    def state(self) -> str:
        """What it is doing: "talking", "ringing", "calling", "parked" or "idle".

        Of several, the first in this order.
        """
        return self._world.thread.call(self._states)[0]

    @property
    def messages(self) -> Tuple[Message, ...]:
        """The text messages it has got, oldest first, each with `sender` and `text`."""
        return self._world.thread.call(lambda: tuple(self._station.messages))

    def call(self, to: NumberLike) -> str:
        """Dial a number by hand.

        :param to: a line, a telephone or a number.
        :returns: the callref of the new call.
        :raises NotPossible: the telephone is busy, or none is there.
        """
        number = number_of(to, "to")
        exchange = self._world.exchange
        call = self._world.thread.call(exchange.call_by_hand, self._station, number)
        return call.record.callref

    def pick_up(self) -> None:
        """Answer what has been ringing longest.

        :raises NotPossible: it does not ring.
        """
        self._world.thread.call(self._world.exchange.pick_up, self._station)

    def hang_up(self) -> None:
        """End the latest conversation; without one, the call it makes, or the one that rings.

        :raises NotPossible: it has nothing to hang up.
        """
        self._world.thread.call(self._world.exchange.hang_up, self._station)

    def wait_until(self, state: str, timeout: float = 5.0) -> None:
        """Wait until it is in a state, which may be one of several that it is in.

        :param state: "talking", "ringing", "calling", "parked" or "idle".
        :param timeout: seconds.
        :raises ValueError: there is no such state.
        :raises TimeoutError: it did not come so far; says what was seen instead.
        """
        if state not in PHONE_STATES:
            expected = ", ".join(PHONE_STATES)
            raise ValueError(f"state: expected one of {expected}; got {state!r}")
        self._wait(lambda: True if state in self._states() else None, timeout, state)

    def wait_for_message(self, timeout: float = 5.0, *, count: int = 1) -> Message:
        """Wait until it has at least `count` text messages, and give that one.

        :param timeout: seconds.
        :param count: 1 waits for the first message it ever got, and so on.
        :raises TimeoutError: it has fewer.
        """
        if count < 1:
            raise ValueError(f"count: expected 1 or more, got {count!r}")
        inbox = self._station.messages
        what = f"in possession of {count} messages"
        return self._wait(lambda: inbox[count - 1] if len(inbox) >= count else None, timeout, what)

    def _wait(self, find: Callable[[], Optional[T]], timeout: float, what: str) -> T:
        seen: List[str] = []

        def look() -> Optional[T]:
            now = "+".join(self._states())
            if not seen or seen[-1] != now:
                seen.append(now)
            return find()

        def complaint() -> str:
            return f"telephone {self.number} is not {what} after {timeout} s: saw {seen}"

        return self._world.wait(look, timeout, complaint)

    def _states(self) -> List[str]:
        states = {leg.state for leg in self._world.exchange.legs(self._station)}
        return [state for state in PHONE_STATES if state in states] or [IDLE]


class Line:
    """A line of the account. `Simulator.line` gives one; its settings can be changed any time."""

    def __init__(self, world: World, station: Station) -> None:
        self._world = world
        self._station = station
        self.phone = Phone(world, station)

    def __repr__(self) -> str:
        return f"<Line {self.number} {self._station.name!r}>"

    @property
    def number(self) -> str:
        """Its CSI, which is its number in international format."""
        return self._station.number

    @property
    def name(self) -> str:
        """Whose line it is."""
        return self._station.name

    @property
    def short_number(self) -> Optional[str]:
        """The number under which it can be dialled from other lines."""
        return self._station.short_number

    @property
    def organisation(self) -> str:
        """Lines may subscribe to each other only within one organisation."""
        return self._station.organisation

    @organisation.setter
    def organisation(self, name: str) -> None:
        self.set(organisation=name)

    @property
    def plugin_enabled(self) -> bool:
        """Whether the CTI plugin is enabled; it works for sessions created afterwards."""
        return self._station.plugin_enabled

    @plugin_enabled.setter
    def plugin_enabled(self, enabled: bool) -> None:
        self.set(plugin_enabled=enabled)

    @property
    def phone_registered(self) -> bool:
        """Whether a telephone is registered: without one nothing rings and nothing is dialled."""
        return self._station.phone_registered

    @phone_registered.setter
    def phone_registered(self, registered: bool) -> None:
        self.set(phone_registered=registered)

    def set(self, **settings: Any) -> None:
        """Change settings, all at once.

        :param settings: any of name, short_number, organisation, plugin_enabled and
            phone_registered.
        :raises TypeError: there is no such setting, or it has another type than expected.
        :raises ValueError: the short number is no number.
        """
        for name, value in settings.items():
            _check_setting(name, value)

        def change() -> None:
            for name, value in settings.items():
                setattr(self._station, name, value)

        self._world.thread.call(change)


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
