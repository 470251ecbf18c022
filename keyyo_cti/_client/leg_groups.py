"""The groups of legs, and the changes that programs have not seen yet. Pure."""

from typing import Any, Callable, Dict, List, Tuple

from .conversation_views import ConversationViews, state_of
from .legs import Group, Leg
from .two_views import TwoViews

#: A view, its new value, and the number of the change.
Change = Tuple[TwoViews, Any, int]


class LegGroups:
    """Makes, unites and splits groups.

    :param make_view: makes what programs see of a new group.
    :param handling: returns True if this thread runs a handler.
    """

    def __init__(
        self, make_view: Callable[[], ConversationViews[Any]], handling: Callable[[], bool]
    ) -> None:
        self._make_view = make_view
        self._handling = handling
        self._number = 0
        self._changed: Dict[Group, None] = {}
        self._moved: Dict[Leg, None] = {}
        #: Legs that their groups no longer keep.
        self.dropped: List[Leg] = []

    def make(self) -> Group:
        """Return a new group."""
        return Group(self._make_view())

    def place(self, leg: Leg, group: Group) -> None:
        """Add a new leg to a group."""
        leg.views = TwoViews(group.view, self._handling)
        self._add(leg, group)

    def split(self, leg: Leg) -> None:
        """Move a leg to a group of its own: it does not belong to the others for certain."""
        old = leg.group
        old.legs.remove(leg)
        self.touch(old)
        group = self.make()
        group.quiet_since = old.quiet_since
        leg.sure = False
        self._add(leg, group)

    def restart(self, leg: Leg) -> None:
        """Give a leg a new group, because its group has ended, which goes on showing it."""
        group = self.make()
        group.sure = False
        self._add(leg, group)

    def unite(self, one: Group, other: Group, sure: bool = False) -> Group:
        """Unite two groups, unless they are one already.

        :returns: the group that has the oldest leg; it stands for both.
        """
        if one is other:
            return one
        if other.legs[0].order < one.legs[0].order:
            one, other = other, one
        other.legs[0].sure = other.legs[0].sure and sure
        one.sure = one.sure and other.sure
        for leg in other.legs:
            self._keep(leg, one)
        for key, number in other.parties.items():
            one.parties.setdefault(key, number)
        one.quiet_since = max(one.quiet_since, other.quiet_since)
        one.references += other.references
        other.into, other.legs = one, []
        self.touch(one)
        self.touch(other)
        return one

    def touch(self, group: Group) -> None:
        """Note that programs see another state of a group."""
        self._changed[group] = None

    def set_sure(self, leg: Leg, sure: bool) -> None:
        """Set whether a leg belongs to its group for certain."""
        if leg.sure is not sure:
            leg.sure = sure
            if leg.placed:
                self.touch(leg.group)

    def take_changes(self) -> List[Change]:
        """Apply the changes to the latest view, and return them for the handlers' view."""
        if not self._changed:
            return []
        self._number += 1
        changes: List[Change] = [
            (state_of(group.view), group.make_state(), self._number) for group in self._changed
        ]
        changes += [(leg.views, leg.group.view, self._number) for leg in self._moved]
        self._changed.clear()
        self._moved.clear()
        for views, value, _ in changes:
            views.receive(value)
        return changes

    def _add(self, leg: Leg, group: Group) -> None:
        self._keep(leg, group)
        self._moved[leg] = None
        self.touch(group)

    def _keep(self, leg: Leg, group: Group) -> None:
        dropped = group.add(leg)
        leg.placed = True
        if dropped is not None:
            self.dropped.append(dropped)
