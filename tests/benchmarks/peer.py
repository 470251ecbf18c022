"""A server of a few fixed answers, in a process of its own, that says much in little time.

It speaks SockJS on each transport, opens any session, answers any command with 1, and sends
notifications when ``send_message`` asks it to, see `Order`. All that it sends is made
beforehand, so that who is measured waits for it as little as can be.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, Iterator, List, NamedTuple

from websocket import ABNF

from ..helpers import tcp_peer as peers
from ..helpers.running import Running

#: Bytes that are sent at once, or that are the answer to one poll.
_MUCH = 65536

#: Bytes of a streaming answer.
_STREAM = 131072

#: Seconds between heartbeats.
_HEARTBEAT = 25.0

#: Seconds that the process may take to start or to end.
PATIENCE = 60.0

#: A call as it is when it rings and when it is picked up.
_STATES = ("SETUP", "CONNECT")


class Order(NamedTuple):
    """What ``send_message`` asks for, as JSON, in place of a message.

    :ivar notifications: how many.
    :ivar calls: of how many calls in turn.
    :ivar rate: how many a second; 0 for as many as can be sent.
    """

    notifications: int
    calls: int = 20
    rate: float = 0.0


class PeerApart:
    """Starts the process; use it in a ``with`` statement."""

    def __init__(self) -> None:
        self._process = Running("-m", __name__)
        self.endpoint = self._process.until("http", timeout=PATIENCE).strip()

    def __enter__(self) -> PeerApart:
        return self

    def __exit__(self, *exception: object) -> None:
        with self._process as process:
            process.stop_typing()
            process.end()


def notification(call: int, turn: int, **more: Any) -> str:
    """A message that tells of a call, as long as one of Keyyo's."""
    fields = {
        "callref": f"call-{call}",
        "caller": "33199020000",
        "callee": "33199000001",
        "state": _STATES[turn % len(_STATES)],
        "setup_date": 1795600000,
        "connect_date": 1795600004 if turn % len(_STATES) else None,
        "release_date": None,
        **more,
    }
    return json.dumps({"notify": "call", "call": fields})


Say = Callable[[bytes], object]

#: Makes a transport's bytes of a SockJS frame.
Wrap = Callable[[str], bytes]


class _Session:
    """What is said in one SockJS session.

    :param say: sends bytes to the client.
    """

    def __init__(self, wrap: Wrap, say: Say) -> None:
        self._wrap = wrap
        self._say = say
        self._saying = threading.Lock()

    def told(self, messages: List[str]) -> None:
        """The client says this."""
        for message in messages:
            command = json.loads(message)
            self._answer(command["id"], _RESULTS.get(command["action"], 1))
            if command["action"] == "send_message":
                order = Order(**json.loads(command["message"]))
                threading.Thread(target=self._carry_out, args=[order], daemon=True).start()

    def live(self, gone: threading.Event) -> None:
        """Sends heartbeats, as servers do, until the client is gone."""
        while not gone.wait(_HEARTBEAT):
            try:
                self._send(self._wrap("h"))
            except OSError:
                return

    def _answer(self, number: int, result: Any) -> None:
        self._send(self._frame(json.dumps({"id": number, "result": result})))

    def _frame(self, message: str) -> bytes:
        return self._wrap("a" + json.dumps([message]))

    def _send(self, data: bytes) -> None:
        with self._saying:
            self._say(data)

    def _carry_out(self, order: Order) -> None:
        try:
            if order.rate:
                self._send_at_rate(order)
            else:
                for piece in self._pieces(order):
                    self._send(piece)
        except OSError:
            pass  # The client has what it wanted.

    def _pieces(self, order: Order) -> Iterator[bytes]:
        """All the notifications, in pieces that are made before the first is sent."""
        turns = [
            self._frame(notification(call, turn))
            for turn in range(len(_STATES))
            for call in range(order.calls)
        ]
        whole, rest = divmod(order.notifications, len(turns))
        ends = list(_joined(turns[:rest]))
        circle = list(_joined(turns))
        for _ in range(whole):
            yield from circle
        yield from ends

    def _send_at_rate(self, order: Order) -> None:
        began = time.monotonic()
        never = threading.Event()
        for number in range(order.notifications):
            left = began + number / order.rate - time.monotonic()
            if left > 0:
                never.wait(left)
            call, turn = number % order.calls, number // order.calls
            # The monotonic clock is the same for all processes where benchmarks are of use.
            self._send(self._frame(notification(call, turn, sent_at=time.monotonic())))


_RESULTS: Dict[str, Any] = {
    "create_session": {"number": "33199000001", "now": 1795600000, "session_id": "s-1"},
}


def _joined(frames: List[bytes]) -> Iterator[bytes]:
    piece: List[bytes] = []
    size = 0
    for frame in frames:
        piece.append(frame)
        size += len(frame)
        if size >= _MUCH:
            yield b"".join(piece)
            piece, size = [], 0
    if piece:
        yield b"".join(piece)


class _Asked:
    """What waits for the requests of a session to receive."""

    def __init__(self) -> None:
        self._waiting: "queue.Queue[bytes]" = queue.Queue(maxsize=64)
        self._waiting.put(b"o\n")
        self.session = _Session(_line, self._waiting.put)

    def next(self) -> bytes:
        """What there is, when there is something: not one by one, as no server would."""
        pieces: List[bytes] = []
        try:
            pieces.append(self._waiting.get(timeout=_HEARTBEAT))
            while sum(map(len, pieces)) < _MUCH:
                pieces.append(self._waiting.get_nowait())
        except queue.Empty:
            pass
        return b"".join(pieces) or b"h\n"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 0
    disable_nagle_algorithm = True
    asked: Dict[str, _Asked] = {}

    def do_GET(self) -> None:
        if self.path.endswith("/info"):
            self._give(b'{"websocket":true,"cookie_needed":false,"origins":["*:*"],"entropy":1}')
        elif self.path.endswith("/websocket"):
            self._websocket()
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        body = self._body()
        name, _, what = self.path.rpartition("/")
        if what == "xhr":
            self._poll(name)
        elif what == "xhr_streaming":
            self._stream(name)
        elif what == "xhr_send":
            self.asked[name].session.told(json.loads(body))
            self.send_response(204)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while True:
            chunk = self.rfile.read(int(self.rfile.readline(), 16))
            self.rfile.readline()
            if not chunk:
                return body
            body += chunk

    def _poll(self, name: str) -> None:
        self._give(self._asked(name).next())

    def _stream(self, name: str) -> None:
        """One answer, which ends when it is long, as those of servers do."""
        asked = self._asked(name)
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._chunk(b"h" * 2048 + b"\n")
        size = 0
        while size < _STREAM:
            data = asked.next()
            self._chunk(data)
            size += len(data)
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.connection.sendall(b"%x\r\n%s\r\n" % (len(data), data))

    def _asked(self, name: str) -> _Asked:
        if name not in self.asked:
            self.asked[name] = _Asked()
        return self.asked[name]

    def _websocket(self) -> None:
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        accept = peers.accept(self.headers["Sec-WebSocket-Key"].encode())
        self.send_header("Sec-WebSocket-Accept", accept.decode())
        self.end_headers()
        self.close_connection = True
        session = _Session(peers.frame, self.connection.sendall)
        self.connection.sendall(peers.frame("o"))
        gone = threading.Event()
        threading.Thread(target=session.live, args=[gone], daemon=True).start()
        try:
            # Nothing was read ahead: a client waits for the end of the handshake.
            kind, said = peers.read_frame(self.connection)
            while kind == ABNF.OPCODE_TEXT:
                session.told(json.loads(said))
                kind, said = peers.read_frame(self.connection)
        except OSError:
            pass  # The client has what it wanted.
        finally:
            gone.set()

    def _give(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/javascript; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""


def _line(frame: str) -> bytes:
    return frame.encode() + b"\n"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1000

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: clients leave in the middle of what they are told."""


def _serve() -> None:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"http://127.0.0.1:{server.server_address[1]}/cti", flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    _serve()
