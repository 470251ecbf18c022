"""Calls, results and errors for people who look at HTML, as in a notebook. Pure.

Whatever the server sends is text in it, and no secret is in it. Colours are part of each element,
since a notebook has a style sheet of its own, be it dark or light.
"""

import html
import time
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

from .._net.text import plain
from .dates import as_date
from .readable_time import format_duration, local_time
from .secret_fields import is_secret
from .telephone_number import format_number

#: What people say of each state, and its colour; white on it can be read.
STATES = {
    "SETUP": ("rings", "#b45309"),
    "CONNECT": ("talking", "#15803d"),
    "RELEASE": ("ended", "#475569"),
    "MISSED": ("missed", "#b91c1c"),
}

_UNKNOWN_STATE = "#6d28d9"

#: Characters of one text; a name can be as long as a message.
_LONGEST = 120

#: Rows of one table; a line can have thousands of calls.
MOST_ROWS = 100

#: Levels of a result; deeper than that nobody looks.
_DEEPEST = 4

_FAINT = "opacity:.65"


def call(one: Any) -> str:
    """A call: who with whom, how it stands, and for how long."""
    rows: List[Tuple[str, str]] = [
        ("from", number(one.caller)),
        ("to", number(one.callee)),
        ("began", moment(one.setup_date)),
        ("rang", format_duration(one.get_ringing_duration())),
    ]
    if was_picked_up(one):
        rows.append(("talked", format_duration(one.get_duration())))
    if as_date(one.release_date) is not None:
        rows.append(("ended", moment(one.release_date)))
    rows.append(("callref", _faint(text(one.callref))))
    return f"<div>{state(one)} {remarks(one)}{_pairs(rows)}</div>"


def calls(several: Sequence[Any]) -> str:
    """A list of calls as a table, the last ones of a long list."""
    if not several:
        return f"<div>{_faint('no calls')}</div>"
    left_out = len(several) - MOST_ROWS
    above = f"<div>{_faint(f'{left_out} calls before these')}</div>" if left_out > 0 else ""
    head = _row(["", "from", "to", "began", "rang", "talked", ""], "th")
    return above + _table(head + "".join(map(_call_row, several[-MOST_ROWS:])))


def result(fields: Mapping[Any, Any]) -> str:
    """A result of the server, without what is secret in it."""
    return f"<div>{_fields(fields, 1)}</div>"


def error(status_code: Any, message: Any, error_code: Any, notes: Sequence[str]) -> str:
    """An error: its status, the server's words, and what to do."""
    code = f" {_faint(f'<code>{text(error_code)}</code>')}" if error_code else ""
    hint = f"<br>{_faint('; '.join(map(text, notes)))}" if notes else ""
    status = chip(text(status_code), STATES["MISSED"][1])
    return f"<div>{status} <b>{text(message)}</b>{code}{hint}</div>"


def state(one: Any) -> str:
    """How a call stands, in a word and in colour."""
    told = one.state
    word, colour = STATES.get(told if isinstance(told, str) else "", (None, _UNKNOWN_STATE))
    if word is None:
        word = "unknown" if told is None else text(told)
    return chip(word, colour)


def remarks(one: Any) -> str:
    """What is unusual in a call."""
    said = []
    if one.callpark_slot is not None:
        said.append(f"parked in slot {number(one.callpark_slot)}")
    if one.stale:
        said.append("may have ended")
    return _faint(", ".join(said)) if said else ""


def was_picked_up(one: Any) -> bool:
    """True if it is known that the callee of a call picked up."""
    return as_date(one.connect_date) is not None or one.get_duration() > 0


def number(value: Any) -> str:
    """A number as people write it."""
    return _faint("unknown") if value is None else text(as_written_safely(value))


def as_written_safely(value: Any) -> str:
    """The same without HTML: what does not print is escaped, and what is long is cut."""
    return _printable(value, format_number)


def moment(date: Any) -> str:
    """A date of the server in local time; the day only if it is another than today."""
    then, today = local_time(date), time.localtime()
    if then is None:
        return text(date) if date else _faint("unknown")
    day = time.strftime("%Y-%m-%d", then)
    clock = time.strftime("%H:%M:%S", then)
    return clock if day == time.strftime("%Y-%m-%d", today) else f"{day} {clock}"


def text(value: Any) -> str:
    """Anything at all, as text in HTML."""
    return html.escape(_printable(value, str))


def _printable(value: Any, write: Callable[[Any], str]) -> str:
    try:
        written = write(value)
    except Exception:
        # An integer with too many digits, or a thing of the user's own.
        written = f"<{type(value).__name__}>"
    short = written if len(written) <= _LONGEST else written[: _LONGEST - 1] + "…"
    return plain(short)


def _call_row(one: Any) -> str:
    # The list is the user's, who may have put anything into it.
    if not hasattr(type(one), "get_ringing_duration"):
        return _row([text(one)])
    return _row(
        [
            state(one),
            number(one.caller),
            number(one.callee),
            moment(one.setup_date),
            format_duration(one.get_ringing_duration()),
            format_duration(one.get_duration()) if was_picked_up(one) else "",
            remarks(one),
        ]
    )


def _fields(fields: Mapping[Any, Any], depth: int) -> str:
    if not fields:
        return _faint("empty")
    rows = [
        (text(name), _faint("hidden") if is_secret(name) else _value(name, value, depth))
        for name, value in list(fields.items())[:MOST_ROWS]
    ]
    return _pairs(rows) + _more(len(fields))


def _value(name: Any, value: Any, depth: int) -> str:
    if isinstance(value, (dict, list)) and depth >= _DEEPEST:
        return "…"
    if isinstance(value, dict):
        return _fields(value, depth + 1)
    if isinstance(value, list):
        items = [_value(name, item, depth + 1) for item in value[:MOST_ROWS]]
        return "<br>".join(items) + _more(len(value)) if items else _faint("empty")
    write = _BY_NAME.get(name) if isinstance(name, str) else None
    return (write or text)(value)


_BY_NAME: Dict[str, Callable[[Any], str]] = {
    "number": number,
    "numbers": number,
    "now": moment,
}


def _more(count: int) -> str:
    return f"<div>{_faint(f'and {count - MOST_ROWS} more')}</div>" if count > MOST_ROWS else ""


def chip(word: str, colour: str) -> str:
    """A word on a colour; the word is HTML."""
    style = f"background:{colour};color:#fff;border-radius:.6em;padding:.1em .6em"
    return f'<span style="{style};white-space:nowrap">{word}</span>'


def _faint(inner: str) -> str:
    return f'<span style="{_FAINT}">{inner}</span>'


def _pairs(rows: Sequence[Tuple[str, str]]) -> str:
    return _table("".join(_row([_faint(name), value]) for name, value in rows))


def _table(rows: str) -> str:
    return f'<table style="margin:.3em 0">{rows}</table>'


def _row(cells: Sequence[str], tag: str = "td") -> str:
    # A notebook's own style puts text to the right.
    style = "text-align:left;padding:.15em .8em .15em 0"
    inner = "".join(f'<{tag} style="{style}">{cell}</{tag}>' for cell in cells)
    return f"<tr>{inner}</tr>"
