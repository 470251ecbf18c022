"""The memory of a call: estimated on arrival, bounded while it is kept. Pure."""

import sys
from typing import Any, Dict, Mapping

from .._display.dates import DatedFields
from .wire import CALL_FIELDS

#: Maximum memory of a call that is kept whole, in bytes. Keyyo's calls take less than 2 KiB.
MAX_CALL_BYTES = 8 * 1024

#: Maximum characters of a documented text field of a call that is not kept whole.
_MAX_TEXT = 512

#: Maximum characters of a callref. It identifies the call everywhere, so it cannot be cut.
MAX_CALLREF = 512

#: Bytes of an object without its text, and of a call's own objects.
_OBJECT = 64
_CALL = 300

#: Bytes of a usual notification, and its maximum numbers of characters and fields. Only its first
#: characters open objects, so that they are few.
_USUAL_BYTES = 1024
_USUAL_LENGTH = 400
_USUAL_FIELDS = 20
_USUAL_HEAD = 64


def estimate_memory(message: str, fields: Mapping[str, Any]) -> int:
    """Return the estimated memory of a JSON message's objects in bytes.

    :param fields: of the call in it.
    """
    if len(message) <= _USUAL_LENGTH and len(fields) <= _USUAL_FIELDS:
        tail = message[_USUAL_HEAD:]
        if "{" not in tail and "[" not in tail:
            return _USUAL_BYTES
    commas = message.count(",")
    # One escaped character may widen its whole string to four bytes a character.
    widened = 4 if "\\u" in message else 1
    objects = commas + message.count("{") + message.count("[")
    return _CALL + sys.getsizeof(message) * widened + _OBJECT * objects


def keep_documented(fields: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the documented fields, without those that are too long."""
    kept = {name: fields[name] for name in CALL_FIELDS if _is_short(fields.get(name, fields))}
    if not isinstance(fields, DatedFields):
        return kept
    dated = DatedFields(kept)
    dated.dates = fields.dates
    return dated


def _is_short(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _MAX_TEXT
    return value is None or isinstance(value, (int, float))
