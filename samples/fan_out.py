"""More than one machine: the call events of many lines, shared among worker processes.

On the simulator, with a redis-server of its own, and a worker that is killed::

    pip install redis
    python samples/fan_out.py

On Keyyo, one process that hears, for all the lines of the account that get_token.py has signed in
to, and as many that work as you like, each with a name of its own::

    KEYYO_CLIENT_ID=... KEYYO_CLIENT_SECRET=... python samples/fan_out.py hear
    python samples/fan_out.py work worker-1

Redis is at ``REDIS_URL``, redis://127.0.0.1:6379 by default. Each event is in a stream until a
worker has handled it. Every process may be killed at any moment, and started again:

- An event is named after what has happened: this call has come into this state. So it gets into
  the stream once, although the one who hears is told twice after a restart, although two of them
  hear the same line, and although a call between two lines is heard at both.
- What handling an event does is done in one transaction with the note that it was done. So it is
  done once, although a worker is killed in the middle, and another one takes its event over.

That is so for what is done in Redis. What is done elsewhere, in another database or by a letter,
may be done twice, unless it is remembered there under the event's name, too.

Only states are events: that a call is parked is none. What nobody was told while a connection
to Keyyo was lost, or while nobody heard, is not in the stream: see worker_pool.py. Nor is what
the one who hears had not yet handed on when he was killed, as while Redis is away. And Redis
must not forget: set ``appendonly yes`` and ``appendfsync always``.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from tempfile import TemporaryDirectory
from threading import Event, Timer
from typing import TYPE_CHECKING, Any, Callable, Iterator, List, Mapping, Optional

from keyyo_cti import CTI, Call, KeyyoError

try:
    from redis import Redis, RedisError
except ImportError:
    sys.exit("fan_out.py needs the package redis: pip install redis")

if TYPE_CHECKING:
    from redis.client import Pipeline

STREAM, GROUP, COUNTS = "keyyo:events", "keyyo:workers", "keyyo:counts"

#: Seconds for which it is remembered that something was done: longer than any call lasts.
MEMORY = 7 * 86_400

#: Seconds after which an event in the hands of a worker is taken over by another one. Handling
#: it takes less, else it is done for nothing: only the first who is ready counts.
ABANDONED = 30.0

#: Seconds until the next attempt when Redis cannot be reached.
RETRY = 1.0

#: Adds to a transaction what is to be done about an event. A transaction of Redis undoes nothing:
#: a command that does not fit its key fails, and the others are done.
Effect = Callable[["Pipeline", Mapping[str, Any]], object]

log = logging.getLogger("fan_out")


def connect(url: str) -> Redis:
    return Redis.from_url(url, decode_responses=True, protocol=2, socket_timeout=10)


def name_of(call: Mapping[str, Any]) -> str:
    """The name of an event: a call comes into each state once."""
    return f"{call['callref']}:{call.get('setup_date')}:{call.get('state')}"


def once(redis: Redis, name: str, commands: Callable[["Pipeline"], object]) -> bool:
    """Has Redis do something, unless it was done before.

    :param commands: adds it to a transaction.
    :returns: whether it was done now.
    """
    note = f"keyyo:done:{name}"

    def transaction(pipe: "Pipeline") -> None:
        # Should somebody else write the note from here on, all of this is done again.
        done = pipe.exists(note)
        pipe.multi()
        if not done:
            pipe.set(note, 1, ex=MEMORY)
            commands(pipe)

    return bool(redis.transaction(transaction, note))


# Who hears.


class Ears:
    """Puts the events of many lines into the stream.

    :param options: of each CTI.
    """

    def __init__(self, redis: Redis, **options: Any) -> None:
        self.redis = redis
        self.options = options
        self.ctis: List[CTI] = []
        self.closing = Event()

    def open(self, lines: List[Callable[[], str]]) -> None:
        """Hears lines from here on.

        :param lines: what gives a CSI token, for each of them.
        """
        for new_token in lines:
            cti = CTI(self.options, token_provider=new_token)
            cti.onNewCall = self.on_new_call
            cti.onLost = lambda err: log.error("a line is heard no more: %s", err)
            self.ctis.append(cti)
        asked = [cti.create_session(new_token()) for cti, new_token in zip(self.ctis, lines)]
        for answer in asked:
            answer.result()

    def wait(self) -> None:
        """Lasts until no line is heard any more."""
        for cti in self.ctis:
            cti.wait()

    def close(self) -> None:
        self.closing.set()
        for cti in self.ctis:
            cti.close()

    def on_new_call(self, call: Call) -> None:
        event = dict(call.fields, callref=call.callref)
        entry = {"call": json.dumps(event)}
        # A handler may take its time: what comes meanwhile waits here, and then at the server.
        while True:
            try:
                once(self.redis, f"heard:{name_of(event)}", lambda pipe: pipe.xadd(STREAM, entry))
                return
            except RedisError as error:
                log.warning("cannot tell of it yet: %s", error)
            if self.closing.wait(RETRY):
                log.error("not told: %s", name_of(event))
                return


# Who works.


class Worker:
    """Handles the events of the stream, each in turn, one at a time.

    :param name: no two that run have the same.
    :param effect: what handling does.
    :param abandoned: see `ABANDONED`.
    """

    def __init__(
        self, redis: Redis, name: str, effect: Effect, abandoned: float = ABANDONED
    ) -> None:
        self.redis = redis
        self.name = name
        self.effect = effect
        self.abandoned = int(1000 * abandoned)
        self.pause = Event()

    def run(self) -> None:
        """Lasts until Ctrl-C, at any moment: what it has in its hands is taken over, as if it
        had been killed."""
        while True:
            try:
                self.join()
                while True:
                    self.step()
            except RedisError as error:
                log.warning("there is no work: %s", error)
                self.pause.wait(RETRY)

    def join(self) -> None:
        """Joins the group, or founds it: it handles what was heard before, too."""
        try:
            self.redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except RedisError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    def step(self) -> None:
        """Handles one event, if there is one, or comes soon."""
        for entry, fields in self.taken_over() or self.fresh():
            try:
                call = json.loads(fields["call"])
                log.info("%s has %s", self.name, name_of(call))
                self.handle(entry, call)
            except RedisError:
                raise
            except Exception:
                # It is tried again when it is taken over: a mistake may be mended meanwhile.
                log.exception("cannot handle %s", fields)

    def taken_over(self) -> Any:
        """What somebody left who was killed, say."""
        claimed = self.redis.xautoclaim(STREAM, GROUP, self.name, self.abandoned, count=1)
        return claimed[1]

    def fresh(self) -> Any:
        # Not for longer than it takes until there may be something to take over.
        most = max(1, min(self.abandoned, 5000))
        streams = self.redis.xreadgroup(GROUP, self.name, {STREAM: ">"}, count=1, block=most)
        return streams[0][1] if streams else []

    def handle(self, entry: str, call: Mapping[str, Any]) -> None:
        def commands(pipe: "Pipeline") -> None:
            self.effect(pipe, call)
            done_with(pipe, entry)

        if not once(self.redis, f"handled:{name_of(call)}", commands):
            # Somebody else was faster.
            done_with(self.redis, entry)


def done_with(redis: Redis, entry: str) -> None:
    redis.xack(STREAM, GROUP, entry)
    # With one group only; another one might still have to read it.
    redis.xdel(STREAM, entry)


def count(pipe: "Pipeline", call: Mapping[str, Any]) -> None:
    """What this sample does about an event: it counts."""
    pipe.hincrby(COUNTS, f"{call['callee']} {call['state']}", 1)


# The sample by itself.


@contextmanager
def own_redis(directory: str) -> Iterator[str]:
    """A redis-server that keeps nothing, and its URL.

    :param directory: where its socket is.
    :raises OSError: there is none on this machine.
    """
    path = os.path.join(directory, "redis.sock")
    server = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", path, "--save", ""],
        stdout=subprocess.PIPE,
        text=True,
    )
    with server:
        # So that reading what it says has an end.
        deadline = Timer(20, server.kill)
        deadline.start()
        assert server.stdout is not None
        ready = any("ready to accept connections" in line.lower() for line in server.stdout)
        deadline.cancel()
        try:
            if not ready:
                raise OSError("redis-server does not start")
            yield f"unix://{path}"
        finally:
            server.kill()


def on_the_simulator(url: str, calls: int = 5) -> Optional[str]:
    """Three lines are called so many times; a worker is killed, and another one works on."""
    from keyyo_cti.simulator import Simulator

    redis = connect(url)
    with Simulator() as sim:
        lines = [sim.line(f"3319900000{n}") for n in (1, 2, 3)]
        bob = sim.phone("33199020000")
        ears = Ears(redis, endpoint=sim.endpoint, cookie_auto=False)
        ears.open([partial(sim.token, line) for line in lines])
        for line in lines * calls:
            bob.call(line)
            line.phone.pick_up()
            bob.hang_up()
        kill_a_worker(url)
        work_on(redis, len(lines) * 3 * calls)
        ears.close()
    counts = redis.hgetall(COUNTS)
    for what in sorted(counts):
        print(f"{what}: {counts[what]}")
    return None if set(counts.values()) == {str(calls)} else "not each event was handled once"


def kill_a_worker(url: str) -> None:
    """Starts one, and kills it as soon as it has an event in its hands."""
    command = [sys.executable, __file__, "work", "worker-1"]
    environment = {**os.environ, "REDIS_URL": url}
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment) as worker:
        assert worker.stderr is not None
        worker.stderr.readline()
        worker.kill()


def work_on(redis: Redis, events: int) -> None:
    """Until so many events were handled, by whomever."""
    worker = Worker(redis, "worker-2", count, abandoned=0.5)
    worker.join()
    until = time.monotonic() + 60
    while sum(map(int, redis.hvals(COUNTS))) < events and time.monotonic() < until:
        worker.step()


def hear(redis: Redis) -> None:
    from whose_line import my_lines, my_options

    # With hundreds of lines, each waits for its turn when the server comes back.
    ears = Ears(redis, connect_timeout=60, **my_options())
    try:
        ears.open(my_lines())
        ears.wait()
    finally:
        ears.close()


def main(arguments: List[str]) -> Optional[str]:
    """:returns: what went wrong, for ``sys.exit``."""
    if not arguments:
        with TemporaryDirectory() as directory, own_redis(directory) as url:
            return on_the_simulator(url)
    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s", level=logging.INFO)
    # Whoever stops a service sends this.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    redis = connect(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379"))
    if arguments == ["hear"]:
        hear(redis)
        return "no line is heard any more"
    if len(arguments) == 2 and arguments[0] == "work":
        Worker(redis, arguments[1], count).run()
    return "expected nothing, or: hear, or: work NAME"


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        pass
    except FileNotFoundError as error:
        sys.exit(f"needs {error.filename}")
    except (KeyyoError, ImportError, OSError) as error:
        # An ImportError names the extra that the simulator needs.
        sys.exit(str(error))
