"""The callpark: slots where a party of a call waits until someone takes it back."""

from __future__ import annotations

from typing import List, Optional

from .calls import Call, other_side
from .constants import ANY_SLOT
from .errors import NotPossible, WrongValue
from .exchange import Exchange, Station


class CallPark:
    """The slots of an exchange: "1" to `slots`, and one more named after each line.

    :param exchange: where the calls are.
    :param slots: how many numbered slots there are.
    """

    def __init__(self, exchange: Exchange, slots: int) -> None:
        self._exchange = exchange
        self._slots = slots

    def parked(self) -> List[Call]:
        """The calls that are parked now."""
        return [call for call in self._exchange.live() if call.record.callpark_slot is not None]

    def park(self, call: Call, side: str, slot: int = ANY_SLOT) -> None:
        """Park the party on `side` and let the other one go.

        :param slot: 1 to the number of slots, or -1 for the first free one.
        :raises WrongValue: there is no such slot.
        :raises NotPossible: the slot is taken, all are, or the parties do not talk.
        """
        if slot != ANY_SLOT and not 1 <= slot <= self._slots:
            raise WrongValue(f"there is no slot {slot}")
        self._put(call, side, self._first_free() if slot == ANY_SLOT else str(slot))

    def pause(self, call: Call, line: Station) -> None:
        """Park the party that talks with `line` in the slot named after the line's number.

        :raises NotPossible: the line is no party of the call, its slot is taken, or the
            parties do not talk.
        """
        if not call.involves(line.number):
            raise NotPossible(f"{line.number} is no party of the call")
        self._put(call, other_side(call.side_of(line.number)), line.number)

    def unpark(self, call: Call, line: Station) -> None:
        """Let `line` take a parked call: it takes the place of the party that was let go.

        :raises NotPossible: the call is not parked, or the line itself is who is parked.
        """
        if call.parked_side is None:
            raise NotPossible("the call is not parked")
        if call.record.party(call.parked_side) == line.number:
            raise NotPossible(f"{line.number} is parked itself")
        free_side = other_side(call.parked_side)
        call.parked_side = None
        self._exchange.change(call, callpark_slot=None, **{free_side: line.number})

    def _put(self, call: Call, side: str, slot: Optional[str]) -> None:
        if not call.talking:
            raise NotPossible("the parties of the call do not talk")
        if slot is None or slot in self._taken():
            raise NotPossible("the slot is taken" if slot else "all slots are taken")
        call.parked_side = side
        self._exchange.change(call, callpark_slot=slot)

    def _first_free(self) -> Optional[str]:
        taken = self._taken()
        numbered = (str(number) for number in range(1, self._slots + 1))
        return next((slot for slot in numbered if slot not in taken), None)

    def _taken(self) -> List[Optional[str]]:
        return [call.record.callpark_slot for call in self.parked()]
