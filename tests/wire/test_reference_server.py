"""Our SockJS client agrees with npm's SockJS server, on each transport."""

import json
import queue
import threading
import time
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List

import pytest

from keyyo_cti._net.clock import NEVER
from keyyo_cti._sockjs import Closed, Connection, Timeouts

from ..helpers.node_programs import EchoServer, missing
from ..helpers.probe import PATIENCE

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

XHR = ["xhr-streaming", "xhr-polling"]
TRANSPORTS = ["websocket", *XHR]

#: How the echo server closes a session.
CLOSING = Closed(3001, "À bientôt, 再见 ☎")

#: Milliseconds after which something comes too late to be taken for what is waited for.
TOO_LATE = 3_600_000


class Client:
    """A connection and what it tells; use it in a ``with`` statement.

    :param transports: those to try.
    """

    def __init__(
        self, server: EchoServer, *transports: str, timeouts: Timeouts = Timeouts()
    ) -> None:
        self._told: "queue.Queue[Any]" = queue.Queue()
        self.connection = Connection(server.endpoint, self, timeouts, transports=transports)
        self._thread = threading.Thread(
            target=self.connection.run, name="keyyo-test-client", daemon=True
        )

    def __enter__(self) -> "Client":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.begin_close()
        self.connection.finish_close(time.monotonic() + PATIENCE)
        self._thread.join(PATIENCE)

    def next(self) -> Any:
        """What it tells next: "opened", a message, an error, or how it was closed."""
        return self._told.get(timeout=4 * PATIENCE)

    def take(self, count: int) -> List[Any]:
        """So many things that it tells next."""
        told: List[Any] = []
        while len(told) < count:
            # After its end it tells nothing more.
            assert not (told and isinstance(told[-1], Closed)), f"{told[-1]} after {len(told)}"
            told.append(self.next())
        return told

    def ask(self, message: str) -> Any:
        """Sends a message, and gives what is told next."""
        self.connection.send(message)
        return self.next()

    def requests(self) -> Dict[str, int]:
        """How often the server was asked for each of its addresses, by the last part."""
        counts: Dict[str, int] = json.loads(self.ask("requests"))
        return counts

    def rest(self) -> List[Any]:
        """All that it still tells, up to its end."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return self.take(self._told.qsize())

    # Told by the connection.

    def opened(self) -> None:
        self._told.put("opened")

    def received(self, message: Any) -> None:
        self._told.put(message)

    def unreadable(self, error: Exception) -> None:
        self._told.put(error)

    def closed(self, closed: Closed) -> None:
        self._told.put(closed)

    def due(self) -> float:
        return NEVER

    def on_due(self, now: float) -> None:
        """Nothing is ever due."""

    def woke(self) -> None:
        """It does not matter here whether the machine has slept."""


@contextmanager
def opened(
    server: EchoServer, *transports: str, timeouts: Timeouts = Timeouts()
) -> Iterator[Client]:
    """A client that is open, on the last of the transports."""
    with Client(server, *transports, timeouts=timeouts) as client:
        assert client.next() == "opened"
        assert client.connection.transport == transports[-1]
        server.until(f"opened {transports[-1]}")
        yield client


@pytest.fixture(scope="module")
def server() -> Iterator[EchoServer]:
    """One as npm's server is, for all tests.

    By itself it ends a session of which no request has waited for 5 s. A client that a loaded
    machine delays for so long would lose it.
    """
    with EchoServer(disconnect_delay=TOO_LATE) as server:
        yield server


@pytest.fixture(params=TRANSPORTS)
def client(request: pytest.FixtureRequest, server: EchoServer) -> Iterator[Client]:
    """A client of that server, on each transport."""
    with opened(server, request.param) as client:
        yield client


def test_echo(client: Client) -> None:
    """What is sent comes back, also when it is empty or looks like a frame of SockJS."""
    for message in ("hello", "", "o", "h", "a[]", 'c[3000,"Go away!"]', "two\nlines", "null"):
        assert client.ask(message) == message


def test_every_character(client: Client) -> None:
    """Every UTF-16 code unit comes back as it was sent: control characters, U+2028, surrogates
    without their other half; and so do characters that take two."""
    # In each part there are high surrogates only, or low ones, so that no two make a pair.
    for start in range(0, 0x10000, 0x400):
        message = "".join(map(chr, range(start, start + 0x400)))
        assert client.ask(message) == message, hex(start)
    for message in ("☎ 📞 𝄞 \U0010ffff", "\ud83d", "\udcde", "\udcde\ud83d", "a\ud83d b"):
        assert client.ask(message) == message


@pytest.mark.parametrize("piece", ["telephone ", "téléphone 📞 "])
def test_a_long_message(client: Client, piece: str) -> None:
    """A message of more than 200 kB comes back whole, in ASCII and outside of it."""
    message = piece * (200_000 // len(piece) + 1)
    assert client.ask(message) == message


def test_a_burst_from_the_server(client: Client) -> None:
    """20,000 messages that the server sends at once come complete and in order."""
    client.connection.send("burst 20000")
    assert client.take(20_000) == [str(number) for number in range(20_000)]


def test_many_senders(client: Client) -> None:
    """2,000 messages of four threads come back complete, those of each thread in order."""
    start = threading.Barrier(4)

    def send(thread: int) -> None:
        start.wait(PATIENCE)
        for number in range(500):
            client.connection.send(f"{thread} {number}")

    threads = [threading.Thread(target=send, args=(thread,)) for thread in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(PATIENCE)
    echoes = client.take(2000)
    for thread in range(4):
        own = [echo for echo in echoes if echo.startswith(f"{thread} ")]
        assert own == [f"{thread} {number}" for number in range(500)]


def test_many_messages_of_one_sender(client: Client) -> None:
    """5,000 messages that one thread sends without waiting come back complete and in order."""
    messages = [str(number) for number in range(5_000)]
    for message in messages:
        client.connection.send(message)
    assert client.take(5_000) == messages


def test_close_by_the_server(client: Client) -> None:
    """The server's code and reason are told once, as the last thing."""
    client.connection.send("close")
    assert client.rest() == [CLOSING]
    assert client.connection.transport is None


def test_messages_just_before_a_close(client: Client) -> None:
    """What the server sends in the same breath as its close comes before it, complete."""
    client.connection.send("farewell 1000")
    assert client.rest() == [*map(str, range(1000)), CLOSING]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_close_by_the_client(transport: str) -> None:
    """When we close a quiet connection, the server knows at once that we have left, not only
    when it has missed us for a while."""
    with EchoServer(disconnect_delay=TOO_LATE) as server:
        with opened(server, transport) as client:
            if transport == "xhr-polling":
                # The first answer is over with the opening: somebody has to be there to leave.
                server.until("asked xhr")
            client.connection.begin_close(within=PATIENCE)
            assert client.rest() == [Closed(1000, "Normal closure")]
            assert server.until("closed") == "closed 0"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_messages_just_before_our_close(transport: str) -> None:
    """What was sent before we close arrives, complete."""
    # A poll may have been answered and not be followed by another: then we have to be missed.
    with EchoServer(disconnect_delay=500) as server:
        with opened(server, transport) as client:
            for number in range(1000):
                client.connection.send(str(number))
            client.connection.begin_close(within=PATIENCE)
            assert client.rest()[-1] == Closed(1000, "Normal closure")
            assert server.until("closed") == "closed 1000"


@pytest.mark.slow
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_heartbeats(transport: str) -> None:
    """The server's heartbeats, on a websocket its pings, are answered and keep a connection on
    which nothing else comes, and none is told as a message."""
    timeouts = Timeouts(heartbeat_timeout=1.5)
    with EchoServer(heartbeat_delay=50) as server:
        with opened(server, transport, timeouts=timeouts) as client:
            assert client.ask("heartbeats 40") == "heartbeats 40"
            assert client.ask("hello") == "hello"


@pytest.mark.slow
def test_a_stream_reopens_at_a_small_limit() -> None:
    """A server that ends its answer after each 4 kB is asked again and again, and neither one
    message after the other nor a burst loses any."""
    with EchoServer(response_limit=4096, disconnect_delay=TOO_LATE) as server:
        with opened(server, "xhr-streaming") as client:
            for number in range(200):
                message = f"{number} " + "x" * 1024
                assert client.ask(message) == message
            assert client.requests()["xhr_streaming"] >= 50
            client.connection.send("burst 20000")
            assert client.take(20_000) == [str(number) for number in range(20_000)]


def test_a_stream_reopens_at_the_usual_limit(server: EchoServer) -> None:
    """A server that ends its answer after 128 KiB, as it does without options, is asked again,
    and nothing is lost."""
    with opened(server, "xhr-streaming") as client:
        before = client.requests()["xhr_streaming"]
        for number in range(100):
            message = f"{number} " + "x" * 8192
            assert client.ask(message) == message
        assert 5 <= client.requests()["xhr_streaming"] - before <= 9


@pytest.mark.slow
@pytest.mark.parametrize("transport", XHR)
def test_an_idle_connection_that_the_server_gave_up(transport: str) -> None:
    """When the server has closed the idle TCP connection on which we sent, the next message is
    sent on a new one."""
    with EchoServer(keep_alive=50) as server:
        with opened(server, transport) as client:
            assert client.ask("one") == "one"
            server.until("idle xhr_send")
            assert client.ask("two") == "two"


@pytest.mark.parametrize("transport", XHR)
def test_websockets_switched_off(transport: str) -> None:
    """A server that offers no websocket is not asked for one: the next transport carries the
    session."""
    with EchoServer(websocket=False) as server:
        with opened(server, "websocket", transport) as client:
            assert client.ask("hello") == "hello"
            assert "websocket" not in client.requests()


@pytest.mark.parametrize("transport", XHR)
def test_websockets_that_do_not_get_through(transport: str) -> None:
    """Where a websocket is offered and then cut off, it is tried once, and the next transport
    carries the session."""
    with EchoServer(upgrade=False) as server:
        with opened(server, "websocket", transport) as client:
            assert client.ask("hello") == "hello"
            assert client.requests()["websocket"] == 1


def test_nothing_in_common() -> None:
    """A server that offers none of the transports that may be tried is told as such, once."""
    with EchoServer(websocket=False) as server, Client(server, "websocket") as client:
        [closed] = client.rest()
    assert closed.code == 2000
