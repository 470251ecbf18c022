"""TLS certificates for tests, valid and invalid ones."""

from __future__ import annotations

import ssl
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Optional, Union

from .._display.extras import install_hint
from .arguments import require_one_of

TRUSTED = "trusted"
EXPIRED = "expired"
WRONG_HOST = "wrong-host"
SELF_SIGNED = "self-signed"
CERTIFICATES = (TRUSTED, EXPIRED, WRONG_HOST, SELF_SIGNED)

ELSEWHERE = "elsewhere.invalid"


def require_certificate(tls: Union[bool, str]) -> str:
    """Return the kind of certificate that `tls` selects; "" for none.

    :raises TypeError: it is neither a bool nor a string.
    :raises ValueError: there is no such certificate.
    """
    if isinstance(tls, bool):
        return TRUSTED if tls else ""
    if not isinstance(tls, str):
        raise TypeError(f"tls: expected a bool or a string, got {type(tls).__name__}")
    return require_one_of(tls, CERTIFICATES, "tls")


class Certificates:
    """A new CA, and a server certificate that is valid or deliberately invalid.

    :param host: the server's host name.
    :param kind: one of `CERTIFICATES`.
    :ivar context: the server's TLS settings.
    :raises ImportError: trustme is not installed.
    """

    def __init__(self, host: str, kind: str) -> None:
        try:
            import trustme
        except ImportError as error:
            raise ImportError(
                f"TLS in the simulator needs trustme: {install_hint('simulator')}"
            ) from error
        authority = trustme.CA()
        self._authority_pem = authority.cert_pem
        self._folder: Optional[tempfile.TemporaryDirectory[str]] = None
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        if kind == SELF_SIGNED:
            # A CA certificate is self-signed.
            stranger = trustme.CA()
            both = stranger.private_key_pem.bytes() + stranger.cert_pem.bytes()
            with trustme.Blob(both).tempfile() as path:
                self.context.load_cert_chain(path)
            return
        names = [ELSEWHERE] if kind == WRONG_HOST else sorted({host, "localhost", "127.0.0.1"})
        yesterday = datetime.now(timezone.utc) - timedelta(days=1)
        authority.issue_cert(
            *names, not_after=yesterday if kind == EXPIRED else None
        ).configure_cert(self.context)

    @property
    def ca_certs(self) -> Optional[str]:
        """The path of the CA certificate; None while it is not published."""
        return None if self._folder is None else str(Path(self._folder.name, "authority.pem"))

    def publish(self) -> None:
        """Write the CA certificate to a new temporary directory."""
        self._folder = tempfile.TemporaryDirectory(prefix="keyyo-simulator-")
        self._authority_pem.write_to_path(str(self.ca_certs))

    def remove(self) -> None:
        """Remove the file; harmless to repeat."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
