"""The errors of a stream."""


class WriteFailed(OSError):
    """A write is incomplete.

    :ivar begun: True if any of it may have left.
    """

    def __init__(self, reason: str, begun: bool) -> None:
        super().__init__(reason)
        self.begun = begun


class EarlyBytes(OSError):
    """Bytes arrived before the first request: another machine may have written them."""


class TooLarge(Exception):
    """More bytes arrived than allowed."""
