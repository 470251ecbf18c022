"""The state that the HTTP requests of one SockJS session share."""

from __future__ import annotations

import asyncio
from typing import Callable, Optional

from .connection import Connection


class HttpSession:
    """A connection that outlives the requests that carry it.

    A receiver is the request whose response carries frames; there is one at a time. After its end
    the client has a timeout to send the next one. If the receiver's TCP connection breaks, the
    session ends at once, as in sockjs-node.

    :param connection: the connection that the handler sees.
    :param disconnect_delay: timeout in seconds between two receivers.
    :param forget: receives this session at its end, when its id is free again.
    """

    def __init__(
        self,
        connection: Connection,
        disconnect_delay: float,
        forget: Callable[[HttpSession], None],
    ) -> None:
        self.connection = connection
        self.received = False
        self._disconnect_delay = disconnect_delay
        self._forget = forget
        self._timer: Optional[asyncio.TimerHandle] = None

    @property
    def aborted(self) -> bool:
        """True if the client, not a fault, has ended the receiver's TCP connection."""
        return self.received and self.connection.tcp_fault is None and self.connection.cut_off

    def attach(self, transport: asyncio.Transport) -> None:
        """Add a receiver."""
        self._cancel_timer()
        self.received = True
        self.connection.attach(transport)

    def detach(self) -> None:
        """Release the receiver and start the timeout."""
        self.received = False
        self.connection.detach()
        self._timer = asyncio.get_running_loop().call_later(self._disconnect_delay, self.end)

    def end(self) -> None:
        """End the session because the client is gone."""
        self._cancel_timer()
        self.connection.mark_closed()
        self._forget(self)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
