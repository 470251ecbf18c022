"""What a rehearsal checks from outside, and the mistakes that it has found."""

from __future__ import annotations

import threading
import traceback
from functools import partial
from types import TracebackType
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple

from .._client.client import Client
from .._net.user_code import name_of
from ..errors import ConnectionClosed, KeyyoError
from ..simulator import Passage
from .clients import get_emitters
from .steps import INJECTED, ODD_PREFIX

#: Actions of the SDK's own, whose refusals it handles.
_SESSION_ACTIONS = ("create_session", "restore_session")

_WRONG_FIELDS = ("Malformed request (missing required parameters)", "RPC invalid params")
_CANNOT_TREAT = "Cannot treat action"

_LIVE = ("SETUP", "CONNECT")

#: Action -> the states in which a call can do it, as far as its notifications tell.
_POSSIBLE: Dict[str, Tuple[str, ...]] = {
    "answer_call": ("SETUP",),
    "reject_call": ("SETUP",),
    "terminate_call": _LIVE,
    "transfer_call": ("CONNECT",),
    "supervised_transfer_call": ("CONNECT",),
    "merge_call": ("CONNECT",),
    "pause_call": ("CONNECT",),
    "park_call": ("CONNECT",),
    "unpark_call": ("CONNECT",),
}


class Mistake(NamedTuple):
    """A mistake of the program.

    :ivar kind: what is wrong, in a few words.
    :ivar subject: where: the same mistake has the same kind and subject in each run.
    :ivar details: for people, possibly with a traceback.
    """

    kind: str
    subject: str
    details: str = ""

    @property
    def key(self) -> Tuple[str, str]:
        """Equal for the same mistake in two runs."""
        return self.kind, self.subject

    def __str__(self) -> str:
        text = f"{self.kind}: {self.subject}"
        return f"{text}\n\n{self.details.rstrip()}" if self.details else text


class _Sent(NamedTuple):
    """A command of the program, and the call as the program knew it then."""

    fields: Dict[str, Any]
    call: Optional[Dict[str, Any]]


class Checks:
    """Collects mistakes. Its methods run on any thread.

    :ivar closing: True once the rehearsal closes the program's connections. From then on, a
        command that fails for that is no mistake.
    :ivar sessions: number of sessions that were opened or restored.
    """

    def __init__(self) -> None:
        self.closing = False
        self.sessions = 0
        self.last_notification: Optional[Dict[str, Any]] = None
        self._lock = threading.Lock()
        self._mistakes: List[Mistake] = []
        self._calls: Dict[str, Dict[str, Any]] = {}
        self._sent: Dict[Tuple[int, Any], _Sent] = {}

    @property
    def first(self) -> Optional[Mistake]:
        """The first mistake, or None."""
        with self._lock:
            return self._mistakes[0] if self._mistakes else None

    def add(self, kind: str, subject: str, details: str = "") -> None:
        """Add a mistake."""
        with self._lock:
            self._mistakes.append(Mistake(kind, subject, details))

    # Exceptions, and values that the SDK refuses

    def on_exception(self, where: str, error: BaseException) -> None:
        """Note an exception that a function of the program has raised."""
        if not (self.closing and isinstance(error, ConnectionClosed)):
            text = "".join(
                traceback.format_exception(type(error), error, error.__traceback__))
            self.add("raised", f"{type(error).__name__} in {where}", text)

    def on_thread_exception(self, arguments: threading.ExceptHookArgs) -> None:
        """Note an exception that has ended a thread; a ``threading.excepthook``."""
        if arguments.exc_value is not None and arguments.exc_type is not SystemExit:
            where = describe_thread(arguments.thread, arguments.exc_traceback)
            self.on_exception(where, arguments.exc_value)

    def on_refusal(self, name: str, error: BaseException) -> None:
        """Note a command that the SDK has refused without sending it."""
        if isinstance(error, KeyyoError) and error.error_code == "invalid_params":
            self.add("refused", f"{name}()", str(error))

    # Commands that the server refuses

    def on_traffic(self, passage: Passage) -> None:
        """Note a message on the wire, on the simulator's thread."""
        content = passage.content
        if not isinstance(content, dict):
            return
        if passage.kind == "received":
            call = self._calls.get(str(content.get("call_ref")))
            self._sent[passage.connection, content.get("id")] = _Sent(content, call)
        elif passage.kind == "sent" and "notify" in content:
            self._on_notification(content)
        elif passage.kind == "sent":
            sent = self._sent.pop((passage.connection, content.get("id")), None)
            if sent is not None:
                self._on_reply(sent, content.get("error"), passage.line)

    def _on_notification(self, content: Dict[str, Any]) -> None:
        call = content.get("call")
        if isinstance(call, dict):
            self.last_notification = call
            self._calls[str(call.get("callref"))] = call

    def _on_reply(self, sent: _Sent, error: Any, line: Optional[str]) -> None:
        action = str(sent.fields.get("action"))
        if action in _SESSION_ACTIONS:
            self.sessions += error is None
        elif error is not None and (error["status_code"], error["message"]) != INJECTED:
            self._judge(sent, action, error["message"], line)

    def _judge(self, sent: _Sent, action: str, message: str, line: Optional[str]) -> None:
        callref = str(sent.fields.get("call_ref"))
        if message in _WRONG_FIELDS and not _is_unknown_line(action, sent.fields):
            shown = {name: value for name, value in sent.fields.items() if name != "id"}
            self.add("refused", action, f"{message}: {shown}")
        elif message == _CANNOT_TREAT and action in _POSSIBLE and not _is_odd(callref):
            reason = _find_reason(action, callref, sent.call, line)
            if reason is not None:
                self.add("refused", action, reason)

    # Handlers that run twice

    def check_handlers(self, clients: Iterable[Client]) -> None:
        """Note handlers that were added more than once to the same event of the same object."""
        for client in clients:
            for emitter in get_emitters(client):
                for event in emitter.EVENTS:
                    twice = _find_twin(emitter.handlers(event))
                    if twice is not None:
                        kind = type(emitter).__name__
                        self.add(
                            "added twice", f"{name_of(twice)} to {event} of a {kind}",
                            "It runs more than once for each event. Every notification emits "
                            "newCall, with the same Call: set call.on... attributes there, or "
                            "call on() once, or off().")


def _is_unknown_line(action: str, fields: Dict[str, Any]) -> bool:
    """Return True for a subscription to a line that the account may have outside of rehearsals."""
    return action in ("subscribe", "unsubscribe") and str(fields.get("number")).isdecimal()


def _is_odd(callref: str) -> bool:
    return callref.startswith(ODD_PREFIX)


def _find_reason(
    action: str, callref: str, call: Optional[Dict[str, Any]], line: Optional[str]
) -> Optional[str]:
    """Say why the program could have known that this action is not possible, or return None."""
    if call is None:
        return f"the program was never notified of call {callref}"
    if call.get("state") not in _POSSIBLE[action]:
        return f"call {callref} was {call.get('state')}, and the program had been notified of it"
    if action in ("answer_call", "reject_call") and call.get("callee") != line:
        return f"call {callref} does not ring at {line}, but at {call.get('callee')}"
    return None


def _find_twin(handlers: List[Callable[..., object]]) -> Optional[Callable[..., object]]:
    """Return a handler of which there are two that do the same, or None."""
    seen = set()
    for handler in handlers:
        identity = _identify(handler)
        if identity in seen:
            return handler
        seen.add(identity)
    return None


def _identify(function: Any) -> Any:
    """Return a value that is equal for functions that do the same to the same objects.

    Each run of a ``lambda`` or an inner ``def`` makes a new function.
    """
    if isinstance(function, partial):
        keywords = sorted((name, id(value)) for name, value in function.keywords.items())
        return (_identify(function.func), *map(id, function.args), *keywords)
    plain = getattr(function, "__func__", function)
    code = getattr(plain, "__code__", None)
    if code is None:
        return id(function)
    cells = [id(_get_content(cell)) for cell in plain.__closure__ or ()]
    defaults = [id(value) for value in plain.__defaults__ or ()]
    return (id(code), id(getattr(function, "__self__", None)), *cells, *defaults)


def _get_content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None  # Its variable has no value yet.


def describe_thread(
    thread: Optional[threading.Thread], failed: Optional[TracebackType] = None
) -> str:
    """Name a thread by its function.

    :param failed: the traceback of the exception that has ended it.
    """
    if thread is None:
        return "a thread"
    # A Timer keeps its function here, and a Thread there while it runs.
    function = getattr(thread, "function", None) or getattr(thread, "_target", None)
    named = _name_outermost(failed) if function is None else f" ({name_of(function)})"
    return f"{type(thread).__name__}{named}"


def _name_outermost(failed: Optional[TracebackType]) -> str:
    """Name the first function of a traceback that is not one of ``threading``."""
    for frame, _ in traceback.walk_tb(failed):
        code = frame.f_code
        if code.co_filename != threading.__file__:
            return f" ({code.co_name} ({code.co_filename}:{code.co_firstlineno}))"
    return ""
