"""Which transport carries a session, and for how long each is tried."""

from __future__ import annotations

import logging
import socket
from typing import Any, Dict, List, Sequence, Type

import pytest
import requests

from keyyo_cti._net import urls
from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._net.connect import Connector
from keyyo_cti._sockjs import handshake
from keyyo_cti._sockjs.errors import Closed, SockJSError, Unreadable
from keyyo_cti._sockjs.handshake import (
    TRANSPORTS,
    Handshake,
    HandshakeResult,
    Timeouts,
    choose,
    share,
)
from keyyo_cti._sockjs.info import Info
from keyyo_cti._sockjs.session import OPEN, Message, Opened
from keyyo_cti._sockjs.transport import Transport
from keyyo_cti._sockjs.websocket import WebSocketTransport
from keyyo_cti._sockjs.xhr import XhrPollingTransport, XhrStreamingTransport

from ...helpers.background import A_WHILE, SOON, Hand
from ...helpers.probe import Record
from ...helpers.tcp_peer import Peer, request, respond
from .scripted_transport import Scripted, Step

KINDS = [WebSocketTransport, XhrStreamingTransport, XhrPollingTransport]


class Stage:
    """An opening whose transports follow scripts, and whose info is given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.clock = Hand()
        self.cancel_token = CancelToken()
        self.info = Info(True, 0.01)
        self.cookies: Dict[str, str] = {}
        self.tried: List[Scripted] = []

    def run(
        self,
        *scripts: Sequence[Step],
        timeouts: Timeouts = Timeouts(),
        seconds: float = 10.0,
    ) -> HandshakeResult:
        """Opens with so many transports."""
        kinds: Dict[str, Type[Transport]] = {}
        for number, script in enumerate(scripts):
            kinds[f"t{number}"] = type("Kind", (Scripted,), {
                "name": f"t{number}", "script": script, "tried": self.tried, "clock": self.clock,
            })
        self._monkeypatch.setattr(handshake, "_KINDS", kinds)
        self._monkeypatch.setattr(handshake, "fetch", self._fetch)
        return Handshake(
            "http://server.test",
            Connector(
                urls.parse_origin("http://server.test"), None, self.cancel_token, SOON, self.clock
            ),
            self.cancel_token,
            self.clock() + seconds,
            timeouts,
            list(kinds),
            self.clock,
        ).run()

    def _fetch(self, session: requests.Session, url: str) -> Info:
        assert url == "http://server.test/info"
        for name, value in self.cookies.items():
            session.cookies.set(name, value)
        return self.info

    def failure(self, *scripts: Sequence[Step], **more: Any) -> Closed:
        with pytest.raises(SockJSError) as caught:
            self.run(*scripts, **more)
        assert all(each.discarded == 1 for each in self.tried)
        return caught.value.closed


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch)


REFUSED = SockJSError(1006, "refused", OSError("why"))


# The transports in turn.


def test_the_first(stage: Stage) -> None:
    """The first transport that opens is the one, with what came with the opening; no other is
    tried."""
    session = stage.run([None, "h" * 2048, "h", "", 'a["early"]', "o"], [REFUSED])
    assert session.transport is stage.tried[0]
    assert (session.session.state, session.events) == (OPEN, [Opened()])
    assert session.session.receive('a["x"]') == [Message("x")]
    assert len(stage.tried) == 1 and stage.tried[0].discarded == 0


def test_fallback(stage: Stage) -> None:
    """One that fails, or is too late, or closes uncleanly, is discarded, and the next is tried
    with the same server name and the same cookies."""
    session = stage.run([REFUSED], [None, None], [None, 'c[2010,"no"]'], [None, "o"])
    assert session.transport is stage.tried[3]
    assert [each.discarded for each in stage.tried] == [1, 1, 1, 0]
    assert [set(each.waits) - {each.until} for each in stage.tried] == [set()] * 4
    assert len({each.config.server for each in stage.tried}) == 1
    assert len({id(each.config.cookies) for each in stage.tried}) == 1


def test_log(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Which transport cannot be opened, and why, is logged, but is no warning: it is what the
    others are for."""
    caplog.set_level(logging.DEBUG)
    stage.run([REFUSED], [None, "o"])
    assert [(record.name, record.levelname, record.getMessage()) for record in caplog.records] == [
        ("keyyo_cti.sockjs", "INFO", "t0 cannot be opened: 1006 refused")
    ]


def test_setting(stage: Stage) -> None:
    """Each transport is told the limits that concern it."""
    stage.run([None, "o"], timeouts=Timeouts(write_timeout=2.0, max_message_size=4))
    config = stage.tried[0].config
    assert (config.base_url, config.max_message_size) == ("http://server.test", 4)
    assert (config.write_timeout, config.clock) == (2.0, stage.clock)
    assert len(config.server) == 3 and config.server.isdigit()


def test_limits() -> None:
    """What is not given is ten seconds to connect, thirty to write, sixty of silence, and eight
    MiB a message."""
    limits = Timeouts()
    assert (limits.connect_timeout, limits.write_timeout, limits.heartbeat_timeout) == (10, 30, 60)
    assert limits.max_message_size == 8_388_608


@pytest.mark.parametrize("code", [1000, 3000, 4999])
def test_clean_close(stage: Stage, code: int) -> None:
    """A server that closes on purpose is not asked by another transport."""
    closed = stage.failure([None, f'c[{code},"no"]'], [None, "o"])
    assert closed == Closed(code, "no")
    assert len(stage.tried) == 1


@pytest.mark.parametrize("code", [999, 1001, 2999, 5000])
def test_unclean_close(stage: Stage, code: int) -> None:
    """One that closes otherwise is."""
    assert stage.run([None, f'c[{code},"no"]'], [None, "o"]).transport is stage.tried[1]


def test_none_left(stage: Stage) -> None:
    """When none is left, the last reason and its cause are told."""
    closed = stage.failure([SockJSError(1006, "first")], [REFUSED])
    assert closed == Closed(2000, "All transports failed: refused")
    assert closed.cause is REFUSED.closed.cause


def test_none_offered(stage: Stage) -> None:
    """When there is none to try, that is told."""
    closed = stage.failure()
    assert closed == Closed(2000, "All transports failed: the server offers none of them")


def test_too_late(stage: Stage) -> None:
    """A transport whose first frame does not come in time is told as too late."""
    closed = stage.failure([None, "h", None])
    assert closed.code == 2000
    assert closed.reason.startswith("All transports failed: Transport timeouted")


def test_given_up(stage: Stage) -> None:
    """When nobody wants the session any more, no other transport is tried."""
    stage.cancel_token.cancel()
    assert stage.failure([REFUSED], [None, "o"]) == Closed(1006, "refused")
    assert len(stage.tried) == 1


@pytest.mark.parametrize("steps", [[KeyError("bug")], [None, KeyError("bug")]])
def test_bug(stage: Stage, steps: List[Step]) -> None:
    """A mistake in a transport is no reason to try another, and it is discarded all the same."""
    with pytest.raises(KeyError):
        stage.run(steps, [None, "o"])
    assert [each.discarded for each in stage.tried] == [1]


def test_fault_of_the_last_transport_is_called_so(stage: Stage) -> None:
    bug = KeyError("bug")
    closed = stage.failure([SockJSError(1006, "the receiver failed", bug, fault=True)])
    assert closed.fault and closed.cause is bug


def test_unreadable(stage: Stage) -> None:
    """A frame that cannot be read is passed over before the opening."""
    stage.run([None, Unreadable("no"), "a[", "o"])
    assert len(stage.tried) == 1


def test_broken_close(stage: Stage) -> None:
    """A close that cannot be read is an unclean one."""
    reason = "All transports failed: A close frame that cannot be read"
    assert stage.failure([None, "c["]).reason.startswith(reason)


# How long.


@pytest.mark.parametrize(
    "round_trip, seconds",
    [(0.01, 5.0), (0.1, 5.0), (0.8, 5.0), (1.0, 6.0), (1.5, 9.0)],
)
def test_patience(stage: Stage, round_trip: float, seconds: float) -> None:
    """The first frame has five seconds, or twice three round trips, which is what SockJS
    clients give it where the network is slow."""
    stage.info = Info(True, round_trip)
    stage.run([None, "o"], seconds=100.0)
    assert stage.tried[0].until == pytest.approx(100.0 + seconds)


@pytest.mark.parametrize(
    "seconds, shares",
    [(10.0, [5.0, 3.0, 2.0]), (6.0, [3.0, 1.5, 1.5]), (30.0, [5.0, 5.0, 5.0])],
)
def test_time_is_shared(stage: Stage, seconds: float, shares: List[float]) -> None:
    """A transport that uses up its time leaves some for those after it."""
    stage.failure(*[[None, None]] * 3, seconds=seconds)
    ends = [100.0, *(each.until for each in stage.tried)]
    assert [after - before for before, after in zip(ends, ends[1:])] == shares


@pytest.mark.parametrize(
    ("remaining", "left", "seconds"),
    [
        (10.0, 2, 6.0),
        (5.0, 1, 3.0),
        (5.0, 0, 5.0),
        (1.0, 2, 0.5),
        (3.0, 1, 1.5),
        (4.0, 1, 2.0),
        (0.0, 2, 0.0),
    ],
)
def test_share(remaining: float, left: int, seconds: float) -> None:
    """A transport leaves two seconds for each of those after it, and takes half of what there is
    at least."""
    assert share(remaining, left) == seconds


# Which.


def test_names() -> None:
    """The transports are tried in this order."""
    assert TRANSPORTS == ("websocket", "xhr-streaming", "xhr-polling")


@pytest.mark.parametrize(
    "websocket, wanted, kinds",
    [
        (True, TRANSPORTS, KINDS),
        (False, TRANSPORTS, KINDS[1:]),
        (True, ["xhr-polling", "websocket"], [KINDS[2], KINDS[0]]),
        (False, ["websocket"], []),
        (True, [], []),
    ],
)
def test_choose(websocket: bool, wanted: Sequence[str], kinds: List[Any]) -> None:
    """Those that are wanted are tried as they are wanted, websockets only where the server has
    them."""
    assert choose(Info(websocket, 0.0), wanted) == kinds


# Info.


def ask(peer: Peer, seconds: float = SOON) -> SockJSError:
    """Why the opening fails at a real server."""
    clock, cancel_token = Hand(), CancelToken()
    with pytest.raises(SockJSError) as caught:
        Handshake(
            peer.endpoint,
            Connector(urls.parse_origin(peer.endpoint), None, cancel_token, SOON, clock),
            cancel_token,
            clock() + seconds,
            Timeouts(),
            [],
            clock,
        ).run()
    return caught.value


def test_info() -> None:
    """The server is asked for its info first."""
    heads = Record()

    def serve(sock: socket.socket) -> None:
        heads.add(request(sock))
        respond(sock, {"websocket": True})

    with Peer(serve) as peer:
        assert ask(peer).closed.code == 2000
    assert heads.items[0].startswith(b"GET /cti/info HTTP/1.1\r\n")


def test_no_info_in_time() -> None:
    """A server that does not tell it in time is given up, and no transport is tried."""
    with Peer(lambda sock: peer.stall(sock)) as peer:
        closed, url = ask(peer, A_WHILE).closed, f"{peer.endpoint}/info"
    assert closed.code == 1002 and closed.reason.endswith(f" from {url}")


@pytest.mark.parametrize("seconds, until", [(100.0, 108.0), (8.0, 108.0), (3.0, 103.0)])
def test_time_for_info(seconds: float, until: float) -> None:
    """It has eight seconds, and not longer than the opening."""
    asked: List[Any] = []

    def open_stream(*arguments: Any) -> Any:
        asked.append(arguments)
        raise SockJSError(1002, "no way")

    clock, cancel_token = Hand(), CancelToken()
    connector = Connector(urls.parse_origin("http://server.test"), None, cancel_token, SOON, clock)
    connector.open = open_stream  # type: ignore[assignment, method-assign]
    with pytest.raises(SockJSError, match="no way"):
        Handshake(
            "http://server.test", connector, cancel_token, clock() + seconds, Timeouts(), [], clock
        ).run()
    assert asked == [(until, 262_144)]


def test_cookies_of_the_info(stage: Stage) -> None:
    """The cookies that come with the info are those of the transports."""
    stage.cookies = {"JSESSIONID": "here"}
    stage.run([None, "o"])
    assert stage.tried[0].config.cookies.get_dict() == stage.cookies
