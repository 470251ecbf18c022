"""SockJS URLs."""

from __future__ import annotations

import random
import re
from typing import Any, List
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keyyo_cti._net import urls
from keyyo_cti._net.urls import Origin
from keyyo_cti._sockjs import urls as sockjs_urls

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=60)


@pytest.mark.parametrize(
    "url, base",
    [
        ("https://ws.keyyo.com/cti", "https://ws.keyyo.com/cti"),
        ("https://ws.keyyo.com/cti/", "https://ws.keyyo.com/cti"),
        ("https://ws.keyyo.com/cti///", "https://ws.keyyo.com/cti"),
        ("http://host", "http://host"),
        ("http://host/", "http://host"),
        ("http://host:8080/a/b", "http://host:8080/a/b"),
        ("http://[::1]:8080/a", "http://[::1]:8080/a"),
        ("http://host/%C3%A9", "http://host/%C3%A9"),
        ("http://host/MAX", "http://host/MAX"),
    ],
)
def test_base(url: str, base: str) -> None:
    """A base URL loses its trailing slashes and nothing else."""
    assert urls.parse_base_url(url) == base


@pytest.mark.parametrize(
    "url",
    [
        None,
        3,
        b"http://host/",
        "",
        "host/cti",
        "//host/cti",
        "ftp://host/cti",
        "ws://host/cti",
        "wss://host/cti",
        "file:///cti",
        "http:",
        "http://",
        "http:///cti",
        "http://:8080/cti",
        "http://host/cti?",
        "http://host/cti?a=b",
        "http://host/cti#",
        "http://host/cti#a",
        "http://host/a b",
        " http://host/",
        "http://host/\n",
        "http://host/\r\nX: y",
        "http://ho\tst/",
        "http://host:x/",
        "http://host:-1/",
        "http://host:65536/",
        "http://[::1/",
        "http://user@host/",
        "http://user:password@host/",
        "http://@host/",
        "http://host\uff0f@other/",
    ],
)
def test_bad_base(url: Any) -> None:
    """A URL that SockJS cannot use is refused."""
    with pytest.raises(ValueError):
        urls.parse_base_url(url)


@pytest.mark.parametrize("character", ["\0", "\x01", "\x0b", "\x1f", "\x7f"])
@pytest.mark.parametrize("place", ["{}http://host/a", "http://ho{}st/a", "http://host/{}"])
def test_control_characters(character: str, place: str) -> None:
    """So is one with a control character anywhere: no look-up and no header could take it."""
    with pytest.raises(ValueError):
        urls.parse_base_url(place.format(character))


@pytest.mark.parametrize(
    "url, origin",
    [
        ("https://ws.keyyo.com/cti", Origin("ws.keyyo.com", 443, True)),
        ("http://ws.keyyo.com/cti", Origin("ws.keyyo.com", 80, False)),
        ("http://host:8080", Origin("host", 8080, False)),
        ("https://host:80/", Origin("host", 80, True)),
        ("https://HOST/", Origin("host", 443, True)),
        ("HTTPS://host/", Origin("host", 443, True)),
        ("http://[::1]:8080/a", Origin("::1", 8080, False)),
        ("https://127.0.0.1/", Origin("127.0.0.1", 443, True)),
    ],
)
def test_origin(url: str, origin: Origin) -> None:
    """A URL leads to a host and a port, with TLS or without."""
    assert urls.parse_origin(url) == origin


@pytest.mark.parametrize("scheme", ["ftp", "file", "", "ws+unix"])
def test_no_origin(scheme: str) -> None:
    """Other schemes lead nowhere."""
    with pytest.raises(ValueError):
        urls.parse_origin(f"{scheme}://host/")


def test_port_zero() -> None:
    """Nor does port 0, on which nobody can be reached."""
    with pytest.raises(ValueError):
        urls.parse_base_url("http://host:0/")


@pytest.mark.parametrize(
    "url, words",
    [
        (b"x", "expected a URL as a string, got bytes"),
        ("http://h/?CANARY", "expected a URL without '?', '#', space and control characters"),
        ("ftp://host/", "expected a URL that starts with http:// or https://, got 'ftp://host/'"),
        (
            "ftp://CANARY@host/",
            "expected a URL that starts with http:// or https://, got one with a user name",
        ),
        ("http://CANARY@host/", "expected a URL without a user name and password"),
        ("http://host:0/", "expected a port from 1 to 65535"),
        ("http:///cti", "expected a URL with a host, got 'http:///cti'"),
    ],
)
def test_words(url: Any, words: str) -> None:
    """Why a URL is refused is told in words that show no secret."""
    with pytest.raises(ValueError) as refusal:
        urls.parse_base_url(url)
    assert str(refusal.value) == words


@pytest.mark.parametrize(
    "name, url",
    [
        ("websocket", "wss://host/cti/007/abcdefgh/websocket"),
        ("xhr", "https://host/cti/007/abcdefgh/xhr"),
        ("xhr_streaming", "https://host/cti/007/abcdefgh/xhr_streaming"),
        ("xhr_send", "https://host/cti/007/abcdefgh/xhr_send"),
    ],
)
def test_transport(name: str, url: str) -> None:
    """A transport's URL has the server, the session and the transport's name; a websocket's has
    its own scheme."""
    assert sockjs_urls.make_transport_url("https://host/cti", "007", "abcdefgh", name) == url


@pytest.mark.parametrize(
    "base, url",
    [
        ("http://host", "ws://host/0/s/websocket"),
        ("HTTP://host", "ws://host/0/s/websocket"),
        ("Https://host", "wss://host/0/s/websocket"),
    ],
)
def test_websocket_scheme(base: str, url: str) -> None:
    """Http becomes ws and https becomes wss, in capitals too."""
    assert sockjs_urls.make_transport_url(urls.parse_base_url(base), "0", "s", "websocket") == url


def test_info() -> None:
    """The info is beside the servers."""
    assert sockjs_urls.make_info_url("https://host/cti") == "https://host/cti/info"


def test_server_names() -> None:
    """A server's name is three digits, of which all are possible."""
    names = {sockjs_urls.make_server_name() for _ in range(40_000)}
    assert names == {f"{number:03}" for number in range(1000)}


def test_session_names() -> None:
    """A session's name is 24 letters of SockJS's alphabet, new each time."""
    names = [sockjs_urls.make_session_name() for _ in range(2000)]
    assert all(re.fullmatch("[a-z0-9_]{24}", name) for name in names)
    assert len(set(names)) == 2000
    assert len(set("".join(names))) == 37


@pytest.mark.fault(63)
def test_names_do_not_follow_from_a_seed() -> None:
    """Programs that seed Python's generator alike get other names."""
    state = random.getstate()
    try:
        names = []
        for _ in range(2):
            random.seed(1)
            servers = [sockjs_urls.make_server_name() for _ in range(20)]
            names.append((sockjs_urls.make_session_name(), servers))
    finally:
        random.setstate(state)
    assert names[0][0] != names[1][0] and names[0][1] != names[1][1]


HOSTS = st.from_regex(r"[a-z][a-z0-9-]{0,10}(\.[a-z]{2,5})?", fullmatch=True)


@pytest.mark.slow
@PURE
@given(
    st.sampled_from(["http", "https", "HTTP", "Https"]),
    HOSTS,
    st.none() | st.integers(1, 65535),
    st.lists(st.from_regex(r"[A-Za-z0-9_.~%-]{1,8}", fullmatch=True), max_size=3),
    st.integers(0, 3),
)
def test_any_good_url(
    scheme: str, host: str, port: int, path: List[str], slashes: int
) -> None:
    """Every transport of every good URL leads to the same origin, below its path."""
    url = f"{scheme}://{host}" + (f":{port}" if port else "") + "".join(f"/{p}" for p in path)
    base = urls.parse_base_url(url + "/" * slashes)
    assert urls.parse_base_url(base) == base
    assert base.split(":", 1)[1] == url.split(":", 1)[1]
    server, session = sockjs_urls.make_server_name(), sockjs_urls.make_session_name()
    secure = scheme.lower() == "https"
    assert urls.parse_origin(base) == Origin(host, port or (443 if secure else 80), secure)
    for name in ("websocket", "xhr", "xhr_streaming", "xhr_send"):
        parts = urlsplit(sockjs_urls.make_transport_url(base, server, session, name))
        assert parts.scheme == (scheme.lower() if name != "websocket" else "ws" + "s" * secure)
        assert (parts.hostname, parts.port) == (host, port)
        assert parts.path == urlsplit(url).path + f"/{server}/{session}/{name}"


@PURE
@given(st.text())
@example("http://[")
@example("\x00http://host/")
@example("HTTP://host/")
@example("http://\ud800/")
def test_any_text(text: str) -> None:
    """Any text is refused with ValueError, or is one whose transports have URLs."""
    for url in (text, "http://" + text, "https://host" + text, text + "http://host/"):
        try:
            base = urls.parse_base_url(url)
        except ValueError:
            continue
        url = sockjs_urls.make_transport_url(base, "000", "s", "websocket")
        assert url.startswith(("ws://", "wss://"))
        assert sockjs_urls.make_info_url(base).lower().startswith(("http://", "https://"))


@pytest.mark.parametrize(
    "url", ["ftp://bob:canary@h/", "wss://bob:canary@h/", "//bob:canary@h", "https://bob:canary@"]
)
def test_no_password_in_an_error(url: str) -> None:
    """A URL that is refused is not shown if there is a password in it."""
    with pytest.raises(ValueError) as refusal:
        urls.parse_base_url(url)
    assert "canary" not in str(refusal.value)


def test_headers_of_the_handshake() -> None:
    """Host and Origin name the server, with its port where it is not the usual one."""
    assert sockjs_urls.make_host_header("https://ws.example/cti") == "ws.example"
    assert sockjs_urls.make_host_header("http://ws.example/cti") == "ws.example"
    assert sockjs_urls.make_host_header("https://ws.example:80/cti") == "ws.example:80"
    assert sockjs_urls.make_host_header("http://ws.example:443/cti") == "ws.example:443"
    assert sockjs_urls.make_host_header("https://[::1]:8443/cti") == "[::1]:8443"
    origin = sockjs_urls.make_origin_header("https://ws.example:8443/cti")
    assert origin == "https://ws.example:8443"
    hidden = sockjs_urls.hide_host("wss://ws.example:8443/cti/1/a")
    assert hidden == "wss://nowhere.invalid/cti/1/a"


# What secrets may be sent to.


@pytest.mark.fault(51)
@pytest.mark.parametrize(
    "url",
    [
        "https://ws.keyyo.com/cti",
        "HTTPS://WS.KEYYO.COM/cti",
        "https://10.0.0.1",
        "https://localhost.evil.test",
        "http://127.0.0.1",
        "http://127.0.0.1:8000/cti/",
        "http://127.255.255.254",
        "HTTP://LOCALHOST:1/cti",
        "http://LocalHost",
        "http://[::1]:8000",
        "http://[0:0:0:0:0:0:0:1]",
    ],
)
def test_check_secure_takes_https_and_this_machine(url: str) -> None:
    assert urls.check_secure(url) == urls.parse_base_url(url)


#: None of them is this machine, or not for sure.
ELSEWHERE = [
    "http://ws.keyyo.com/cti",
    "http://10.0.0.1",
    "http://0.0.0.0",
    "http://128.0.0.1",
    "http://localhost.evil.test",
    "http://evil.localhost",
    "http://127.0.0.1.evil.test",
    "http://localhost.",
    "http://127.0.0.1.",
    "http://localhost.localdomain",
    "http://ip6-localhost",
    "http://127.1",
    "http://127.0.1",
    "http://2130706433",
    "http://0x7f000001",
    "http://0177.0.0.1",
    "http://127.0.0.01",
    "http://0127.0.0.1",
    "http://127.0.0.1%00.evil.test",
    "http://%31%32%37.0.0.1",
    "http://\uff11\uff12\uff17.0.0.1",
    "http://loc\u0430lhost",
    "http://localhost\u3002",
    "http://127.0.0.1\\.evil.test",
    "http://[::ffff:127.0.0.1]",
    "http://[::ffff:7f00:1]",
    "http://[::127.0.0.1]",
    "http://[::]",
    "http://[::1%25lo]",
    "http://[fe80::1]",
    "http://[::2]",
]

#: No host at all, or not where it seems to be.
NEVER = [
    "http://127.0.0.1@evil.test",
    "http://127.0.0.1:80@evil.test",
    "http://localhost:@evil.test",
    "http://evil.test@127.0.0.1",
    "http://@127.0.0.1",
    "http://127.0.0.1\\@evil.test",
    "http://127.0.0.1#@evil.test",
    "http://127.0.0.1?@evil.test",
    "http://evil.test\t@127.0.0.1",
    "http://127.0.0.1 .evil.test",
    "http://",
    "http:///127.0.0.1",
    "http:127.0.0.1",
    "ftp://127.0.0.1",
    "ws://127.0.0.1",
    "wss://ws.keyyo.com",
    "//127.0.0.1",
    "127.0.0.1",
    "localhost:80",
    "file:///etc/passwd",
    "",
    "http://127.0.0.1:0",
    "http://127.0.0.1:65536",
]


@pytest.mark.fault(51)
@pytest.mark.parametrize("url", ELSEWHERE)
def test_check_secure_refuses_http_elsewhere(url: str) -> None:
    """In clear only to what is this very machine for sure; the error says what else to do."""
    with pytest.raises(ValueError):
        urls.check_secure(url)


@pytest.mark.fault(51)
def test_check_secure_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="https://.* in clear.*127.0.0.1.*allow_http=True"):
        urls.check_secure("http://ws.keyyo.com/cti")


@pytest.mark.fault(51)
@pytest.mark.parametrize("url", ["http://ws.keyyo.com/cti", "http://127.1", "http://[::2]"])
def test_check_secure_with_allow_http_takes_any_host(url: str) -> None:
    assert urls.check_secure(url, allow_http=True) == url


@pytest.mark.fault(51)
@pytest.mark.parametrize("allow_http", [False, True])
@pytest.mark.parametrize("url", NEVER)
def test_check_secure_never_takes_what_is_no_such_url(url: str, allow_http: bool) -> None:
    with pytest.raises(ValueError):
        urls.check_secure(url, allow_http)
