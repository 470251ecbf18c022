"""Layouts and styles of a board, shared by its rows."""

from typing import Any, Dict, List

from ipywidgets import ButtonStyle, Layout, Widget
from ipywidgets.widgets.widget_string import HTMLStyle, TextStyle

#: Two names for one animation, which another name starts again. While it runs, a row that has
#: moved ignores clicks.
MOVED_CLASSES = ("keyyo-cti-moved-a", "keyyo-cti-moved-b")

#: The style sheet of the board.
CSS = "".join(
    f"@keyframes {name} {{from {{opacity: .2; pointer-events: none}} "
    "99% {opacity: 1; pointer-events: none}} "
    f".{name} {{animation: {name} .8s}} "
    for name in MOVED_CLASSES
)


class Styles:
    """Layouts and styles of one board.

    Each of them is an object of the notebook too. Otherwise every row would add several.
    """

    def __init__(self) -> None:
        self.board = Layout(border="1px solid #8886", padding="4px", max_width="70em")
        self.rows = Layout(overflow="visible")
        # Arguments, because each slot has its own place.
        self.slot: Dict[str, Any] = {"overflow": "visible"}
        self.bar = Layout(align_items="center", padding="4px 8px", flex_flow="row wrap")
        self.row = Layout(
            align_items="center",
            # Buttons that a narrow window wraps stay at the right.
            justify_content="flex-end",
            padding="2px 8px",
            flex_flow="row wrap",
            border_top="1px solid #8884",
        )
        self.about = Layout(flex="1 1 20em")
        self.line = Layout(margin="2px 8px")
        self.number = Layout(width="11em", flex="0 0 auto")
        # Wide enough for the longest label. Otherwise a new label would move the buttons.
        self.short = Layout(width="6.5em", flex="0 0 auto")
        self.plain = ButtonStyle()
        self.text = TextStyle()
        self.html = HTMLStyle()

    def close(self) -> None:
        """Remove them from the notebook."""
        widgets: List[Any] = [each for each in vars(self).values() if isinstance(each, Widget)]
        for each in widgets:
            each.close()
