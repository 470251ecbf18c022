"""A session of the command line: it lasts until there is nothing more to see, or Ctrl-C."""

import threading
from abc import ABC, abstractmethod
from concurrent.futures import TimeoutError as StillWaiting
from enum import Enum
from typing import Any, ClassVar, Optional

from .._display.dates import as_date
from ..call import Call
from ..errors import ConnectionClosed, KeyyoError, UnreadableMessage
from ..results import Restored
from .exit_codes import DROPPED, FAILED, INTERRUPTED, SIGNED_OUT
from .session_config import Opening
from .terminal import Terminal, printable

#: Seconds between two glances at Ctrl-C, which on Windows does not end a wait on a lock.
_GLANCE = 0.5

#: Seconds between two looks at what has changed: a burst of news is one look.
_BREATH = 0.05

#: Seconds that the server has to destroy the session, so that Ctrl-C ends within a second.
_FAREWELL = 0.3


class Standing(Enum):
    """How the connection stands, in words for a person."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    RESTORING = "connection lost, being restored"
    RESTORED = "connection restored"


class Attending(ABC):
    """Attends to the calls of a line until there is no session any more or Ctrl-C comes.

    :cvar restores: whether a lost session is restored, if the account gives tokens for that.
    :param opening: opens the session.
    :param err: takes what is not asked for.
    :raises Misused: an option is wrong.
    """

    restores: ClassVar[bool] = False

    def __init__(self, opening: Opening, err: Terminal) -> None:
        self.opening = opening
        self.cti = cti = opening.cti(self.restores)
        self._err = err
        self._over = threading.Event()
        self._stirred = threading.Event()
        self._status = INTERRUPTED
        self._failure: Optional[BaseException] = None
        #: The server's time when the session began, in Unix seconds.
        self.began: Optional[float] = None
        cti.onNewCall = self.on_call
        cti.onRestored = self._restored
        cti.onLost = self._lost
        cti.onError = self._on_error

    def run(self) -> int:
        """Attends.

        :returns: the exit code of the command.
        """
        opening = self.opening
        with self.cti:
            try:
                self.cti.create_session(opening.token, opening.auto_answer, self._created)
                while not self._over.wait(_BREATH):
                    self._stirred.wait(_GLANCE)
                    self._stirred.clear()
                    self.look()
            except KeyboardInterrupt:
                self.end(INTERRUPTED, "stopped")
            self.leave()
        if self._failure is not None:
            raise self._failure
        return self._status

    @abstractmethod
    def connected(self) -> None:
        """There is a session."""

    @abstractmethod
    def on_call(self, call: Call) -> None:
        """A call has changed."""

    def look(self) -> None:
        """What there is to do now and then, in the thread that runs this: nothing."""

    def stir(self) -> None:
        """Has it look soon, from any thread."""
        self._stirred.set()

    def say(self, message: str) -> None:
        """Tells a person something."""
        self._err.line(message)

    def stand(self, standing: Standing, message: str) -> None:
        """Tells a person that the connection stands otherwise than before."""
        self.say(message)

    def end(self, status: int, message: Optional[str] = None) -> None:
        """Has it end. Only the first reason counts; what follows from it is no news."""
        if not self._over.is_set():
            self._status = status
            if message is not None:
                self.say(message)
            self._finish()

    def fail(self, err: KeyyoError) -> None:
        """Has it end because a command was refused, or its answer was lost."""
        lost = isinstance(err, ConnectionClosed) and err.sent
        self.end(DROPPED if lost else FAILED, printable(err))

    def leave(self) -> None:
        """Destroys the session: nobody will restore it, so it need not wait five minutes."""
        # Asked for it, the end of the connection is no event.
        self.cti.onDisconnected = None
        try:
            self.cti.destroy_session().result(_FAREWELL)
        except (KeyyoError, StillWaiting):
            pass

    def _created(self, err: Optional[KeyyoError], res: Any) -> None:
        if err:
            self.fail(err)
            return
        self.began = as_date(res.now)
        self.cti.onDisconnected = self._disconnected
        self.stand(Standing.CONNECTED, f"connected as {printable(res.number)}")
        if self.opening.warning is not None:
            # Only now: programs read that line first.
            self.say(self.opening.warning)
        self.connected()

    def _disconnected(self) -> None:
        if self.restores and self.opening.new_token is not None:
            self.stand(Standing.RESTORING, "the connection was lost: it is being restored")
        else:
            self.end(DROPPED, "the connection was lost")

    def _restored(self, info: Restored) -> None:
        new = ", with a new session" if info.recreated else ""
        message = f"restored{new}: what happened in {info.gap:.0f} s is not shown"
        self.stand(Standing.RESTORED, message)

    def _lost(self, err: KeyyoError) -> None:
        # A line that the account does not have does not come back with a sign-in.
        signed_out = err.final and err.error_code not in ("not_found", "invalid_params")
        self.end(SIGNED_OUT if signed_out else DROPPED, f"the session is lost: {printable(err)}")

    def _on_error(self, error: BaseException) -> None:
        if isinstance(error, UnreadableMessage):
            self.say(f"passed over what the server sent: {printable(error)}")
            return
        if isinstance(error, KeyyoError):
            # What a new session does not do for us, or what becomes of a token.
            self.say(f"not all is as it was: {printable(error)}")
            return
        # A handler of ours failed, most likely because nobody reads our lines any more.
        self._failure = error
        self._finish()

    def _finish(self) -> None:
        self._over.set()
        self.stir()
