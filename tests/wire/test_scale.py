"""Many CTI objects in one process; ``python -m tests.scale`` is the same by hand, with more."""

from __future__ import annotations

import gc
import os
from contextlib import ExitStack
from typing import Iterator

import pytest
from urllib3.connectionpool import HTTPConnectionPool

from keyyo_cti.sockjs import TRANSPORTS, http

from ..footprint import footprint
from ..scale import Crowd, allow_descriptors, once
from ..simulator_apart import SimulatorApart

#: More than the descriptors that ``select`` can wait for.
MANY = 1100


@pytest.fixture
def apart() -> Iterator[SimulatorApart]:
    with SimulatorApart() as sim:
        yield sim


@pytest.mark.fault(28)
@pytest.mark.promise(9)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_many_in_one_process(apart: SimulatorApart, transport: str) -> None:
    """Fifty CTIs, two on each line, open at once; each has its session and is told each event of
    its line once and in order; closed from several threads, they leave no thread and no
    descriptor."""
    crowd = Crowd(apart, 50, lines=25, transports=[transport], cookie_auto=False)
    once(crowd, calls=2, closers=8)


@pytest.mark.skipif(footprint().descriptors is None, reason="the system tells no descriptors")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_descriptors_above_1023(apart: SimulatorApart, transport: str) -> None:
    """A connection works whose descriptors are above 1023, where ``select`` fails."""
    allow_descriptors()
    with ExitStack() as files:
        try:
            for _ in range(MANY):
                files.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        except OSError:
            pytest.skip("this process may not have so many")
        once(Crowd(apart, 1, transports=[transport], cookie_auto=False), calls=1)


def test_sessions_share_their_classes() -> None:
    """HTTP for one connection makes no classes of its own, which would be most of what it takes,
    and would stay until garbage is collected."""
    gc.collect()
    before = len(HTTPConnectionPool.__subclasses__())
    sessions = [http.session(pytest.fail) for _ in range(3)]
    assert len(HTTPConnectionPool.__subclasses__()) == before
    for session in sessions:
        session.close()
