"""The options of a CTI, and their checks."""

import http.cookiejar
import os
from dataclasses import dataclass, field, fields
from typing import Any, Callable, Dict, Mapping, Optional, Sequence, TypedDict, Union, cast

from ._client.dial_guard import MayDial
from ._client.line_numbers import Lines, is_lines
from ._client.literals import Dispatch, Transport
from ._display.spelling import ask_back, suggest
from ._net import urls
from ._net.user_code import require_function
from ._sockjs import TRANSPORTS
from .backoff import Backoff
from .catch_up import CatchUp

#: Maximum seconds, or days, of an option: more than any platform's waits need.
_MAX_VALUE = 2_000_000

ENDPOINT = "https://ws.keyyo.com/cti"


@dataclass(frozen=True)
class Options:
    """The options of ``CTI(...)``, as a dict, as keywords, or both.

    From JavaScript:

    :ivar cookie_auto: True to keep the session id in a cookie and restore from it.
    :ivar cookie_name: the name of the cookie.
    :ivar cookie_expires: the cookie's life in days.
    :ivar ping_auto: True to ping the server every ``ping_interval`` while connected.
    :ivar endpoint: the SockJS URL of the service.

    Ours:

    :ivar allow_http: True if ``endpoint`` may be http on another machine, where the token is sent
        in clear text: for laboratories. http on this machine is always allowed, and no proxy is
        used for it.
    :ivar cookie_jar: any ``http.cookiejar.CookieJar`` for the cookie.
    :ivar cookie_file: a file for the cookie, in a folder that only you can write to. The default
        is a file in the user's state directory. A later ``chdir`` does not change its meaning.
    :ivar timeout: seconds that a command may take.
    :ivar connect_timeout: seconds that opening the connection may take.
    :ivar ping_interval: seconds between two pings.
    :ivar heartbeat_timeout: seconds of silence after which the connection is given up.
    :ivar may_dial: a function that is called with the number before ``dial``, ``transfer`` and
        ``supervised_transfer``. If it returns a false value or raises, nothing is sent, and the
        callback gets KeyyoError 403 ``not_allowed``. It runs on the caller's thread, without a
        lock, after the arguments are checked, and gets the number unchanged. Its exceptions are
        logged and emitted as ``error``.
    :ivar lines: the lines of the account, as ``Manager.lines()`` returns them, or their numbers.
        With them, ``call.line`` and ``call.other`` recognize short numbers.
    :ivar token_provider: a function that returns a fresh CSI token, such as a ``TokenProvider``.
        It turns auto-restore on: a lost session is restored. It is called on a thread of the SDK,
        one call at a time, may block, and may raise. KeyyoError with ``final`` True ends the
        attempts with ``lost``, and so does your own KeyyoError 401 or 403, unless its ``final`` is
        False. After any other exception the SDK tries again, also after a firewall's 401 or 403 in
        a ``TokenProvider``. White space at the ends of the token is removed. Its method
        ``invalidate(token)``, if it has one, is called with a token that the server refused, and
        ``good_until()``, which returns a Unix time or None, by ``cti.health()``. A warning names
        it if it does not return within 30 s.
    :ivar catch_up: a ``keyyo_cti.catch_up.CatchUp``, which asks the history what happened in each
        gap. The event ``caughtUp`` tells it.
    :ivar backoff: the pauses between the attempts to restore, and their maximum number.
    :ivar dispatch: where handlers run: None for the SDK's event thread, ``"manual"`` for
        ``poll()``, or a function that receives each piece of work.
    :ivar max_ended_calls: maximum number of ended calls to keep; None for no limit.
    :ivar max_active_calls: maximum number of active calls to keep; None for no limit. Above it,
        the calls with the oldest notifications are forgotten, with a warning.
    :ivar max_backlog: maximum number of events that may wait for slow handlers before reading
        stops; None for no limit. It does not apply while a handler waits for a reply.
    :ivar max_backlog_bytes: maximum memory of these events in bytes; None for no limit. While a
        handler waits for a reply, the limit is four times as high, and beyond it the connection is
        closed.
    :ivar max_message_size: maximum bytes of one message of the server.
    :ivar transports: the transports to try, in order: ``websocket``, ``xhr-streaming``,
        ``xhr-polling``. A restore tries the last session's first.
    :ivar proxies: proxies by scheme, as for ``requests``:
        ``{"https": "http://user:password@host:port"}``. Missing ones come from the environment
        (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY). ``{"no_proxy": "*"}`` disables proxies.
        ``socks5://`` needs PySocks.
    :ivar ca_certs: file or folder of the trusted certificate authorities.
    """

    cookie_auto: bool = True
    cookie_name: str = "__ksid"
    cookie_expires: float = 60
    ping_auto: bool = True
    endpoint: str = ENDPOINT
    allow_http: bool = False
    # Left out of repr, which would show the session id.
    cookie_jar: Optional[http.cookiejar.CookieJar] = field(default=None, repr=False)
    cookie_file: Union[str, "os.PathLike[str]", None] = None
    timeout: float = 30.0
    connect_timeout: float = 10.0
    ping_interval: float = 300.0
    heartbeat_timeout: float = 60.0
    # Left out of repr, which may show secrets in their objects.
    may_dial: Optional[MayDial] = field(default=None, repr=False)
    lines: Lines = ()
    token_provider: Optional[Callable[[], str]] = field(default=None, repr=False)
    catch_up: Optional[CatchUp] = None
    backoff: Backoff = Backoff()
    dispatch: Dispatch = None
    max_ended_calls: Optional[int] = 10_000
    max_active_calls: Optional[int] = 20_000
    max_backlog: Optional[int] = 100_000
    max_backlog_bytes: Optional[int] = 128 * 1024 * 1024
    max_message_size: int = 8 * 1024 * 1024
    transports: Sequence[Transport] = cast(Sequence[Transport], TRANSPORTS)
    # Left out of repr, which would show a password.
    proxies: Optional[Mapping[str, Optional[str]]] = field(default=None, repr=False)
    ca_certs: Union[str, "os.PathLike[str]", None] = None

    def __post_init__(self) -> None:
        for name in ("cookie_auto", "ping_auto", "allow_http"):
            _check(name, isinstance(getattr(self, name), bool), "True or False")
        _check("cookie_name", isinstance(self.cookie_name, str) and bool(self.cookie_name),
               "a string that is not empty")
        for name in ("cookie_expires", "timeout", "connect_timeout", "ping_interval",
                     "heartbeat_timeout"):
            _check(name, _is_positive(getattr(self, name)),
                   f"a number above 0, at most {_MAX_VALUE}")
        _check("max_message_size", _is_whole(self.max_message_size, 1), "a whole number above 0")
        for name in ("max_active_calls", "max_backlog", "max_backlog_bytes"):
            value = getattr(self, name)
            _check(name, value is None or _is_whole(value, 1), "a whole number above 0, or None")
        most = self.max_ended_calls
        _check("max_ended_calls", most is None or _is_whole(most, 0), "a whole number, or None")
        self._check_kinds()

    def _check_kinds(self) -> None:
        if self.may_dial is not None:
            # The coroutine of an async function would always be true.
            require_function("may_dial", self.may_dial, "a function that returns True or False")
        if self.token_provider is not None:
            require_function("token_provider", self.token_provider,
                             "a function that returns a CSI token")
        _check("lines", is_lines(self.lines), "a list of numbers, or what Manager.lines() returns")
        _check("catch_up", isinstance(self.catch_up, (CatchUp, type(None))),
               "a keyyo_cti.catch_up.CatchUp")
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
        _check("proxies", self.proxies is None or _are_proxies(self.proxies),
               'a dict such as {"https": "http://host:port"}')
        _check("ca_certs", isinstance(self.ca_certs, (str, os.PathLike, type(None))), "a path")
        if self.ca_certs is not None and not os.path.exists(self.ca_certs):
            raise ValueError(f"ca_certs: no such file: {os.fspath(self.ca_certs)!r}")
        try:
            urls.check_secure(self.endpoint, self.allow_http)
        except ValueError as error:
            raise ValueError(f"endpoint: {error}") from None


class CTIOptions(TypedDict, total=False):
    """``Options`` as a dict, for type checkers; each key is optional."""

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
    lines: Lines
    token_provider: Optional[Callable[[], str]]
    catch_up: Optional[CatchUp]
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
    """Return the options from a dict, as in JavaScript, and from keywords.

    :raises TypeError: an option is unknown, given twice, or of a wrong type.
    :raises ValueError: an option has an invalid value.
    """
    if options is not None and not isinstance(options, Mapping):
        raise TypeError(f"options: expected a dict, got {type(options).__name__}")
    given: Dict[str, Any] = dict(options or {})
    known = [option.name for option in fields(Options)]
    for name in [*given, *keywords]:
        if name not in known:
            meant = suggest(name, tuple(known)) if isinstance(name, str) else None
            raise TypeError(
                f"unknown option {name!r}: expected one of {', '.join(known)}{ask_back(meant)}"
            )
    for name in given:
        if name in keywords:
            raise TypeError(f"option {name!r} is given twice, in the dict and as a keyword")
    return Options(**{**given, **keywords})


def _check(name: str, good: bool, expected: str) -> None:
    if not good:
        raise TypeError(f"{name}: expected {expected}")


def _is_positive(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and 0 < value <= _MAX_VALUE


def _are_proxies(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(scheme, str) and isinstance(url, (str, type(None)))
        for scheme, url in value.items()
    )


def _is_whole(value: Any, least: int) -> bool:
    return type(value) is int and value >= least
