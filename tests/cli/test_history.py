"""``keyyo-cti history``: recorded calls for people, programs, spreadsheets and an archive."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, List, Tuple

import pytest

from keyyo_cti.call_history import CallRecord
from keyyo_cti.cli.history_archive import Added, HistoryArchive
from keyyo_cti.simulator import Line, Simulator

from ..helpers.running import Running
from .kept import ADMIN, Capture, impatient, keep_login, run

BOB = "33199020000"
NOW = int(time.time())


@pytest.fixture
def records(sim: Simulator, alice: Line) -> List[str]:
    """Some calls of the last hour, and their ids."""
    sim.history.set(newest_first=True)
    common = {"line": alice, "caller": BOB, "callee": alice.number}
    keep_login(sim)
    return sim.history.add_many([
        {**common, "start": NOW - 900, "seconds": 65},
        {**common, "start": NOW - 800, "caller": None},
        {"line": alice, "start": NOW - 700, "caller": alice.number, "callee": BOB,
         "direction": "out"},
        {"line": alice, "start": NOW - 600, "caller": alice.number, "callee": BOB,
         "direction": "out", "unit": "sms", "seconds": 1},
    ])


def test_history_for_a_person_is_newest_last(
    records: List[str], alice: Line, capsys: Capture
) -> None:
    said = run(capsys, "history", alice.number, "--since", "1h")
    assert (said.status, said.err) == (0, [])
    assert [line[21:] for line in said.out] == [
        f"in   {BOB} -> {alice.number} Alice  talked 1:05",
        f"in   hidden -> {alice.number} Alice  missed",
        f"out  {alice.number} Alice -> {BOB}  no conversation",
    ]
    [missed] = run(capsys, "history", "--since", "1h", "--missed", "--no-names").out
    assert missed[21:] == f"in   hidden -> {alice.number}  missed"


@pytest.mark.parametrize("arguments", [[], ["--json"], ["--csv"]])
def test_names_are_beside_numbers_and_a_failure_of_them_is_told_once(
    sim: Simulator, records: List[str], alice: Line, capsys: Capture, arguments: List[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sim.contact("\x1b[2J=Bob", default_number=BOB)
    said = run(capsys, "history", "--since", "1h", *arguments)
    assert said.err == [] and all(line.isprintable() for line in said.out)
    [row] = [line for line in said.out if "1:05" in line or "65" in line][:1]
    if arguments == ["--csv"]:
        [cells] = csv.DictReader(io.StringIO(f"{said.out[0]}\n{row}"))
        assert (cells["caller_name"], cells["callee_name"]) == ("\\x1b[2J=Bob", "Alice")
    elif arguments:
        assert json.loads(row)["caller_name"] == "\x1b[2J=Bob"
    else:
        assert f"{BOB} \\x1b[2J=Bob -> {alice.number} Alice" in row
    impatient(monkeypatch)
    sim.faults.http("/manager/1.0/directory", 403)
    said = run(capsys, "history", "--since", "1h", *arguments)
    assert len(said.err) == 1 and said.err[0].startswith("names cannot be read: ")
    assert said.status == 0 and len(said.out) == 3 + (arguments == ["--csv"])


def test_history_of_the_account_with_messages_or_missed_only(
    records: List[str], alice: Line, capsys: Capture
) -> None:
    assert len(run(capsys, "history", "--since", "1h", "--messages").out) == 4
    [missed] = run(capsys, "history", "--since", "1h", "--missed").out
    assert missed.endswith("missed")
    assert len(run(capsys, "history", "--since", "1h", "--direction", "in").out) == 2
    assert run(capsys, "history", "--since", "1h", "--until", "30m") == (0, [], [])


def test_history_as_json_is_one_object_per_line(
    records: List[str], alice: Line, capsys: Capture
) -> None:
    said = run(capsys, "history", "--since", "1h", "--json")
    calls = [json.loads(line) for line in said.out]
    assert [each["call_id"] for each in calls] == records[:3]
    assert calls[0]["seconds"] == 65 and calls[0]["fields"]["quantity"] == "65"
    assert (calls[1]["missed"], calls[1]["line"]) == (True, alice.number)
    assert calls[0]["start"][-6:] in ("+01:00", "+02:00")


def test_history_as_csv_has_a_row_per_call(records: List[str], capsys: Capture) -> None:
    said = run(capsys, "history", "--since", "1h", "--csv")
    rows = list(csv.DictReader(io.StringIO("\n".join(said.out))))
    assert [(each["direction"], each["seconds"], each["answered"]) for each in rows] == [
        ("in", "65", "true"), ("in", "0", "false"), ("out", "0", "")]


@pytest.mark.parametrize("arguments", [[], ["--json"], ["--csv"]])
def test_text_of_the_server_cannot_command_the_terminal(
    sim: Simulator, alice: Line, capsys: Capture, arguments: List[str]
) -> None:
    keep_login(sim)
    for text in ("\x1b[2J", "=1", "a\nb", "\u202e", "\ud800"):
        sim.history.add(alice, NOW - 60, unit=text, call_id=text, caller=text, callee=text)
    said = run(capsys, "history", "--since", "1h", "--messages", *arguments)
    assert (said.status, len(said.out) - (arguments == ["--csv"])) == (0, 5)
    assert all(line.isprintable() for line in said.out)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--since", "soon"], "--since: expected a moment"),
        (["--until", "2026-13-01"], "--until: expected a moment"),
        (["--since", "1h", "--until", "2h"], "until: expected a moment that is not before since"),
        (["--missed", "--direction", "out"], "--missed: outgoing calls are never missed"),
        (["--into", "."], "--into: expected the path of a file"),
        (["--json", "--csv"], "not allowed with"),
    ],
)
def test_wrong_argument_is_named(
    sim: Simulator, alice: Line, capsys: Capture, arguments: List[str], words: str
) -> None:
    keep_login(sim)
    try:
        said: Tuple[int, str] = (run(capsys, "history", *arguments).status, "")
    except SystemExit as error:
        said = int(str(error.code)), capsys.readouterr().err
    assert said[0] == 2
    with Running("-m", "keyyo_cti", "history", *arguments) as running:
        assert running.end() == 2
        assert words in " ".join(running.rest("err"))


def test_missing_scope_says_what_to_do(sim: Simulator, alice: Line, capsys: Capture) -> None:
    keep_login(sim, ADMIN)
    said = run(capsys, "history", alice.number)
    assert said.status == 1
    assert "needs the scope full_access_read_only" in said.err[0]


# The archive.


def rows(path: Path, columns: str = "call_id, seconds") -> List[Tuple[Any, ...]]:
    database = sqlite3.connect(path)
    try:
        return database.execute(f"SELECT {columns} FROM calls ORDER BY start_time").fetchall()
    finally:
        database.close()


def test_archive_has_each_call_once_after_several_runs(
    sim: Simulator, alice: Line, records: List[str], capsys: Capture, tmp_path: Path
) -> None:
    path = tmp_path / "calls.sqlite3"
    sim.history.add(alice, NOW - 86_400 * 80, call_id="old", seconds=1)
    said = run(capsys, "history", "--into", str(path))
    assert (said.status, said.out) == (0, [])
    assert said.err == [f"4 new and 0 completed calls in {path}"]
    assert rows(path) == [("old", 1), (records[0], 65), (records[1], 0), (records[2], 0)]
    # The whole of a call that was partial, and the line's own history.
    sim.history.add(alice, NOW - 900, call_id=records[0], seconds=99, callee=alice.number)
    said = run(capsys, "history", alice.number, "--into", str(path))
    assert said.err == [f"0 new and 1 completed calls in {path}"]
    assert rows(path, "line, seconds, missed")[1] == (alice.number, 99, 0)
    # Only what is missing is read again.
    assert len(rows(path)) == 4
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600


def test_archive_of_two_runs_at_once_has_each_call_once(tmp_path: Path) -> None:
    archives = [HistoryArchive(str(tmp_path / "calls")) for _ in range(4)]
    calls = [
        CallRecord(f"{n}\ud800", None, NOW + n, BOB, "33199000001", "in", seconds=n)
        for n in range(1200)
    ]
    with ThreadPoolExecutor(4) as executor:
        added = list(executor.map(lambda archive: archive.add(iter(calls)), archives))
    assert sum(each.new for each in added) == 1200
    assert len(rows(tmp_path / "calls")) == 1200
    assert archives[0].add(calls) == Added(0, 0)
    assert archives[0].find_latest(None) == archives[0].find_latest("33199000001") == NOW + 1199
    assert archives[0].find_latest("33199000002") is None


def test_archive_in_a_file_of_another_kind_is_refused(
    sim: Simulator, alice: Line, capsys: Capture, tmp_path: Path
) -> None:
    keep_login(sim)
    path = tmp_path / "notes.txt"
    path.write_text("no database at all, but my notes\n" * 50)
    said = run(capsys, "history", "--into", str(path))
    assert said.status == 1 and str(path) in said.err[0]
    assert path.read_text().startswith("no database")
