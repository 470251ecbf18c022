"""The history of calls: its pages, periods, traps and limits."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
import requests
import responses

from keyyo_cti import KeyyoError
from keyyo_cti._manager.request_limit import MAX_CONCURRENT, limit_of
from keyyo_cti._oauth2.token_store import TokenMemory
from keyyo_cti._oauth2.tokens import Tokens
from keyyo_cti.account import AccountClient
from keyyo_cti.backoff import Backoff
from keyyo_cti.manager import Manager, ManagerClient, ManagerError
from keyyo_cti.oauth2 import OAuth2Client
from keyyo_cti.token_file import TokenFile

from ...helpers.canaries import ACCESS

BASE = "https://api.keyyo.com/manager/1.0"
CSI, FRIEND = "33199000001", "33199000102"
PARIS = ZoneInfo("Europe/Paris")
NOW = 1_700_000_000.0
SOON = 20.0

Body = Dict[str, Any]


class Account:
    def tokens(self) -> Tokens:
        return Tokens(ACCESS)

    def renewed(self, refused: Tokens) -> Tokens:
        return Tokens(ACCESS)


def call(call_id: Any, start: float, quantity: Any = "5", **fields: Any) -> Dict[str, Any]:
    return {
        "call_id": call_id, "start_time": str(int(start)), "caller_raw": FRIEND,
        "callee_raw": CSI, "quantity": quantity, "unit": "second", **fields,
    }


class Keyyo:
    """Answers as the history does: exclusive end, pages, in an order that a test decides.

    :ivar limit: the items of a page.
    """

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.incoming: List[Dict[str, Any]] = []
        self.outgoing: List[Dict[str, Any]] = []
        self.limit = 2
        self.asked: List[str] = []
        for path in (f"/services/{CSI}", ""):
            for name in ("incoming", "outgoing"):
                mock.add_callback(
                    responses.GET, f"{BASE}{path}/{name}_call_detail", callback=self.answer)

    def answer(self, request: requests.PreparedRequest) -> Tuple[int, Dict[str, str], str]:
        assert request.url is not None
        self.asked.append(request.url)
        url = urlsplit(request.url)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        begin, end = (
            datetime.strptime(query[name], "%Y-%m-%d %H:%M").replace(tzinfo=PARIS).timestamp()
            for name in ("date_start", "date_end")
        )
        records = self.incoming if "incoming" in url.path else self.outgoing
        known = [each for each in records if begin <= float(each["start_time"] or begin) < end]
        offset = int(query.get("offset", "0"))
        body: Body = {"_embedded": {"CallDetailRecord": known[offset:offset + self.limit]}}
        if offset + self.limit < len(known):
            href = request.url.partition("&offset")[0] + f"&offset={offset + self.limit}"
            body["_links"] = {"next": {"href": href}}
        return 200, {}, json.dumps(body)


@pytest.fixture
def mock() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def keyyo(mock: responses.RequestsMock) -> Keyyo:
    return Keyyo(mock)


@pytest.fixture
def pauses() -> List[float]:
    return []


@pytest.fixture
def client(pauses: List[float]) -> ManagerClient:
    backoff = Backoff(attempts=3, first=1.0, longest=30.0, jitter=lambda: 1.0)
    return ManagerClient(Account(), backoff=backoff, wait=pauses.append, wall=lambda: NOW)


def ids(
    client: ManagerClient, since: Any = NOW - 1000, until: Any = None, **how: Any
) -> List[str]:
    return [each.call_id for each in client.history(CSI, since, until, **how)]


@pytest.mark.parametrize("step", [1, -1])
def test_history_of_several_pages_in_any_order_is_newest_last(
    client: ManagerClient, keyyo: Keyyo, step: int
) -> None:
    keyyo.incoming = [call(f"i{n}", NOW - 100 + 2 * n) for n in range(5)][::step]
    keyyo.outgoing = [call(f"o{n}", NOW - 99 + 2 * n) for n in range(5)][::step]
    assert ids(client) == ["i0", "o0", "i1", "o1", "i2", "o2", "i3", "o3", "i4", "o4"]
    assert ids(client, direction="in") == ["i0", "i1", "i2", "i3", "i4"]
    assert ids(client, direction="out") == ["o0", "o1", "o2", "o3", "o4"]


def test_history_sends_blanks_as_percent_20_and_paris_time(
    client: ManagerClient, keyyo: Keyyo
) -> None:
    since = datetime(2023, 11, 14, 12, tzinfo=timezone.utc)
    assert ids(client, since, since + timedelta(hours=1)) == []
    assert [url.partition("?")[2] for url in keyyo.asked] == [
        "date_start=2023-11-14%2011%3A00&date_end=2023-11-15%2000%3A00&limit=500"] * 2


def test_history_of_the_account_names_no_line(client: ManagerClient, keyyo: Keyyo) -> None:
    keyyo.incoming = keyyo.outgoing = [call("a", NOW - 10)]
    records = list(client.history(None, NOW - 100))
    assert [(each.csi, each.direction) for each in records] == [(None, "in"), (None, "out")]
    assert all("/services/" not in url for url in keyyo.asked)


def test_history_leaves_out_the_end_and_what_begins_earlier(
    client: ManagerClient, keyyo: Keyyo
) -> None:
    keyyo.incoming = [call(n, NOW + n) for n in (-1, 0, 9, 10)]
    assert ids(client, NOW, NOW + 10) == ["0", "9"]
    assert ids(client, NOW, NOW) == []


def test_history_leaves_out_messages_unless_asked(client: ManagerClient, keyyo: Keyyo) -> None:
    keyyo.outgoing = [call("a", NOW - 9), call("b", NOW - 8, "1", unit="sms")]
    assert ids(client) == ["a"]
    assert ids(client, all_units=True) == ["a", "b"]


@pytest.mark.parametrize("quantities", [("3", "60"), ("60", "3"), (None, "60"), ("60", "60")])
def test_history_replaces_a_partial_record_however_far_away(
    client: ManagerClient, keyyo: Keyyo, quantities: Tuple[Any, Any]
) -> None:
    between = [call(n, NOW - 50 + n) for n in range(9)]
    first, second = (call("x", NOW - 100, quantity) for quantity in quantities)
    keyyo.incoming = [first, *between, second]
    found = [each for each in client.history(CSI, NOW - 1000) if each.call_id == "x"]
    assert [each.seconds for each in found] == [60]


def test_history_skips_what_has_no_date_and_bears_odd_text(
    client: ManagerClient, keyyo: Keyyo
) -> None:
    keyyo.incoming = [call("a", NOW - 9), {**call("b", 0), "start_time": None},
                      call("\ud800", NOW - 8, caller_raw="\ud800")]
    assert ids(client) == ["a", "\ud800"]


def paris(*moment: int, fold: int = 0) -> float:
    return datetime(*moment, tzinfo=PARIS, fold=fold).timestamp()  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("since", "starts"),
    [
        # The hour that comes twice, the hour that does not come, and midnight.
        (paris(2026, 10, 25, 2, 30), [0, 1800, 3599, 3600, 7200]),
        (paris(2026, 10, 25, 2, 30, fold=1), [0, 1, 1799, 1800]),
        (paris(2026, 10, 24), [0, 89_999, 90_000]),
        (paris(2026, 3, 29, 1, 59), [0, 59, 60, 3600]),
        (paris(2026, 3, 29, 3), [0, 59, 3600]),
        (paris(2026, 3, 28, 23, 59), [0, 59, 60, 7260]),
        (paris(2026, 12, 31, 23, 59), [0, 59, 60]),
        (paris(2028, 2, 29), [0, 86_399]),
    ],
)
def test_history_over_changes_of_time_and_midnight_has_each_call_once(
    client: ManagerClient, keyyo: Keyyo, since: float, starts: List[int]
) -> None:
    keyyo.incoming = [call(n, since + n) for n in (-1, *starts, starts[-1] + 1)]
    wanted = [str(each) for each in starts]
    assert ids(client, since, since + starts[-1] + 1) == wanted
    moments = [datetime.fromtimestamp(since + n, timezone.utc) for n in (0, starts[-1] + 1)]
    assert ids(client, *moments) == wanted


@pytest.mark.parametrize("days", [34, 36, 400])
def test_history_of_several_windows_has_each_call_once(
    client: ManagerClient, keyyo: Keyyo, days: int
) -> None:
    keyyo.limit = 1000
    keyyo.incoming = [call(n, NOW - 43_200 * n) for n in range(1, 2 * days)]
    assert ids(client, NOW - 86_400 * days) == [str(n) for n in range(2 * days - 1, 0, -1)]


def test_history_since_1970_takes_few_requests(client: ManagerClient, keyyo: Keyyo) -> None:
    keyyo.incoming = [call("a", NOW - 10)]
    assert ids(client, 0) == ["a"]
    assert len(keyyo.asked) <= 24


@pytest.mark.parametrize("error", [3600, -3600])
def test_history_without_an_end_bears_a_clock_that_is_an_hour_off(
    keyyo: Keyyo, error: int
) -> None:
    client = ManagerClient(Account(), wall=lambda: NOW + error)
    keyyo.incoming = [call("a", NOW - 1)]
    assert ids(client, NOW - 10) == ["a"]


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ((CSI, datetime(2026, 1, 1)), "since"), ((CSI, "2026-01-01"), "since"),
        ((CSI, None), "since"), ((CSI, True), "since"), ((CSI, float("nan")), "since"),
        ((CSI, 10**400), "since"), ((CSI, float("inf")), "since"), ((CSI, 0, -(10**400)), "until"),
        ((CSI, 1.7e12), "since"), ((CSI, -1), "since"), ((CSI, 10, 9), "until"),
        ((CSI, 10, "x"), "until"), ((CSI, 10, None, "internal"), "direction"), (("", 10), "csi"),
        ((5, 10), "csi"),
    ],
)
def test_history_with_a_wrong_argument_names_it_at_once(
    client: ManagerClient, arguments: Any, argument: str
) -> None:
    with pytest.raises(KeyyoError, match=f"^400 {argument}: ") as caught:
        client.history(*arguments)
    assert caught.value.error_code == "invalid_params"


def page(items: List[Any], href: Optional[str]) -> str:
    links = {"next": {"href": href}} if href else {}
    return json.dumps({"_embedded": {"CallDetailRecord": items}, "_links": links})


@pytest.mark.parametrize("status", [200, 204])
@pytest.mark.parametrize("body", ["[]", "{}", "", '{"_embedded": []}', '{"_embedded": null}'])
def test_empty_history_in_any_form_is_empty(
    client: ManagerClient, mock: responses.RequestsMock, status: int, body: str
) -> None:
    for name in ("incoming", "outgoing"):
        mock.get(f"{BASE}/services/{CSI}/{name}_call_detail", status=status,
                 body=body if status == 200 else "")
    assert ids(client) == []


def test_full_disk_while_sorting_is_an_error_with_a_hint(
    client: ManagerClient, keyyo: Keyyo, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyyo.incoming = [call("a", NOW - 9)]
    monkeypatch.setattr("keyyo_cti._manager.record_sorter._ADD", "INSERT INTO nowhere VALUES (?)")
    with pytest.raises(ManagerError, match="cannot be sorted") as caught:
        ids(client)
    assert "temporary files" in str(caught.value.hint)


@pytest.mark.parametrize("items", [[call("a", NOW - 10)], []])
@pytest.mark.parametrize("same", [True, False])
def test_pages_that_repeat_for_ever_end_with_an_error(
    client: ManagerClient, mock: responses.RequestsMock, items: List[Any], same: bool
) -> None:
    asked: List[str] = []

    def answer(request: Any) -> Tuple[int, Dict[str, str], str]:
        asked.append(request.url)
        return 200, {}, page(items, request.url if same else f"?offset={len(asked)}")

    url = f"{BASE}/services/{CSI}/incoming_call_detail"
    mock.add_callback(responses.GET, url, callback=answer)
    with pytest.raises(ManagerError, match="pages"):
        ids(client, direction="in")
    assert len(asked) < 10


def test_page_that_comes_twice_is_passed_over(
    client: ManagerClient, mock: responses.RequestsMock
) -> None:
    url = f"{BASE}/services/{CSI}/incoming_call_detail"
    one, two = [call("a", NOW - 10), call("b", NOW - 9)], [call("c", NOW - 8)]
    for items, href in ((one, "?p=1"), (one, "?p=2"), (two, None)):
        mock.get(url, body=page(items, href))
    assert ids(client, direction="in") == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("status", "headers", "words", "waited"),
    [
        (403, {"X-Status-Reason": "Scope"}, "needs the scope full_access_read_only", []),
        (429, {"Retry-After": "7"}, "try again in 7 s", [7.0, 7.0]),
        (429, {"Retry-After": "700"}, "try again in 700 s", []),
    ],
)
def test_refusal_of_a_later_page_says_what_to_do(
    client: ManagerClient,
    mock: responses.RequestsMock,
    pauses: List[float],
    status: int,
    headers: Dict[str, str],
    words: str,
    waited: List[float],
) -> None:
    url = f"{BASE}/services/{CSI}/incoming_call_detail"
    mock.get(url, body=page([call("a", NOW - 10)], "?offset=1"))
    mock.get(url, status=status, headers=headers)
    with pytest.raises(ManagerError) as caught:
        ids(client, direction="in")
    assert words in str(caught.value.hint) and caught.value.status_code == status
    assert caught.value.retry_after == (float(headers["Retry-After"]) if waited or status == 429
                                        else None)
    assert pauses == waited


def test_history_with_callbacks_is_a_list(keyyo: Keyyo) -> None:
    keyyo.incoming = [call("a", NOW - 9)]
    got: List[Any] = []
    with Manager(Account()) as manager:
        calls: List[Callable[[Any], Any]] = [
            lambda then: manager.history(CSI, NOW - 10, then),
            lambda then: manager.history(CSI, NOW - 10, NOW, then),
            lambda then: manager.history(CSI, NOW - 10, NOW, "in", then),
        ]
        for begin in calls:
            future = begin(lambda error, result: got.append((error, result)))
            assert [each.call_id for each in future.result(SOON)] == ["a"]
        assert manager.wait(SOON)
        assert [error for error, _ in got] == [None] * 3
        with pytest.raises(KeyyoError, match="direction"):
            manager.history(CSI, 10, 20, "both").result(SOON)  # type: ignore[call-overload]


def test_requests_of_one_account_are_at_most_six_at_a_time(mock: responses.RequestsMock) -> None:
    lock, full, go = threading.Lock(), threading.Event(), threading.Event()
    inside = 0
    most = 0

    def answer(request: Any) -> Tuple[int, Dict[str, str], str]:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
            if inside == MAX_CONCURRENT:
                full.set()
        assert go.wait(SOON)
        with lock:
            inside -= 1
        return 200, {}, page([], None)

    url = f"{BASE}/services/{CSI}/incoming_call_detail"
    mock.add_callback(responses.GET, url, callback=answer)
    account = Account()
    clients = [ManagerClient(account) for _ in range(10)]
    threads = [
        threading.Thread(target=lambda each=each: ids(each, direction="in")) for each in clients
    ]
    for thread in threads:
        thread.start()
    assert full.wait(SOON)
    go.set()
    for thread in threads:
        thread.join(SOON)
    assert (most, MAX_CONCURRENT, inside) == (6, 6, 0)


def test_clients_with_the_same_tokens_share_the_limit(tmp_path: Path) -> None:
    oauth2 = OAuth2Client("id", "secret", "http://localhost/")
    one, same, other = (
        AccountClient(oauth2, TokenFile(oauth2, tmp_path / name)) for name in ("a", "a", "b")
    )
    memory = AccountClient(oauth2, TokenMemory())
    limits = [limit_of(each, BASE) for each in (one, same, other, memory, Account())]
    assert limits[0] is limits[1] and len(set(map(id, limits))) == 4
