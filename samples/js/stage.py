"""The stage for the examples: a service to connect to, and people who telephone.

By default the service is the simulator, in this process and on a real socket. With
``KEYYO_CSI_TOKEN`` in the environment it is Keyyo (or ``KEYYO_ENDPOINT``); then you are asked to
do what the people do, and an example that would reach somebody else's telephone stops first.

An example prints what it sees, and `expect` compares. So it ends with exit code 0 only if what
it shows has really happened.
"""

import atexit
import io
import logging
import os
import sys
import threading
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, TextIO, cast

from keyyo_cti import CTI, Call
from keyyo_cti.options import ENDPOINT

if TYPE_CHECKING:
    from keyyo_cti.simulator import Simulator


def _simulator() -> "Simulator":
    """A simulator whose clock stands still until `time_passes`, so that durations are exact."""
    # Imported here because it needs an extra, which Keyyo does not.
    from keyyo_cti.simulator import ManualClock, Simulator

    sim = Simulator(clock=ManualClock())
    sim.start()
    atexit.register(sim.stop)
    return sim


csi_token = os.environ.get("KEYYO_CSI_TOKEN", "")

#: None on Keyyo.
sim = None if csi_token else _simulator()

#: Seconds that anything may take; people are slower than the simulator.
PATIENCE = 10.0 if sim else 60.0

# What goes wrong in a handler is logged, and is to be seen.
logging.basicConfig(format="%(name)s: %(message)s")

#: Notified of each line printed and each change of a call.
_changed = threading.Condition()


class Person:
    """Somebody with a telephone.

    :param where: where you are asked to play that telephone, on Keyyo.
    """

    def __init__(self, number: str, where: str) -> None:
        self.number = number
        self._where = where

    def calls(self, person: "Person") -> None:
        """Dials a number by hand."""
        if sim:
            sim.phone(self.number).call(person.number)
        else:
            whom = "your line" if person is alice else "somebody who expects it"
            _ask(f"{self._where}, call {whom}")

    def picks_up(self) -> None:
        """Answers."""
        if sim:
            sim.phone(self.number).wait_until("ringing", PATIENCE)
            sim.phone(self.number).pick_up()
        else:
            _ask(f"{self._where}, answer the call")

    def hangs_up(self) -> None:
        """Ends the call."""
        if sim:
            sim.phone(self.number).hang_up()
        else:
            _ask(f"{self._where}, hang up")

    def sees(self, state: str) -> None:
        """Checks that the telephone is "ringing", "talking", "calling", "parked" or "idle"."""
        if sim:
            sim.phone(self.number).wait_until(state, PATIENCE)

    def reads(self, text: str) -> None:
        """Checks that a message has come to the telephone."""
        if sim:
            got = sim.phone(self.number).wait_for_message(PATIENCE).text
            if got != text:
                sys.exit(f"expected the message {text!r}, got {got!r}")


alice = Person("33199000001", "at the telephone of your line")
bob = Person("33199020000", "at another telephone")
#: A colleague of Alice's, with a line of the same organisation.
carol = Person("33172587948", "at a colleague's telephone")
dave = Person("33172587949", "at a third telephone")


def connect() -> CTI:
    """A CTI with a session of Alice's line."""
    cti = CTI(options)
    cti.on("newCall", _on_new_call)
    cti.create_session(csi_token).result(PATIENCE)
    return cti


def earlier_session() -> str:
    """The id of a session that was opened before and left; its cookie is in the jar."""
    with CTI(options) as cti:
        return str(cti.create_session(csi_token).result(PATIENCE).session_id)


def ringing_call(cti: CTI) -> Call:
    """Bob calls Alice."""
    bob.calls(alice)
    return _next_call(cti, "SETUP")


def incoming_call(cti: CTI) -> Call:
    """Bob calls Alice, she answers, and they talk."""
    call = ringing_call(cti)
    alice.picks_up()
    see(call, "CONNECT")
    return call


def outgoing_call(cti: CTI, person: Person = bob) -> Call:
    """Alice calls somebody from her telephone, and they talk."""
    alice.calls(person)
    call = _next_call(cti, "SETUP")
    person.picks_up()
    see(call, "CONNECT")
    return call


def see(call: Call, state: str) -> None:
    """Waits until a call is in a state."""
    if not _until(lambda: call.state == state):
        sys.exit(f"expected a call in {state}, saw {call!r}")


def time_passes(seconds: float) -> None:
    """Lets time go by; on Keyyo it does so by itself."""
    if sim:
        sim.elapse(seconds)


def expect(*lines: str) -> None:
    """Waits until the example has printed these lines next, and nothing between them.

    On Keyyo any lines will do: its numbers and its answers are its own.

    :param lines: one that ends in "..." may go on in any way.
    """
    for line in lines:
        printed = _transcript.next_line()
        if printed is None:
            sys.exit(f"expected {line!r}, but nothing came within {PATIENCE:g} s")
        fits = printed.startswith(line[:-3]) if line.endswith("...") else printed == line
        if sim and not fits:
            sys.exit(f"expected {line!r}, saw {printed!r}")


def reaches(person: Person) -> None:
    """Stops an example that would disturb a stranger: on Keyyo, its page's numbers are real."""
    if not sim and os.environ.get("KEYYO_MAY_REACH") != person.number:
        sys.exit(
            f"this reaches {person.number}: write a number of your own into the example and into "
            "stage.py, and say that it may be reached with KEYYO_MAY_REACH in the environment"
        )


def _next_call(cti: CTI, state: str) -> Call:
    if not sim:
        _ask(f"mind that the next call of {cti.number} is the one that this example acts on")
    found: List[Call] = []

    def look() -> bool:
        found[:] = [call for call in cti.get_calls() if call.state == state]
        return bool(found)

    if not _until(look):
        sys.exit(f"no call came within {PATIENCE:g} s")
    return found[-1]


def _until(met: Callable[[], bool]) -> bool:
    with _changed:
        return _changed.wait_for(met, PATIENCE)


def _on_new_call(call: Call) -> None:
    with _changed:
        _changed.notify_all()


def _ask(request: str) -> None:
    print(f"please, {request}", file=sys.stderr)


class _Transcript(io.TextIOBase):
    """Passes on what is printed, and remembers the lines."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._text = ""

    def write(self, text: str) -> int:
        with _changed:
            self._stream.write(text)
            self._text += text
            _changed.notify_all()
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def next_line(self) -> Optional[str]:
        """The first line that was not taken yet, or None if it does not come."""
        if not _until(lambda: "\n" in self._text):
            return None
        with _changed:
            line, _, self._text = self._text.partition("\n")
        return line


#: For ``Keyyo.CTI``. The cookie lives in this process: an example leaves yours alone.
options: Dict[str, Any] = {
    "endpoint": os.environ.get("KEYYO_ENDPOINT", ENDPOINT),
    "cookie_jar": CookieJar(),
}

if sim:
    options["endpoint"] = sim.endpoint
    csi_token = sim.token(sim.line(alice.number, name="Alice"))
    sim.line(carol.number, name="Carol")

_transcript = _Transcript(sys.stdout)
sys.stdout = cast(TextIO, _transcript)
