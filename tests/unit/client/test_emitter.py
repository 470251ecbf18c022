"""Events: who is called, in which order, and what a slip of the pen does."""

from __future__ import annotations

import copy
import pickle
import signal
import threading
from typing import Any, List, Optional

import pytest

from keyyo_cti._client.emitter import Emitter, EventAttribute, attribute_of

from ...helpers.in_full import in_full
from ...helpers.signals import Signals


class Lamp(Emitter):
    """Something with two events."""

    EVENTS = ("switchOn", "off")

    onSwitchOn = EventAttribute[Any]("handler(colour)", "It is switched on.")
    onOff = EventAttribute[Any]("handler()", "It is switched off.")


def emit(emitter: Emitter, name: str, *arguments: Any) -> None:
    for handler in emitter.handlers(name):
        handler(*arguments)


def test_nobody_listens() -> None:
    """An event that nobody listens to calls nobody."""
    assert Lamp().handlers("off") == []


def test_order() -> None:
    """Handlers run in the order that on() added them, and the attribute runs last, whenever it
    was set."""
    lamp, ran = Lamp(), []
    lamp.onSwitchOn = lambda colour: ran.append(("attribute", colour))
    lamp.on("switchOn", lambda colour: ran.append(("first", colour)))
    lamp.on("switchOn", lambda colour: ran.append(("second", colour)))
    emit(lamp, "switchOn", "red")
    assert ran == [("first", "red"), ("second", "red"), ("attribute", "red")]


@pytest.mark.parametrize(
    "names", ["switchOn,off", "switchOn, off", " off ,  switchOn ", "off,\tswitchOn\n"]
)
def test_several_names(names: str) -> None:
    """Several events are named at once, with commas and with spaces where one likes."""
    lamp, ran = Lamp(), []

    def handler(*arguments: Any) -> None:
        ran.append(arguments)

    lamp.on(names, handler)
    emit(lamp, "switchOn", "red")
    emit(lamp, "off")
    assert ran == [("red",), ()]
    lamp.off(names, handler)
    assert lamp.handlers("switchOn") == lamp.handlers("off") == []


def test_on_without_a_handler_is_a_decorator_that_returns_the_function() -> None:
    lamp, ran = Lamp(), []

    @lamp.addEventListener("off")  # type: ignore[untyped-decorator]
    @lamp.on("switchOn, off")  # type: ignore[untyped-decorator]
    def handler(*arguments: Any) -> None:
        ran.append(arguments)

    emit(lamp, "switchOn", "red")
    assert ran == [("red",)] and lamp.handlers("off") == [handler, handler]
    lamp.off("switchOn,off", handler)
    assert lamp.handlers("off") == [handler] and lamp.handlers("switchOn") == []


@pytest.mark.parametrize(
    "decorate, problem",
    [
        (lambda lamp: lamp.on("switchOff")(print), "no event 'switchOff'"),
        (lambda lamp: lamp.on("off, switchOff"), "no event 'switchOff'"),
        (lambda lamp: lamp.on(print), r'write @on\("switchOn"\)'),
        (lambda lamp: lamp.on("off")(None), "handler: expected a function, got NoneType"),
        (lambda lamp: lamp.on("off", None), "handler: expected a function, got NoneType"),
        (lambda lamp: lamp.on("off")(_coroutine), "coroutine function"),
        (lambda lamp: lamp.on(), "names"),
    ],
)
def test_decorator_with_a_mistake_is_refused_at_once(decorate: Any, problem: str) -> None:
    lamp = Lamp()
    with pytest.raises(TypeError, match=problem):
        decorate(lamp)
    assert lamp.handlers("off") == lamp.handlers("switchOn") == []


async def _coroutine() -> None:
    """Would never run."""


def test_javascripts_other_names() -> None:
    """addEventListener and removeEventListener are on and off."""
    lamp = Lamp()
    lamp.addEventListener("off", print)
    assert lamp.handlers("off") == [print]
    lamp.removeEventListener("off", print)
    assert lamp.handlers("off") == []


def test_added_twice() -> None:
    """A handler added twice is called twice, and each off() takes one away."""
    lamp = Lamp()
    lamp.on("off, off", print)
    assert lamp.handlers("off") == [print, print]
    lamp.off("off", print)
    assert lamp.handlers("off") == [print]
    lamp.off("off, off", print)
    assert lamp.handlers("off") == []


def test_off_without_a_handler() -> None:
    """off() without a handler removes all that on() added, of this event only, and leaves the
    attribute."""
    lamp = Lamp()
    lamp.on("off, switchOn", print)
    lamp.on("off", repr)
    lamp.onOff = len
    lamp.off("off")
    assert lamp.handlers("off") == [len]
    assert lamp.handlers("switchOn") == [print]


def test_off_for_one_that_is_not_there() -> None:
    """To remove what was never added is no error and removes nothing, the attribute included."""
    lamp = Lamp()
    lamp.off("off", print)
    lamp.off("off")
    lamp.on("off", print)
    lamp.onOff = len
    lamp.off("off", repr)
    lamp.off("off", len)
    assert lamp.handlers("off") == [print, len]


def test_bound_methods() -> None:
    """A bound method is removed by naming it again, though it is another object each time."""
    lamp, ran = Lamp(), []  # type: Lamp, List[str]
    lamp.on("off", ran.clear)
    lamp.off("off", ran.clear)
    assert lamp.handlers("off") == []


def test_attribute() -> None:
    """The attribute holds one handler or None, can be read, and is replaced when set again."""
    lamp = Lamp()
    assert lamp.onOff is None
    lamp.onOff = print
    lamp.onOff = repr
    assert lamp.onOff is repr
    assert lamp.handlers("off") == [repr]
    lamp.onOff = None
    assert lamp.onOff is None
    assert lamp.handlers("off") == []


def test_attribute_is_documented() -> None:
    """help() says when an attribute is called, and how."""
    assert Lamp.onSwitchOn.__doc__ == "It is switched on. Called as ``handler(colour)``."


def test_changed_while_emitting() -> None:
    """Handlers that are added or removed during an event are so from the next event on."""
    lamp, ran = Lamp(), []

    def late() -> None:
        ran.append("late")

    def second() -> None:
        ran.append("second")

    def first() -> None:
        ran.append("first")
        lamp.on("off", late)
        lamp.off("off", second)
        lamp.onOff = None

    lamp.on("off", first)
    lamp.on("off", second)
    lamp.onOff = lambda: ran.append("attribute")
    emit(lamp, "off")
    assert ran == ["first", "second", "attribute"]
    lamp.off("off", first)
    ran.clear()
    emit(lamp, "off")
    assert ran == ["late"]


@pytest.mark.parametrize(
    "names", ["", "on", "Off", "=off", "onOff", "off,", ",off", "off,,switchOn", "off switchOn"]
)
def test_no_such_event(names: str) -> None:
    """A name that is no event raises TypeError with those that are, and nothing is added."""
    lamp = Lamp()
    with pytest.raises(TypeError, match="Lamp has no event .*: it has switchOn, off"):
        lamp.on(names, print)
    with pytest.raises(TypeError, match="Lamp has no event .*: it has switchOn, off"):
        lamp.off(names)
    assert lamp.handlers("off") == lamp.handlers("switchOn") == []


@pytest.mark.parametrize("names", [None, 3, b"off", ["off"]])
def test_names_that_are_no_string(names: Any) -> None:
    """Names that are no string raise TypeError."""
    with pytest.raises(TypeError, match="names: expected a string"):
        Lamp().on(names, print)


@pytest.mark.parametrize("handler", [None, 3, "print"])
def test_handler_that_cannot_be_called(handler: Any) -> None:
    """A handler that cannot be called raises TypeError."""
    with pytest.raises(TypeError, match="handler: expected a function"):
        Lamp().on("off", handler)


@pytest.mark.parametrize("handler", [3, "print", False])
def test_attribute_that_cannot_be_called(handler: Any) -> None:
    """So does an attribute that is neither a function nor None."""
    with pytest.raises(TypeError, match="onOff: expected a function or None"):
        Lamp().onOff = handler


@pytest.mark.parametrize("value", [print, None, 3])
@pytest.mark.parametrize(
    "name, meant",
    [
        ("onSwitchon", "onSwitchOn"), ("onSWITCHON", "onSwitchOn"), ("onswitchon", "onSwitchOn"),
        ("on_switch_on", "onSwitchOn"), ("switchOn", "onSwitchOn"), ("switch_on", "onSwitchOn"),
        ("SwitchOn_", "onSwitchOn"), ("ON_OFF", "onOff"), ("onoff", "onOff"), ("Off", "onOff"),
        ("onSwitchOm", "onSwitchOn"), ("onNothing", None), ("onOf", "onOff"),
    ],
)
def test_misspelt_attribute(name: str, meant: Optional[str], value: Any) -> None:
    """An attribute that is an event but for case, underscores or "on" raises, and so does one
    that looks like an event; the error says which one was probably meant."""
    lamp = Lamp()
    with pytest.raises(AttributeError) as caught:
        setattr(lamp, name, value)
    asked = "" if meant is None else f"; did you mean {meant}?"
    assert str(caught.value) == f"Lamp has no event {name}: it has onSwitchOn, onOff{asked}"
    assert name not in vars(lamp)


@pytest.mark.parametrize("name", ["onof", "note", "on_line", "only", "_switch_on", "_off"])
def test_attribute_that_is_no_event_is_free(name: str) -> None:
    lamp = Lamp()
    setattr(lamp, name, print)
    assert getattr(lamp, name) is print


def test_attribute_of_a_subclass_with_the_name_of_an_event_is_its_own() -> None:
    class Named(Lamp):
        switched_on = switchon = False

        def on_switch_on(self, colour: str) -> None:
            self.switchon = True

    lamp = Named()
    lamp.onSwitchOn = lamp.on_switch_on
    emit(lamp, "switchOn", "red")
    assert lamp.switchon
    setattr(lamp, "on_switch_on", print)
    with pytest.raises(AttributeError, match="did you mean onOff"):
        setattr(lamp, "on_off", print)


@pytest.mark.parametrize(
    "name, meant",
    [("switch_on", "switchOn"), ("onSwitchOn", "switchOn"), ("on_switch_on", "switchOn"),
     ("SWITCHON", "switchOn"), ("switchedOn", "switchOn"), ("onOff", "off"), ("Off", "off")],
)
def test_misspelt_name_of_an_event(name: str, meant: str) -> None:
    for use in (Lamp().on, Lamp().off):
        with pytest.raises(TypeError, match=rf"{name!r}: it has .*; did you mean {meant}\?"):
            use(f"off, {name}", print)


def test_missing_attribute_suggests_a_name_and_probes_find_nothing() -> None:
    lamp = Lamp()
    with pytest.raises(AttributeError, match="'on_switch_on'; did you mean onSwitchOn"):
        getattr(lamp, "on_switch_on")
    for probe in ("_repr_html_", "_ipython_display_", "__deepcopy__", "note"):
        assert not hasattr(lamp, probe)


def test_copy_and_pickle_of_an_emitter_say_why_not() -> None:
    for twin in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="a Lamp cannot be copied or pickled: it belongs"):
            twin(Lamp())


def test_object_setattr_sets_a_handler() -> None:
    lamp = Lamp()
    object.__setattr__(lamp, "onOff", print)
    assert lamp.handlers("off") == [lamp.onOff] == [print]


def test_property_that_fails_has_its_own_error() -> None:
    class Dim(Lamp):
        @property
        def colour(self) -> str:
            return "red".missing  # type: ignore[attr-defined, no-any-return]

    with pytest.raises(AttributeError, match="'str' object has no attribute 'missing'"):
        Dim().colour


def test_method_of_a_subclass() -> None:
    """A subclass may define the attribute as a method, and an instance may replace it."""

    class Red(Lamp):
        def __init__(self) -> None:
            super().__init__()
            self.colours: List[str] = []

        def onSwitchOn(self, colour: str) -> None:
            self.colours.append(colour)

    lamp, other = Red(), Red()
    emit(lamp, "switchOn", "red")
    assert (lamp.colours, other.colours) == (["red"], [])
    replaced: List[str] = []
    lamp.onSwitchOn = replaced.append  # type: ignore[method-assign, assignment]
    emit(lamp, "switchOn", "blue")
    emit(other, "switchOn", "green")
    assert (lamp.colours, replaced, other.colours) == (["red"], ["blue"], ["green"])


def test_instances_are_apart() -> None:
    """A handler is called for the events of the object it was added to, and no other."""
    lamp, other = Lamp(), Lamp()
    lamp.on("off", print)
    lamp.onSwitchOn = print
    assert other.handlers("off") == other.handlers("switchOn") == []


def test_any_callable() -> None:
    """Whatever can be called is a handler."""

    class Falsy:
        def __call__(self) -> None:
            pass

        def __bool__(self) -> bool:
            return False

    lamp, falsy = Lamp(), Falsy()
    lamp.on("off", falsy)
    lamp.onOff = falsy
    assert lamp.handlers("off") == [falsy, falsy]


def test_added_from_many_threads() -> None:
    """Handlers added and removed by many threads at once are all there, once each."""
    lamp, barrier = Lamp(), threading.Barrier(8)

    def add(number: int) -> None:
        barrier.wait(5)
        for turn in range(50):
            lamp.on("off, switchOn", (number, turn).__len__)
            lamp.onOff = print
            lamp.on("off", len)
            lamp.off("off", len)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(lamp.handlers("switchOn")) == 400
    assert len(lamp.handlers("off")) == 401


def test_attribute_of() -> None:
    """An event's attribute is its name after on, with a capital."""
    assert attribute_of("newCall") == "onNewCall"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")
def test_on_in_signal_handlers_loses_no_handler(signals: Signals) -> None:
    """``on`` and ``off`` in a signal handler that interrupts them on the same thread."""
    lamp, added = Lamp(), 0
    # A list, because a signal handler may interrupt another one in the middle of "+= 1".
    signalled: List[None] = []

    def on_signal() -> None:
        lamp.on("off", print)
        lamp.off("switchOn", repr)
        signalled.append(None)

    count = in_full(10_000, always=1_000)
    # Enough for each signal to find one that it can remove.
    spare = count + 1_000
    for _ in range(spare):
        lamp.on("switchOn", repr)
    signals.start(on_signal)
    while len(signalled) < count:
        lamp.on("off, switchOn", repr)
        lamp.onOff = lamp.onOff
        added += 1
    signals.stop()
    assert lamp.handlers("off").count(print) == len(signalled)
    assert lamp.handlers("off").count(repr) == added
    assert lamp.handlers("switchOn") == [repr] * (spare + added - len(signalled))
