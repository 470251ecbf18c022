"""Which calls people feel as one call. Pure: events in, changes of conversations out.

The program's commands, see ``handovers``, make it certain that a call continues a conversation.
What telephones and other programs do is matched by the parties and the time of the calls:

- A party of a call that has just been released calls somebody else: a transfer.
- A call that never rang, at the moment when others are released: these have been merged.
- A line that talks in exactly one call makes another one: it announces the other party.

A reference that the service itself sends wins over both.
"""

from collections import deque
from typing import Any, Deque, Dict, Iterable, List, Mapping, Optional, Tuple

from . import handovers
from .conversation_views import ConversationViews
from .guesses import Guesses
from .handovers import Handover
from .leg_groups import Change, LegGroups
from .legs import FOLLOW_UP, Group, Key, Leg
from .references import find_conversation, find_earlier_calls


class ConversationModel:
    """The conversations of one client. The caller holds a lock.

    :param key_of: returns the key of a number.
    :ivar guesses: the calls by their parties; it knows the lines of the session.
    """

    def __init__(self, groups: LegGroups, key_of: Key) -> None:
        self._key_of = key_of
        self.groups = groups
        self.guesses = Guesses()
        # By callref: the legs of groups that have not ended.
        self._legs: Dict[str, Leg] = {}
        # In the order of time: legs that have just ended, and groups that may end.
        self._recent: Deque[Tuple[float, Leg]] = deque()
        self._checks: Deque[Tuple[float, Group]] = deque()
        self._handovers: List[Handover] = []
        self._references: Dict[str, Group] = {}
        self._count = 0

    @property
    def due(self) -> Optional[float]:
        """Monotonic time at which to call ``expire``, or None."""
        return self._checks[0][0] if self._checks else None

    # Calls.

    def notify(
        self,
        leg: Optional[Leg],
        call: Any,
        callref: str,
        fields: Mapping[str, Any],
        now: float,
        is_new: bool = True,
    ) -> Leg:
        """Follow a notification.

        :param leg: the leg that an earlier notification of the call returned, or None.
        :param call: the call as programs see it.
        :param is_new: False if earlier notifications of the call may be unknown.
        """
        self._forget_recent(now)
        if leg is None or leg.is_another(fields):
            if leg is not None and leg.active:
                self._lose(leg, now)
            return self._begin(call, callref, fields, now, is_new)
        was_active, before = leg.active, leg.parties
        leg.read(fields, now, self._key_of)
        if leg.parties != before:
            self.guesses.remove(leg, before)
            self.guesses.add(leg)
            self.groups.touch(leg.group)
            leg.away = self.guesses.has_left(leg, before)
        elif was_active:
            self._refer(leg, fields)
        if leg.active and not was_active:
            self._revive(leg)
        elif was_active and not leg.active:
            self._end(leg, now)
        return leg

    def adopt(self, call: Any, callref: str, fields: Mapping[str, Any], now: float) -> Leg:
        """Return the leg of a call whose notifications are unknown.

        If the call has ended already, the end of its conversation is not told.
        """
        leg = self._begin(call, callref, fields, now, is_new=False)
        if leg.ended and len(leg.group.legs) == 1:
            leg.followed = True
            self._finish(leg.group)
        return leg

    def forget(self, callrefs: Iterable[str], now: float) -> None:
        """Follow calls that the registry has forgotten: no end of them is to be expected."""
        for callref in callrefs:
            leg = self._legs.get(callref)
            if leg is not None and leg.active:
                self._lose(leg, now)

    def gap(self, now: float) -> List[ConversationViews[Any]]:
        """Follow the end of a connection: events may be missing from now on.

        :returns: the conversations that have ended.
        """
        groups = list(dict.fromkeys(leg.group for leg in self._legs.values()))
        self._handovers.clear()
        self._recent.clear()
        self._checks.clear()
        self.guesses.clear()
        ended = []
        for group in groups:
            if group.active:
                self._distrust(group)
                for leg in group.legs:
                    if leg.active:
                        self.guesses.add(leg)
            else:
                ended.append(self._finish(group))
        return ended

    def expire(self, now: float) -> List[ConversationViews[Any]]:
        """Return the conversations that have ended, because nothing has followed in time."""
        self._forget_recent(now)
        ended = []
        while self._checks and self._checks[0][0] <= now:
            _, group = self._checks.popleft()
            if self._is_over(group, now):
                ended.append(self._finish(group))
        return ended

    # Commands.

    def begin(self, handover: Handover, now: float) -> None:
        """Follow a command that the program is about to send."""
        self._prune(now)
        if handover.begin(self._legs.get, self.guesses.own, self._key_of):
            self._handovers.append(handover)

    def resolve(self, handover: Handover, outcome: str, now: float) -> None:
        """Follow the outcome of a command."""
        if handover not in self._handovers:
            return
        handover.outcome, handover.replied_at = outcome, now
        if outcome == handovers.DONE:
            handover.settle(self.groups)
            for leg in handover.legs if handover.replaces else ():
                leg.explained = leg.ended
        else:
            self._handovers.remove(handover)
            if outcome == handovers.REFUSED:
                handover.refuse(self.groups)
        for leg in handover.legs:
            leg.group.quiet_since = now
            self._check_later(leg.group, now)

    def take_changes(self) -> List[Change]:
        """Apply the changes to the latest view, and return them for the handlers' view."""
        while self.groups.dropped:
            leg = self.groups.dropped.pop()
            if self._legs.get(leg.callref) is leg:
                del self._legs[leg.callref]
        return self.groups.take_changes()

    def disturb_at(self, now: float) -> None:
        """Follow something that may have hidden a notification.

        It is a message that cannot be read, or a changed subscription.
        """
        for handover in self._handovers:
            handover.tainted = handover.tainted or handover.competes
        for _, leg in self._recent:
            leg.doubtful = True

    # A new call.

    def _begin(
        self, call: Any, callref: str, fields: Mapping[str, Any], now: float, is_new: bool
    ) -> Leg:
        leg = Leg(call, callref, self._count)
        self._count += 1
        leg.read(fields, now, self._key_of)
        group = self._find_by_reference(leg, fields)
        known = self._legs.get(callref)
        if group is None and known is not None and known.away and not known.is_another(fields):
            # The registry had forgotten it.
            group = known.group
        elif group is None and is_new:
            group = self._find_group(leg, now)
        elif group is None:
            leg.sure = False
        self.groups.place(leg, group or self.groups.make())
        self._keep_reference(leg.group, find_conversation(fields))
        self._legs[callref] = leg
        self.guesses.add(leg)
        if leg.ended:
            self._end(leg, now)
        return leg

    def _find_group(self, leg: Leg, now: float) -> Optional[Group]:
        """Return the conversation that a new call continues, or None."""
        self._prune(now)
        handover = handovers.choose(self._handovers, leg)
        if isinstance(handover, handovers.Dial) and self.guesses.find_continued(leg) is None:
            # Nothing else explains it.
            handover.found.append(leg)
            return None
        if handover is not None:
            return handover.accept(leg, self.groups)
        if leg.ringing:
            return self._follow(leg, self.guesses.find_continued(leg))
        leg.sure = False
        return None if leg.ended else self._bridge(leg)

    def _follow(self, leg: Leg, old: Optional[Leg]) -> Optional[Group]:
        if old is None:
            return None
        leg.sure = False
        if old.active:
            leg.announces = True
        else:
            old.followed = True
        return old.group

    def _bridge(self, leg: Leg) -> Optional[Group]:
        """Return the conversation of the calls that a connection without ringing replaces."""
        one = self.guesses.find_released(leg.caller)
        other = self.guesses.find_released(leg.callee, one)
        if one is None or other is None:
            one = one or self.guesses.find_released(leg.callee)
            if one is not None:
                one.followed = True
                one.announces = one.announces or one.caller not in leg.parties
            return None if one is None else one.group
        one.followed = other.followed = True
        handovers.mark_announcing(one, leg.caller, other, leg.callee)
        return self.groups.unite(one.group, other.group)

    # The service's own references.

    def _find_by_reference(self, leg: Leg, fields: Mapping[str, Any]) -> Optional[Group]:
        """Return the conversation that the service itself names, or None."""
        name = find_conversation(fields)
        if name is not None:
            group = self._references.get(name)
            for each in () if group is None else group.legs:
                each.followed = each.followed or each.ended
            return group or self.groups.make()
        for callref in find_earlier_calls(fields):
            known = self._legs.get(callref)
            if known is not None and known is not leg:
                known.followed = known.ended
                return known.group
        return None

    def _refer(self, leg: Leg, fields: Mapping[str, Any]) -> None:
        """Follow a reference that the service sends later than the call."""
        group = self._find_by_reference(leg, fields)
        if group is None:
            return
        if group is not leg.group:
            if not group.legs:
                self._keep_reference(leg.group, find_conversation(fields))
                return
            if not leg.sure and len(leg.group.legs) > 1:
                self.groups.split(leg)
            self._keep_reference(self.groups.unite(group, leg.group, sure=True), None)
        leg.sure = True
        self.groups.touch(leg.group)

    def _keep_reference(self, group: Group, name: Optional[str]) -> None:
        if name is not None and name not in group.references:
            group.references.append(name)
        for each in group.references:
            self._references[each] = group

    # The end.

    def _end(self, leg: Leg, now: float) -> None:
        leg.ended_at = now
        leg.group.quiet_since = now
        self._recent.append((now + FOLLOW_UP, leg))
        self._check_later(leg.group, now)

    def _lose(self, leg: Leg, now: float) -> None:
        """Follow a call whose end will not be notified."""
        leg.away = True
        self._distrust(leg.group)
        self._end(leg, now)

    def _check_later(self, group: Group, now: float) -> None:
        self._checks.append((now + FOLLOW_UP, group))

    def _revive(self, leg: Leg) -> None:
        """Follow a call that goes on, although it had ended or left."""
        leg.followed = False
        if leg.group.ended:
            self.groups.restart(leg)
        self._distrust(leg.group)
        self._legs[leg.callref] = leg
        self.guesses.add(leg)

    def _is_over(self, group: Group, now: float) -> bool:
        return not (
            group.ended
            or group.into is not None
            or group.active
            or now < group.quiet_since + FOLLOW_UP
            or any(handover.holds(group) for handover in self._handovers)
        )

    def _finish(self, group: Group) -> ConversationViews[Any]:
        group.ended = True
        self.groups.touch(group)
        for leg in group.legs:
            if self._legs.get(leg.callref) is leg:
                del self._legs[leg.callref]
        for name in group.references:
            self._references.pop(name, None)
        return group.view

    def _distrust(self, group: Group) -> None:
        if group.sure:
            group.sure = False
            self.groups.touch(group)

    def _forget_recent(self, now: float) -> None:
        while self._recent and self._recent[0][0] <= now:
            _, leg = self._recent.popleft()
            if not leg.active and now >= leg.ended_at + FOLLOW_UP:
                self.guesses.remove(leg, leg.parties)

    def _prune(self, now: float) -> None:
        if self._handovers:
            self._handovers = [each for each in self._handovers if not each.is_over(now)]
