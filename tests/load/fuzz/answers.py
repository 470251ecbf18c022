"""Answers of an HTTP server, right and wrong."""

from random import Random
from typing import Sequence

from .mutation import Mutator
from .target import NEXT

#: Header lines that something may trip over, and what may follow in them.
_HEADERS = (
    b"Content-Length: 5", b"Content-Length: -1", b"Content-Length: 1, 2",
    b"Content-Length: 1, 1", b"Content-Length: 99999999999999999999",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked",
    b"Content-Encoding: gzip", b"Content-Encoding: br, zstd",
    b"Content-Encoding: deflate, gzip, gzip, gzip, gzip, gzip", b"Location: http://[",
    b"Connection: close", b"Connection: keep-alive", b"Content-Type: text/plain; charset",
    b"Content-Type: text/html; charset=nobody", b"Content-Type: multipart/mixed",
    b"Content-Type: message/rfc822", b"Content-Type: message/delivery-status", b" folded",
    b"Set-Cookie: JSESSIONID=dummy", b"Set-Cookie: a@b=c", b'Set-Cookie: a="\\400\\',
    b"Set-Cookie", b"Set-Cookie2: a=b; Version=1", b"Retry-After: 99999999999999999999999",
    b"Retry-After: -1", b"Retry-After: Thu, 99 Foo 2099 99:99:99 GMT",
    b"X-Status-Reason: \xff\x1b[2J", b"Sec-WebSocket-Accept: <accept>", b"Upgrade: websocket",
    b"Sec-WebSocket-Protocol: x", b":", b"Link: <http://[>; rel=next",
    b"Proxy-Authenticate: Basic", b"Date: \x00", b"\xe9: \xe9",
)

_PARAMETERS = (
    b"; boundary=x", b"; boundary*=a'b'%ff", b"; boundary*0=b", b"; boundary*1*=c",
    b"; boundary", b"; boundary*=a\0b''%ff", b"; Domain=127.0.0.1", b"; path=/",
    b"; Max-Age=9999999999999999", b"; expires=Thu, 99 Foo 2099 99:99:99 GMT", b"; Version=1",
    b"; Port=x", b";;=", b"; a@b=c",
)

_STATUS = (
    b"HTTP/1.1 200 OK", b"HTTP/1.0 200 OK", b"HTTP/1.1 200", b"HTTP/1.1 100 Continue\r\n",
    b"HTTP/1.1 101 Switching Protocols", b"HTTP/1.1 204 No Content", b"HTTP/1.1 302 Found",
    b"HTTP/1.1 304 Not Modified", b"HTTP/1.1 401 No", b"HTTP/1.1 429 Slow",
    b"HTTP/1.1 500 Oops", b"HTTP/2 200 OK", b"HTTP/1.1 -1 No", b"HTTP/1.1 2000 No",
    b"ICY 200 OK",
)

#: What is worth putting into answers.
HTTP_TOKENS = (
    b"\r\n", b"\r\n\r\n", b"\n", b": ", b"0\r\n\r\n", b"ffffffff\r\n", b"-5\r\n", b"0x5\r\n",
    b"5;x=y\r\n", b"\x00", b"\xff", b"\x1f\x8b\x08\x00", NEXT, *_PARAMETERS,
    *(line + b"\r\n" for line in (*_STATUS, *_HEADERS)),
)

GOOD_INFO = b'HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{"websocket":true}'


def chunked(*pieces: bytes, head: bytes = b"HTTP/1.1 200 OK\r\n") -> bytes:
    """An answer in chunks."""
    chunks = (*filter(None, pieces), b"")
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in chunks)
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + body


def sized(body: bytes, head: bytes = b"HTTP/1.1 200 OK\r\n") -> bytes:
    """An answer that tells its length."""
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def answers(random: Random, mutator: Mutator, bodies: Sequence[bytes]) -> bytes:
    """In half of the cases, a first byte and a few answers of a server, most of which have
    something odd about them. Else nothing.

    :param bodies: what good answers have.
    """
    if random.random() < 0.5:
        return b""
    first = bytes([int(random.random() * 256)])
    count = 1 + int(random.random() * 3)
    return first + NEXT.join(http_answer(random, mutator, bodies) for _ in range(count))


def http_answer(random: Random, mutator: Mutator, bodies: Sequence[bytes]) -> bytes:
    """An answer of a server that has something odd about it, perhaps."""
    draw = random.random
    status = _STATUS[int(draw() ** 3 * len(_STATUS))]
    lines = [_HEADERS[int(draw() * len(_HEADERS))] for _ in range(int(draw() ** 2 * 4))]
    for _ in range(int(draw() ** 2 * 4) if lines else 0):
        lines[int(draw() * len(lines))] += _PARAMETERS[int(draw() * len(_PARAMETERS))]
    body = bodies[int(draw() * len(bodies))] if draw() < 0.8 else mutator.mutated()
    head = b"".join(line + b"\r\n" for line in (status, *lines))
    kind = draw()
    if kind < 0.2:
        return head + b"\r\n" + body
    return sized(body, head) if kind < 0.5 else chunked(body[:3], body[3:], head=head)
