"""Targets: a CTI, with its threads, on a real connection over loopback."""

import socket
import threading
import zlib
from abc import abstractmethod
from random import Random
from typing import Any, ClassVar, List, Optional, Sequence

from keyyo_cti import CTI, Call, KeyyoError, Transport

from ...helpers.probe import PATIENCE, Record
from . import websocket_frames
from .answers import GOOD_INFO, HTTP_TOKENS, chunked, http_answer, sized
from .calm import Calm
from .checks import use
from .memory import ACCEPT
from .played import Asked, PlayedServer, accepted, carrying, commands, send
from .streams import FRAMES, websocket_stream
from .target import Target, head
from .transports import LARGEST, Open, WebSocket, Xhr

#: Inputs on one connection that survives them all.
_LONGEST_LIFE = 300


class Customer(Record):
    """A CTI and what it tells.

    :param server: is told of the end.
    """

    def __init__(self, server: PlayedServer, *transports: Transport) -> None:
        super().__init__()
        self._server = server
        self.cti = CTI(
            endpoint=server.endpoint,
            transports=transports,
            cookie_auto=False,
            max_message_size=LARGEST,
        )
        self.asked = 0
        self.cti.onNewCall = self._new_call
        self.cti.onDisconnected = self._disconnected

    @property
    def gone(self) -> bool:
        return ("disconnected",) in self.items

    def ask(self) -> None:
        """Asks for a session first, then for signs of life; each is to be answered once."""
        self.asked += 1
        name = self.asked

        def answered(error: Optional[KeyyoError], result: Any) -> None:
            assert (error is None) != (result is None)
            repr(error), str(error), repr(result)
            self.add(("answered", name))

        if name == 1:
            self.cti.create_session("not-a-secret", answered)
        else:
            self.cti.ping(answered)

    @property
    def answered(self) -> bool:
        """Whether the last command has its answer."""
        return ("answered", self.asked) in self.items

    def settle(self, *item: Any) -> bool:
        """Waits for one thing, or for the end; whether it was the first."""
        self.wait(lambda items: item in items or self.gone, f"{item} or the end")
        return item in self.items

    def over(self) -> None:
        """Sees that the end came once, that every command was answered once, and that no thread
        is left."""
        self.wait(lambda items: ("disconnected",) in items, "the end")
        # It handles the drop, so that only this ends a wait.
        self.cti.close()
        assert self.cti.wait(PATIENCE), "it does not end"
        for thread in _threads():
            thread.join(PATIENCE)
        assert not _threads(), _threads()
        items = list(self.items)
        assert items.count(("disconnected",)) == 1, items
        answers = [item for item in items if item[0] == "answered"]
        wanted = [("answered", name) for name in range(1, self.asked + 1)]
        assert sorted(answers) == wanted, (answers, wanted)

    def _new_call(self, call: Call) -> None:
        use(call)
        self.add(("call", call.callref))

    def _disconnected(self) -> None:
        self.add(("disconnected",))
        self._server.wake()


class _OnLink(Target):
    """One connection takes many inputs, until one ends it. After each, the next event is handled,
    or else the end was told."""

    live = True

    def __init__(self) -> None:
        super().__init__()
        self._calm = Calm()
        self._calm.__enter__()
        self._server = PlayedServer()
        self._customer: Optional[Customer] = None
        self._attempts = 0
        self._random = Random(0)

    def draw_from(self, random: Random) -> None:
        super().draw_from(random)
        self._random = random

    def attempt(self, data: bytes) -> None:
        self._attempts += 1
        try:
            customer = self._customer or self._open()
            self._customer = customer
            self._feed(data)
            if self._attempts % _LONGEST_LIFE == 0:
                self._hang_up()
                customer.settle("disconnected")
            if customer.gone:
                self._customer = None
                self._free()
                customer.over()
            self._calm.check()
        except BaseException:
            # The next input is to find everything in order.
            self._part()
            raise

    def close(self) -> None:
        self._part()
        self._server.close()
        self._calm.__exit__()

    def _part(self) -> None:
        customer, self._customer = self._customer, None
        self._free()
        if customer is not None:
            customer.cti.close()

    @abstractmethod
    def _open(self) -> Customer:
        """A new connection with a session."""

    @abstractmethod
    def _feed(self, data: bytes) -> None:
        """An input, and after it an event."""

    @abstractmethod
    def _hang_up(self) -> None:
        """Ends the connection from the server's side."""

    @abstractmethod
    def _free(self) -> None:
        """Frees the sockets of a connection that is over."""

    def _event(self, *ids: int) -> bytes:
        """The frame with the event that is to be handled, and with answers to commands."""
        event = {"notify": "call", "call": {"callref": self._callref, "state": "CONNECT"}}
        return carrying(event, *({"id": number, "result": 1} for number in ids))

    @property
    def _callref(self) -> str:
        return f"event {self._attempts}"


class LiveWebSocket(_OnLink):
    """A CTI on a websocket. An input is frames of the server, of which the last may lack
    something."""

    name = "live-websocket"
    share = 1.5
    seeds = tuple(seed[1:] for seed in WebSocket.seeds)
    tokens = WebSocket.tokens

    def __init__(self) -> None:
        super().__init__()
        self._sock: Optional[socket.socket] = None
        self._ping = 0

    def make(self) -> bytes:
        if self._random.random() < 0.2:
            return super().make()
        return websocket_stream(self._random, self._mutator)

    def _open(self) -> Customer:
        self._server.begin()
        customer = Customer(self._server, "websocket")
        customer.ask()
        _answer_info(self._server)
        asked = self._server.next_request()
        assert asked is not None and asked.path.endswith("/websocket")
        self._server.take(asked.sock)
        self._sock = asked.sock
        send(asked.sock, accepted(asked) + websocket_frames.frame(b"o"))
        self._command()
        session = {"number": "33199000001", "now": 1700000000, "session_id": "s-1"}
        send(asked.sock, websocket_frames.frame(carrying({"id": 1, "result": session})))
        assert customer.settle("answered", 1), "no session"
        return customer

    def _feed(self, data: bytes) -> None:
        customer, sock = self._customer, self._sock
        assert customer is not None and sock is not None
        if customer.answered:
            customer.ask()
            self._ping = self._command()
        whole = data
        while websocket_frames.missing(whole):
            # Of a message that is too large, more than may come is never read.
            whole += bytes(min(websocket_frames.missing(whole), LARGEST + 100))
            if len(whole) > len(data) + LARGEST:
                break
        if send(sock, *segments(data), whole[len(data) :]):
            send(sock, websocket_frames.frame(self._event(self._ping)))
        customer.settle("call", self._callref)

    def _hang_up(self) -> None:
        self._free()

    def _free(self) -> None:
        sock, self._sock = self._sock, None
        if sock is not None:
            sock.close()

    def _command(self) -> int:
        """The id of the next command; 0 when the client is at its end."""
        while True:
            opcode, payload = self._frame()
            if opcode == websocket_frames.CLOSE:
                return 0
            if opcode == websocket_frames.TEXT:
                (command,) = commands(payload)
                return int(command["id"])

    def _frame(self) -> "tuple[int, bytes]":
        """The next frame of the client."""
        try:
            first, second = self._exactly(2)
            length = second & 0x7F
            if length > 125:
                size = 2 if length == 126 else 8
                length = int.from_bytes(self._exactly(size), "big")
            mask, payload = self._exactly(4), self._exactly(length)
        except ConnectionError:
            return websocket_frames.CLOSE, b""
        assert second & 0x80, "a client masks its frames"
        return first & 0x0F, websocket_frames.masked(payload, mask)

    def _exactly(self, size: int) -> bytes:
        assert self._sock is not None
        data = b""
        while len(data) < size:
            more = self._sock.recv(size - len(data))
            if not more:
                raise ConnectionError("the client went")
            data += more
        return data


class _LiveXhr(_OnLink):
    """A CTI on an HTTP transport. The first byte of an input says what the rest is: an answer to
    the one who receives, after which TCP ends; the body of a good answer, of which every chunk
    has a line of the input, after which TCP stays; an answer to the one who sends."""

    kind: ClassVar[Transport]
    seeds = (
        b"\x00" + chunked(b'a["x"]\n', b"h\n"), b"\x00" + sized(b"h\n"), b'\x01a["x"]\n\x00h\n',
        b"\x00HTTP/1.0 200 OK\r\n\r\na[1]\n", b"\x00" + sized(b"", b"HTTP/1.1 404 Not Found\r\n"),
        b"\x01h\x00hh\n", b'\x01a["x"]\nc[3000,"Go away!"]\n', b"\x01\x00\n",
        b"\x02" + sized(b"", b"HTTP/1.1 200 OK\r\n"), b"\x02HTTP/1.1 204 No Content\r\n\r\n",
        b"\x02" + chunked(b"ok"), b"\x02HTTP/1.1 500 Oops\r\n\r\n",
    )
    tokens = (*HTTP_TOKENS, *(frame + b"\n" for frame in FRAMES))

    def __init__(self) -> None:
        super().__init__()
        self._receiver: Optional[Asked] = None
        self._ids: List[int] = []

    def make(self) -> bytes:
        if self._random.random() < 0.5:
            return super().make()
        first = b"\x02" if self._random.random() < 0.2 else b"\x00"
        return first + http_answer(self._random, self._mutator, Xhr.bodies)

    def _open(self) -> Customer:
        self._server.begin()
        self._receiver, self._ids = None, []
        customer = Customer(self._server, self.kind)
        customer.ask()
        _answer_info(self._server)
        self._answer_receiver(b"o\n")
        while not self._ids:
            self._serve()
        session = {"number": "33199000001", "now": 1700000000, "session_id": "s-1"}
        self._answer_receiver(carrying({"id": self._ids.pop(), "result": session}) + b"\n")
        assert customer.settle("answered", 1), "no session"
        return customer

    def _feed(self, data: bytes) -> None:
        customer = self._customer
        assert customer is not None
        what, rest = head(data) % 3, data[1:]
        if what == 0:
            self._answer_receiver(rest, whole=True)
        elif what == 1:
            self._answer_receiver(*rest.split(b"\0"))
        else:
            self._spoil_sending(customer, rest)
        ids, self._ids = self._ids, []
        self._answer_receiver(self._event(*ids) + b"\n")
        customer.settle("call", self._callref)

    def _hang_up(self) -> None:
        self._free()
        # It asks again, until it is hung up on before there is an answer.
        asked = self._server.next_request()
        while asked is not None:
            self._server.end(asked.sock)
            asked = self._server.next_request()

    def _free(self) -> None:
        self._server.hang_up()
        self._receiver = None

    def _answer_receiver(self, *pieces: bytes, whole: bool = False) -> None:
        """Answers the one who receives, once it asks; nobody, at the end.

        :param whole: what is given is the answer, and not its body.
        """
        while self._receiver is None and self._serve():
            pass
        asked, self._receiver = self._receiver, None
        if asked is None:
            return
        if whole:
            send(asked.sock, *segments(b"".join(pieces)))
            self._server.end(asked.sock)
        else:
            send(asked.sock, *segments(chunked(*filter(None, pieces))))

    def _spoil_sending(self, customer: Customer, answer: bytes) -> None:
        """Gives an answer to the one who sends, who goes on sending or else ends all."""
        for each in (answer, None):
            before = len(self._ids)
            customer.ask()
            while len(self._ids) == before and self._serve(each):
                pass

    def _serve(self, answer: Optional[bytes] = None) -> bool:
        """Takes a request; whether there was one.

        :param answer: to the one who sends, if not a good one, with which TCP ends.
        """
        asked = self._server.next_request()
        if asked is None:
            return False
        if not asked.path.endswith("/xhr_send"):
            assert self._receiver is None, "two receive at once"
            self._receiver = asked
            return True
        self._ids += [command["id"] for command in commands(asked.body)]
        if answer is None:
            send(asked.sock, b"HTTP/1.1 204 No Content\r\n\r\n")
        else:
            send(asked.sock, *segments(answer))
            self._server.end(asked.sock)
        return True


class LiveXhrStreaming(_LiveXhr):
    """A CTI on xhr-streaming."""

    name = "live-xhr-streaming"
    kind = "xhr-streaming"


class LiveXhrPolling(_LiveXhr):
    """A CTI on xhr-polling."""

    name = "live-xhr-polling"
    kind = "xhr-polling"


class LiveOpening(Target):
    """A CTI that opens. The first byte says which of the requests gets the rest as its answer:
    the info, the handshake, or the first one to receive. Before it the answers are good, and
    behind it there are none."""

    name = "live-opening"
    live = True
    share = 0.5
    seeds = (
        b"\x00" + GOOD_INFO,
        b"\x00" + chunked(b'{"websocket":', b"false}"),
        b"\x01HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: <accept>\r\n\r\n" + websocket_frames.frame(b"o"),
        b"\x01" + sized(b"", b"HTTP/1.1 403 Forbidden\r\n"),
        b"\x02" + chunked(b"h" * 2048 + b"\n", b"o\n"),
        b"\x02" + sized(b'c[2010,"Another connection still open"]\n'),
    )
    tokens = Open.tokens

    def __init__(self) -> None:
        super().__init__()
        self._calm = Calm()
        self._calm.__enter__()
        self._server = PlayedServer()
        self._random = Random(0)

    def draw_from(self, random: Random) -> None:
        super().draw_from(random)
        self._random = random

    def make(self) -> bytes:
        if self._random.random() < 0.5:
            return super().make()
        first = bytes([int(self._random.random() * 3)])
        return first + http_answer(self._random, self._mutator, Open.bodies)

    def attempt(self, data: bytes) -> None:
        self._server.begin()
        customer = Customer(self._server, "websocket", "xhr-streaming")
        try:
            customer.ask()
            self._serve(head(data) % 3, data[1:])
            customer.over()
        finally:
            customer.cti.close()
        self._calm.check()

    def close(self) -> None:
        self._server.close()
        self._calm.__exit__()

    def _serve(self, stage: int, answer: bytes) -> None:
        """Answers requests until the client has given up."""
        number = 0
        while True:
            asked = self._server.next_request()
            if asked is None:
                return
            if number == stage:
                challenge = websocket_frames.accept(asked.head)
                send(asked.sock, *segments(answer.replace(ACCEPT, challenge)))
            elif number < stage:
                refused = sized(b"", b"HTTP/1.1 404 Not Found\r\n")
                send(asked.sock, GOOD_INFO if number == 0 else refused)
            self._server.end(asked.sock)
            number += 1


def segments(data: bytes) -> Sequence[bytes]:
    """The data in a few pieces, cut anywhere; always the same for the same data."""
    random = Random(zlib.crc32(data))
    cuts = sorted(int(random.random() * len(data)) for _ in range(int(random.random() ** 2 * 6)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)])]


def _answer_info(server: PlayedServer) -> None:
    asked = server.next_request()
    assert asked is not None and asked.path.endswith("/info")
    send(asked.sock, GOOD_INFO)


def _threads() -> List[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith("keyyo-cti-")]
