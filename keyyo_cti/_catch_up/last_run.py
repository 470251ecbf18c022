"""A file with what the last run of the program has told, for the gap until the next one."""

import json
import logging
import os
import re
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Union

from .._display.dates import as_date
from .._net.private_folder import file_path, make_private_folder, open_private, reason
from .._net.state_folder import state_folder
from .findings import Gap
from .matching import ToldCall

_log = logging.getLogger("keyyo_cti")

#: Maximum size of the file that is read.
_MAX_FILE_BYTES = 10_000_000

_VERSION = 1

#: What the content of a damaged file may raise.
_DAMAGES = ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError


class State(NamedTuple):
    """What a run has told.

    :ivar heard_until: the server's Unix time until which nothing was missed.
    :ivar told: calls around that time, and those that went on.
    :ivar reported: ids of records that were reported -> the time of their gaps.
    :ivar running: ids of records of calls that went on after gaps -> their starts.
    :ivar past: the last gaps, as the inquiry keeps them.
    """

    heard_until: float
    told: List[ToldCall]
    reported: Dict[str, float]
    running: Dict[str, float]
    past: List[Gap]


class LastRun:
    """The file of one program. A later run replaces it as a whole.

    It holds telephone numbers, so only its owner can read it. Errors are logged once: without
    the file, the next run does not know since when it has missed calls, and that is all.

    :param line: names the file, if it has no path.
    :raises TypeError: the path is not a path.
    :raises ValueError: it does not name a file.
    """

    def __init__(self, path: Union[str, "os.PathLike[str]", None], line: str) -> None:
        self._path: Optional[Path] = None
        if path is not None:
            self._path = file_path("remember", path, "False remembers nothing")
        self._name = f"heard-{re.sub('[^0-9A-Za-z]+', '-', line)[:80] or 'account'}.json"
        self._failed = False

    def load(self) -> Optional[State]:
        """Return what the last run has told, or None if there was none, or if it is damaged."""
        try:
            with open(open_private(self._find_path(), os.O_RDONLY), "rb") as file:
                content = file.read(_MAX_FILE_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._on_failure("cannot be read", error)
            return None
        try:
            return _read(json.loads(content))
        except _DAMAGES:
            _log.warning(
                "%s is damaged: calls since the last run are not asked for; the file is replaced",
                self._find_path(),
            )
            return None

    def save(self, state: State) -> None:
        """Replace the file."""
        content = {
            "version": _VERSION,
            "heard_until": state.heard_until,
            "told": [
                [
                    *each[:2], list(each.starts), each.connect, each.seconds, each.stale,
                    each.callref,
                ]
                for each in state.told
            ],
            "reported": state.reported,
            "running": state.running,
            "past": state.past,
        }
        try:
            path = self._find_path()
            # The number of the process: two programs by mistake must not write the same file.
            temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
            temporary.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with open(open_private(temporary, flags), "wb") as file:
                file.write(json.dumps(content).encode())
            os.replace(temporary, path)
        except OSError as error:
            self._on_failure("cannot be written", error)
        else:
            self._failed = False

    def _find_path(self) -> Path:
        path = state_folder() / self._name if self._path is None else self._path
        return make_private_folder(path.parent) / path.name

    def _on_failure(self, what: str, error: OSError) -> None:
        if not self._failed:
            self._failed = True
            _log.warning(
                "the file of the last run %s: %s; calls may be missed over a restart",
                what, reason(error),
            )


def _read(content: Dict[str, Any]) -> Optional[State]:
    heard_until = as_date(content["heard_until"])
    if content["version"] != _VERSION or heard_until is None:
        raise ValueError("an unknown version, or no date")
    told = [
        ToldCall(
            _as_text(caller), _as_text(callee), tuple(float(start) for start in starts),
            _as_number(connect), _as_number(seconds), stale is True,
            callref=_as_text(callref[0] if callref else None),
        )
        # Version 1 of the file had no callrefs at first, no running calls and no past gaps.
        for caller, callee, starts, connect, seconds, stale, *callref in content["told"]
        if starts
    ]
    reported, running = content["reported"], content.get("running", {})
    past = [Gap(float(since), float(until)) for since, until in content.get("past", ())]
    return State(heard_until, told, _as_times(reported), _as_times(running), past)


def _as_times(times: Any) -> Dict[str, float]:
    return {str(each): float(at) for each, at in times.items()}


def _as_number(value: Any) -> Optional[float]:
    return None if value is None else float(value)


def _as_text(value: Any) -> Optional[str]:
    return None if value is None else str(value)
