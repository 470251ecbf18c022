"""The trusted certificate authorities, and the TLS contexts with them."""

import os
import ssl
import threading
from collections import OrderedDict
from typing import Optional, Tuple

from . import process
from .log_thread import ThreadedLogger

_log = ThreadedLogger("keyyo_cti.sockjs")

#: Maximum number of cached contexts, one for each file or folder of authorities.
_MAX_KEPT = 32

#: The attributes of a file that change with its contents.
_State = Tuple[int, int, int]


class NoAuthorities(OSError):
    """There are no trusted certificate authorities."""


class _Kept:
    """A context, the state of its file, and whether a warning has been logged."""

    __slots__ = ("state", "context", "warned")

    def __init__(self, state: _State, context: ssl.SSLContext) -> None:
        self.state = state
        self.context = context
        self.warned = False


class Contexts:
    """A cache of TLS contexts by the file or folder of their authorities. Thread-safe.

    Connections share a context, which takes a megabyte and tens of milliseconds. A changed file
    is read again. A context outlives its file. Otherwise a cleanup of temporary folders, where
    one-file programs unpack their authorities, would end every restore.
    """

    def __init__(self, size: int = _MAX_KEPT) -> None:
        self._size = size
        self._kept: "OrderedDict[str, _Kept]" = OrderedDict()
        self.renew_lock()

    def renew_lock(self) -> None:
        """Replace the lock, in a child of ``fork``, where it may be held for good."""
        self._lock = threading.Lock()

    def get(self, authorities: str) -> ssl.SSLContext:
        """Return the context with these authorities.

        :raises NoAuthorities: this process could never read them.
        """
        kept = self._find(authorities)
        try:
            found = os.stat(authorities)
            state = found.st_mtime_ns, found.st_size, found.st_ino
            if kept is None or kept.state != state:
                kept = self._keep(authorities, _Kept(state, _make_context(authorities)))
            kept.warned = False
        except OSError as error:
            problem = _describe(error, authorities)
            if kept is None:
                raise NoAuthorities(problem) from error
            self._warn(kept, problem)
        return kept.context

    def _find(self, authorities: str) -> Optional[_Kept]:
        with self._lock:
            kept = self._kept.get(authorities)
            if kept is not None:
                self._kept.move_to_end(authorities)
            return kept

    def _keep(self, authorities: str, kept: _Kept) -> _Kept:
        with self._lock:
            self._kept[authorities] = kept
            self._kept.move_to_end(authorities)
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return kept

    def _warn(self, kept: _Kept, problem: str) -> None:
        with self._lock:
            warned, kept.warned = kept.warned, True
        if not warned:
            _log.warning(
                "the certificate authorities cannot be read any more: %s. This program goes on "
                "with those that it read before; restore the file for the next start",
                problem,
            )


_contexts = Contexts()

process.run_in_child(_contexts.renew_lock)


def find_authorities(ca_certs: Optional[str]) -> str:
    """Return the file or folder of the trusted authorities, the same for every transport."""
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    environment = (os.environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"))
    return ca_certs or next(filter(None, environment), None) or DEFAULT_CA_BUNDLE_PATH


def get_tls_context(authorities: str) -> ssl.SSLContext:
    """Return the context with these authorities, see ``Contexts``.

    :raises NoAuthorities: this process could never read them.
    """
    return _contexts.get(authorities)


def _make_context(authorities: str) -> ssl.SSLContext:
    where = "capath" if os.path.isdir(authorities) else "cafile"
    context = ssl.create_default_context(**{where: authorities})  # type: ignore[arg-type]
    # Otherwise Python 3.9 uses OpenSSL's configuration, which may allow TLS 1.0.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _describe(error: OSError, authorities: str) -> str:
    if isinstance(error, ssl.SSLError):
        return f"there is no certificate in {authorities}"
    return f"{os.strerror(error.errno or 0)}: {authorities}"
