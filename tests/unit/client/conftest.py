"""A CTI whose server the test plays."""

from __future__ import annotations

from typing import Iterator

import pytest

from keyyo_cti import CTI

from ...helpers.played_server import PlayedServer, play_server
from ...helpers.probe import PATIENCE


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> PlayedServer:
    return play_server(monkeypatch)


@pytest.fixture
def cti(server: PlayedServer) -> Iterator[CTI]:
    """With a session that nothing restores."""
    with CTI(cookie_auto=False) as cti:
        cti.create_session("token").result(PATIENCE)
        yield cti
