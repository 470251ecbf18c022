"""The file of the last run is read as it was written, and as earlier versions wrote it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict

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


@pytest.mark.parametrize("damage", [
    *({"running": wrong} for wrong in (5, ["8"], {"8": "never"}, {"8": None}, {"8": 10 ** 400})),
    {"version": 2}, {"heard_until": 0},
])
def test_damaged_file_is_refused(tmp_path: Path, damage: Dict[str, Any]) -> None:
    path = tmp_path / "heard.json"
    LastRun(path, "").save(STATE)
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **damage}))
    assert LastRun(path, "").load() is None


def test_file_without_a_path_is_in_the_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyyo_cti._catch_up.last_run.state_folder", lambda: tmp_path)
    LastRun(None, "+33 1").save(STATE)
    assert LastRun(tmp_path / "heard--33-1.json", "").load() == STATE


@pytest.mark.parametrize("action, words", [("load", "be read"), ("save", "be written")])
def test_file_that_cannot_be_used_is_logged_once_until_it_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, action: str, words: str
) -> None:
    path = tmp_path / "heard.json"
    last_run = LastRun(path, "")
    for _ in range(2):
        path.mkdir()
        for _ in range(2):
            last_run.save(STATE) if action == "save" else last_run.load()
        path.rmdir()
        last_run.save(STATE)
        path.unlink()
    assert [f"cannot {words}" in record.getMessage() for record in caplog.records] == [True] * 2
