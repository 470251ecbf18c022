"""Signatures of webhooks, as Standard Webhooks 1.0 says. Pure."""

import base64
import binascii
import hashlib
import hmac
from typing import List, Sequence

_PREFIX = "whsec_"

#: Bytes of a key.
_MIN_KEY_BYTES, _MAX_KEY_BYTES = 24, 64

_HOW = f"expected {_PREFIX} and then {_MIN_KEY_BYTES} to {_MAX_KEY_BYTES} bytes in base64"


def parse_keys(text: str) -> List[bytes]:
    """Return the keys of a text: one secret, or several while receivers change to a new one.

    :raises ValueError: a secret is wrong. The message does not show it.
    """
    keys = [_parse_key(word) for word in text.split()]
    if not keys:
        raise ValueError(f"it is empty: {_HOW}")
    return keys


def sign(keys: Sequence[bytes], webhook_id: str, timestamp: int, body: bytes) -> str:
    """Return the header ``webhook-signature``: a signature by each key."""
    content = f"{webhook_id}.{timestamp}.".encode() + body
    digests = [hmac.new(key, content, hashlib.sha256).digest() for key in keys]
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def _parse_key(word: str) -> bytes:
    if not word.startswith(_PREFIX):
        raise ValueError(_HOW)
    try:
        key = base64.b64decode(word[len(_PREFIX):], validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(_HOW) from None
    if not _MIN_KEY_BYTES <= len(key) <= _MAX_KEY_BYTES:
        raise ValueError(f"{_HOW}, got {len(key)} bytes")
    return key
