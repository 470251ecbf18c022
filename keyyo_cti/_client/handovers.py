"""Commands of the program that continue a conversation in another call. Pure.

A handover waits for the call that its command causes. The notification may come before the reply
or after it, and another program may cause a call like it at the same moment. So the new call
joins the conversation at once, but for certain only if nothing else explains it.
"""

from abc import ABC, abstractmethod
from typing import Callable, List, Mapping, Optional, Tuple, Type

from .leg_groups import LegGroups
from .legs import FOLLOW_UP, Group, Key, Leg
from .wire import Command

#: Outcomes of a command.
PENDING, DONE, REFUSED, UNKNOWN = "pending", "done", "refused", "unknown"

#: Maximum digits of a short number. The call shows the full number in its place.
_MAX_SHORT = 6

#: Seconds from the reply to ``dial`` until its call: the line's own telephone rings first.
_PICK_UP = 60.0

Find = Callable[[str], Optional[Leg]]


class Handover(ABC):
    """A command, and the calls that may be its effect.

    :ivar legs: the calls that it acts on.
    :ivar caller: the key of the caller of the call that it causes; ``callee`` likewise.
    :ivar found: the calls that may be its effect.
    :ivar in_order: True if the call found came where the server sends it.
    :ivar tainted: True if there may be another explanation.
    """

    #: True if the command ends the calls that it acts on.
    replaces = True

    def __init__(self, command: Command) -> None:
        self.fields = command.fields
        self.legs: List[Leg] = []
        self.caller: Optional[str] = None
        self.callee: Optional[str] = None
        self.outcome = PENDING
        self.replied_at = 0.0
        self.found: List[Leg] = []
        self.in_order = self.tainted = False

    @abstractmethod
    def begin(self, find: Find, own: Optional[str], key_of: Key) -> bool:
        """Find the calls that the command acts on.

        :param own: the key of the session's own line.
        :returns: False if they are unknown.
        """

    @abstractmethod
    def expects(self, leg: Leg) -> bool:
        """Return True if a new call may be the effect of the command."""

    @abstractmethod
    def accept(self, leg: Leg, groups: LegGroups) -> Optional[Group]:
        """Take a new call as the effect of the command.

        :returns: the conversation to which it belongs; None for a new one.
        """

    @property
    def pending(self) -> bool:
        """True if the command has no reply yet."""
        return self.outcome == PENDING

    @property
    def ready(self) -> bool:
        """True if the calls that it acts on have ended and no call has taken their place."""
        return all(leg.released for leg in self.legs)

    @property
    def competes(self) -> bool:
        """True if its call may still come in order."""
        return self.pending or (not self.found and not self._ended_before_reply())

    def holds(self, group: Group) -> bool:
        """Return True if a conversation must not end before the reply."""
        return self.pending and any(leg.group is group for leg in self.legs)

    def is_over(self, now: float) -> bool:
        """Return True if its call no longer comes."""
        return not self.pending and (self.settled or now >= self.replied_at + FOLLOW_UP)

    @property
    def settled(self) -> bool:
        """True if the call found is its effect for certain."""
        return (
            self.outcome == DONE and self.in_order and not self.tainted and len(self.found) == 1
        )

    def settle(self, groups: LegGroups) -> None:
        """Mark the call found as certain, if it is."""
        if self.settled:
            groups.set_sure(self.found[0], True)

    def refuse(self, groups: LegGroups) -> None:
        """Take back what was assumed: the server has refused the command."""

    def _doubt(self, groups: LegGroups) -> None:
        self.tainted = True
        for leg in self.found:
            groups.set_sure(leg, False)

    def _ended_before_reply(self) -> bool:
        return all(leg.ended and leg.ended_at < self.replied_at for leg in self.legs)

    def _follows(self, leg: Leg) -> None:
        """Let a new call take the place of the calls that the command acts on."""
        self.in_order = self.pending or not self._ended_before_reply()
        self.tainted = self.tainted or any(each.doubtful for each in self.legs)
        for each in self.legs:
            each.followed = True
        self.found = [leg]
        leg.sure = False

    def _is_like(self, leg: Leg) -> bool:
        """Return True if the numbers of a ringing call are those of the command."""
        if not leg.ringing or leg.caller != self.caller:
            return False
        return leg.callee == self.callee or self._is_short()

    def _is_exactly(self, leg: Leg) -> bool:
        return None not in leg.parties and leg.parties == (self.caller, self.callee)

    def _is_short(self) -> bool:
        return self.callee is not None and len(self.callee) <= _MAX_SHORT


class Transfer(Handover):
    """The transferred party calls the new recipient, after the end of the call."""

    def begin(self, find: Find, own: Optional[str], key_of: Key) -> bool:
        leg = find(self.fields["call_ref"])
        if leg is None:
            return False
        self.legs = [leg]
        self.caller = leg.get_side(self.fields["side"])
        self.callee = key_of(self.fields["to"])
        return True

    def expects(self, leg: Leg) -> bool:
        return self._is_like(leg) and (self.ready or self._is_exactly(leg))

    def accept(self, leg: Leg, groups: LegGroups) -> Optional[Group]:
        old = self.legs[0]
        leg.sure = False
        if not self.ready:
            if old.active:
                # Another service may send it before the end of the old call.
                self.found.append(leg)
                self.tainted = True
                return old.group
            # The old call has a successor already.
            self._doubt(groups)
            return None
        for early in self.found:
            groups.split(early)
        self._follows(leg)
        self.tainted = self.tainted or not self._is_exactly(leg)
        self.settle(groups)
        return old.group

    def refuse(self, groups: LegGroups) -> None:
        if self.legs[0].active:
            for early in self.found:
                groups.split(early)


class SupervisedTransfer(Handover):
    """The remaining party calls the new recipient; a connection of both others replaces the calls.

    :ivar bridge: the call that connects the others.
    """

    replaces = False

    def __init__(self, command: Command) -> None:
        super().__init__(command)
        self.party: Optional[str] = None
        self.bridge: Optional[Leg] = None
        self._bridge_in_order = False

    def begin(self, find: Find, own: Optional[str], key_of: Key) -> bool:
        leg = find(self.fields["call_ref"])
        if leg is None:
            return False
        self.legs = [leg]
        self.party = leg.get_side(self.fields["side"])
        self.caller = leg.other(self.party)
        self.callee = key_of(self.fields["to"])
        return True

    @property
    def competes(self) -> bool:
        return self.pending or not self.found

    def expects(self, leg: Leg) -> bool:
        if leg.ringing:
            return self.competes and self._is_like(leg) and self.legs[0].active
        return self.ready and self._find_second(leg) is not None

    def accept(self, leg: Leg, groups: LegGroups) -> Optional[Group]:
        old = self.legs[0]
        leg.sure = False
        if not leg.ringing:
            self._connect(leg, groups)
            return old.group
        leg.announces = True
        self.found.append(leg)
        self.in_order = True
        if len(self.found) > 1 or not self._is_exactly(leg):
            self._doubt(groups)
        self.settle(groups)
        return old.group

    def settle(self, groups: LegGroups) -> None:
        super().settle(groups)
        bridge = self.bridge
        if bridge is not None and self._bridge_in_order and self.settled:
            groups.set_sure(bridge, True)

    def is_over(self, now: float) -> bool:
        if self.pending:
            return False
        if self.bridge is not None:
            return True
        seconds = [leg.ended_at for leg in self.found]
        waits = any(leg.active for leg in self.found)
        return not waits and now >= max([self.replied_at, *seconds]) + FOLLOW_UP

    def _connect(self, leg: Leg, groups: LegGroups) -> None:
        second = self._find_second(leg)
        assert second is not None
        calls = self.legs[0], second
        self._bridge_in_order = not any(each.doubtful for each in calls)
        for each in calls:
            each.followed = True
        groups.unite(calls[0].group, second.group)
        self.bridge = leg
        self.settle(groups)

    def _find_second(self, leg: Leg) -> Optional[Leg]:
        wanted = {leg.caller, leg.callee}
        for second in self.found:
            if second.released and wanted == {self.party, second.callee} and None not in wanted:
                return second
        return None


class Merge(Handover):
    """A connection of one party of each call replaces both calls."""

    def begin(self, find: Find, own: Optional[str], key_of: Key) -> bool:
        fields = self.fields
        first, second = find(fields["call_ref"]), find(fields["call_ref2"])
        if first is None or second is None or first is second:
            return False
        self.legs = [first, second]
        self.caller = first.get_side(fields["side"])
        self.callee = second.get_side(fields["side2"])
        return True

    def expects(self, leg: Leg) -> bool:
        wanted = {self.caller, self.callee}
        is_like = {leg.caller, leg.callee} == wanted and None not in wanted
        return is_like and not leg.ringing and self.ready

    def accept(self, leg: Leg, groups: LegGroups) -> Optional[Group]:
        first, second = self.legs
        mark_announcing(first, self.caller, second, self.callee)
        self._follows(leg)
        group = groups.unite(first.group, second.group)
        self.settle(groups)
        return group

    def settle(self, groups: LegGroups) -> None:
        first, second = self.legs
        if self.outcome == DONE:
            if first.group is not second.group:
                groups.unite(first.group, second.group, sure=True)
            elif first.sure != second.sure:
                # What was assumed of one of them is certain now.
                first.sure = second.sure = True
            mark_announcing(first, self.caller, second, self.callee)
            groups.touch(first.group)
        super().settle(groups)


class Dial(Handover):
    """The session's line calls a number: a new conversation, not the continuation of another."""

    def begin(self, find: Find, own: Optional[str], key_of: Key) -> bool:
        self.caller, self.callee = own, key_of(self.fields["number"])
        return own is not None

    def expects(self, leg: Leg) -> bool:
        return self.competes and self._is_like(leg)

    @property
    def competes(self) -> bool:
        return self.pending or not self.found

    def accept(self, leg: Leg, groups: LegGroups) -> Optional[Group]:
        leg.sure = False
        self.found.append(leg)
        # After the reply, the call may be one that another program makes.
        self.in_order = self.pending and self._is_exactly(leg)
        if len(self.found) > 1:
            self._doubt(groups)
        return None

    def is_over(self, now: float) -> bool:
        return not self.pending and (bool(self.found) or now >= self.replied_at + _PICK_UP)


def mark_announcing(
    one: Leg, one_party: Optional[str], other: Leg, other_party: Optional[str]
) -> None:
    """Mark the call in which a colleague announces the party of another call, if it is one.

    He calls in it, and was called in the other.

    :param one_party: the key of the party of ``one`` that goes on talking.
    """
    calls = [one.caller != one_party, other.caller != other_party]
    if calls == [True, False]:
        one.announces = True
    elif calls == [False, True]:
        other.announces = True


_KINDS: Mapping[str, Type[Handover]] = {
    "transfer_call": Transfer,
    "supervised_transfer_call": SupervisedTransfer,
    "merge_call": Merge,
    "call": Dial,
}


def make_handover(command: Command) -> Optional[Handover]:
    """Return the handover of a command, or None if the command causes no call."""
    kind = _KINDS.get(command.action)
    return None if kind is None else kind(command)


def choose(handovers: List[Handover], leg: Leg) -> Optional[Handover]:
    """Return the handover whose effect a new call is, or None.

    If several commands may have caused it, none of them makes it certain.
    """
    candidates = [each for each in handovers if each.expects(leg)]
    if not candidates:
        return None
    rivals = [each for each in candidates if each.competes]
    if len(rivals) > 1:
        for each in rivals:
            each.tainted = True

    def rank(each: Handover) -> Tuple[bool, bool]:
        return not each.ready, bool(each.found)

    return min(candidates, key=rank)
