"""How the board looks. Shared by all its rows: to a notebook, each of these is an object too."""

from typing import Any, List

from ipywidgets import ButtonStyle, Layout, Widget
from ipywidgets.widgets.widget_string import HTMLStyle, TextStyle


class Looks:
    """Layouts and styles of one board."""

    def __init__(self) -> None:
        self.row = Layout(align_items="center", padding="2px 8px", border_top="1px solid #8884")
        self.bar = Layout(align_items="center", padding="4px 8px")
        self.about = Layout(flex="1 1 auto", min_width="24em")
        self.line = Layout(margin="2px 8px")
        self.number = Layout(width="11em")
        self.short = Layout(width="5.5em")
        self.board = Layout(border="1px solid #8886", padding="4px", max_width="70em")
        self.plain = ButtonStyle()
        self.text = TextStyle()
        self.html = HTMLStyle()

    def close(self) -> None:
        """Takes them away from the notebook."""
        every: List[Any] = [each for each in vars(self).values() if isinstance(each, Widget)]
        for each in every:
            each.close()
