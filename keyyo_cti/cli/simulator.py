"""``keyyo-cti simulator``: a Keyyo of one's own, and its telephones at the keyboard."""

import argparse
import contextlib
import signal
import threading
from typing import Iterator

from ..simulator import DEFAULT_APPLICATION, Simulator
from .exit_codes import OK, Failed, Misused
from .parser import CLIENT_ID_VARIABLE, CLIENT_SECRET_VARIABLE, TOKEN_VARIABLE
from .simulator_console import Events, Player, described
from .terminal import Terminal, somebody_types, typed_lines

#: The lines of a simulator when none is asked for.
_LINES = [("33199000001", "Alice")]


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Runs the command."""
    with contextlib.ExitStack() as ending:
        ending.enter_context(_sigterm_like_ctrl_c())
        try:
            sim = Simulator(
                host=arguments.host, port=arguments.port, allowed_hosts=arguments.allowed_hosts
            )
            sim.start()
            ending.callback(sim.stop)
            lines = [sim.line(number, name=name) for number, name in arguments.lines or _LINES]
        except ValueError as error:
            raise Misused(error) from error
        except OSError as error:
            raise Failed(
                f"cannot listen on {arguments.host}:{arguments.port}: {error}"
            ) from error
        # From the first line on: who reads it may press Ctrl-C at once.
        with Events(out), contextlib.suppress(KeyboardInterrupt):
            out.line(f"simulator at {sim.endpoint}")
            for line in lines:
                token = sim.token(line)
                out.line(f"{described(line)}: token {token}")
                out.line(
                    f"  try: {TOKEN_VARIABLE}={token} keyyo-cti watch --endpoint {sim.endpoint}"
                )
            out.line(
                f"or sign in: {CLIENT_ID_VARIABLE}={DEFAULT_APPLICATION.client_id} "
                f"{CLIENT_SECRET_VARIABLE}={DEFAULT_APPLICATION.client_secret} "
                f"keyyo-cti login --server {sim.authorize_url.rpartition('/oauth2/')[0]}"
            )
            out.line('type "help" to see what you can do at the telephones')
            told_to_quit = Player(sim, lines, out).play(typed_lines())
            if not told_to_quit and not somebody_types():
                # As a service, or with an input that was only a file.
                out.line("no more input: Ctrl-C or SIGTERM ends the simulator")
                _wait_for_a_signal()
    return OK


@contextlib.contextmanager
def _sigterm_like_ctrl_c() -> Iterator[None]:
    """Let SIGTERM raise KeyboardInterrupt, where this thread may say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        # None is a handler that Python did not set, and cannot set again.
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)


def _wait_for_a_signal() -> None:
    """Wait until a signal raises KeyboardInterrupt."""
    while True:
        # In pieces: Windows does not interrupt a wait without an end.
        threading.Event().wait(1.0)
