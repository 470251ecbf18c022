"""Live calls and recorded ones together, each call once."""

from functools import partial
from typing import Any, Iterable, List, Tuple

from .._catch_up.matching import match, merge_histories
from .._catch_up.told_calls import describe_all
from .._display.telephone_number import FRANCE, normalize
from ..call import Call
from ..call_history import CallRecord

#: Maximum seconds between the start of a call in the history and in the CTI, as in CatchUp.
_TOLERANCE = 5.0


def split_calls(calls: Iterable[Any]) -> Tuple[List[Any], List[CallRecord]]:
    """Return the live calls and all else, and the records of further calls.

    A record of a live call is left out, because the live one knows more. So is the second record
    of a call between two lines. Messages and data are no calls.
    """
    known = list(calls)
    others = [each for each in known if not isinstance(each, CallRecord)]
    records = [each for each in known if isinstance(each, CallRecord) and each.is_call]
    if not records:
        return others, []
    home = next((each.line for each in records if each.line is not None), FRANCE)
    live = [each for each in others if isinstance(each, Call)]
    told = describe_all(live, partial(normalize, home))
    matches = match(told, records, _TOLERANCE)
    recorded = {id(records[number]) for number in matches}
    groups = merge_histories(records, _TOLERANCE)
    return others, [
        group[0] for group in groups if not any(id(record) in recorded for record in group)
    ]
