"""The fields of a call whose end only the history knows. Pure."""

from typing import Any, Mapping

from .._display.dates import DatedFields, dates_of
from ..call_history import CallRecord


def complete(record: CallRecord, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields of a call at its end.

    The history has seconds of conversation and no end. So ``release_date`` is there only if it is
    known when the call was answered. Durations are right all the same, except that the ringing
    of a call that was answered in the gap, or missed in it, has no known length.

    :param fields: the latest ones that the server sent.
    """
    setup, connect, _ = dates_of(fields)
    seconds = record.seconds or 0
    # Live, an unanswered outgoing call is MISSED too.
    missed = connect is None and record.seconds == 0
    ended = DatedFields(fields)
    ended["state"] = "MISSED" if missed else "RELEASE"
    ended.pop("release_date", None)
    if connect is not None:
        release = ended["release_date"] = connect + seconds
    elif seconds:
        connect = record.start_time
        release = connect + seconds
    else:
        release = record.start_time if setup is None else setup
    ended.dates = setup, connect, release
    return ended
