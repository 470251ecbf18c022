"""``keyyo-cti logout``: deletes the login from this machine, without contacting Keyyo."""

import argparse

from .exit_codes import OK
from .login_file import LoginFile
from .parser import add_allow_http
from .terminal import Terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_allow_http(parser)


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Run the command."""
    file = LoginFile()
    # Nothing is sent, so http is harmless here, with or without --allow-http.
    login = file.load(allow_http=True)
    if login is None:
        err.print_line("you are not signed in")
        return OK
    login.make_token_file(file.path).delete()
    file.delete()
    err.print_line("the tokens and the client secret have been deleted")
    err.print_line(
        "Keyyo still accepts the tokens: if someone may have a copy of them, ask Keyyo to revoke "
        "the application's access to your account"
    )
    return OK
