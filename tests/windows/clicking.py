"""samples/desktop_qt.py, with somebody who answers, and sends the caller on to a colleague.

The clicks are Qt's own, because a window that is drawn into memory has no screen. With
``KEYYO_CSI_TOKEN`` and ``KEYYO_ENDPOINT`` in the environment. It prints what the window says, in
a line of JSON each time.
"""

import json
import sys

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from keyyo_cti import Call
from samples import desktop_qt

from .strays import Strays

CAROL = "33172587948"

strays = Strays(desktop_qt)


class Clicked(desktop_qt.Window):
    """Is clicked on as soon as there is something to do."""

    def on_new_call(self, call: Call) -> None:
        super().on_new_call(call)
        print(json.dumps([self.text.text(), self.text.textFormat().name]), flush=True)
        if call.state == "SETUP" and str(call.caller).isdigit():
            self.click("Answer")
        elif call.state == "CONNECT":
            QTest.keyClicks(self.to, CAROL)
            self.click("Transfer")
        else:
            self.close()

    def click(self, label: str) -> None:
        [button] = [each for each in self.findChildren(QPushButton) if each.text() == label]
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)


if __name__ == "__main__":
    strays.run(Clicked)
    sys.exit(f"ran in other threads: {strays.names}" if strays.names else 0)
