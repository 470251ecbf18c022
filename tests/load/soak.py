"""Clients on every transport, many threads, and a fault a second: what is lost, what comes twice,
what lies in no announced gap?

::

    python -m tests.load.soak --minutes 30 --clients 16 --faults-per-second 1

The seed comes first, then a line now and then, and tables in the end. The exit code is 1 when
anything was lost, repeated, outside of the announced gaps or otherwise wrong. How it is made is
told in `tests.load.soaking`.
"""

from __future__ import annotations

import argparse
import faulthandler
import random
import sys
from typing import List, Optional

from .soaking.report import report
from .soaking.stage import Settings, Stage

#: Seconds beyond its time after which a soak that hangs shows where every thread stands.
_WATCHDOG = 900.0

#: Its descriptor: who replaces ``sys.stderr`` may have none.
_STDERR = 2


def main(arguments: Optional[List[str]] = None) -> int:
    """The command."""
    given = _parser().parse_args(arguments)
    settings = Settings(
        seconds=given.minutes * 60,
        clients=given.clients,
        faults_per_second=given.faults_per_second,
        seed=random.randrange(10**6) if given.seed is None else given.seed,
        threads=given.threads,
        commands_per_second=given.commands_per_second,
    )
    print(f"seed {settings.seed}", flush=True)
    faulthandler.dump_traceback_later(settings.seconds + _WATCHDOG, exit=True, file=_STDERR)
    figures = Stage(settings, lambda line: print(line, flush=True)).run()
    faulthandler.cancel_dump_traceback_later()
    print(*report(settings, figures), sep="\n", flush=True)
    return 1 if any(figures.findings.counts().values()) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.load.soak", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--faults-per-second", type=float, default=1.0)
    parser.add_argument("--seed", type=int, help="a number; by default one that nobody chose")
    parser.add_argument("--threads", type=int, default=3, help="of each client, for commands")
    parser.add_argument("--commands-per-second", type=float, default=2.0, help="of each thread")
    return parser


if __name__ == "__main__":
    sys.exit(main())
