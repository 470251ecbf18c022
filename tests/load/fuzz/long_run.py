"""Random and hostile input for a given time. By hand::

    python -m tests.load.fuzz.long_run --seconds 3600 --blind
    python -m tests.load.fuzz.long_run --seconds 60 --target frames --target protocol --seed 7

Each target gets its share of the time, and a line that says how many inputs were tried and how
many failed; one for all comes last. The exit code is 1 when something failed, or when the process
holds more memory than ``--memory``, at which it stops. Ctrl-C ends it with
the lines for what was tried until then. An input that failed is printed; from a file that holds
it as it was printed, it is tried again by::

    python -m tests.load.fuzz.long_run --target frames --input FILE

What needs no sockets is guided by coverage when atheris is there, which nothing else needs::

    pip install atheris

Else, or with ``--blind``, inputs are made by changing good ones at random, the same for the same
seed. That is ten times as fast, and finds less.
"""

import argparse
import ast
import faulthandler
import random
import sys
import time
import warnings
from functools import partial
from pathlib import Path
from typing import Callable, Iterator, List, Optional, Sequence, Type

from ...helpers.footprint import footprint
from . import guided
from .tally import Tally
from .target import Target
from .targets import TARGETS

#: Seconds after which an input that does not end shows where every thread stands, and ends all.
_HANGS = 120.0

#: MiB that a target may take. A minute of all targets takes some 50.
_MEMORY = 256

#: Is told that it is going on, and within how many seconds it is told so again.
Alive = Callable[[float], object]


def main(arguments: Optional[Sequence[str]] = None, alive: Alive = lambda _: None) -> int:
    """Runs it; gives the exit code."""
    options = _options(arguments)
    # The standard library's own fault, which it tells of, and which the tests look at.
    warnings.filterwarnings("ignore", "http.cookiejar bug!")
    chosen = [TARGETS[name] for name in options.target or TARGETS]
    if options.input is not None:
        return _again(chosen, options.input)
    seed = random.randrange(1, 2**31) if options.seed is None else options.seed
    by_coverage = guided.available() and not options.blind
    print(f"seed {seed}, {'guided by coverage' if by_coverage else 'blind'}", flush=True)
    tallies: List[Tally] = []
    try:
        for tally in _tried(
            chosen, options.seconds, seed, by_coverage, alive, options.memory
        ):
            tallies.append(tally)
            _show(tally)
    except KeyboardInterrupt as interrupt:
        tallies += interrupt.args
        for tally in interrupt.args:
            _show(tally)
        print("interrupted")
    total = Tally("total")
    for tally in tallies:
        total.inputs += tally.inputs
        total.seconds += tally.seconds
        total.failed += tally.failed
    print(total, flush=True)
    return 1 if total.failed else 0


class TooMuchMemory(Exception):
    """The process has taken more memory than it may."""


def attempts(
    target: Target, seconds: float, seed: int, alive: Alive, memory: int = _MEMORY
) -> Tally:
    """Tries a target for so long, with inputs that this seed gives.

    :param memory: MiB that the process may take more than before, looked at each second.
    :raises KeyboardInterrupt: with what became of it until then.
    """
    tally = Tally(target.name)
    before = _resident()
    target.draw_from(random.Random(seed))
    began = now = look = time.monotonic()
    try:
        while now < began + seconds:
            looks = now >= look
            if looks:
                look = now + 1.0
                alive(_HANGS)
            data = target.make()
            tally.inputs += 1
            try:
                target.attempt(data)
                if looks:
                    _require_memory(_resident() - before, memory)
            except TooMuchMemory as error:
                tally.fail(error, data)
                break
            except Exception as error:
                tally.fail(error, data)
            now = time.monotonic()
    except KeyboardInterrupt:
        raise KeyboardInterrupt(tally) from None
    finally:
        tally.seconds = time.monotonic() - began
    return tally


def _resident() -> int:
    """Return the MiB of memory that this process has."""
    return (footprint().resident or 0) // 1024


def _require_memory(taken: int, most: int) -> None:
    if taken > most:
        raise TooMuchMemory(f"{taken} MiB more than before, and {most} MiB are allowed")


def _tried(
    chosen: Sequence[Type[Target]],
    seconds: float,
    seed: int,
    by_coverage: bool,
    alive: Alive,
    memory: int,
) -> Iterator[Tally]:
    shares = sum(kind.share for kind in chosen)
    for kind in chosen:
        share = seconds * kind.share / shares
        if by_coverage and not kind.live:
            alive(share + 10 * _HANGS)
            yield guided.run(kind.name, share, seed)
            continue
        target = kind()
        try:
            yield attempts(target, share, seed, alive, memory)
        finally:
            target.close()


def _again(chosen: Sequence[Type[Target]], path: Path) -> int:
    """Tries an input as it was printed; what it raises is shown."""
    data = ast.literal_eval(path.read_text().strip())
    for kind in chosen:
        target = kind()
        try:
            target.attempt(data)
        finally:
            target.close()
        print(f"{kind.name}: it holds")
    return 0


def _show(tally: Tally) -> None:
    print(tally, flush=True)
    for failure in tally.failures.values():
        print(f"{failure.error}input: {failure.data!r}", flush=True)


def _options(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.load.fuzz.long_run")
    parser.add_argument("--seconds", type=float, default=60.0, help="for all targets together")
    parser.add_argument("--target", action="append", choices=list(TARGETS), help="by default all")
    parser.add_argument("--seed", type=int, help="by default another each time")
    parser.add_argument("--blind", action="store_true", help="not guided by coverage")
    parser.add_argument(
        "--memory", type=int, default=_MEMORY, metavar="MIB",
        help="that a target may take; not looked at when guided by coverage",
    )
    parser.add_argument("--input", type=Path, metavar="FILE", help="one that was printed")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(alive=partial(faulthandler.dump_traceback_later, exit=True)))
