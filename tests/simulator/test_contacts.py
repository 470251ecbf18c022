"""The directory of the simulated account, on real sockets, with the traps of the real one."""

from __future__ import annotations

from typing import Any

import pytest

from keyyo_cti.directory import Contact, Directory
from keyyo_cti.simulator import Line, Simulator

from ..helpers.accounts import client_of
from .test_manager import Caller, items, refusal


def test_contact_has_the_family_name_a_picture_and_empty_fields(sim: Simulator) -> None:
    uid = sim.contact("Example", first_name="Zoë", branch="Sales", mobile_number="+33199020000")
    caller = Caller(sim)
    document = caller.get("/directory_contacts")
    [zoe] = document["_embedded"]["DirectoryContact"]
    [branch] = items(caller.get("/directory_branches"))
    assert (zoe["uid"], zoe["name"], zoe["first_name"]) == (uid, "Example", "Zoë")
    assert (zoe["company"], zoe["work_number"]) == ("", None)
    assert (branch["name"], zoe["branch_uid"]) == ("Sales", branch["uid"])
    assert len(zoe["base64_picture"]) > 20_000 and isinstance(uid, str)
    sim.remove_contact(uid)
    assert items(caller.get("/directory_contacts")) == []


@pytest.mark.parametrize(
    ("name", "fields", "error"),
    [("", {}, ValueError), (5, {}, TypeError), ("A", {"phone": "1"}, ValueError),
     ("A", {"work_number": 1}, TypeError), ("A", {"picture_bytes": -1}, ValueError)],
)
def test_wrong_contact_is_refused(sim: Simulator, name: Any, fields: Any, error: Any) -> None:
    with pytest.raises(error):
        sim.contact(name, **fields)
    with pytest.raises(ValueError, match="uid: there is no contact '7'"):
        sim.remove_contact("7")


def test_directory_needs_a_scope_for_reading(sim: Simulator) -> None:
    response = Caller(sim, "cti_admin").ask("GET", "/directory_contacts")
    assert refusal(response) == (403, "The scope full_access_read_only is needed")


def test_client_reads_all_pages_although_pictures_are_large() -> None:
    """Pages of 12 contacts with 1 MB each are too large: smaller ones are asked for."""
    with Simulator(page_size=12) as sim:
        for number in range(20):
            sim.contact(f"C{number}", picture_bytes=1_000_000 * (number < 15), branch="Sales")
        contacts = client_of(sim).contacts()
    assert [each.name for each in contacts] == [f"C{number}" for number in range(20)]
    assert {each.branch for each in contacts} == {"Sales"}


def test_directory_has_lines_and_contacts(sim: Simulator, alice: Line) -> None:
    alice.set(short_number="101")
    sim.contact("Example", first_name="Zoë", company="Ex", work_speed_number="801",
                default_number="+33199020000", mobile_number="+33199020000")
    client = client_of(sim)
    with Directory(client) as directory:
        assert directory.wait(), directory.failures
        assert directory.name_of("0199020000") == "Zoë Example (Ex)" == directory.name_of("801")
        assert directory.name_of("101") == "Alice" == directory.name_of(alice.number)
        [zoe] = directory.matches("33199020000")
    assert zoe == Contact("Zoë Example", "Ex", ("+33199020000",), ("801",), "Zoë", "Example",
                          uid="1")
