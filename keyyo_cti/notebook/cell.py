"""The notebook cell of a board, which closes the board when it runs again."""

from typing import Any, Callable, Optional


class Cell:
    """The cell that runs when this object is made.

    Outside a notebook, and with a front end that sends no cell ids, it does nothing.

    :param on_rerun: called when the cell is about to run again.
    """

    def __init__(self, on_rerun: Callable[[], None]) -> None:
        self._shell = _get_shell()
        self._id = _get_cell_id(self._shell)
        self._on_rerun = on_rerun
        self._registered = self._id is not None
        if self._registered:
            self._shell.events.register("pre_run_cell", self._on_run)

    def unregister(self) -> None:
        """Stop calling ``on_rerun``."""
        if self._registered:
            self._registered = False
            self._shell.events.unregister("pre_run_cell", self._on_run)

    def _on_run(self, info: Any) -> None:
        if getattr(info, "cell_id", None) == self._id:
            self._on_rerun()


def _get_shell() -> Any:
    """Return the shell of IPython, or None outside of it."""
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    return get_ipython()


def _get_cell_id(shell: Any) -> Optional[str]:
    """Return the id that Jupyter's front ends send in the request to run the cell."""
    request = shell.get_parent() if hasattr(shell, "get_parent") else None
    metadata = request.get("metadata") if isinstance(request, dict) else None
    cell_id = metadata.get("cellId") if isinstance(metadata, dict) else None
    return cell_id if isinstance(cell_id, str) else None
