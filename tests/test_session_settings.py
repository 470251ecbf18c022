"""What a session was asked to keep, and what a new one is asked in its place."""

from __future__ import annotations

from typing import Any, Dict, List

import pytest

from keyyo_cti import commands
from keyyo_cti.commands import Command
from keyyo_cti.results import Result
from keyyo_cti.standing import StandingOrders

OWN, OTHER, THIRD = "33199000001", "33199000002", "33199000003"


@pytest.fixture
def orders() -> StandingOrders:
    return StandingOrders()


def owed(orders: StandingOrders) -> List[Command]:
    """What a new session is asked, one after the other."""
    orders.renew(OWN)
    asked: List[Command] = []
    while True:
        command = orders.owed()
        if command is None:
            return asked
        asked.append(command)
        orders.answered(command)


def test_nothing(orders: StandingOrders) -> None:
    """A session that was asked for nothing leaves nothing to ask."""
    assert owed(orders) == [] and orders.auto_answer is None


def test_subscriptions(orders: StandingOrders) -> None:
    """Subscriptions are asked for again, in their order, and those that were given up are not."""
    for number in (OTHER, THIRD, "callpark"):
        orders.heed(commands.subscribe(number), 1)
    orders.heed(commands.unsubscribe(THIRD), 1)
    assert owed(orders) == [commands.subscribe(OTHER), commands.subscribe("callpark")]


def test_once(orders: StandingOrders) -> None:
    """A number that was subscribed to twice is asked for once."""
    for _ in range(2):
        orders.heed(commands.subscribe(OTHER), 1)
    assert owed(orders) == [commands.subscribe(OTHER)]


def test_the_own_line(orders: StandingOrders) -> None:
    """A new session is subscribed to its own line; one that did not want that gets rid of it."""
    orders.heed(commands.subscribe(OWN), 1)
    assert owed(orders) == []
    orders.heed(commands.unsubscribe(OWN), 1)
    assert owed(orders) == [commands.unsubscribe(OWN)]


def test_learnt(orders: StandingOrders) -> None:
    """What the server says of a session of before counts, in place of what was believed."""
    orders.heed(commands.subscribe(THIRD), 1)
    orders.heed(commands.unsubscribe(OWN), 1)
    orders.heed(commands.get_subscriptions(), Result({"numbers": [OTHER]}))
    orders.heed(commands.get_auto_answer(), Result({"auto_answer": False}))
    assert owed(orders) == [commands.unsubscribe(OWN), commands.subscribe(OTHER)]
    assert orders.auto_answer is False


@pytest.mark.parametrize(
    "result",
    [1, None, [OTHER], Result({"numbers": {OTHER: 1}, "auto_answer": "no"}), Result()],
)
def test_strange_answers(orders: StandingOrders, result: Any) -> None:
    """An answer that says nothing that is understood changes nothing."""
    orders.heed(commands.subscribe(OTHER), 1)
    orders.heed(commands.get_subscriptions(), result)
    orders.heed(commands.get_auto_answer(), result)
    assert owed(orders) == [commands.subscribe(OTHER)] and orders.auto_answer is None


def test_strange_numbers(orders: StandingOrders) -> None:
    """What is no number in a list of them is passed over."""
    orders.heed(commands.get_subscriptions(), Result({"numbers": [None, "", 3, [OTHER], THIRD]}))
    assert owed(orders) == [commands.subscribe(THIRD)]


@pytest.mark.parametrize("fields", [{}, {"auto_answer": False}, {"auto_answer": True}])
def test_a_session_of_the_programs_own(orders: StandingOrders, fields: Dict[str, Any]) -> None:
    """A session that the program creates starts afresh, with the auto-answer that it asks for."""
    orders.heed(commands.subscribe(OTHER), 1)
    orders.renew(OWN)
    orders.heed(commands.set_auto_answer(True), 1)
    orders.heed(commands.create_session("tok", fields.get("auto_answer")), Result())
    assert orders.auto_answer is fields.get("auto_answer")
    assert orders.owed() is None and owed(orders) == []


def test_auto_answer(orders: StandingOrders) -> None:
    """The last auto-answer that was set counts."""
    for flag in (True, False):
        orders.heed(commands.set_auto_answer(flag), 1)
        assert orders.auto_answer is flag


def test_other_commands(orders: StandingOrders) -> None:
    """Other commands leave nothing behind."""
    orders.heed(commands.dial(OTHER), Result({"numbers": [OTHER], "auto_answer": True}))
    assert owed(orders) == [] and orders.auto_answer is None


def test_what_is_left(orders: StandingOrders) -> None:
    """What was asked and not answered is asked again, until there is an answer."""
    orders.heed(commands.subscribe(OTHER), 1)
    orders.heed(commands.subscribe(THIRD), 1)
    orders.renew(OWN)
    first = orders.owed()
    assert first is not None and orders.owed() is first
    orders.answered(first)
    orders.answered(first)
    assert orders.owed() == commands.subscribe(THIRD)
