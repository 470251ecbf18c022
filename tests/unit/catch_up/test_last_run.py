"""The file of the last run is read as it was written, and as earlier versions wrote it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from keyyo_cti._catch_up.findings import Gap
from keyyo_cti._catch_up.last_run import LastRun, State

from .town import a_told

TOLD = a_told(990.0, connect=995.0, stale=True, callref="call-1")
STATE = State(1000.0, [TOLD], {"7": 900.0}, {"8": 980.0}, [Gap(700.0, 710.0)])


def test_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    LastRun(tmp_path / "heard.json", "").save(STATE)
    assert LastRun(tmp_path / "heard.json", "").load() == STATE


def test_file_of_an_older_version_is_read(tmp_path: Path) -> None:
    path = tmp_path / "heard.json"
    LastRun(path, "").save(STATE)
    content = json.loads(path.read_bytes())
    del content["running"], content["past"], content["told"][0][-1]
    path.write_text(json.dumps(content))
    told = [TOLD._replace(callref=None)]
    assert LastRun(path, "").load() == STATE._replace(running={}, past=[], told=told)


@pytest.mark.parametrize("running", [5, ["8"], {"8": "never"}, {"8": None}, {"8": 10 ** 400}])
def test_damaged_running_calls_are_refused(tmp_path: Path, running: Any) -> None:
    path = tmp_path / "heard.json"
    LastRun(path, "").save(STATE)
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "running": running}))
    assert LastRun(path, "").load() is None
