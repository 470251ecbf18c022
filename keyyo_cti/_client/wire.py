"""Commands, replies and notifications as JSON. Pure.

Each command function checks its arguments and returns a Command, or raises KeyyoError 400
``invalid_params``. Numbers are passed on unchanged: short numbers and "callpark" are legal, and
the server judges them.
"""

import json
from types import MappingProxyType
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Union

from .._net.javascript import as_key, as_whole
from .._net.json_text import TooDeep, parse_json
from ..errors import UnknownNotification, UnreadableMessage, invalid_params

PROTOCOL_VERSION = 1

#: The documented fields of a call.
CALL_FIELDS = (
    "callref", "caller", "callee", "state", "setup_date", "connect_date", "release_date",
    "callpark_slot",
)

#: Shared names. Otherwise each call would have its own copies, a third of its memory.
_SHARED = {name: name for name in CALL_FIELDS}


class _Layout(NamedTuple):
    """The names of a call's fields in the order in which they came, and a dict of them to copy."""

    names: List[str]
    blank: Dict[str, Any]


#: The number of fields -> their layouts. A copy with shared names is made at once, not name by
#: name. A usual server has few layouts; another one must not fill the memory.
_layouts: Dict[int, List[_Layout]] = {}
_MAX_LAYOUTS = 8
_MAX_FIELDS = 50
_MAX_NAMES = 500


class Command(NamedTuple):
    """A request to the server: an action and its fields, some of them secret."""

    action: str
    fields: Mapping[str, Any] = MappingProxyType({})

    def __repr__(self) -> str:
        return f"Command({self.action!r})"

    def encode(self, number: int) -> str:
        """Return the JSON message of the command, with an id that is unique per connection."""
        # Not one dict: most commands have few fields or none, and an action needs no escapes.
        head = f'{{"action": "{self.action}", "id": {number}'
        return f"{head}, {json.dumps(dict(self.fields))[1:]}" if self.fields else head + "}"


#: The fields of a command that people are shown: the call, and the number.
_SUBJECT_FIELDS = ("call_ref", "number", "to")


def describe_command(command: Command, name: Optional[str] = None) -> str:
    """Return a command for people, without its secrets and its text.

    :param name: the method of the command; by default the action.
    """
    fields = command.fields
    if not fields:
        return name or command.action
    subject = [str(fields[field]) for field in _SUBJECT_FIELDS if fields.get(field)]
    return " ".join([name or command.action, *subject])


class Reply(NamedTuple):
    """The reply to a command; ``error`` is None on success. It may contain a secret."""

    id: int
    error: Any
    result: Any

    def __repr__(self) -> str:
        return f"Reply({self.id})"


#: The current state of a call of a subscribed line: its fields, among them its callref as text.
#: Not a class, because one is made for each notification.
CallFields = Dict[str, Any]


def _refuse_constant(constant: str) -> Any:
    raise ValueError(constant)


#: The error of a reply with neither a result nor an error.
_NO_ANSWER = {"status_code": 500, "message": "The server sent neither a result nor an error"}

#: Python's json accepts NaN and Infinity, which are not valid JSON.
_STRICT = json.JSONDecoder(parse_constant=_refuse_constant)


def decode(message: Any) -> Union[Reply, CallFields]:
    """Parse a message of the server.

    :param message: one SockJS message: a string that holds a JSON object.
    :raises UnknownNotification: it is a notification about something other than a call.
    :raises UnreadableMessage: it does not follow the protocol.
    """
    if not isinstance(message, str):
        raise UnreadableMessage(f"expected a string with JSON, got {type(message).__name__}")
    try:
        fields = parse_json(message, 0, _STRICT)
    except TooDeep as error:
        raise UnreadableMessage(str(error)) from None
    except ValueError as error:
        # Not "from error": the decoder's error holds the whole message, which may be secret.
        raise UnreadableMessage(f"not JSON: {type(error).__name__}") from None
    if not isinstance(fields, dict):
        raise UnreadableMessage(f"expected an object, got {type(fields).__name__}")
    if fields.get("notify"):
        return _read_notification(fields)
    return _read_reply(fields)


def _read_notification(fields: Dict[str, Any]) -> CallFields:
    if fields["notify"] != "call":
        raise UnknownNotification(fields["notify"])
    call: Any = fields.get("call")
    callref = call.get("callref") if isinstance(call, dict) else None
    if type(callref) is not str:
        callref = as_key(callref)
        if callref is None:
            raise UnreadableMessage("a call notification without a call and its callref")
    shared = _share_names(call)
    shared["callref"] = callref
    return shared


def _share_names(call: Dict[str, Any]) -> Dict[str, Any]:
    """Return the fields of a call with shared names, in the same order."""
    names = [*call]
    for layout in _layouts.get(len(names), ()):
        if layout.names == names:
            break
    else:
        layout = _add_layout(names)
    # The result has the names of ``blank`` and the values of ``call``.
    return layout.blank | call


def _add_layout(names: List[str]) -> _Layout:
    names = [_SHARED.get(name, name) for name in names]
    layout = _Layout(names, dict.fromkeys(names))
    if len(names) <= _MAX_FIELDS and sum(map(len, names)) <= _MAX_NAMES:
        known = _layouts.setdefault(len(names), [])
        if len(known) < _MAX_LAYOUTS:
            known.append(layout)
    return layout


def _read_reply(fields: Dict[str, Any]) -> Reply:
    number = as_whole(fields.get("id"))
    if number is None:
        raise UnreadableMessage("neither a notification nor a reply with an id")
    error = fields.get("error")
    if not error:
        error = None if _succeeded(fields) else _NO_ANSWER
    return Reply(number, error, fields.get("result"))


def _succeeded(fields: Dict[str, Any]) -> bool:
    """Return True if a reply with an empty or missing error is a success."""
    # An error of false, 0 or "" means that there is none. An empty object means so only beside a
    # result.
    return "result" in fields or fields.get("error") in (False, "")


def create_session(token: Any, auto_answer: Any = None) -> Command:
    fields = {"token": _check_string("csi_token", token), "protocol_version": PROTOCOL_VERSION}
    if auto_answer is not None:
        fields["auto_answer"] = _check_flag("auto_answer", auto_answer)
    return Command("create_session", fields)


def restore_session(token: Any, session_id: Any = None, null_id: bool = False) -> Command:
    """Make the command. The server judges an empty or missing session id, as in JavaScript.

    :param null_id: True to send a missing session id as null; otherwise it is left out.
    """
    fields: Dict[str, Any] = {"token": _check_string("csi_token", token)}
    if session_id is not None:
        fields["session_id"] = _check_string("session_id", session_id)
    elif null_id:
        fields["session_id"] = None
    fields["protocol_version"] = PROTOCOL_VERSION
    return Command("restore_session", fields)


def destroy_session() -> Command:
    return Command("destroy_session")


def subscribe(number: Any) -> Command:
    return Command("subscribe", {"number": _check_text("number", number)})


def unsubscribe(number: Any) -> Command:
    return Command("unsubscribe", {"number": _check_text("number", number)})


def get_subscriptions() -> Command:
    return Command("get_subscriptions")


def set_auto_answer(auto_answer: Any) -> Command:
    return Command("set_auto_answer", {"auto_answer": _check_flag("auto_answer", auto_answer)})


def get_auto_answer() -> Command:
    return Command("get_auto_answer")


def dial(number: Any) -> Command:
    return Command("call", {"number": _check_text("number", number)})


def send_message(number: Any, message: Any) -> Command:
    fields = {"number": _check_text("number", number), "message": _check_text("message", message)}
    return Command("send_message", fields)


def int_to_local(number: Any) -> Command:
    return Command("get_int_to_local_numbers", {"number": _check_text("number", number)})


def local_to_int(number: Any) -> Command:
    return Command("get_local_to_int_number", {"number": _check_text("number", number)})


def ping() -> Command:
    return Command("ping")


def answer(call_ref: str) -> Command:
    return Command("answer_call", {"call_ref": call_ref})


def hang_up(call_ref: str) -> Command:
    return Command("terminate_call", {"call_ref": call_ref})


def reject(call_ref: str) -> Command:
    return Command("reject_call", {"call_ref": call_ref})


def transfer(call_ref: str, side: Any, to: Any) -> Command:
    fields = {"call_ref": call_ref, "side": _check_side("side", side), "to": _check_text("to", to)}
    return Command("transfer_call", fields)


def supervised_transfer(call_ref: str, side: Any, to: Any, invite_timer: Any = None) -> Command:
    fields = {"call_ref": call_ref, "side": _check_side("side", side), "to": _check_text("to", to)}
    if invite_timer is not None:
        fields["invite_timer"] = _check_whole("invite_timer", invite_timer, least=0)
    return Command("supervised_transfer_call", fields)


def merge(call_ref: str, side: Any, call_ref2: str, side2: Any) -> Command:
    return Command(
        "merge_call",
        {
            "call_ref": call_ref,
            "side": _check_side("side", side),
            "call_ref2": call_ref2,
            "side2": _check_side("second_call_side", side2),
        },
    )


def pause(call_ref: str) -> Command:
    return Command("pause_call", {"call_ref": call_ref})


def park(call_ref: str, side: Any, slot: Any = None) -> Command:
    """Make the command. Without a slot, or with -1, the server chooses a free one."""
    fields = {"call_ref": call_ref, "side": _check_side("side", side)}
    if slot is not None:
        fields["slot"] = _check_whole("slot", slot, least=-1)
    return Command("park_call", fields)


def unpark(call_ref: str) -> Command:
    return Command("unpark_call", {"call_ref": call_ref})


def _check_string(argument: str, value: Any) -> Any:
    if not isinstance(value, str):
        raise invalid_params(argument, f"expected a string, got {type(value).__name__}")
    return value


def _check_text(argument: str, value: Any) -> Any:
    if not _check_string(argument, value):
        raise invalid_params(argument, "expected a string that is not empty")
    return value


def _check_flag(argument: str, value: Any) -> Any:
    if not isinstance(value, bool):
        raise invalid_params(argument, f"expected True or False, got {type(value).__name__}")
    return value


def _check_side(argument: str, value: Any) -> Any:
    if value not in ("caller", "callee"):
        shown = repr(value)[:40] if isinstance(value, str) else type(value).__name__
        raise invalid_params(argument, f'expected "caller" or "callee", got {shown}')
    return value


def _check_whole(argument: str, value: Any, least: int) -> Any:
    if type(value) is not int:
        raise invalid_params(argument, f"expected a whole number, got {type(value).__name__}")
    if as_key(value) is None:
        raise invalid_params(argument, "expected a whole number, got one of thousands of digits")
    if value < least:
        raise invalid_params(argument, f"expected {least} or more, got {value}")
    return value
