"""What the translator knows of Keyyo's API: names, types, and words for its callbacks."""

from __future__ import annotations

from typing import Dict, NamedTuple, Tuple

from .types import BOOL, CALL, ERR, NAT, NULL, NUMBER, RES, STR, UNDEF, WHOLE


class Method(NamedTuple):
    """A method that takes a callback last.

    :ivar arguments: the types of the arguments before the callback, optional ones included.
    :ivar result: the mask of ``res``.
    :ivar word: what the callback is called.
    """

    arguments: Tuple[int, ...]
    result: int
    word: str


#: Methods of a CTI and of a Call.
METHODS: Dict[str, Method] = {
    "create_session": Method((STR, BOOL), RES, "connected"),
    "restore_session": Method((STR, STR), RES, "restored"),
    "destroy_session": Method((), NAT, "destroyed"),
    "subscribe": Method((STR,), NAT, "subscribed"),
    "unsubscribe": Method((STR,), NAT, "unsubscribed"),
    "get_subscriptions": Method((), RES, "listed"),
    "set_auto_answer": Method((BOOL,), NAT, "changed"),
    "get_auto_answer": Method((), RES, "got_auto_answer"),
    "dial": Method((STR,), NAT, "dialled"),
    "send_message": Method((STR, STR), NAT, "sent"),
    "int_to_local": Method((STR,), RES, "converted"),
    "local_to_int": Method((STR,), RES, "converted"),
    "ping": Method((), NAT, "pinged"),
    "answer": Method((), NAT, "answered"),
    "hang_up": Method((), NAT, "hung_up"),
    "reject": Method((), NAT, "rejected"),
    "transfer": Method((STR, STR), NAT, "transferred"),
    "supervised_transfer": Method((STR, STR, WHOLE), NAT, "transferred"),
    "merge": Method((STR, CALL, STR), NAT, "merged"),
    "pause": Method((), NAT, "paused"),
    "park": Method((STR, WHOLE), NAT, "parked"),
    "unpark": Method((), NAT, "unparked"),
}

#: Methods that return at once.
DIRECT = {
    "session_exists": BOOL,
    "get_duration": NAT,
    "get_ringing_duration": NAT,
    "get_call": CALL | NULL,
}

#: Methods that take names of events and a handler.
LISTENING = ("on", "off", "addEventListener", "removeEventListener")

#: The arguments of a handler, by its event.
EVENTS: Dict[str, Tuple[int, ...]] = {
    "newCall": (CALL,),
    "disconnected": (),
    "setup": (),
    "connect": (),
    "release": (),
    "missed": (),
}

#: The same by the attribute that sets it.
HANDLERS = {f"on{event[0].upper()}{event[1:]}": event for event in EVENTS}

FIELDS_OF_CALL = {
    "callref": STR, "caller": STR, "callee": STR, "state": STR, "type": STR, "setup_date": NAT,
    "connect_date": NAT | UNDEF, "release_date": NAT | UNDEF, "callpark_slot": NAT | UNDEF,
    "date": NAT | UNDEF,
}

FIELDS_OF_ERROR = {"status_code": NAT, "message": STR, "error_code": STR | UNDEF}

FIELDS_OF_RESULT = {"number": STR, "session_id": STR, "now": NAT, "auto_answer": BOOL}

FIELDS_OF_CTI = {"connected": BOOL, "number": STR | UNDEF, "session_id": STR | UNDEF}

#: Options of ``new Keyyo.CTI``, and their types.
OPTIONS = {
    "cookie_auto": BOOL, "cookie_name": STR, "cookie_expires": NUMBER, "ping_auto": BOOL,
    "endpoint": STR,
}

#: Names that stay as they are.
RESERVED = frozenset({
    *METHODS, *DIRECT, *LISTENING, *HANDLERS, *FIELDS_OF_CALL, *FIELDS_OF_ERROR,
    *FIELDS_OF_RESULT, *FIELDS_OF_CTI, *OPTIONS, "numbers", "get_calls", "Keyyo", "CTI", "CSB",
})

#: What free names of an example stand for, as in the porting guide.
FREE_NAMES = {"csi_token": STR}

ERROR_OR_NULL = ERR | NULL
