"""The simulator: the parts wired together, behind methods for any thread."""

from __future__ import annotations

import json
import time
from typing import Any, Dict, Iterable, Optional, Union

from aiohttp import web

from .access import Access
from .arguments import require_integer, require_one_of, require_some_of
from .clients import Client
from .clock import Clock, LoopScheduler, ManualClock
from .commands import Command
from .faults import Faults
from .host_filter import Visitors
from .manager import EXPIRES_IN, EXPIRIES, Manager
from .manager_site import BARE, TOKEN_SHAPES
from .oauth2 import Authority
from .observation import Observation
from .phones import Line, NumberLike, Phone, World, number_of, require_seconds
from .service import Service
from .serving import ServerThread
from .sockjs import STREAM_LIMIT, TRANSPORT_NAMES, Endpoint
from .tls import Certificates, require_certificate
from .website import Website

EVERYONE = "all"
MOST_STREAMED = 2**31 - 1


class Simulator(Access, Observation):
    """A Keyyo of one's own on loopback, served by a daemon thread.

    Use it in a ``with`` statement, or call `start` and `stop`. Every other method needs it
    running, can be called from any thread, and raises `RuntimeError` when it is not.

    :param host: IPv4 address or name to listen on.
    :param port: port to listen on; 0 takes a free one.
    :param allowed_hosts: host names that clients use to reach it, besides `host`, IP addresses,
        and names without a dot, such as localhost. Any other ``Host`` is refused (421), because a
        web page could point its own name at the simulator.
    :param heartbeat: seconds between two SockJS heartbeats.
    :param disconnect_delay: seconds that a client of an HTTP transport may stay away.
    :param stream_limit: bytes after which an answer of "xhr-streaming" ends.
    :param transports: which SockJS transports there are.
    :param jsessionid: whether the HTTP transports set a cookie, as for a balancer of load.
    :param tls: whether every URL is https, with a certificate made on the spot; see `ca_certs`.
        "expired", "wrong-host" and "self-signed" are certificates that nobody should accept.
    :param session_timer: seconds that a session without connections stays.
    :param token_lifetime: seconds that a CSI token is good for.
    :param ring_timeout: seconds after which a call is missed; None rings for ever.
    :param park_slots: how many numbered slots the callpark has.
    :param replay_on_restore: whether a restored session is told the calls that go on.
    :param access_token_lifetime: seconds that an OAuth2 access token is good for.
    :param rotate_refresh_tokens: whether a refresh token is good once, and brings the next one;
        if not, it stays, and a refresh brings none.
    :param page_size: how many items a page of the Manager has at most.
    :param csi_token_shape: "bare" answers a new CSI token as an object of its own, "embedded" as
        a collection of one.
    :param csi_token_expiry: "expires_in" or "timestamp", the field that says how long it is good.
    :param clock: tells the server's time in Unix seconds. A `ManualClock` also runs the timers
        of the service (not those of SockJS), when `elapse` moves it.
    :raises TypeError: an argument has the wrong type.
    :raises ValueError: an argument is out of its range.
    :raises ImportError: `tls` is asked for, and trustme is not installed.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        allowed_hosts: Iterable[str] = (),
        heartbeat: float = 25.0,
        disconnect_delay: float = 5.0,
        stream_limit: int = STREAM_LIMIT,
        transports: Iterable[str] = TRANSPORT_NAMES,
        jsessionid: bool = True,
        tls: Union[bool, str] = False,
        session_timer: float = 300.0,
        token_lifetime: float = 3600.0,
        ring_timeout: Optional[float] = None,
        park_slots: int = 10,
        replay_on_restore: bool = True,
        access_token_lifetime: float = 3600.0,
        rotate_refresh_tokens: bool = True,
        page_size: int = 50,
        csi_token_shape: str = BARE,
        csi_token_expiry: str = EXPIRES_IN,
        clock: Clock = time.time,
    ) -> None:
        require_integer(port, "port", 0, 65_535)
        require_integer(park_slots, "park_slots", 1, 1_000)
        if not callable(clock):
            raise TypeError(f"clock: expected a function, got {type(clock).__name__}")
        if ring_timeout is not None:
            require_seconds(ring_timeout, "ring_timeout")
        if isinstance(allowed_hosts, str):
            raise TypeError("allowed_hosts: expected a list of strings, got str")
        visitors = Visitors([*filter(None, [host]), *allowed_hosts])
        self._token_lifetime = require_seconds(token_lifetime, "token_lifetime")
        self._clock = clock
        self._lines: Dict[str, Line] = {}
        self._phones: Dict[str, Phone] = {}
        self._service = Service(
            clock,
            clock if isinstance(clock, ManualClock) else LoopScheduler(),
            self._intercept,
            session_timer=require_seconds(session_timer, "session_timer"),
            ring_timeout=ring_timeout,
            park_slots=park_slots,
            replay_on_restore=replay_on_restore,
        )
        endpoint = Endpoint(
            self._service,
            heartbeat=require_seconds(heartbeat, "heartbeat"),
            disconnect_delay=require_seconds(disconnect_delay, "disconnect_delay"),
            stream_limit=require_integer(stream_limit, "stream_limit", 1, MOST_STREAMED),
            transports=require_some_of(transports, TRANSPORT_NAMES, "transports"),
            jsessionid=jsessionid,
            gate=self._gate,
        )
        self._website = Website(
            self._service.watchers,
            Authority(
                clock,
                access_token_lifetime=require_seconds(
                    access_token_lifetime, "access_token_lifetime"),
                rotate_refresh_tokens=rotate_refresh_tokens,
            ),
            Manager(
                self._service.exchange,
                self._service.tokens,
                clock,
                token_lifetime=self._token_lifetime,
                token_expiry=require_one_of(csi_token_expiry, EXPIRIES, "csi_token_expiry"),
            ),
            page_size=require_integer(page_size, "page_size", 1, 1_000),
            token_shape=require_one_of(csi_token_shape, TOKEN_SHAPES, "csi_token_shape"),
            visitors=visitors,
        )
        certificate = require_certificate(tls)
        self._certificates = Certificates(host, certificate) if certificate else None
        self._thread = ServerThread(
            endpoint,
            host=host,
            port=port,
            tls=None if self._certificates is None else self._certificates.context,
            extend=self._website.extend,
        )
        self._world = World(self._thread, self._service.exchange, self._service.watchers)
        self.faults = Faults(
            self._thread, self._service.clients, self._service.sessions, self._website.faults)

    def __repr__(self) -> str:
        where = self.endpoint if self._thread.running else "not running"
        return f"<Simulator {where}>"

    def __enter__(self) -> Simulator:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start to serve. A simulator starts once.

        :raises RuntimeError: it was started before.
        :raises OSError: the address cannot be had.
        """
        self._thread.start()
        if self._certificates is not None:
            self._certificates.publish()

    def stop(self) -> None:
        """Close every connection and end the thread, within two seconds; harmless to repeat."""
        self._thread.stop()
        if self._certificates is not None:
            self._certificates.remove()

    @property
    def ca_certs(self) -> str:
        """The path of a PEM file with the authority that a client of ``tls=True`` has to trust.

        :raises RuntimeError: the simulator is without TLS, or not running.
        """
        if self._certificates is None:
            raise RuntimeError("ca_certs needs Simulator(tls=True)")
        if self._certificates.ca_certs is None:
            raise RuntimeError("ca_certs is there while the simulator runs: call start() first")
        return self._certificates.ca_certs

    @property
    def endpoint(self) -> str:
        """The URL for a client's option `endpoint`, for example "http://127.0.0.1:40001/cti"."""
        return self._thread.base_url

    # The account and the world outside

    def line(
        self,
        number: NumberLike,
        *,
        name: Optional[str] = None,
        short_number: Optional[str] = None,
        organisation: Optional[str] = None,
    ) -> Line:
        """The account's line `number`; a new one is added, and what is given is set.

        :param number: international format, digits only.
        :param name: whose line it is.
        :param short_number: under which it can also be dialled.
        :param organisation: lines may subscribe to each other only within one organisation.
        :raises NotPossible: the number is an outside telephone already.
        """
        given = {"name": name, "short_number": short_number, "organisation": organisation}
        line = self._thread.call(self._line, number_of(number))
        line.set(**{key: value for key, value in given.items() if value is not None})
        return line

    def _line(self, number: str) -> Line:
        station = self._service.exchange.add_line(number)
        return self._lines.setdefault(number, Line(self._world, station))

    def phone(self, number: NumberLike) -> Phone:
        """The telephone that answers to `number`: a line's own, or one outside.

        :param number: one that is unknown becomes an outside telephone.
        """
        return self._thread.call(self._phone, number_of(number))

    def _phone(self, number: str) -> Phone:
        station = self._service.exchange.station(number)
        if station.is_line:
            return self._line(station.number).phone
        return self._phones.setdefault(number, Phone(self._world, station))

    # Tokens and sessions

    def token(self, line: NumberLike, lifetime: Optional[float] = None) -> str:
        """A new CSI token for a line.

        :param line: a line, or the number of one.
        :param lifetime: seconds; None takes the simulator's setting.
        :raises ValueError: there is no such line.
        """
        if lifetime is None:
            lifetime = self._token_lifetime
        number = self._line_number(line)
        return self._thread.call(
            self._service.tokens.mint, number, require_seconds(lifetime, "lifetime"))

    def _line_number(self, line: NumberLike) -> str:
        number = number_of(line, "line")
        if self._thread.call(self._service.exchange.line, number) is None:
            raise ValueError(f"line: there is no line {number}; add it with line()")
        return number

    def expire_token(self, token: str) -> None:
        """Let a token run out now; sessions that are open go on.

        :raises ValueError: not a token of this simulator.
        """
        self._thread.call(self._service.tokens.expire, token)

    def revoke_token(self, token: str) -> None:
        """Make a token invalid; sessions that are open go on.

        :raises ValueError: not a token of this simulator.
        """
        self._thread.call(self._service.tokens.revoke, token)

    # What a test does to it

    def elapse(self, seconds: float) -> None:
        """Let time pass: the manual clock goes on and the timers that fall due run.

        :raises RuntimeError: the simulator was not made with a `ManualClock`.
        """
        clock = self._clock
        if not isinstance(clock, ManualClock):
            raise RuntimeError("elapse needs Simulator(clock=ManualClock())")
        self._thread.call(clock.advance, seconds)

    def push(self, to: NumberLike, *messages: Any, packed: bool = True) -> int:
        """Send messages unasked, right or wrong.

        :param to: a line (its own sessions' connections get them), or "all".
        :param messages: anything that JSON can say.
        :param packed: in one SockJS frame, or in a frame each.
        :returns: how many connections they were sent to.
        """
        number = None if to == EVERYONE else number_of(to, "to")
        texts = [json.dumps(message) for message in messages]

        def send() -> int:
            clients = self._service.clients.of_line(number)
            for client in clients:
                client.push(texts, packed=packed)
            return len(clients)

        return self._thread.call(send)

    # The faults come last, because they need the thread; until then nobody asks.

    def _intercept(self, client: Client, command: Command) -> bool:
        return self.faults.intercept(client, command)

    async def _gate(self, phase: str, request: web.Request) -> Optional[web.StreamResponse]:
        return await self.faults.gate(phase, request)
