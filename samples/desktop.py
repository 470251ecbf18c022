"""A window that shows who calls, and answers, hangs up and transfers.

On the simulator, where Bob calls; 33172587948 is a colleague to transfer him to::

    python samples/desktop.py

On Keyyo::

    KEYYO_CSI_TOKEN=... python samples/desktop.py

Everything happens in the window's own thread, as Tk wants it: with ``dispatch="manual"`` the
handlers run in ``cti.poll()`` and nowhere else, and a timer of the window calls that.
"""

import signal
import sys
from typing import Any, Callable, Dict, Optional

from keyyo_cti import CTI, Call, KeyyoError
from keyyo_cti.directory import Names

try:
    import tkinter as tk
    from tkinter import ttk
except ImportError:
    sys.exit("desktop.py needs tkinter: on Debian and Ubuntu, apt install python3-tk")

#: Milliseconds between two looks for news: nobody notices, and it costs next to nothing.
TICK = 50

#: How many calls are shown, the last ones; a window may be open for months.
MOST = 100

STATES = {"SETUP": "ringing", "CONNECT": "talking", "RELEASE": "ended", "MISSED": "missed"}


class Window:
    """The calls of a line, the newest on top, and what can be done about the one selected.

    :param cti: one with ``dispatch="manual"``.
    :param names: names for numbers, such as a Directory.
    """

    def __init__(self, root: tk.Tk, cti: CTI, names: Optional[Names] = None) -> None:
        self.root = root
        self.names = names
        self.cti = cti
        #: The calls that are shown, by their rows.
        self.calls: Dict[str, Call] = {}
        self.status = tk.StringVar(root, "connecting")
        inside = ttk.Frame(root, padding=8)
        inside.pack(fill="both", expand=True)
        self.table = make_table(inside)
        buttons = ttk.Frame(inside, padding=(0, 8))
        buttons.pack(fill="x")
        self.answer = make_button(buttons, "Answer", self.on_answer)
        self.hang_up = make_button(buttons, "Hang up", self.on_hang_up)
        self.transfer = make_button(buttons, "Transfer to", self.on_transfer)
        self.to = ttk.Entry(buttons)
        self.to.pack(side="left", fill="x", expand=True)
        ttk.Label(inside, textvariable=self.status).pack(anchor="w")
        cti.onNewCall = self.on_new_call
        cti.onDisconnected = lambda: self.status.set("the connection is lost")
        self.tick()

    def tick(self) -> None:
        self.root.after(TICK, self.tick)
        self.cti.poll()
        for row, call in self.calls.items():
            if not call.ended:
                self.table.set(row, "Time", clock(call))
        self.allow()

    def connected(self, err: Optional[KeyyoError], res: Any) -> None:
        self.status.set(str(err) if err else f"connected as {res.number}")

    def on_new_call(self, call: Call) -> None:
        row = next((row for row, known in self.calls.items() if known is call), None)
        if row is None:
            row = self.table.insert("", 0)
            self.calls[row] = call
            self.forget_the_oldest()
        # Cell by cell: a list of values would have to be spelt as Tcl wants it.
        self.table.set(row, "From", self.party(call.caller))
        self.table.set(row, "To", self.party(call.callee))
        self.table.set(row, "State", STATES.get(text(call.state), text(call.state)))
        self.table.set(row, "Time", clock(call))
        self.table.item(row, tags=[text(call.state)])
        selected = self.selected()
        if selected is None or selected.ended:
            self.table.selection_set(row)

    def party(self, number: Any) -> str:
        """A number, behind its name if it has one: that is in memory, so nothing waits for it."""
        name = self.names.name_of(number) if self.names else None
        return text(number) if name is None else f"{one_line(name)}, {text(number)}"

    def forget_the_oldest(self) -> None:
        for row in self.table.get_children()[MOST:]:
            self.table.delete(row)
            del self.calls[row]

    def selected(self) -> Optional[Call]:
        rows = self.table.selection()
        return self.calls[rows[0]] if rows else None

    def allow(self) -> None:
        """Lets be pressed what makes sense now."""
        call = self.selected()
        goes_on = call is not None and not call.ended
        comes_in = call is not None and call.direction == "in"
        ringing = call is not None and call.state == "SETUP"
        self.enable(self.answer, comes_in and ringing)
        self.enable(self.hang_up, goes_on)
        # Of a call between others, nobody knows which of the two is meant.
        ours = call is not None and call.direction is not None
        self.enable(self.transfer, ours and goes_on and not ringing and bool(self.to.get()))

    def enable(self, button: ttk.Button, enabled: bool) -> None:
        button.configure(state="normal" if enabled else "disabled")

    def on_answer(self) -> None:
        call = self.selected()
        if call:
            call.answer(self.done)

    def on_hang_up(self) -> None:
        call = self.selected()
        if call:
            call.hang_up(self.done)

    def on_transfer(self) -> None:
        call = self.selected()
        if call and call.other_side:
            call.transfer(call.other_side, self.to.get(), self.done)

    def done(self, err: Optional[KeyyoError], res: Any) -> None:
        self.status.set(str(err) if err else "done")


def make_table(inside: ttk.Frame) -> ttk.Treeview:
    widths = {"From": 190, "To": 190, "State": 90, "Time": 70}
    table = ttk.Treeview(
        inside, columns=list(widths), show="headings", height=8, selectmode="browse"
    )
    for name, width in widths.items():
        table.heading(name, text=name, anchor="w")
        table.column(name, width=width)
    table.tag_configure("SETUP", background="#ffe9a8")
    table.tag_configure("CONNECT", background="#cdeccd")
    table.tag_configure("RELEASE", foreground="#707070")
    table.tag_configure("MISSED", foreground="#b00020")
    table.pack(fill="both", expand=True)
    return table


def make_button(inside: ttk.Frame, text: str, does: Callable[[], object]) -> ttk.Button:
    button = ttk.Button(inside, text=text, command=does)
    button.pack(side="left", padx=(0, 4))
    return button


def text(value: Any) -> str:
    """Whatever a server sends, as a text that Tk takes."""
    return str(value).encode(errors="replace").decode()


def one_line(name: str) -> str:
    """A name as it can be shown: others have written it, perhaps to look like something else."""
    return "".join(each if each.isprintable() else " " for each in text(name))


def clock(call: Call) -> str:
    """For how long they have been talking, or for how long it has rung."""
    talked = bool(call.connect_date)
    seconds = call.get_duration() if talked else call.get_ringing_duration()
    return f"{seconds // 60}:{seconds % 60:02}"


def run(token: str, options: Dict[str, Any], names: Optional[Names] = None) -> None:
    """Lasts until the window is closed."""
    root = tk.Tk()
    root.title("Calls")
    ttk.Style(root).theme_use("clam")
    # Tk would report Ctrl-C as a mistake of whatever runs just then, and go on.
    signal.signal(signal.SIGINT, lambda *_: root.quit())
    with CTI(options, dispatch="manual") as cti:
        window = Window(root, cti, names)
        cti.create_session(token, window.connected)
        root.mainloop()


if __name__ == "__main__":
    from whose_line import whose_line

    try:
        with whose_line(lambda sim, alice, bob: bob.call(alice)) as line:
            run(line.new_token(), line.options, line.names)
    except tk.TclError as error:
        sys.exit(f"there is no window: {error}")
