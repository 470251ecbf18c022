"""People with telephones: they call the lines, and answer and end calls at them."""

from __future__ import annotations

import random
import threading
from typing import Callable, List, Sequence

from keyyo_cti.simulator import Line, NotPossible, Phone, Simulator

from .findings import WRONG, Findings
from .tally import Tally

#: The telephones of each person.
_PHONES = 4


class Town:
    """Threads, each of which plays some telephones outside and every line's own.

    :param people: how many.
    :param per_second: what each of them does.
    :param stop: set when they are to go to bed.
    """

    def __init__(
        self,
        sim: Simulator,
        lines: Sequence[Line],
        people: int,
        per_second: float,
        seed: int,
        stop: threading.Event,
        findings: Findings,
    ) -> None:
        self._lines = lines
        self._per_second = per_second
        self._stop = stop
        self._findings = findings
        self.tally = Tally()
        self._threads = []
        for person in range(people):
            numbers = [f"33199001{person * _PHONES + each:03d}" for each in range(_PHONES)]
            phones = [sim.phone(number) for number in numbers]
            dice = random.Random(f"{seed} town {person}")
            self._threads.append(threading.Thread(
                target=self._live, args=(phones, dice), name=f"soak-town-{person}", daemon=True))

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _live(self, phones: List[Phone], dice: random.Random) -> None:
        while not self._stop.wait(dice.expovariate(self._per_second)):
            line, phone = dice.choice(self._lines), dice.choice(phones)
            name, do = dice.choices(
                (
                    ("call a line", lambda: phone.call(line)),
                    ("pick up at a line", line.phone.pick_up),
                    ("hang up at a line", line.phone.hang_up),
                    ("pick up", phone.pick_up),
                    ("hang up", phone.hang_up),
                ),
                (5, 5, 4, 1, 2))[0]
            self._try(name, do)

    def _try(self, name: str, do: Callable[[], object]) -> None:
        try:
            do()
        except (NotPossible, TimeoutError):
            return
        except Exception as error:
            self._findings.add(WRONG, "town", f"{name}: {error!r}")
            return
        self.tally.add(name)
