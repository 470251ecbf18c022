"""An aborted receiver ends its session before the next request is served."""

from __future__ import annotations

import socket
import ssl
import struct
from contextlib import closing
from typing import Callable, Iterator
from uuid import uuid4

import pytest

from keyyo_cti.simulator import Simulator

from ..helpers.xhr_client import PRELUDE, RECEIVERS, STREAMING, Answer, Web

pytestmark = pytest.mark.fault(75)

#: Number of aborted receivers. A server that detects them too late may pass some by chance.
ABORTS = 20

Open = Callable[[], Web]


@pytest.fixture(params=[False, True], ids=["tcp", "tls"])
def open_web(request: pytest.FixtureRequest) -> Iterator[Open]:
    """Return a function that opens TCP connections to a simulator, in clear or over TLS."""
    with Simulator(tls=request.param, disconnect_delay=60) as sim:
        trust = ssl.create_default_context(cafile=sim.ca_certs) if request.param else None
        yield lambda: Web(sim.endpoint, tls=trust)


def abort_a_stream(web: Web, session: str, how: str) -> None:
    """Open a session with a stream, and end TCP under it."""
    stream = web.request("POST", session + STREAMING)
    assert (stream.line(), stream.line()) == (PRELUDE, "o")
    if how == "reset":
        web.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    web.close()


def first_frame(answer: Answer) -> str:
    line = answer.line()
    return answer.line() if line == PRELUDE else line


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("receiver", RECEIVERS)
def test_next_receiver_opens_a_new_session(open_web: Open, receiver: str, how: str) -> None:
    """The next receiver uses an existing TCP connection, which costs the server no loop turn."""
    for _ in range(ABORTS):
        session = f"/000/{uuid4().hex}/"
        with closing(open_web()) as ready:
            abort_a_stream(open_web(), session, how)
            assert first_frame(ready.request("POST", session + receiver)) == "o"


@pytest.mark.parametrize("how", ["close", "reset"])
def test_messages_find_no_session(open_web: Open, how: str) -> None:
    with closing(open_web()) as ready:
        for _ in range(ABORTS):
            session = f"/000/{uuid4().hex}/"
            abort_a_stream(open_web(), session, how)
            answer = ready.request("POST", session + "xhr_send", b'["x"]')
            assert answer.status == 404
            answer.text()
