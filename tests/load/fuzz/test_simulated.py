"""Anything from a client at the simulator, without a wire."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from .conftest import on
from .simulated import SimulatedSide, command
from .strategies import JSON, always, mutated
from .target import Target


@on(SimulatedSide)
@always(120)
@given(
    st.builds(lambda kind, rest: bytes([kind]) + rest, st.integers(0, 2), st.binary())
    | mutated(SimulatedSide.seeds, SimulatedSide.tokens)
)
@example(b"\x00" + b"[" * 5000)
@example(b"\x01[" + b"9" * 5000 + b"]")
@example(b"\x02" + b"[" * 100_000)
@example(b"\x02" + b"9" * 5000)
def test_any_frame(target: Target, data: bytes) -> None:
    """Any frame, any body and any message is taken or refused."""
    target.attempt(data)


@pytest.mark.slow
@on(SimulatedSide)
@always(120)
@given(st.randoms(use_true_random=False), st.dictionaries(st.text(), JSON, max_size=2))
def test_any_command(target: Target, random: Random, more: Any) -> None:
    """A command with any fields is answered once, and never with an internal error."""
    asked = {**command(random), **more}
    target.attempt(b"\x02" + json.dumps(asked).encode())
