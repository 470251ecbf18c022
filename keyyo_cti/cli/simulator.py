"""``keyyo-cti simulator``: a Keyyo of one's own, and its telephones at the keyboard."""

import argparse
import contextlib
import sys

from ..simulator import DEFAULT_APPLICATION, Simulator
from .exit_codes import OK, Failed, Misused
from .parser import CLIENT_ID_VARIABLE, CLIENT_SECRET_VARIABLE, TOKEN_VARIABLE
from .play import Events, Player, described
from .terminal import Terminal

#: The lines of a simulator when none is asked for.
_LINES = [("33199000001", "Alice")]


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Runs the command."""
    with contextlib.ExitStack() as ending:
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
            Player(sim, lines, out).play(sys.stdin or ())
    return OK
