"""A field for a telephone number, with a command for the Enter key."""

import threading
from typing import Any, Callable, List

from ipywidgets import Text

from .._net.clock import NEVER, Monotonic, monotonic
from .styles import Styles

#: Maximum seconds from the message of the Enter key to the text, which the browser sends after it.
#: The way to a kernel elsewhere may be slow, and without the text the old number would be dialled.
_TEXT_TIMEOUT = 1.0

#: Seconds between two Enter keys, below which the second one repeats the first. Longer than the
#: wait for a text: a key that is held down is looked at once in that time.
_REPEAT_INTERVAL = 2.0


class NumberField(Text):
    """A text field that calls ``on_enter`` when the Enter key is pressed.

    The browser sends a text when the field is left, and on Enter. If it sent every change, a busy
    kernel would get a click before the last digits, and would dial a part of the number.

    On Enter it sends the key first and the text second, if the text has changed. A key that is
    held down sends many; the first one counts.

    :param on_enter: called without arguments, once the text is known.
    """

    def __init__(
        self,
        placeholder: str,
        on_enter: Callable[[], object],
        styles: Styles,
        clock: Monotonic = monotonic,
    ) -> None:
        self._on_enter = on_enter
        self._clock = clock
        # At most one timer. To pop it is one atomic step: it has a thread of its own.
        self._timers: List[threading.Timer] = []
        self._pressed_at = -NEVER
        self._last = ("", -NEVER)
        super().__init__(
            placeholder=placeholder,
            continuous_update=False,
            layout=styles.number,
            style=styles.text,
        )
        self.on_msg(self._on_message)
        self.observe(self._on_text, "value")

    def close(self) -> None:
        """Remove the field from the notebook; a key without its text has no effect."""
        self._take_timer()
        super().close()

    def _on_message(self, _: Any, content: Any, __: Any) -> None:
        if content == {"event": "submit"} and not self._timers:
            timer = threading.Timer(_TEXT_TIMEOUT, self._on_timeout)
            timer.daemon = True
            self._pressed_at = self._clock()
            self._timers.append(timer)
            timer.start()

    def _on_text(self, _: Any) -> None:
        if self._take_timer():
            self._enter()

    def _on_timeout(self) -> None:
        if not self._take_timer():
            return
        text, at = self._last
        if text == self.value and self._pressed_at - at < _REPEAT_INTERVAL:
            self._last = (text, self._pressed_at)
        else:
            self._enter()

    def _enter(self) -> None:
        self._last = (self.value, self._pressed_at)
        self._on_enter()

    def _take_timer(self) -> bool:
        """Return True for the first of the text and the timer."""
        try:
            self._timers.pop().cancel()
        except IndexError:
            return False
        return True
