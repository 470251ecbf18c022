"""``keyyo-cti completion``, in the shells themselves."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

from ..helpers.running import DEADLINE, Running, environment

if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)

from .tty import Tty

SCRIPT = f"{sys.executable} -m keyyo_cti completion"

#: What is typed before Tab, and what the shell makes of it.
TYPED = [
    ("wat", "watch"),
    ("--ver", "--version"),
    ("watch --tok", "watch --token-file"),
    ("simulator --pho", "simulator --phone"),
    ("completion fi", "completion fish"),
    ("install-h", "install-handler"),
    ("install-handler --uni", "install-handler --uninstall"),
    ("watch --token-file my-to", "watch --token-file my-token.txt"),
    ("dial --ca-certs my-to", "dial --ca-certs my-token.txt"),
]

#: How a shell starts without its user's configuration, and what makes it complete.
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], f'eval "$({SCRIPT} bash)"'),
    "zsh": (
        ["zsh", "-f", "-i"],
        f'autoload -U compinit && compinit -u -D && eval "$({SCRIPT} zsh)"',
    ),
}


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"needs {shell}")


@pytest.mark.slow
@pytest.mark.parametrize("shell", [pytest.param(name, marks=needs(name)) for name in SHELLS])
def test_tab_completes(shell: str, tmp_path: Path) -> None:
    (tmp_path / "my-token.txt").touch()
    command, setup = SHELLS[shell]
    with Tty(*command, columns=120, PS1="shell> ", PROMPT="shell> ", HISTFILE="") as tty:
        tty.until_shown("shell>")
        tty.press(f"cd {tmp_path}; {setup}; clear; echo ready\n".encode())
        tty.until(lambda text: text.startswith("ready\nshell>"))
        for typed, completed in TYPED:
            tty.press(f"keyyo-cti {typed}\t".encode())
            tty.until(lambda text: text.endswith(f"shell> keyyo-cti {completed}"))
            tty.press(b"\x15")
            tty.until(lambda text: text.endswith("shell>"))
        tty.press(b"keyyo-cti completion \t\t")
        tty.until_shown("bash", "zsh", "fish")


@pytest.mark.slow
@needs("fish")
@pytest.mark.parametrize(("typed", "completed"), TYPED)
def test_fish_completes(typed: str, completed: str, tmp_path: Path) -> None:
    (tmp_path / "my-token.txt").touch()
    program = f"{SCRIPT} fish | source; complete -C 'keyyo-cti {typed}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", program], cwd=tmp_path, env=environment(),
        capture_output=True, text=True, timeout=DEADLINE, check=True,
    )
    assert done.stderr == ""
    assert completed.split()[-1] in [line.split("\t")[0] for line in done.stdout.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "status"), [(["bash"], 1), (["--help"], 0), (["tcsh"], 2), ([], 2)]
)
def test_completion_without_the_extra(arguments: List[str], status: int) -> None:
    code = (
        "import sys; sys.modules['shtab'] = None; "
        "from keyyo_cti.cli import main; sys.exit(main(['completion', *sys.argv[1:]]))"
    )
    with Running("-c", code, *arguments) as running:
        assert running.end() == status
        if arguments == ["bash"]:
            assert running.rest("err") == [
                'completion needs shtab: run pip install ".[terminal]" in the checkout of '
                "keyyo-cti"
            ]
