"""What both pictures of ``keyyo-cti watch`` have in common."""

from abc import abstractmethod
from functools import partial
from typing import Any, Optional, Sequence

from ..call import Call
from ..errors import KeyyoError
from .exit_codes import FAILED
from .session_command import Attending
from .session_config import Opening
from .terminal import Terminal, printable


class Watch(Attending):
    """Shows calls.

    :param also: numbers to watch besides the line's own.
    """

    restores = True

    def __init__(self, opening: Opening, also: Sequence[str], err: Terminal) -> None:
        super().__init__(opening, err)
        self._also = also

    def connected(self) -> None:
        for number in self._also:
            self.cti.subscribe(number, partial(self._subscribed, number))

    @abstractmethod
    def on_call(self, call: Call) -> None: ...

    def _subscribed(self, number: str, err: Optional[KeyyoError], res: Any) -> None:
        if err:
            self.end(FAILED, f"cannot watch {printable(number)}: {printable(err)}")
        else:
            self.say(f"also watching {printable(number)}")
