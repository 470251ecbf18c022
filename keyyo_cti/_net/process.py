"""The current process. Objects with threads belong to the process that made them."""

import os
from typing import Callable


class OtherProcess(RuntimeError):
    """An object of the parent process was used in a forked child."""

    def __init__(self) -> None:
        super().__init__("this object belongs to the parent process: make another one after fork")


# Counting forks is cheaper than a system call for each use.
_forks = 0


def current() -> int:
    """Return a number that differs in a forked child."""
    return _forks


def check(process: int) -> None:
    """Refuse an object of another process.

    :param process: the number that ``current`` returned there.
    :raises OtherProcess: this is a child of that process.
    """
    if process != _forks:
        raise OtherProcess


def run_in_child(work: Callable[[], object]) -> None:
    """Run work at the start of each forked child. Windows has no fork.

    A child runs all such work in the order in which it was passed to this function.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=work)


def _after_fork() -> None:
    global _forks
    _forks += 1


run_in_child(_after_fork)
