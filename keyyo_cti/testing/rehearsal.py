"""Rehearsals: many calls and faults, played at a program, and a short test of what broke.

A rehearsal looks from outside for:

- a handler, callback or thread that raises, and a program that ends with an exception,
- a command that is refused, although the program could have known that: wrong values, a call that
  has ended or was answered before, a call that does not ring at the line,
- handlers that do not return, so that callbacks do not come back,
- a handler that was added twice,
- a thread that would keep the process alive, and a program that ignores Ctrl-C.

Each run has a simulator of its own. The program gets a session of the line 33199000001. A program
that ends, or loses its session without restoring it, is started again.
"""

from __future__ import annotations

from typing import List, NamedTuple, Sequence

from .checks import Mistake
from .plan import make_plan
from .play import Outcome, Play
from .program import Program, ProgramLike
from .shrinking import shrink
from .steps import parse

#: Maximum seconds of the search for a shorter list of steps.
_SHRINK_TIMEOUT = 60.0

#: How often a list of steps is played until it counts as free of a mistake: threads may race.
_ATTEMPTS = 2


class Rehearsal(NamedTuple):
    """A rehearsal without a mistake.

    :ivar seed: of the steps.
    :ivar steps: what was played.
    :ivar starts: how often the program was started; more than once if it ended meanwhile.
    """

    seed: int
    steps: List[str]
    starts: int


class RehearsalFailed(AssertionError):
    """A rehearsal has found a mistake of the program.

    :ivar mistake: what it is.
    :ivar steps: a short list of steps that shows it.
    :ivar script: a test with these steps, to paste.
    """

    def __init__(self, message: str, mistake: Mistake, steps: List[str], script: str) -> None:
        super().__init__(message)
        self.mistake = mistake
        self.steps = steps
        self.script = script


def rehearse(given: ProgramLike, seed: int, minutes: float) -> Rehearsal:
    """Play the steps of a seed at a program.

    :raises RehearsalFailed: it made a mistake.
    """
    program = Program(given)
    steps = make_plan(seed, minutes)
    outcome = Play(program, steps).run()
    if outcome.mistake is None:
        return Rehearsal(seed, steps, outcome.starts)
    raise _make_failure(program, seed, steps, outcome)


def replay(given: ProgramLike, steps: Sequence[str]) -> None:
    """Play given steps at a program.

    :raises RehearsalFailed: it made a mistake.
    :raises ValueError: there is no such step.
    """
    for step in steps:
        parse(step)
    program = Program(given)
    mistake = Play(program, steps).run().mistake
    if mistake is not None:
        script = write_test(program, "replayed", steps)
        raise RehearsalFailed(str(mistake), mistake, list(steps), script)


def _make_failure(
    program: Program, seed: int, steps: Sequence[str], outcome: Outcome
) -> RehearsalFailed:
    mistake = outcome.mistake
    assert mistake is not None
    played = list(steps[:outcome.played])

    def fails(some: List[str]) -> bool:
        found = Play(program, some).run().mistake
        return found is not None and found.key == mistake.key

    again = any(fails(played) for _ in range(_ATTEMPTS))
    shortest = shrink(played, fails, _SHRINK_TIMEOUT) if again else played
    script = write_test(program, f"rehearsed_with_seed_{seed}", shortest)
    verdict = (
        f"This test shows it, with {len(shortest)} of the steps:" if again else
        "It did not happen again with the same steps: two threads may race. The steps were:"
    )
    message = (
        f"{program.name} failed at step {outcome.played} of {len(steps)} with seed {seed}.\n\n"
        f"{mistake}\n\n{verdict}\n\n{script}"
    )
    return RehearsalFailed(message, mistake, shortest, script)


def write_test(program: Program, suffix: str, steps: Sequence[str]) -> str:
    """Return the text of a test that plays steps at a program."""
    name = "".join(each if each.isalnum() else "_" for each in program.name).strip("_")
    lines = [
        *program.describe(), "", "",
        f"def test_{name}_{suffix}(keyyo):",
        "    keyyo.replay(program, [",
        *(f'        "{step}",' for step in steps),
        "    ])",
    ]
    return "\n".join(lines) + "\n"
