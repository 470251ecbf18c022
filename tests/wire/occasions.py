"""Every occasion on which code of a program is called, and what brings it about."""

from __future__ import annotations

from typing import Any, Callable, Dict, NamedTuple

from keyyo_cti import CTI
from keyyo_cti.simulator import Line, Simulator

from ..helpers.probe import PATIENCE

BOB = "33199020000"

#: Seconds that a command has where its time-out is the occasion: long enough for one that is to
#: be answered on a loaded machine.
TIMEOUT = 1.0

Handler = Callable[..., object]


class Scene(NamedTuple):
    """A CTI with a session on Alice's line."""

    cti: CTI
    sim: Simulator
    alice: Line

    def call(self) -> None:
        """Bob calls Alice."""
        self.sim.phone(BOB).call(self.alice)


def _nothing(*_: Any) -> None:
    """A handler that is not what the test looks at."""


def _call_event(event: str) -> Callable[[Scene, Handler], None]:
    """A call that goes as far as that event."""
    attribute = f"on{event[0].upper()}{event[1:]}"

    def cause(scene: Scene, handler: Handler) -> None:
        scene.cti.onNewCall = lambda call: setattr(call, attribute, handler)
        scene.call()
        if event in ("connect", "release"):
            scene.alice.phone.pick_up()
        if event in ("release", "missed"):
            scene.sim.phone(BOB).hang_up()

    return cause


def _new_call(scene: Scene, handler: Handler) -> None:
    scene.cti.onNewCall = handler
    scene.call()


def _new_call_by_on(scene: Scene, handler: Handler) -> None:
    scene.cti.on("newCall", handler)
    scene.call()


def _disconnected(scene: Scene, handler: Handler) -> None:
    scene.cti.onDisconnected = handler
    scene.sim.faults.reset()


def _unreadable(scene: Scene, handler: Handler) -> None:
    scene.cti.onError = handler
    scene.sim.faults.garbage('a["x"]')


def _handler_that_raises(scene: Scene, handler: Handler) -> None:
    def bad(*_: Any) -> None:
        raise ValueError("oops")

    scene.cti.onError = handler
    scene.cti.ping(bad)


def _result(scene: Scene, handler: Handler) -> None:
    scene.cti.ping(handler)


def _session(scene: Scene, handler: Handler) -> None:
    scene.cti.create_session(scene.sim.token(scene.alice), handler)


def _destroyed(scene: Scene, handler: Handler) -> None:
    scene.cti.destroy_session(handler)


def _refused(scene: Scene, handler: Handler) -> None:
    scene.sim.faults.fail("ping")
    scene.cti.ping(handler)


def _wrong_value(scene: Scene, handler: Handler) -> None:
    scene.cti.dial("", handler)


def _not_connected(scene: Scene, handler: Handler) -> None:
    scene.cti.close()
    scene.cti.ping(handler)


def _closed(scene: Scene, handler: Handler) -> None:
    scene.sim.faults.ignore("ping", times=1)
    scene.cti.ping(handler)
    scene.sim.wait_for_action("ping", PATIENCE)
    scene.sim.faults.reset()


def _time_out(scene: Scene, handler: Handler) -> None:
    scene.sim.faults.ignore("ping", times=1)
    scene.cti.ping(handler)


def _future(scene: Scene, handler: Handler) -> None:
    scene.cti.ping().add_done_callback(handler)


#: Its name, and what makes a handler be called on it, once.
OCCASIONS: Dict[str, Callable[[Scene, Handler], None]] = {
    "newCall": _new_call,
    "newCall by on": _new_call_by_on,
    "setup": _call_event("setup"),
    "connect": _call_event("connect"),
    "release": _call_event("release"),
    "missed": _call_event("missed"),
    "disconnected": _disconnected,
    "unreadable": _unreadable,
    "handler that raises": _handler_that_raises,
    "result": _result,
    "session": _session,
    "destroyed": _destroyed,
    "refused": _refused,
    "wrong value": _wrong_value,
    "not connected": _not_connected,
    "closed": _closed,
    "time-out": _time_out,
    "future": _future,
}


def scene(sim: Simulator, alice: Line, occasion: str, **options: Any) -> Scene:
    """A CTI with a session, on which that occasion may come about.

    :param options: further ones of the CTI.
    """
    if occasion == "time-out":
        options["timeout"] = TIMEOUT
    cti = CTI(endpoint=sim.endpoint, cookie_auto=False, **options)
    cti.create_session(sim.token(alice)).result(PATIENCE)
    return Scene(cti, sim, alice)
