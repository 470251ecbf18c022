"""samples/fan_out.py hands each event to one worker, whoever is killed, on a real redis-server."""

from __future__ import annotations

import json
import logging
import random
import shutil
import signal
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Dict, Iterator, List, Mapping, cast
from unittest.mock import Mock

import pytest
from redis import Redis

from keyyo_cti.call import Call
from keyyo_cti.simulator import Line, Simulator
from samples import fan_out
from samples.fan_out import COUNTS, GROUP, STREAM, Ears, Worker, connect, own_redis

from ..helpers.probe import PATIENCE, eventually
from ..helpers.running import ROOT, Running

pytestmark = [
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server"),
    pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX"),
]

SAMPLE = str(ROOT / "samples" / "fan_out.py")

BOB = "33199020000"

#: Seconds after which a worker of these tests is thought dead.
ABANDONED = 0.1

#: A worker that says what it has in its hands, and goes on when it is typed to. Its effect counts
#: how often each event was handled.
CAREFUL = """
import sys
from samples.fan_out import COUNTS, Worker, connect, name_of

def effect(pipe, call):
    print(name_of(call), flush=True)
    sys.stdin.readline()
    pipe.hincrby(COUNTS, name_of(call), 1)

Worker(connect(sys.argv[1]), sys.argv[2], effect, float(sys.argv[3])).run()
"""


@pytest.fixture
def url() -> Iterator[str]:
    with TemporaryDirectory() as directory, own_redis(directory) as url:
        yield url


@pytest.fixture
def redis(url: str) -> Redis:
    return connect(url)


def count_each(pipe: Any, call: Mapping[str, Any]) -> None:
    """Counts how often each event was handled."""
    pipe.hincrby(COUNTS, fan_out.name_of(call), 1)


def careful(url: str, name: str) -> Running:
    """A careful worker, in a process of its own."""
    return Running("-c", CAREFUL, url, name, str(ABANDONED))


def fill(redis: Redis, events: int) -> Dict[str, str]:
    """Puts events into the stream.

    :returns: how often each is to have been handled in the end.
    """
    ears = Ears(redis)
    for n in range(events):
        call = Call(cast(Any, Mock()), f"call-{n}")
        call.update({"setup_date": 1, "state": "SETUP"})
        ears.on_new_call(call)
    return {f"call-{n}:1:SETUP": "1" for n in range(events)}


def work(redis: Redis, name: str, expected: Dict[str, str]) -> None:
    """Works, in this process, until every event was handled."""
    here = Worker(redis, name, count_each, ABANDONED)
    here.join()

    def done() -> bool:
        here.step()
        return bool(redis.hlen(COUNTS) == len(expected))

    eventually(done)
    assert redis.hgetall(COUNTS) == expected


def events(redis: Redis) -> List[Any]:
    """What is in the stream, and not handled yet."""
    return [json.loads(fields["call"]) for _, fields in redis.xrange(STREAM)]


def states(ears: Ears) -> List[Any]:
    """Those of the calls that have been heard of."""
    return [call.state for cti in ears.ctis for call in cti.get_calls()]


def hear(redis: Redis, sim: Simulator, *lines: Line) -> Ears:
    ears = Ears(redis, endpoint=sim.endpoint, cookie_auto=False)
    ears.open([partial(sim.token, line) for line in lines])
    return ears


# Workers that die.


def test_killed_in_the_middle(url: str, redis: Redis) -> None:
    """The event in the hands of a worker that is killed is handled by another one, once, and so
    is each of those that nobody had yet."""
    expected = fill(redis, 5)
    with careful(url, "worker-1") as victim:
        victim.until("call-0")
        victim.process.kill()
        assert victim.end() == -signal.SIGKILL
    assert redis.xpending(STREAM, GROUP)["pending"] == 1
    work(redis, "worker-2", expected)
    assert events(redis) == []
    assert redis.xpending(STREAM, GROUP)["pending"] == 0


@pytest.mark.slow
def test_killed_again_and_again(url: str, redis: Redis) -> None:
    """Two workers at a time, which are killed somewhere on their way: no event is lost, and none
    is handled twice."""
    expected = fill(redis, 200)
    lots = random.Random(7)
    for turn in range(4):
        with careful(url, f"a-{turn}") as first, careful(url, f"b-{turn}") as second:
            for each in (first, second):
                most = lots.randrange(1, 20)
                for _ in range(most):
                    each.type("go on")
                for _ in range(most):
                    each.until("call-")
                # It handles that last one, or has handled it, or is at the next.
                each.process.kill()
    assert 0 < redis.hlen(COUNTS) < len(expected)
    work(redis, "last", expected)


def test_taken_over_from_the_living(url: str, redis: Redis) -> None:
    """A worker that is so slow that its event was taken over, and handled, does nothing more."""
    expected = fill(redis, 1)
    with careful(url, "worker-1") as slow:
        slow.until("call-0")
        work(redis, "worker-2", expected)
        slow.type("go on")
        # When it is at its next event, it is done with that one.
        fill(redis, 2)
        slow.until("call-1")
    assert redis.hgetall(COUNTS) == expected


def test_effect_that_raises(redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    """An event that cannot be handled holds up nobody, and is tried again."""
    caplog.set_level(logging.CRITICAL)
    expected = fill(redis, 3)
    failures: List[str] = []

    def effect(pipe: Any, call: Mapping[str, Any]) -> None:
        if call["callref"] == "call-0" and len(failures) < 2:
            failures.append(call["callref"])
            pipe.hincrby(COUNTS, "half done", 1)
            raise ValueError("oops")
        count_each(pipe, call)

    here = Worker(redis, "worker-1", effect, ABANDONED)
    here.join()

    def done() -> bool:
        here.step()
        return not events(redis)

    eventually(done)
    assert redis.hgetall(COUNTS) == expected
    assert list(redis.hkeys(COUNTS))[-1] == "call-0:1:SETUP"
    assert failures == ["call-0", "call-0"]


# Who hears.


def test_heard_by_two(redis: Redis, sim: Simulator, alice: Line) -> None:
    """Two that hear the same line put each event into the stream once."""
    bob = sim.phone(BOB)
    both = [hear(redis, sim, alice), hear(redis, sim, alice)]
    bob.call(alice)
    alice.phone.pick_up()
    bob.hang_up()
    eventually(lambda: all(states(ears) == ["RELEASE"] for ears in both))
    for ears in both:
        ears.close()
    assert [event["state"] for event in events(redis)] == ["SETUP", "CONNECT", "RELEASE"]


def test_told_again_after_a_restart(redis: Redis, sim: Simulator, alice: Line) -> None:
    """What is told again to one that was started anew is not put into the stream again."""
    old = {"callref": "1", "caller": BOB, "callee": alice.number, "setup_date": 1}
    for state in ("SETUP", "CONNECT"):
        ears = hear(redis, sim, alice)
        sim.push(alice, {"notify": "call", "call": {**old, "state": "SETUP"}})
        sim.push(alice, {"notify": "call", "call": {**old, "state": state}})
        eventually(lambda: states(ears) == [state])
        ears.close()
    assert [event["state"] for event in events(redis)] == ["SETUP", "CONNECT"]


def test_call_between_two_lines(redis: Redis, sim: Simulator, alice: Line) -> None:
    """A call that is heard at both of its ends is one call."""
    carol = sim.line("33172587948")
    ears = hear(redis, sim, alice, carol)
    alice.phone.call(carol)
    alice.phone.hang_up()
    eventually(lambda: states(ears) == ["MISSED", "MISSED"])
    ears.close()
    assert len(events(redis)) == 2


def test_redis_is_away(
    sim: Simulator, alice: Line, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What is heard while Redis is away is told when it is back."""
    monkeypatch.setattr(fan_out, "RETRY", 0.02)
    with TemporaryDirectory() as directory:
        with own_redis(directory) as url:
            ears = hear(connect(url), sim, alice)
        sim.phone(BOB).call(alice)
        sim.phone(BOB).hang_up()
        eventually(lambda: "cannot tell of it yet" in caplog.text)
        with own_redis(directory) as url:
            eventually(lambda: len(events(connect(url))) == 2)
            ears.close()


def test_closed_while_redis_is_away(
    sim: Simulator, alice: Line, caplog: pytest.LogCaptureFixture
) -> None:
    """Who hears can be stopped though Redis is away, and says what was not told."""
    with TemporaryDirectory() as directory:
        with own_redis(directory) as url:
            ears = hear(connect(url), sim, alice)
        sim.phone(BOB).call(alice)
        eventually(lambda: "cannot tell of it yet" in caplog.text)
        ears.close()
    assert "not told: call-1:" in caplog.text


# As processes.


def test_as_services(url: str, redis: Redis, sim: Simulator, alice: Line) -> None:
    """One that hears and one that works, until SIGTERM."""
    keyyo = {"KEYYO_CSI_TOKEN": sim.token(alice), "KEYYO_ENDPOINT": sim.endpoint}
    with Running(SAMPLE, "hear", REDIS_URL=url, **keyyo) as hearing, \
            Running(SAMPLE, "work", "worker-1", REDIS_URL=url) as working:
        sim.wait_for_session(alice, PATIENCE)
        sim.phone(BOB).call(alice)
        sim.phone(BOB).hang_up()
        expected = {f"{alice.number} SETUP": "1", f"{alice.number} MISSED": "1"}
        eventually(lambda: redis.hgetall(COUNTS) == expected)
        for each in (hearing, working):
            each.process.send_signal(signal.SIGTERM)
            assert each.end() == 0


def test_without_redis(tmp_path: Path) -> None:
    """By itself it needs a redis-server, and says so."""
    with Running(SAMPLE, PATH=str(tmp_path)) as running:
        assert running.end() == 1
        assert running.rest("err") == ["needs redis-server"]
