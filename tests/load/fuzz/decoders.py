"""Targets: what makes sense of text. Pure, and tried by the million."""

from random import Random

from . import mutation
from .checks import CheckedProtocol, Customer, check_frame
from .target import Target, text

_JSON = (
    b"[", b"]", b"{", b"}", b'"', b",", b":", b"\\", b"\\u", b"\\ud800", b"null", b"true", b"NaN",
    b"Infinity", b"-", b"0", b"1e999", b"9" * 30, b"9" * 4400, b'{"a":', b"[[[[", b"\n",
    b"\xe2\x80\xa8", b"\xf0\x9f\x98\x80", b"\xff", b"\x00",
)

#: Attempts after which a customer has seen enough calls.
_NEW_CUSTOMER = 2000


class Frames(Target):
    """The decoder of SockJS frames."""

    name = "frames"
    share = 9.0
    seeds = (
        b"o", b"h", b"a", b'a["x"]', b'a["x",1,null,{"a":[]}]', b'm"x"', b'm{"a":1}', b"c[3000]",
        b'c[3000,"Go away!"]', b'c[2010,"Another connection still open"]', b"x", b"",
    )
    tokens = (b"a", b"m", b"c", b"o", b"h", *_JSON)

    def attempt(self, data: bytes) -> None:
        check_frame(text(data))


class Sequences(Target):
    """The state of a SockJS session. An input has a frame on each line."""

    name = "protocol"
    share = 5.0
    seeds = (
        b'o\na["x"]\nh\nc[3000,"Go away!"]\no', b'hhhh\no\nm"x"\na["y",2]', b"c[2010]\no\na[1]",
        b'o\no\na["x"]', b"o\na[\nc[\no", b'o\na["x"]\nc[1000,"bye"]\na["y"]\nc[1000]',
    )
    tokens = (b"\no\n", b"\nc[3000]\n", b'\na["x"]\n', b"\nh\n", b"\nc[\n", *_JSON)

    def attempt(self, data: bytes) -> None:
        protocol = CheckedProtocol()
        for frame in text(data).split("\n"):
            protocol.receive(frame)


class Messages(Target):
    """The decoder of messages, and all that is done with what it lets through."""

    name = "messages"
    share = 4.0
    seeds = (
        b'{"notify":"call","call":{"callref":"c1","caller":"33199000001","callee":"33199000002",'
        b'"state":"SETUP","setup_date":1700000000}}',
        b'{"notify":"call","call":{"callref":"c1","state":"RELEASE","setup_date":1700000000,'
        b'"connect_date":1700000002,"release_date":1700000009,"callpark_slot":"3"}}',
        b'{"notify":"call","call":{"callref":"c2","state":"MISSED"}}',
        b'{"id":1,"result":1}',
        b'{"id":1,"result":{"number":"33199000001","now":1700000000,"session_id":"s-1"}}',
        b'{"id":1,"result":{"numbers":["33199000001","callpark"]}}',
        b'{"id":2,"error":{"status_code":400,"message":"Cannot treat action"}}',
        b'{"id":2,"error":{"status_code":401,"message":"Unknown session_id"}}',
    )
    tokens = (
        b'"notify"', b'"call"', b'"callref"', b'"state"', b'"id"', b'"error"', b'"result"',
        b'"message"', b'"now"', b'"session_id"', b'"connect_date"', *_JSON,
    )

    def __init__(self) -> None:
        super().__init__()
        self._random = Random(0)
        self._customer = Customer()
        self._seen = 0

    def draw_from(self, random: Random) -> None:
        super().draw_from(random)
        self._random = random

    def make(self) -> bytes:
        if self._random.random() < 0.5:
            return super().make()
        return mutation.message(self._random).encode()

    def attempt(self, data: bytes) -> None:
        self._seen += 1
        if self._seen % _NEW_CUSTOMER == 0:
            self._customer = Customer()
        self._customer.receive(text(data))
