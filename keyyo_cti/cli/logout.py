"""``keyyo-cti logout``: nothing of an account is left on this machine; Keyyo is not asked."""

import argparse

from .exit_codes import OK
from .login_file import LoginFile
from .terminal import Terminal


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Runs the command."""
    file = LoginFile()
    # Nothing is sent, so that a laboratory's login can be forgotten as any other.
    login = file.load(allow_http=True)
    if login is None:
        err.line("nobody has signed in")
        return OK
    login.tokens(file.path).delete()
    file.delete()
    err.line("the tokens and the client secret are forgotten")
    err.line(
        "Keyyo still knows the tokens: if somebody may have a copy of them, have Keyyo revoke "
        "the application's access to the account"
    )
    return OK
