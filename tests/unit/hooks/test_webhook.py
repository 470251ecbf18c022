"""Webhooks, on real connections: what they carry, and how they meet receivers that fail."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import ExitStack, contextmanager
from typing import Any, Dict, Iterator, List
from urllib.parse import parse_qs

import pytest

from keyyo_cti._hooks import outbox
from keyyo_cti._hooks import webhook as module
from keyyo_cti._hooks.failure_log import FailureLog
from keyyo_cti._hooks.forms import FORMS, make_standard
from keyyo_cti._hooks.webhook import Webhook, check_url
from keyyo_cti._net.clock import monotonic
from keyyo_cti.backoff import Backoff

from ...helpers.hook_events import ALICE, BOB, make_event
from ...helpers.probe import PATIENCE, Record
from ...helpers.webhook_receiver import KEY, Answer, Post, Receiver

QUICK = Backoff(first=0.01, longest=0.02)


class Setting:
    """A receiver, a webhook to it, and what it tells."""

    def __init__(self, receiver: Receiver, form: Any, keys: List[bytes]) -> None:
        self.receiver = receiver
        self.told = Record()
        failures = FailureLog(self.told.add)
        self.webhook = Webhook(receiver.url, form, keys, None, failures, backoff=QUICK)

    def send(self, *events: Any) -> None:
        for event in events:
            self.webhook.receive(event)

    def posts(self, count: int) -> List[Post]:
        return self.receiver.posts.wait_for_count(count)

    def end(self, seconds: float = PATIENCE) -> List[Post]:
        """Ends it, and gives what has come."""
        self.webhook.close(monotonic() + seconds)
        return self.receiver.posts.items


@contextmanager
def to(
    *answers: Answer, form: Any = make_standard, keys: Any = (KEY,)
) -> Iterator[Setting]:
    with Receiver(*answers) as receiver:
        setting = Setting(receiver, form, list(keys))
        yield setting
        setting.end(0)


def test_post_is_signed_json_with_an_id_and_no_secret() -> None:
    event = make_event(name="é \ud800", caller="$(reboot)\n")
    with to() as setting:
        setting.send(event)
        [post] = setting.end()
    assert post.is_signed_by(KEY) and not post.is_signed_by(KEY[::-1])
    assert post.path == "/hook/?key=canary"
    assert post.headers["content-type"] == "application/json"
    assert post.headers["webhook-id"].startswith("msg_") and "." not in post.id
    payload = json.loads(post.body)
    assert (payload["type"], payload["timestamp"]) == ("call.ring", "2026-11-18T11:06:40.500Z")
    assert payload["data"] == {
        "event": "ring", "callref": "call-1", "state": "SETUP", "caller": "$(reboot)\n",
        "callee": ALICE, "direction": "in", "line": ALICE, "other": BOB, "hidden": False,
        "name": "é \ud800", "line_name": None, "ringing_duration": 0, "duration": 0,
        "setup_date": 1_795_000_000.0, "connect_date": None, "release_date": None,
        "from_history": False,
    }
    assert setting.told.items == []


def test_post_carries_a_signature_by_each_key_and_none_without_keys() -> None:
    keys = [KEY, KEY[::-1]]
    with to(keys=keys) as setting:
        setting.send(make_event())
        [post] = setting.end()
    assert all(map(post.is_signed_by, keys))
    with to(keys=()) as setting:
        setting.send(make_event())
        [post] = setting.end()
    assert "webhook-signature" not in post.headers and post.id


@pytest.mark.fault(102)
@pytest.mark.parametrize("answer", [500, 502, 503, 429, 408, 425, "drop"])
def test_transient_failure_is_retried_with_the_same_id(answer: Answer) -> None:
    with to(answer, answer) as setting:
        setting.send(make_event())
        posts = setting.end()
    assert len(posts) == 3 and len({post.id for post in posts}) == 1
    assert all(post.is_signed_by(KEY) for post in posts)
    assert len(setting.told.items) == 1 and "canary" not in setting.told.items[0]


@pytest.mark.fault(102)
@pytest.mark.parametrize("answer", [400, 401, 403, 404, 422, 301, 302, 307, 308])
def test_refusal_and_redirect_are_not_repeated(answer: int) -> None:
    with Receiver() as elsewhere, to((answer, {"Location": elsewhere.url})) as setting:
        setting.send(make_event(callref="a"), make_event(callref="a"))
        assert len(setting.end()) == 2
        assert elsewhere.posts.items == []
    [told] = setting.told.items
    assert told.startswith(f"127.0.0.1 answered {answer} to a post: ")


@pytest.mark.fault(102)
def test_gone_ends_the_posts() -> None:
    with to(410) as setting:
        setting.send(*(make_event(callref="a") for _ in range(5)))
        setting.posts(1)
        assert len(setting.end()) == 1
        setting.send(make_event())
    assert setting.told.items == [
        "127.0.0.1 wants no posts any more (410): none is sent from now on"
    ]


@pytest.mark.fault(102)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed_for_all_calls(status: int) -> None:
    with to((status, {"Retry-After": "0.3"})) as setting:
        began = monotonic()
        setting.send(make_event(callref="a"))
        setting.posts(1)
        with setting.webhook._outbox._changed:
            setting.webhook._outbox._changed.wait_for(
                lambda: setting.webhook._outbox._paused_until, PATIENCE
            )
        setting.send(make_event(callref="b"))
        assert len(setting.end()) == 3
    assert monotonic() - began >= 0.3


@pytest.mark.fault(102)
@pytest.mark.parametrize("answers, count, told", [
    (["600"], 2, 1),
    (["600", "600"], 2, 2),  # It was sent after the pause once more, and was too old then.
])
def test_long_retry_after_discards_no_event(
    monkeypatch: pytest.MonkeyPatch, answers: List[str], count: int, told: int
) -> None:
    monkeypatch.setattr(outbox, "MAX_AGE", 0.3)
    with to(*((503, {"Retry-After": each}) for each in answers)) as setting:
        began = monotonic()
        setting.send(make_event())
        assert len(setting.end()) == count
    assert 0.3 <= monotonic() - began < PATIENCE / 2
    assert len(setting.told.items) == told
    assert all("given up" in each for each in setting.told.items[1:])


def test_failing_call_does_not_hold_up_another_and_keeps_its_order() -> None:
    with to(500) as setting:
        setting.send(make_event(callref="a"))
        setting.posts(1)
        setting.send(make_event("answer", callref="a"), make_event(callref="b"))
        posts = setting.end()
    events = [json.loads(post.body)["data"] for post in posts]
    assert [each["event"] for each in events if each["callref"] == "a"] == [
        "ring", "ring", "answer"
    ]


@pytest.mark.fault(102)
def test_dead_receiver_holds_up_neither_events_nor_the_end() -> None:
    hangs: List[Answer] = ["hang"] * 100
    with to(*hangs) as setting:
        began = monotonic()
        setting.send(*(make_event(callref=str(number)) for number in range(1_500)))
        assert monotonic() - began < 5
        setting.posts(4)
        setting.end(0.1)
        assert monotonic() - began < 10
        assert setting.told.items == [
            "1000 posts wait already: others are discarded",
            "1000 posts were not delivered before the end",
        ]


def test_receiver_that_hangs_times_out_and_gets_the_event_again(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TIMEOUT", 0.3)
    with to("hang") as setting:
        setting.send(make_event())
        posts = setting.end()
    assert len(posts) == 2 and posts[0].id == posts[1].id
    assert setting.told.items == ["cannot post: No answer from 127.0.0.1 within 0.3 s"]


def test_body_of_a_reply_does_not_matter() -> None:
    """It may be endless, or break off: the status has said that the event is delivered."""
    with to((200, {"Content-Length": "99999999"})) as setting:
        setting.send(make_event())
        setting.posts(1)
        setting.send(make_event())
        posts = setting.end()
    assert len({post.id for post in posts}) == len(posts) == 2
    assert setting.told.items == []


def test_receiver_that_comes_back_gets_the_event() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    told = Record()
    webhook = Webhook(
        f"http://127.0.0.1:{port}/", make_standard, [], None, FailureLog(told.add), backoff=QUICK
    )
    webhook.receive(make_event())
    [message] = told.wait_for_count(1)
    assert message.startswith("cannot post: 127.0.0.1 cannot be reached: ")
    webhook.close(monotonic())
    assert told.items[1:] == ["1 posts were not delivered before the end"]
    assert not [each for each in threading.enumerate() if each.name.startswith("keyyo-cti-post")]


#: What sipgate.io's documentation shows, and Zammad's.
RING = {"event": "newCall", "from": BOB, "to": ALICE, "direction": "in", "callId": "call-1"}
ANSWER = {**RING, "event": "answer", "answeringNumber": ALICE}
HANGUP = {**ANSWER, "event": "hangup", "cause": "normalClearing"}
MISSED = {**RING, "event": "hangup", "cause": "cancel"}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"event": "ring"}, {**RING, "user[]": ALICE}),
        ({"event": "ring", "line_name": "Alice"}, {**RING, "user[]": "Alice"}),
        ({"event": "ring", "hidden": True, "caller": None},
         {**RING, "from": "anonymous", "user[]": ALICE}),
        ({"event": "ring", "caller": f"+{BOB}"}, {**RING, "user[]": ALICE}),
        ({"event": "ring", "incoming": False, "caller": ALICE, "callee": BOB},
         {**RING, "from": ALICE, "to": BOB, "direction": "out", "user[]": ALICE}),
        ({"event": "answer", "line": None}, ANSWER),
        ({"event": "answer"}, {**ANSWER, "user": ALICE}),
        ({"event": "end"}, HANGUP),
        ({"event": "missed"}, MISSED),
    ],
)
def test_form_is_what_the_service_posts(
    form: str, changes: Dict[str, Any], fields: Dict[str, Any]
) -> None:
    with to(form=FORMS[form]) as setting:
        setting.send(make_event(**{"is_first": False, **changes}))
        [post] = setting.end()
    assert post.is_signed_by(KEY)
    if form == "sipgate":
        assert post.headers["content-type"] == "application/x-www-form-urlencoded"
        assert parse_qs(post.body.decode()) == {name: [text] for name, text in fields.items()}
    else:
        expected = {name.replace("[]", ""): text for name, text in fields.items()}
        assert post.headers["content-type"] == "application/json"
        assert json.loads(post.body) == expected


@pytest.mark.parametrize("form", FORMS)
def test_event_of_a_call_that_is_new_to_a_crm_comes_after_a_new_call(form: str) -> None:
    """Zammad refuses the answer of a call that it does not know."""
    with to(500, form=FORMS[form]) as setting:
        setting.send(make_event("missed"))
        posts = setting.end()
    assert [b"newCall" in post.body for post in posts] == [True, True, False]
    assert posts[0].id == posts[1].id != posts[2].id


def test_form_escapes_what_a_caller_adds() -> None:
    with to(form=FORMS["sipgate"]) as setting:
        setting.send(make_event(caller="1&event=hangup\ud800", is_first=False))
        [post] = setting.end()
    assert parse_qs(post.body.decode())["from"] == ["1&event=hangup\\ud800"]


@pytest.mark.parametrize(
    "url", ["https://crm.example.com/a/?b=c&d", "http://127.0.0.1:1/", "HTTPS://[::1]/"]
)
def test_check_url_takes_it_as_it_is(url: str) -> None:
    assert check_url(url, False) == url


@pytest.mark.parametrize(
    "url",
    ["", "crm.example.com/canary", "ftp://canary", "http://192.0.2.1/canary", "https:///canary",
     "https://a b/canary", "https://a/canary\r\nX: y", "https://a/#canary", "https://u:canary@a/",
     "http://localhost.example.com/canary", "https://a:0/canary", "https://[::1/canary"],
)
def test_check_url_refuses_it_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError) as error:
        check_url(url, False)
    assert "canary" not in str(error.value)


def test_error_of_a_form_does_not_end_the_posts() -> None:
    """A mistake of ours costs one event."""
    with ExitStack() as stack, to() as setting:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(module, "sign", lambda *_: 1 / 0)
        setting.send(make_event())
        [told] = setting.told.wait_for_count(1)
        patch.undo()
        setting.send(make_event())
        assert len(setting.end()) == 1
    assert told == "cannot post an event: ZeroDivisionError('division by zero')"
