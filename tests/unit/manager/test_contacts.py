"""The directory of an account, with everything that its API does differently than expected."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from keyyo_cti.directory import Contact, Directory
from keyyo_cti.manager import Manager, ManagerClient, ManagerError

from .test_history import BASE, SOON, Account

CONTACTS, BRANCHES = f"{BASE}/directory_contacts", f"{BASE}/directory_branches"

ZOE = {
    "_resource_type": "DirectoryContact", "uid": 7, "branch_uid": "3", "name": " Example ",
    "first_name": "Zoë", "company": "Ex", "job": "", "email": None, "address": "1 rue A",
    "zipcode": 75000, "city": "Paris", "country": "", "default_number": "+33199000001",
    "work_number": 33199000002, "mobile_number": "+33199000001", "home_number": "",
    "work_speed_number": 801, "mobile_speed_number": "", "home_speed_number": None,
    "base64_picture": "A" * 100_000,
}


def page(*items: Any, next_href: Optional[str] = None) -> Dict[str, Any]:
    links = {"next": {"href": next_href}} if next_href else {}
    return {"_embedded": {"DirectoryContact": list(items)}, "_links": links}


def asked() -> List[Dict[str, List[str]]]:
    """The queries of the requests for contacts."""
    urls = [urlsplit(str(call.request.url)) for call in responses.calls]
    return [parse_qs(url.query) for url in urls if url.path.endswith("directory_contacts")]


@pytest.fixture
def client() -> ManagerClient:
    return ManagerClient(Account(), wait=lambda seconds: None)


@responses.activate
def test_contact_has_the_whole_name_and_no_picture(client: ManagerClient) -> None:
    responses.get(BRANCHES, json={"_embedded": {"B": [{"uid": 3, "name": "Sales"}, {"uid": 4}]}})
    responses.get(CONTACTS, json=page(ZOE))
    [zoe] = client.contacts()
    assert zoe == Contact(
        "Zoë Example", "Ex", ("+33199000001", "33199000002"), ("801",), "Zoë", "Example", None,
        None, "1 rue A, 75000 Paris", "Sales", "7",
    )
    assert zoe.label == "Zoë Example (Ex)" and "AAAA" not in repr(zoe)


@responses.activate
@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"name": "Example"}, [Contact("Example", family_name="Example")]),
        ({"company": "Ex", "name": "", "mobile_number": "0199000001"},
         [Contact("", "Ex", ("0199000001",))]),
        ({"first_name": ["Zoë"], "name": {}, "company": True, "default_number": 1.5}, []),
        ({"uid": "8", "branch_uid": "3"}, []),
        ({}, []),
    ],
)
def test_fields_that_are_missing_or_of_another_type_are_none(
    client: ManagerClient, item: Any, expected: List[Contact]
) -> None:
    responses.get(BRANCHES, json=page())
    responses.get(CONTACTS, json=page(item))
    assert client.contacts() == expected


@responses.activate
def test_whole_number_with_too_many_digits_is_none(client: ManagerClient) -> None:
    responses.get(BRANCHES, json=page())
    responses.get(CONTACTS, body='{"_embedded": {"C": {"name": "Zoë", "uid": %s}}}' % ("9" * 5000))
    try:
        [zoe] = client.contacts()
    except ManagerError as error:
        assert error.error_code == "unreadable"  # Python's json refuses it.
    else:
        assert zoe.name == "Zoë"


@responses.activate
def test_all_pages_are_read_and_a_contact_on_two_of_them_is_one(client: ManagerClient) -> None:
    responses.get(BRANCHES, json=page())
    responses.get(CONTACTS, json=page(ZOE, {"name": "A"}, next_href="?offset=2"))
    responses.get(CONTACTS, json=page({**ZOE, "first_name": "Zoé"}, {"name": "A"}))
    assert [each.name for each in client.contacts()] == ["Zoé Example", "A", "A"]
    assert asked() == [{"limit": ["500"], "offset": ["0"]}, {"offset": ["2"]}]


@responses.activate
def test_page_that_is_too_large_for_its_pictures_is_read_in_smaller_ones(
    client: ManagerClient
) -> None:
    """As on an account whose pictures have 1 MiB each; no contact is lost or repeated."""

    def answer(request: Any) -> Any:
        query = {name: int(value) for name, value in request.params.items()}
        first, size = query["offset"], query["limit"]
        items = [{"name": str(number), "base64_picture": "A" * (1 << 20 if number > 20 else 9)}
                 for number in range(first, min(30, first + min(size, 20)))]
        more = f"?offset={first + len(items)}&limit={size}" if first + len(items) < 30 else None
        return 200, {}, json.dumps(page(*items, next_href=more))

    responses.get(BRANCHES, json=page())
    responses.add_callback(responses.GET, CONTACTS, answer)
    assert [each.name for each in client.contacts()] == [str(number) for number in range(30)]
    assert [query["limit"] for query in asked()] == [["500"], ["500"], ["50"], ["5"], ["5"]]


@responses.activate
@pytest.mark.parametrize("status", [403, 404])
def test_contacts_are_there_without_their_branches(client: ManagerClient, status: int) -> None:
    responses.get(BRANCHES, status=status, json={"message": "No"})
    responses.get(CONTACTS, json=page(ZOE))
    assert client.contacts()[0].branch is None


@responses.activate
def test_contacts_without_the_scope_name_it(client: ManagerClient) -> None:
    for url in (BRANCHES, CONTACTS):
        responses.get(url, status=403, headers={"X-Status-Reason": "Scope"})
    with pytest.raises(ManagerError) as caught:
        client.contacts()
    assert "needs the scope full_access_read_only" in str(caught.value.hint)
    assert len(asked()) == 1


@responses.activate
@pytest.mark.parametrize("body", ['["x"]', '{"_embedded": 5}', "<html>"])
def test_response_that_is_no_collection_is_refused(client: ManagerClient, body: str) -> None:
    responses.get(BRANCHES, json=page())
    responses.get(CONTACTS, body=body)
    with pytest.raises(ManagerError, match="cannot be used"):
        client.contacts()


@responses.activate
def test_directory_without_an_end_is_refused(
    client: ManagerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyyo_cti._manager.contacts_client._MAX_CONTACTS", 3)
    responses.get(BRANCHES, json=page())
    responses.add_callback(responses.GET, CONTACTS, lambda request: (200, {}, json.dumps(page(
        {"name": "A"}, {"name": "B"}, next_href=f"?offset={len(responses.calls)}"))))
    with pytest.raises(ManagerError, match="more than 3"):
        client.contacts()


@responses.activate
def test_contacts_with_callbacks_and_in_a_directory(client: ManagerClient) -> None:
    services = {"_resource_type": "UCaaSVoIPAccount", "csi": "33199000003", "name": "Carol",
                "short_number": "12"}
    responses.get(f"{BASE}/services", json={"_embedded": {"S": services}})
    responses.get(BRANCHES, json=page())
    responses.get(CONTACTS, json=page(ZOE))
    answers: List[Any] = []
    with Manager(Account()) as manager, Directory(manager) as directory:
        found = manager.contacts(lambda err, res: answers.append((err, res))).result(SOON)
        assert manager.wait(SOON) and answers == [(None, found)]
        assert directory.wait(SOON)
        names = {number: directory.name_of(number) for number in ("0199000001", "801", "12")}
    assert names == {"0199000001": "Zoë Example (Ex)", "801": "Zoë Example (Ex)", "12": "Carol"}
