"""A simulator in a process of its own: what is measured here is then the client's alone.

The two speak in lines of JSON: ``[name, arguments]`` there, ``[done, outcome]`` back.
"""

from __future__ import annotations

import json
import sys
import traceback
from operator import attrgetter
from typing import Any, Dict, List

from keyyo_cti.simulator import Simulator

from .footprint import footprint
from .running import Running

#: Which numbers there are: lines from the first one on, outside telephones from the second on.
_FIRST_LINE, _FIRST_PHONE = 33199000001, 33199005001


def line_number(index: int) -> str:
    """The number of the line with that index."""
    return str(_FIRST_LINE + index)


def phone_number(index: int) -> str:
    """The number of the outside telephone with that index."""
    return str(_FIRST_PHONE + index)


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
            assert process.process.stdin is not None
            process.process.stdin.close()
            process.end()

    def do(self, name: str, *arguments: Any) -> Any:
        """Has something done there.

        :param name: a method of `_Desk`, or of the simulator, such as ``"faults.drop"``.
        :raises RuntimeError: it failed; with the traceback.
        """
        self._process.type(json.dumps([name, arguments]))
        return self._answer()

    def _answer(self) -> Any:
        done, outcome = json.loads(self._process.until("["))
        if not done:
            raise RuntimeError(outcome)
        return outcome


class _Desk:
    """What can be done in the simulator's process, beside what a simulator can by itself."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim

    def tokens(self, lines: List[str]) -> List[str]:
        """A token for each of these lines."""
        return [self._sim.token(self._sim.line(line)) for line in lines]

    def ring(self, lines: List[str]) -> List[str]:
        """Each of these lines is called by a telephone of its own; gives the callrefs."""
        return [
            self._sim.phone(phone_number(index)).call(line) for index, line in enumerate(lines)
        ]

    def pick_up(self, lines: List[str]) -> None:
        """What rings longest at each of these lines is answered."""
        for line in lines:
            self._sim.phone(line).pick_up()

    def hang_up(self, lines: List[str]) -> None:
        """The latest conversation of each of these lines ends."""
        for line in lines:
            self._sim.phone(line).hang_up()

    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._sim.connections())

    def footprint(self) -> List[Any]:
        """What the process of the simulator holds."""
        return list(footprint())


def _serve() -> None:
    settings: Dict[str, Any] = json.loads(sys.argv[1])
    with Simulator(**settings) as sim:
        desk = _Desk(sim)
        _say(True, [sim.endpoint, sim.ca_certs if settings.get("tls") else None])
        for line in sys.stdin:
            name, arguments = json.loads(line)
            try:
                owner = desk if hasattr(desk, name) else sim
                outcome = attrgetter(name)(owner)(*arguments)
            except Exception:
                _say(False, traceback.format_exc())
            else:
                _say(True, outcome)


def _say(done: bool, outcome: Any) -> None:
    print(json.dumps([done, outcome], default=repr), flush=True)


if __name__ == "__main__":
    _serve()
