"""Base of the commands that keep a session open: until they are done, or Ctrl-C."""

import threading
from abc import ABC, abstractmethod
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import nullcontext
from enum import Enum
from typing import Any, ClassVar, Optional

from .._display.dates import as_date
from ..call import Call
from ..errors import ConnectionClosed, KeyyoError, UnreadableMessage
from ..results import Restored
from .account_names import AccountNames
from .exit_codes import CONNECTION_LOST, FAILED, INTERRUPTED, NOT_SIGNED_IN
from .session_config import SessionConfig
from .terminal import Terminal, escape

#: Seconds. On Windows, Ctrl-C does not interrupt a wait on a lock.
_CTRL_C_POLL_INTERVAL = 0.5

#: Seconds from one refresh to the next, so that a burst of notifications causes only one.
_MIN_REFRESH_INTERVAL = 0.05

#: Seconds, so that the command ends within a second of Ctrl-C.
_DESTROY_TIMEOUT = 0.3


class ConnectionStatus(Enum):
    """Status of the connection; the value is text for a person."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    RESTORING = "connection lost, being restored"
    RESTORED = "connection restored"


class SessionCommand(ABC):
    """A command that opens a session and handles the calls of its line.

    :cvar restores: True if a lost session is restored, provided that the account gives new
        tokens.
    :param config: opens the session.
    :param err: receives the messages for a person.
    :param names: names beside numbers; None to show none. They are read while ``run`` runs.
    :raises UsageError: an option is wrong.
    """

    restores: ClassVar[bool] = False

    def __init__(
        self, config: SessionConfig, err: Terminal, names: Optional[AccountNames] = None
    ) -> None:
        self.config = config
        self.names = names
        if names is not None:
            names.on_failure = self.print_status
        self.cti = cti = config.make_cti(self.restores)
        self._err = err
        self._ended = threading.Event()
        self._refresh_due = threading.Event()
        self._exit_code = INTERRUPTED
        self._failure: Optional[BaseException] = None
        #: The server's time when the session began, in Unix seconds.
        self.began: Optional[float] = None
        cti.onNewCall = self.on_call
        cti.onRestored = self._on_restored
        cti.onLost = self._on_lost
        cti.onError = self._on_error

    def run(self) -> int:
        """Run until the end of the session.

        :returns: the exit code of the command.
        """
        config = self.config
        with self.cti, self.names or nullcontext():
            try:
                self.cti.create_session(config.token, config.auto_answer, self._on_created)
                while not self._ended.wait(_MIN_REFRESH_INTERVAL):
                    self._refresh_due.wait(_CTRL_C_POLL_INTERVAL)
                    self._refresh_due.clear()
                    self.refresh()
            except KeyboardInterrupt:
                self.end(INTERRUPTED, "stopped")
            self.close_session()
            if config.account is not None and config.catch_up is not None:
                # Otherwise a request to the history would outlive the command.
                config.account.client.close()
        if self._failure is not None:
            raise self._failure
        return self._exit_code

    @abstractmethod
    def on_connected(self) -> None:
        """Start the work of the command; the session is open."""

    @abstractmethod
    def on_call(self, call: Call) -> None:
        """Handle a change of a call."""

    def refresh(self) -> None:
        """Update the display, on the thread of ``run``. Called at least twice a second."""

    def refresh_soon(self) -> None:
        """Cause a refresh, from any thread."""
        self._refresh_due.set()

    def print_status(self, message: str) -> None:
        """Print a message for a person."""
        self._err.print_line(message)

    def set_status(self, status: ConnectionStatus, message: str) -> None:
        """Set the status of the connection, and print a message about it."""
        self.print_status(message)

    def end(self, exit_code: int, message: Optional[str] = None) -> None:
        """End the command. Only the first call counts: later ones are consequences of it."""
        if not self._ended.is_set():
            self._exit_code = exit_code
            if message is not None:
                self.print_status(message)
            self._end_run()

    def fail(self, err: KeyyoError) -> None:
        """End the command because a command was refused, or its reply was lost."""
        lost = isinstance(err, ConnectionClosed) and err.sent
        self.end(CONNECTION_LOST if lost else FAILED, escape(err))

    def close_session(self) -> None:
        """Destroy the session. Otherwise the server would keep it for five minutes."""
        # The disconnection that follows is on purpose.
        self.cti.onDisconnected = None
        try:
            self.cti.destroy_session().result(_DESTROY_TIMEOUT)
        except (KeyyoError, FutureTimeout):
            pass

    def _on_created(self, err: Optional[KeyyoError], res: Any) -> None:
        if err:
            self.fail(err)
            return
        if self._ended.is_set():
            return  # Stopped while it was being opened; close_session destroys it.
        self.began = as_date(res.now)
        self.cti.onDisconnected = self._on_disconnected
        self.set_status(ConnectionStatus.CONNECTED, f"connected as {escape(res.number)}")
        if self.config.warning is not None:
            # After "connected", because programs expect that line first.
            self.print_status(self.config.warning)
        self.on_connected()

    def _on_disconnected(self) -> None:
        if self.restores and self.config.new_token is not None:
            message = "the connection was lost: it is being restored"
            self.set_status(ConnectionStatus.RESTORING, message)
        else:
            self.end(CONNECTION_LOST, "the connection was lost")

    def _on_restored(self, info: Restored) -> None:
        new = " with a new session" if info.recreated else ""
        what = "are not shown" if self.config.catch_up is None else "will come from the history"
        message = f"restored{new}: changes of the last {info.gap:.0f} s {what}"
        self.set_status(ConnectionStatus.RESTORED, message)

    def _on_lost(self, err: KeyyoError) -> None:
        # A new login does not help if the account has no such line.
        sign_in = err.final and err.error_code not in ("not_found", "invalid_params")
        self.end(
            NOT_SIGNED_IN if sign_in else CONNECTION_LOST, f"the session is lost: {escape(err)}"
        )

    def _on_error(self, error: BaseException) -> None:
        if isinstance(error, UnreadableMessage):
            self.print_status(f"ignored a message from the server: {escape(error)}")
        elif isinstance(error, KeyyoError):
            # A subscription was not renewed, or a token could not be obtained or revoked.
            self.print_status(f"not fully restored: {escape(error)}")
        else:
            # A handler of the command failed, most likely because stdout is closed.
            self._failure = error
            self._end_run()

    def _end_run(self) -> None:
        self._ended.set()
        self.refresh_soon()
