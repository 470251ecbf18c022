"""The server's text for logs, errors and terminals. Pure."""

#: Characters of the server's text in a log line or on a screen.
_MAX_SHOWN = 500


def plain(text: str) -> str:
    """Return a text with its unprintable characters escaped."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def shorten(text: str, most: int = _MAX_SHOWN) -> str:
    """Return a text, shortened, with the count of the missing characters."""
    left_out = len(text) - most
    return text if left_out <= 0 else f"{text[:most]}... ({left_out} more characters)"
