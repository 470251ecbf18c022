"""``keyyo-cti token``: a new CSI token, for another program."""

import argparse
import json
import time

from .exit_codes import OK
from .login_account import require_account
from .parser import add_json, add_line, add_trust
from .terminal import Terminal, escape


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_line(parser)
    parser.add_argument(
        "--domain-mask",
        dest="domain_masks",
        action="append",
        default=[],
        metavar="MASK",
        help="web pages that may use the token, such as *.example.com; may be repeated",
    )
    add_json(parser, "the token, its line and its expiry")
    add_trust(parser)


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Run the command."""
    account = require_account(arguments.ca_certs, arguments.allow_http)
    token = account.client.csi_token(account.select_line(arguments.csi), arguments.domain_masks)
    if arguments.json:
        fields = {
            "csi": token.csi,
            "token": token.token,
            "expires_at": token.expires_at,
            "domain_masks": list(token.domain_masks),
        }
        out.print_line(json.dumps(fields, indent=2))
    else:
        out.print_line(escape(token.token))
        err.print_line(f"opens line {escape(token.csi)}{_format_expiry(token.expires_at)}")
    return OK


def _format_expiry(expires_at: float) -> str:
    try:
        return time.strftime(" until %H:%M:%S", time.localtime(expires_at))
    except (OverflowError, ValueError, OSError):
        # The server's time is outside the calendar; the token is valid anyway.
        return ""
