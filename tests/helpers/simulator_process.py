"""A simulator in a process of its own: what is measured here is then the client's alone.

The two speak in lines of JSON: steps there, ``[done, outcomes]`` back.
"""

from __future__ import annotations

import json
import sys
import traceback
from operator import attrgetter
from typing import Any, Dict, List, Tuple

from keyyo_cti.simulator import Simulator

from .footprint import footprint
from .running import Running

#: Seconds that it may take to answer: it may be told to do a thousand things at once.
PATIENCE = 120.0

#: Which numbers there are: lines from the first one on, outside telephones from the second on.
_FIRST_LINE, _FIRST_PHONE = 33199000001, 33199005001


Step = Tuple[str, Tuple[Any, ...], Dict[str, Any]]


def line_number(index: int) -> str:
    """The number of the line with that index."""
    return str(_FIRST_LINE + index)


def phone_number(index: int) -> str:
    """The number of the outside telephone with that index."""
    return str(_FIRST_PHONE + index)


def step(name: str, *arguments: Any, **named: Any) -> Step:
    """Something to be done by a simulator; see `SimulatorApart.do`."""
    return name, arguments, named


class SimulatorApart:
    """Starts the process; use it in a ``with`` statement. For one thread.

    :param settings: of the simulator.
    """

    def __init__(self, **settings: Any) -> None:
        self._process = Running("-m", __name__, json.dumps(settings))
        try:
            self.endpoint, self.ca_certs = self._answer()
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> SimulatorApart:
        return self

    def __exit__(self, *exception: object) -> None:
        with self._process as process:
            # It ends by itself when nothing more is asked.
            process.stop_typing()
            process.end()

    def do(self, name: str, *arguments: Any, **named: Any) -> Any:
        """Has something done there.

        :param name: a method of `_Desk`, or of the simulator, such as ``"faults.drop"``.
        :raises RuntimeError: it failed; with the traceback.
        """
        return self.do_all(step(name, *arguments, **named))[0]

    def do_all(self, *steps: Step) -> List[Any]:
        """Has several things done there, with nothing in between."""
        self._process.type(json.dumps(steps))
        outcomes: List[Any] = self._answer()
        return outcomes

    def _answer(self) -> Any:
        done, outcome = json.loads(self._process.until("[", timeout=PATIENCE))
        if not done:
            raise RuntimeError(outcome)
        return outcome


class _Desk:
    """What can be done in the simulator's process, beside what a simulator can by itself."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim

    def tokens(self, *lines: str) -> List[str]:
        """A token for each of these lines."""
        return [self._sim.token(self._sim.line(line)) for line in lines]

    def ring(self, *lines: str) -> List[str]:
        """Each of these lines is called by a telephone of its own; gives the callrefs."""
        return [
            self._sim.phone(phone_number(index)).call(line) for index, line in enumerate(lines)
        ]

    def call(self, phone: str, line: str) -> str:
        """A telephone calls a line; gives the callref."""
        return self._sim.phone(phone).call(line)

    def pick_up(self, *numbers: str) -> None:
        """What rings longest at each of these telephones is answered."""
        for number in numbers:
            self._sim.phone(number).pick_up()

    def hang_up(self, *numbers: str) -> None:
        """The latest conversation at each of these telephones ends."""
        for number in numbers:
            self._sim.phone(number).hang_up()

    def footprint(self) -> List[Any]:
        """What the process of the simulator holds."""
        return list(footprint())


def _serve() -> None:
    settings: Dict[str, Any] = json.loads(sys.argv[1])
    with Simulator(**settings) as sim:
        desk = _Desk(sim)
        _say(True, [sim.endpoint, sim.ca_certs if settings.get("tls") else None])
        for line in sys.stdin:
            try:
                _say(True, [_do(desk, sim, *each) for each in json.loads(line)])
            except Exception:
                _say(False, traceback.format_exc())


def _do(
    desk: _Desk, sim: Simulator, name: str, arguments: List[Any], named: Dict[str, Any]
) -> Any:
    owner = desk if hasattr(desk, name) else sim
    return attrgetter(name)(owner)(*arguments, **named)


def _say(done: bool, outcome: Any) -> None:
    print(json.dumps([done, outcome], default=repr), flush=True)


if __name__ == "__main__":
    _serve()
