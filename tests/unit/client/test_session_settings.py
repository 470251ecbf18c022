"""What a session was asked to keep, and what a new one is asked in its place."""

from __future__ import annotations

from typing import Any, Dict, List

import pytest

from keyyo_cti._client import wire
from keyyo_cti._client.session import SessionSettings
from keyyo_cti._client.wire import Command
from keyyo_cti.results import Result

OWN, OTHER, THIRD = "33199000001", "33199000002", "33199000003"


@pytest.fixture
def settings() -> SessionSettings:
    return SessionSettings()


def replayed(settings: SessionSettings) -> List[Command]:
    """What a new session is asked, one after the other."""
    settings.reset_for(OWN)
    asked: List[Command] = []
    while True:
        command = settings.to_replay()
        if command is None:
            return asked
        asked.append(command)
        settings.replayed(command)


def test_nothing(settings: SessionSettings) -> None:
    """A session that was asked for nothing leaves nothing to ask."""
    assert replayed(settings) == [] and settings.auto_answer is None


def test_subscriptions(settings: SessionSettings) -> None:
    """Subscriptions are asked for again, in their order, and those that were given up are not."""
    for number in (OTHER, THIRD, "callpark"):
        settings.record(wire.subscribe(number), 1)
    settings.record(wire.unsubscribe(THIRD), 1)
    assert replayed(settings) == [wire.subscribe(OTHER), wire.subscribe("callpark")]


def test_once(settings: SessionSettings) -> None:
    """A number that was subscribed to twice is asked for once."""
    for _ in range(2):
        settings.record(wire.subscribe(OTHER), 1)
    assert replayed(settings) == [wire.subscribe(OTHER)]


def test_the_own_line(settings: SessionSettings) -> None:
    """A new session is subscribed to its own line; one that did not want that gets rid of it."""
    settings.record(wire.subscribe(OWN), 1)
    assert replayed(settings) == []
    settings.record(wire.unsubscribe(OWN), 1)
    assert replayed(settings) == [wire.unsubscribe(OWN)]


def test_learnt(settings: SessionSettings) -> None:
    """What the server says of a session of before counts, in place of what was believed."""
    settings.record(wire.subscribe(THIRD), 1)
    settings.record(wire.unsubscribe(OWN), 1)
    settings.record(wire.get_subscriptions(), Result({"numbers": [OTHER]}))
    settings.record(wire.get_auto_answer(), Result({"auto_answer": False}))
    assert replayed(settings) == [wire.unsubscribe(OWN), wire.subscribe(OTHER)]
    assert settings.auto_answer is False and settings.list_followed() == [THIRD, OTHER]


@pytest.mark.parametrize(
    "result",
    [1, None, [OTHER], Result({"numbers": {OTHER: 1}, "auto_answer": "no"}), Result()],
)
def test_strange_answers(settings: SessionSettings, result: Any) -> None:
    """An answer that says nothing that is understood changes nothing."""
    settings.record(wire.subscribe(OTHER), 1)
    settings.record(wire.get_subscriptions(), result)
    settings.record(wire.get_auto_answer(), result)
    assert replayed(settings) == [wire.subscribe(OTHER)] and settings.auto_answer is None


def test_strange_numbers(settings: SessionSettings) -> None:
    """What is no number in a list of them is passed over."""
    numbers = [None, "", 3, [OTHER], THIRD]
    settings.record(wire.get_subscriptions(), Result({"numbers": numbers}))
    assert replayed(settings) == [wire.subscribe(THIRD)]


@pytest.mark.parametrize("fields", [{}, {"auto_answer": False}, {"auto_answer": True}])
def test_a_session_of_the_programs_own(settings: SessionSettings, fields: Dict[str, Any]) -> None:
    """A session that the program creates starts afresh, with the auto-answer that it asks for."""
    settings.record(wire.subscribe(OTHER), 1)
    settings.reset_for(OWN)
    settings.record(wire.set_auto_answer(True), 1)
    settings.record(wire.create_session("tok", fields.get("auto_answer")), Result())
    assert settings.auto_answer is fields.get("auto_answer")
    assert settings.to_replay() is None and replayed(settings) == []


def test_auto_answer(settings: SessionSettings) -> None:
    """The last auto-answer that was set counts."""
    for flag in (True, False):
        settings.record(wire.set_auto_answer(flag), 1)
        assert settings.auto_answer is flag


def test_other_commands(settings: SessionSettings) -> None:
    """Other commands leave nothing behind."""
    settings.record(wire.dial(OTHER), Result({"numbers": [OTHER], "auto_answer": True}))
    assert replayed(settings) == [] and settings.auto_answer is None


def test_what_is_left(settings: SessionSettings) -> None:
    """What was asked and not answered is asked again, until there is an answer."""
    settings.record(wire.subscribe(OTHER), 1)
    settings.record(wire.subscribe(THIRD), 1)
    settings.reset_for(OWN)
    first = settings.to_replay()
    assert first is not None and settings.to_replay() is first
    settings.replayed(first)
    settings.replayed(first)
    assert settings.to_replay() == wire.subscribe(THIRD)


def test_line_is_followed_unless_its_first_subscription_is_refused(
    settings: SessionSettings,
) -> None:
    settings.record(wire.subscribe(OTHER), 1)
    for command in (
        wire.subscribe(OTHER), wire.unsubscribe(OTHER), wire.subscribe(THIRD),
        wire.set_auto_answer(True),
    ):
        settings.on_ask(command)
        settings.on_refusal(command)
    assert settings.list_followed() == [OTHER]


def test_version_grows_with_each_change(settings: SessionSettings) -> None:
    versions = [settings.version]
    for command in (wire.subscribe(OTHER), wire.unsubscribe(OTHER)):
        settings.record(command, 1)
        versions.append(settings.version)
    assert versions[0] < versions[1] < versions[2]
