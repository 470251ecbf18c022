"""The options of a CTI, checked where they are given."""

import http.cookiejar
import os
from dataclasses import dataclass, field, fields
from typing import Any, Callable, Dict, Mapping, Optional, Sequence, TypedDict, Union, cast

from ._client.dial_guard import MayDial
from ._client.literals import Dispatch, Transport
from ._net import urls
from ._net.user_code import require_function
from ._sockjs import TRANSPORTS
from .backoff import Backoff

#: Seconds, or days: what the waits of every platform can take.
_LONGEST = 2_000_000

ENDPOINT = "https://ws.keyyo.com/cti"


@dataclass(frozen=True)
class Options:
    """What ``CTI(...)`` takes, as a dict, as keywords, or both.

    From JavaScript:

    :ivar cookie_auto: keep the session id in a cookie, and restore from it.
    :ivar cookie_name: its name.
    :ivar cookie_expires: its life in days.
    :ivar ping_auto: ping the server every ``ping_interval`` while connected.
    :ivar endpoint: the SockJS URL of the service.

    Ours:

    :ivar allow_http: True if ``endpoint`` may be http on another machine, where the token is sent
        in clear: for laboratories. http on this machine is always allowed, past any proxy.
    :ivar cookie_jar: any ``http.cookiejar.CookieJar`` that holds the cookie.
    :ivar cookie_file: or a file of its own, in a folder that nobody else can write to; by default
        one in the user's state directory. A later ``chdir`` does not change which file is meant.
    :ivar timeout: seconds that a command may take.
    :ivar connect_timeout: seconds that opening the connection may take.
    :ivar ping_interval: seconds.
    :ivar heartbeat_timeout: seconds of silence after which the server is given up.
    :ivar may_dial: a function that is asked with the number before ``dial``, ``transfer`` and
        ``supervised_transfer``, for programs whose numbers come from elsewhere. If it returns
        something false or raises, nothing is sent, and the callback gets KeyyoError 403
        ``not_allowed``. It runs in the thread that calls the method, with no lock held, after the
        arguments are checked; the number is as it was given. What it raises is logged and emitted
        as ``error``.
    :ivar token_provider: a function that returns a fresh CSI token, such as a ``TokenProvider``.
        It turns auto-restore on: a session whose connection is lost is brought back. It is called
        on a thread of the SDK's own, one call at a time, may take its time, and may raise.
        KeyyoError with ``final`` True ends the restoring with ``lost``, and so does one with 401
        or 403 of your own, unless its ``final`` is False. Anything else is tried again, as are a
        firewall's 401 and 403 that a ``TokenProvider`` meets. White space at the ends of the
        token is removed. Its method ``invalidate(token)``, if it has one, is told of a token that
        the server refused. If it does not return, a warning names it after 30 s.
    :ivar backoff: the pauses before the attempts to restore, and how many there may be.
    :ivar dispatch: where handlers run: None, ``"manual"``, or a function that is handed each
        piece of work.
    :ivar max_ended_calls: how many ended calls are kept; None keeps all.
    :ivar max_active_calls: how many calls that go on are kept; of more, those that were notified
        first are forgotten, with a warning. None keeps all.
    :ivar max_backlog: how many events may wait for slow handlers before reading stops; None
        for no bound. While a handler waits for the answer to a command there is none.
    :ivar max_backlog_bytes: how much memory these events may take, in bytes; None for no bound.
        While a handler waits for an answer, four times as much; then the connection ends.
    :ivar max_message_size: bytes that one message of the server may have.
    :ivar transports: which ways to the server are tried, in this order: ``websocket``,
        ``xhr-streaming``, ``xhr-polling``. A restore begins with the one that carried the last
        session.
    :ivar proxies: by scheme, as for ``requests``: ``{"https": "http://user:password@host:port"}``;
        what is not there is the environment's (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY).
        ``{"no_proxy": "*"}`` is for none at all. ``socks5://`` needs PySocks.
    :ivar ca_certs: file or folder of the certificate authorities to trust.
    """

    cookie_auto: bool = True
    cookie_name: str = "__ksid"
    cookie_expires: float = 60
    ping_auto: bool = True
    endpoint: str = ENDPOINT
    allow_http: bool = False
    # Its repr would show the session id.
    cookie_jar: Optional[http.cookiejar.CookieJar] = field(default=None, repr=False)
    cookie_file: Union[str, "os.PathLike[str]", None] = None
    timeout: float = 30.0
    connect_timeout: float = 10.0
    ping_interval: float = 300.0
    heartbeat_timeout: float = 60.0
    # Their repr may show what they are made of.
    may_dial: Optional[MayDial] = field(default=None, repr=False)
    token_provider: Optional[Callable[[], str]] = field(default=None, repr=False)
    backoff: Backoff = Backoff()
    dispatch: Dispatch = None
    max_ended_calls: Optional[int] = 10_000
    max_active_calls: Optional[int] = 20_000
    max_backlog: Optional[int] = 100_000
    max_backlog_bytes: Optional[int] = 128 * 1024 * 1024
    max_message_size: int = 8 * 1024 * 1024
    transports: Sequence[Transport] = cast(Sequence[Transport], TRANSPORTS)
    # Its repr would show a password.
    proxies: Optional[Mapping[str, Optional[str]]] = field(default=None, repr=False)
    ca_certs: Union[str, "os.PathLike[str]", None] = None

    def __post_init__(self) -> None:
        for name in ("cookie_auto", "ping_auto", "allow_http"):
            _check(name, isinstance(getattr(self, name), bool), "True or False")
        _check("cookie_name", isinstance(self.cookie_name, str) and bool(self.cookie_name),
               "a string that is not empty")
        for name in ("cookie_expires", "timeout", "connect_timeout", "ping_interval",
                     "heartbeat_timeout"):
            _check(name, _positive(getattr(self, name)), f"a number above 0, at most {_LONGEST}")
        _check("max_message_size", _whole(self.max_message_size, 1), "a whole number above 0")
        for name in ("max_active_calls", "max_backlog", "max_backlog_bytes"):
            value = getattr(self, name)
            _check(name, value is None or _whole(value, 1), "a whole number above 0, or None")
        _check("max_ended_calls", self.max_ended_calls is None or _whole(self.max_ended_calls, 0),
               "a whole number, or None")
        self._check_kinds()

    def _check_kinds(self) -> None:
        if self.may_dial is not None:
            # What a coroutine function returns would always be true.
            require_function("may_dial", self.may_dial, "a function that returns True or False")
        if self.token_provider is not None:
            require_function("token_provider", self.token_provider,
                             "a function that returns a CSI token")
        _check("backoff", isinstance(self.backoff, Backoff), "a keyyo_cti.backoff.Backoff")
        _check("dispatch", callable(self.dispatch) or self.dispatch in (None, "manual"),
               'None, "manual" or a function')
        if callable(self.dispatch):
            require_function("dispatch", self.dispatch)
        _check("cookie_jar", isinstance(self.cookie_jar, (http.cookiejar.CookieJar, type(None))),
               "an http.cookiejar.CookieJar")
        _check("cookie_file", isinstance(self.cookie_file, (str, os.PathLike, type(None))),
               "a path")
        if self.cookie_jar is not None and self.cookie_file is not None:
            raise TypeError("cookie_jar and cookie_file: expected one of the two, got both")
        listed = isinstance(self.transports, (list, tuple)) and bool(self.transports)
        _check("transports", listed and all(each in TRANSPORTS for each in self.transports),
               f"a list of some of {', '.join(TRANSPORTS)}")
        _check("proxies", self.proxies is None or _proxies(self.proxies),
               'a dict such as {"https": "http://host:port"}')
        _check("ca_certs", isinstance(self.ca_certs, (str, os.PathLike, type(None))), "a path")
        if self.ca_certs is not None and not os.path.exists(self.ca_certs):
            raise ValueError(f"ca_certs: no such file: {os.fspath(self.ca_certs)!r}")
        try:
            urls.check_secure(self.endpoint, self.allow_http)
        except ValueError as error:
            raise ValueError(f"endpoint: {error}") from None


class CTIOptions(TypedDict, total=False):
    """``Options`` as a dict, for type checkers; each one may be left out."""

    cookie_auto: bool
    cookie_name: str
    cookie_expires: float
    ping_auto: bool
    endpoint: str
    allow_http: bool
    cookie_jar: Optional[http.cookiejar.CookieJar]
    cookie_file: Union[str, "os.PathLike[str]", None]
    timeout: float
    connect_timeout: float
    ping_interval: float
    heartbeat_timeout: float
    may_dial: Optional[MayDial]
    token_provider: Optional[Callable[[], str]]
    backoff: Backoff
    dispatch: Dispatch
    max_ended_calls: Optional[int]
    max_active_calls: Optional[int]
    max_backlog: Optional[int]
    max_backlog_bytes: Optional[int]
    max_message_size: int
    transports: Sequence[Transport]
    proxies: Optional[Mapping[str, Optional[str]]]
    ca_certs: Union[str, "os.PathLike[str]", None]


def read(options: Optional[Mapping[str, Any]], keywords: Mapping[str, Any]) -> Options:
    """The options from JavaScript's object literal and from keywords.

    :raises TypeError: an option is unknown, given twice, or of a wrong kind.
    :raises ValueError: an option has an impossible value.
    """
    if options is not None and not isinstance(options, Mapping):
        raise TypeError(f"options: expected a dict, got {type(options).__name__}")
    given: Dict[str, Any] = dict(options or {})
    known = [option.name for option in fields(Options)]
    for name in [*given, *keywords]:
        if name not in known:
            raise TypeError(f"unknown option {name!r}: expected one of {', '.join(known)}")
    for name in given:
        if name in keywords:
            raise TypeError(f"option {name!r} is given twice, in the dict and as a keyword")
    return Options(**{**given, **keywords})


def _check(name: str, good: bool, expected: str) -> None:
    if not good:
        raise TypeError(f"{name}: expected {expected}")


def _positive(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and 0 < value <= _LONGEST


def _proxies(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(scheme, str) and isinstance(url, (str, type(None)))
        for scheme, url in value.items()
    )


def _whole(value: Any, least: int) -> bool:
    return type(value) is int and value >= least
