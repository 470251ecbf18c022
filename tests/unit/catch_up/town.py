"""Calls as the history and the CTI know them, for tests."""

from __future__ import annotations

from typing import Any, Optional

from keyyo_cti._catch_up.matching import ToldCall
from keyyo_cti.call_history import CallRecord, HistoryDirection

LINE, BOB = "33199000001", "33199020000"


def a_record(
    call_id: str = "1",
    start: float = 0.0,
    seconds: Optional[int] = 0,
    caller: Optional[str] = BOB,
    callee: Optional[str] = LINE,
    direction: HistoryDirection = "in",
    csi: Optional[str] = LINE,
    **more: Any,
) -> CallRecord:
    """Return a record of the history."""
    return CallRecord(
        call_id, csi, start, caller, callee, direction, seconds=seconds, **more
    )


def a_told(
    *starts: float,
    caller: Optional[str] = BOB,
    callee: Optional[str] = LINE,
    connect: Optional[float] = None,
    seconds: Optional[float] = None,
    stale: bool = False,
    callref: Optional[str] = None,
) -> ToldCall:
    """Return a call that the CTI has told."""
    return ToldCall(caller, callee, starts, connect, seconds, stale, callref=callref)
