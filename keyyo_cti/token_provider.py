"""A fresh CSI token, whenever a session needs one."""

from typing import Callable, Iterable, NamedTuple, Optional, Union

from ._net.clock import Monotonic, monotonic, wall_clock
from ._net.single_flight import SingleFlight
from .manager import Manager, ManagerClient

#: Seconds that a CSI token lives at most.
_LIFE = 3600.0


class _Kept(NamedTuple):
    """A token, the times on two clocks when it was asked for, and the seconds that it lives."""

    token: str
    monotonic: float
    wall: float
    life: float


class TokenProvider:
    """Gives a CSI token of one line, as a function: ``cti.create_session(new_token())``.

    A token is kept while it is good, and minted once, however many threads want it. What one
    thread waits for is the network: it may be called from any thread but that of callbacks,
    which it would hold up.

    Source: Manager API 1.0, CSI tokens.

    :param manager: a ``Manager``, or a ``ManagerClient``.
    :param csi: the line's.
    :param domain_masks: see ``ManagerClient.csi_token``.
    :param ahead: seconds before its expiry from which a token is not given out any more.
    :param monotonic: a clock in seconds that nobody sets.
    :param wall: the clock, in Unix seconds.
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
        self._kept: Optional[_Kept] = None

    def __call__(self) -> str:
        """A token that is good for a while.

        :raises KeyyoError: as ``ManagerClient.csi_token``.
        """
        kept = self._kept
        return kept.token if kept is not None and self._good(kept) else self.refresh()

    def refresh(self) -> str:
        """A new token, whatever there is.

        :raises KeyyoError: as ``ManagerClient.csi_token``.
        """
        return self._flights.do(self._mint)

    def invalidate(self, token: Optional[str] = None) -> None:
        """Forgets a token that was refused, so that the next call gives another.

        :param token: which; one that was replaced meanwhile is forgotten already. By default
            whatever there is.
        """
        kept = self._kept
        if kept is not None and token in (None, kept.token):
            self._kept = None

    def _mint(self) -> str:
        monotonic, wall = self._monotonic(), self._wall()
        minted = self._client.csi_token(self._csi, self._domain_masks)
        # No longer than tokens live, should its date be on a clock that is ahead of ours.
        life = min(minted.expires_at - wall, _LIFE)
        self._kept = _Kept(minted.token, monotonic, wall, life)
        return minted.token

    def _good(self, kept: _Kept) -> bool:
        # One clock stands still while the machine sleeps, and the other may be set back.
        age = max(self._monotonic() - kept.monotonic, self._wall() - kept.wall)
        return age < kept.life - self._ahead

    def __repr__(self) -> str:
        return f"<TokenProvider of {self._csi}>"
