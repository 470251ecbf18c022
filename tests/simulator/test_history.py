"""The simulated history of calls, its traps, and the profiles of lines."""

from __future__ import annotations

import json
import threading
from typing import Any, Dict, Iterator, List, Optional
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from keyyo_cti.simulator import CallRecord, Line, ManualClock, Phone, Simulator

SCOPES = "full_access_read_only cti_admin voip_profiles_admin"
SOON = 20.0

#: 2023-11-14 23:13:20 in Paris.
NOW = 1_700_000_000
PERIOD = "date_start=2023-11-01%2000%3A00&date_end=2023-12-01%2000%3A00"


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(clock=ManualClock(NOW)) as sim:
        yield sim


@pytest.fixture
def alice(sim: Simulator) -> Line:
    return sim.line("33199000001")


@pytest.fixture
def bob(sim: Simulator) -> Phone:
    return sim.phone("33199020000")


class Api:
    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.token = sim.account_tokens(SCOPES)["access_token"]

    def send(self, path: str, form: Optional[str] = None) -> Dict[str, Any]:
        url = path if path.startswith("http") else f"{self.sim.manager_url}{path}"
        headers = {"Authorization": f"Bearer {self.token}"}
        data = None if form is None else form.encode()
        with urlopen(Request(url, data, headers), timeout=SOON) as response:
            document: Dict[str, Any] = json.load(response)
        return document

    def refused(self, path: str, form: Optional[str] = None) -> HTTPError:
        with pytest.raises(HTTPError) as caught:
            self.send(path, form)
        caught.value.close()
        return caught.value

    def list(self, direction: str, line: Optional[Line] = None) -> List[Dict[str, Any]]:
        below = "" if line is None else f"/services/{line.number}"
        found: List[Dict[str, Any]] = []
        href: Optional[str] = f"{below}/{direction}_call_detail?{PERIOD}"
        while href:
            page = self.send(href)
            found += page["_embedded"].get("CallDetailRecord", [])
            href = page["_links"].get("next", {}).get("href")
        return found


@pytest.fixture
def api(sim: Simulator) -> Api:
    return Api(sim)


def test_call_appears_by_itself_with_strings(
    sim: Simulator, alice: Line, bob: Phone, api: Api
) -> None:
    bob.call(alice)
    sim.elapse(5)
    assert api.list("incoming", alice) == []
    alice.phone.pick_up()
    sim.elapse(61)
    bob.hang_up()
    [record] = api.list("incoming", alice)
    assert (record["start_time"], record["quantity"], record["unit"]) == (str(NOW), "61", "second")
    assert (record["caller"], record["caller_raw"]) == ("+33199020000", "33199020000")
    assert record["_resource_type"] == "CallDetailRecord"
    assert api.list("outgoing", alice) == api.list("outgoing") == []


def test_missed_call_has_the_quantity_zero(
    sim: Simulator, alice: Line, bob: Phone, api: Api
) -> None:
    bob.call(alice)
    sim.elapse(9)
    bob.hang_up()
    assert [each["quantity"] for each in api.list("incoming", alice)] == ["0"]


def test_call_between_lines_is_in_both_histories_under_one_id(
    sim: Simulator, alice: Line, api: Api
) -> None:
    carol = sim.line("33199000002")
    carol.phone.call(alice)
    alice.phone.pick_up()
    sim.elapse(3)
    alice.phone.hang_up()
    [incoming], [outgoing] = api.list("incoming"), api.list("outgoing")
    assert incoming["call_id"] == outgoing["call_id"]
    assert (incoming["caller"], incoming["caller_raw"]) == (None, None)
    assert incoming["actual_caller"] == outgoing["caller_raw"] == carol.number


@pytest.mark.parametrize(
    ("partials", "running", "ended"),
    [("replaced", ["60"], ["90"]), ("kept", ["60"], ["45", "90"]), ("none", [], ["90"])],
)
def test_running_call_is_listed_with_a_part_of_its_seconds(
    sim: Simulator, alice: Line, bob: Phone, api: Api,
    partials: str, running: List[str], ended: List[str],
) -> None:
    sim.history.set(partials=partials, newest_first=False)
    bob.call(alice)
    alice.phone.pick_up()
    sim.elapse(60)
    assert [each["quantity"] for each in api.list("incoming", alice)] == running
    sim.elapse(30)
    bob.hang_up()
    records = api.list("incoming", alice)
    assert [each["quantity"] for each in records] == ended
    assert len({each["call_id"] for each in records}) == 1


def test_delay_shows_the_past_and_window_forgets(
    sim: Simulator, alice: Line, bob: Phone, api: Api
) -> None:
    sim.history.set(delay=30, window=1000)
    bob.call(alice)
    alice.phone.pick_up()
    sim.elapse(20)
    bob.hang_up()
    shown = []
    for _ in range(4):
        shown.append([each["quantity"] for each in api.list("incoming", alice)])
        sim.elapse(15)
    assert shown == [[], ["5"], ["20"], ["20"]]
    sim.elapse(1000)
    assert api.list("incoming", alice) == []


def test_only_the_last_calls_are_kept(
    sim: Simulator, alice: Line, bob: Phone, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyyo_cti.simulator.call_history.MAX_RECORDS", 2)
    for seconds in (1, 2, 3):
        bob.call(alice)
        alice.phone.pick_up()
        sim.elapse(seconds)
        bob.hang_up()
    sim.elapse(60)
    assert [each["quantity"] for each in api.list("incoming", alice)] == ["3", "2"]


def test_callers_are_null_on_demand(sim: Simulator, alice: Line, bob: Phone, api: Api) -> None:
    sim.history.set(hide_callers=True)
    bob.call(alice)
    bob.hang_up()
    [record] = api.list("incoming", alice)
    assert (record["caller"], record["actual_caller"]) == (None, bob.number)


def test_unparked_call_is_in_the_history_of_both_lines(
    sim: Simulator, alice: Line, bob: Phone
) -> None:
    calls = sim._service.history
    first = CallRecord("call-9", bob.number, alice.number, "CONNECT", NOW, NOW)
    carol = sim.line("33199000002")
    second = CallRecord("call-9", bob.number, carol.number, "RELEASE", NOW, NOW, NOW + 60)
    sim._thread.call(calls.on_call, first, frozenset())
    sim.elapse(20)
    sim._thread.call(calls.on_call, second, frozenset())
    sim.elapse(40)
    found = sim._thread.call(calls.find, None, "in", NOW, NOW + 1)
    assert sorted((each.line, each.quantity) for each in found) == [
        (alice.number, 20), (carol.number, 60)]


def test_records_by_hand_come_in_pages_of_either_order(
    sim: Simulator, alice: Line, api: Api
) -> None:
    ids = sim.history.add_many(
        {"line": alice, "start": NOW - n, "caller": "33199020000"} for n in range(120))
    one = sim.history.add(
        alice, NOW, direction="out", unit="sms", seconds=1, call_id="x", actual_caller="7")
    assert (one, len(set(ids))) == ("x", 120)
    assert [each["call_id"] for each in api.list("incoming", alice)] == ids
    sim.history.set(newest_first=False)
    assert [each["call_id"] for each in api.list("incoming")] == ids[::-1]
    [message] = api.list("outgoing", alice)
    assert (message["unit"], message["quantity"], message["actual_caller"]) == ("sms", "1", "7")
    sim.history.clear()
    assert api.list("incoming", alice) == []


def test_end_is_exclusive_and_the_default_is_this_month(
    sim: Simulator, alice: Line, api: Api
) -> None:
    # Paris: 23:13:20.
    sim.history.add(alice, NOW - 20, call_id="a")
    sim.history.add(alice, NOW + 40, call_id="b")
    sim.history.add(alice, NOW - 20 * 86_400, call_id="c")
    path = f"/services/{alice.number}/incoming_call_detail"

    def ask(dates: str) -> List[str]:
        return [each["call_id"] for each in
                api.send(f"{path}{dates}")["_embedded"].get("CallDetailRecord", [])]

    assert ask("?date_start=2023-11-14%2023%3A13&date_end=2023-11-14%2023%3A14") == ["a"]
    assert ask("?date_start=2023-11-14%2023%3A14&date_end=2023-11-15%2000%3A00") == ["b"]
    assert ask("") == ["a"]


@pytest.mark.parametrize(
    "query", ["date_start=2023-11-14+23:13", "date_start=yesterday", "date_end=2023-11-14"]
)
def test_date_in_another_form_is_refused(api: Api, query: str) -> None:
    error = api.refused(f"/incoming_call_detail?{query}")
    assert error.code == 400
    assert error.headers["X-Status-Reason"].endswith("expected YYYY-MM-DD HH:MM")


def test_text_message_of_a_line_is_among_the_calls(
    sim: Simulator, alice: Line, bob: Phone, api: Api
) -> None:
    exchange = sim._service.exchange
    sim._thread.call(exchange.deliver, alice.number, bob.number, "hello")
    sim._thread.call(exchange.deliver, bob.number, alice.number, "hello")
    assert [each["unit"] for each in api.list("outgoing")] == ["sms"]
    assert api.list("incoming") == []


def test_seventh_request_at_a_time_gets_429(sim: Simulator, alice: Line, api: Api) -> None:
    sim.faults.http_slow("/manager")
    path = f"/services/{alice.number}/incoming_call_detail"
    threads = [threading.Thread(target=api.send, args=(path,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    sim.wait_for_request("/manager", count=6)
    error = api.refused(path)
    assert (error.code, error.headers["Retry-After"]) == (429, "1")
    sim.faults.clear()
    for thread in threads:
        thread.join(SOON)
    assert api.send(path)["_embedded"] == {}


def test_late_answer_is_the_usual_one(alice: Line, sim: Simulator, api: Api) -> None:
    sim.faults.http_late("/manager", 0.01, times=1)
    assert api.send(f"/services/{alice.number}")["csi"] == alice.number
    with pytest.raises(ValueError, match="seconds"):
        sim.faults.http_late("/manager", 0)


def test_profile_in_force_is_shown_and_dnd_does_not_ring(
    alice: Line, bob: Phone, api: Api
) -> None:
    path = f"/services/{alice.number}/profiles"

    def forced() -> List[str]:
        profiles = api.send(path)["_embedded"]["Profile"]
        return [each["identifier"] for each in profiles if each["forced"] == "1"]

    assert forced() == []
    assert api.send(f"{path}/dnd", "forced=1") == api.send(f"{path}/dnd")
    assert forced() == ["dnd"]
    bob.call(alice)
    assert bob.state == "idle"
    assert api.send(f"{path}/mobile", "forced=0")["forced"] == "0"
    assert forced() == ["dnd"]
    assert api.send(f"{path}/dnd", "forced=0")["forced"] == "0"
    bob.call(alice)
    assert alice.phone.state == "ringing"


@pytest.mark.parametrize(
    ("scopes", "identifier", "form", "status"),
    [
        ("cti_admin full_access_read_only", "dnd", "forced=1", 403),
        ("voip_profiles_admin", "nothing", "forced=1", 404),
        ("voip_profiles_admin", "dnd", "forced=x", 400),
        ("voip_profiles_admin", "dnd", None, 403),
    ],
)
def test_profile_is_refused(
    sim: Simulator, alice: Line, scopes: str, identifier: str, form: Optional[str], status: int
) -> None:
    api = Api(sim)
    api.token = sim.account_tokens(scopes)["access_token"]
    assert api.refused(f"/services/{alice.number}/profiles/{identifier}", form).code == status
    sim.line("33199000002", short_number="7702")
    unknown = api.refused(f"/services/7702/profiles/{identifier}", form)
    assert unknown.code == (403 if status == 403 else 404)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [({"delay": -1}, ValueError), ({"window": 0}, ValueError), ({"partials": "x"}, ValueError),
     ({"delay": "1"}, TypeError)],
)
def test_wrong_setting_is_refused(sim: Simulator, wrong: Dict[str, Any], error: Any) -> None:
    with pytest.raises(error, match=next(iter(wrong))):
        sim.history.set(**wrong)
    with pytest.raises(ValueError, match="direction"):
        sim.history.add("33199000001", NOW, direction="both")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [({"start": "abc"}, TypeError), ({"start": float("nan")}, ValueError),
     ({"start": 1e12}, ValueError), ({"seconds": -5}, ValueError)],
)
def test_wrong_record_is_refused_and_leaves_the_history_whole(
    sim: Simulator, wrong: Dict[str, Any], error: Any
) -> None:
    with pytest.raises(error, match=next(iter(wrong))):
        sim.history.add("33199000001", **{"start": NOW, **wrong})
    assert sim.history.add("33199000001", NOW)
