"""How this program was started, so that a printed command can be run as it stands."""

import os
import re
import shlex
import shutil
import sys
import sysconfig
from typing import Mapping, Sequence, Tuple

from .parser import COMMANDS, PROGRAM

_MODULE = "keyyo_cti"

#: A command of this program in a text of the library, which does not know how it was started.
_MENTION = re.compile(rf"\b{PROGRAM}(?= (?:{'|'.join(COMMANDS)})\b)")

#: The pip of ``install_hint``.
_PIP = re.compile(r'\bpip(?= install "\.\[)')

#: Words that no Windows shell changes.
_PLAIN_WORD = re.compile(r"[\w.:/\\=+-]+")


def format_command(
    *arguments: str, variables: Mapping[str, str] = {}, anywhere: bool = False
) -> str:
    """Return a command of this program, quoted for the user's shell.

    :param arguments: such as ``"login"``.
    :param variables: environment variables to set for it.
    :param anywhere: True for a command that works in any folder.
    """
    program, *rest = find_program()
    if anywhere and os.path.dirname(program):
        program = os.path.abspath(program)
    return _quote((program, *rest, *arguments), variables)


def name_program(text: str) -> str:
    """Return a text in which commands such as "keyyo-cti login" can be run as they stand.

    So can the command that installs an extra. Otherwise it would install into another Python
    where the virtual environment is not activated.
    """
    program, pip = _quote(find_program(), {}), _quote(_find_pip(), {})
    return _PIP.sub(lambda mention: pip, _MENTION.sub(lambda mention: program, text))


def find_program() -> Tuple[str, ...]:
    """Return the words that start this program, as the user wrote them."""
    started = sys.argv[0] if sys.argv else ""
    folder, name = os.path.split(started)
    if name == "__main__.py" and os.path.basename(folder) == _MODULE:
        return _find_python(), "-m", _MODULE
    if os.path.splitext(name)[0].lower() != PROGRAM:
        # Another program has called main(): it may have any name.
        return (PROGRAM,)
    if _is_same_file(shutil.which(PROGRAM) or "", started):
        return (PROGRAM,)
    return (started if folder else os.path.join(os.curdir, started),)


def find_absolute_program() -> Tuple[str, ...]:
    """Return the words that start this program in any folder, whatever PATH is."""
    if os.path.basename(sys.argv[0]) == PROGRAM:
        return (os.path.abspath(sys.argv[0]),)
    script = os.path.join(sysconfig.get_path("scripts"), PROGRAM)
    # -m would also find a package in the folder where the program is started.
    return (script,) if os.access(script, os.X_OK) else (sys.executable, "-m", _MODULE)


def _find_pip() -> Tuple[str, ...]:
    program, *module = find_program()
    if module:
        return program, "-m", "pip"
    pip = os.path.join(os.path.dirname(program), "pip")
    return (pip if shutil.which(pip) else "pip",)


def _find_python() -> str:
    # As typed, since Python 3.10.
    typed = str(getattr(sys, "orig_argv", [""])[0])
    name = typed or os.path.basename(sys.executable)
    if os.path.dirname(name):
        return name
    found = shutil.which(name)
    # Not by os.path.samefile: the Python of a virtual environment is a link to another Python,
    # which lacks its packages.
    known = found is not None and os.path.abspath(found) == os.path.abspath(sys.executable)
    return name if known else sys.executable


def _is_same_file(found: str, started: str) -> bool:
    # On Windows, the wrapper of pip removes the suffix.
    for path in (started, f"{started}.exe"):
        if os.path.exists(path) and os.path.exists(found) and os.path.samefile(found, path):
            return True
    return False


def _quote(words: Sequence[str], variables: Mapping[str, str]) -> str:
    if sys.platform != "win32":
        return " ".join(
            [*(f"{name}={shlex.quote(value)}" for name, value in variables.items()),
             *map(shlex.quote, words)]
        )
    # For PowerShell, which Windows opens by default. The docs show the same for cmd.
    program, *arguments = map(_quote_for_powershell, words)
    settings = "".join(
        f"$env:{name}={_quote_for_powershell(value, always=True)}; "
        for name, value in variables.items()
    )
    # Without &, PowerShell would print a quoted path instead of running it.
    call = f"& {program}" if program.startswith("'") else program
    return settings + " ".join([call, *arguments])


def _quote_for_powershell(word: str, always: bool = False) -> str:
    if _PLAIN_WORD.fullmatch(word) and not always:
        return word
    return "'" + word.replace("'", "''") + "'"
