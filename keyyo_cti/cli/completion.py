"""``keyyo-cti completion``: a script for the user's shell that completes the command line."""

import argparse
from typing import Iterator

from .._display.extras import install_hint
from .exit_codes import OK
from .invocation import format_command, name_program
from .parser import COMMANDS, import_command, make_parser
from .terminal import Terminal

#: For each shell, the file that it reads at its start.
_FILES = {
    "bash": "~/.bashrc",
    "zsh": "~/.zshrc, after compinit",
    "fish": "~/.config/fish/config.fish",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    files = "\n".join(f"in {file}:\n  {_format_loading(shell)}" for shell, file in _FILES.items())
    parser.epilog = (
        f"To load it at each start of the shell, write\n{files}\n"
        f"It needs the extra: {name_program(install_hint('terminal'))}."
    )
    parser.add_argument(
        "shell", metavar="SHELL", choices=tuple(_FILES), help=" or ".join(_FILES)
    )


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Run the command."""
    try:
        import shtab
    except ImportError as error:
        raise ImportError(f"completion needs shtab: {install_hint('terminal')}") from error
    parser = make_parser(
        {
            name: import_command(name).add_arguments
            for name in COMMANDS
        }
    )
    for action in _find_actions(parser):
        if action.metavar == "FILE":
            setattr(action, "complete", shtab.FILE)
    for line in shtab.complete(parser, shell=arguments.shell).splitlines():
        out.print_line(line)
    return OK


def _find_actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of a parser and of its commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _find_actions(command)


def _format_loading(shell: str) -> str:
    command = format_command("completion", shell, anywhere=True)
    return f"{command} | source" if shell == "fish" else f'eval "$({command})"'
