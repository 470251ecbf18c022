"""samples/desktop.py, which also tells what there is to see, and where to click.

A line of JSON, whenever something has changed: see `Sight`. With ``KEYYO_CSI_TOKEN`` and
``KEYYO_ENDPOINT`` in the environment.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from samples import desktop

from .strays import Strays


class Sight(NamedTuple):
    """What is to be seen.

    :ivar rows: the table's, without the time.
    :ivar where: the middle of each button, and of the field, which is "".
    :ivar enabled: the buttons that can be pressed.
    :ivar strays: the threads, other than the main one, in which code of the sample has run.
    """

    rows: List[List[str]]
    status: str
    where: Dict[str, Tuple[int, int]]
    enabled: List[str]
    strays: List[str]


strays = Strays(desktop)


class Eve:
    """A name that would be two lines, the second turned around."""

    def name_of(self, number: Any) -> Optional[str]:
        return "Eve\n\u202eEvil" if number == "33199020009" else None


class Telling(desktop.Window):
    """Tells after each tick."""

    told = ""

    def __init__(self, root: Any, cti: Any, names: Any = None) -> None:
        super().__init__(root, cti, Eve())

    def tick(self) -> None:
        super().tick()
        self.root.update_idletasks()
        now = json.dumps(self.sight())
        if now != self.told:
            self.told = now
            print(now, flush=True)

    def sight(self) -> Sight:
        table = self.table
        buttons = [self.answer, self.hang_up, self.transfer]
        return Sight(
            rows=[
                [str(table.set(row, column)) for column in ("From", "To", "State")]
                for row in table.get_children()
            ],
            status=self.status.get(),
            where={
                **{str(each.cget("text")): middle(each) for each in buttons},
                "": middle(self.to),
            },
            enabled=[
                str(each.cget("text")) for each in buttons if str(each.cget("state")) == "normal"
            ],
            strays=strays.names,
        )


def middle(widget: Any) -> Tuple[int, int]:
    return (
        widget.winfo_rootx() + widget.winfo_width() // 2,
        widget.winfo_rooty() + widget.winfo_height() // 2,
    )


if __name__ == "__main__":
    strays.run(Telling)
    sys.exit(1 if strays.names else 0)
