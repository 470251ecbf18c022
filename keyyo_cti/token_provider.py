"""Valid CSI tokens of a line, on demand."""

from typing import Callable, Iterable, NamedTuple, Optional, Union

from ._net.clock import Monotonic, monotonic, wall_clock
from ._net.single_flight import SingleFlight
from .manager import Manager, ManagerClient

#: Maximum life of a CSI token in seconds.
_LIFE = 3600.0


class _CachedToken(NamedTuple):
    """A token, the times of its request on two clocks, and its life in seconds."""

    token: str
    monotonic: float
    wall: float
    life: float


class TokenProvider:
    """Returns a valid CSI token of a line when called: ``cti.create_session(new_token())``.

    A token is cached while it is valid, and created once for all threads. A call may block on the
    network, so do not call it where callbacks run.

    Source: Manager API 1.0, CSI tokens.

    :param manager: a ``Manager`` or a ``ManagerClient``.
    :param csi: the line's CSI.
    :param domain_masks: see ``ManagerClient.csi_token``.
    :param ahead: seconds before its expiry at which a token is replaced.
    :param monotonic: returns the time of a monotonic clock in seconds.
    :param wall: returns the time in Unix seconds.
    :raises TypeError: ``manager`` is something else, or ``domain_masks`` is one string.
    """

    def __init__(
        self,
        manager: Union[Manager, ManagerClient],
        csi: str,
        domain_masks: Iterable[str] = (),
        *,
        ahead: float = 300.0,
        monotonic: Monotonic = monotonic,
        wall: Callable[[], float] = wall_clock,
    ) -> None:
        self._client = manager.client if isinstance(manager, Manager) else manager
        if not isinstance(self._client, ManagerClient):
            raise TypeError(f"manager: expected a Manager, got {type(manager).__name__}")
        self._csi = csi
        if isinstance(domain_masks, str):
            raise TypeError("domain_masks: expected several strings, got one")
        self._domain_masks = tuple(domain_masks)
        self._ahead = ahead
        self._monotonic = monotonic
        self._wall = wall
        self._flights: SingleFlight[str] = SingleFlight("keyyo-cti-token")
        self._cached: Optional[_CachedToken] = None

    def __call__(self) -> str:
        """Return a token that is valid for at least ``ahead`` seconds.

        :raises KeyyoError: as for ``ManagerClient.csi_token``.
        """
        cached = self._cached
        return cached.token if cached is not None and self._is_valid(cached) else self.refresh()

    def refresh(self) -> str:
        """Create and return a new token, whatever is cached.

        :raises KeyyoError: as for ``ManagerClient.csi_token``.
        """
        return self._flights.do(self._create)

    def invalidate(self, token: Optional[str] = None) -> None:
        """Drop a refused token, so that the next call returns another.

        :param token: the token; one that was replaced in between is ignored. By default, the
            cached one.
        """
        cached = self._cached
        if cached is not None and token in (None, cached.token):
            self._cached = None

    def good_until(self) -> Optional[float]:
        """Return the Unix time until which the cached token is good, or None without one.

        It only reads. The next call may return a newer token.
        """
        cached = self._cached
        return None if cached is None else self._wall() + cached.life - self._get_age(cached)

    def _create(self) -> str:
        monotonic, wall = self._monotonic(), self._wall()
        created = self._client.csi_token(self._csi, self._domain_masks)
        # At most the life of a token: its expiry may be on a clock ahead of ours.
        life = min(created.expires_at - wall, _LIFE)
        self._cached = _CachedToken(created.token, monotonic, wall, life)
        return created.token

    def _is_valid(self, cached: _CachedToken) -> bool:
        return self._get_age(cached) < cached.life - self._ahead

    def _get_age(self, cached: _CachedToken) -> float:
        # The monotonic clock may stop during a suspend, and the wall clock may be set back.
        return max(self._monotonic() - cached.monotonic, self._wall() - cached.wall)

    def __repr__(self) -> str:
        return f"<TokenProvider of {self._csi}>"
