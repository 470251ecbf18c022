"""What handlers and token providers of a soak do on purpose, and nobody is to be blamed for."""

from __future__ import annotations

from keyyo_cti import KeyyoError


class Mischief(Exception):
    """Raised by a handler, a callback or a token provider, on purpose."""


class NoNetwork(Mischief, OSError):
    """Raised by a token provider: its network is down, and may come back."""


class Dismissed(KeyyoError):
    """Raised by a token provider: it is not let in any more."""

    def __init__(self) -> None:
        super().__init__(403, "dismissed on purpose")
