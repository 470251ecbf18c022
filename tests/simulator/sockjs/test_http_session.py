"""The life of a session over HTTP, without sockets."""

from __future__ import annotations

import asyncio
from typing import Any, Awaitable, Callable, List, cast

from keyyo_cti.simulator.sockjs import Connection, HttpSession

TIMEOUT = 30.0


class Remembering:
    """A handler that remembers."""

    def __init__(self) -> None:
        self.events: List[str] = []

    def opened(self, connection: Connection) -> None:
        self.events.append("opened")

    def message(self, connection: Connection, text: str) -> None:
        self.events.append(text)

    def closed(self, connection: Connection) -> None:
        self.events.append("closed")


class Nowhere:
    """A TCP connection without a peer."""

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading


NOWHERE = cast(asyncio.Transport, Nowhere())


def play(scene: Callable[[Remembering, Connection], Awaitable[Any]]) -> List[str]:
    """Run a scene with an open connection and return its handler's events."""
    handler = Remembering()

    async def on_stage() -> None:
        connection = Connection(handler, 60, "xhr-polling")
        connection.open()
        assert (await connection.next_frame()).payload == b"o"
        await asyncio.wait_for(scene(handler, connection), TIMEOUT)

    asyncio.run(on_stage())
    return handler.events


def test_disconnect_delay() -> None:
    """A closed session is forgotten when its client stays away."""
    async def scene(handler: Remembering, connection: Connection) -> None:
        forgotten = asyncio.Event()
        session = HttpSession(connection, 0.01, lambda session: forgotten.set())
        session.attach(NOWHERE)
        connection.close(3000, "Go away!")
        for _ in range(2):
            assert (await connection.next_frame()).last
        connection.mark_closed()
        session.detach()
        assert handler.events == ["opened", "closed"] and not forgotten.is_set()
        await forgotten.wait()

    assert play(scene) == ["opened", "closed"]


def test_receiver_in_time() -> None:
    """A receiver before the timeout stops the timer."""
    async def scene(handler: Remembering, connection: Connection) -> None:
        forgotten: List[HttpSession] = []
        session = HttpSession(connection, 0, forgotten.append)
        session.detach()
        assert not session.received
        session.attach(NOWHERE)
        assert session.received
        for _ in range(3):
            await asyncio.sleep(0)
        assert not forgotten
        session.end()
        assert forgotten == [session]

    assert play(scene) == ["opened", "closed"]


def test_stopped_reading_between_two_receivers() -> None:
    """A session that has stopped reading reads from no receiver until it is resumed."""
    paused: List[str] = []

    class Noting(Nowhere):
        def pause_reading(self) -> None:
            paused.append("paused")

        def resume_reading(self) -> None:
            paused.append("resumed")

    async def scene(handler: Remembering, connection: Connection) -> None:
        connection.stop_reading()
        connection.attach(cast(asyncio.Transport, Noting()))
        connection.detach()
        connection.attach(cast(asyncio.Transport, Noting()))
        connection.resume()
        connection.receive(["heard"])

    assert play(scene) == ["opened", "heard"]
    assert paused == ["paused", "resumed", "paused", "resumed"]


def test_no_heartbeat_without_a_receiver() -> None:
    """A heart beats while something receives, and only then."""
    async def scene(handler: Remembering, _: Connection) -> None:
        connection = Connection(handler, 0.001, "xhr-polling")
        connection.attach(NOWHERE)
        connection.open()
        assert [(await connection.next_frame()).payload for _ in range(3)] == [b"o", b"h", b"h"]
        connection.detach()
        connection.send("late")
        later = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.005, later.set_result, None)
        await later
        assert (await connection.next_frame()).payload == b'a["late"]'
        connection.attach(NOWHERE)
        assert (await connection.next_frame()).payload == b"h"
        connection.mark_closed()

    assert play(scene)[:2] == ["opened", "opened"]
