"""Anything from the web and from files."""

from __future__ import annotations

import socket
from typing import Iterator

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st

from keyyo_cti.loopback import Loopback

from .answers import sized
from .calm import Calm
from .conftest import on
from .strategies import UNSORTED, always, http_answers, mutated
from .target import NEXT, Target
from .web import Addresses, Answers, CookieFile, TokenDatabase, free_port

VISIT = b"GET /callback?code=c&state=other HTTP/1.1\r\nHost: x\r\n\r\n"


@on(Answers)
@always(100)
@given(st.integers(0, 255), http_answers([seed[1:] for seed in Answers.seeds], Answers.tokens))
@example(0, sized(b"{}", UNSORTED))
@example(1, sized(b"{}", UNSORTED))
@example(2, sized(b'{"csi":"1","x":' + b'{"a":' * 1500 + b"1" + b"}" * 1501))
@example(6, sized(b"", b"HTTP/1.1 429 No\r\nRetry-After: " + b"9" * 400 + b"\r\n"))
def test_any_answer_of_oauth2_or_the_manager(target: Target, first: int, answers: bytes) -> None:
    """Whatever is answered, it gives what was asked for, or an error of theirs that tells no
    secret."""
    target.attempt(bytes([first]) + answers)


@on(Addresses)
@always(100)
@given(mutated(Addresses.seeds, Addresses.tokens) | st.binary())
@example(b"//[/callback")
@example(b"/callback?code=%ed%a0%80&state=st%26te")
def test_any_address(target: Target, data: bytes) -> None:
    """Whatever a browser is sent to or a person pastes, it is the code, or refused."""
    target.attempt(data)


@on(CookieFile, TokenDatabase)
@always(60)
@given(st.data())
def test_any_file(target: Target, data: st.DataObject) -> None:
    """Whatever is in the files of tokens and session ids, nearly right or not at all, it is what
    was kept, nothing, or an OSError that names the file."""
    seeds = [*target.seeds, b"", b"no file of ours", NEXT + b"x"]
    target.attempt(data.draw(mutated(seeds, target.tokens) | st.binary()))


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    with Loopback(f"http://127.0.0.1:{free_port()}/callback", "mine") as waiting, Calm("") as calm:
        yield waiting
        calm.check()


def test_any_visit(loopback: Loopback) -> None:
    """Whatever comes to the port where the browser is waited for, others are answered, and the
    right visit is let in."""
    uri = loopback._redirect_uri

    @always(40)
    @given(st.binary() | mutated([VISIT], Addresses.tokens))
    def strangers(sent: bytes) -> None:
        address = ("127.0.0.1", int(uri.split(":")[2].split("/")[0]))
        with socket.create_connection(address, 10) as stranger:
            stranger.sendall(sent)
            stranger.shutdown(socket.SHUT_WR)
            try:
                while stranger.recv(65536):
                    pass
            except ConnectionResetError:
                pass  # It was hung up on with something unread.
        assert loopback.wait(0.0) is None
        other = requests.get(uri.replace("callback", "favicon.ico"), timeout=10)
        assert other.status_code == 404

    strangers()
    visit = requests.get(uri, {"code": "c", "state": "mine"}, timeout=10)
    assert visit.status_code == 200 and loopback.wait(10) is not None
