"""What is written: whole, by many threads at once, and to a server that does not take it."""

from __future__ import annotations

import threading
import time
import zlib
from typing import Any, Dict, List

import pytest

from keyyo_cti import CTI, CommandTimeout, ConnectionClosed
from keyyo_cti.simulator import Line, Simulator
from keyyo_cti.simulator.sockjs import Connection
from keyyo_cti.simulator.tls import TRUSTED, Certificates

from ..helpers.probe import PATIENCE, Record, Seen
from ..helpers.scripted_server import ScriptedServer, reply, session

BOB = "33199020000"

THREADS = 16
EACH = 1_000

#: What a socket does not hold.
MUCH = "x" * 3_000_000


def size_of(number: int) -> int:
    """Bytes of a thread's command: from 1 to 200,000, most of them small, all kinds mixed."""
    if number % 100 == 7:
        return 200_000
    if number % 20 == 3:
        return 20_000
    return 1 + number * 37 % 1_500


def checked(connection: Connection, command: Dict[str, Any]) -> None:
    """Answers a message with what came of it."""
    if command["action"] == "send_message":
        sum_ = zlib.crc32(command["message"].encode())
        reply(connection, command, {"number": command["number"], "sum": sum_})
    else:
        session(connection, command)


@pytest.mark.slow
@pytest.mark.fault(10)
def test_commands_of_many_threads_over_tls() -> None:
    """16 threads send 1,000 commands each, of 1 byte to 200 kB, on one TLS connection: each
    arrives whole, once, and gets the answer that is its own."""
    certificates = Certificates("127.0.0.1", TRUSTED)
    certificates.publish()
    wrong: List[str] = []
    with ScriptedServer(checked, tls=certificates.context) as server, CTI(
        endpoint=server.endpoint, ca_certs=certificates.ca_certs, timeout=100
    ) as cti:
        cti.create_session("tok").result(PATIENCE)
        start = threading.Barrier(THREADS)

        def ask(thread: int) -> None:
            asked = []
            start.wait(PATIENCE)
            for number in range(EACH):
                message = chr(ord("a") + thread) * size_of(number)
                name = f"{thread}.{number}"
                asked.append((name, zlib.crc32(message.encode()), cti.send_message(name, message)))
            for name, sum_, answer in asked:
                result: Any = answer.result(100)
                if (result.number, result.sum) != (name, sum_):
                    wrong.append(name)

        threads = [threading.Thread(target=ask, args=(each,)) for each in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(100)
        assert not any(thread.is_alive() for thread in threads) and cti.connected
    certificates.remove()
    arrived = [command["number"] for command in server.received.items[1:]]
    assert wrong == [] and len(arrived) == len(set(arrived)) == THREADS * EACH


def stop_receiving(sim: Simulator) -> None:
    """The server reads nothing more of what is sent, on any transport."""
    sim.faults.stop_reading()
    sim.faults.stall("xhr_send")


class Sending:
    """A thread that sends more than the network holds, and how long each call took it."""

    def __init__(self, cti: CTI, seen: Seen) -> None:
        self._cti = cti
        self._seen = seen
        self.took = Record()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Sending:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(2 * PATIENCE)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        for number in range(20):
            began = time.monotonic()
            self._cti.send_message(BOB, MUCH, self._seen.callback(number))
            self.took.add(time.monotonic() - began)

    def wait_until_stuck(self) -> None:
        """Until it has not got on for a while."""
        count, pause = -1, threading.Event()
        while count < len(self.took.items) < 20:
            count = len(self.took.items)
            pause.wait(0.3)
        assert len(self.took.items) < 20, "all was taken"


@pytest.mark.slow
@pytest.mark.fault(11)
@pytest.mark.promise(1)
@pytest.mark.usefixtures("transport")
def test_sending_to_a_server_that_does_not_receive(sim: Simulator, alice: Line) -> None:
    """Sending to a server that reads nothing fails by its deadline, and so does what waits
    behind it; every callback comes, the connection ends, and close() has nothing to wait for."""
    cti = CTI(endpoint=sim.endpoint, timeout=0.5)
    seen = Seen(cti)
    cti.create_session(sim.token(alice)).result(PATIENCE)
    stop_receiving(sim)
    with Sending(cti, seen) as sending:
        seen.wait_for("callback", 20)
        seen.wait_for("disconnected")
    assert max(sending.took.items) < 0.5 + 8.0
    answers = {name: error for _, name, error, _ in seen.of("callback")}
    assert sorted(answers) == list(range(20)) and len(seen.items) == 21
    assert all(isinstance(e, (CommandTimeout, ConnectionClosed)) for e in answers.values())
    assert answers[19].sent is False
    began = time.monotonic()
    cti.close()
    assert time.monotonic() - began < 8.0


@pytest.mark.slow
@pytest.mark.fault(11)
@pytest.mark.promise(5)
@pytest.mark.usefixtures("transport")
def test_close_while_a_thread_is_stuck_in_sending(sim: Simulator, alice: Line) -> None:
    """close() ends a call of another thread that is stuck because the server reads nothing, long
    before its deadline."""
    cti = CTI(endpoint=sim.endpoint, timeout=60)
    seen = Seen(cti)
    cti.create_session(sim.token(alice)).result(PATIENCE)
    stop_receiving(sim)
    with Sending(cti, seen) as sending:
        sending.wait_until_stuck()
        began = time.monotonic()
        cti.close()
        assert time.monotonic() - began < 8.0
        seen.wait_for("callback", 20)
    assert sorted(name for _, name, _, _ in seen.items) == list(range(20))
