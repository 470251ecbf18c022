"""Several addresses of a host: in which order, when, and which one is remembered."""

from __future__ import annotations

import os
import socket
import threading
from typing import Any, Callable, Dict, List, Optional, Tuple, cast

import pytest

from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._net.happy_eyeballs import Address, Attempts, Memory, connect, interleave, look_up

from ...helpers.background import SOON, Hand

pytestmark = pytest.mark.fault(53)

V4, V6 = int(socket.AF_INET), int(socket.AF_INET6)

REFUSED = ConnectionRefusedError(111, "Connection refused")


def address(name: str, family: int = V4) -> Address:
    return family, int(socket.SOCK_STREAM), 6, "", (name, 7)


def names(addresses: List[Address]) -> List[str]:
    return [each[4][0] for each in addresses]


class Scene(Attempts):
    """Attempts on a clock that is set by hand.

    :ivar began: each address that was tried, and when.
    """

    def __init__(self, clock: Hand) -> None:
        self._clock = clock
        #: By address: seconds until it answers, and how; None for one that swallows packets.
        self.script: Dict[str, Optional[Tuple[float, Optional[OSError]]]] = {}
        self.began: List[Tuple[str, float]] = []
        self.closed: List[str] = []
        self.waits = 0
        self.give_up_at_wait = 0
        self._running: Dict[str, float] = {}

    def __call__(self, _: CancelToken) -> "Scene":
        return self

    def begin(self, address: Address) -> None:
        name = address[4][0]
        self.began.append((name, self._clock.time - 100))
        answer = self.script[name]
        if answer is not None and answer[0] < 0:
            assert answer[1] is not None
            raise answer[1]
        self._running[name] = float("inf") if answer is None else self._clock.time + answer[0]

    def wait(self, seconds: float) -> List[socket.socket]:
        self.waits += 1
        assert self.waits < 200, "it does not end"
        if self.waits == self.give_up_at_wait:
            raise ConnectionAbortedError("given up")
        until = self._clock.time + max(0.0, seconds)
        first = min(self._running.values())
        self._clock.time = min(until, max(first, self._clock.time))
        ready = [name for name, at in self._running.items() if at <= self._clock.time]
        return cast("List[socket.socket]", ready)

    def end(self, sock: Any) -> Address:
        del self._running[sock]
        answer = self.script[sock]
        assert answer is not None
        if answer[1] is not None:
            raise answer[1]
        return address(sock)

    def close(self) -> None:
        self.closed += self._running


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def scene(clock: Hand) -> Scene:
    return Scene(clock)


def race(scene: Scene, clock: Hand, seconds: float = 10.0) -> str:
    """The address that wins among those of the script."""
    addresses = [address(name) for name in scene.script]
    _, winner = connect(addresses, clock() + seconds, CancelToken(), clock, scene)
    return str(winner[4][0])


def test_first_address_that_answers_is_the_only_one_tried(scene: Scene, clock: Hand) -> None:
    scene.script = {"a": (0.2, None), "b": (0.0, None)}
    assert race(scene, clock) == "a"
    assert scene.began == [("a", 0.0)] and scene.closed == []


def test_address_that_swallows_packets_costs_a_quarter_of_a_second(
    scene: Scene, clock: Hand
) -> None:
    scene.script = {"a": None, "b": None, "c": (0.01, None)}
    assert race(scene, clock) == "c"
    assert scene.began == [("a", 0.0), ("b", 0.25), ("c", 0.5)]
    assert scene.closed == ["a", "b"] and clock.time == pytest.approx(100.51)


@pytest.mark.parametrize("seconds", [-1, 0.1])
def test_failure_has_the_next_address_tried_at_once(
    scene: Scene, clock: Hand, seconds: float
) -> None:
    """Whether it comes from the system or from the network."""
    scene.script = {"a": (seconds, REFUSED), "b": (seconds, REFUSED), "c": (0.0, None)}
    assert race(scene, clock) == "c"
    wait = max(0.0, seconds)
    assert [at for _, at in scene.began] == pytest.approx([0.0, wait, 2 * wait])


def test_slow_address_may_still_win(scene: Scene, clock: Hand) -> None:
    """The ones that were tried later are closed."""
    scene.script = {"a": (0.3, None), "b": (5.0, None)}
    assert race(scene, clock) == "a" and scene.closed == ["b"]


def test_two_that_answer_at_once_leave_none_open(scene: Scene, clock: Hand) -> None:
    scene.script = {"a": (0.35, None), "b": (0.1, None)}
    assert race(scene, clock) == "a" and scene.closed == ["b"]


def test_all_refuse_is_the_first_failure(scene: Scene, clock: Hand) -> None:
    first = OSError(101, "Network is unreachable")
    scene.script = {"a": (-1, first), "b": (0.1, REFUSED)}
    with pytest.raises(OSError) as caught:
        race(scene, clock)
    assert caught.value is first and clock.time == 100.1


def test_none_answers_is_a_timeout_at_the_deadline(scene: Scene, clock: Hand) -> None:
    scene.script = {"a": None, "b": None}
    with pytest.raises(socket.timeout):
        race(scene, clock, 2.0)
    assert clock.time == 102.0 and scene.closed == ["a", "b"]


@pytest.mark.parametrize("count", [1, 2, 8, 20])
def test_each_address_has_its_turn_before_the_deadline(
    scene: Scene, clock: Hand, count: int
) -> None:
    scene.script = {str(number): None for number in range(count)}
    with pytest.raises(socket.timeout):
        race(scene, clock, 1.0)
    assert len(scene.began) == count and clock.time == pytest.approx(101.0)


def test_no_more_than_so_many_addresses_are_tried(scene: Scene, clock: Hand) -> None:
    scene.script = {str(number): None for number in range(4000)}
    with pytest.raises(socket.timeout):
        race(scene, clock, 100.0)
    assert len(scene.began) == 32


def test_no_address_is_a_failure_that_says_so(scene: Scene, clock: Hand) -> None:
    with pytest.raises(OSError, match="no address"):
        race(scene, clock)


def test_given_up_closes_all(scene: Scene, clock: Hand) -> None:
    scene.script = {"a": None, "b": None}
    scene.give_up_at_wait = 2
    with pytest.raises(ConnectionAbortedError):
        race(scene, clock)
    assert scene.closed == ["a", "b"]


# On sockets.


def test_sockets_are_closed_but_the_winner() -> None:
    """An address that is not of this machine's network, one that refuses, and one that takes
    us; no thread is started."""
    threads = threading.active_count()
    before = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as refusing:
        refusing.bind(("127.0.0.1", 0))
        addresses = [
            (99, 99, 99, "", ("127.0.0.1", 1)),
            *look_up(*refusing.getsockname()),
            *look_up(*listener.getsockname()),
        ]
        clock = Hand()
        sock, winner = connect(addresses, clock() + SOON, CancelToken(), clock)
        with sock:
            assert sock.getpeername() == listener.getsockname() == winner[4]
            assert sock.gettimeout() == 0
            assert threading.active_count() == threads
    if before:
        assert len(os.listdir("/proc/self/fd")) == before


def test_after_a_pull_nothing_is_connected() -> None:
    cancel_token = CancelToken()
    cancel_token.cancel()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with pytest.raises(ConnectionAbortedError):
            connect(look_up(*listener.getsockname()), 200.0, cancel_token, Hand())


# The order.


@pytest.mark.parametrize(
    "given, expected",
    [
        ("", ""),
        ("4a 4b", "4a 4b"),
        ("6a 6b 6c 4a 4b", "6a 4a 6b 4b 6c"),
        ("4a 6a 6b", "4a 6a 6b"),
        ("4a 4b 4c 6a", "4a 6a 4b 4c"),
    ],
)
def test_families_take_turns(given: str, expected: str) -> None:
    addresses = [address(name, V6 if name[0] == "6" else V4) for name in given.split()]
    assert names(interleave(addresses)) == expected.split()
    assert names(Memory().sort("host.test", 7, addresses)) == expected.split()


# What is remembered.


@pytest.fixture
def three() -> List[Address]:
    return [address("a"), address("b"), address("c")]


def test_address_that_answered_is_tried_first(three: List[Address]) -> None:
    memory = Memory()
    memory.remember("host.test", 7, three[2])
    assert names(memory.sort("host.test", 7, three)) == ["c", "a", "b"]
    assert names(memory.sort("host.test", 8, three)) == ["a", "b", "c"]
    assert names(memory.sort("other.test", 7, three)) == ["a", "b", "c"]
    memory.remember("host.test", 7, three[1])
    assert names(memory.sort("host.test", 7, three)) == ["b", "a", "c"]
    memory.forget("host.test", 7)
    memory.forget("other.test", 7)
    assert names(memory.sort("host.test", 7, three)) == ["a", "b", "c"]


def test_address_that_is_gone_from_the_names_is_not_tried(three: List[Address]) -> None:
    """What is remembered sorts the addresses that the look-up gave, and adds none."""
    memory = Memory()
    memory.remember("host.test", 7, address("gone"))
    assert names(memory.sort("host.test", 7, three)) == ["a", "b", "c"]


def test_memory_is_bounded(three: List[Address]) -> None:
    memory = Memory(size=2)
    for host in ("first", "second", "first", "third"):
        memory.remember(host, 7, three[1])
    firsts = [names(memory.sort(host, 7, three))[0] for host in ("first", "second", "third")]
    assert firsts == ["b", "a", "b"]


def test_memory_is_shared_by_threads(three: List[Address]) -> None:
    memory, failures = Memory(size=3), []

    def use(number: int) -> None:
        try:
            for round_ in range(300):
                host = str((number + round_) % 7)
                memory.remember(host, 7, three[round_ % 3])
                assert len(memory.sort(host, 7, three)) == 3
                memory.forget(str(round_ % 5), 7)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    assert failures == [] and not any(thread.is_alive() for thread in threads)


def test_lock_of_a_forked_parent_does_not_hang_the_child(three: List[Address]) -> None:
    memory = Memory()
    lock: Any = getattr(memory, "_lock")
    lock.acquire()
    memory.clear()
    done: List[Any] = []
    asking: Callable[[], Any] = lambda: done.append(memory.sort("host.test", 7, three))
    thread = threading.Thread(target=asking, daemon=True)
    thread.start()
    thread.join(SOON)
    assert done == [three]
