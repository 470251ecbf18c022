"""Whose line a sample is about: yours, or Alice's on a simulator.

Samples stand on this; by itself it does nothing. Yours it is with ``KEYYO_CSI_TOKEN`` in the
environment.
"""

import os
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, NamedTuple

from keyyo_cti.options import ENDPOINT

if TYPE_CHECKING:
    from keyyo_cti.simulator import Phone, Simulator

#: What people do on the simulator once there is a session, at Alice's telephone and at Bob's.
People = Callable[["Phone", "Phone"], object]


class Whose(NamedTuple):
    """How to get a session of the line.

    :ivar token: a CSI token, which is a secret.
    :ivar options: for ``CTI(...)``. No cookie is kept: a sample leaves the session of your own
        program alone.
    """

    token: str
    options: Dict[str, Any]


@contextmanager
def whose_line(people: People) -> Iterator[Whose]:
    """The line, as long as the block lasts."""
    token = os.environ.get("KEYYO_CSI_TOKEN")
    if token:
        endpoint = os.environ.get("KEYYO_ENDPOINT", ENDPOINT)
        yield Whose(token, {"endpoint": endpoint, "cookie_auto": False})
        return

    # Imported here because it needs an extra, which Keyyo does not.
    from keyyo_cti.simulator import Simulator

    with Simulator() as sim:
        alice = sim.line("33199000001", name="Alice")
        sim.line("33172587948", name="Carol")
        Thread(target=_play, args=(sim, people, alice.phone), daemon=True).start()
        yield Whose(sim.token(alice), {"endpoint": sim.endpoint, "cookie_auto": False})


def _play(sim: "Simulator", people: People, alice: "Phone") -> None:
    # A session is not told of the calls that were there before it.
    sim.wait_for_action("create_session", 60)
    people(alice, sim.phone("33199020000"))
