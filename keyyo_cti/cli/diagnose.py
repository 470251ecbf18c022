"""``keyyo-cti diagnose``: why a line does not answer."""

import argparse
import json

from ..diagnosis import diagnose
from .exit_codes import FAILED, OK
from .signed_in import required
from .terminal import Terminal


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Runs the command."""
    account = required(arguments.ca_certs)
    csi = account.csi(arguments.csi)
    if arguments.enable_plugin:
        account.client.enable_plugin(csi)
    found = diagnose(account.client, csi, arguments.endpoint or account.endpoint)
    if arguments.json:
        out.line(json.dumps(found.to_dict(), indent=2))
    else:
        for line in str(found).splitlines():
            out.line(line)
        out.line("nothing is wrong" if found.good else f"wrong: {', '.join(found.faults)}")
    return OK if found.good else FAILED
