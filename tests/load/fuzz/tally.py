"""What became of the inputs of one target."""

import traceback
from dataclasses import dataclass, field
from typing import Dict, NamedTuple

#: Failures of which the input is kept; the same failure is kept once.
MOST_KEPT = 20


class Failure(NamedTuple):
    """Something that did not hold.

    :ivar error: the traceback.
    :ivar data: the first input that caused it.
    """

    error: str
    data: bytes


@dataclass
class Tally:
    """Counts inputs and keeps failures.

    :ivar failed: inputs that failed.
    :ivar failures: by the place where they came up.
    """

    name: str
    inputs: int = 0
    seconds: float = 0.0
    failed: int = 0
    failures: Dict[str, Failure] = field(default_factory=dict)

    def fail(self, error: BaseException, data: bytes) -> None:
        """An input has failed."""
        self.failed += 1
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} {last.filename}:{last.lineno}"
        if where not in self.failures and len(self.failures) < MOST_KEPT:
            told = traceback.format_exception(type(error), error, error.__traceback__)
            self.failures[where] = Failure("".join(told), data)

    def __str__(self) -> str:
        rate = self.inputs / self.seconds if self.seconds else 0.0
        return (
            f"{self.name:20}{self.inputs:>13,} inputs in {self.seconds:7.1f} s "
            f"{rate:>11,.0f} a second, {self.failed} failed"
        )
