"""The simulator: its parts, and its methods for any thread."""

from __future__ import annotations

import json
import time
from typing import Any, Dict, Iterable, List, Optional, Tuple, TypeVar, Union

from aiohttp import web

from . import overview
from .access import Access
from .arguments import require_integer, require_one_of, require_seconds, require_some_of
from .clients import Client
from .clock import Clock, LoopScheduler, ManualClock
from .commands import Command
from .contact_methods import ContactMethods
from .faults import Faults
from .history import History
from .host_filter import HostFilter
from .line_site import LineSite
from .manager import EXPIRES_IN, EXPIRIES, Manager
from .manager_site import BARE, TOKEN_SHAPES
from .oauth2 import Authority
from .observation import Observation
from .phones import Line, NumberLike, Phone, parse_number
from .profiles import Profiles
from .runtime import Runtime
from .service import Service
from .serving import ServerThread
from .sockjs import STREAM_LIMIT, TRANSPORT_NAMES, Endpoint
from .tls import Certificates, require_certificate
from .website import Website

S = TypeVar("S", bound="Simulator")

EVERYONE = "all"
MAX_STREAM_LIMIT = 2**31 - 1


class Simulator(Access, ContactMethods, Observation):
    """A simulated Keyyo on loopback, served by a daemon thread.

    Use it in a ``with`` statement, or call `start` and `stop`. Every other method works from any
    thread, and raises `RuntimeError` if the simulator is not running.

    :param host: IPv4 address or name to listen on.
    :param port: port to listen on; 0 takes a free one.
    :param allowed_hosts: further host names that clients may use. `host`, IP addresses and names
        without a dot are always allowed. Any other ``Host`` gets status 421, because a web page
        could point its own name at the simulator.
    :param heartbeat: seconds between two SockJS heartbeats.
    :param disconnect_delay: timeout in seconds for an HTTP client between two receiving requests.
    :param stream_limit: bytes after which an "xhr-streaming" response ends.
    :param transports: the SockJS transports to serve.
    :param jsessionid: True if the HTTP transports set a load balancer's cookie.
    :param tls: True serves https with a new certificate; see `ca_certs`. "expired", "wrong-host"
        and "self-signed" serve https with a certificate that clients must reject.
    :param session_timer: seconds until a session without connections is destroyed.
    :param token_lifetime: seconds until a CSI token expires.
    :param ring_timeout: seconds after which an unanswered call is missed; None is no timeout.
    :param park_slots: number of numbered callpark slots.
    :param replay_on_restore: True if a restored session is notified of its live calls.
    :param access_token_lifetime: seconds until an OAuth2 access token expires.
    :param rotate_refresh_tokens: True if each refresh replaces the refresh token.
    :param page_size: maximum number of items on a page of the Manager API.
    :param max_requests: requests of the Manager API at the same time; further ones get 429.
    :param csi_token_shape: "bare" returns a new CSI token as an object, "embedded" as a collection
        of one.
    :param csi_token_expiry: the field that carries a CSI token's expiry, "expires_in" or
        "timestamp".
    :param clock: returns the server's time in Unix seconds. A `ManualClock` also runs the timers
        of the service when `elapse` moves it, but not those of SockJS.
    :raises TypeError: an argument has the wrong type.
    :raises ValueError: an argument is out of range.
    :raises ImportError: `tls` needs trustme, which is not installed.
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
        max_requests: int = 6,
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
        host_filter = HostFilter([*filter(None, [host]), *allowed_hosts])
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
            stream_limit=require_integer(stream_limit, "stream_limit", 1, MAX_STREAM_LIMIT),
            transports=require_some_of(transports, TRANSPORT_NAMES, "transports"),
            jsessionid=jsessionid,
            gate=self._gate,
        )
        manager = Manager(
            self._service.exchange,
            self._service.tokens,
            clock,
            token_lifetime=self._token_lifetime,
            token_expiry=require_one_of(csi_token_expiry, EXPIRIES, "csi_token_expiry"),
        )
        self._website = Website(
            self._service.watchers,
            Authority(
                clock,
                access_token_lifetime=require_seconds(
                    access_token_lifetime, "access_token_lifetime"),
                rotate_refresh_tokens=rotate_refresh_tokens,
            ),
            manager,
            self._service.exchange,
            LineSite(manager, self._service.history, Profiles(self._service.exchange), clock),
            page_size=require_integer(page_size, "page_size", 1, 1_000),
            token_shape=require_one_of(csi_token_shape, TOKEN_SHAPES, "csi_token_shape"),
            host_filter=host_filter,
            max_requests=require_integer(max_requests, "max_requests", 1, 1_000),
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
        self.history = History(self._thread, self._service.history)
        self._runtime = Runtime(self._thread, self._service.exchange, self._service.watchers)
        self.faults = Faults(
            self._thread, self._service.clients, self._service.sessions, self._website.faults,
            self._service.perform_later)

    def __repr__(self) -> str:
        return overview.describe(*self._get_overview())

    def _repr_html_(self) -> str:
        return overview.render(*self._get_overview())

    def _get_overview(self) -> Tuple[str, List[Line], List[Phone]]:
        # Without a call to the server's thread, for which a notebook would have to wait.
        where = self.endpoint if self._thread.running else "not running"
        return where, list(self._lines.values()), list(self._phones.values())

    def __enter__(self: S) -> S:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server. A simulator starts only once.

        :raises RuntimeError: it was started before.
        :raises OSError: the address is not available.
        """
        self._thread.start()
        if self._certificates is not None:
            self._certificates.publish()

    def stop(self) -> None:
        """Close every connection and end the thread within two seconds; harmless to repeat."""
        self._thread.stop()
        if self._certificates is not None:
            self._certificates.remove()

    @property
    def ca_certs(self) -> str:
        """The path of the CA certificate (PEM) that clients of ``tls=True`` must trust.

        :raises RuntimeError: the simulator has no TLS or is not running.
        """
        if self._certificates is None:
            raise RuntimeError("ca_certs needs Simulator(tls=True)")
        if self._certificates.ca_certs is None:
            raise RuntimeError("ca_certs exists only while the simulator runs: call start() first")
        return self._certificates.ca_certs

    @property
    def endpoint(self) -> str:
        """The URL for a client's `endpoint` option, for example "http://127.0.0.1:40001/cti"."""
        return self._thread.base_url

    # Lines and telephones

    def line(
        self,
        number: NumberLike,
        *,
        name: Optional[str] = None,
        short_number: Optional[str] = None,
        organisation: Optional[str] = None,
    ) -> Line:
        """Return the account's line `number` with the given settings; add it if it is new.

        :param number: in international format, digits only.
        :param name: the name of its owner.
        :param short_number: a second number that can be dialled.
        :param organisation: lines can subscribe only to lines of the same organisation.
        :raises NotPossible: the number is an outside telephone already.
        """
        given = {"name": name, "short_number": short_number, "organisation": organisation}
        line = self._thread.call(self._line, parse_number(number))
        line.set(**{key: value for key, value in given.items() if value is not None})
        return line

    def _line(self, number: str) -> Line:
        subscriber = self._service.exchange.add_line(number)
        return self._lines.setdefault(number, Line(self._runtime, subscriber))

    def phone(self, number: NumberLike) -> Phone:
        """Return the telephone with this number, a line's own or an outside telephone.

        :param number: an unknown number becomes an outside telephone.
        """
        return self._thread.call(self._phone, parse_number(number))

    def _phone(self, number: str) -> Phone:
        subscriber = self._service.exchange.get_subscriber(number)
        if subscriber.is_line:
            return self._line(subscriber.number).phone
        return self._phones.setdefault(number, Phone(self._runtime, subscriber))

    # Tokens and sessions

    def token(self, line: NumberLike, lifetime: Optional[float] = None) -> str:
        """Return a new CSI token for a line.

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
        number = parse_number(line, "line")
        if self._thread.call(self._service.exchange.find_line, number) is None:
            raise ValueError(f"line: there is no line {number}; add it with line()")
        return number

    def expire_token(self, token: str) -> None:
        """Let a token expire now; open sessions continue.

        :raises ValueError: this simulator did not issue the token.
        """
        self._thread.call(self._service.tokens.expire, token)

    def revoke_token(self, token: str) -> None:
        """Make a token invalid; open sessions continue.

        :raises ValueError: this simulator did not issue the token.
        """
        self._thread.call(self._service.tokens.revoke, token)

    # Time and messages

    def elapse(self, seconds: float) -> None:
        """Advance the manual clock and run the timers that fall due.

        :raises RuntimeError: the simulator has no `ManualClock`.
        """
        clock = self._clock
        if not isinstance(clock, ManualClock):
            raise RuntimeError("elapse needs Simulator(clock=ManualClock())")
        self._thread.call(clock.advance, seconds)

    def push(self, to: NumberLike, *messages: Any, packed: bool = True) -> int:
        """Send messages without checking them.

        :param to: a line (the connections of its own sessions receive them), or "all".
        :param messages: any JSON values.
        :param packed: True sends one SockJS frame, False one frame for each message.
        :returns: number of receiving connections.
        """
        number = None if to == EVERYONE else parse_number(to, "to")
        texts = [json.dumps(message) for message in messages]

        def send() -> int:
            clients = self._service.clients.find_by_line(number)
            for client in clients:
                client.push(texts, packed=packed)
            return len(clients)

        return self._thread.call(send)

    # Methods, because `faults` needs the thread and exists only at the end of __init__.

    def _intercept(self, client: Client, command: Command) -> bool:
        return self.faults.intercept(client, command)

    async def _gate(self, phase: str, request: web.Request) -> Optional[web.StreamResponse]:
        return await self.faults.gate(phase, request)
