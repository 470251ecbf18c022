"""The row of a call on the board: its state, and buttons for its commands."""

from concurrent.futures import Future
from functools import partial
from typing import Any, Callable, Dict, Optional

from ipywidgets import HTML, Button, HBox, Widget

from .._client.callback import Callback
from .._client.literals import Side
from .._display import html
from .._display.names import Names
from .._display.readable_time import format_duration
from .._display.telephone_number import parse_number
from ..call import Call
from .number_field import NumberField
from .styles import Styles

#: Sends a command, given its name for people and the method that takes the callback.
SendCommand = Callable[[str, Callable[[Callback], "Future[Any]"]], None]


class CallRow(HBox):
    """The row of one call. It shows only the buttons whose commands can succeed now.

    A row is never reused. Otherwise a click on a call that has just ended could reach the next.

    :param send_command: sends the command of a button.
    :param names: names beside numbers; None for those of the notebook.
    """

    def __init__(
        self,
        call: Call,
        send_command: SendCommand,
        styles: Styles,
        names: Optional[Names] = None,
    ) -> None:
        self.call = call
        self._send_command = send_command
        self._names = names
        self._number: Optional[str] = None
        self.about = HTML(layout=styles.about, style=styles.html)
        self.answer = self._make_button("Answer", self._on_answer, styles)
        self.reject = self._make_button("Reject", self._on_reject, styles)
        self.park = self._make_button("Park", self._on_park, styles)
        self.to = NumberField("number", self._transfer, styles)
        self.transfer = self._make_button("Transfer", self._on_transfer, styles)
        # Last, at the right: its place does not depend on the others.
        self.hang_up = self._make_button("Hang up", self._on_hang_up, styles)
        super().__init__([self.about], layout=styles.row)

    def refresh(self, number: Optional[str], connected: bool) -> None:
        """Show the present state of the call.

        :param number: the line's own number.
        :param connected: True if commands can be sent.
        """
        call = self.call
        self._number = number
        own = is_own(call, number)
        self.about.value = _format_call(call, own, self._names)
        active = connected and not call.ended
        rings_here = active and is_ringing_here(call, number)
        talking = active and call.state == "CONNECT"
        parked = talking and call.callpark_slot is not None
        # In a call between others, it is unclear which side to park or transfer.
        self._show({
            self.answer: rings_here,
            self.reject: rings_here,
            self.park: talking and (own or parked),
            self.to: talking and own and not parked,
            self.transfer: talking and own and not parked,
            self.hang_up: active and not rings_here,
        })
        self.park.description = "Take back" if parked else "Park"

    def _show(self, controls: Dict[Any, bool]) -> None:
        for control, usable in controls.items():
            control.disabled = not usable
        # ipywidgets sends nothing if the children are the same.
        self.children = (self.about, *(each for each, usable in controls.items() if usable))

    def close(self) -> None:
        """Remove the row and its widgets from the notebook."""
        # The hidden ones too. ipywidgets also closes a row whose __init__ has failed.
        for each in vars(self).copy().values():
            if isinstance(each, Widget):
                each.close()
        super().close()

    @property
    def has_buttons(self) -> bool:
        """True if the row shows a button."""
        return len(self.children) > 1

    @property
    def other_side(self) -> Side:
        """The side of the call that is not this line. It is parked and transferred."""
        return self.call.other_side or "caller"

    def _make_button(
        self, label: str, on_click: Callable[[Button], None], styles: Styles
    ) -> Button:
        button = Button(description=label, layout=styles.short, style=styles.plain)
        button.on_click(on_click)
        return button

    def _on_answer(self, _: Button) -> None:
        self._send_command("answer", self.call.answer)

    def _on_reject(self, _: Button) -> None:
        self._send_command("reject", self.call.reject)

    def _on_hang_up(self, _: Button) -> None:
        self._send_command("hang up", self.call.hang_up)

    def _on_park(self, _: Button) -> None:
        if self.call.callpark_slot is not None:
            self._send_command("take back", self.call.unpark)
        else:
            self._send_command("park", partial(self.call.park, self.other_side))

    def _on_transfer(self, _: Button) -> None:
        self._transfer()

    def _transfer(self) -> None:
        to = parse_number(self.to.value, self._number)
        self._send_command("transfer", partial(self.call.transfer, self.other_side, to))


def is_own(call: Call, number: Optional[str]) -> bool:
    """Return True if the line is a party of the call.

    :param number: the line's own number.
    """
    return number is not None and call.line == number


def is_ringing_here(call: Call, number: Optional[str]) -> bool:
    """Return True if the call rings at the line.

    :param number: the line's own number.
    """
    return call.state == "SETUP" and is_own(call, number) and call.other_side == "caller"


def _format_call(call: Call, own: bool, names: Optional[Names]) -> str:
    durations = [f"rang {format_duration(call.get_ringing_duration())}"]
    if html.was_picked_up(call):
        durations.append(f"talked {format_duration(call.get_duration())}")
    details = ", ".join(part for part in (*durations, html.render_remarks(call)) if part)
    parties = _format_parties(call, own, names)
    # Always two lines, so that the rows below do not move.
    return (
        f'<div style="line-height:1.5">{html.render_state(call)}&ensp;<b>{parties}</b>'
        f"<br>{details}</div>"
    )


def _format_parties(call: Call, own: bool, names: Optional[Names]) -> str:
    if own and call.other_side == "caller":
        return f"from {html.render_party(call.caller, names)}"
    if own:
        return f"to {html.render_party(call.callee, names)}"
    return f"{html.render_party(call.caller, names)} → {html.render_party(call.callee, names)}"
