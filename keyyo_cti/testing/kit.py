"""The simulator of the fixture ``keyyo``: time by hand, waits, assertions and rehearsals."""

from __future__ import annotations

from typing import Sequence

try:
    import aiohttp  # noqa: F401
except ImportError as error:
    from .._display.extras import install_hint

    raise ImportError(f"keyyo_cti.testing needs aiohttp: {install_hint('testing')}") from error

from .program import ProgramLike
from .rehearsal import Rehearsal, rehearse, replay
from .timed_simulator import HandlerError, TimedSimulator

__all__ = ["HandlerError", "SimulatedKeyyo"]


class SimulatedKeyyo(TimedSimulator):
    """A simulator for tests: its time, and that of the SDK, moves only by `elapse`.

    While it runs, durations, dates, the age of tokens and gaps stand still in this process.
    Timeouts, heartbeats and pings go on in real time, and a pause before a restore takes 50 ms at
    most. ``time.time()`` and the timers of the program are not affected.

    :param settings: those of `Simulator`, except for `clock`.
    :ivar handler_errors: a `HandlerError` for each exception of a handler, callback, ``check``,
        ``token_provider`` or ``may_dial``. A test that expects some clears the list.
    """

    def rehearse(
        self, program: ProgramLike, seed: int = 1, minutes: float = 10.0
    ) -> Rehearsal:
        """Play many calls and faults at a program, on a simulator of its own.

        The guide says what it checks. Call it on the main thread, where the program runs.

        :param program: a function that takes a CTI with an open session and sets its handlers. Or
            a function without parameters, the path of a script, or a list of a path and its
            arguments, which read ``KEYYO_ENDPOINT`` and ``KEYYO_CSI_TOKEN``.
        :param seed: the same seed plays the same.
        :param minutes: of simulated time.
        :raises RehearsalFailed: the program made a mistake; the message has a test that shows it.
        """
        return rehearse(program, seed, minutes)

    def replay(self, program: ProgramLike, steps: Sequence[str]) -> None:
        """Play given steps at a program, as a failed rehearsal printed them.

        :param steps: such as "call 33199020001 33199000001".
        :raises RehearsalFailed: the program made a mistake.
        """
        replay(program, steps)
