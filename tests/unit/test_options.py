"""Options are checked where they are given."""

from __future__ import annotations

import http.cookiejar
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Dict, List, Tuple

import pytest
import requests.cookies

from keyyo_cti.options import ENDPOINT, Options, read


def test_defaults() -> None:
    """Without options there are JavaScript's defaults, and ours."""
    options = read(None, {})
    assert (options.cookie_auto, options.cookie_name) == (True, "__ksid")
    assert (options.cookie_expires, options.ping_auto) == (60, True)
    assert options.endpoint == ENDPOINT == "https://ws.keyyo.com/cti"
    assert (options.timeout, options.connect_timeout) == (30, 10)
    assert (options.ping_interval, options.heartbeat_timeout) == (300, 60)
    assert (options.max_ended_calls, options.dispatch) == (10_000, None)


def test_dict_and_keywords() -> None:
    """Options come in a dict, as keywords, or both."""
    options = read(MappingProxyType({"cookie_name": "a"}), {"cookie_expires": 3})
    assert (options.cookie_name, options.cookie_expires) == ("a", 3)
    assert options == read({}, {"cookie_name": "a", "cookie_expires": 3})


def test_the_dict_is_left_alone() -> None:
    """The caller's dict is not changed, nor does it change the options later."""
    given: Dict[str, Any] = {"timeout": 3}
    options = read(given, {"ping_auto": False})
    assert given == {"timeout": 3}
    given["timeout"] = 4
    assert options.timeout == 3


def test_options_do_not_change() -> None:
    """Options cannot be changed once they are checked."""
    with pytest.raises(AttributeError):
        Options().timeout = -1  # type: ignore[misc]


@pytest.mark.parametrize("given, keywords", [({"cookieName": "a"}, {}), ({}, {"cookieName": "a"})])
def test_unknown_option(given: Dict[str, Any], keywords: Dict[str, Any]) -> None:
    """An unknown option raises TypeError that names it and those that there are."""
    with pytest.raises(TypeError, match="'cookieName': .*; did you mean cookie_name"):
        read(given, keywords)


def test_key_that_is_no_string() -> None:
    """So does a key that is no string."""
    with pytest.raises(TypeError, match="unknown option 3"):
        read({3: 4}, {})  # type: ignore[dict-item]


def test_given_twice() -> None:
    """An option that is given twice raises TypeError, even if both agree."""
    with pytest.raises(TypeError, match="'timeout' is given twice"):
        read({"timeout": 3}, {"timeout": 3})


@pytest.mark.parametrize("options", ["timeout", 3, [("timeout", 3)], {"timeout"}, False])
def test_options_that_are_no_dict(options: Any) -> None:
    """Options that are no dict raise TypeError."""
    with pytest.raises(TypeError, match="options: expected a dict"):
        read(options, {})


SECONDS = ["timeout", "connect_timeout", "ping_interval", "heartbeat_timeout", "cookie_expires"]

NO_SECONDS = (0, -1, -0.1, None, "3", True, float("nan"), 3j)

WRONG_KIND: List[Tuple[str, Tuple[Any, ...]]] = [
    ("cookie_auto", (0, 1, None, "true")),
    ("ping_auto", (0, 1, None, "true")),
    ("cookie_name", ("", None, 3, b"a")),
    *((name, NO_SECONDS) for name in SECONDS),
    ("max_message_size", (0, -1, None, 1.5, True, "1")),
    ("max_backlog", (0, -1, 1.5, True, "1")),
    ("max_ended_calls", (-1, 1.5, True, "1")),
    ("dispatch", ("", "auto", "Manual", 0, 3)),
    ("cookie_jar", ({}, "jar", 0)),
    ("cookie_file", (3, b"file", True)),
    ("ca_certs", (3, True, b"file")),
]


@pytest.mark.parametrize("name, values", WRONG_KIND)
def test_wrong_kind(name: str, values: Tuple[Any, ...]) -> None:
    """A value of the wrong kind raises TypeError that names the option."""
    for value in values:
        with pytest.raises(TypeError, match=f"^{name}: expected "):
            read({name: value}, {})


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("value", [float("inf"), 1e300])
def test_longer_than_any_wait(name: str, value: float) -> None:
    """A time that no clock can wait for is refused where it is given, not in a thread later."""
    with pytest.raises((TypeError, ValueError), match=f"^{name}: "):
        read({name: value}, {})


@pytest.mark.parametrize(
    "name, value",
    [
        ("cookie_expires", 0.5),
        ("timeout", 1),
        ("timeout", 0.001),
        ("ping_interval", 86_400),
        ("max_backlog", None),
        ("max_backlog", 1),
        ("max_ended_calls", None),
        ("max_ended_calls", 0),
        ("max_message_size", 1),
        ("dispatch", "manual"),
        ("dispatch", print),
        ("endpoint", "http://localhost:8080/cti/"),
        ("endpoint", "https://[::1]/cti"),
        ("cookie_file", "sessions"),
        ("cookie_file", Path("sessions")),
        ("cookie_auto", False),
        ("ping_auto", False),
    ],
)
def test_good_value(name: str, value: Any) -> None:
    """Every possible value is taken as it is."""
    assert getattr(read({name: value}, {}), name) == value


@pytest.mark.parametrize(
    "endpoint",
    [
        None,
        3,
        "",
        "ws.keyyo.com/cti",
        "ftp://ws.keyyo.com/cti",
        "wss://ws.keyyo.com/cti",
        "https://",
        "https:///cti",
        "https://host/cti?x=1",
        "https://host/cti#x",
        "https://ho st/cti",
        "https://host:port/cti",
        "https://host:70000/cti",
        "https://[::1/cti",
        "https://user:password@host/cti",
    ],
)
def test_bad_endpoint(endpoint: Any) -> None:
    """An endpoint that SockJS cannot use raises ValueError that names the option."""
    with pytest.raises(ValueError, match="^endpoint: "):
        read({"endpoint": endpoint}, {})


@pytest.mark.parametrize("secret", ["https://user:CANARY@host/cti", "https://:CANARY@host/cti"])
def test_password_in_the_endpoint(secret: str) -> None:
    """A password in an endpoint is not shown by the error that refuses it."""
    with pytest.raises(ValueError) as caught:
        read({"endpoint": secret}, {})
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize(
    "jar", [http.cookiejar.CookieJar(), requests.cookies.RequestsCookieJar()]
)
def test_cookie_jar(jar: http.cookiejar.CookieJar) -> None:
    """Any jar is taken, an empty one too, though an empty jar counts as false."""
    assert Options(cookie_jar=jar).cookie_jar is jar


def test_two_places_for_the_cookie() -> None:
    """A jar and a file at once raise TypeError."""
    with pytest.raises(TypeError, match="expected one of the two"):
        read({"cookie_jar": http.cookiejar.CookieJar(), "cookie_file": "f"}, {})


def test_authorities(tmp_path: Path) -> None:
    """The authorities to trust are a file or a folder, which must be there."""
    file = tmp_path / "ca.pem"
    with pytest.raises(ValueError, match="^ca_certs: no such file"):
        read({"ca_certs": file}, {})
    file.touch()
    for there in (file, str(file), tmp_path):
        assert read({"ca_certs": there}, {}).ca_certs == there


def test_every_option_is_documented() -> None:
    """The docstring has a sentence for each option."""
    assert Options.__doc__ is not None
    for field in fields(Options):
        assert f":ivar {field.name}:" in Options.__doc__


def test_repr_shows_no_session() -> None:
    """The repr of options does not show the session id that is in the jar."""
    jar = requests.cookies.RequestsCookieJar()
    jar.set("__ksid", "CANARY")
    assert "CANARY" not in repr(Options(cookie_jar=jar))


@pytest.mark.fault(51)
@pytest.mark.parametrize(
    "endpoint", ["http://ws.keyyo.com/cti", "http://localhost.evil.test", "http://127.1/cti"])
def test_endpoint_in_clear(endpoint: str) -> None:
    """A token goes nowhere in clear but to this very machine, unless that is asked for."""
    with pytest.raises(ValueError, match="endpoint: .* in clear.*allow_http=True"):
        read({"endpoint": endpoint}, {})
    assert read({"endpoint": endpoint, "allow_http": True}, {}).endpoint == endpoint
    with pytest.raises(TypeError, match="allow_http: expected True or False"):
        read({"endpoint": endpoint, "allow_http": "yes"}, {})


@pytest.mark.fault(51)
@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:1/cti", "HTTP://LOCALHOST/", "http://[::1]"])
def test_endpoint_in_clear_on_this_machine(endpoint: str) -> None:
    assert read({"endpoint": endpoint}, {}).endpoint == endpoint
