"""Requirements of the suite that many responses share."""

from __future__ import annotations

import re

from ...helpers.xhr_client import Answer

SCRIPT = "application/javascript;charset=UTF-8"
PLAIN = "text/plain;charset=UTF-8"
JSON = "application/json;charset=UTF-8"

_A_LONG_TIME = r"max-age=[1-9]\d{6,}"


def content_type(answer: Answer) -> str:
    """Return the content type without spaces."""
    return answer.headers["Content-Type"].replace(" ", "")


def check_uncached(answer: Answer) -> None:
    assert answer.headers["Cache-Control"] == (
        "no-store, no-cache, no-transform, must-revalidate, max-age=0"
    )
    assert "Expires" not in answer.headers
    assert "Last-Modified" not in answer.headers


def check_readable_by(origin: str, answer: Answer) -> None:
    """A page of this origin may read the answer, with cookies."""
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"


def check_preflight(answer: Answer, origin: str, *methods: str) -> None:
    """Check that OPTIONS allows the methods, and that browsers may cache this."""
    assert answer.status in (200, 204)
    assert answer.text() == ""
    check_readable_by(origin, answer)
    allowed = answer.headers["Access-Control-Allow-Methods"].split(", ")
    assert set(methods) <= set(allowed)
    assert int(answer.headers["Access-Control-Max-Age"]) > 1_000_000
    assert "public" in answer.headers["Cache-Control"]
    assert re.search(_A_LONG_TIME, answer.headers["Cache-Control"])
    assert answer.headers["Expires"]


def check_not_allowed(answer: Answer) -> None:
    """Check that the method is refused with the allowed ones and without a body."""
    assert answer.status == 405
    assert answer.headers["Allow"]
    assert "Content-Type" not in answer.headers
    assert answer.text() == ""
