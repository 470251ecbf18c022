"""The session of a CTI: who we are to the server, and what each answer makes of it."""

import logging
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, Callable, Dict, Generator, List, Optional, Tuple

from .._net.state_folder import can_be_made
from ..errors import CommandTimeout, ConnectionClosed, KeyyoError
from ..options import Options
from ..results import Result
from . import wire
from .pending import Reaction
from .server_clock import ServerClock
from .session_store import FileCookie, JarCookie, SessionCookie, cookie_path, default_file
from .wire import Command

_log = logging.getLogger("keyyo_cti")

#: Commands, each of which is asked when the one before is answered with ``(error, result)``.
Steps = Generator[Command, Tuple[Optional[KeyyoError], Any], None]

#: What a restore answers when the session is not there any more.
_GONE = ((401, "invalid_session_id"), (400, "invalid_params"))

#: The same for auto-restore, which JavaScript does not have: there another status must not end it.
_GONE_CODES = tuple(code for _, code in _GONE)

#: Errors by which the server has refused nothing.
_NO_REFUSAL = (ConnectionClosed, CommandTimeout)


class SessionSettings:
    """The subscriptions and the auto-answer of a session, as the server confirmed them.

    Written by the thread that reads the server's replies.

    :ivar auto_answer: what was set; None for the server's default, or if it is not known.
    """

    def __init__(self) -> None:
        self.auto_answer: Optional[bool] = None
        # number -> True if it is subscribed to. A number that was given up is kept too, because a
        # new session is subscribed to its own line.
        self._numbers: Dict[str, bool] = {}
        self._to_replay: List[Command] = []

    def record(self, command: Command, result: Any) -> None:
        """Record a command that the server has carried out."""
        fields = command.fields
        if command.action == "subscribe":
            self._numbers[fields["number"]] = True
        elif command.action == "unsubscribe":
            self._numbers[fields["number"]] = False
        elif command.action == "set_auto_answer":
            self.auto_answer = fields["auto_answer"]
        elif command.action == "create_session":
            self._numbers, self._to_replay = {}, []
            self.auto_answer = fields.get("auto_answer")
        elif isinstance(result, Result):
            self._learn(command.action, result)

    def reset_for(self, number: Optional[str]) -> None:
        """A new session was created, with the auto-answer: all the rest is to be replayed.

        :param number: the line's, to which the session is subscribed from the start.
        """
        self._to_replay = [
            wire.subscribe(each) if wanted else wire.unsubscribe(each)
            for each, wanted in self._numbers.items()
            if wanted != (each == number)
        ]

    def to_replay(self) -> Optional[Command]:
        """Return the next command for the new session, or None."""
        return self._to_replay[0] if self._to_replay else None

    def replayed(self, command: Command) -> None:
        """The server has answered the command, even if it refused."""
        self._to_replay = [each for each in self._to_replay if each is not command]

    def _learn(self, action: str, result: Result) -> None:
        auto_answer, numbers = result.get("auto_answer"), result.get("numbers")
        if action == "get_auto_answer" and isinstance(auto_answer, bool):
            self.auto_answer = auto_answer
        elif action == "get_subscriptions" and isinstance(numbers, list):
            given_up = {each: False for each, wanted in self._numbers.items() if not wanted}
            listed = {each: True for each in numbers if isinstance(each, str) and each}
            self._numbers = {**given_up, **listed}


class Session:
    """State of the session: written by the reader thread, read by any.

    :ivar number: the line's number (CSI), once known.
    :ivar session_id: the session's id, once known; a secret.
    :ivar round_trip: seconds that the answer took that comes next; set by its receiver.
    :ivar transport: the transport of the last session. Where websockets are blocked in silence, a
        restore that began with them would take five seconds each time.
    :ivar settings: what the session keeps, as far as it is recorded.
    """

    def __init__(self, cookie: Optional[SessionCookie], clock: ServerClock) -> None:
        self._cookie = cookie
        self._clock = clock
        self.number: Optional[str] = None
        self.session_id: Optional[str] = None
        self.round_trip = 0.0
        self.transport: Optional[str] = None
        self.settings = SessionSettings()
        self._warned: Optional[str] = None

    @property
    def has_cookie(self) -> bool:
        """True if the session id is kept in a cookie (option ``cookie_auto``)."""
        return self._cookie is not None

    def remembered(self) -> Optional[str]:
        """The session id of the cookie, if there is one."""
        if self._cookie is None:
            return None
        try:
            return self._cookie.load() or None
        except OSError as error:
            self._warn("the session cookie cannot be read", error)
            return None

    def on_create(self, error: Optional[KeyyoError], result: Any) -> None:
        """Reacts to the answer to create_session."""
        if error is None:
            self._begin(result, result.get("session_id") if isinstance(result, Result) else None)
            if self._cookie is not None and isinstance(self.session_id, str):
                self._keep(lambda cookie: cookie.save(str(self.session_id)))

    def on_restore(self, token: str, session_id: Optional[str]) -> Reaction:
        """Reacts to the answer to restore_session: with cookies, a session that is gone is
        replaced by a new one, and the caller gets the answer of that."""

        fell_back = False

        def react(error: Optional[KeyyoError], result: Any) -> Optional[Command]:
            nonlocal fell_back
            if fell_back:
                self.on_create(error, result)
            elif error is None:
                self._begin(result, session_id)
            elif self._cookie is not None and _is_gone(error):
                fell_back = True
                return wire.create_session(token)
            return None

        return react

    def reopening(
        self, token: str, recreated: Callable[[], object], report: Callable[[KeyyoError], object]
    ) -> Steps:
        """The commands that bring the session back after its connection was lost, one by one,
        or make another one in its place that is asked to keep the same.

        :param token: a good CSI token.
        :param recreated: is told when another one was made, if only for this attempt.
        :param report: is told of what the new session would not do.
        """
        # One that is no text is of no use to ask with.
        session_id = self.session_id if isinstance(self.session_id, str) else None
        error: Optional[KeyyoError] = None
        if session_id:
            error, result = yield wire.restore_session(token, session_id)
            if error is None:
                self._begin(result, session_id)
        if not session_id or (error is not None and error.error_code in _GONE_CODES):
            error, result = yield wire.create_session(token, self.settings.auto_answer)
            self.on_create(error, result)
            if error is None:
                recreated()
                self.settings.reset_for(self.number)
        while error is None:
            # What an attempt before this one could not finish, it has left.
            command = self.settings.to_replay()
            if command is None:
                return
            refusal, _ = yield command
            if isinstance(refusal, ConnectionClosed):
                return
            self.settings.replayed(command)
            if refusal is not None:
                report(refusal)

    def on_destroy(self) -> None:
        """The server has destroyed the session; the cookie goes too, and not before."""
        self.session_id = None
        self._keep(lambda cookie: cookie.delete())

    def _begin(self, result: Any, session_id: Optional[str]) -> None:
        if isinstance(result, Result):
            self._clock.set(result.get("now"), self.round_trip)
            self.number = result.get("number")
        self.session_id = session_id

    def _keep(self, change: Callable[[SessionCookie], None]) -> None:
        """A cookie that cannot be kept is no reason to refuse a session that is there."""
        if self._cookie is None:
            return
        try:
            change(self._cookie)
        except OSError as error:
            self._warn("the session cookie cannot be kept", error)

    def _warn(self, what: str, error: OSError) -> None:
        """Log a warning, but the same one once: there may be a new session every few minutes."""
        message = f"{what}: {error}"
        if message != self._warned:
            self._warned = message
            _log.warning("%s", message)


def _is_gone(error: KeyyoError) -> bool:
    return (error.status_code, error.error_code) in _GONE


def explain_token(error: KeyyoError, command: Command) -> None:
    """Say in the hint that the refused token has white space at its ends, if it has.

    The token is sent as it is, as in JavaScript. Of a token that was read from a file, the line
    break would otherwise be hard to find: nothing shows the token.
    """
    token = command.fields.get("token")
    if isinstance(token, str) and token != token.strip() and not isinstance(error, _NO_REFUSAL):
        hint = "the token has white space at its ends, such as a line break: strip() it"
        error.hint = hint if error.hint is None else f"{hint}; {error.hint}"


def following(steps: Steps) -> Reaction:
    """The reaction that goes from one command to the next, the first of which was asked."""

    def react(error: Optional[KeyyoError], result: Any) -> Optional[Command]:
        try:
            return steps.send((error, result))
        except StopIteration:
            return None

    return react


def cookie_for(options: Options) -> Optional[SessionCookie]:
    """The cookie that the options ask for, or None without ``cookie_auto``."""
    if not options.cookie_auto:
        return None
    if options.cookie_jar is not None:
        return JarCookie(options.cookie_jar, options.cookie_name, options.cookie_expires)
    path = _default_file() if options.cookie_file is None else cookie_path(options.cookie_file)
    if path is None:
        return JarCookie(CookieJar(), options.cookie_name, options.cookie_expires)
    return FileCookie(path, options.endpoint, options.cookie_name, options.cookie_expires)


def _default_file() -> Optional[Path]:
    """Return the cookie file of this user, or None if the user has no place for one.

    A program without a home, as in a container, did not ask for a file: it goes on without, but
    is told why its next run will not find the session.
    """
    try:
        path = default_file()
        usable = path.exists() or can_be_made(path.parent)
        problem = "" if usable else f"the folder {path.parent} cannot be made or written to"
    except OSError as error:
        problem = str(error)
    if not problem:
        return path
    _log.warning(
        "the session is kept in memory only, not for the next run: %s; or give cookie_file, or "
        "cookie_auto=False",
        problem,
    )
    return None
