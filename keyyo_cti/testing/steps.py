"""The steps that a rehearsal plays on a simulator.

=====================  ===========================================================================
``call A B``           telephone A calls number B
``pick_up A``          telephone A answers
``hang_up A``          telephone A hangs up
``elapse 20``          20 seconds pass
``repeat``             the last notification comes again
``odd hidden``         a call with unusual data comes and goes; see `ODD_CALLS`
``drop``, ``reset``    the connection is lost
``forget``             the server forgets the sessions, as at a restart
``expire``             the tokens expire, and the connection is lost
``fail``               the program's next command gets the error 503
``slow``               the program's next command is performed 20 seconds later
=====================  ===========================================================================

What a telephone cannot do now, such as answering a call that the program has answered, is
skipped. "The next command" is one that is neither of a session nor a ping.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Tuple

from ..simulator import NotPossible
from .timed_simulator import TimedSimulator

#: The line of the program, another line of its organisation, and telephones outside.
LINE, COLLEAGUE = "33199000001", "33199000002"
OUTSIDE = ("33199020001", "33199020002", "33199020003")

#: The error of a command that a rehearsal lets fail.
INJECTED = (503, "Busy")

#: Seconds by which a slow command is late.
SLOW_SECONDS = 20.0

#: Begins the callref of an odd call. The simulator has no such calls and refuses actions on them.
ODD_PREFIX = "odd-"

_TO_LINE = {"caller": OUTSIDE[0], "callee": LINE}

#: Kind -> the fields of a call that the program's line is notified of. A None removes a field.
ODD_CALLS: Dict[str, Dict[str, Any]] = {
    "hidden": {"caller": "anonymous"},
    "nobody": {"caller": ""},
    "no_caller": {"caller": None},
    "short_number": {"caller": "7701"},
    "more_fields": {"queue": "sales", "priority": 3},
    "unknown_state": {"state": "PROGRESS"},
    "no_dates": {"setup_date": None, "release_date": None},
    "strangers": {"caller": OUTSIDE[1], "callee": OUTSIDE[2]},
}


class StepPlayer:
    """Plays steps on a simulator.

    :param last_notification: returns the last call that the program was notified of, or None.
    :param settle: waits until the program has handled everything.
    """

    def __init__(
        self,
        simulator: TimedSimulator,
        last_notification: Callable[[], Any],
        settle: Callable[[], object],
    ) -> None:
        self._simulator = simulator
        self._last_notification = last_notification
        self._settle = settle
        self._tokens: List[str] = []
        self._odd_calls = 0
        simulator.line(LINE, name="Alice")
        simulator.line(COLLEAGUE, name="Carol")

    def make_token(self) -> str:
        """Return a new CSI token of the program's line, which ``expire`` will end."""
        self._tokens.append(self._simulator.token(LINE))
        return self._tokens[-1]

    def play(self, step: str) -> None:
        """Play one step and settle.

        :raises ValueError: there is no such step.
        """
        name, arguments = parse(step)
        try:
            getattr(self, f"_{name}")(*arguments)
        except NotPossible:
            pass
        self._settle()

    def _call(self, caller: str, callee: str) -> None:
        self._simulator.phone(caller).call(callee)

    def _pick_up(self, number: str) -> None:
        self._simulator.phone(number).pick_up()

    def _hang_up(self, number: str) -> None:
        self._simulator.phone(number).hang_up()

    def _elapse(self, seconds: str) -> None:
        # Everything has been handled after the step before.
        self._simulator.elapse(float(seconds), settle=False)

    def _repeat(self) -> None:
        call = self._last_notification()
        if call is not None:
            self._simulator.push(LINE, {"notify": "call", "call": call})

    def _odd(self, kind: str) -> None:
        self._odd_calls += 1
        now = self._simulator.now()
        call = {
            "callref": f"{ODD_PREFIX}{self._odd_calls}", **_TO_LINE, "state": "SETUP",
            "setup_date": now, **ODD_CALLS[kind],
        }
        self._notify(call)
        self._settle()
        self._notify({**call, "state": "MISSED", "release_date": now, **_keep_none(call)})

    def _notify(self, call: Dict[str, Any]) -> None:
        fields = {name: value for name, value in call.items() if value is not None}
        self._simulator.push(LINE, {"notify": "call", "call": fields})

    def _drop(self) -> None:
        self._simulator.faults.drop()

    def _reset(self) -> None:
        self._simulator.faults.reset()

    def _forget(self) -> None:
        self._simulator.faults.forget_sessions()

    def _expire(self) -> None:
        for token in self._tokens:
            self._simulator.expire_token(token)
        self._simulator.faults.drop()

    def _fail(self) -> None:
        self._simulator.faults.fail("*", *INJECTED)

    def _slow(self) -> None:
        self._simulator.faults.delay("*", SLOW_SECONDS)


#: Step -> the number of its arguments.
STEPS = {
    "call": 2, "pick_up": 1, "hang_up": 1, "elapse": 1, "odd": 1,
    **dict.fromkeys(("repeat", "drop", "reset", "forget", "expire", "fail", "slow"), 0),
}


def parse(step: str) -> Tuple[str, List[str]]:
    """Return the name and the arguments of a step.

    :raises ValueError: there is no such step.
    """
    name, *arguments = step.split() or [""]
    if STEPS.get(name) != len(arguments):
        raise ValueError(f"steps: there is no step {step!r}; see keyyo_cti.testing.steps")
    if name == "odd" and arguments[0] not in ODD_CALLS:
        raise ValueError(f"steps: expected odd with one of {', '.join(ODD_CALLS)}; got {step!r}")
    return name, arguments


def _keep_none(call: Dict[str, Any]) -> Dict[str, Any]:
    return {name: None for name, value in call.items() if value is None}
