"""``keyyo-cti watch``: the calls of a line as they change, one line per change."""

import threading
import time
from concurrent.futures import TimeoutError as StillWaiting
from functools import partial
from typing import Any, Optional, Sequence

from .call import Call
from .cti import CTI
from .errors import KeyyoError, UnreadableMessage
from .terminal import Terminal, printable

REFUSED = 1
DROPPED = 3
INTERRUPTED = 130

#: Seconds between two glances at Ctrl-C, which on Windows does not end a wait on a lock.
_GLANCE = 0.5

#: Seconds that the server has to destroy the session, so that Ctrl-C ends within a second.
_FAREWELL = 0.3

_COLOURS = {"SETUP": "yellow", "CONNECT": "green", "RELEASE": "blue", "MISSED": "red"}


class Watch:
    """Shows calls until the connection ends or Ctrl-C comes.

    :param cti: without a session yet; it is closed in the end.
    :param also: numbers to watch besides the line's own.
    :param out: takes the calls.
    :param err: takes everything else.
    """

    def __init__(self, cti: CTI, also: Sequence[str], out: Terminal, err: Terminal) -> None:
        self._cti = cti
        self._also = also
        self._out = out
        self._err = err
        self._over = threading.Event()
        self._status = INTERRUPTED
        self._failure: Optional[BaseException] = None
        cti.onNewCall = self._show
        cti.onError = self._on_error

    def run(self, token: str) -> int:
        """Watches.

        :param token: the CSI token of the line.
        :returns: the exit code of the command.
        """
        with self._cti:
            try:
                self._cti.create_session(token, self._created)
                while not self._over.wait(_GLANCE):
                    pass
            except KeyboardInterrupt:
                self._end(INTERRUPTED, "stopped")
            self._destroy_session()
        if self._failure is not None:
            raise self._failure
        return self._status

    def _created(self, err: Optional[KeyyoError], res: Any) -> None:
        if err:
            self._end(REFUSED, printable(err))
            return
        self._cti.onDisconnected = partial(self._end, DROPPED, "the connection was lost")
        self._err.line(f"connected as {printable(res.number)}")
        for number in self._also:
            self._cti.subscribe(number, partial(self._subscribed, number))

    def _subscribed(self, number: str, err: Optional[KeyyoError], res: Any) -> None:
        if err:
            self._end(REFUSED, f"cannot watch {printable(number)}: {printable(err)}")
        else:
            self._err.line(f"also watching {printable(number)}")

    def _show(self, call: Call) -> None:
        look = (call.state, call.caller, call.callee, call.callpark_slot)
        # After a subscription the server tells again what is known already.
        if getattr(call, "shown", None) != look:
            call.shown = look
            self._out.line(_described(call, self._out))

    def _on_error(self, error: BaseException) -> None:
        if isinstance(error, UnreadableMessage):
            self._err.line(f"passed over what the server sent: {printable(error)}")
            return
        # A handler of ours failed, most likely because nobody reads our lines any more.
        self._failure = error
        self._over.set()

    def _end(self, status: int, message: str) -> None:
        # Only the first reason counts; what follows from it is no news.
        if not self._over.is_set():
            self._status = status
            self._err.line(message)
            self._over.set()

    def _destroy_session(self) -> None:
        """Nobody will restore the session, so it need not wait five minutes for that."""
        # Asked for it, the end of the connection is no event.
        self._cti.onDisconnected = None
        try:
            self._cti.destroy_session().result(_FAREWELL)
        except (KeyyoError, StillWaiting):
            pass


def _described(call: Call, out: Terminal) -> str:
    state = str(call.state)
    parts = [
        time.strftime("%H:%M:%S"),
        f"{printable(call.caller)} -> {printable(call.callee)}",
        out.paint(_COLOURS.get(state, "bold"), printable(state)),
        _durations(call),
    ]
    if call.callpark_slot is not None:
        parts.append(f"parked in slot {printable(call.callpark_slot)}")
    return "  ".join(part for part in parts if part)


def _durations(call: Call) -> str:
    rang = f"rang {call.get_ringing_duration()} s"
    durations = {
        "CONNECT": rang,
        "RELEASE": f"{rang}, talked {call.get_duration()} s",
        "MISSED": rang,
    }
    return durations.get(str(call.state), "")
