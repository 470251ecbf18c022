"""The session of a CTI: its identity and settings, and the handling of session replies."""

from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, Callable, Dict, Generator, List, Optional, Tuple

from .._display.error_page import add_advice
from .._net import redaction
from .._net.log_thread import ThreadedLogger
from .._net.state_folder import can_make_folder
from ..errors import CommandTimeout, ConnectionClosed, KeyyoError
from ..options import Options
from ..results import Result
from . import wire
from .history import History
from .pending import Reaction
from .server_clock import ServerClock
from .session_store import FileCookie, JarCookie, SessionCookie, cookie_path, default_file
from .wire import Command

_log = ThreadedLogger("keyyo_cti")

#: Commands; each is sent after the one before has its reply ``(error, result)``.
Steps = Generator[Command, Tuple[Optional[KeyyoError], Any], None]

#: Status and code of a restore whose session no longer exists.
_GONE = ((401, "invalid_session_id"), (400, "invalid_params"))

#: The same for auto-restore, which JavaScript lacks: any status counts there.
_GONE_CODES = tuple(code for _, code in _GONE)

#: Commands whose outcome is recorded.
_RECORDED = frozenset(
    {
        "create_session", "subscribe", "unsubscribe", "get_subscriptions", "set_auto_answer",
        "get_auto_answer",
    }
)

#: Errors that are not a refusal by the server.
_NO_REFUSAL = (ConnectionClosed, CommandTimeout)


class SessionSettings:
    """The subscriptions and the auto-answer of a session, as the server confirmed them.

    Only the reader thread writes them.

    :ivar auto_answer: the value that was set; None for the server's default, or if unknown.
    :ivar version: greater after each change.
    :ivar complete: True if every subscription is known; False after a restore from an earlier run.
    """

    def __init__(self) -> None:
        self.auto_answer: Optional[bool] = None
        # number -> True if subscribed. Cancelled numbers stay in the table, because a new session
        # starts with a subscription to its own line.
        self._numbers: Dict[str, bool] = {}
        self._to_replay: List[Command] = []
        self.complete = False
        self.version = 0
        # True if the session was subscribed to its own line from the start.
        self._began_with_own = False
        # Every line whose calls this client may know: those of earlier sessions, and those that
        # it has asked to subscribe to, whose calls may come before the reply. Used as a set.
        self._followed: Dict[str, None] = {}

    def list_subscriptions(self, number: Optional[str]) -> Optional[List[str]]:
        """Return the subscriptions, or None if they are unknown. Thread-safe.

        :param number: the line's own number.
        """
        if not self.complete:
            return None
        known = dict(self._numbers)
        if number is not None and self._began_with_own:
            known = {number: True, **known}
        return [each for each, wanted in known.items() if wanted]

    def subscribed(self) -> List[str]:
        """Return the subscriptions that are known. Thread-safe."""
        return [each for each, wanted in dict(self._numbers).items() if wanted]

    def list_followed(self) -> List[str]:
        """Return the lines whose calls may be known, former ones included. Thread-safe."""
        return list(self._followed)

    def follow(self, number: Any) -> None:
        """Record a line whose calls may be known from now on. Thread-safe."""
        if isinstance(number, str):
            self._followed[number] = None

    def on_ask(self, command: Command) -> bool:
        """Record a command that is about to be sent.

        :returns: False if its outcome need not be recorded.
        """
        if command.action == "subscribe":
            self.follow(command.fields["number"])
        return command.action in _RECORDED

    def on_refusal(self, command: Command) -> None:
        """Record a command that failed. Otherwise wrong numbers would be kept without end."""
        if command.action == "subscribe" and command.fields["number"] not in self._numbers:
            self._followed.pop(command.fields["number"], None)

    def record(self, command: Command, result: Any) -> None:
        """Record a command that the server has executed."""
        self.version += 1
        fields = command.fields
        if command.action == "subscribe":
            self._numbers[fields["number"]] = True
            self.follow(fields["number"])
        elif command.action == "unsubscribe":
            self._numbers[fields["number"]] = False
        elif command.action == "set_auto_answer":
            self.auto_answer = fields["auto_answer"]
        elif command.action == "create_session":
            self._numbers, self._to_replay = {}, []
            self.complete = self._began_with_own = True
            self.auto_answer = fields.get("auto_answer")
        elif isinstance(result, Result):
            self._learn(command.action, result)

    def reset_for(self, number: Optional[str]) -> None:
        """Prepare the replay for a new session, which was created with the auto-answer.

        :param number: the line's own number; the session is subscribed to it from the start.
        """
        self._to_replay = [
            wire.subscribe(each) if wanted else wire.unsubscribe(each)
            for each, wanted in self._numbers.items()
            if wanted != (each == number)
        ]

    def to_replay(self) -> Optional[Command]:
        """Return the next command to replay on the new session, or None."""
        return self._to_replay[0] if self._to_replay else None

    def replayed(self, command: Command) -> None:
        """Drop a replayed command, because it has its reply, even if the server refused it."""
        self._to_replay = [each for each in self._to_replay if each is not command]

    def _learn(self, action: str, result: Result) -> None:
        auto_answer, numbers = result.get("auto_answer"), result.get("numbers")
        if action == "get_auto_answer" and isinstance(auto_answer, bool):
            self.auto_answer = auto_answer
        elif action == "get_subscriptions" and isinstance(numbers, list):
            given_up = {each: False for each, wanted in self._numbers.items() if not wanted}
            listed = {each: True for each in numbers if isinstance(each, str) and each}
            self._numbers = {**given_up, **listed}
            self._followed.update(dict.fromkeys(listed))
            self.complete, self._began_with_own = True, False


class Session:
    """The identity of the session. The reader thread writes it; any thread reads it.

    :ivar number: the line's number (CSI), or None while unknown.
    :ivar session_id: the session's id, a secret, or None while unknown.
    :ivar round_trip: seconds from the last session command to its reply.
    :ivar transport: the transport of the last session. A restore tries it first. Otherwise it
        would lose five seconds each time where a firewall drops websockets.
    :ivar settings: the settings of the session, as far as they are recorded.
    :ivar history: the past of its connections.
    """

    def __init__(self, cookie: Optional[SessionCookie], clock: ServerClock) -> None:
        self._cookie = cookie
        self._clock = clock
        self.number: Optional[str] = None
        self.session_id: Optional[str] = None
        self.round_trip = 0.0
        self.transport: Optional[str] = None
        self.settings = SessionSettings()
        self.history = History()
        self._warned: Optional[str] = None

    @property
    def has_cookie(self) -> bool:
        """True if a cookie holds the session id (option ``cookie_auto``)."""
        return self._cookie is not None

    def load_session_id(self) -> Optional[str]:
        """Return the session id from the cookie, or None."""
        if self._cookie is None:
            return None
        try:
            return self._cookie.load() or None
        except OSError as error:
            self._warn("the session cookie cannot be read", error)
            return None

    def on_create(self, error: Optional[KeyyoError], result: Any) -> None:
        """Handle the reply to create_session."""
        if error is None:
            self._begin(result, result.get("session_id") if isinstance(result, Result) else None)
            if self._cookie is not None and isinstance(self.session_id, str):
                self._change_cookie(lambda cookie: cookie.save(str(self.session_id)))

    def on_restore(self, token: str, session_id: Optional[str]) -> Reaction:
        """Return the reaction to the reply of restore_session.

        With cookies, it replaces a session that no longer exists by a new one.
        """

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

    def plan_restore(
        self, token: str, recreated: Callable[[], object], report: Callable[[KeyyoError], object]
    ) -> Steps:
        """Generate the commands that restore the session after its connection was lost.

        If the session no longer exists, they create a new one with the same settings.

        :param token: a valid CSI token.
        :param recreated: called when a new session was created, even if the attempt fails later.
        :param report: receives the error of each setting that the new session refuses.
        """
        # An id that is not a string cannot be sent.
        session_id = self.session_id if isinstance(self.session_id, str) else None
        error: Optional[KeyyoError] = None
        if session_id:
            redaction.hide(session_id)
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
            # The rest of an earlier attempt comes first.
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
        """Handle the reply to destroy_session. The cookie is deleted now, and not before."""
        self.session_id = None
        self._change_cookie(lambda cookie: cookie.delete())

    def _begin(self, result: Any, session_id: Optional[str]) -> None:
        if isinstance(result, Result):
            self._clock.set(result.get("now"), self.round_trip)
            self.number = result.get("number")
            self.settings.follow(self.number)
        self.session_id = session_id

    def _change_cookie(self, change: Callable[[SessionCookie], None]) -> None:
        """Change the cookie. A failure is logged only: the session itself works."""
        if self._cookie is None:
            return
        try:
            change(self._cookie)
        except OSError as error:
            self._warn("the session cookie cannot be saved", error)

    def _warn(self, what: str, error: OSError) -> None:
        """Log a warning once in a row: there may be a new session every few minutes."""
        message = f"{what}: {error}"
        if message != self._warned:
            self._warned = message
            _log.warning("%s", message)


def _is_gone(error: KeyyoError) -> bool:
    return (error.status_code, error.error_code) in _GONE


def explain_token(error: KeyyoError, command: Command) -> None:
    """Add a hint to the error if the refused token has white space at its ends.

    The token is sent unchanged, as in JavaScript, and no log shows it. Otherwise the line break of
    a token from a file would be hard to find.
    """
    token = command.fields.get("token")
    if isinstance(token, str) and token != token.strip() and not isinstance(error, _NO_REFUSAL):
        hint = "the token has white space at its ends, such as a line break: strip() it"
        add_advice(error, hint)


def make_reaction(steps: Steps) -> Reaction:
    """Return the reaction that runs the steps; the first command is already sent."""

    def react(error: Optional[KeyyoError], result: Any) -> Optional[Command]:
        try:
            return steps.send((error, result))
        except StopIteration:
            return None

    return react


def make_cookie(options: Options) -> Optional[SessionCookie]:
    """Return the cookie that the options describe, or None without ``cookie_auto``."""
    if not options.cookie_auto:
        return None
    if options.cookie_jar is not None:
        return JarCookie(options.cookie_jar, options.cookie_name, options.cookie_expires)
    file = options.cookie_file
    path = _find_default_file() if file is None else cookie_path(file)
    if path is None:
        return JarCookie(CookieJar(), options.cookie_name, options.cookie_expires)
    return FileCookie(path, options.endpoint, options.cookie_name, options.cookie_expires)


def _find_default_file() -> Optional[Path]:
    """Return the user's cookie file, or None if there is no place for one.

    A program without a home, as in a container, did not ask for a file. It runs without one, and
    a warning says why its next run will not find the session.
    """
    try:
        path = default_file()
        usable = path.exists() or can_make_folder(path.parent)
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
