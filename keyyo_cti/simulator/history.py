"""The history of calls for tests and demos, usable from any thread."""

from __future__ import annotations

from typing import Any, Iterable, List, Mapping, Optional

from .arguments import require_one_of, require_seconds
from .call_details import DIRECTIONS, IN, SECOND, CallDetail
from .call_history import PARTIALS, CallHistory
from .phones import NumberLike, parse_number
from .serving import ServerThread

#: Unix seconds.
_MAX_START = 1e11


class History:
    """The history of a simulator, as ``sim.history``. Every method works from any thread.

    The calls of the account's lines are in it by themselves. `add` adds others.

    :param thread: runs the loop of the history.
    :param calls: the records.
    """

    def __init__(self, thread: ServerThread, calls: CallHistory) -> None:
        self._thread = thread
        self._calls = calls

    def add(
        self,
        line: NumberLike,
        start: float,
        *,
        direction: str = IN,
        caller: Optional[str] = None,
        callee: Optional[str] = None,
        seconds: int = 0,
        unit: str = SECOND,
        call_id: Optional[str] = None,
        **more: Any,
    ) -> str:
        """Add a record and return its call id.

        :param line: a line, or the number of one.
        :param start: when the call began, in Unix seconds.
        :param direction: "in" or "out".
        :param caller: digits; None for a hidden caller.
        :param callee: digits.
        :param seconds: of conversation; 0 for a missed call.
        :param unit: "second", or for example "sms" for a message.
        :param call_id: an id that another record may have too; None makes a new one.
        :param more: further fields of the response, for example ``actual_caller``.
        :raises ValueError: an argument is out of range.
        """
        [added] = self.add_many([{
            "line": line, "start": start, "direction": direction, "caller": caller,
            "callee": callee, "seconds": seconds, "unit": unit, "call_id": call_id, **more,
        }])
        return added

    def add_many(self, records: Iterable[Mapping[str, Any]]) -> List[str]:
        """Add many records at once, and return their call ids.

        :param records: the arguments of `add` by their names.
        """
        details = [self._make(**record) for record in records]
        self._thread.call(self._calls.add, *details)
        return [detail.call_id for detail in details]

    def set(
        self,
        *,
        delay: Optional[float] = None,
        window: Optional[float] = None,
        partials: Optional[str] = None,
        newest_first: Optional[bool] = None,
        hide_callers: Optional[bool] = None,
    ) -> None:
        """Change how the history deals with its records; None leaves a setting as it is.

        :param delay: seconds after which the history knows of a change of a call.
        :param window: seconds after which it forgets a call.
        :param partials: "replaced" lists a running call with its seconds so far, "kept" lists that
            record even beside the whole one, "none" lists only calls that have ended.
        :param newest_first: the order of the records.
        :param hide_callers: True moves the caller of every incoming call to ``actual_caller``.
        :raises ValueError: a value is out of range.
        """
        given = {
            "delay": None if delay is None else require_seconds(delay, "delay", zero=True),
            "window": None if window is None else require_seconds(window, "window"),
            "partials": None if partials is None else require_one_of(
                partials, PARTIALS, "partials"),
            "newest_first": newest_first,
            "hide_callers": hide_callers,
        }

        def change() -> None:
            for name, value in given.items():
                if value is not None:
                    setattr(self._calls.settings, name, value)

        self._thread.call(change)

    def clear(self) -> None:
        """Remove every record."""
        self._thread.call(self._calls.clear)

    def _make(
        self,
        line: NumberLike,
        start: float,
        direction: str = IN,
        caller: Optional[str] = None,
        callee: Optional[str] = None,
        seconds: int = 0,
        unit: str = SECOND,
        call_id: Optional[str] = None,
        **more: Any,
    ) -> CallDetail:
        if not require_seconds(start, "start") < _MAX_START:
            raise ValueError(f"start: expected Unix seconds below {_MAX_START}, got {start}")
        require_seconds(seconds, "seconds", zero=True)
        return CallDetail(
            parse_number(line, "line"), require_one_of(direction, DIRECTIONS, "direction"),
            call_id or self._calls.make_call_id(), start, caller, callee, seconds, unit, more)
