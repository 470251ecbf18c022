"""References between calls that the service itself may send. Pure.

No document names one. So a field counts that no document has either, and whose name says what it
refers to, such as ``conversation_id`` or ``parent_callref``.
"""

from typing import Any, Iterator, Mapping, Optional

from .wire import CALL_FIELDS

_DOCUMENTED = frozenset(CALL_FIELDS)

#: Names of fields that two calls of one conversation have in common, without underscores.
_CONVERSATION = ("conversation", "conversationid", "conversationref")

#: Parts of the names of fields that hold the callref of another call.
_EARLIER = ("callref", "callid", "parent", "origin", "linked", "transfer", "replace")


def find_conversation(fields: Mapping[str, Any]) -> Optional[str]:
    """Return the service's own name of the conversation, or None."""
    for name, value in _find_others(fields):
        if name in _CONVERSATION:
            return value
    return None


def find_earlier_calls(fields: Mapping[str, Any]) -> Iterator[str]:
    """Generate what may be the callrefs of earlier calls of the conversation."""
    for name, value in _find_others(fields):
        if any(part in name for part in _EARLIER):
            yield value


def _find_others(fields: Mapping[str, Any]) -> Iterator["tuple[str, str]"]:
    if fields.keys() <= _DOCUMENTED:
        return
    for name, value in fields.items():
        if name not in _DOCUMENTED and isinstance(value, str) and value:
            yield name.replace("_", "").lower(), value
