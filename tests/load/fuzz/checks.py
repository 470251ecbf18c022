"""What holds whatever a server sends. Each check takes one input, and raises when it does not."""

from concurrent.futures import Future
from http.cookiejar import CookieJar
from typing import Any, Callable, Iterable, Optional

from keyyo_cti import Call, KeyyoError
from keyyo_cti._client import wire
from keyyo_cti._client.callback import Callback
from keyyo_cti._client.registry import Registry
from keyyo_cti._client.server_clock import ServerClock
from keyyo_cti._client.session import Session
from keyyo_cti._client.session_store import JarCookie
from keyyo_cti._client.wire import CallFields, Command, Reply
from keyyo_cti._sockjs import frames
from keyyo_cti._sockjs.errors import Closed, Unreadable
from keyyo_cti._sockjs.session import CLOSED, CONNECTING, OPEN, Message, Opened, SockJSSession
from keyyo_cti.errors import UnreadableMessage, from_server
from keyyo_cti.results import Result, wrap

_KINDS = (
    frames.Open, frames.Heartbeat, frames.Messages, frames.Close, frames.Broken, frames.Unknown,
)

#: What a frame of each kind may mean, by the state before.
_MAY = {
    CONNECTING: (Opened, Unreadable, Closed),
    OPEN: (Message, Unreadable, Closed),
    CLOSED: (),
}

#: Characters of an error about something that cannot be read.
_LONGEST_COMPLAINT = 200

MOST_ENDED = 5


def check_frame(text: str) -> frames.Frame:
    """Any text is a frame of some kind, by its first character."""
    frame = frames.decode(text)
    assert isinstance(frame, _KINDS)
    if isinstance(frame, frames.Messages):
        assert isinstance(frame.messages, list) and text[0] in "am"
    elif isinstance(frame, frames.Close):
        assert type(frame.code) is int and type(frame.reason) is str and text[0] == "c"
    elif isinstance(frame, frames.Broken):
        assert frame.kind == text[0] and frame.problem
        assert len(repr(frame)) < _LONGEST_COMPLAINT
    return frame


class CheckedProtocol:
    """A SockJS session that is looked at after each frame."""

    def __init__(self) -> None:
        self._protocol = SockJSSession()

    @property
    def closed(self) -> bool:
        return self._protocol.state == CLOSED

    def receive(self, text: str) -> Iterable[Any]:
        """The messages in a frame, once everything about it is found in order."""
        before = self._protocol.state
        events = self._protocol.receive(text)
        after = self._protocol.state
        assert all(isinstance(event, _MAY[before]) for event in events), (before, events)
        assert before != CLOSED or after == CLOSED
        opened = sum(isinstance(event, Opened) for event in events)
        assert opened == (before == CONNECTING and after == OPEN)
        closed = [isinstance(event, Closed) for event in events]
        assert sum(closed) == (before != CLOSED and after == CLOSED)
        assert True not in closed[:-1], "nothing comes after a close"
        for event in events:
            str(event).encode("utf-8", "surrogatepass")
        return [event.value for event in events if isinstance(event, Message)]


def check_sequence(texts: Iterable[str]) -> None:
    """Whatever frames come, a session opens once at most, closes once at most, and is silent
    after that."""
    protocol = CheckedProtocol()
    for text in texts:
        protocol.receive(text)


class Customer:
    """What stands behind a connection: calls, and a session with its clock and cookie."""

    def __init__(self) -> None:
        self._clock = ServerClock()
        self._session = Session(JarCookie(CookieJar(), "fuzz", 60), self._clock)
        self._registry = Registry(self._new_call, MOST_ENDED)

    def ask(
        self, make: Callable[..., Command], arguments: Any, callback: Optional[Callback]
    ) -> "Future[Any]":
        raise AssertionError("nobody asked for anything")

    def server_time(self) -> float:
        return self._clock.now()

    def check_process(self) -> None:
        pass

    def receive(self, message: Any) -> None:
        """Nothing that the decoder lets through does harm."""
        try:
            said = wire.decode(message)
        except UnreadableMessage as error:
            assert len(str(error).encode()) < _LONGEST_COMPLAINT
            return
        repr(said)
        if isinstance(said, Reply):
            self._replied(said)
        else:
            self._notified(said)

    def _new_call(self, callref: str) -> Call:
        return Call(self, callref)

    def _notified(self, said: CallFields) -> None:
        callref = said["callref"]
        update = self._registry.update(callref, said)
        self._registry.handle(update)
        call = update[0]
        assert self._registry.get(callref) in (call, None)
        known = self._registry.all()
        assert sum(each.ended for each in known) <= MOST_ENDED
        assert call is known[-1] or call.ended
        use(call)
        assert list(call) == list(said) and call.callref == callref

    def _replied(self, said: Reply) -> None:
        if said.error is not None:
            error = from_server(said.error)
            assert type(error.status_code) is int and type(error.message) is str
            assert isinstance(error.error_code, (str, type(None)))
            repr(error), str(error)
            self._answered(error, None)
        else:
            result = wrap(said.result)
            assert result is not None
            repr(result)
            if isinstance(result, Result):
                assert getattr(result, "now") == result.get("now")
            self._answered(None, result)

    def _answered(self, error: Optional[KeyyoError], result: Any) -> None:
        self._session.on_create(error, result)
        instead = self._session.on_restore("token", "session")(error, result)
        assert instead is None or instead.action == "create_session"
        remembered = self._session.load_session_id()
        assert remembered is None or isinstance(remembered, str)


def use(call: Call) -> None:
    """Does with a call what programs do."""
    repr(call)
    assert isinstance(call.ended, bool)
    assert call.type == call.state or call.state != call.state
    for seconds in (call.get_duration(), call.get_ringing_duration()):
        assert type(seconds) is int and seconds >= 0
    for name in call:
        assert name in call
        call[name]
    assert len(call.fields) == len(list(call))
    assert not hasattr(call, "no field of this name")
