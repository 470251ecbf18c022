"""A call on the board: how it stands, and what can be done with it."""

from concurrent.futures import Future
from functools import partial
from typing import Any, Callable, Optional

from ipywidgets import HTML, Button, HBox, Text

from .._client.callback import Callback
from .._client.literals import Side
from .._display import html
from .._display.readable_time import stopwatch
from .._display.telephone_number import as_dialled
from ..call import Call
from .styles import Looks

#: Asks for something: its name for people, and the method that takes the callback.
Ask = Callable[[str, Callable[[Callback], "Future[Any]"]], None]


class CallRow(HBox):
    """The row of one call, and of no other: a click that is on its way when the call ends must
    not reach the next one.

    :param call: whose row it is.
    :param ask: asks for what a button says.
    """

    def __init__(self, call: Call, ask: Ask, looks: Looks) -> None:
        self.call = call
        self._ask = ask
        self._number: Optional[str] = None
        self.about = HTML(layout=looks.about, style=looks.html)
        self.answer = self._button("Answer", self._on_answer, looks)
        self.hang_up = self._button("Hang up", self._on_hang_up, looks)
        self.park = self._button("Park", self._on_park, looks)
        self.to = Text(placeholder="number", layout=looks.number, style=looks.text)
        self.transfer = self._button("Transfer", self._on_transfer, looks)
        super().__init__(
            [self.about, self.answer, self.hang_up, self.park, self.to, self.transfer],
            layout=looks.row,
        )

    def paint(self, number: Optional[str], connected: bool) -> None:
        """Shows the call as it is now.

        :param number: the line's own.
        :param connected: whether anything can be asked.
        """
        call = self.call
        self._number = number
        self.about.value = _about(call, number)
        goes_on = connected and not call.ended
        talks = goes_on and call.state == "CONNECT"
        parked = talks and call.callpark_slot is not None
        # Of a call of others, nobody knows which of the two is meant.
        ours = number in (call.caller, call.callee)
        self.answer.disabled = not (goes_on and call.state == "SETUP" and call.callee == number)
        self.hang_up.disabled = not goes_on
        self.park.disabled = not (talks and (ours or parked))
        self.park.description = "Take back" if parked else "Park"
        self.to.disabled = self.transfer.disabled = not (talks and ours) or parked

    def close(self) -> None:
        """Takes the row away from the notebook, with all that is in it."""
        for each in getattr(self, "children", ()):
            each.close()
        super().close()

    @property
    def other_side(self) -> Side:
        """The side of the call that is not this line's: who is parked and transferred."""
        return "callee" if self.call.caller == self._number else "caller"

    def _button(self, label: str, clicked: Callable[[Button], None], looks: Looks) -> Button:
        button = Button(
            description=label, disabled=True, layout=looks.short, style=looks.plain
        )
        button.on_click(clicked)
        return button

    def _on_answer(self, _: Button) -> None:
        self._ask("answer", self.call.answer)

    def _on_hang_up(self, _: Button) -> None:
        self._ask("hang up", self.call.hang_up)

    def _on_park(self, _: Button) -> None:
        if self.call.callpark_slot is not None:
            self._ask("take back", self.call.unpark)
        else:
            self._ask("park", partial(self.call.park, self.other_side))

    def _on_transfer(self, _: Button) -> None:
        to = as_dialled(self.to.value, self._number)
        self._ask("transfer", partial(self.call.transfer, self.other_side, to))


def _about(call: Call, number: Optional[str]) -> str:
    durations = [f"rang {stopwatch(call.get_ringing_duration())}"]
    if html.was_picked_up(call):
        durations.append(f"talked {stopwatch(call.get_duration())}")
    below = ", ".join(part for part in (*durations, html.remarks(call)) if part)
    # Always two lines, so that no row moves when there is more to say.
    return (
        f'<div style="line-height:1.5">{html.state(call)}&ensp;<b>{_who(call, number)}</b>'
        f"<br>{below}</div>"
    )


def _who(call: Call, number: Optional[str]) -> str:
    if call.callee == number:
        return f"from {html.number(call.caller)}"
    if call.caller == number:
        return f"to {html.number(call.callee)}"
    return f"{html.number(call.caller)} → {html.number(call.callee)}"
