"""The callpark: slots for parties that wait until a line takes them back."""

from __future__ import annotations

from typing import List, Optional

from .calls import Call, get_other_side
from .constants import ANY_SLOT
from .errors import NotPossible, WrongValue
from .exchange import Exchange, Subscriber


class CallPark:
    """The slots of an exchange: "1" to `slots`, and one named after each line.

    :param exchange: holds the calls.
    :param slots: number of numbered slots.
    """

    def __init__(self, exchange: Exchange, slots: int) -> None:
        self._exchange = exchange
        self._slots = slots

    def get_parked(self) -> List[Call]:
        """Return the parked calls."""
        live = self._exchange.get_live_calls()
        return [call for call in live if call.record.callpark_slot is not None]

    def park(self, call: Call, side: str, slot: int = ANY_SLOT) -> None:
        """Park the party on `side` and release the other party's telephone.

        :param slot: 1 to the number of slots, or -1 for the first free one.
        :raises WrongValue: there is no such slot.
        :raises NotPossible: the slot is taken, all slots are taken, or the parties do not talk.
        """
        if slot != ANY_SLOT and not 1 <= slot <= self._slots:
            raise WrongValue(f"there is no slot {slot}")
        self._put(call, side, self._find_free_slot() if slot == ANY_SLOT else str(slot))

    def pause(self, call: Call, line: Subscriber) -> None:
        """Park the party that talks with `line`, in the slot named after the line.

        :raises NotPossible: the line is no party of the call, its slot is taken, or the parties
            do not talk.
        """
        if not call.involves(line.number):
            raise NotPossible(f"{line.number} is no party of {call.record.callref}")
        self._put(call, get_other_side(call.get_side(line.number)), line.number)

    def unpark(self, call: Call, line: Subscriber) -> None:
        """Connect `line` with a parked party, in place of the party that was released.

        :raises NotPossible: the call is not parked, or the line itself is the parked party.
        """
        if call.parked_side is None:
            raise NotPossible(f"{call.record.callref} is not parked")
        if call.record.party(call.parked_side) == line.number:
            raise NotPossible(f"{line.number} is parked itself, in {call.record.callref}")
        free_side = get_other_side(call.parked_side)
        call.parked_side = None
        self._exchange.change(call, callpark_slot=None, **{free_side: line.number})

    def _put(self, call: Call, side: str, slot: Optional[str]) -> None:
        if not call.talking:
            raise NotPossible(f"the parties of {call.record.callref} do not talk")
        if slot is None or slot in self._get_taken_slots():
            raise NotPossible(
                f"the callpark's slot is taken: {slot}" if slot
                else "all slots of the callpark are taken")
        call.parked_side = side
        self._exchange.change(call, callpark_slot=slot)

    def _find_free_slot(self) -> Optional[str]:
        taken = self._get_taken_slots()
        numbered = (str(number) for number in range(1, self._slots + 1))
        return next((slot for slot in numbered if slot not in taken), None)

    def _get_taken_slots(self) -> List[Optional[str]]:
        return [call.record.callpark_slot for call in self.get_parked()]
