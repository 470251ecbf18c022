"""The secret fields of the server. Pure."""

from typing import Any

#: Parts of the names of secret fields.
_SECRET = ("session_id", "token")


def is_secret(name: Any) -> bool:
    """Return True if a field with this name is secret."""
    return any(part in str(name).lower() for part in _SECRET)
