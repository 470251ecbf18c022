"""Inputs as hypothesis draws them: anything, and what is nearly right."""

from typing import Any, Sequence

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from . import websocket_frames
from .answers import chunked, sized
from .streams import FRAMES
from .target import NEXT


def always(examples: int) -> settings:
    """The same inputs in each run, so that a failure is not one of luck."""
    return settings(
        deadline=None,
        derandomize=True,
        database=None,
        max_examples=examples,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


#: The head of an answer at which Python's parser of headers raises TypeError.
UNSORTED = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x; boundary*=a; boundary*0=b\r\n"

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)

#: Names and words of the field, and anything else.
WORDS = st.sampled_from([
    "SETUP", "CONNECT", "RELEASE", "MISSED", "33199000001", "callpark", "Invalid token", "", "\0",
    "Unknown session_id", "RPC invalid params", "Cannot treat action", "\ud800", "\x1b[2J\n",
    "nan", "1e999", "1_0", 1_700_000_000, -1, 0, 1e308, 10 ** 400, True, None,
])
_VALUES = WORDS | JSON


def _object(*names: str) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({}, optional={name: _VALUES for name in names})


_CALLS = _object(
    "caller", "callee", "state", "setup_date", "connect_date", "release_date", "callpark_slot",
    "_fields", "__class__", "type", "callref", "answer",
)

NOTIFICATIONS = st.builds(
    lambda call, callref: {"notify": "call", "call": {**call, "callref": callref}},
    _CALLS,
    st.sampled_from(["c1", "c2", "c3", "", "\ud800"]) | _VALUES,
)

REPLIES = st.fixed_dictionaries(
    {"id": st.integers(-1, 3) | _VALUES},
    optional={
        "error": _object("status_code", "message", "error_code") | _VALUES,
        "result": _object("number", "now", "session_id", "numbers", "auto_answer") | _VALUES,
    },
)

MESSAGES = NOTIFICATIONS | REPLIES | st.builds(
    lambda one, other: {**one, **other}, NOTIFICATIONS, REPLIES) | JSON


@st.composite
def mutated(draw: st.DrawFn, good: Sequence[bytes], tokens: Sequence[bytes] = ()) -> bytes:
    """A good input with a few changes."""
    data = bytearray(draw(st.sampled_from(list(good))))
    bits = st.binary(max_size=6)
    if tokens:
        bits |= st.sampled_from(list(tokens))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 6))] = draw(bits)
    return bytes(data)


TEXTS = st.text() | st.builds(
    "{}{}".format, st.sampled_from(["a", "a[", "m", "c", "c[", "c[3000,", "o", "h"]), st.text()
) | mutated(FRAMES).map(lambda data: data.decode("utf-8", "replace"))

WEBSOCKET_FRAMES = st.builds(
    websocket_frames.frame,
    st.sampled_from(FRAMES) | st.binary() | mutated(FRAMES),
    st.sampled_from([1, 1, 1, 0, 2, 8, 9, 10]) | st.integers(0, 15),
    fin=st.sampled_from([True, True, True, False]),
    reserved=st.sampled_from([0, 0, 0, 0, 0, 1, 2, 4, 7]),
    mask=st.none() | st.binary(min_size=4, max_size=4),
    claimed=st.none() | st.none() | st.integers(0, 3000) | st.integers(0, 2**64 - 1),
    width=st.sampled_from([0, 0, 2, 8]),
)

#: What a server sends on a websocket.
WEBSOCKET_STREAMS = st.lists(WEBSOCKET_FRAMES, max_size=6).map(b"".join) | st.binary()

_LINES = st.lists(
    st.sampled_from([frame + b"\n" for frame in FRAMES]) | st.binary(), min_size=1, max_size=5)


def http_answers(good: Sequence[bytes], tokens: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Whole answers of a server, one behind the other."""
    one = (
        _LINES.map(lambda lines: chunked(*lines))
        | _LINES.map(lambda lines: sized(b"".join(lines)))
        | mutated(good, tokens)
        | st.binary()
    )
    return st.lists(one, min_size=1, max_size=4).map(NEXT.join)
