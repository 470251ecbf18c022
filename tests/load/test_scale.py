"""Many CTI objects in one process; ``python -m tests.load.scale`` runs it with more of them."""

from __future__ import annotations

import gc
import os
import threading
import time
from contextlib import ExitStack
from typing import Iterator

import pytest
from urllib3.connectionpool import HTTPConnectionPool

from keyyo_cti import CTI, Backoff, ConnectionClosed, Transport
from keyyo_cti._net import http_adapter
from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._net.throttle import ConnectThrottle
from keyyo_cti._sockjs import TRANSPORTS, handshake
from keyyo_cti.simulator import Line, Simulator

from ..helpers.footprint import footprint
from ..helpers.in_full import in_full
from ..helpers.probe import PATIENCE
from ..helpers.simulator_process import SimulatorApart
from .scale import Crowd, allow_descriptors, once

#: More than the descriptors that ``select`` can wait for.
MANY = 1100

SOON = Backoff(first=0.05, longest=0.1)


@pytest.fixture
def apart() -> Iterator[SimulatorApart]:
    with SimulatorApart() as sim:
        yield sim


@pytest.mark.slow
@pytest.mark.fault(28)
@pytest.mark.promise(9)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_many_in_one_process(apart: SimulatorApart, transport: Transport) -> None:
    """CTIs, two on each line, open at once; each has its session and is told each event of
    its line once and in order, also after all of them were dropped and restored at once; closed
    from several threads, they leave no thread and no descriptor."""
    lines = in_full(25, always=10)
    crowd = Crowd(
        apart, 2 * lines, lines, transports=[transport], cookie_auto=False, backoff=SOON
    )
    once(crowd, calls=2, closers=8)


@pytest.mark.slow
@pytest.mark.skipif(footprint().descriptors is None, reason="the system tells no descriptors")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_descriptors_above_1023(apart: SimulatorApart, transport: Transport) -> None:
    """A connection works whose descriptors are above 1023, where ``select`` fails."""
    allow_descriptors()
    with ExitStack() as files:
        try:
            for _ in range(MANY):
                files.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        except OSError:
            pytest.skip("this process may not have so many")
        crowd = Crowd(apart, 1, transports=[transport], cookie_auto=False, backoff=SOON)
        once(crowd, calls=1)


def test_sessions_share_their_classes() -> None:
    """HTTP for one connection makes no classes of its own, which would be most of what it takes,
    and would stay until garbage is collected."""
    gc.collect()
    before = len(HTTPConnectionPool.__subclasses__())
    sessions = [http_adapter.make_session(pytest.fail) for _ in range(3)]
    assert len(HTTPConnectionPool.__subclasses__()) == before
    for session in sessions:
        session.close()


@pytest.fixture
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> ConnectThrottle:
    """Has connections be opened one after the other."""
    admission = ConnectThrottle(1)
    monkeypatch.setattr(handshake, "_throttle", admission)
    return admission


def wait_for_queue(admission: ConnectThrottle) -> None:
    """Until somebody waits for the turn."""
    pause = threading.Event()
    for _ in range(int(PATIENCE * 1000)):
        if admission._queue:
            return
        pause.wait(0.001)
    raise AssertionError("nobody waits")


def test_openings_take_turns(sim: Simulator, alice: Line, one_at_a_time: ConnectThrottle) -> None:
    """A connection is opened when it is its turn, and asks the server for nothing before."""
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        with one_at_a_time.admit(PATIENCE, CancelToken()):
            answer = cti.create_session(sim.token(alice))
            wait_for_queue(one_at_a_time)
            assert not answer.done() and sim.requested() == []
        answer.result(PATIENCE)


def test_an_opening_that_has_waited_long(
    sim: Simulator, alice: Line, one_at_a_time: ConnectThrottle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a part of ``connect_timeout`` it is opened in any case: those before may be waiting
    for a server that is dead."""
    monkeypatch.setattr(handshake, "_MAX_QUEUE_SHARE", 0.05)
    with CTI(endpoint=sim.endpoint, cookie_auto=False, connect_timeout=10.0) as cti:
        with one_at_a_time.admit(PATIENCE, CancelToken()):
            began = time.monotonic()
            cti.create_session(sim.token(alice)).result(PATIENCE)
            assert time.monotonic() - began >= 0.5


def test_close_while_waiting_for_the_turn(one_at_a_time: ConnectThrottle) -> None:
    """close() ends the wait for the turn at once."""
    cti = CTI(endpoint="http://127.0.0.1:9/cti", cookie_auto=False, connect_timeout=100.0)
    with one_at_a_time.admit(PATIENCE, CancelToken()):
        answer = cti.create_session("tok")
        wait_for_queue(one_at_a_time)
        began = time.monotonic()
        cti.close()
        assert time.monotonic() - began < 1.5
        assert isinstance(answer.exception(0), ConnectionClosed)
