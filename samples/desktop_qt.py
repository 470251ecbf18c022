"""The window of desktop.py, in Qt: who calls, and three buttons.

It needs PySide6. On the simulator, where Bob calls; 33172587948 is a colleague to transfer him
to::

    pip install PySide6-Essentials
    python samples/desktop_qt.py

On Keyyo::

    KEYYO_CSI_TOKEN=... python samples/desktop_qt.py
"""

import sys
from typing import Any, Dict, Optional

from keyyo_cti import CTI, Call, KeyyoError
from keyyo_cti.directory import Names

try:
    from PySide6.QtCore import QObject, Qt, Signal, Slot
    from PySide6.QtWidgets import (
        QApplication,
        QLabel,
        QLineEdit,
        QPushButton,
        QVBoxLayout,
        QWidget,
    )
except ImportError:
    sys.exit("desktop_qt.py needs the package PySide6: pip install PySide6-Essentials")


class Loop(QObject):
    """Qt's own way from one thread into another: a signal to an object of the window's."""

    posted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.posted.connect(self.do, Qt.ConnectionType.QueuedConnection)

    @Slot(object)
    def do(self, work: Any) -> None:
        work()


class Window(QWidget):
    """The last call of a line, with the names of those who have one."""

    def __init__(self, cti: CTI, names: Optional[Names] = None) -> None:
        super().__init__(windowTitle="Calls")
        self.names = names
        self.call: Optional[Call] = None
        self.text = QLabel("connecting")
        # Else a caller named "<b>" would be markup.
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.to = QLineEdit(placeholderText="transfer to")
        answer, hang_up, transfer = map(QPushButton, ("Answer", "Hang up", "Transfer"))
        answer.clicked.connect(lambda: self.call and self.call.answer(self.done))
        hang_up.clicked.connect(lambda: self.call and self.call.hang_up(self.done))
        transfer.clicked.connect(lambda: self.call and self.call.other_side and self.call.transfer(
            self.call.other_side, self.to.text(), self.done))
        layout = QVBoxLayout(self)
        for widget in (self.text, answer, hang_up, self.to, transfer):
            layout.addWidget(widget)
        cti.onNewCall = self.on_new_call
        cti.onDisconnected = lambda: self.text.setText("the connection is lost")

    def on_new_call(self, call: Call) -> None:
        self.call = call
        caller, callee = self.party(call.caller), self.party(call.callee)
        self.text.setText(f"{caller} calls {callee}: {call.state}")

    def party(self, number: Any) -> str:
        # Others have written the name: without characters that turn the text around.
        name = self.names.name_of(number) if self.names else None
        shown = "".join(each if each.isprintable() else " " for each in name or "")
        return f"{shown}, {number}" if shown else str(number)

    def connected(self, err: Optional[KeyyoError], res: Any) -> None:
        self.text.setText(str(err) if err else f"connected as {res.number}")

    def done(self, err: Optional[KeyyoError], res: Any) -> None:
        if err:
            self.text.setText(str(err))


def run(token: str, options: Dict[str, Any], names: Optional[Names] = None) -> None:
    """Lasts until the window is closed."""
    application = QApplication([])
    loop = Loop()
    with CTI(options, dispatch=loop.posted.emit) as cti:
        window = Window(cti, names)
        cti.create_session(token, window.connected)
        window.show()
        application.exec()


if __name__ == "__main__":
    from whose_line import whose_line

    with whose_line(lambda sim, alice, bob: bob.call(alice)) as line:
        run(line.new_token(), line.options, line.names)
