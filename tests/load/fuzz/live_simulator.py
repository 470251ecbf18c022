"""Target: the simulator over real sockets, and whoever comes to it with anything at all."""

import json
import socket
from random import Random
from typing import Optional, Tuple
from urllib.parse import quote, urlsplit

from keyyo_cti.simulator import Simulator

from ...helpers.old_aiohttp import LOGS_NO_URL
from ...helpers.raw_client import RawClient
from . import visits, websocket_frames
from .calm import Calm
from .live_reader import segments
from .simulated import ALICE, BOB, TOKEN, SimulatedSide, command
from .streams import websocket_stream
from .target import NEXT, Target, head, text

#: Seconds after which the simulator does not answer any more.
PATIENCE = 20.0

#: Seconds that an answer may take before the connection is ended. What comes later is not seen.
_FOR_AN_ANSWER = 0.1

#: Attempts after which the good client is another one.
_LONGEST_VISIT = 100


class LiveSimulator(Target):
    """Whatever comes, the simulator stays calm and serves the next one.

    The first byte of an input says what the rest is: what is sent before the end of a connection;
    what is sent so on a websocket; what is posted to ``xhr_send``; messages in one frame of the
    client that has a session; a path with a query, a line end, and a form.
    """

    name = "live-simulator"
    live = True
    share = 1.5
    seeds = (
        b"\x00GET /cti/info HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"\x00POST /cti/000/fuzzfuzz/xhr HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n",
        b"\x01" + websocket_frames.frame(b'["x"]', mask=b"abcd"),
        b"\x01" + websocket_frames.frame(b"\x03\xe8", 8, mask=b"abcd"),
        b'\x02["x","y"]', b"\x02", b"\x02[", *(b"\x03" + seed[1:] for seed in SimulatedSide.seeds),
        b'\x03{"id":1,"action":"destroy_session"}' + NEXT + b'{"id":2,"action":"ping"}',
        b"\x04/manager/1.0/services?limit=x&offset=1\n", b"\x04/oauth2/token.php\nclient_id=\xff",
        b"\x04/oauth2/token.php\nclient_id=keyyo-cti&client_secret=not-a-secret&grant_type=x",
        b"\x04/oauth2/authorize.php?client_id=keyyo-cti&response_type=code&state=x\n",
    )
    tokens = (
        *visits.PATHS, *(header + b"\r\n" for header in visits.HEADERS), *visits.FIELDS,
        *SimulatedSide.tokens, b"&", b"?", b"#", b"\r\n", b"\n", b"\0", b"\xff", b" ",
        b"\x81\x80abcd", b"\x88\x80abcd", NEXT,
    )

    def __init__(self) -> None:
        super().__init__()
        self._random = Random(0)
        self._calm = Calm("", "ValueError: Invalid IPv6 URL" if LOGS_NO_URL else None)
        self._calm.__enter__()
        self._simulator = Simulator(disconnect_delay=0.2, park_slots=2)
        self._simulator.start()
        self._address = _address(self._simulator.endpoint)
        self._alice = self._simulator.line(ALICE)
        self._simulator.phone(BOB).call(self._alice)
        self._access = self._simulator.account_tokens()["access_token"]
        self._visitor: Optional[RawClient] = None
        self._attempts = 0

    def draw_from(self, random: Random) -> None:
        super().draw_from(random)
        self._random = random

    def make(self) -> bytes:
        kind = self._random.random()
        if kind < 0.3:
            return super().make()
        if kind < 0.45:
            return b"\x00" + visits.request(self._random, self._mutator)
        if kind < 0.6:
            return b"\x01" + websocket_stream(self._random, self._mutator, client=True)
        if kind < 0.8:
            return b"\x03" + json.dumps(command(self._random)).encode()
        return b"\x04" + visits.form(self._random)

    def attempt(self, data: bytes) -> None:
        self._attempts += 1
        ways = (self._send, self._websocket, self._post, self._say, self._fill_in)
        try:
            ways[head(data) % len(ways)](data[1:])
            self._be_good()
        except BaseException:
            self._part()
            raise
        self._calm.check()

    def close(self) -> None:
        self._part()
        self._simulator.stop()
        self._calm.__exit__()
        self._calm.check()

    # What is sent

    def _websocket(self, data: bytes) -> None:
        self._send(
            b"GET /cti/000/fuzzfuzz/websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
            data,
        )

    def _post(self, data: bytes) -> None:
        session = b"/cti/000/fuzz%04d/" % (self._attempts % 10_000)
        opened = self._send(visits.posted(session + b"xhr", b""), answered_within=PATIENCE)
        assert b"o\n" in opened, opened
        self._send(visits.posted(session + b"xhr_send", data))

    def _fill_in(self, data: bytes) -> None:
        path, _, form = data.partition(b"\n")
        path = b"/" + quote(path.lstrip(b"/"), safe="/?&=%+#[]:@!$'()*,;").encode()
        bearer = b"Authorization: Bearer " + self._access.encode() + b"\r\n"
        kind = b"Content-Type: application/x-www-form-urlencoded\r\n"
        if form:
            answer = self._send(visits.posted(path, form, kind + bearer))
        else:
            answer = self._send(visits.got(path, bearer))
        if answer:
            # SockJS says 500 to who sends it something else than messages.
            failed = answer[9:10] == b"5" and b"/cti/" not in path
            assert answer[:7] == b"HTTP/1." and not failed, answer

    def _say(self, data: bytes) -> None:
        """As the client that has a session, which goes on with it."""
        visitor = self._visit()
        messages = [text(part).replace(TOKEN, self._token) for part in data.split(NEXT)]
        visitor.send_text(json.dumps(messages))

    def _send(self, *parts: bytes, answered_within: float = _FOR_AN_ANSWER) -> bytes:
        """Sends on a connection, and gives what comes back, up to the end, which comes after an
        answer or else after our own."""
        with socket.create_connection(self._address, PATIENCE) as sock:
            answer = b""
            try:
                for part in parts:
                    for segment in segments(part):
                        sock.sendall(segment)
                for last, seconds in enumerate((answered_within, PATIENCE)):
                    sock.settimeout(seconds)
                    try:
                        more = sock.recv(65536)
                        while more:
                            answer += more
                            more = sock.recv(65536)
                        break
                    except socket.timeout:
                        assert not last, "nobody hangs up"
                        sock.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass  # It was hung up on in the middle.
            return answer

    # What is served all the same

    def _be_good(self) -> None:
        visitor = self._visit()
        # An id that no input has.
        number = 10 ** 15 + self._attempts
        visitor.send({"action": "ping", "id": number})
        frame = visitor.frame_or_end()
        while str(number) not in frame:
            if not frame or frame[:1] == "c":
                # It destroyed its session, say.
                self._part()
                self._visit()
                return
            frame = visitor.frame_or_end()
        if self._attempts % _LONGEST_VISIT == 0:
            self._part()

    def _visit(self) -> RawClient:
        if self._visitor is None:
            self._visitor = RawClient(self._simulator.endpoint, timeout=PATIENCE)
            self._token = self._simulator.token(self._alice)
            self._visitor.create_session(self._token)
        return self._visitor

    def _part(self) -> None:
        visitor, self._visitor = self._visitor, None
        if visitor is not None:
            visitor.close()


def _address(endpoint: str) -> Tuple[str, int]:
    parts = urlsplit(endpoint)
    assert parts.hostname and parts.port
    return parts.hostname, parts.port
