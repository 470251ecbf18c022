"""The model of conversations, event by event: what it joins, and what it is never certain of."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import pytest

from keyyo_cti._client import handovers, wire
from keyyo_cti._client.conversation_model import ConversationModel
from keyyo_cti._client.conversation_views import ConversationViews, State, read_root
from keyyo_cti._client.handovers import Handover, make_handover
from keyyo_cti._client.leg_groups import LegGroups
from keyyo_cti._client.legs import FOLLOW_UP, MAX_CALLS, Leg
from keyyo_cti._client.wire import Command

from .keys import key_of

LINE, CAROL, ERIN = "33199000001", "33199000002", "33199000003"
BOB, DAVE = "33199020000", "33199020001"
NOW = 1_700_000_000


class Story:
    """A model, its events in the order in which a test tells them, and the time."""

    def __init__(self, lines: Tuple[str, ...] = (LINE, CAROL, ERIN)) -> None:
        self.model = ConversationModel(LegGroups(ConversationViews, lambda: False), key_of)
        self.model.guesses.own, self.model.guesses.lines = LINE, frozenset(lines)
        self.now = 100.0
        self.legs: Dict[str, Leg] = {}
        self.fields: Dict[str, Dict[str, Any]] = {}
        self.ended: List[ConversationViews[Any]] = []

    def call(self, ref: str, state: str, caller: Any = None, callee: Any = None, **more: Any
             ) -> None:
        """Notify a call; numbers and dates that are not given stay."""
        date = NOW + int(self.now)
        new = {"callref": ref, "setup_date": date, "caller": BOB, "callee": LINE}
        fields = {**self.fields.get(ref, new), "state": state, **more}
        fields.update({"caller": caller} if caller is not None else {})
        fields.update({"callee": callee} if callee is not None else {})
        if state == "CONNECT":
            fields.setdefault("connect_date", date)
        if state in ("RELEASE", "MISSED"):
            fields["release_date"] = date
        self.fields[ref] = fields
        self.legs[ref] = self.model.notify(self.legs.get(ref), ref, ref, fields, self.now)
        self.model.take_changes()

    def talk(self, ref: str, caller: Any = BOB, callee: Any = LINE) -> None:
        """Notify a call that rings and is answered."""
        self.call(ref, "SETUP", caller, callee)
        self.call(ref, "CONNECT")

    def ask(self, command: Command) -> Handover:
        handover = make_handover(command)
        assert handover is not None
        self.model.begin(handover, self.now)
        return handover

    def answer(self, handover: Handover, outcome: str = handovers.DONE) -> None:
        self.model.resolve(handover, outcome, self.now)
        self.model.take_changes()

    def wait(self, seconds: float = FOLLOW_UP) -> None:
        self.now += seconds
        self.ended += self.model.expire(self.now)
        self.model.take_changes()

    def gap(self) -> None:
        self.ended += self.model.gap(self.now)
        self.model.take_changes()

    def state(self, ref: str) -> State:
        return read_root(self.legs[ref].views.read())[1]

    def shown(self, ref: str) -> Tuple[Tuple[str, ...], bool]:
        """The calls of a conversation, and whether it is certain."""
        state = self.state(ref)
        return state.calls, state.certain


@pytest.fixture
def story() -> Story:
    return Story()


TRANSFER = wire.transfer("a", "caller", CAROL)
MERGE = wire.merge("a", "caller", "d", "callee")


# Commands of the program.


def test_transfer_before_and_after_the_reply_is_certain(story: Story) -> None:
    story.talk("a")
    transfer = story.ask(TRANSFER)
    story.call("a", "RELEASE")
    story.call("b", "SETUP", BOB, CAROL)
    assert story.shown("b") == (("a", "b"), False)
    story.answer(transfer)
    assert story.shown("a") == (("a", "b"), True)
    assert story.state("b").first == "a"
    assert story.state("b").parties == (BOB, LINE, CAROL)


@pytest.mark.parametrize("to,notified", [
    (CAROL, CAROL),
    ("+33199000002", CAROL),
    (CAROL, "01 99 00 00 02"),
    ("7703", ERIN),
])
def test_transfer_whose_reply_comes_first_is_certain_in_every_form_of_the_number(
    story: Story, to: str, notified: str
) -> None:
    story.talk("a")
    story.answer(story.ask(wire.transfer("a", "caller", to)))
    story.call("a", "RELEASE")
    story.call("b", "SETUP", BOB, notified)
    assert story.shown("b") == (("a", "b"), True)


@pytest.mark.parametrize("outcome", [handovers.REFUSED, handovers.UNKNOWN])
def test_command_that_failed_is_never_certain(story: Story, outcome: str) -> None:
    story.talk("a")
    transfer = story.ask(TRANSFER)
    story.call("a", "RELEASE")
    story.call("b", "SETUP", BOB, CAROL)
    story.answer(transfer, outcome)
    assert story.shown("b") == (("a", "b"), False)


def test_refused_transfer_of_a_call_that_goes_on_takes_nothing_in(story: Story) -> None:
    story.talk("a")
    transfer = story.ask(TRANSFER)
    story.call("b", "SETUP", BOB, CAROL)
    story.answer(transfer, handovers.REFUSED)
    assert story.shown("a") == (("a",), True)
    assert story.shown("b") == (("b",), False)


@pytest.mark.parametrize("before", [True, False], ids=["before the end", "after it"])
def test_another_customer_with_the_same_number_makes_a_transfer_uncertain(
    story: Story, before: bool
) -> None:
    story.talk("a")
    transfer = story.ask(TRANSFER)
    if before:
        story.call("x", "SETUP", BOB, CAROL)
    story.call("a", "RELEASE")
    story.call("b", "SETUP", BOB, CAROL)
    if not before:
        story.call("x", "SETUP", BOB, CAROL)
    story.answer(transfer)
    assert story.shown("a") == (("a", "b"), False)
    assert story.shown("x") == (("x",), False)


def test_two_customers_with_one_number_transferred_at_once_are_not_certain(story: Story) -> None:
    story.talk("a")
    story.talk("c", BOB, ERIN)
    transfers = [story.ask(wire.transfer(ref, "caller", CAROL)) for ref in ("a", "c")]
    for ref in ("a", "c"):
        story.call(ref, "RELEASE")
    for ref in ("b1", "b2"):
        story.call(ref, "SETUP", BOB, CAROL)
    for transfer in transfers:
        story.answer(transfer)
    assert not any(story.state(ref).certain for ref in ("b1", "b2"))


@pytest.mark.parametrize("when", ["before the end", "after it"])
def test_notification_that_may_be_missing_makes_a_transfer_uncertain(
    story: Story, when: str
) -> None:
    story.talk("a")
    transfer = story.ask(TRANSFER)
    if when == "before the end":
        story.model.disturb_at(story.now)
    story.call("a", "RELEASE")
    if when == "after it":
        story.model.disturb_at(story.now)
    story.call("x", "SETUP", BOB, CAROL)
    story.answer(transfer)
    assert story.state("x").certain is False


def test_call_that_comes_too_late_is_not_taken_for_the_transfer(story: Story) -> None:
    story.talk("a")
    transfer = story.ask(TRANSFER)
    story.call("a", "RELEASE")
    story.answer(transfer)
    story.wait(FOLLOW_UP)
    story.call("x", "SETUP", BOB, CAROL)
    assert story.shown("x") == (("x",), True)


def test_call_after_a_reply_that_came_after_the_end_is_not_certain(story: Story) -> None:
    """The service sends the new call before the reply, so this one may be another customer's."""
    story.talk("a")
    transfer = story.ask(TRANSFER)
    story.call("a", "RELEASE")
    story.now += 0.1
    story.answer(transfer)
    story.call("x", "SETUP", BOB, CAROL)
    assert story.shown("x") == (("a", "x"), False)


def test_transfer_to_a_short_number_is_joined_and_not_certain(story: Story) -> None:
    story.talk("a")
    transfer = story.ask(wire.transfer("a", "caller", "7701"))
    story.call("a", "RELEASE")
    story.call("b", "SETUP", BOB, CAROL)
    story.answer(transfer)
    assert story.shown("b") == (("a", "b"), False)


def test_transfer_of_a_hidden_caller_is_joined_and_not_certain(story: Story) -> None:
    story.talk("a", "anonymous")
    transfer = story.ask(TRANSFER)
    story.call("a", "RELEASE")
    story.call("b", "SETUP", "anonymous", CAROL)
    story.answer(transfer)
    assert story.shown("b") == (("a", "b"), False)
    assert story.state("b").parties == (LINE, CAROL)


def supervise(story: Story) -> Handover:
    story.talk("a")
    command = story.ask(wire.supervised_transfer("a", "caller", CAROL))
    story.call("s", "SETUP", LINE, CAROL)
    return command


def test_supervised_transfer_is_certain_and_shows_the_customer(story: Story) -> None:
    story.answer(supervise(story))
    assert story.shown("s") == (("a", "s"), True)
    assert story.state("s").first == "a"
    story.wait(60)
    for ref, state in (("s", "CONNECT"), ("a", "RELEASE"), ("s", "RELEASE")):
        story.call(ref, state)
    story.call("j", "CONNECT", BOB, CAROL)
    assert story.shown("j") == (("a", "s", "j"), True)
    assert story.state("j").first == "a"


def test_second_call_like_it_makes_a_supervised_transfer_uncertain(story: Story) -> None:
    command = supervise(story)
    story.call("by hand", "SETUP", LINE, CAROL)
    story.answer(command)
    assert not any(story.state(ref).certain for ref in ("a", "s", "by hand"))


def test_another_programs_blind_transfer_during_a_supervised_one_is_not_certain(
    story: Story
) -> None:
    story.answer(supervise(story))
    story.call("a", "RELEASE")
    story.call("s", "MISSED")
    story.call("b", "SETUP", BOB, ERIN)
    assert story.shown("b") == (("a", "s", "b"), False)


def merge(story: Story) -> Handover:
    story.talk("a")
    story.answer(story.ask(wire.dial(CAROL)))
    story.talk("d", LINE, CAROL)
    return story.ask(MERGE)


def test_merge_is_certain_even_if_the_new_call_is_not_seen(story: Story) -> None:
    command = merge(story)
    assert story.state("d").calls == ("d",)
    story.call("a", "RELEASE")
    story.call("d", "RELEASE")
    story.answer(command)
    assert story.state("d").calls == ("a", "d")
    assert story.state("d").first == "a"


def test_two_conversations_merged_become_one_and_both_objects_show_it(story: Story) -> None:
    story.talk("a")
    dial = story.ask(wire.dial(CAROL))
    story.talk("d", LINE, CAROL)
    story.answer(dial)
    views = [story.legs[ref].views.read() for ref in ("a", "d")]
    assert views[0] is not views[1]
    command = story.ask(MERGE)
    for ref in ("a", "d"):
        story.call(ref, "RELEASE")
    story.call("j", "CONNECT", BOB, CAROL)
    assert story.shown("j") == (("a", "d", "j"), False)
    story.answer(command)
    assert story.shown("j") == (("a", "d", "j"), True)
    assert [view.calls for view in views] == [["a", "d", "j"]] * 2
    story.call("j", "RELEASE")
    story.wait()
    assert story.ended == [read_root(views[0])[0]]


def test_first_of_a_merge_is_the_customer_though_the_colleague_was_called_before(
    story: Story
) -> None:
    story.talk("d", LINE, CAROL)
    story.talk("a")
    command = story.ask(MERGE)
    for ref in ("a", "d"):
        story.call(ref, "RELEASE")
    story.answer(command)
    assert story.state("a").calls == ("d", "a")
    assert story.state("a").first == "a"


def test_dialled_number_during_a_call_is_another_conversation(story: Story) -> None:
    story.talk("a")
    dial = story.ask(wire.dial(DAVE))
    story.call("d", "SETUP", LINE, DAVE)
    assert story.shown("d") == (("d",), False)
    story.answer(dial)
    assert story.shown("d") == (("d",), True)


def test_dial_and_a_call_by_hand_to_one_number_are_not_certain(story: Story) -> None:
    story.talk("a")
    dial = story.ask(wire.dial(DAVE))
    for ref in ("d1", "d2"):
        story.call(ref, "SETUP", LINE, DAVE)
    story.answer(dial)
    assert not any(story.state(ref).certain for ref in ("d1", "d2"))


def test_dial_without_another_explanation_is_certain_at_once(story: Story) -> None:
    story.ask(wire.dial(DAVE))
    story.call("d", "SETUP", LINE, DAVE)
    assert story.shown("d") == (("d",), True)


def test_command_on_an_unknown_call_is_ignored(story: Story) -> None:
    story.talk("a")
    for command in (wire.transfer("x", "caller", CAROL), wire.merge("a", "caller", "x", "callee"),
                    wire.supervised_transfer("x", "caller", CAROL)):
        story.answer(story.ask(command))
    assert story.shown("a") == (("a",), True)


# What others do.


def test_transfer_by_others_is_joined_and_not_certain(story: Story) -> None:
    story.talk("a")
    story.call("a", "RELEASE")
    story.call("b", "SETUP", BOB, CAROL)
    assert story.shown("b") == (("a", "b"), False)


@pytest.mark.parametrize(
    ("caller", "callee", "seconds"),
    [(BOB, LINE, 0.5), (LINE, BOB, 0.5), (DAVE, CAROL, 0.5), (BOB, CAROL, FOLLOW_UP),
     ("", CAROL, 0.5), (None, CAROL, 0.5)],
    ids=["he calls again", "he is called back", "somebody else", "too late", "hidden", "missing"],
)
def test_call_that_is_no_transfer_begins_a_conversation(
    story: Story, caller: Any, callee: str, seconds: float
) -> None:
    story.talk("a")
    story.call("a", "RELEASE")
    story.wait(seconds)
    story.call("b", "SETUP", caller or "", callee)
    assert story.shown("b") == (("b",), True)


def test_line_that_calls_one_number_after_another_has_many_conversations(story: Story) -> None:
    for ref in ("a", "b", "c"):
        story.talk(ref, LINE, f"3319902000{ord(ref) % 10}")
        story.call(ref, "RELEASE")
        assert story.shown(ref) == ((ref,), True)


def test_missed_call_is_followed_by_no_transfer(story: Story) -> None:
    story.call("a", "SETUP")
    story.call("a", "MISSED")
    story.call("b", "SETUP", BOB, CAROL)
    assert story.shown("b") == (("b",), True)


def test_announcement_by_others_shows_the_customer_while_it_rings(story: Story) -> None:
    story.talk("a")
    story.call("s", "SETUP", LINE, CAROL)
    assert story.shown("s") == (("a", "s"), False)
    assert story.state("s").first == "a"


def test_line_with_two_calls_announces_neither(story: Story) -> None:
    story.talk("a")
    story.talk("c", DAVE, LINE)
    story.call("s", "SETUP", LINE, CAROL)
    assert story.shown("s") == (("s",), True)


def test_outside_number_that_calls_twice_announces_nobody(story: Story) -> None:
    """A company's telephones may all show one number."""
    story.talk("a")
    story.call("b", "SETUP", BOB, CAROL)
    assert story.shown("b") == (("b",), True)


def test_merge_that_only_the_colleague_sees_shows_the_customer() -> None:
    story = Story((CAROL,))
    story.talk("s", LINE, CAROL)
    story.call("s", "RELEASE")
    story.call("j", "CONNECT", BOB, CAROL)
    assert story.shown("j") == (("s", "j"), False)
    assert story.state("j").first == "j"


# The service's own references.


@pytest.mark.parametrize("late", [False, True], ids=["at once", "later"])
@pytest.mark.parametrize(
    ("of_one", "of_other"),
    [({"conversation_id": "k"}, {"conversation_id": "k"}), ({}, {"parent_callref": "a"}),
     ({}, {"transferredFrom": "a"})],
)
def test_reference_of_the_service_wins(
    story: Story, of_one: Dict[str, str], of_other: Dict[str, str], late: bool
) -> None:
    story.talk("x", BOB, ERIN)
    story.call("a", "SETUP", BOB, LINE, **of_one)
    story.call("a", "CONNECT")
    story.call("x", "RELEASE")
    # By its parties and its time it would be the transfer of x.
    story.call("b", "SETUP", BOB, CAROL, **({} if late else of_other))
    if late:
        assert story.shown("b") == (("x", "b"), False)
        story.call("b", "CONNECT", **of_other)
    assert story.shown("b") == (("a", "b"), True)
    assert story.shown("x") == (("x",), True)
    for ref in ("a", "b"):
        story.call(ref, "RELEASE")
    story.wait()
    assert len(story.ended) == 2


def test_other_fields_of_the_server_are_no_reference(story: Story) -> None:
    story.talk("a")
    story.call("b", "SETUP", DAVE, CAROL, queue="a", tenant="t", priority=1, call_ref_count=2)
    assert story.shown("b") == (("b",), True)


# The end, gaps, and bounds.


def test_conversation_ends_once_after_the_last_call(story: Story) -> None:
    story.talk("a")
    story.call("a", "RELEASE")
    story.wait(FOLLOW_UP - 0.5)
    assert story.ended == [] and not story.state("a").ended
    assert story.model.due is not None
    story.wait(0.5)
    assert len(story.ended) == 1 and story.state("a").ended
    story.call("a", "RELEASE")
    story.wait(60)
    assert len(story.ended) == 1 and story.model.due is None


def test_pending_command_keeps_a_conversation_open(story: Story) -> None:
    story.talk("a")
    transfer = story.ask(TRANSFER)
    story.call("a", "RELEASE")
    story.wait(20)
    assert not story.state("a").ended
    story.answer(transfer, handovers.UNKNOWN)
    story.wait()
    assert story.state("a").ended


def test_parked_call_goes_on_and_ends_with_the_call(story: Story) -> None:
    story.talk("a")
    story.call("a", "CONNECT", callpark_slot="1")
    story.wait(3600)
    assert not story.state("a").ended
    story.call("a", "CONNECT", callee=CAROL, callpark_slot="")
    assert story.state("a").parties == (BOB, LINE, CAROL)
    story.call("a", "RELEASE")
    story.wait()
    assert len(story.ended) == 1


def test_call_that_leaves_the_lines_ends_the_conversation_and_may_come_back() -> None:
    story = Story((LINE,))
    story.talk("a")
    story.call("a", "CONNECT", callee=CAROL)
    story.wait()
    assert len(story.ended) == 1 and story.state("a").certain
    story.call("a", "CONNECT", callee=LINE)
    assert not story.state("a").ended and not story.state("a").certain
    story.call("a", "RELEASE")
    story.wait()
    assert len(story.ended) == 2


def test_call_leaves_nothing_if_the_lines_are_unknown(story: Story) -> None:
    story.model.guesses.lines = None
    story.talk("a")
    story.call("a", "CONNECT", callee=ERIN)
    story.wait(60)
    assert story.ended == []


def test_gap_ends_what_waits_and_makes_the_rest_uncertain(story: Story) -> None:
    story.talk("a")
    story.talk("c", DAVE, CAROL)
    transfer = story.ask(TRANSFER)
    story.call("c", "RELEASE")
    story.gap()
    assert len(story.ended) == 1 and story.state("c").ended
    assert story.shown("a") == (("a",), False)
    story.answer(transfer)
    story.call("a", "RELEASE")
    story.call("b", "SETUP", BOB, CAROL)
    assert story.shown("b") == (("a", "b"), False)
    story.call("b", "MISSED")
    story.wait()
    assert len(story.ended) == 2


def test_forgotten_call_ends_its_conversation_and_may_come_back(story: Story) -> None:
    story.talk("a")
    story.model.forget(["a", "unknown"], story.now)
    del story.legs["a"]
    story.call("a", "CONNECT")
    assert story.state("a").certain is False
    story.model.forget(["a"], story.now)
    story.wait()
    assert len(story.ended) == 1


def test_callref_that_is_used_again_begins_a_conversation(story: Story) -> None:
    story.talk("a")
    before = story.legs["a"]
    story.call("a", "RELEASE")
    story.now += 1
    story.call("a", "SETUP", DAVE, LINE, setup_date=NOW + 101, connect_date=None)
    assert story.legs["a"] is not before
    story.wait()
    assert len(story.ended) == 1 and not story.state("a").ended


def test_call_that_goes_on_after_its_end_is_followed_on(story: Story) -> None:
    story.talk("a")
    story.call("a", "RELEASE")
    story.call("a", "CONNECT")
    story.wait(60)
    assert story.ended == [] and not story.state("a").certain
    story.call("a", "RELEASE")
    story.wait()
    assert len(story.ended) == 1


def test_call_seen_first_while_it_goes_on_is_not_certain(story: Story) -> None:
    story.call("a", "CONNECT")
    assert story.shown("a") == (("a",), False)


def test_adopted_call_that_has_ended_is_no_event(story: Story) -> None:
    leg = story.model.adopt("a", "a", {"state": "RELEASE", "caller": BOB}, story.now)
    story.model.take_changes()
    assert read_root(leg.views.read())[1].ended
    story.wait(60)
    assert story.ended == []


def test_long_conversation_keeps_the_first_and_the_last_calls(story: Story) -> None:
    lines = (CAROL, ERIN)
    story.talk("0")
    for number in range(1, 3 * MAX_CALLS):
        story.call(str(number - 1), "RELEASE")
        story.talk(str(number), BOB, lines[number % 2])
    state = story.state("0")
    assert len(state.calls) == MAX_CALLS
    assert state.first == state.calls[0] == "0" and state.calls[-1] == str(3 * MAX_CALLS - 1)
    assert not state.certain and state.parties == (BOB, LINE, ERIN, CAROL)


def test_model_keeps_nothing_of_what_has_ended(story: Story) -> None:
    for number in range(50):
        story.talk(str(number))
        handover = story.ask(wire.transfer(str(number), "caller", CAROL))
        story.call(str(number), "RELEASE", conversation_id=f"k{number}")
        story.answer(handover)
    story.wait(60)
    story.call("last", "MISSED")
    story.wait(60)
    model = story.model
    kept = [model._legs, model._recent, model._checks, model._references]
    assert not any(kept) and model.guesses.is_empty()
    model.begin(handover, story.now)
    assert model._handovers == []
