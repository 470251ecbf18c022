"""What a CTI shows of itself."""

from __future__ import annotations

from typing import Any

import pytest

from keyyo_cti import CTI
from keyyo_cti._client.session import SessionSettings
from keyyo_cti._client.wire import create_session, get_subscriptions, subscribe, unsubscribe
from keyyo_cti.results import wrap
from keyyo_cti.simulator import Line, Phone, Simulator

from ...helpers.probe import PATIENCE
from ..display.test_html import SCRIPT, read

ALICE, CAROL = "33199000001", "33199000002"


def test_cti_without_a_session_says_so() -> None:
    cti = CTI(cookie_auto=False)
    assert repr(cti) == "<CTI without a line yet, not connected>"
    text = read(cti).text
    assert text.startswith("not connected without a line yet endpoint https://")
    assert text.endswith("calls none")


def test_connected_cti_shows_its_line_endpoint_subscriptions_and_calls(
    sim: Simulator, alice: Line, bob: Phone
) -> None:
    sim.line(CAROL)
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        token = sim.token(alice)
        cti.create_session(token).result(PATIENCE)
        assert repr(cti) == f"<CTI {ALICE}, connected to {sim.endpoint}>"
        cti.subscribe(CAROL).result(PATIENCE)
        bob.call(alice)
        alice.phone.pick_up()
        bob.hang_up()
        bob.call(alice)
        cti.ping().result(PATIENCE)
        assert repr(cti).endswith(f"{sim.endpoint}, 1 active call, 1 ended>")
        page = read(cti).text
        assert f"connected +33 1 99 00 00 01 endpoint {sim.endpoint}" in page
        assert "subscribed to +33 1 99 00 00 01, +33 1 99 00 00 02 calls 1 active call" in page
        assert page.count("+33 1 99 02 00 00") == 1
        shown = cti._repr_html_() + repr(cti)
        assert token not in shown and str(cti.session_id) not in shown
    assert repr(cti).startswith(f"<CTI {ALICE}, not connected")
    assert "subscribed" not in read(cti).text


def test_cti_with_a_session_of_an_earlier_run_knows_no_subscriptions(
    sim: Simulator, alice: Line
) -> None:
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as first:
        first.create_session(sim.token(alice)).result(PATIENCE)
        session_id = first.session_id
        assert session_id is not None
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        cti.restore_session(sim.token(alice), session_id).result(PATIENCE)
        assert "subscribed to unknown: get_subscriptions()" in read(cti).text
        cti.get_subscriptions().result(PATIENCE)
        assert "subscribed to +33 1 99 00 00 01 calls" in read(cti).text


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ([], None),
        ([(create_session("t"), {})], [ALICE]),
        ([(create_session("t"), {}), (subscribe(CAROL), 1)], [ALICE, CAROL]),
        ([(create_session("t"), {}), (unsubscribe(ALICE), 1)], []),
        ([(subscribe(CAROL), 1), (create_session("t"), {})], [ALICE]),
        ([(get_subscriptions(), {"numbers": [CAROL]})], [CAROL]),
        ([(create_session("t"), {}), (get_subscriptions(), {"numbers": [CAROL]})], [CAROL]),
    ],
)
def test_subscriptions_follow_the_commands(commands: Any, expected: Any) -> None:
    settings = SessionSettings()
    for command, result in commands:
        settings.record(command, wrap(result) if isinstance(result, dict) else result)
    assert settings.list_subscriptions(ALICE) == expected


@pytest.mark.fault(33)
@pytest.mark.promise(10)
@pytest.mark.parametrize("odd", [SCRIPT, [SCRIPT], f"{SCRIPT}\n\x1b[31m", 7])
def test_cti_shows_text_of_the_server_as_text(odd: Any) -> None:
    cti = CTI(cookie_auto=False)
    cti._client.session.on_create(None, wrap({"number": odd, "session_id": "s"}))
    assert "\n" not in repr(cti) and "\x1b" not in repr(cti)
    assert str(odd).partition("\n")[0] in read(cti).text
