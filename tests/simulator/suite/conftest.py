"""Servers for the cases: the simulator, and npm's server where that is installed."""

from __future__ import annotations

from typing import Callable, Iterator, List

import pytest

from ...helpers.node_programs import missing
from ...helpers.xhr_client import Answer, Web
from .services import Services, of_npm, of_the_simulator

Connect = Callable[[str], Web]

_no_npm = pytest.mark.skipif(missing() is not None, reason=missing() or "")


@pytest.fixture(scope="package")
def npm() -> Iterator[Services]:
    """npm's servers, which take too long to start for each case."""
    with of_npm() as started:
        yield started


@pytest.fixture(params=["simulator", pytest.param("npm", marks=_no_npm)])
def services(request: pytest.FixtureRequest) -> Iterator[Services]:
    if request.param == "npm":
        yield request.getfixturevalue("npm")
    else:
        with of_the_simulator() as started:
            yield started


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Return a function that opens TCP connections to a base URL."""
    opened: List[Web] = []

    def open_connection(base_url: str) -> Web:
        opened.append(Web(base_url))
        return opened[-1]

    yield open_connection
    for web in opened:
        web.close()


Ask = Callable[..., Answer]


@pytest.fixture
def ask(connect: Connect) -> Ask:
    """Sends one request on a TCP connection of its own."""

    def request(base_url: str, method: str, path: str, body: str = "", **headers: str) -> Answer:
        return connect(base_url).request(method, path, body.encode("utf-8"), **headers)

    return request
