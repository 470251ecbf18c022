"""``keyyo-cti token``: a fresh CSI token, for what takes one."""

import argparse
import json
import time

from .exit_codes import OK
from .login_account import required
from .terminal import Terminal, printable


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Runs the command."""
    account = required(arguments.ca_certs, arguments.allow_http)
    minted = account.client.csi_token(account.csi(arguments.csi), arguments.domain_masks)
    if arguments.json:
        told = {
            "csi": minted.csi,
            "token": minted.token,
            "expires_at": minted.expires_at,
            "domain_masks": list(minted.domain_masks),
        }
        out.line(json.dumps(told, indent=2))
    else:
        out.line(printable(minted.token))
        err.line(f"opens line {printable(minted.csi)}{_until(minted.expires_at)}")
    return OK


def _until(expires_at: float) -> str:
    try:
        return time.strftime(" until %H:%M:%S", time.localtime(expires_at))
    except (OverflowError, ValueError, OSError):
        # No calendar has this time. The token is good all the same.
        return ""
