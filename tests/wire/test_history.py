"""The history of calls from the simulator, over real sockets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Iterator, List

import pytest

from keyyo_cti.call_history import CallRecord
from keyyo_cti.manager import ManagerClient
from keyyo_cti.simulator import Line, ManualClock, Simulator

from ..helpers.accounts import ONCE, client_of

#: 2023-11-14 23:13:20 in Paris, 47 minutes before midnight.
NOW = 1_700_000_000

BOB = "33199020000"


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(clock=ManualClock(NOW), page_size=3) as sim:
        yield sim


@pytest.fixture
def alice(sim: Simulator) -> Line:
    return sim.line("33199000001", name="Alice")


@pytest.fixture
def client(sim: Simulator) -> ManagerClient:
    return client_of(sim)


def read(client: ManagerClient, csi: "str | None" = "33199000001") -> List[CallRecord]:
    return list(client.history(csi, NOW - 60, NOW + 86_400))


@pytest.mark.parametrize("newest_first", [True, False])
def test_calls_over_midnight_come_once_in_their_order(
    sim: Simulator, alice: Line, client: ManagerClient, newest_first: bool
) -> None:
    sim.history.set(newest_first=newest_first, partials="kept")
    bob = sim.phone(BOB)
    for _ in range(10):
        bob.call(alice)
        alice.phone.pick_up()
        sim.elapse(600)
        bob.hang_up()
        sim.elapse(1)
        alice.phone.call(bob)
        alice.phone.hang_up()
        sim.elapse(1)
    records = read(client)
    assert [each.direction for each in records] == ["in", "out"] * 10
    assert [each.seconds for each in records] == [600, 0] * 10
    starts = [each.start_time for each in records]
    assert starts == sorted(starts) and len({each.call_id for each in records}) == 20
    assert len({each.start.date() for each in records}) == 2


def test_running_call_is_partial_and_later_whole(
    sim: Simulator, alice: Line, client: ManagerClient
) -> None:
    sim.history.set(delay=10)
    bob = sim.phone(BOB)
    bob.call(alice)
    alice.phone.pick_up()
    seen = []
    for _ in range(3):
        sim.elapse(20)
        seen.append([(each.call_id, each.seconds) for each in read(client)])
    bob.hang_up()
    sim.elapse(10)
    [whole] = read(client)
    assert seen == [[(whole.call_id, seconds)] for seconds in (10, 30, 50)]
    assert (whole.seconds, whole.answered, whole.missed) == (60, True, False)


def test_call_between_two_lines_has_its_caller_in_both_directions(
    sim: Simulator, alice: Line, client: ManagerClient
) -> None:
    carol = sim.line("33199000002")
    carol.phone.call(alice)
    carol.phone.hang_up()
    incoming, outgoing = read(client, None)
    for record in (incoming, outgoing):
        assert (record.caller, record.callee) == (carol.number, alice.number)
    assert (incoming.line, incoming.missed) == (alice.number, True)
    assert (outgoing.line, outgoing.missed, outgoing.answered) == (carol.number, False, None)


def test_ten_readers_of_one_account_never_get_429(sim: Simulator, alice: Line) -> None:
    """Each asks once only: with a seventh request at a time, one would fail."""
    sim.history.add_many({"line": alice, "start": NOW - n} for n in range(12))
    first = client_of(sim, backoff=ONCE)
    clients = [
        first, *(ManagerClient(first._api._account, sim.manager_url, backoff=ONCE)
                 for _ in range(9))
    ]
    sim.faults.http_late("/manager", 0.05)
    with ThreadPoolExecutor(10) as executor:
        found = list(executor.map(read, clients))
    assert [len(each) for each in found] == [12] * 10
    # Each client: four pages in one direction, an empty one in the other.
    assert len(sim.requested("/manager")) == 50


def test_history_of_a_line_without_calls_and_of_an_unknown_line(
    sim: Simulator, alice: Line, client: ManagerClient
) -> None:
    assert read(client) == []
    with pytest.raises(Exception, match="404"):
        read(client, "33199000077")
