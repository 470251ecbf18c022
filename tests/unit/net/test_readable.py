"""Waits for a socket that becomes readable, with and without poll()."""

from __future__ import annotations

import select
import socket
from typing import Iterator, Tuple

import pytest

from keyyo_cti._net.readable import make_wait

from ...helpers.background import SOON

Sockets = Tuple[socket.socket, socket.socket]


@pytest.fixture(params=["poll", "select"])
def pair(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sockets]:
    if request.param == "select":
        monkeypatch.delattr(select, "poll", raising=False)
    near, far = socket.socketpair()
    with near, far:
        yield near, far


def test_wait_again_and_again(pair: Sockets) -> None:
    near, far = pair
    wait = make_wait(near)
    assert not wait(0.0) and not wait(0.001)
    far.sendall(b"x")
    assert wait(0.0) and wait(SOON) and wait(None)
    near.recv(1)
    assert not wait(0.0)


def test_wait_ends_when_the_peer_leaves(pair: Sockets) -> None:
    near, far = pair
    far.close()
    assert make_wait(near)(None)


def test_wait_for_a_closed_socket_is_refused(pair: Sockets) -> None:
    pair[0].close()
    with pytest.raises(ValueError):
        make_wait(pair[0])
