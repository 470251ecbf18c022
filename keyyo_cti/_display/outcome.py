"""A Future as text and as HTML: what it waits for, its result, or why it failed. Pure."""

from typing import Any, NamedTuple, Optional

from .._net.text import plain, shorten
from . import html


class Outcome(NamedTuple):
    """What is known of a Future.

    :ivar subject: what it waits for.
    :ivar began: Unix time of the beginning, in seconds.
    :ivar done: True once it has its error or its result.
    """

    subject: str
    began: float
    done: bool
    error: Optional[BaseException]
    result: Any


def describe(future: Outcome) -> str:
    """Return a Future as text."""
    if not future.done:
        outcome = f"pending since {html.render_date(future.began)}"
    elif future.error is not None:
        outcome = f"failed: {_say(future.error)}"
    else:
        outcome = f"result {_write(future.result)}"
    return f"<Future of {shorten(plain(future.subject))}, {outcome}>"


def render(future: Outcome) -> str:
    """Return a Future as HTML."""
    what = f"<b>{html.escape_text(future.subject)}</b>"
    if not future.done:
        pending = html.render_chip("pending", html.WAITING)
        hint = html.render_faint("result(timeout=10) waits for the reply")
        return f"<div>{pending} {what} since {html.render_date(future.began)}<br>{hint}</div>"
    if future.error is None:
        done = html.render_chip("done", html.GOOD)
        return f"<div>{done} {what}{_render_value(future.result)}</div>"
    failed = html.render_chip("failed", html.BAD)
    return f"<div>{failed} {what}{_render_error(future.error)}</div>"


def _say(error: BaseException) -> str:
    # A KeyyoError has its status first; a type helps with others only.
    words = str(error) if _shows_itself(error) else f"{type(error).__name__}: {error}"
    return shorten(plain(words))


def _write(value: Any) -> str:
    """Return a result without its secrets: an access token or a CSI token is the text alone."""
    if isinstance(value, str):
        return "a text, hidden because it may be a secret"
    if isinstance(value, list) and not all(map(_shows_itself, value)):
        return f"{len(value)} item{'s' * (len(value) != 1)}"
    if isinstance(value, (dict, tuple, set, bytes)) and type(value).__module__ == "builtins":
        return type(value).__name__
    return shorten(plain(repr(value)))


def _shows_itself(value: Any) -> bool:
    return hasattr(type(value), "_repr_html_")


def _render_error(error: BaseException) -> str:
    if _shows_itself(error):
        return str(error._repr_html_())  # type: ignore[attr-defined]
    return f"<div>{html.escape_text(_say(error))}</div>"


def _render_value(value: Any) -> str:
    if _shows_itself(value):
        return str(value._repr_html_())
    if isinstance(value, list) and all(map(_shows_itself, value)):
        rest = len(value) - html.MAX_ROWS
        more = html.render_faint(f"and {rest} more") if rest > 0 else ""
        return "".join(map(_render_value, value[: html.MAX_ROWS])) + more
    return f"<div>{html.render_faint('result')} {html.escape_text(_write(value))}</div>"
