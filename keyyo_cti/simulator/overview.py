"""A simulator as text and as HTML, for people."""

from __future__ import annotations

import html
from typing import Iterable, List, Sequence, Union

from .phones import Line, Phone

MAX_NAMED = 5
"""Lines or telephones that a text names."""

MAX_ROWS = 100
"""Rows of the table. A load test can have thousands of telephones."""


def describe(where: str, lines: Sequence[Line], phones: Sequence[Phone]) -> str:
    """Return a simulator as text.

    :param where: its endpoint, or "not running".
    """
    parts = [where]
    for kind, some in (("lines", lines), ("telephones", phones)):
        if some:
            named = [_describe_one(each) for each in some[:MAX_NAMED]]
            more = [f"{len(some) - MAX_NAMED} more"] if len(some) > MAX_NAMED else []
            parts.append(f"{kind}: {', '.join(named + more)}")
    return f"<Simulator {'; '.join(parts)}>"


def render(where: str, lines: Sequence[Line], phones: Sequence[Phone]) -> str:
    """Return a simulator as HTML. The parameters are those of `describe`."""
    rows = [_render_row("th", ["", "number", "name", ""])]
    shown: List[Union[Line, Phone]] = [*lines, *phones]
    rows += [_render_row("td", _list_cells(each)) for each in shown[:MAX_ROWS]]
    left_out = len(shown) - MAX_ROWS
    more = f"<div>and {left_out} more</div>" if left_out > 0 else ""
    table = f'<table style="margin:.3em 0">{"".join(rows)}</table>' if len(rows) > 1 else ""
    return f"<div><b>Simulator</b> {html.escape(where)}{table}{more}</div>"


def _describe_one(one: Union[Line, Phone]) -> str:
    name = getattr(one, "name", "")
    return f"{one.number} {name!r}" if name else one.number


def _list_cells(one: Union[Line, Phone]) -> List[str]:
    if isinstance(one, Phone):
        return ["telephone", one.number, getattr(one, "name", ""), ""]
    remarks = []
    if one.short_number:
        remarks.append(f"short number {one.short_number}")
    if not one.plugin_enabled:
        remarks.append("CTI plugin disabled")
    if not one.phone_registered:
        remarks.append("no telephone registered")
    return ["line", one.number, one.name, ", ".join(remarks)]


def _render_row(tag: str, cells: Iterable[str]) -> str:
    # Otherwise the style sheet of a notebook aligns text to the right.
    style = "text-align:left;padding:.15em .8em .15em 0"
    return "<tr>{}</tr>".format(
        "".join(f'<{tag} style="{style}">{html.escape(cell)}</{tag}>' for cell in cells)
    )
