"""The cell of the notebook that runs now, and whether it is run again."""

from typing import Any, Callable, Optional


class Cell:
    """The cell that runs when this is made.

    Outside a notebook, and where the front end does not tell which cell it is, nothing ever
    happens.

    :param run_again: is called when the cell is about to run again.
    """

    def __init__(self, run_again: Callable[[], None]) -> None:
        self._shell = _shell()
        self._id = _cell_id(self._shell)
        self._run_again = run_again
        self._watching = self._id is not None
        if self._watching:
            self._shell.events.register("pre_run_cell", self._before)

    def forget(self) -> None:
        """Looks no longer."""
        if self._watching:
            self._watching = False
            self._shell.events.unregister("pre_run_cell", self._before)

    def _before(self, info: Any) -> None:
        if getattr(info, "cell_id", None) == self._id:
            self._run_again()


def _shell() -> Any:
    """IPython's shell, if this is one."""
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    return get_ipython()


def _cell_id(shell: Any) -> Optional[str]:
    """The id of the cell, as Jupyter's front ends send it with the request to run it."""
    request = shell.get_parent() if hasattr(shell, "get_parent") else None
    told = request.get("metadata") if isinstance(request, dict) else None
    found = told.get("cellId") if isinstance(told, dict) else None
    return found if isinstance(found, str) else None
