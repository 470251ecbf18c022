"""In a program that is one file."""

import os
import shutil
import subprocess
import sys
import zipapp
from pathlib import Path
from typing import List

import pytest

from keyyo_cti.simulator import Line, Simulator

from ..helpers.in_full import in_full
from ..helpers.running import DEADLINE, ROOT, environment
from .hosting import needs
from .whole_way import BOB, EXPECTED

MAIN = """
import sys
import keyyo_cti
from whole_way import whole_way

if __name__ == "__main__":
    print(*whole_way(*sys.argv[1:]), keyyo_cti.__file__)
"""

#: Seconds that PyInstaller may take.
_BUILD_TIMEOUT = 600.0


def started(arguments: List[str], sim: Simulator, alice: Line) -> List[str]:
    """Return the words that a program prints, which is started away from the checkout."""
    sim.phone(BOB)
    variables = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*arguments, sim.endpoint, sim.token(alice)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=DEADLINE * 2,
        cwd=os.environ["HOME"],
        env=variables,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout.split()


@pytest.mark.fault(55)
def test_zipapp_goes_the_whole_way(tmp_path: Path, sim: Simulator, alice: Line) -> None:
    program, archive = tmp_path / "program", tmp_path / "program.pyz"
    ignored = shutil.ignore_patterns("__pycache__", "simulator")
    shutil.copytree(ROOT / "keyyo_cti", program / "keyyo_cti", ignore=ignored)
    shutil.copy(ROOT / "tests" / "hosts" / "whole_way.py", program)
    (program / "__main__.py").write_text(MAIN, "utf-8")
    zipapp.create_archive(program, archive)
    *happened, path = started([sys.executable, str(archive)], sim, alice)
    assert happened == EXPECTED
    assert path.startswith(str(archive))


@pytest.fixture(scope="module")
def one_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program of PyInstaller. Built ahead of the test, whose watchdog it would outlast."""
    folder = tmp_path_factory.mktemp("pyinstaller")
    shutil.copy(ROOT / "tests" / "hosts" / "whole_way.py", folder)
    (folder / "program.py").write_text(MAIN, "utf-8")
    subprocess.run(
        [sys.executable, "-m", "PyInstaller", "--onefile", "--log-level", "ERROR", "program.py"],
        cwd=folder,
        env=environment(PYINSTALLER_CONFIG_DIR=str(folder / "cache")),
        timeout=_BUILD_TIMEOUT,
        check=True,
    )
    return folder / "dist" / "program"


@pytest.mark.fault(55)
@needs("PyInstaller")
@pytest.mark.skipif(not in_full(1, 0), reason="takes minutes: KEYYO_TESTS_IN_FULL=1")
def test_pyinstaller_goes_the_whole_way(one_file: Path, sim: Simulator, alice: Line) -> None:
    *happened, path = started([str(one_file)], sim, alice)
    assert happened == EXPECTED
    assert not path.startswith(str(ROOT))
