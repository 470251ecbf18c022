"""``keyyo-cti diagnose``: why a line does not answer."""

import argparse
import json
from typing import Optional

from ..diagnosis import Diagnosis, diagnose
from ..errors import KeyyoError
from . import diagnose_ring
from .exit_codes import FAILED, INTERRUPTED, OK
from .invocation import name_program
from .login_account import LoginAccount, require_account
from .login_hint import describe_missing_server
from .parser import add_json, add_line, add_trust
from .terminal import Terminal, escape


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = (
        "The exit code is 0 if nothing is wrong, else 1; 130 if Ctrl-C has ended the ring test."
    )
    add_line(parser)
    parser.add_argument(
        "--enable-plugin", action="store_true", help="enable the CTI plugin websocket first"
    )
    diagnose_ring.add_arguments(parser)
    add_json(parser, "the findings")
    parser.add_argument(
        "--endpoint",
        metavar="URL",
        help="URL of the CTI service; by default that of the account",
    )
    add_trust(parser)


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Run the command."""
    diagnose_ring.check_arguments(arguments)
    account = require_account(arguments.ca_certs, arguments.allow_http)
    enabled = not arguments.enable_plugin or _enable_plugin(account, arguments.csi, err)
    try:
        csi = account.select_line(arguments.csi)
    except KeyyoError:
        # The diagnosis finds out why.
        csi = None
    endpoint = account.endpoint if arguments.endpoint is None else str(arguments.endpoint)
    stopped = False
    if arguments.ring:
        ring = diagnose_ring.RingCommand(arguments, account, csi, endpoint, out, err)
        diagnosis = ring.run()
        stopped = ring.test.stopped
    else:
        diagnosis = diagnose(account.client, csi, endpoint)
    if arguments.json:
        out.print_line(json.dumps(diagnosis.to_dict(), indent=2))
    else:
        if not arguments.ring:
            _print_findings(diagnosis, account, out)
        out.print_line(_sum_up(diagnosis))
    if stopped and not diagnosis.good:
        return INTERRUPTED
    return OK if diagnosis.good and enabled else FAILED


def _print_findings(diagnosis: Diagnosis, account: LoginAccount, out: Terminal) -> None:
    no_network = "no_network" in diagnosis.faults
    explanation = describe_missing_server(account.login) if no_network else None
    for line in str(diagnosis).splitlines():
        text = name_program(line)
        if explanation and line.lstrip().startswith("-> "):
            text, explanation = f"{text}; {explanation}", None
        out.print_line(text)


def _sum_up(diagnosis: Diagnosis) -> str:
    if diagnosis.good:
        return "nothing is wrong"
    if not diagnosis.faults:
        return "nothing is known of the rest: the test was stopped"
    return f"wrong: {escape(', '.join(diagnosis.faults))}"


def _enable_plugin(account: LoginAccount, csi: Optional[str], err: Terminal) -> bool:
    try:
        account.client.enable_plugin(account.select_line(csi))
    except KeyyoError as error:
        err.print_line(f"the plugin cannot be enabled: {escape(error)}")
        return False
    return True
