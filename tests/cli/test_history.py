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
from keyyo_cti.cli.archive_coverage import Selection
from keyyo_cti.cli.history_archive import Added, HistoryArchive
from keyyo_cti.manager import ManagerClient
from keyyo_cti.simulator import Line, Simulator

from ..helpers.running import Running
from .kept import ADMIN, Capture, impatient, keep_login, run

BOB = "33199020000"
NOW = int(time.time())


@pytest.fixture(autouse=True)
def now() -> None:
    """Set NOW: the tests may have been collected half an hour ago."""
    global NOW
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


def rows(
    path: Path, columns: str = "call_id, seconds", table: str = "calls",
    order: str = "start_time",
) -> List[Tuple[Any, ...]]:
    database = sqlite3.connect(path)
    try:
        return database.execute(f"SELECT {columns} FROM {table} ORDER BY {order}").fetchall()
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


@pytest.fixture
def carol(sim: Simulator, alice: Line) -> Line:
    """Another line of the account, and calls of weeks on both."""
    carol = sim.line("33199000002")
    for days in (0.01, 1, 80):
        for line in (alice, carol):
            start = NOW - int(86_400 * days)
            for direction, seconds, unit in (
                ("in", 0, "second"), ("in", 5, "second"), ("out", 5, "second"), ("out", 1, "sms"),
            ):
                numbers = [BOB, line.number][:: 1 if direction == "in" else -1]
                sim.history.add(line, start, caller=numbers[0], callee=numbers[1],
                                direction=direction, seconds=seconds, unit=unit)
    return carol


@pytest.mark.parametrize(("part", "whole"), [
    ("33199000001", ""), ("--missed", ""), ("--direction in", ""), ("--direction out", ""),
    ("--since 2h", ""), ("--until 3d --messages", ""), ("--since 90d --until 60d", ""),
    ("--since tomorrow", ""), ("33199000001", "33199000002"), ("33199000001 --missed", "--missed"),
    ("--direction in", "33199000001 --direction out"), ("", "--messages"),
    ("33199000002 --messages", "--messages"), ("--missed", "--direction in"),
])
def test_archive_of_a_part_is_completed_by_a_later_run(
    sim: Simulator, alice: Line, carol: Line, capsys: Capture, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, part: str, whole: str,
) -> None:
    keep_login(sim)
    begun: List[float] = []
    history = ManagerClient.history

    def note(client: Any, csi: Any, since: float, *rest: Any, **more: Any) -> Any:
        begun.append(since)
        return history(client, csi, since, *rest, **more)

    monkeypatch.setattr(ManagerClient, "history", note)
    both, fresh = str(tmp_path / "both"), str(tmp_path / "fresh")
    tomorrow = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW + 86_400))
    run(capsys, "history", *part.replace("tomorrow", tomorrow).split(), "--into", both)
    for path in (fresh, both):
        assert run(capsys, "history", *whole.split(), "--into", path).status == 0
    wanted = set(rows(Path(fresh), "direction, call_id, line"))
    assert len(wanted) >= 3 and wanted <= set(rows(Path(both), "direction, call_id, line"))
    # Only what is missing is read again.
    run(capsys, "history", *whole.split(), "--into", both)
    assert begun[-1] > NOW - 4 * 86_400


def test_archive_after_an_interrupted_run_reads_what_it_left_out(tmp_path: Path) -> None:
    archive = HistoryArchive(str(tmp_path / "calls"))
    account, line = Selection(), Selection("33199000001", "in")
    assert archive.find_end(account, 5) == 5
    archive.set_read(account, 5, 10)
    archive.set_read(line, 12, 20)
    assert (archive.find_end(account, 5), archive.find_end(line, 6)) == (10, 10)
    archive.set_read(Selection(all_units=True), 8, 15)
    archive.set_read(account, 30, 25)
    assert (archive.find_end(account, 6), archive.find_end(line, 7)) == (15, 20)
    assert archive.find_end(Selection(all_units=True), 8) == 15
    assert archive.find_end(account, 4) == 4
    for until in range(16, 26):
        archive.set_read(account, until - 2, until)
    assert archive.find_end(Selection("33199000001", missed=True, direction="in"), 5) == 25
    assert len(rows(tmp_path / "calls", "until", "coverage", "until")) < 8


@pytest.mark.parametrize("order", [[0, 1], [1, 0], [0, 1, 0]])
def test_archive_of_a_line_and_of_the_account_has_each_call_once(
    tmp_path: Path, order: List[int]
) -> None:
    archive = HistoryArchive(str(tmp_path / "calls"))
    for at in order:
        csi = ["33199000001", None][at]
        archive.add([
            CallRecord("to a group", csi, NOW, BOB, "33199000099", "in", seconds=1),
            CallRecord("short", csi, NOW + 1, "101", BOB, "out", seconds=1),
            CallRecord("two lines ring", csi, NOW + 2, BOB, "33199000001", "in"),
            CallRecord("unknown", csi, NOW + 3, BOB, None, "in"),
        ])
    assert rows(tmp_path / "calls", "call_id, line") == [
        (each, "33199000001") for each in ("to a group", "short", "two lines ring", "unknown")]
    archive.add([CallRecord("two lines ring", None, NOW + 4, BOB, "33199000002", "in")])
    assert len(rows(tmp_path / "calls")) == 5


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


def test_archive_in_the_database_of_another_program_is_refused_unchanged(
    records: List[str], capsys: Capture, tmp_path: Path
) -> None:
    path = tmp_path / "calls.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE calls (callref TEXT)")
    database.close()
    path.chmod(0o644)
    before = path.read_bytes()
    said = run(capsys, "history", "--into", str(path))
    assert said.status == 1 and "name another file" in said.err[0]
    assert path.read_bytes() == before and path.stat().st_mode & 0o777 == 0o644
