"""A CTI as text and as HTML: its line, connection, subscriptions and calls, without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, List

from .._net.text import plain, shorten

if TYPE_CHECKING:
    # Otherwise every program that imports a CTI would load the network libraries.
    from .client import Client


def describe(client: Client) -> str:
    """Return the text that ``repr`` shows."""
    number, calls = client.session.number, client.known_calls()
    line = "without a line yet" if not number else shorten(plain(str(number)))
    state = f"connected to {client.endpoint}" if client.connected else "not connected"
    parts = [line, state, _count_calls(len(calls), sum(not call.ended for call in calls))]
    return f"<CTI {', '.join(filter(None, parts))}>"


def render(client: Client) -> str:
    """Return the HTML that a notebook shows, with a table of the active calls."""
    from .._display import html

    number, connected = client.session.number, client.connected
    calls = client.known_calls()
    active = [call for call in calls if not call.ended]
    chip = html.render_chip("connected", html.GOOD) if connected else html.render_chip(
        "not connected", html.BAD
    )
    line = html.render_faint("without a line yet") if not number else html.render_number(number)
    rows = [("endpoint", html.escape_text(client.endpoint))]
    if connected:
        rows.append(("subscribed to", _render_subscriptions(client)))
    rows.append(("calls", _count_calls(len(calls), len(active)) or "none"))
    table = html.render_calls(active) if active else ""
    return f"<div>{chip}&ensp;<b>{line}</b>{html.render_pairs(rows)}{table}</div>"


def _render_subscriptions(client: Client) -> str:
    from .._display import html

    numbers = client.session.settings.list_subscriptions(client.session.number)
    if numbers is None:
        return html.render_faint("unknown: get_subscriptions() asks the service")
    more = [f"and {len(numbers) - html.MAX_ROWS} more"] if len(numbers) > html.MAX_ROWS else []
    shown: List[str] = [html.render_number(each) for each in numbers[: html.MAX_ROWS]]
    return ", ".join(shown + more) or html.render_faint("no line")


def _count_calls(known: int, active: int) -> str:
    if not known:
        return ""
    return f"{active} active call{'s' * (active != 1)}, {known - active} ended"
