"""What the SDK sees in a forked child, without a fork."""

from __future__ import annotations

from keyyo_cti._net import log_thread, process


class PretendedFork:
    """Call it where the program forks; the ``with`` statement ends the child.

    The child has a log thread of its own. Otherwise what it logs would end that of the tests.
    """

    def __enter__(self) -> PretendedFork:
        self._parent = process._forks, log_thread._writer
        return self

    def __call__(self) -> None:
        process._forks += 1
        log_thread._after_fork()

    def __exit__(self, *exception: object) -> None:
        process._forks, log_thread._writer = self._parent
