"""What goes wrong, as the JavaScript SDK tells it.

::

    Exception
      KeyyoError             the server refused a command, or an argument is wrong
        CommandTimeout       no answer came in time (408)
        ConnectionClosed     the connection is gone, or was never there (400)
          ConnectionFailed   the connection could not be opened
      UnreadableMessage      the server sent what no one understands (``error`` event only)
        UnknownNotification  the server notified something that this SDK does not know
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

from ._net.javascript import as_whole
from ._net.text import plain as plain
from ._net.text import shorten as shorten
from .results import Result, wrap

#: Characters of the kind of a notification; a message can be megabytes long.
_MAX_KIND_LENGTH = 40

#: Characters of a code of the server in a log line or on a screen.
_MAX_CODE_LENGTH = 80

#: The fields that each error has.
_FIELDS = ("status_code", "message", "error_code")

#: error_code by message, as the JavaScript SDK 1.1 adds it.
_CODES = {
    "Malformed request (missing required parameters)": "missing_parameter",
    "RPC invalid params": "invalid_params",
    "Unknown session_id": "invalid_session_id",
}

_HINTS: Dict[str, str] = {
    "invalid_csi_token": "get a fresh CSI token: each is bound to one line and lives one hour",
    "missing_parameter": "a required argument is missing",
    "invalid_session_id": "the session has ended: create a new one with create_session",
}

_CANNOT_TREAT = (
    "the line may have no telephone registered, or its CTI plugin 'websocket' is disabled, "
    "or the call is not in a state that allows this"
)


class KeyyoError(Exception):
    """What a callback gets as ``err`` and what ``Future.result()`` raises.

    A further field that the server sent is there by attribute and by key, as in a Result:
    ``err.reason``, ``err["reason"]``. Neither ``str`` nor ``repr`` shows further fields.

    Source: section Errors of Keyyo's page.

    :param status_code: HTTP status code, an integer.
    :param message: the server's words, unchanged.
    :param error_code: ``invalid_csi_token``, ``missing_parameter``, ``invalid_params``,
        ``invalid_session_id``, ``timeout``, or None where there is no code.
    :param hint: what to do about it, or why it came, in words.
    :param further: the further fields that the server sent.
    :ivar final: True if asking again does not help until a person has done something, False if
        it may help, None if the error does not say.
    """

    final: Optional[bool] = None

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
        self.hint = hint
        self._further: Result = wrap(dict(further))

    @property
    def fields(self) -> Mapping[str, Any]:
        """``status_code``, ``message``, ``error_code`` and the further fields, read-only."""
        own = {name: getattr(self, name) for name in _FIELDS}
        return MappingProxyType(Result(self._further, **own))

    if not TYPE_CHECKING:
        # Hidden from type checkers, so that they find a misspelt attribute.
        def __getattr__(self, name: str) -> Any:
            # Names with an underscore are Python's: "__notes__" from a server would be printed in
            # tracebacks.
            further = {} if name.startswith("_") else self._further
            if name in further:
                return further[name]
            kind = type(self).__name__
            raise AttributeError(f"no attribute {name!r} of this {kind}: it has {sorted(further)}")

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
        # Exception's own way calls the class with ``args``, which are not those of subclasses.
        return _bare, (type(self), self.args), vars(self)

    def __str__(self) -> str:
        # Printed and logged: the server's words fill no log and command no terminal there. All
        # three may be the server's.
        status = shorten(str(self.status_code), _MAX_CODE_LENGTH)
        code = f" [{shorten(str(self.error_code), _MAX_CODE_LENGTH)}]" if self.error_code else ""
        hint = f" ({self.hint})" if self.hint else ""
        return plain(f"{status} {shorten(self.message)}{code}{hint}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def _repr_html_(self) -> str:
        from ._display import html

        return html.error(self.status_code, self.message, self.error_code, self._notes())

    def _notes(self) -> List[str]:
        return [self.hint] if self.hint else []


class CommandTimeout(KeyyoError):
    """The server did not answer in time. It may have done what was asked."""

    def __init__(self, action: str, seconds: float) -> None:
        super().__init__(
            408,
            f"No answer to {action} within {seconds:g} s",
            "timeout",
            "the server may or may not have done it: look before you repeat it",
        )


class ConnectionClosed(KeyyoError):
    """The connection went before an answer came, or there was none.

    ``sent`` is False when the command never left this machine: it is safe to repeat.
    It is True when the outcome is unknown. ``__cause__`` is the error that ended the connection,
    if there was one.
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

    :ivar retry_after: seconds that the server wants to be left alone, or None.
    """

    def __init__(
        self, reason: str, hint: Optional[str] = None, retry_after: Optional[float] = None
    ) -> None:
        super().__init__(sent=False, hint=hint)
        self.message = f"Connexion closed: {reason}"
        self.retry_after = retry_after


class RequestFailed(KeyyoError):
    """A request to Keyyo's web services failed.

    :ivar status_code: the answer's, an integer. Without an answer: 408 (``timeout``: none came
        in time) or 503 (``unreachable``: no connection, or ``untrusted``: its certificate is
        refused, or it speaks no TLS); 502 (``unreadable``) for an answer that no one understands.
    :ivar reason: Keyyo's own words, or None when it gave none.
    :ivar final: True if Keyyo itself has refused, in its own form. A firewall or a gateway may
        answer with the same status in its place, and that may pass.
    :ivar retry_after: seconds after which Keyyo wants to be asked again, or None.
    """

    final = False

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
    """Keyyo gave no tokens. ``error_code`` is OAuth2's ``error`` where Keyyo sent one."""


class CredentialsRefused(OAuth2Error):
    """Keyyo does not let this program in, and will not when it asks again: only a person can
    help, as ``hint`` says."""

    final = True


class TokensNotKept(OAuth2Error):
    """The store of the tokens failed; ``__cause__`` says how, if it is an OSError. New tokens
    that could not be kept are not lost, nor given to anybody: the next who wants tokens has them
    kept first."""


class ManagerError(RequestFailed):
    """The Manager API refused something, or did not answer.

    ``error_code`` is ``unauthorized`` (401), ``forbidden`` (403), ``not_found`` (404),
    ``quota`` (429), ``server_error`` (5xx), ``timeout`` (408), ``unreachable`` or ``untrusted``
    (503), ``unreadable`` (502), ``closed`` (400: the client was), or None. ``final`` is True for
    401, 403 and 404 with Keyyo's own words: the header ``X-Status-Reason``, or a JSON object.
    """


class UnreadableMessage(Exception):
    """The server sent a frame or a message that cannot be read; it is passed over."""


class UnknownNotification(UnreadableMessage):
    """The server notified something that this SDK does not know; it is passed over.

    :ivar kind: what ``notify`` said, as text.
    """

    def __init__(self, kind: Any) -> None:
        self.kind = str(kind)[:_MAX_KIND_LENGTH]
        super().__init__(self.kind)

    def __str__(self) -> str:
        return f"unknown notification {self.kind!r}"


def _bare(kind: Type[KeyyoError], args: Tuple[Any, ...]) -> KeyyoError:
    error = kind.__new__(kind)
    error.args = args
    return error


def invalid_params(argument: str, problem: str) -> KeyyoError:
    """The error for an argument with a wrong value, named before anything is sent."""
    return KeyyoError(400, f"{argument}: {problem}", "invalid_params")


def from_server(error: Any) -> KeyyoError:
    """The KeyyoError for a reply's ``error``, with the code that its message stands for.

    :param error: what the server sent; anything but an object is taken as the message.
    """
    fields: Mapping[str, Any] = error if isinstance(error, dict) else {"message": error}
    status = as_whole(fields.get("status_code"))
    told = fields.get("message")
    message = "The server gave no reason" if told is None else str(told)
    code = "invalid_csi_token" if message.startswith("Invalid token") else _CODES.get(message)
    if code is None and isinstance(fields.get("error_code"), str):
        code = fields["error_code"]
    hint = _CANNOT_TREAT if message == "Cannot treat action" else _HINTS.get(code or "")
    further = {name: value for name, value in fields.items() if name not in _FIELDS}
    return KeyyoError(500 if status is None else status, message, code, hint, further)
