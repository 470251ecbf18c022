"""The wire log: every command, reply, notification and connection in one line each.

The logger is ``keyyo_cti.wire``, its level DEBUG. ``KEYYO_CTI_DEBUG=1`` in the environment and
``keyyo-cti --debug`` print it to stderr, without any configuration of logging::

    -> dial id=7 number=33199020000
    <- call-3 SETUP 33199020000 -> 33199000001
    <- id=7 400 Cannot treat action

No line has a CSI token, a session id, a password or a cookie, and no line is longer than a few
hundred characters. Control characters are escaped.

Handlers of the logger run on a thread of the SDK's own. Otherwise one that blocks, or waits for a
reply, would stop the reader.
"""

import logging
from functools import partial
from typing import Any, Dict, List, Optional
from urllib.parse import urlsplit

from .._net import redaction
from .._net.log_thread import ThreadedLogger
from .._net.redaction import HIDDEN
from ..errors import KeyyoError, plain, shorten
from .wire import Command, Reply

_log = ThreadedLogger("keyyo_cti.wire")

#: Characters of one value, and of a line that has a reason of the server.
_MAX_VALUE_LENGTH = 64
_MAX_TEXT_LENGTH = 300

#: Characters of a value that are searched for secrets before it is shortened.
_MAX_SEARCHED = 2000

#: Numbers of a list in one line.
_MAX_LISTED = 10

#: Subscriptions that are remembered for later lines.
_MAX_KEPT = 1000

#: Action -> the method of ``CTI`` or ``Call``, where they differ.
_METHODS = {
    "call": "dial",
    "get_int_to_local_numbers": "int_to_local",
    "get_local_to_int_number": "local_to_int",
    "answer_call": "answer",
    "terminate_call": "hang_up",
    "reject_call": "reject",
    "transfer_call": "transfer",
    "supervised_transfer_call": "supervised_transfer",
    "merge_call": "merge",
    "pause_call": "pause",
    "park_call": "park",
    "unpark_call": "unpark",
}

#: The fields that are shown. Of the secret ones, only that they are there; any other is left out.
_SHOWN = (
    "number", "numbers", "to", "side", "call_ref", "call_ref2", "side2", "slot", "invite_timer",
    "auto_answer",
)
_SECRET = ("token", "session_id")

_NO_CALLS = (
    "no call was notified on this connection: was one of the subscribed lines called? is its CTI "
    "plugin 'websocket' enabled? try: keyyo-cti diagnose {} --ring"
)


_logger = logging.getLogger("keyyo_cti.wire")

#: Returns True if the wire log is wanted.
is_on = partial(_logger.isEnabledFor, logging.DEBUG)

#: Returns False for a level that logging knows to be off, and None if it does not know. For each
#: notification: ``is_on`` alone would take two percent of its time.
get_known = getattr(_logger, "_cache", {}).get


class WireLog:
    """The lines about one client, from any thread.

    Unless noted, its methods are for a wire log that is on.

    :param number: of the client.
    """

    def __init__(self, number: int = 0) -> None:
        self._source = f"keyyo-cti-{number}"
        self._line: Optional[str] = None
        self._session_id: Any = None
        # None while unknown.
        self._subscriptions: Optional[List[str]] = None
        self._notified = 0

    def note(self, text: str, *values: object) -> None:
        """Write a line, if the wire log is on.

        :param text: without secrets; each ``{}`` stands for one of the values.
        """
        if is_on():
            shown = (_show(value, _MAX_TEXT_LENGTH) for value in values)
            self._write(text.format(*shown))

    def connecting(self, endpoint: str) -> None:
        """Begin a connection."""
        self._line, self._notified = None, 0
        parts = urlsplit(endpoint)
        self.note("connecting to {}", f"{parts.scheme}://{parts.netloc}{parts.path}")

    def sent(self, number: int, command: Command) -> None:
        """Write a command that is about to be sent."""
        self._write(f"-> {name_command(command)} id={number}{_list_fields(command.fields)}")

    def replied(
        self, reply: Reply, command: Optional[Command], error: Optional[KeyyoError]
    ) -> None:
        """Write a reply.

        :param command: its command, or None if that is no longer pending.
        """
        outcome = (
            _describe_result(reply.result) if error is None else _describe_error(reply, error)
        )
        late = "" if command is not None else ", ignored: its command is no longer pending"
        self._write(f"<- id={reply.id} {outcome}{late}")
        if command is not None and error is None:
            self._learn(command, reply.result if isinstance(reply.result, dict) else {})

    def notified(self, fields: Dict[str, Any]) -> None:
        """Write a notification of a call."""
        self._notified += 1
        slot = fields.get("callpark_slot")
        parked = "" if slot is None else f" slot={_show(slot)}"
        who, whom = (_show(fields.get(side) or "?") for side in ("caller", "callee"))
        self._write(f"<- {_name_call(fields)} {who} -> {whom}{parked}")

    def undelivered(self, fields: Any, reason: str) -> None:
        """Write why the handlers do not get a notification."""
        self._write(f"{_name_call(fields)} is not delivered: {reason}")

    def ended(self, code: int, reason: str) -> None:
        """Write the end of a connection."""
        if self._line is not None and not self._notified:
            self.note(_NO_CALLS, self._line)
        self.note(f"connection ended: {code} {{}}", reason)

    def _learn(self, command: Command, result: Dict[str, Any]) -> None:
        """Write what a successful command has changed."""
        action, fields = command.action, command.fields
        subscriptions = self._subscriptions
        if action in ("create_session", "restore_session"):
            self._line = _show(result.get("number"))
            created = action == "create_session"
            self._write(f"session {'created' if created else 'restored'}, line {self._line}")
            # A new session begins with its own line; an older one is known if it was made here.
            session_id = (result if created else fields).get("session_id")
            known = None if session_id != self._session_id else subscriptions
            subscriptions = [self._line] if created else known
            self._session_id = session_id
        elif action == "destroy_session":
            self._write("session destroyed")
            return
        elif action == "subscribe" and subscriptions is not None:
            subscriptions = [*_without(subscriptions, fields), _show(fields["number"])]
        elif action == "unsubscribe" and subscriptions is not None:
            subscriptions = _without(subscriptions, fields)
        elif action == "get_subscriptions" and isinstance(result.get("numbers"), list):
            subscriptions = list(map(_show, result["numbers"][:_MAX_KEPT]))
        else:
            return
        self._subscriptions = subscriptions
        self._write(f"subscriptions: {_describe(subscriptions)}")

    def _write(self, line: str) -> None:
        _log.debug("%s", line, cti=self._source)


def name_command(command: Command) -> str:
    """Return the name of the method that sends a command."""
    return _METHODS.get(command.action, command.action)


def _describe(subscriptions: Optional[List[str]]) -> str:
    if subscriptions is None:
        return "those that the session had; get_subscriptions() lists them"
    if not subscriptions:
        return "none, so no call is notified; subscribe() adds a line"
    listed = ", ".join(subscriptions[:_MAX_LISTED])
    more = len(subscriptions) - _MAX_LISTED
    rest = f" and {more} more" if more > 0 else ""
    return f"{listed}{rest}; calls of other lines are not notified"


def _describe_result(result: object) -> str:
    if isinstance(result, str):
        # No documented result is one, so it may be anything.
        return "(a text)"
    return f"ok{_list_fields(result)}" if isinstance(result, dict) else _show(result)


def _describe_error(reply: Reply, error: KeyyoError) -> str:
    message = reply.error.get("message") if isinstance(reply.error, dict) else reply.error
    if message is not None and not isinstance(message, str):
        return f"{_show(error.status_code)} (a message that is not text)"
    # Not the text of the error, in which secrets may be escaped.
    code = f" [{_show(error.error_code)}]" if error.error_code else ""
    hint = f" ({error.hint})" if error.hint else ""
    return f"{_show(error.status_code)} {_show(error.message, _MAX_TEXT_LENGTH)}{code}{hint}"


def _without(subscriptions: List[str], fields: Any) -> List[str]:
    return [each for each in subscriptions if each != _show(fields["number"])]


def _name_call(fields: Any) -> str:
    return f"{_show(fields.get('callref'))} {_show(fields.get('state'))}"


def _list_fields(fields: Any) -> str:
    """Return the fields that may be shown, each after a blank."""
    shown = [f" {name}={_show(fields[name])}" for name in _SHOWN if name in fields]
    shown += [f" {name}={_cover(fields[name])}" for name in _SECRET if name in fields]
    if isinstance(fields.get("message"), str):
        shown.append(f" message of {len(fields['message'])} characters")
    return "".join(shown)


def _cover(secret: object) -> str:
    return "none" if secret is None else "empty" if secret == "" else HIDDEN


def _show(value: object, most: int = _MAX_VALUE_LENGTH) -> str:
    """Return a value without secrets and control characters, shortened."""
    if isinstance(value, list):
        more = ",..." if len(value) > _MAX_LISTED else ""
        return ",".join(map(_show_one, value[:_MAX_LISTED])) + more
    return _show_one(value, most)


def _show_one(value: object, most: int = _MAX_VALUE_LENGTH) -> str:
    if isinstance(value, (dict, list)):
        return "(an object)" if isinstance(value, dict) else "(a list)"
    text = str(value)
    # Before it is shortened. Otherwise half a secret could be left at the end.
    left_out = "..." if len(text) > _MAX_SEARCHED else ""
    return shorten(plain(redaction.redact(text[:_MAX_SEARCHED])) + left_out, most)
