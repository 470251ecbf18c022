"""Whatever a server sends, memory, warnings and errors are bounded."""

from __future__ import annotations

import gc
import json
import logging
import threading
import tracemalloc
from typing import Any, Dict, List

import pytest

from keyyo_cti import CTI, Call
from keyyo_cti._client.kept_call import MAX_CALL_BYTES, estimate_memory, keep_documented
from keyyo_cti._net.rate_limit import RateLimit

from ..helpers.in_full import in_full
from ..helpers.probe import PATIENCE, Record
from ..helpers.scripted_server import ScriptedServer, session
from .test_handlers import notification

MEGABYTE = 1024 * 1024


@pytest.mark.slow
@pytest.mark.fault(65)
@pytest.mark.promise(9)
@pytest.mark.usefixtures("transport")
def test_backlog_is_bounded_in_bytes() -> None:
    """With a handler parked and large events coming, no more are read than the bytes allow; once
    it goes on, each is handled whole."""
    parked, release, seen = threading.Event(), threading.Event(), Record()
    total, size = 60, 200_000

    def handle(call: Call) -> None:
        parked.set()
        assert release.wait(PATIENCE)
        seen.add((call.callref, len(call["padding"])))

    options: Dict[str, Any] = {"max_backlog_bytes": 10 * size}
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint, **options) as cti:
        cti.onNewCall = handle
        cti.create_session("tok").result(PATIENCE)
        for number in range(total):
            server.push(notification(str(number), padding="x" * size))
        assert parked.wait(PATIENCE)
        assert not threading.Event().wait(0.3)
        assert cti._client._dispatcher.waiting() <= 11 and len(cti.get_calls()) <= 12
        release.set()
        assert seen.wait_for_count(total) == [(str(n), size) for n in range(total)]


@pytest.mark.slow
@pytest.mark.fault(65)
@pytest.mark.promise(9)
@pytest.mark.parametrize("state", ["RELEASE", "CONNECT"])
def test_large_calls_are_not_kept_whole(state: str) -> None:
    """Handlers see calls of a megabyte whole; what is kept of thousands is a part of it."""
    total, seen, done = in_full(10_000, always=30), [0], threading.Event()
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:

        def handle(call: Call) -> None:
            assert len(call["padding"]) == MEGABYTE
            seen[0] += 1
            if seen[0] == total:
                done.set()

        cti.onNewCall = handle
        cti.create_session("tok").result(PATIENCE)
        gc.collect()
        tracemalloc.start()
        try:
            for number in range(total):
                server.push(notification(str(number), state, padding="x" * MEGABYTE))
            assert done.wait(in_full(60, always=1) * PATIENCE)
            assert cti.ping().result(PATIENCE) == 1
            gc.collect()
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        calls = cti.get_calls()
        assert len(calls) == total and {call.state for call in calls} == {state}
        assert "padding" not in calls[0] and kept < 20 * MEGABYTE + total * 2_000


@pytest.mark.fault(65)
@pytest.mark.promise(9)
def test_calls_that_never_end_are_bounded() -> None:
    """Of calls that go on, no more are kept than max_active_calls, and the last ones."""
    with ScriptedServer(session) as server:
        with CTI(endpoint=server.endpoint, max_active_calls=100) as cti:
            handled = Record()
            cti.onNewCall = lambda call: handled.items.append(call.callref)
            cti.create_session("tok").result(PATIENCE)
            server.push(*[notification(str(n), "CONNECT") for n in range(1000)])
            cti.ping(lambda err, res: handled.add("all"))
            handled.wait(lambda items: items[-1:] == ["all"])
            kept = [call.callref for call in cti.get_calls()]
    assert len(handled.items) == 1001 and 98 <= len(kept) <= 100
    assert kept == [str(n) for n in range(1000 - len(kept), 1000)]


@pytest.mark.fault(66)
@pytest.mark.promise(9)
@pytest.mark.parametrize("junk", ["{}", '"x"', "null", '"{\\"id\\": 99}"', '"{\\"id\\":null}"'])
def test_frame_full_of_junk_is_told_in_short(junk: str, caplog: pytest.LogCaptureFixture) -> None:
    """One frame of junk messages gives a few warnings and errors and one that sums up the rest;
    what comes behind it is handled."""
    total = in_full(1_000_000, always=20_000)
    caplog.set_level(logging.WARNING)
    told: List[BaseException] = []
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:
        seen = Record()
        cti.onError, cti.onNewCall = told.append, lambda call: seen.add(call.callref)
        cti.create_session("tok").result(PATIENCE)
        server.frame("a[" + ",".join([junk] * total) + "]")
        server.push(notification("behind"))
        seen.wait(lambda items: items == ["behind"])
        server.do(lambda connection: connection.drop())
        assert cti.wait(PATIENCE)
    warnings = [each.getMessage() for each in caplog.records if each.name == "keyyo_cti"]
    summed = [int(str(each).split()[0]) for each in told if "more messages" in str(each)]
    assert len(told) - len(summed) + sum(summed) == total
    assert len(warnings) == len(told) <= 1_000 and len(summed) >= 1


@pytest.mark.fault(67)
@pytest.mark.promise(9)
@pytest.mark.usefixtures("transport")
def test_words_of_the_server_are_bounded_in_logs(caplog: pytest.LogCaptureFixture) -> None:
    """A reason of megabytes, and an error message of megabytes, do not fill the log."""
    caplog.set_level(logging.DEBUG, "keyyo_cti")
    words = "y" * (3 * MEGABYTE)

    def answer(connection: Any, command: Any) -> None:
        if command["action"] == "call":
            error = {"status_code": 400, "message": words}
            connection.send(json.dumps({"id": command["id"], "error": error}))
        else:
            session(connection, command)

    with ScriptedServer(answer) as server, CTI(endpoint=server.endpoint) as cti:
        cti.create_session("tok").result(PATIENCE)
        error = cti.dial("33199020000").exception(PATIENCE)
        assert getattr(error, "message") == words and len(str(error)) < 1_000
        server.do(lambda connection: connection.close(3000, words))
        assert cti.wait(PATIENCE)
    ours = [each.getMessage() for each in caplog.records if each.name == "keyyo_cti"]
    assert any("3000 yyy" in each for each in ours) and max(map(len, ours)) < 2_000


@pytest.mark.fault(66)
def test_reply_that_is_repeated_is_no_line_of_the_log_each_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A reply to a command that has its answer is passed over, however often it comes."""
    caplog.set_level(logging.INFO)
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:
        cti.create_session("tok").result(PATIENCE)
        server.frame("a[" + ",".join([json.dumps('{"id": 1, "result": 1}')] * 5_000) + "]")
        assert cti.ping().result(PATIENCE) == 1
    assert len([each for each in caplog.records if each.name == "keyyo_cti"]) < 10


def test_callref_that_is_too_long_is_an_error() -> None:
    """A callref can be neither cut nor left out: beyond its bound the message is unreadable."""
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:
        errors = Record()
        cti.onError = errors.add
        cti.create_session("tok").result(PATIENCE)
        server.push(notification("x" * 10_000))
        assert "callref" in str(errors.wait_for_count(1)[0]) and cti.get_calls() == []


@pytest.mark.parametrize(
    "part",
    ['"ab"', "1.5", "123456", "{}", "[]", '{"a":1}', '"' + "z" * 50 + '"', '"\\ud83d\\ude00zzzz"'],
)
@pytest.mark.parametrize("count", [100, 10_000])
def test_estimated_memory(part: str, count: int) -> None:
    """The estimate is of the order of what the objects really take, whatever they are."""
    message = json.dumps({"notify": "call"})[:-1] + ',"call":[' + ",".join([part] * count) + "]}"
    tracemalloc.start()
    try:
        read = json.loads(message)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read and taken / 3 < estimate_memory(message, {}) < 12 * taken + 1_000


def test_documented_fields_are_kept() -> None:
    """Of a large call the documented fields are kept, if they are short and plain."""
    fields = {"callref": "a", "state": "SETUP", "setup_date": 1, "caller": "x" * MAX_CALL_BYTES,
              "callee": ["x"], "codec": "g722"}
    assert keep_documented(fields) == {"callref": "a", "state": "SETUP", "setup_date": 1}


def test_rate_limit() -> None:
    """So many pass in a period; the others are counted until somebody takes the count."""
    now = [0.0]
    limit = RateLimit(2, 10.0, lambda: now[0])
    assert limit.due() is None
    assert [limit.allows() for _ in range(5)] == [True, True, False, False, False]
    assert limit.due() == 10.0 and limit.take_left_out() == 3 and limit.due() is None
    now[0] = 10.0
    assert limit.allows() and limit.take_left_out() == 0
