"""``keyyo-cti token``: a fresh CSI token, for what takes one."""

import argparse
import json
import time

from .exit_codes import OK
from .signed_in import required
from .terminal import Terminal, printable


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Runs the command."""
    account = required(arguments.ca_certs)
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
        expiry = time.strftime("%H:%M:%S", time.localtime(minted.expires_at))
        err.line(f"opens line {printable(minted.csi)} until {expiry}")
    return OK
