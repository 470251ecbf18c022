"""Guesses at which calls belong together, by their parties and their time. Pure."""

from typing import Dict, FrozenSet, Iterable, Optional, Tuple

from .legs import Leg

#: Maximum seconds between the dates of an end and of the call that continues it. Dates are whole
#: seconds.
_MAX_GAP = 1

#: Stands in ``lines`` for a subscription to the callpark.
CALLPARK = "callpark"


class Guesses:
    """The calls that go on or have just ended, by their parties.

    :ivar own: the key of the session's own line, or None if unknown.
    :ivar lines: the keys of the lines whose calls are notified; None if unknown.
    """

    def __init__(self) -> None:
        self.own: Optional[str] = None
        self.lines: Optional[FrozenSet[str]] = None
        # Dicts for their order.
        self._by_party: Dict[str, Dict[Leg, None]] = {}

    def add(self, leg: Leg) -> None:
        """Add a call under each of its parties."""
        for party in leg.parties:
            if party is not None:
                self._by_party.setdefault(party, {})[leg] = None

    def remove(self, leg: Leg, parties: Iterable[Optional[str]]) -> None:
        """Remove a call from these parties."""
        for party in parties:
            legs = self._by_party.get(party) if party is not None else None
            if party is not None and legs is not None:
                legs.pop(leg, None)
                if not legs:
                    del self._by_party[party]

    def clear(self) -> None:
        """Remove all calls."""
        self._by_party.clear()

    def is_empty(self) -> bool:
        """Return True if no call is known."""
        return not self._by_party

    def find_continued(self, leg: Leg) -> Optional[Leg]:
        """Return the call that a ringing call continues, or None."""
        if not leg.ringing or leg.caller is None:
            return None
        known = self._by_party.get(leg.caller, ())
        released = [each for each in known if each.may_go_on and self._may_transfer(each, leg)]
        if released:
            return max(released, key=_last)
        talking = [each for each in known if each.talking]
        if len(talking) != 1 or not self._is_line(leg.caller):
            # With several calls, as on a line with several telephones, any may be meant.
            return None
        base = talking[0]
        is_same = set(base.parties) == set(leg.parties)
        return None if is_same or (base.announces and not base.sure) else base

    def find_released(self, party: Optional[str], but: Optional[Leg] = None) -> Optional[Leg]:
        """Return the last call of a party that was released and that no other call continues.

        :param but: a call that does not count.
        """
        legs = self._by_party.get(party, ()) if party is not None else ()
        found = (leg for leg in legs if leg.may_go_on and leg is not but)
        return max(found, key=_last, default=None)

    def has_left(self, leg: Leg, before: Iterable[Optional[str]]) -> bool:
        """Return True if a call has moved to a line whose calls are not notified.

        :param before: its parties before.
        """
        lines = self.lines
        if lines is None or not any(party in lines for party in before):
            return False
        return not any(party in lines for party in leg.parties) and not (
            leg.parked and CALLPARK in lines
        )

    def _is_line(self, party: Optional[str]) -> bool:
        return party is not None and (party == self.own or party in (self.lines or ()))

    def _may_transfer(self, old: Leg, leg: Leg) -> bool:
        """Return True if a ringing call may be the transfer of a party of a released call."""
        other = old.other(leg.caller)
        if leg.callee == other:
            # The same people call each other again.
            return False
        if old.caller == leg.caller and self._is_line(leg.caller) and not self._is_line(other):
            # A line that calls one number after another.
            return False
        dates = old.release_date, leg.setup_date
        return dates[0] is None or dates[1] is None or abs(dates[1] - dates[0]) <= _MAX_GAP


def _last(leg: Leg) -> Tuple[float, int]:
    return leg.ended_at, leg.order
