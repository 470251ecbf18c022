"""Calls, results and errors as HTML, for notebooks. Pure.

Text of the server is escaped, and secrets are left out. Each element has its own colours, because
the style sheet of a notebook may be dark or light.
"""

import html
import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from .._net.text import plain
from .call_state import PARKED, WORDS, describe_state
from .dates import as_date
from .names import Names, find_name, get_shown
from .readable_time import format_duration, local_time
from .secret_fields import is_secret
from .telephone_number import format_number

#: The word for each state, and its background colour, for white text.
STATES = {
    "SETUP": (WORDS["SETUP"], "#b45309"),
    "CONNECT": (WORDS["CONNECT"], "#15803d"),
    "RELEASE": (WORDS["RELEASE"], "#475569"),
    "MISSED": (WORDS["MISSED"], "#b91c1c"),
}

#: By word.
_COLOURS = {**dict(STATES.values()), PARKED: "#0e7490"}

#: The colours of something that waits, that is good, and that is bad.
WAITING, GOOD, BAD = (STATES[state][1] for state in ("SETUP", "CONNECT", "MISSED"))

_UNKNOWN_STATE = "#6d28d9"

#: Characters of one text. A name from the server can be as long as a message.
_MAX_TEXT_LENGTH = 120

#: Rows of one table. A line can have thousands of calls.
MAX_ROWS = 100

#: Nested levels of a result.
_MAX_DEPTH = 4

_FAINT = "opacity:.65"


def render_call(one: Any) -> str:
    """Return a call: its state, numbers, dates and durations."""
    rows: List[Tuple[str, str]] = [
        ("from", render_party(one.caller)),
        ("to", render_party(one.callee)),
        ("began", render_date(one.setup_date)),
        ("rang", format_duration(one.get_ringing_duration())),
    ]
    if was_picked_up(one):
        rows.append(("talked", format_duration(one.get_duration())))
    if as_date(one.release_date) is not None:
        rows.append(("ended", render_date(one.release_date)))
    rows.append(("callref", render_faint(escape_text(one.callref))))
    return f"<div>{render_state(one)} {render_remarks(one)}{render_pairs(rows)}</div>"


def render_calls(several: Sequence[Any]) -> str:
    """Return a table of calls, the last ones of a long list."""
    if not several:
        return f"<div>{render_faint('no calls')}</div>"
    left_out = len(several) - MAX_ROWS
    above = f"<div>{render_faint(f'{left_out} calls before these')}</div>" if left_out > 0 else ""
    head = _row(["", "from", "to", "began", "rang", "talked", ""], "th")
    return above + _table(head + "".join(map(_call_row, several[-MAX_ROWS:])))


def render_result(fields: Mapping[Any, Any]) -> str:
    """Return a result of the server without its secrets."""
    return f"<div>{_fields(fields, 1)}</div>"


def render_error(status_code: Any, message: Any, error_code: Any, notes: Sequence[str]) -> str:
    """Return an error: its status, message and hints."""
    quoted = render_faint(f"<code>{escape_text(error_code)}</code>")
    code = f" {quoted}" if error_code else ""
    hint = f"<br>{render_faint('; '.join(map(escape_text, notes)))}" if notes else ""
    status = render_chip(escape_text(status_code), BAD)
    return f"<div>{status} <b>{escape_text(message)}</b>{code}{hint}</div>"


def render_state(one: Any) -> str:
    """Return the state of a call as a coloured word."""
    word = _printable(one.state, lambda state: describe_state(state, one.callpark_slot))
    return render_chip(html.escape(word), _COLOURS.get(word, _UNKNOWN_STATE))


def render_remarks(one: Any) -> str:
    """Return the remarks for a parked or stale call."""
    said = []
    if one.callpark_slot is not None:
        said.append(f"parked in slot {render_number(one.callpark_slot)}")
    if one.stale:
        said.append("may have ended")
    return render_faint(", ".join(said)) if said else ""


def was_picked_up(one: Any) -> bool:
    """Return True if the callee of a call is known to have picked up."""
    return as_date(one.connect_date) is not None or one.get_duration() > 0


def render_number(value: Any) -> str:
    """Return a number in groups of digits."""
    return render_faint("unknown") if value is None else escape_text(format_number_safely(value))


def render_party(value: Any, names: Optional[Names] = None) -> str:
    """Return a number in groups of digits, with its name in front if it has one.

    :param names: by default those of ``set_shown``.
    """
    name = find_name(get_shown() if names is None else names, value)
    if not name:
        return render_number(value)
    # Isolated, because a name may be written from right to left, and would carry digits along.
    isolated = f'<span style="unicode-bidi:isolate">{html.escape(name)}</span>'
    return f"{isolated} {render_faint(render_number(value))}"


def format_number_safely(value: Any) -> str:
    """Return the same as text without HTML, printable and shortened."""
    return _printable(value, format_number)


def render_date(date: Any) -> str:
    """Return a date of the server in local time, without the day if it is today."""
    then, today = local_time(date), time.localtime()
    if then is None:
        return escape_text(date) if date else render_faint("unknown")
    day = time.strftime("%Y-%m-%d", then)
    clock = time.strftime("%H:%M:%S", then)
    return clock if day == time.strftime("%Y-%m-%d", today) else f"{day} {clock}"


def escape_text(value: Any) -> str:
    """Return any value as text in HTML."""
    return html.escape(_printable(value, str))


def _printable(value: Any, write: Callable[[Any], str]) -> str:
    try:
        written = write(value)
    except Exception:
        # An integer with too many digits, or an object of the program.
        written = f"<{type(value).__name__}>"
    short = written if len(written) <= _MAX_TEXT_LENGTH else written[: _MAX_TEXT_LENGTH - 1] + "…"
    return plain(short)


def _call_row(one: Any) -> str:
    # A program may put any object into the list.
    if not hasattr(type(one), "get_ringing_duration"):
        return _row([escape_text(one)])
    return _row(
        [
            render_state(one),
            render_party(one.caller),
            render_party(one.callee),
            render_date(one.setup_date),
            format_duration(one.get_ringing_duration()),
            format_duration(one.get_duration()) if was_picked_up(one) else "",
            render_remarks(one),
        ]
    )


def _fields(fields: Mapping[Any, Any], depth: int) -> str:
    if not fields:
        return render_faint("empty")
    hidden = render_faint("hidden")
    rows = [
        (escape_text(name), hidden if is_secret(name) else _value(name, value, depth))
        for name, value in list(fields.items())[:MAX_ROWS]
    ]
    return render_pairs(rows) + _more(len(fields))


def _value(name: Any, value: Any, depth: int) -> str:
    if isinstance(value, (dict, list)) and depth >= _MAX_DEPTH:
        return "…"
    if isinstance(value, dict):
        return _fields(value, depth + 1)
    if isinstance(value, list):
        items = [_value(name, item, depth + 1) for item in value[:MAX_ROWS]]
        return "<br>".join(items) + _more(len(value)) if items else render_faint("empty")
    write = _BY_NAME.get(name) if isinstance(name, str) else None
    return (write or escape_text)(value)


_BY_NAME: Dict[str, Callable[[Any], str]] = {
    "number": render_number,
    "numbers": render_number,
    "now": render_date,
}


def _more(count: int) -> str:
    return f"<div>{render_faint(f'and {count - MAX_ROWS} more')}</div>" if count > MAX_ROWS else ""


def render_chip(word: str, colour: str) -> str:
    """Return a word with a background colour.

    :param word: HTML.
    """
    style = f"background:{colour};color:#fff;border-radius:.6em;padding:.1em .6em"
    return f'<span style="{style};white-space:nowrap">{word}</span>'


def render_faint(inner: str) -> str:
    """Return HTML in a faint colour."""
    return f'<span style="{_FAINT}">{inner}</span>'


def render_pairs(rows: Sequence[Tuple[str, str]]) -> str:
    """Return a table of names and values, which are HTML."""
    return _table("".join(_row([render_faint(name), value]) for name, value in rows))


def _table(rows: str) -> str:
    return f'<table style="margin:.3em 0">{rows}</table>'


def _row(cells: Sequence[str], tag: str = "td") -> str:
    # Otherwise the style sheet of a notebook aligns text to the right.
    style = "text-align:left;padding:.15em .8em .15em 0"
    inner = "".join(f'<{tag} style="{style}">{cell}</{tag}>' for cell in cells)
    return f"<tr>{inner}</tr>"
