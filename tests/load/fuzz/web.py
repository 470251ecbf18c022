"""Targets: what comes from the web and from files. Answers of OAuth2 and of the Manager API, the
address that a browser was sent to, and files that something has written over."""

import socket
import sqlite3
import tempfile
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Callable, Iterator, List, Optional

from keyyo_cti import KeyyoError
from keyyo_cti._client.session_store import FileCookie
from keyyo_cti._net.connect import Connector
from keyyo_cti._net.http_request import HttpClient
from keyyo_cti._oauth2.tokens import Tokens
from keyyo_cti.loopback import Loopback
from keyyo_cti.manager import CSIToken, ManagerClient, ManagerError
from keyyo_cti.oauth2 import OAuth2Client, OAuth2Error
from keyyo_cti.token_file import TokenFile

from .answers import HTTP_TOKENS, answers, chunked, sized
from .memory import MemoryRoute, Server
from .target import NEXT, Target, head, text
from .transports import piece

_URL = "http://127.0.0.1:1"

#: A first byte that stands for the first question, and for an answer in one piece.
_ALL_AT_ONCE = 135

_TOKENS = Tokens("canary-access", "canary-refresh", 1_700_000_000.0)

_STATE = "st&te"

_CSI = "33199000001"

_LINES = (
    b'{"_embedded":{"UCaaSVoIPAccount":[{"_resource_type":"UCaaSVoIPAccount","csi":"33199000001",'
    b'"name":"Alice"}]},"_links":{"next":{"href":"/services?offset=1"}}}'
)

#: The beginning of the period that is asked for.
_NOW = 1_700_000_000

_CALLS = (
    b'{"_embedded":{"CallDetailRecord":[{"call_id":"c","start_time":"1700000000","caller":null,'
    b'"actual_caller":"33199020000","callee":"+33199000001","quantity":"5","unit":"second"}]},'
    b'"_links":{"next":{"href":"?offset=1"}}}'
)

_BODIES = (
    _LINES, _CALLS, b"{}", b"[]", b"",
    b'{"access_token":"a-token","expires_in":3600}', b'{"error":"x"}',
    b'{"result":"success","token":"t","expires_in":1e999}', b'{"name":"websocket","enabled":[]}',
    b'{"_embedded":{"CTIPlugin":[{"name":"websocket"}]},"_links":{"next":{"href":"http://["}}}',
)


class MemoryWeb(HttpClient):
    """Asks a server in memory."""

    def __init__(self, error: Any, connector: MemoryRoute) -> None:
        super().__init__(error, 5.0, None)
        self._memory_route = connector

    def _make_connector(self, url: str) -> Connector:
        return self._memory_route


class _Account:
    """Has an access token, and another."""

    def tokens(self) -> Tokens:
        return _TOKENS

    def renewed(self, refused: Tokens) -> Tokens:
        return Tokens("another-token")


class Answers(Target):
    """The answers of OAuth2 and of the Manager API. The first byte says what was asked, and how
    many bytes come at a time; then come whole answers."""

    name = "web"
    share = 2.0
    seeds = tuple(
        bytes([first]) + NEXT.join(answers)
        for first, answers in enumerate([
            [sized(b'{"access_token":"a-token","expires_in":3600,"refresh_token":"r"}')],
            [sized(_LINES), sized(b'{"_embedded":[]}')],
            [sized(b'{"csi":"33199000001","name":"Alice"}')],
            [sized(b'{"result":"success","token":"t","expires_in":3600,"domain_masks":["*"]}')],
            [chunked(b'{"_embedded":{"CTIPlugin":{"name":"websocket","enabled":1}}}')],
            [sized(b'{"name":"websocket","enabled":true}')],
            [sized(b"{}", b"HTTP/1.1 401 No\r\nX-Status-Reason: expired\r\n"), sized(_LINES)],
            [sized(_CALLS), sized(_CALLS)],
            [sized(b'{"_embedded":{"Profile":[{"identifier":"dnd","forced":"1"}]}}')],
            [sized(b'{"error":"invalid_grant"}', b"HTTP/1.1 400 No\r\n")],
            [sized(b'{"_embedded":{"x":[{}, 1]}}')],
            [sized(b'{"csi":[],"_embedded":[]}')],
            [sized(b'{"_embedded":{"CSIToken":[[]]},"token":1,"expires_in":{}}')],
            [sized(b'{"_embedded":{},"_links":{"next":{"href":"http://["}}}')],
            [sized(b"", b"HTTP/1.1 429 No\r\nRetry-After: 3\r\n"), sized(_LINES)],
        ], start=_ALL_AT_ONCE)
    )
    tokens = (
        *HTTP_TOKENS, b'"_embedded"', b'"_links"', b'"href"', b'"http://["', b'"//x:0/"', b"null",
        b'"access_token"', b'"expires_in"', b'"timestamp"', b'"token"', b"[", b"]", b"{", b"}",
        b"1e999", b"X-Status-Reason: \xff\x1b[2J\r\n", b"Retry-After: -1\r\n", b'"csi"', b",",
        b"Retry-After: Thu, 99 Foo 2099 99:99:99 GMT\r\n", b"[" * 700,
    )

    def __init__(self) -> None:
        super().__init__()
        self._random = Random(0)

    def draw_from(self, random: Random) -> None:
        super().draw_from(random)
        self._random = random

    def make(self) -> bytes:
        return answers(self._random, self._mutator, _BODIES) or super().make()

    def attempt(self, data: bytes) -> None:
        connector = MemoryRoute(Server(data[1:].split(NEXT)), piece(data))
        ask = self._questions(connector)[head(data) % 9]
        try:
            answer = ask()
        except (OAuth2Error, ManagerError) as error:
            _check_error(error)
        else:
            assert isinstance(answer, (Tokens, CSIToken, list, dict))
            repr(answer)

    def _questions(self, connector: MemoryRoute) -> List[Callable[[], Any]]:
        oauth2 = OAuth2Client("me", "canary-secret", f"{_URL}/callback", token_url=f"{_URL}/token")
        oauth2._http = MemoryWeb(OAuth2Error, connector)
        manager = ManagerClient(_Account(), f"{_URL}/manager", wait=lambda _: None)
        manager._api._http = MemoryWeb(ManagerError, connector)
        return [
            partial(oauth2.refresh, _TOKENS),
            manager.lines,
            partial(manager.line, _CSI),
            partial(manager.csi_token, _CSI),
            partial(manager.cti_plugins, _CSI),
            partial(manager.enable_plugin, _CSI),
            partial(manager.sip_records, _CSI),
            lambda: list(manager.history(None, _NOW, _NOW + 60)),
            partial(manager.profiles, _CSI),
        ]


class Addresses(Target):
    """The address that a browser was sent to, as a visit and as it was pasted."""

    name = "addresses"
    share = 2.0
    seeds = (
        b"/callback?code=abc&state=st%26te", b"/callback?error=access_denied&state=st%26te",
        b"http://127.0.0.1:8080/callback?code=abc&state=st%26te#fragment", b"abc", b"/favicon.ico",
        b"code=abc&state=st%26te", b"/callback?state=st%26te", b"127.0.0.1/callback?code=a&state=",
    )
    tokens = (
        b"?", b"&", b"=", b"#", b"//", b"//[", b"http://[", b"%", b"%ff", b"%00", b"%ed%a0%80",
        b"code=", b"state=st%26te", b"error=", b"error_description=", b";", b"+", b"\xff", b" ",
        b"\r\n", b"\0", b"://", b"@", b":99999999",
    )

    def __init__(self) -> None:
        super().__init__()
        self._loopback = Loopback(f"http://127.0.0.1:{free_port()}/callback", _STATE)
        self._oauth2 = OAuth2Client(
            "me", "canary-secret", f"{_URL}/callback", token_url=f"{_URL}/token")

    def attempt(self, data: bytes) -> None:
        try:
            # As http.server reads it: any byte is a character.
            status, words = self._loopback.visit(data.decode("iso-8859-1"))
        except ValueError:
            pass  # It is hung up on.
        else:
            assert status in (200, 400, 404) and words
        self._paste(text(data))
        self._paste(data.decode("utf-8", "surrogateescape"))

    def close(self) -> None:
        self._loopback._server.server_close()

    def _paste(self, pasted: str) -> None:
        answer = sized(b'{"access_token":"a"}')
        self._oauth2._http = MemoryWeb(OAuth2Error, MemoryRoute(Server([answer])))
        try:
            assert self._oauth2.exchange(pasted, _STATE) == Tokens("a")
        except KeyyoError as error:
            _check_error(error)


class CookieFile(Target):
    """The session cookie's file."""

    name = "cookie file"
    tokens = (
        b"SQLite format 3\0", b"CREATE TABLE cookie", b"[[", b"]]", _URL.encode(), b"__ksid",
        b"1e999", b"NaN", b"null", b"\\ud800", b"\xff",
    )

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._path = Path(self._folder.name) / "sessions.json"
        self._cookie = FileCookie(self._path, _URL, "__ksid", 60, lambda: 1_700_000_000.0)
        self._cookie.save("session")
        self.seeds = (  # type: ignore[misc]
            self._path.read_bytes(), b"", b"[]", b'[["a", "b", "c", 9e9]]',
        )
        super().__init__()

    def attempt(self, data: bytes) -> None:
        self._path.write_bytes(data)
        try:
            assert isinstance(self._cookie.load(), (str, type(None)))
            self._cookie.save("session")
            assert self._cookie.load() == "session"
            self._cookie.delete()
            assert self._cookie.load() is None
        except OSError as error:
            assert str(self._path) in str(error) and self._path.read_bytes() == data

    def close(self) -> None:
        self._folder.cleanup()


class TokenDatabase(Target):
    """The token file. An input is a file, and perhaps what SQLite takes for the journal of a
    change that was interrupted."""

    name = "token file"
    share = 1.0
    tokens = (
        b"SQLite format 3\0", b"\x02\x02", b"CREATE VIEW tokens AS",
        b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff" * 9, b"33199000001", b"\0", b"\x7f", NEXT,
        b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7",
    )

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._path = Path(self._folder.name) / "kept.sqlite3"
        oauth2 = OAuth2Client("me", "canary-secret", _URL, token_url=_URL)
        self._tokens = TokenFile(oauth2, self._path)
        self.seeds = tuple(self._good())  # type: ignore[misc]
        super().__init__()

    def attempt(self, data: bytes) -> None:
        content, _, journal = data.partition(NEXT)
        self._put(self._path, content)
        self._put(Path(f"{self._path}-journal"), journal or None)
        for attempt in (self._load_tokens, self._save_tokens):
            try:
                attempt()
            except OSError as error:
                assert str(self._path) in str(error) or "damaged" in str(error)

    def close(self) -> None:
        self._folder.cleanup()

    def _load_tokens(self) -> None:
        assert isinstance(self._tokens.load(), (Tokens, type(None)))

    def _save_tokens(self) -> None:
        with self._tokens.locked() as locked:
            locked.load()
            locked.reserve()
            locked.save(_TOKENS)
        assert self._tokens.load() == _TOKENS
        self._tokens.delete()

    def _put(self, path: Path, content: Optional[bytes]) -> None:
        for each in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            each.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)

    def _good(self) -> Iterator[bytes]:
        # Small pages, so that an input is mostly what matters.
        with sqlite3.connect(self._path) as database:
            database.execute("PRAGMA page_size = 512")
            database.execute("VACUUM")
        database.close()
        self._tokens.save(_TOKENS)
        yield self._path.read_bytes()
        # Something else than what was kept, in the right place.
        for odd in ("x'fffe'", "CAST(x'fffe' AS TEXT)", "7", "NULL", "'a' || char(10)"):
            with sqlite3.connect(self._path) as database:
                database.execute(f"UPDATE tokens SET refresh_token = {odd}")
                database.execute(f"UPDATE tokens SET access_token = {odd}")
            database.close()
            yield self._path.read_bytes()
        yield b""
        yield b"no database"


def free_port() -> int:
    """One that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _check_error(error: KeyyoError) -> None:
    assert type(error.status_code) is int and type(error.message) is str
    assert "canary" not in f"{error!r} {error}"
