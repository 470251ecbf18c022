"""The memory that a call takes: estimated when it comes, bounded when it is kept. Pure."""

import sys
from typing import Any, Dict, Mapping

from .._display.dates import DatedFields
from .wire import CALL_FIELDS

#: Bytes of memory of one call that is kept whole. What Keyyo sends takes less than 2 KiB.
MAX_CALL_BYTES = 8 * 1024

#: Characters of a text among the documented fields of a call that is not kept whole.
_MAX_TEXT = 512

#: Characters of a callref. It names the call everywhere, so it can be neither cut nor left out.
MAX_CALLREF = 512

#: Bytes that an object takes whatever its text is, and those of a call's own objects.
_OBJECT = 64
_CALL = 300

#: What a usual notification takes, and how many characters and fields it has at most.
_USUAL_BYTES = 1024
_USUAL_LENGTH = 400
_USUAL_FIELDS = 20


def memory_of(message: str) -> int:
    """Estimate the bytes that the objects of a JSON message take, without a look at each."""
    commas = message.count(",")
    if len(message) <= _USUAL_LENGTH and commas <= _USUAL_FIELDS:
        return _USUAL_BYTES
    # An escaped character may widen the whole string that it is in to four bytes a character.
    widened = 4 if "\\u" in message else 1
    objects = commas + message.count("{") + message.count("[")
    return _CALL + sys.getsizeof(message) * widened + _OBJECT * objects


def documented_fields(fields: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the fields of Keyyo's page, without those that are too long to be kept."""
    kept = {name: fields[name] for name in CALL_FIELDS if _is_short(fields.get(name, fields))}
    return DatedFields(kept, fields.dates) if isinstance(fields, DatedFields) else kept


def _is_short(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _MAX_TEXT
    return value is None or isinstance(value, (int, float))
