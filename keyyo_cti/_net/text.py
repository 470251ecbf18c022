"""Text of the server in logs, errors and terminals. Pure."""

#: Characters of the server's text in a log line or on a screen.
_MAX_SHOWN = 500


def plain(text: str) -> str:
    """Text of the server for a terminal: what does not print is escaped."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def shorten(text: str, most: int = _MAX_SHOWN) -> str:
    """Cut a text that a server may have made megabytes long, and say by how much."""
    left_out = len(text) - most
    return text if left_out <= 0 else f"{text[:most]}... ({left_out} more characters)"
