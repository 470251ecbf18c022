"""The bodies of webhooks: our own, and those of services that CRMs know already. Pure."""

import json
from typing import Any, Callable, Dict, List, NamedTuple
from urllib.parse import urlencode

from .events import ANSWER, END, MISSED, RING, HookEvent, format_time, make_fields

#: In place of a hidden caller.
_ANONYMOUS = "anonymous"

#: How sipgate and Zammad name the events, and why a call has ended.
_CRM_EVENTS = {RING: "newCall", ANSWER: "answer", END: "hangup", MISSED: "hangup"}
_CAUSES = {END: "normalClearing", MISSED: "cancel"}


class Body(NamedTuple):
    """The body of a webhook."""

    content_type: str
    data: bytes


Form = Callable[[HookEvent], List[Body]]


def make_standard(event: HookEvent) -> List[Body]:
    """Return the JSON of Standard Webhooks: type, timestamp and data."""
    payload = {
        "type": f"call.{event.event}",
        "timestamp": format_time(event.time),
        "data": make_fields(event),
    }
    return [_make_json(payload)]


def make_sipgate(event: HookEvent) -> List[Body]:
    """Return the form of sipgate.io's Push API; a ``newCall`` before an event without one."""
    return [_make_form(_make_crm_fields(each, "user[]")) for each in _complete(event)]


def make_zammad(event: HookEvent) -> List[Body]:
    """Return the JSON of Zammad's generic CTI; a ``newCall`` before an event without one.

    Zammad refuses the other events of a call that it does not know.
    """
    return [_make_json(_make_crm_fields(each, "user")) for each in _complete(event)]


#: By the name on the command line.
FORMS: Dict[str, Form] = {"sipgate": make_sipgate, "zammad": make_zammad}


def _complete(event: HookEvent) -> List[HookEvent]:
    is_unknown = event.is_first and event.event != RING
    return [event._replace(event=RING), event] if is_unknown else [event]


def _make_crm_fields(event: HookEvent, new_call_user: str) -> Dict[str, str]:
    caller = _ANONYMOUS if event.hidden else _digits(event.caller)
    callee = _digits(event.callee)
    fields = {
        "event": _CRM_EVENTS[event.event],
        # A call that no known line is a party of counts as an incoming one: both know no other.
        "direction": "in" if event.incoming else "out",
        "from": caller,
        "to": callee,
        "callId": event.callref,
    }
    user = event.line_name or _digits(event.line)
    if user and event.event in (RING, ANSWER):
        fields[new_call_user if event.event == RING else "user"] = user
    if event.event in (ANSWER, END):
        fields["answeringNumber"] = callee
    if event.event in _CAUSES:
        fields["cause"] = _CAUSES[event.event]
    return fields


def _digits(number: Any) -> str:
    return str(number or "").lstrip("+")


def _make_form(fields: Dict[str, str]) -> Body:
    # A lone surrogate cannot be encoded.
    text = urlencode(fields, errors="backslashreplace")
    return Body("application/x-www-form-urlencoded", text.encode("ascii"))


def _make_json(payload: Dict[str, Any]) -> Body:
    return Body("application/json", json.dumps(payload, separators=(",", ":")).encode("ascii"))
