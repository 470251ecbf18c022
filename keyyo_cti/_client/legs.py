"""Calls as parts of conversations. Pure.

A leg is one call as a part of its conversation; a group is one conversation.
"""

from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from .._display.dates import ENDED, as_date, dates_of
from .conversation_views import ConversationViews, State
from .two_views import TwoViews

#: Returns what identifies a number in every form, or None for a hidden number.
Key = Callable[[Any], Optional[str]]

#: Seconds after the end of a call in which another call may continue the conversation.
FOLLOW_UP = 2.0

#: Maximum number of calls, and of parties, that a conversation keeps. Otherwise a call that is
#: passed on for ever would leak.
MAX_CALLS = 100


class Leg:
    """One call as a part of its conversation.

    :ivar views: the conversation as the program sees it, in two views.
    :ivar order: greater for a call that was notified first later.
    :ivar caller: the caller's key, or None; ``callee`` likewise.
    :ivar answered: True if its parties have talked.
    :ivar away: True if it has left the lines of the session, or is forgotten: no end will come.
    :ivar ended_at: monotonic time of its end, or of its leaving.
    :ivar followed: True if another call has taken its place.
    :ivar doubtful: True if the notification of a call that follows it may have been missed.
    :ivar announces: True if a colleague announces another party in it.
    :ivar sure: True if it belongs to its group for certain.
    :ivar explained: True if a command of the program has ended it.
    :ivar placed: True if it is in its group.
    :ivar numbers: the numbers of all its parties up to now, by their keys.
    """

    __slots__ = (
        "call", "views", "group", "order", "callref", "caller", "callee", "ringing", "answered",
        "parked", "ended", "away", "ended_at", "setup_date", "release_date", "followed",
        "doubtful", "announces", "sure", "numbers", "placed", "explained",
    )

    views: TwoViews
    group: "Group"

    def __init__(self, call: Any, callref: str, order: int) -> None:
        self.call = call
        self.callref = callref
        self.order = order
        self.caller: Optional[str] = None
        self.callee: Optional[str] = None
        self.ringing = self.answered = self.parked = self.ended = self.away = False
        self.ended_at = 0.0
        self.setup_date: Optional[float] = None
        self.release_date: Optional[float] = None
        self.followed = self.doubtful = self.announces = False
        self.sure = True
        self.numbers: Dict[str, str] = {}
        self.placed = self.explained = False

    @property
    def active(self) -> bool:
        """True if further notifications are expected."""
        return not self.ended and not self.away

    @property
    def talking(self) -> bool:
        """True if its parties hear each other."""
        return self.active and self.answered and not self.parked

    @property
    def released(self) -> bool:
        """True if its parties have talked until its end, and no call has taken its place."""
        return self.ended and self.answered and not self.followed

    @property
    def may_go_on(self) -> bool:
        """True if it may go on in another call, as telephones or other programs decide."""
        return self.released and not self.explained

    @property
    def parties(self) -> Tuple[Optional[str], Optional[str]]:
        """The keys of the caller and of the callee."""
        return self.caller, self.callee

    def read(self, fields: Mapping[str, Any], now: float, key_of: Key) -> None:
        """Read the fields of a notification."""
        state, dates = fields.get("state"), dates_of(fields)
        caller, callee = fields.get("caller"), fields.get("callee")
        self.caller, self.callee = key_of(caller), key_of(callee)
        for key, number in ((self.caller, caller), (self.callee, callee)):
            if key is not None and len(self.numbers) < MAX_CALLS:
                self.numbers.setdefault(key, str(number))
        self.ringing = state == "SETUP"
        self.answered = self.answered or state == "CONNECT" or (
            state == "RELEASE" and dates.connect is not None
        )
        self.parked = fields.get("callpark_slot") not in (None, "")
        self.setup_date, self.release_date = dates.setup, dates.release
        ended = state in ENDED
        if ended and not self.ended:
            self.ended_at = now
        self.ended = ended

    def is_another(self, fields: Mapping[str, Any]) -> bool:
        """Return True if another call got the callref of this one."""
        setup = as_date(fields.get("setup_date"))
        return None not in (setup, self.setup_date) and setup != self.setup_date

    def other(self, party: Optional[str]) -> Optional[str]:
        """Return the key of the other party."""
        return self.callee if self.caller == party else self.caller

    def get_side(self, side: str) -> Optional[str]:
        """Return the key of the party on one side."""
        return self.caller if side == "caller" else self.callee


class Group:
    """One conversation.

    :ivar sure: False if an event of it may be missing.
    :ivar quiet_since: monotonic time since which nothing has happened in it.
    :ivar into: the group that has taken this one in, or None.
    :ivar references: the service's own names of the conversation.
    """

    __slots__ = ("view", "legs", "parties", "sure", "ended", "quiet_since", "into", "references")

    def __init__(self, view: ConversationViews[Any]) -> None:
        self.view = view
        self.legs: List[Leg] = []
        # Key -> number: the parties of calls that are no longer kept.
        self.parties: Dict[str, str] = {}
        self.sure = True
        self.ended = False
        self.quiet_since = 0.0
        self.into: Optional[Group] = None
        self.references: List[str] = []

    @property
    def active(self) -> bool:
        """True if one of its calls is active."""
        return any(leg.active for leg in self.legs)

    def add(self, leg: Leg) -> Optional[Leg]:
        """Add a leg that is in no group.

        :returns: a leg that the group no longer keeps instead, or None.
        """
        leg.group = self
        self.legs.append(leg)
        if len(self.legs) > 1 and leg.order < self.legs[-2].order:
            self.legs.sort(key=lambda each: each.order)
        return self._drop_one() if len(self.legs) > MAX_CALLS else None

    def _drop_one(self) -> Optional[Leg]:
        oldest = next((leg for leg in self.legs[1:-1] if not leg.active), None)
        if oldest is not None:
            self.legs.remove(oldest)
            # It is still a part of the conversation.
            self.sure = self.sure and oldest.sure
            for key, number in oldest.numbers.items():
                if len(self.parties) < MAX_CALLS:
                    self.parties.setdefault(key, number)
        return oldest

    def make_state(self) -> State:
        """Return what programs see."""
        if self.into is not None:
            return State(into=self.into.view)
        legs = self.legs
        first = next((leg for leg in legs if not leg.announces), legs[0] if legs else None)
        calls = tuple({id(leg.call): leg.call for leg in legs}.values())
        certain = self.sure and all(leg.sure for leg in legs)
        parties: Dict[str, str] = {}
        for numbers in (legs[0].numbers if legs else {}, self.parties):
            parties.update(numbers)
        for leg in legs[1:]:
            for key, number in leg.numbers.items():
                parties.setdefault(key, number)
        return State(calls, first and first.call, tuple(parties.values()), self.ended, certain)
