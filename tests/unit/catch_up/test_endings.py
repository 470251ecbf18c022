"""The end of a call that only the history knows has the state that it would have live."""

from __future__ import annotations

from typing import Any, Dict, Optional

import pytest

from keyyo_cti._catch_up.endings import complete
from keyyo_cti.call_history import HistoryDirection

from .town import a_record


@pytest.mark.parametrize("direction", ["in", "out"])
@pytest.mark.parametrize(
    ("told", "seconds", "state"),
    [
        ({"state": "SETUP"}, 0, "MISSED"),
        ({"state": "SETUP"}, 9, "RELEASE"),
        ({"state": "SETUP"}, None, "RELEASE"),
        ({"state": "CONNECT", "connect_date": 1000}, 0, "RELEASE"),
        ({"state": "CONNECT", "connect_date": 1000}, 9, "RELEASE"),
    ],
)
def test_state_at_the_end(
    direction: HistoryDirection, told: Dict[str, Any], seconds: Optional[int], state: str
) -> None:
    record = a_record(start=990, seconds=seconds, direction=direction)
    ended = complete(record, {"setup_date": 990, **told})
    assert ended["state"] == state
    assert ("release_date" in ended) is ("connect_date" in told)
