"""One connection, from its opening to its end, on a transport that follows a script."""

from __future__ import annotations

import contextlib
import threading
from typing import Any, Callable, Dict, Iterator, List, Optional, Type

import pytest

from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._net.clock import NEVER, time_asleep
from keyyo_cti._net.reentrant import Flag
from keyyo_cti._net.stream import WriteFailed
from keyyo_cti._sockjs import connection as module
from keyyo_cti._sockjs.connection import Connection
from keyyo_cti._sockjs.errors import NORMAL, Closed, NotOpen, SendFailed, SockJSError, Unreadable
from keyyo_cti._sockjs.handshake import TRANSPORTS, HandshakeResult, Timeouts
from keyyo_cti._sockjs.session import SockJSSession
from keyyo_cti._sockjs.transport import SendProgress

from ...helpers.background import A_WHILE, SOON, Background, Hand
from ...helpers.probe import Record
from .scripted_transport import Pause, Scripted, Step, Together

URL = "http://server.test/cti"


class Told(Record):
    """Keeps what it is told, and wants to be called when it is due."""

    def __init__(self, clock: Hand) -> None:
        super().__init__()
        self.due_at = NEVER
        #: What the connection would take for a mistake of its own.
        self.failed: List[Exception] = []
        self.on_received: Callable[[Any], object] = lambda _: None
        self._clock = clock

    def opened(self) -> None:
        self.add("opened")

    def received(self, message: Any) -> None:
        self.add(("received", message))
        with self.keeping_failures():
            self.on_received(message)

    @contextlib.contextmanager
    def keeping_failures(self) -> Iterator[None]:
        """For what the test has done and looks at on the thread of the connection."""
        try:
            yield
        except (AssertionError, AttributeError) as failure:
            self.failed.append(failure)
            raise

    def unreadable(self, error: Exception) -> None:
        self.add(("unreadable", str(error)))

    def due(self) -> float:
        return self.due_at

    def on_due(self, now: float) -> None:
        self.add(("due", now))
        if now >= self.due_at:
            self.due_at = NEVER

    def woke(self) -> None:
        self.add("woke")

    def closed(self, closed: Closed) -> None:
        self.add(closed)


class Stage:
    """A connection whose opening is played: its transport follows a script, or it fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
        self.clock = Hand()
        self.told = Told(self.clock)
        self.handshake: Callable[[], Optional[Exception]] = lambda: None
        self.opened_with: List[Any] = []
        self.transport: Any = None
        self._kind: Type[Scripted] = Scripted
        monkeypatch.setattr(module, "Handshake", self._play)
        self.connection = Connection(
            options.pop("url", URL), self.told, clock=self.clock, **options
        )
        self._running: Optional[Background] = None

    def script(self, *steps: Step, timeout: float = 0.0) -> None:
        """What the transport does, once it is open."""
        self._kind = type("Kind", (Scripted,), {
            "script": [None, *steps], "clock": self.clock, "tried": [],
            "min_silence_timeout": timeout,
        })

    def run(self, *steps: Step, timeout: float = 0.0) -> Closed:
        """Runs it to its end, and tells how that was."""
        self.script(*steps, timeout=timeout)
        self.start()
        return self.end()

    def start(self) -> None:
        """Runs it in a thread of its own."""
        self._running = Background(self.connection.run)

    def end(self) -> Closed:
        self.running.result()
        assert self.told.failed == []
        closed = self.told.items[-1]
        assert isinstance(closed, Closed)
        assert [type(each) for each in self.told.items].count(Closed) == 1
        assert self.connection.transport is None
        assert self.transport is None or self.transport.discarded == 1
        return closed

    @property
    def running(self) -> Background:
        assert self._running is not None
        return self._running

    def settle(self) -> None:
        """Makes sure that nothing runs any more."""
        if self._running is not None:
            self.connection.begin_close()
            self.connection.finish_close(self.clock() - 1)
            self._running.error()

    def _play(self, *arguments: Any) -> Any:
        self.opened_with.append(arguments)
        stage = self

        class Played:
            def run(self) -> HandshakeResult:
                with stage.told.keeping_failures():
                    error = stage.handshake()
                if error is not None:
                    raise error
                stage.transport = stage._kind(None)  # type: ignore[arg-type]
                stage.transport.open(NEVER)
                protocol = SockJSSession()
                return HandshakeResult(stage.transport, protocol, protocol.receive("o"))

        return Played()

    @property
    def cancel_token(self) -> CancelToken:
        cancel_token: CancelToken = self.opened_with[0][2]
        return cancel_token


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    stage = Stage(monkeypatch)
    yield stage
    stage.settle()


LOST = SockJSError(1006, "Connection lost: reset", OSError("reset"))


# From the opening to the end.


def test_a_whole_connection(stage: Stage) -> None:
    """It opens, tells what comes in its order, and at last how it ended."""
    closed = stage.run("h", 'a["1",{"2":3}]', 'm"4"', 'c[3000,"Go away!"]', 'a["late"]')
    assert stage.told.items == [
        "opened", ("received", "1"), ("received", {"2": 3}), ("received", "4"), closed,
    ]
    assert closed == Closed(3000, "Go away!")


def test_one_thread(stage: Stage) -> None:
    """All of it is told on the thread that runs it."""
    threads: List[int] = []
    stage.told.on_received = lambda _: threads.append(threading.get_ident())
    stage.run('a["1"]', LOST)
    assert threads != [threading.get_ident()] and len(threads) == 1


def test_what_it_is_opened_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """The opening has the URL without its last slash, the connect time-out, the limits and the
    transports that were given, and a way there with the authorities and proxies that were."""
    timeouts = Timeouts(
        connect_timeout=7.0, write_timeout=2.0, heartbeat_timeout=3.0, max_message_size=4)
    proxies = {"all": "proxy.test:3128"}
    stage = Stage(
        monkeypatch, url=URL + "/", timeouts=timeouts, transports=["xhr-polling"],
        ca_certs="ca.pem", proxies=proxies,
    )
    stage.run(LOST)
    base_url, connector, cancel_token, until, with_limits, transports, clock = stage.opened_with[0]
    assert (base_url, until, with_limits, clock) == (URL, 107.0, timeouts, stage.clock)
    assert tuple(transports) == ("xhr-polling",)
    assert getattr(connector, "_origin") == ("server.test", 80, False)
    assert getattr(connector, "_write_timeout") == 2.0
    assert getattr(connector, "_cancel_token") is cancel_token
    assert getattr(connector, "_clock") is clock
    assert (getattr(connector, "_ca_certs"), getattr(connector, "_proxies")) == ("ca.pem", proxies)


def test_what_it_is_opened_with_by_default(stage: Stage) -> None:
    """By default there are the usual limits, every transport, and no authorities or proxies but
    those of the environment."""
    stage.run(LOST)
    assert stage.opened_with[0][4:6] == (Timeouts(), TRANSPORTS)
    connector = stage.opened_with[0][1]
    assert (getattr(connector, "_ca_certs"), getattr(connector, "_proxies")) == (None, None)


def test_bad_url() -> None:
    """A URL that SockJS cannot use is refused at once."""
    with pytest.raises(ValueError, match="expected a URL"):
        Connection("ftp://server.test", Told(Hand()))


def test_opening_that_fails(stage: Stage) -> None:
    """An opening that fails is the end, and tells why."""
    error = SockJSError(2000, "All transports failed", OSError("why"))
    stage.handshake = lambda: error
    closed = stage.run()
    assert (closed, closed.cause) == (error.closed, error.closed.cause)
    assert stage.told.items == [closed]


def test_connection_that_is_lost(stage: Stage) -> None:
    """A transport that fails is the end, and tells why."""
    closed = stage.run('a["1"]', LOST)
    assert (closed, closed.cause) == (LOST.closed, LOST.closed.cause)


@pytest.mark.parametrize("at", ["opening", "transport", "listener"])
def test_bug(stage: Stage, at: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever goes wrong, the end is told, and the mistake is logged."""
    bug = KeyError("bug")

    def fail(*_: Any) -> None:
        raise bug

    if at == "opening":
        stage.handshake = lambda: bug
    elif at == "listener":
        stage.told.on_received = fail
    closed = stage.run('a["1"]', bug)
    assert closed == Closed(1006, "The reader thread failed: KeyError") and closed.cause is bug
    assert "the reader thread failed" in caplog.text and "KeyError" in caplog.text
    assert [record.name for record in caplog.records] == ["keyyo_cti.sockjs"]


def test_exit(stage: Stage) -> None:
    """The end is told also when its thread is made to exit."""

    def leave(_: Any) -> None:
        raise SystemExit

    stage.told.on_received = leave
    stage.script('a["1"]')
    stage.start()
    with pytest.raises(SystemExit):
        stage.end()
    assert stage.told.items[-1] == Closed(1006, "The reader thread failed")
    assert stage.transport.discarded == 1


@pytest.mark.parametrize("is_open", [False, True])
def test_end_begun_in_the_midst_of_opening(stage: Stage, is_open: bool) -> None:
    """As a signal handler does between any two steps. Either side finds the other."""
    ending: Dict[None, Closed] = getattr(stage.connection, "_end")

    class Interrupted(Dict[None, Any]):
        """What is open; a handler begins the end as the transport is put in."""

        def __setitem__(self, key: None, transport: Any) -> None:
            if is_open:
                super().__setitem__(key, transport)
            stage.connection.begin_close()
            if not is_open:
                super().__setitem__(key, transport)

    setattr(stage.connection, "_open_transport", Interrupted())
    assert stage.run(LOST).code == NORMAL
    assert ending[None].code == NORMAL and stage.connection.transport is None
    assert stage.cancel_token.cancelled is not is_open


def test_unreadable(stage: Stage) -> None:
    """What cannot be read is told, and it goes on."""
    stage.run(Unreadable("not UTF-8"), "a[", 'a["1"]', LOST)
    assert stage.told.items[1:-1] == [
        ("unreadable", "not UTF-8"),
        ("unreadable", "a frame of kind 'a': JSONDecodeError"),
        ("received", "1"),
    ]


def test_transport(stage: Stage) -> None:
    """The name of the transport is known while there is one."""
    seen: List[Optional[str]] = [stage.connection.transport]
    stage.told.on_received = lambda _: seen.append(stage.connection.transport)
    stage.run('a["1"]', LOST)
    assert [*seen, stage.connection.transport] == [None, "scripted", None]


# Sending.


def test_send(stage: Stage) -> None:
    """While it is open, messages are sent, and whoever wants to know is told that they left."""
    progress = SendProgress()

    def send(_: Any) -> None:
        stage.connection.send("1", progress)
        stage.connection.send("2")

    stage.told.on_received = send
    stage.run('a["1"]', LOST)
    assert stage.transport.sent == ["1", "2"]
    assert progress.begun


def test_send_when_it_is_not_open(stage: Stage) -> None:
    """Before and after that, sending is an error, and nothing is sent."""
    with pytest.raises(NotOpen):
        stage.connection.send("1")
    stage.handshake = lambda: pytest.raises(NotOpen, stage.connection.send, "2") and None
    stage.run(LOST)
    with pytest.raises(NotOpen):
        stage.connection.send("3")
    assert stage.transport.sent == []


@pytest.mark.parametrize("begun", [False, True])
def test_send_that_fails(stage: Stage, begun: bool) -> None:
    """Sending that fails tells whether any of the message has left, and ends the connection with
    that reason, whatever comes after."""
    failures: List[SendFailed] = []
    error = WriteFailed("full", begun)

    def send(_: Any) -> None:
        stage.transport.failing = error
        with pytest.raises(SendFailed) as caught:
            stage.connection.send("1")
        failures.append(caught.value)
        assert stage.connection.transport is None and stage.cancel_token.cancelled
        with pytest.raises(NotOpen):
            stage.connection.send("2")

    stage.told.on_received = send
    closed = stage.run('a["1"]', LOST)
    assert closed == Closed(1006, "Sending failed: full") and closed.cause is error
    (failure,) = failures
    assert failure.begun is begun
    assert str(failure) == "1006 Sending failed: full"


def test_send_that_fails_after_the_closing(stage: Stage) -> None:
    """A message that fails while it closes changes nothing of the reason."""

    def send(_: Any) -> None:
        def close_first(message: str, progress: SendProgress) -> None:
            stage.connection.begin_close(3000, "enough")
            raise WriteFailed("full", False)

        stage.transport.send = close_first
        with pytest.raises(SendFailed):
            stage.connection.send("1")

    stage.told.on_received = send
    assert stage.run('a["1"]', LOST) == Closed(3000, "enough")


# Closing.


def test_close(stage: Stage) -> None:
    """To close is to say goodbye, once, and to wait for the answer; meanwhile what comes is
    told, nothing is sent, and the first reason counts."""

    def close(message: Any) -> None:
        stage.connection.begin_close(3000, "enough")
        stage.connection.begin_close(4000, "more than enough")
        assert stage.connection.transport is None
        with pytest.raises(NotOpen):
            stage.connection.send("1")
        assert not stage.cancel_token.cancelled

    stage.told.on_received = close
    closed = stage.run('a["1"]', 'a["2"]', LOST)
    assert closed == Closed(3000, "enough") and closed.cause is None
    assert ("received", "2") in stage.told.items
    assert stage.transport.does == ["goodbye", "discard"]


def test_close_by_default(stage: Stage) -> None:
    """By default it is a normal closure."""
    stage.told.on_received = lambda _: stage.connection.begin_close()
    assert stage.run('a["1"]', LOST) == Closed(1000, "Normal closure")


@pytest.mark.parametrize("code", [1000, 3000, 4999])
def test_codes(stage: Stage, code: int) -> None:
    """The codes that one may close with."""
    stage.connection.begin_close(code)


@pytest.mark.parametrize("code", [999, 1001, 1006, 2999, 5000])
def test_other_codes(stage: Stage, code: int) -> None:
    """Any other is refused, and closes nothing."""
    with pytest.raises(ValueError) as caught:
        stage.connection.begin_close(code)
    assert str(caught.value) == f"code: expected 1000 or 3000 to 4999, got {code}"
    assert stage.run(LOST) == LOST.closed


@pytest.mark.parametrize("within, gone", [(None, 101.0), (7.0, 107.0)])
def test_close_without_an_answer(
    stage: Stage, within: Optional[float], gone: float, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that does not answer the goodbye is left after a second, or as long as it was
    given, and the reason is the one that was given; it is no mistake, and not logged as one."""
    more = {} if within is None else {"within": within}
    stage.told.on_received = lambda _: stage.connection.begin_close(1000, "enough", **more)
    assert stage.run('a["1"]') == Closed(1000, "enough")
    assert stage.clock() == gone
    assert caplog.records == []


def test_close_when_goodbye_fails(stage: Stage) -> None:
    """Where goodbye cannot be said, everything that waits is ended at once."""

    def close(_: Any) -> None:
        stage.transport.failing = WriteFailed("full", False)
        stage.connection.begin_close()
        assert stage.cancel_token.cancelled

    stage.told.on_received = close
    assert stage.run('a["1"]', LOST) == Closed(1000, "Normal closure")


def test_close_before_it_is_open(stage: Stage) -> None:
    """While it opens, closing ends the opening."""

    def handshake() -> SockJSError:
        stage.connection.begin_close()
        assert stage.cancel_token.cancelled
        return SockJSError(1002, "given up")

    stage.handshake = handshake
    assert stage.run() == Closed(1000, "Normal closure")
    assert stage.told.items == [Closed(1000, "Normal closure")]


def test_close_just_when_it_opens(stage: Stage) -> None:
    """A transport that opens all the same is not used any more."""

    def handshake() -> None:
        stage.connection.begin_close()

    stage.handshake = handshake
    stage.told.on_received = lambda _: pytest.raises(NotOpen, stage.connection.send, "1")
    assert stage.run('a["1"]', LOST) == Closed(1000, "Normal closure")
    assert stage.transport.sent == [] and stage.transport.does == ["discard"]


def test_close_before_it_runs(stage: Stage) -> None:
    """One that is closed before it runs ends with that reason."""
    stage.connection.begin_close(3000, "never")
    assert stage.run(LOST) == Closed(3000, "never")


def test_close_after_the_end(stage: Stage) -> None:
    """After the end, closing changes nothing."""
    stage.run(LOST)
    stage.connection.begin_close()
    stage.connection.finish_close(stage.clock() + SOON)
    assert stage.transport.does == ["discard"]
    assert not stage.cancel_token.cancelled
    assert stage.told.items[-1] == LOST.closed


def test_finish_close(stage: Stage) -> None:
    """Who makes sure of the end waits for it."""
    pause = Pause()
    stage.script('a["1"]', pause, LOST)
    stage.start()
    assert pause.reached.wait(SOON)
    stage.connection.begin_close()
    finishing = Background(stage.connection.finish_close, stage.clock() + SOON)
    assert finishing.waits()
    assert not stage.cancel_token.cancelled
    pause.go_on.set()
    finishing.result()
    assert not stage.cancel_token.cancelled
    assert stage.end() == Closed(1000, "Normal closure")


@pytest.mark.parametrize("ahead", [A_WHILE, 0.0, -1.0])
def test_finish_close_in_time(
    stage: Stage, ahead: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it does not come in time, it is made to come; without time there is no waiting."""
    waits: List[float] = []
    wait = Flag.wait

    def wait_for(flag: Flag, seconds: float) -> bool:
        waits.append(seconds)
        return wait(flag, seconds)

    monkeypatch.setattr(Flag, "wait", wait_for)
    pause = Pause()
    stage.script('a["1"]', pause, LOST)
    stage.start()
    assert pause.reached.wait(SOON)
    stage.connection.begin_close()
    stage.connection.finish_close(stage.clock() + ahead)
    assert waits == [pytest.approx(max(0.0, ahead))]
    assert stage.cancel_token.cancelled
    pause.go_on.set()
    stage.end()


def test_finish_close_on_its_own_thread(stage: Stage) -> None:
    """Its own thread would wait for itself."""
    failures = Record()

    def finish(_: Any) -> None:
        with pytest.raises(AssertionError):
            stage.connection.finish_close(stage.clock())
        failures.add(1)

    stage.told.on_received = finish
    stage.run('a["1"]', LOST)
    assert failures.items == [1]


def test_fail(stage: Stage) -> None:
    """The listener may end it as lost: goodbye is said all the same, and waited for a second."""
    stage.told.on_received = lambda _: stage.connection.fail("no answer to the ping")
    assert stage.run('a["1"]') == Closed(1006, "no answer to the ping")
    assert stage.transport.does == ["goodbye", "discard"]
    assert stage.clock() == 101.0


def test_fail_on_another_thread(stage: Stage) -> None:
    """Nobody else may."""
    with pytest.raises(AssertionError):
        stage.connection.fail("no")
    assert stage.run(LOST) == LOST.closed


def test_the_end_is_over_before_it_is_told(stage: Stage) -> None:
    """When the end is told, there is no transport any more, and nobody waits for it."""
    seen: List[Any] = []

    def closed(_: Closed) -> None:
        seen.append(stage.connection.transport)
        seen.append(stage.transport.discarded)
        waiting = Background(stage.connection.finish_close, stage.clock() + SOON)
        waiting.result()
        seen.append(stage.cancel_token.cancelled)
        stage.told.add(_)

    stage.told.closed = closed  # type: ignore[assignment, method-assign]
    stage.run(LOST)
    assert seen == [None, 1, False]


# Time.


def test_due(stage: Stage) -> None:
    """The listener is called when it is due, and not before, while frames come and go."""
    stage.told.due_at = 103.5

    def later(seconds: float) -> Callable[[], str]:
        def step() -> str:
            stage.clock.time += seconds
            return "h"

        return step

    stage.run(later(1), later(2), None, None, LOST)
    times = [each[1] for each in stage.told.items if isinstance(each, tuple) and each[0] == "due"]
    assert times[0] == 103.5


def test_due_while_frames_come(stage: Stage) -> None:
    """It is called in time also when a frame came at that very moment, and after it."""
    stage.told.due_at = 101.0

    def late() -> str:
        stage.clock.time = 101.0
        return 'a["1"]'

    stage.run(late, LOST)
    assert stage.told.items[1:3] == [("due", 101.0), ("received", "1")]


def test_what_comes_together(stage: Stage) -> None:
    """What comes together is told at once, in its order, before anybody looks at the clock."""
    stage.told.due_at = 101.0

    def late() -> Together:
        stage.clock.time = 101.0
        return Together('a["1"]', Unreadable("odd"), 'a["2","3"]')

    stage.run(late, 'a["4"]', LOST)
    assert stage.told.items[1:7] == [
        ("due", 101.0),
        ("received", "1"),
        ("unreadable", "odd"),
        ("received", "2"),
        ("received", "3"),
        ("received", "4"),
    ]


def test_what_is_due_while_much_is_told(stage: Stage) -> None:
    """Somebody who takes long for each of many that came together keeps nothing waiting that is
    due meanwhile, and the rest is told after it."""
    stage.told.due_at = 102.0

    def slow(message: str) -> None:
        stage.clock.time += 1.0

    stage.told.on_received = slow
    stage.run(lambda: Together(*(f'a["{number}"]' for number in range(4))), LOST)
    assert stage.told.items[1:6] == [
        ("received", "0"), ("received", "1"), ("due", 102.0), ("received", "2"), ("received", "3"),
    ]


def test_the_end_among_what_comes_together(stage: Stage) -> None:
    """What comes together with the end, after it, is not told."""
    closed = stage.run(lambda: Together('a["1"]', 'c[3000,"over"]', 'a["2"]'), LOST)
    assert closed == Closed(3000, "over")
    assert stage.told.items[1:] == [("received", "1"), closed]


def probes(stage: Stage) -> int:
    count: int = stage.transport.does.count("probe")
    return count


@pytest.mark.parametrize(
    "limit, least, dead", [(60.0, 0.0, 160.0), (10.0, 60.0, 160.0), (90.0, 60.0, 190.0)]
)
def test_silence(
    monkeypatch: pytest.MonkeyPatch, limit: float, least: float, dead: float
) -> None:
    """A silent server is asked for a sign of life, once, and then given up, not before its
    transport allows it."""
    stage = Stage(monkeypatch, timeouts=Timeouts(heartbeat_timeout=limit))
    closed = stage.run(timeout=least)
    assert closed == Closed(1006, f"No sign of life from the server for {dead - 100:g} s")
    assert stage.clock() == dead
    assert probes(stage) == 1


def test_life(stage: Stage) -> None:
    """Whatever comes is a sign of life: the silence begins anew."""

    def later() -> str:
        stage.clock.time += 29
        return "h"

    stage.run(*[later] * 10)
    assert stage.clock() == 100 + 290 + 60
    assert probes(stage) == 1


def test_probe_that_fails(stage: Stage) -> None:
    """A server that cannot be asked is lost."""
    error = WriteFailed("full", False)
    stage.script()
    kind = stage._kind
    setattr(kind, "failing", error)
    original = kind.__init__

    def failing(self: Any, config: Any) -> None:
        original(self, config)
        self.failing = error

    setattr(kind, "__init__", failing)
    stage.start()
    closed = stage.end()
    assert closed == Closed(1006, "Sending failed: full") and closed.cause is error


def test_a_slow_listener_is_no_silence(stage: Stage) -> None:
    """Time that the listener took is not the server's silence."""

    def slow(_: Any) -> None:
        stage.clock.time += 61.0

    stage.told.on_received = slow
    closed = stage.run('a["1"]', 'a["2"]', None, LOST)
    assert closed == LOST.closed
    assert "woke" not in stage.told.items


@pytest.mark.fault(64)
def test_deadlines_in_the_midst_of_a_large_frame(stage: Stage) -> None:
    """What is due does not wait for the end of a frame with very many messages."""
    stage.told.due_at = stage.clock() + 1

    def pass_time(message: int) -> None:
        if message == 1500:
            stage.clock.time += 2

    stage.told.on_received = pass_time
    stage.run("a" + str(list(range(3500))), "c[3000]")
    at = stage.told.items.index(("due", stage.clock()))
    assert stage.told.items[at - 1] == ("received", 1999)
    assert stage.told.items[-2] == ("received", 3499)


@pytest.mark.fault(58)
@pytest.mark.parametrize("frames, silence", [(1, 60.0), (3, 180.0)])
def test_silence_begins_before_a_backlog(stage: Stage, frames: int, silence: float) -> None:
    """Frames that a busy reader reads late may be as old as its pause: what the server had no
    room for meanwhile is lost, and belongs to the gap."""
    stage.told.on_received = lambda _: setattr(stage.clock, "time", stage.clock.time + 60)
    stage.run(*['a["x"]'] * frames, SockJSError(1006, "reset"))
    assert stage.connection.last_silence == pytest.approx(silence, abs=0.01)


@pytest.mark.fault(83)
@pytest.mark.parametrize("frame, silence", [('a["1","2"]', 60.0), ('a["1"]', 0.0)])
def test_frame_that_was_read_when_the_end_came_is_in_the_gap(
    stage: Stage, frame: str, silence: float
) -> None:
    """What is left of a frame is lost if the listener ends the connection in the midst of it, so
    that the gap begins at the frame before."""

    def receive(message: str) -> None:
        if message == "2":
            raise SockJSError(1006, "no room")

    def come_later() -> str:
        stage.clock.time += 60
        return frame

    stage.told.on_received = receive
    closed = stage.run('a["0"]', come_later, SockJSError(1006, "no room"))
    assert closed.reason == "no room"
    assert stage.connection.last_silence == pytest.approx(silence, abs=0.01)


@pytest.mark.fault(58)
def test_silence_ends_before_the_transport_is_discarded(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transport may wait for its threads, which would move the gap."""

    def discard(transport: Scripted) -> None:
        transport.does.append("discard")
        stage.clock.time += 5

    monkeypatch.setattr(Scripted, "discard", discard)
    stage.run('a["0"]', SockJSError(1006, "reset"))
    connection = stage.connection
    lost_at = stage.clock() - 5 + time_asleep()
    assert connection.silence_ended_at == pytest.approx(lost_at, abs=1)


@pytest.mark.fault(58)
@pytest.mark.parametrize("end", ["o", "c[3000]"])
def test_silence_begins_before_the_frame_that_ends_the_session(stage: Stage, end: str) -> None:
    """Over HTTP, messages that waited for the next request may be lost with the session."""

    def come_later() -> str:
        stage.clock.time += 60
        return end

    stage.run('a["0"]', come_later)
    assert stage.connection.last_silence == pytest.approx(60.0, abs=0.01)


def test_silence_of_an_open_connection_is_since_its_last_frame_with_sleep(stage: Stage) -> None:
    """A machine that has slept since heard nothing for as long. Without a connection, it is
    unknown."""
    seen: List[Optional[float]] = []
    connection = stage.connection
    asleep = 0.0

    def wait() -> str:
        nonlocal asleep
        stage.clock.time += 7
        asleep = 3600.0
        seen.append(connection.silence())
        return 'a["1"]'

    connection._time_asleep = lambda: asleep
    assert connection.silence() is None
    stage.told.on_received = lambda message: seen.append(connection.silence())
    stage.run('a["0"]', wait, "c[3000]")
    assert connection.silence() is None
    assert [None if each is None else round(each) for each in seen[:2]] == [0, 3607]
