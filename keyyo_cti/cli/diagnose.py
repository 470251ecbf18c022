"""``keyyo-cti diagnose``: why a line does not answer."""

import argparse
import json
from typing import Optional

from ..diagnosis import diagnose
from ..errors import KeyyoError
from .exit_codes import FAILED, OK
from .login_account import SignedIn, required
from .terminal import Terminal, printable


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Runs the command."""
    account = required(arguments.ca_certs, arguments.allow_http)
    enabled = not arguments.enable_plugin or _enable_plugin(account, arguments.csi, err)
    try:
        csi = account.csi(arguments.csi)
    except KeyyoError:
        # Why, is what is to be found out.
        csi = None
    found = diagnose(account.client, csi, _endpoint(arguments, account))
    if arguments.json:
        out.line(json.dumps(found.to_dict(), indent=2))
    else:
        words = ", ".join(found.faults)
        for line in str(found).splitlines():
            out.line(line)
        out.line("nothing is wrong" if found.good else f"wrong: {printable(words)}")
    return OK if found.good and enabled else FAILED


def _endpoint(arguments: argparse.Namespace, account: SignedIn) -> str:
    return account.endpoint if arguments.endpoint is None else str(arguments.endpoint)


def _enable_plugin(account: SignedIn, wanted: Optional[str], err: Terminal) -> bool:
    try:
        account.client.enable_plugin(account.csi(wanted))
    except KeyyoError as error:
        err.line(f"the plugin cannot be enabled: {printable(error)}")
        return False
    return True
