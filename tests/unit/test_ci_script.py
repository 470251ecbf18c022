"""``.ci/run`` ends with the status of its steps, whatever its clean-up meets."""

import subprocess
import sys
from pathlib import Path

import pytest

from ..helpers.running import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="CI runs in bash")

# A signal to a copy of bash that is not yet another program is lost.
JOB = "mkfifo started; sh -c 'echo >started; exec sleep 600' & read -r _ <started"


@pytest.mark.parametrize("steps,status", [
    pytest.param("true", 0, id="no job at all"),
    pytest.param("sleep 0 & wait $!", 0, id="a job that was waited for"),
    pytest.param(f"sleep 0 & wait; {JOB}", 0, id="a job that still runs"),
    pytest.param(f"{JOB}; false", 1, id="a step that fails beside a job"),
    pytest.param("(exit 3)", 3, id="a step that fails"),
])
def test_the_clean_up_keeps_the_status(tmp_path: Path, steps: str, status: int) -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    beginning, mark, _ = script.partition("trap clean_up EXIT\n")
    (tmp_path / "ci").mkdir()
    # The name of the script decides in which folder it works.
    run = subprocess.run(
        ["bash", "-c", beginning + mark + steps, str(tmp_path / "ci" / "run")],
        cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)},
        timeout=30, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (status, "")
    assert not list(tmp_path.glob("tmp.*"))
