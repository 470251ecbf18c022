"""Two simultaneous polls of one session."""

from __future__ import annotations

import socket
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Dict, Iterator

import pytest

from ...helpers.raw_client import TIMEOUT
from ...helpers.xhr_client import Cut, Web
from .conftest import Connect


def _poll(web: Web, path: str) -> str:
    return web.request("POST", path + "xhr").text()


@contextmanager
def two_polls(connect: Connect, base_url: str, path: str) -> Iterator[str]:
    """Poll twice, and give the answer to the poll that is refused.

    Either may be the one that the server sees first. At the end the other one is aborted.
    """
    with ThreadPoolExecutor(2) as pool:
        polls: Dict[Future[str], Web] = {
            pool.submit(_poll, web, path): web for web in (connect(base_url), connect(base_url))
        }
        answered, going_on = wait(polls, TIMEOUT, FIRST_COMPLETED)
        try:
            [refused], [aborted] = answered, going_on
            yield refused.result()
        finally:
            for poll in going_on:
                # Unlike close(), this also wakes the thread that reads.
                polls[poll].tcp.shutdown(socket.SHUT_RDWR)
        # A response that only starts after the shutdown resets TCP instead of ending it.
        with pytest.raises((Cut, ConnectionError)):
            aborted.result(TIMEOUT)
