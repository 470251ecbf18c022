"""``keyyo-cti contacts``: the directory of the account, for people, programs and spreadsheets."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, List

import pytest

from keyyo_cti.cli import main
from keyyo_cti.directory import Contact, CSVFile
from keyyo_cti.simulator import Simulator

from .kept import ADMIN, READ, Capture, keep_login, run
from .test_terminal import Tty

HOSTILE = "=cmd|' /C calc'!A0"


@pytest.fixture
def contacts(sim: Simulator) -> Simulator:
    """Two contacts of an account."""
    sim.contact("Example", first_name="Zoë", company="Ex", branch="Sales",
                mobile_number="+33199020000", work_speed_number="801")
    sim.contact("Other", work_number="0199020001", job="Head of \u202esales")
    keep_login(sim, READ)
    return sim


def test_contacts_are_rows_in_the_order_of_their_names(
    contacts: Simulator, capsys: Capture
) -> None:
    assert run(capsys, "contacts") == (
        0, ["Other            0199020001", "Zoë Example  Ex  +33199020000, 801"], [])


def test_numbers_on_a_terminal_have_groups(
    contacts: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Tty()
    monkeypatch.setattr("sys.stdout", screen)
    assert main(["contacts"]) == 0
    assert "+33 1 99 02 00 00, 801" in screen.getvalue()


@pytest.mark.parametrize(
    ("text", "names"),
    [("zoe", ["Zoë Example"]), ("EX zoë", ["Zoë Example"]), ("sales", ["Other", "Zoë Example"]),
     ("01 99 02 00 00", ["Zoë Example"]), ("3319902", ["Other", "Zoë Example"]),
     ("801", ["Zoë Example"]), ("1", []), ("0199029999", []), ("nobody", [])],
)
def test_contacts_with_a_text_are_found(
    contacts: Simulator, capsys: Capture, text: str, names: List[str]
) -> None:
    said = run(capsys, "contacts", text, "--json")
    assert sorted(each["name"] for each in said.json) == names


def test_no_contact_is_no_failure(sim: Simulator, capsys: Capture) -> None:
    keep_login(sim)
    assert run(capsys, "contacts") == (0, [], ["the directory has no contact"])
    assert run(capsys, "contacts", "x") == (0, [], ["no contact has this"])
    assert run(capsys, "contacts", "--json") == (0, ["[]"], [])


def test_json_has_all_fields_without_the_picture(contacts: Simulator, capsys: Capture) -> None:
    zoe, other = run(capsys, "contacts", "--json").json
    assert zoe["family_name"] == "Example" and zoe["numbers"] == ["+33199020000"]
    assert zoe["branch"] == "Sales" and zoe.keys() == set(Contact._fields)
    assert other["job"] == "Head of \u202esales"


def test_csv_is_read_again_as_the_same_contacts(
    contacts: Simulator, capsys: Capture, tmp_path: Path
) -> None:
    said = run(capsys, "contacts", "--csv")
    assert said.out[0].startswith("name,company,numbers,short_numbers,")
    path = tmp_path / "contacts.csv"
    path.write_text("\n".join(said.out), encoding="utf-8")
    assert CSVFile(path).contacts() == [
        Contact("Zoë Example", "Ex", ("+33199020000",), ("801",), "Zoë", "Example",
                branch="Sales", uid="1"),
        Contact("Other", None, ("0199020001",), family_name="Other", job="Head of \\u202esales",
                uid="3"),
    ]


@pytest.mark.parametrize("name", [
    HOSTILE, "@SUM(1)", "-J", "a;=1", "+cmd|1", "-2+3+cmd", "\t=1", "＝1+1", 'a"b,c\nd'])
def test_name_cannot_run_a_formula_in_a_spreadsheet(
    sim: Simulator, capsys: Capture, tmp_path: Path, name: str
) -> None:
    sim.contact(name, default_number="+33199020000")
    keep_login(sim)
    said = run(capsys, "contacts", "--csv")
    _, row = csv.reader(said.out)
    assert row[0] in (f"'{' '.join(name.split())}", 'a"b,c d', "a;'=1")
    assert row[2] == "+33199020000"
    path = tmp_path / "contacts.csv"
    path.write_text("\n".join(said.out), encoding="utf-8")
    [contact] = CSVFile(path).contacts()
    assert contact.name == " ".join(name.split())


@pytest.mark.parametrize("name", ["\x1b[2JAlice", "\x9b31m", "left\u202eright"])
@pytest.mark.parametrize("arguments", [[], ["--csv"]])
def test_name_cannot_command_the_terminal(
    sim: Simulator, capsys: Capture, name: str, arguments: List[str]
) -> None:
    sim.contact(name, default_number="\x1b[31m33")
    keep_login(sim)
    said = run(capsys, "contacts", *arguments)
    assert len(said.out) == 1 + len(arguments) and all(line.isprintable() for line in said.out)


@pytest.mark.parametrize("arguments", [["--json", "--csv"], ["a", "b"]])
def test_wrong_command_line_is_refused(capsys: Capture, arguments: Any) -> None:
    with pytest.raises(SystemExit) as caught:
        run(capsys, "contacts", *arguments)
    assert caught.value.code == 2


def test_contacts_without_the_scope_or_a_login_say_so(sim: Simulator, capsys: Capture) -> None:
    assert run(capsys, "contacts").status == 4
    keep_login(sim, ADMIN)
    said = run(capsys, "contacts")
    assert said.status == 1 and "full_access_read_only" in said.err[0]
