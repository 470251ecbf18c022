"""The errors of the SDK, with the fields of the JavaScript SDK.

::

    Exception
      KeyyoError             the server refused a command, or an argument is wrong
        CommandTimeout       no reply came in time (408)
        EventTimeout         no event came in time (408)
        CallEnded            the call has ended without the event (410)
        ConnectionClosed     the connection is closed, or there was none (400)
          ConnectionFailed   the connection could not be opened
          SessionEnded       the session has ended before the event
      UnreadableMessage      a message of the server is unreadable (``error`` event only)
        UnknownNotification  a notification of a kind that this SDK does not know
"""

from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Any,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Tuple,
    Type,
)

from ._display import error_page
from ._display.spelling import members, no_attribute
from ._net.javascript import as_key, as_whole
from ._net.text import plain as plain
from ._net.text import shorten as shorten
from .results import Fields, Result, wrap

#: Maximum characters of a notification's kind; a message can be megabytes long.
_MAX_KIND_LENGTH = 40

#: Maximum characters of a server's code in a log line or on a screen.
_MAX_CODE_LENGTH = 80

#: The fields of every error.
_FIELDS = ("status_code", "message", "error_code")

#: error_code by message, as in the JavaScript SDK 1.1. The message must be the same to the letter.
#: A message that only begins with known words is in ``_CODES_BY_START``.
_CODES = {
    "Malformed request (missing required parameters)": "missing_parameter",
    "RPC invalid params": "invalid_params",
    "Unknown session_id": "invalid_session_id",
}

#: error_code by the first words of the message.
_CODES_BY_START = {"Invalid token": "invalid_csi_token"}

#: Hints by error_code.
_HINTS: Dict[str, str] = {
    "invalid_csi_token": "get a fresh CSI token: each is bound to one line and lives one hour",
    "missing_parameter": "a required argument is missing",
    "invalid_session_id": "the session has ended: create a new one with create_session",
}

#: The message of a command that the service does not carry out, for one of several reasons.
CANNOT_TREAT = "Cannot treat action"

_CANNOT_TREAT_HINT = (
    "the line may have no telephone registered, or its CTI plugin 'websocket' is disabled, "
    "or the call is not in a state that allows this"
)


class KeyyoError(Exception):
    """The error of a command, as a callback gets it and ``Future.result()`` raises it.

    A further field that the server sent is there by attribute and by key, as in a Result:
    ``err.reason``, ``err["reason"]``. Neither ``str`` nor ``repr`` shows further fields.

    Source: section Errors of Keyyo's page.

    :param status_code: HTTP status code, an integer.
    :param message: the server's message, unchanged.
    :param error_code: a short name such as ``invalid_csi_token``, or None without a code.
        ``docs/errors.md`` has all of them.
    :param hint: the cause, or what to do about it; a string or None. The attribute also names
        the paragraph of ``docs/errors.md`` that explains the error.
    :param further: the further fields that the server sent.
    :ivar final: True if the error is permanent until a person acts, False if it may be transient,
        None if unknown.
    """

    final: Optional[bool] = None

    #: The paragraph of a class that has one of its own.
    _anchor: Optional[str] = None

    #: The paragraph of a class for errors with a hint that have none.
    _other_anchor: Optional[str] = None

    def __init__(
        self,
        status_code: int,
        message: str,
        error_code: Optional[str] = None,
        hint: Optional[str] = None,
        further: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        super().__init__(status_code, message, error_code)
        self.status_code = status_code
        self.message = message
        self.error_code = error_code
        self._advice = hint
        self._further: Result = wrap(dict(further))

    @property
    def hint(self) -> Optional[str]:
        """The cause or what to do about it, and the paragraph of ``docs/errors.md``; or None."""
        anchor = self._anchor or error_page.find_anchor(self.error_code, self.message)
        if anchor is None and self._advice:
            anchor = self._other_anchor
        return error_page.add_pointer(self._advice, anchor)

    @hint.setter
    def hint(self, hint: Optional[str]) -> None:
        self._advice = hint

    @property
    def fields(self) -> Mapping[str, Any]:
        """``status_code``, ``message``, ``error_code`` and the further fields, read-only."""
        own = {name: getattr(self, name) for name in _FIELDS}
        return Fields(self._further, **own)

    if not TYPE_CHECKING:
        # Hidden from type checkers, so that they find a misspelt attribute.
        def __getattr__(self, name: str) -> Any:
            # Names with an underscore are Python's. Otherwise a traceback would print "__notes__"
            # of a server.
            further = {} if name.startswith("_") else self._further
            if name in further:
                return further[name]
            kind = type(self)
            text = f"no attribute {name!r} of this {kind.__name__}: it has {sorted(further)}"
            raise no_attribute(text, name, (*members(kind), *vars(self), *further))

    def __dir__(self) -> Iterable[str]:
        further = (name for name in self._further if name.isidentifier() and name[0] != "_")
        return sorted({*super().__dir__(), *further})

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name) if name in _FIELDS else self._further[name]

    def __contains__(self, name: object) -> bool:
        return name in _FIELDS or name in self._further

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __reduce__(self) -> Any:
        # Exception's own way calls the class with ``args``, which subclasses do not accept.
        return _rebuild, (type(self), self.args), vars(self)

    def __str__(self) -> str:
        # Printed and logged: shortened, and without control characters, because all three may come
        # from the server.
        status = shorten(str(self.status_code), _MAX_CODE_LENGTH)
        code = f" [{shorten(str(self.error_code), _MAX_CODE_LENGTH)}]" if self.error_code else ""
        hint = f" ({self.hint})" if self.hint else ""
        return plain(f"{status} {shorten(self.message)}{code}{hint}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def _repr_html_(self) -> str:
        from ._display import html

        return html.render_error(self.status_code, self.message, self.error_code, self._notes())

    def _notes(self) -> List[str]:
        return [self.hint] if self.hint else []


class CommandTimeout(KeyyoError):
    """No reply came in time. The server may have executed the command."""

    def __init__(self, action: str, seconds: float) -> None:
        super().__init__(
            408,
            f"No answer to {action} within {seconds:g} s",
            "timeout",
            "the server may or may not have executed it: check before you repeat it",
        )


class ConnectionClosed(KeyyoError):
    """The connection was closed before a reply came, or there was none.

    :ivar sent: False if the command never left this machine, so that it is safe to repeat; True if
        its outcome is unknown.

    ``__cause__`` is the error that ended the connection, or None.
    """

    def __init__(
        self, sent: bool, hint: Optional[str] = None, cause: Optional[BaseException] = None
    ) -> None:
        super().__init__(400, "Connexion closed", None, hint)
        self.sent = sent
        self.__cause__ = cause

    def _notes(self) -> List[str]:
        outcome = "its outcome is unknown" if self.sent else "it was never sent"
        return [*super()._notes(), outcome]


class ConnectionFailed(ConnectionClosed):
    """The connection could not be opened; ``message`` says why and ``hint`` what to do.

    :ivar retry_after: seconds to wait before the next attempt, as the server asked, or None.
    """

    _anchor = error_page.CONNECTION_FAILED

    def __init__(
        self, reason: str, hint: Optional[str] = None, retry_after: Optional[float] = None
    ) -> None:
        super().__init__(sent=False, hint=hint)
        self.message = f"Connexion closed: {reason}"
        self.retry_after = retry_after


class EventTimeout(KeyyoError):
    """The event that ``wait_for`` waits for did not come in time."""

    def __init__(self, event: str, seconds: float) -> None:
        super().__init__(408, f"No {event} within {seconds:g} s", "timeout")


class CallEnded(KeyyoError):
    """The call has ended, or was forgotten, without the event that ``wait_for`` waits for."""

    def __init__(self, event: str, problem: str) -> None:
        super().__init__(410, f"No {event}: {problem}", "call_ended")


class SessionEnded(ConnectionClosed):
    """The session has ended before the event that ``wait_for`` waits for, or there was none."""

    def __init__(self, event: str, reason: str) -> None:
        super().__init__(sent=False)
        self.message = f"No {event}: {reason}"
        self.error_code = "session_ended"

    def _notes(self) -> List[str]:
        return KeyyoError._notes(self)


class RequestFailed(KeyyoError):
    """A request to Keyyo's web services failed.

    :ivar status_code: the response's, an integer. Without a response: 408 (``timeout``) or 503
        (``unreachable``: no connection; ``untrusted``: no TLS, or its certificate was refused).
        502 (``unreadable``) for a response that cannot be parsed.
    :ivar reason: Keyyo's own message, or None.
    :ivar final: True if Keyyo itself has refused, in its own form. A firewall or gateway may send
        the same status in its place; such an error may be transient.
    :ivar retry_after: seconds to wait before the next request, as Keyyo asked, or None.
    """

    final = False

    _other_anchor = error_page.ANOTHER_STATUS

    def __init__(
        self,
        status_code: int,
        message: str,
        error_code: Optional[str] = None,
        hint: Optional[str] = None,
        *,
        reason: Optional[str] = None,
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__(status_code, message, error_code, hint)
        self.reason = reason
        self.retry_after = retry_after


class OAuth2Error(RequestFailed):
    """Keyyo returned no tokens. ``error_code`` is OAuth2's ``error``, if Keyyo sent one."""


class CredentialsRefused(OAuth2Error):
    """Keyyo refuses this program, and will refuse it again. ``hint`` says what a person can do."""

    final = True


class TokensNotKept(OAuth2Error):
    """The token store failed; ``__cause__`` is the error, if it is an OSError.

    New tokens that could not be saved stay in memory and are not returned; the next call saves
    them first.
    """


class ManagerError(RequestFailed):
    """The Manager API refused a request or sent no response.

    ``error_code`` is ``unauthorized`` (401), ``forbidden`` (403), ``not_found`` (404), ``quota``
    (429), ``server_error`` (5xx), ``timeout`` (408), ``unreachable`` or ``untrusted`` (503),
    ``unreadable`` (502), ``closed`` (400: the client is closed), or None. ``final`` is True for
    401, 403 and 404 with Keyyo's own message: the header ``X-Status-Reason``, or a JSON object.
    """


class UnreadableMessage(Exception):
    """A frame or message of the server cannot be read; it is ignored."""


class UnknownNotification(UnreadableMessage):
    """The server sent a notification of a kind that this SDK does not know; it is ignored.

    :ivar kind: the value of ``notify``, as text.
    """

    def __init__(self, kind: Any) -> None:
        self.kind = str(kind)[:_MAX_KIND_LENGTH]
        super().__init__(self.kind)

    def __str__(self) -> str:
        return f"unknown notification {self.kind!r}"


def _rebuild(kind: Type[KeyyoError], args: Tuple[Any, ...]) -> KeyyoError:
    error = kind.__new__(kind)
    error.args = args
    return error


def invalid_params(argument: str, problem: str) -> KeyyoError:
    """Return the error for an argument with a wrong value; nothing was sent."""
    return KeyyoError(400, f"{argument}: {problem}", "invalid_params")


def _find_code(message: str) -> Optional[str]:
    starts = (code for start, code in _CODES_BY_START.items() if message.startswith(start))
    return _CODES.get(message) or next(starts, None)


def from_server(error: Any) -> KeyyoError:
    """Return the KeyyoError for a reply's ``error``, with the code of its message.

    If its message has no code, the server's own ``error_code`` stays. A number becomes text.

    :param error: the server's value; anything but an object is used as the message.
    """
    fields: Mapping[str, Any] = error if isinstance(error, dict) else {"message": error}
    status = as_whole(fields.get("status_code"))
    told = fields.get("message")
    message = "The server gave no reason" if told is None else str(told)
    code = _find_code(message) or as_key(fields.get("error_code"))
    hint = _CANNOT_TREAT_HINT if message == CANNOT_TREAT else _HINTS.get(code or "")
    further = {name: value for name, value in fields.items() if name not in _FIELDS}
    return KeyyoError(500 if status is None else status, message, code, hint, further)
