"""What may go wrong on a stream."""


class WriteFailed(OSError):
    """A write did not reach its end; ``begun`` tells whether any of it went out."""

    def __init__(self, reason: str, begun: bool) -> None:
        super().__init__(reason)
        self.begun = begun


class EarlyBytes(OSError):
    """Bytes came before the server was asked for anything: somebody else may have written them."""


class TooLarge(Exception):
    """More bytes came than one message may have."""
