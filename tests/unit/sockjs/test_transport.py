"""What is the same for every transport."""

from __future__ import annotations

import pytest

from keyyo_cti._sockjs.transport import SendProgress, Transport


def test_departure() -> None:
    """Of a message that nobody has begun to write, nothing has left."""
    assert SendProgress().begun is False


def test_patience() -> None:
    """A transport is given up as soon as is wanted, unless it says otherwise."""
    assert Transport.min_silence_timeout == 0.0


def test_abstract() -> None:
    """A transport has to be one."""
    with pytest.raises(TypeError):
        Transport(None)  # type: ignore[abstract, arg-type]
