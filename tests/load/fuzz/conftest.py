"""What the tests have in common: a target that takes all the inputs of a test."""

from __future__ import annotations

import gc
from typing import Iterator, Type

import pytest

from .target import Target


@pytest.fixture
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    kind: Type[Target] = request.param
    # No collection at the bottom of a deep recursion: whatever other tests have left would be
    # finalized there, where there is no room for it, and pytest would take that for a fault.
    gc.collect()
    gc.disable()
    try:
        tried = kind()
        yield tried
        tried.close()
    finally:
        gc.enable()


def on(*kinds: Type[Target]) -> pytest.MarkDecorator:
    """For a test that tries each of these targets."""
    names = [kind.name for kind in kinds]
    return pytest.mark.parametrize("target", kinds, indirect=True, ids=names)
